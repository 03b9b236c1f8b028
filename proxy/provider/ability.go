package provider

import (
	_ "embed"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pelletier/go-toml/v2"

	"apex-ai-proxy/proxy/convert/ir"
)

// abilitiesFile holds the abilities of models; it says itself how it is read.
//
//go:embed abilities.toml
var abilitiesFile string

// AbilityOf is what the model of a provider can do and refuses. Known is false for a
// model that is not in the table; the other fields are then the safest guess.
func AbilityOf(slug, model string) ir.Ability { return modelOf(slug, model).ability }

// modelFacts are what the table says of a model.
type modelFacts struct {
	ability   ir.Ability
	responses responsesUse
	replay    bool // it wants its reasoning back, also where the provider's others do not
}

// responsesUse tells how a model gets on with the Responses API.
type responsesUse uint8

const (
	responsesToo    responsesUse = iota // it is no better there than elsewhere, or not there at all
	responsesBetter                     // it keeps its reasoning between turns there
	responsesOnly                       // it is served nowhere else
)

// asked are models that were looked up before, as the same few come with every request.
var asked struct {
	sync.RWMutex
	models map[modelKey]*modelFacts
}

type modelKey struct{ slug, model string }

// maxAsked bounds how many are remembered.
const maxAsked = 256

// modelOf finds the row of a model.
func modelOf(slug, model string) *modelFacts {
	key := modelKey{slug, model}
	asked.RLock()
	f := asked.models[key]
	asked.RUnlock()
	if f != nil {
		return f
	}
	if f = rowOf(slug, model); len(model) > maxName {
		return f
	}
	asked.Lock()
	defer asked.Unlock()
	if asked.models == nil || len(asked.models) >= maxAsked {
		asked.models = make(map[modelKey]*modelFacts)
	}
	asked.models[key] = f
	return f
}

func rowOf(slug, model string) *modelFacts {
	name := strings.ToLower(model)
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		name = name[i+1:] // vendor/model of an aggregator
	}
	name = strings.TrimPrefix(name, "ft:") // a tuned model can do what its base can
	t := abilities()
	if strings.HasPrefix(name, "claude") {
		if f := t.claude.find(name); f != nil {
			return f
		}
	}
	for i := range t.models {
		if row := &t.models[i]; row.fits(slug, name) {
			return &row.modelFacts
		}
	}
	return &modelFacts{}
}

// abilityTable is the file, ready to be searched.
type abilityTable struct {
	models []modelRow // those of the vendors, then the guesses
	claude claudeTable
}

// modelRow is what counts for the models a pattern fits.
type modelRow struct {
	pattern, prefix, slug string // slug "" for any provider
	modelFacts
}

func (r *modelRow) fits(slug, name string) bool {
	if r.slug != "" && r.slug != slug || !strings.HasPrefix(name, r.prefix) {
		return false
	}
	ok, err := path.Match(r.pattern, name)
	return ok && err == nil
}

// claudeTable is searched by family and version.
type claudeTable struct {
	families []string
	rows     []claudeRow
}

// claudeRow is what counts for the models of some families before a version.
type claudeRow struct {
	families []string // none for all
	before   int      // see claudeTable.version; 0 for all later ones
	modelFacts
}

func (t *claudeTable) find(name string) *modelFacts {
	family, version := t.version(name)
	if version == 0 {
		return nil // an alias that says nothing
	}
	for i := range t.rows {
		r := &t.rows[i]
		if (r.before == 0 || version < r.before) && (len(r.families) == 0 || slices.Contains(r.families, family)) {
			return &r.modelFacts
		}
	}
	return nil
}

// version reads family and version out of ids such as claude-opus-4-7, claude-sonnet-4.5,
// claude-3-5-haiku-20241022. The version is major*100+minor, 0 when there is none.
func (t *claudeTable) version(name string) (family string, version int) {
	major, minor := 0, 0
	for _, word := range strings.FieldsFunc(name, func(r rune) bool { return r == '-' || r == '.' || r == '@' || r == ':' }) {
		n, err := strconv.Atoi(word)
		switch {
		case err != nil:
			if slices.Contains(t.families, word) {
				family = word
			}
		case n >= 1000: // a date
		case major == 0:
			major = n
		case minor == 0:
			minor = n
		}
	}
	return family, major*100 + minor
}

// abilities is the table, read when a model is first looked up.
var abilities = sync.OnceValue(func() *abilityTable {
	t, err := readAbilities(abilitiesFile)
	if err != nil {
		panic("abilities.toml: " + err.Error()) // part of the program: the tests read it
	}
	return t
})

// The file, as it is written.
type (
	abilityFile struct {
		Vendor  []fileBlock
		Claude  fileBlock
		Unknown fileBlock
	}
	fileBlock struct {
		Name     string
		Date     toml.LocalDate
		Sources  []string
		Families []string
		Models   []fileRow
	}
	fileRow struct {
		Match, Provider  string
		Families         []string
		Before           string
		MaxOutput        int64 `toml:"max_output"`
		Efforts, Refuses []string
		Thinking         string
		Schema           bool
		MidSystem        bool `toml:"mid_system"`
		Search           bool
		Replay           bool
		Responses        string
	}
)

func readAbilities(text string) (*abilityTable, error) {
	var f abilityFile
	if err := toml.NewDecoder(strings.NewReader(text)).DisallowUnknownFields().Decode(&f); err != nil {
		return nil, err
	}
	t := &abilityTable{claude: claudeTable{families: f.Claude.Families}}
	for i := range f.Vendor {
		if err := t.add(&f.Vendor[i], true); err != nil {
			return nil, err
		}
	}
	if err := t.add(&f.Unknown, false); err != nil {
		return nil, err
	}
	return t, t.addClaude(&f.Claude)
}

func (b *fileBlock) check() error {
	if b.Date.AsTime(time.UTC).Year() < 2025 || len(b.Sources) == 0 || len(b.Models) == 0 {
		return fmt.Errorf("block %q needs a date, sources and models", b.Name)
	}
	return nil
}

func (t *abilityTable) add(b *fileBlock, known bool) error {
	if err := b.check(); err != nil {
		return err
	}
	for i := range b.Models {
		r := &b.Models[i]
		facts, err := r.facts(known)
		if _, bad := path.Match(r.Match, ""); err == nil && (bad != nil || r.Match == "" || r.Before != "" || r.Families != nil) {
			err = errors.New("a row has a pattern, no families and no version")
		}
		if err != nil {
			return fmt.Errorf("%s, row %q: %w", b.Name, r.Match, err)
		}
		prefix, _, _ := strings.Cut(r.Match, "*")
		t.models = append(t.models, modelRow{pattern: r.Match, prefix: prefix, slug: r.Provider, modelFacts: facts})
	}
	return nil
}

func (t *abilityTable) addClaude(b *fileBlock) error {
	if err := b.check(); err != nil {
		return err
	}
	for i := range b.Models {
		r := &b.Models[i]
		row := claudeRow{families: r.Families}
		var err error
		if row.modelFacts, err = r.facts(true); err == nil && r.Before != "" {
			_, row.before = t.claude.version(r.Before)
			if row.before == 0 {
				err = errors.New("before must be a version, as in 4.5")
			}
		}
		for _, family := range r.Families {
			if !slices.Contains(b.Families, family) {
				err = fmt.Errorf("%q is not one of the families", family)
			}
		}
		if err == nil && (r.Match != "" || r.Provider != "") {
			err = errors.New("a row has families and a version, no pattern")
		}
		if err != nil {
			return fmt.Errorf("claude, row %d: %w", i, err)
		}
		t.claude.rows = append(t.claude.rows, row)
	}
	return nil
}

// refusals are the words for what a model refuses.
var refusals = map[string]func(*ir.Ability){
	"sampling":      func(a *ir.Ability) { a.NoSampling = true },
	"both-sampling": func(a *ir.Ability) { a.OneSampling = true },
	"stop":          func(a *ir.Ability) { a.NoStop = true },
	"prefill":       func(a *ir.Ability) { a.NoPrefill = true },
}

// thinkings are the words for how a model is asked to think.
var thinkings = map[string]func(*ir.Ability){
	"":         func(*ir.Ability) {},
	"budget":   func(a *ir.Ability) { a.Budget = true },
	"adaptive": func(a *ir.Ability) { a.Adaptive = true },
	"always":   func(a *ir.Ability) { a.Adaptive, a.AlwaysThinks = true, true },
}

var responsesUses = map[string]responsesUse{"": responsesToo, "better": responsesBetter, "only": responsesOnly}

func (r *fileRow) facts(known bool) (modelFacts, error) {
	f := modelFacts{replay: r.Replay, ability: ir.Ability{
		Known: known, MaxOutput: r.MaxOutput, Efforts: r.Efforts, OutputSchema: r.Schema, MidSystem: r.MidSystem, WebSearch: r.Search,
	}}
	for _, e := range r.Efforts {
		if err := ir.CheckEffort("efforts", e); err != nil {
			return f, err
		}
	}
	for _, word := range r.Refuses {
		set, ok := refusals[word]
		if !ok {
			return f, fmt.Errorf("%q cannot be refused", word)
		}
		set(&f.ability)
	}
	think, ok := thinkings[r.Thinking]
	if !ok {
		return f, fmt.Errorf("thinking %q is not known", r.Thinking)
	}
	think(&f.ability)
	if f.responses, ok = responsesUses[r.Responses]; !ok {
		return f, fmt.Errorf("responses %q is not known", r.Responses)
	}
	return f, nil
}
