package presenter

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/ui/words"
)

// Models is the page of models: the names that stand for some, while they are being
// edited, and the catalogue. What is typed stays until it is saved or reverted, whatever
// goes wrong. It is not safe for concurrent use.
type Models struct {
	base       settings.Settings
	overridden map[string]string
	validate   func(settings.Settings) error
	catalogue  []string
	query      string

	rows    []*name
	removed map[string]bool // own names of base
	lastID  int
}

// name is a name with the models that it stands for.
type name struct {
	id    int
	tier  settings.Tier // "" for a name of the user's own
	saved string        // the own name in base, "" when it is not there
	text  string        // the own name, as typed
	base  string        // the models in base
	typed string

	problem    string
	unfinished bool   // the problem may be that not all of a model is typed
	rejected   string // by the last attempt to save, until the row is changed
	trial      outcome
	runs       int // counts trials and changes, so that only an answer to the last one counts
}

// outcome is what came of a trial.
type outcome struct {
	text string // "" for none
	tone Tone
	busy bool

	unsaved bool // it asks to save first
}

// NameRow is a name with the models that it stands for, as the page shows it.
type NameRow struct {
	ID      int    // the same as long as the row is there
	Name    string // as typed, or what the tier is called
	Fixed   bool   // the name cannot be changed, nor the row removed
	Models  string // as typed: models in the order in which they are tried
	Locked  bool   // something beats the settings file
	Problem string
	Mild    bool     // the problem is only that the row is not finished
	Hint    string   // what the name is for
	Tried   string   // what came of trying it, or ""
	Tone    Tone     // of Tried
	Busy    bool     // it is being tried
	Vacant  bool     // there is nothing to try
	Offers  []string // models that fit what is being typed, while that is not all of one
}

// NewModels is a page that shows s and the models worth offering. validate is what is wrong
// with settings, as a *settings.ValidationError.
func NewModels(s settings.Settings, overridden map[string]string, validate func(settings.Settings) error, catalogue []string) *Models {
	m := &Models{base: s, overridden: overridden, validate: validate, catalogue: catalogue}
	m.Revert()
	return m
}

// Revert drops what was edited.
func (m *Models) Revert() {
	m.rows, m.removed = nil, map[string]bool{}
	for _, t := range settings.Tiers() {
		m.add(&name{tier: t})
	}
	m.add(&name{text: DefaultAlias, saved: DefaultAlias})
	m.takeNew()
	for _, r := range m.rows {
		r.base = m.modelsOf(m.base, r)
		r.typed = r.base
	}
	m.check()
}

func (m *Models) add(r *name) *name {
	m.lastID++
	r.id = m.lastID
	m.rows = append(m.rows, r)
	return r
}

// takeNew adds rows for the names of base that have none.
func (m *Models) takeNew() {
	for _, n := range slices.Sorted(maps.Keys(m.base.Aliases)) {
		if !m.removed[n] && !slices.ContainsFunc(m.rows, func(r *name) bool { return r.saved == n }) {
			r := m.add(&name{saved: n, text: n})
			r.base = m.modelsOf(m.base, r)
			r.typed = r.base
		}
	}
}

// modelsOf are the models of a row in settings, as they are typed.
func (m *Models) modelsOf(s settings.Settings, r *name) string {
	if r.tier != "" {
		return listed(s.TierTargets(r.tier))
	}
	if _, there := s.Aliases[r.saved]; !there {
		return ""
	}
	return listed(s.AliasTargets()[r.saved])
}

func listed(models []string) string { return strings.Join(models, ", ") }

// split are the models in a text, which stand apart by commas or lines.
func split(text string) []string {
	var out []string
	for s := range strings.FieldsFuncSeq(text, comma) {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// comma tells whether a character stands between two models.
func comma(r rune) bool { return r == ',' || r == '，' || r == '、' || r == '\n' }

// Reload takes over settings that were saved or changed elsewhere. Rows that the user has
// edited keep what was typed, and no row moves.
func (m *Models) Reload(s settings.Settings, overridden map[string]string) {
	m.base, m.overridden = s, overridden
	maps.DeleteFunc(m.removed, func(n string, _ bool) bool { _, there := s.Aliases[n]; return !there })
	m.rows = slices.DeleteFunc(m.rows, func(r *name) bool { return !m.reload(r) })
	m.takeNew()
	m.check()
}

// reload takes over the base of a row. It is false for one that was removed elsewhere.
func (m *Models) reload(r *name) (stays bool) {
	edited := r.edited()
	if !r.fixed() {
		now := strings.TrimSpace(r.text)
		_, there := m.base.Aliases[r.saved]
		_, saved := m.base.Aliases[now]
		switch {
		case r.saved != "" && there:
		case saved && !m.hasSaved(now): // the row was saved under its name of now
			r.saved = now
		case r.saved != "" && !edited:
			return false
		default:
			r.saved = ""
		}
	}
	fresh := m.modelsOf(m.base, r)
	if !slices.Equal(split(fresh), split(r.base)) && !slices.Equal(split(fresh), split(r.typed)) {
		r.trial = outcome{} // of other models
		r.runs++
	}
	if slices.Equal(split(r.typed), split(r.base)) {
		r.typed = fresh
	}
	if r.base = fresh; slices.Equal(split(r.typed), split(fresh)) {
		r.typed = fresh
	}
	if r.trial.unsaved && !r.edited() {
		r.trial = outcome{}
	}
	return true
}

func (m *Models) hasSaved(n string) bool {
	return slices.ContainsFunc(m.rows, func(r *name) bool { return r.saved == n })
}

// fixed tells whether the name of a row cannot be changed.
func (r *name) fixed() bool { return r.tier != "" || r.saved == DefaultAlias }

// blank tells whether nothing was typed into a new row.
func (r *name) blank() bool {
	return r.tier == "" && r.saved == "" && strings.TrimSpace(r.text) == "" && len(split(r.typed)) == 0
}

func (r *name) edited() bool {
	renamed := r.tier == "" && strings.TrimSpace(r.text) != r.saved
	return renamed || !slices.Equal(split(r.typed), split(r.base))
}

// field is the row's field in the settings.
func (r *name) field() string {
	if r.tier != "" {
		return settings.FieldTier(r.tier)
	}
	return settings.FieldAlias(strings.TrimSpace(r.text))
}

// asked is the name that a request of the row's would use.
func (r *name) asked() string {
	if r.tier != "" {
		return r.tier.Name()
	}
	return strings.ReplaceAll(r.saved, "*", "x") // one of those that it stands for
}

// Tiers are the rows of Claude Code's tiers.
func (m *Models) Tiers() []NameRow { return m.shown(func(r *name) bool { return r.tier != "" }) }

// Own are the user's own names, the one that the tray sets first.
func (m *Models) Own() []NameRow { return m.shown(func(r *name) bool { return r.tier == "" }) }

func (m *Models) shown(which func(*name) bool) []NameRow {
	var out []NameRow
	for _, r := range m.rows {
		if which(r) {
			out = append(out, m.show(r))
		}
	}
	return out
}

func (m *Models) show(r *name) NameRow {
	row := NameRow{
		ID: r.id, Name: r.text, Fixed: r.fixed(), Models: r.typed, Hint: hint(r),
		Tried: r.trial.text, Tone: r.trial.tone, Busy: r.trial.busy, Vacant: len(split(r.typed)) == 0,
	}
	if r.tier != "" {
		row.Name = tierTitle(r.tier)
	}
	if reason, fixed := fixedBy(m.overridden, r.field()); fixed {
		row.Locked, row.Hint = true, reason
	}
	row.Problem = r.rejected
	if row.Problem == "" {
		row.Problem = r.problem
		row.Offers = m.offers(r)
		row.Mild = len(row.Offers) > 0 || r.saved == "" && r.tier == "" && (strings.TrimSpace(r.text) == "" || row.Vacant)
	}
	return row
}

// mostOffers is how many models are offered at once, and leastTyped how many letters it
// takes: fewer fit everything.
const (
	mostOffers = 3
	leastTyped = 2
)

// offers are models of the catalogue that fit the last model of a row as far as it is typed,
// those that begin like it first.
func (m *Models) offers(r *name) []string {
	typed := strings.ToLower(lastOf(r.typed))
	if !r.edited() || r.problem != "" && !r.unfinished || len(typed) < leastTyped || slices.Contains(m.catalogue, lastOf(r.typed)) {
		return nil
	}
	var begin, hold []string
	for _, model := range m.catalogue {
		switch low := strings.ToLower(model); {
		case strings.HasPrefix(low, typed):
			begin = append(begin, model)
		case strings.Contains(low, typed):
			hold = append(hold, model)
		}
	}
	all := slices.Concat(begin, hold)
	return all[:min(len(all), mostOffers)]
}

// lastOf is the last of the models in a text.
func lastOf(text string) string {
	if i := strings.LastIndexFunc(text, comma); i >= 0 {
		_, n := utf8.DecodeRuneInString(text[i:])
		text = text[i+n:]
	}
	return strings.TrimSpace(text)
}

// Complete puts a model in the place of the last one of a row.
func (m *Models) Complete(id int, model string) {
	if r := m.row(id); r != nil {
		before := split(r.typed)
		if lastOf(r.typed) != "" && len(before) > 0 {
			before = before[:len(before)-1]
		}
		m.SetModels(id, listed(append(before, model)))
	}
}

func tierTitle(t settings.Tier) string {
	return strings.ToUpper(string(t[:1])) + string(t[1:]) // a name, the same in every language
}

func hint(r *name) string {
	switch {
	case r.tier == settings.TierOpus:
		return words.T("For planning and hard problems.")
	case r.tier == settings.TierSonnet:
		return words.T("For everyday work.")
	case r.tier == settings.TierHaiku:
		return words.T("For titles and other small work in the background.")
	case r.tier == settings.TierFable:
		return words.T("For sessions that you start with a Fable model.")
	case r.fixed():
		return words.T("For clients that ask for “default”. The tray sets it too.")
	default:
		return ""
	}
}

func (m *Models) row(id int) *name {
	for _, r := range m.rows {
		if r.id == id {
			return r
		}
	}
	return nil
}

// SetName takes over what was typed as a name.
func (m *Models) SetName(id int, text string) {
	if r := m.row(id); r != nil && !r.fixed() && r.text != text {
		r.text = text
		m.changed(r)
	}
}

// SetModels takes over what was typed as a row's models.
func (m *Models) SetModels(id int, text string) {
	r := m.row(id)
	if r == nil || r.typed == text {
		return
	}
	if _, locked := fixedBy(m.overridden, r.field()); !locked {
		r.typed = text
		m.changed(r)
	}
}

func (m *Models) changed(r *name) {
	r.rejected, r.trial = "", outcome{}
	r.runs++
	m.check()
}

// Choose puts a model of the catalogue into a row: behind a comma as one more, otherwise
// in the place of what is there.
func (m *Models) Choose(id int, model string) {
	r := m.row(id)
	if r == nil {
		return
	}
	if text := strings.TrimSpace(r.typed); strings.HasSuffix(text, ",") || strings.HasSuffix(text, "，") {
		model = listed(append(split(text), model))
	}
	m.SetModels(id, model)
}

// SetDefault makes a model the default one.
func (m *Models) SetDefault(model string) {
	for _, r := range m.rows {
		if r.tier == "" && r.fixed() {
			m.SetModels(r.id, model)
		}
	}
}

// Default is what the default name stands for first, as edited.
func (m *Models) Default() string {
	for _, r := range m.rows {
		if models := split(r.typed); r.tier == "" && r.fixed() && len(models) > 0 {
			return models[0]
		}
	}
	return ""
}

// Add adds an empty row, or finds one, and tells its id.
func (m *Models) Add() int {
	for _, r := range m.rows {
		if r.blank() {
			return r.id
		}
	}
	r := m.add(&name{})
	m.check()
	return r.id
}

// Remove takes a row away, or empties one whose name is fixed.
func (m *Models) Remove(id int) {
	r := m.row(id)
	if r == nil {
		return
	}
	if r.fixed() {
		m.SetModels(id, "")
		return
	}
	if r.saved != "" {
		m.removed[r.saved] = true
	}
	m.rows = slices.DeleteFunc(m.rows, func(o *name) bool { return o == r })
	m.check()
}

// Valid tells whether the names can be saved.
func (m *Models) Valid() bool {
	return !slices.ContainsFunc(m.rows, func(r *name) bool { return r.problem != "" })
}

// Dirty tells whether there is something to save.
func (m *Models) Dirty() bool {
	return len(m.removed) > 0 || slices.ContainsFunc(m.rows, func(r *name) bool { return !r.blank() && r.edited() })
}

// Settings are the settings as edited. They may only be saved while the page is Valid.
func (m *Models) Settings() settings.Settings {
	s := m.base
	s.Aliases = nil
	for _, r := range m.rows {
		if r.tier != "" {
			if r.edited() {
				s = s.WithTier(r.tier, split(r.typed)...)
			}
			continue
		}
		if v := m.value(r); v != nil {
			if s.Aliases == nil {
				s.Aliases = map[string]any{}
			}
			s.Aliases[strings.TrimSpace(r.text)] = v
		}
	}
	return s
}

// value is what the settings hold for a name of the user's own, nil for nothing. What was
// not edited stays as it is, even when it cannot be read.
func (m *Models) value(r *name) any {
	switch models := split(r.typed); {
	case r.blank():
		return nil
	case r.saved != "" && slices.Equal(models, split(r.base)):
		return m.base.Aliases[r.saved]
	case r.fixed() && len(models) == 0:
		return nil
	case len(models) == 1:
		return models[0]
	default:
		return models
	}
}

// check finds what is wrong with each row.
func (m *Models) check() {
	s := m.Settings()
	seen := map[string]bool{}
	for _, r := range m.rows {
		r.problem, r.unfinished = "", false
		n := strings.TrimSpace(r.text)
		if r.tier == "" && n != "" && seen[n] {
			r.problem = words.T("This alias exists already.")
		} else if i := slices.IndexFunc(split(r.typed), func(model string) bool { return s.Aliases[model] != nil }); i >= 0 {
			r.problem = words.F("“{{.Name}}” is itself an alias. Write a model as model#provider.", words.V{"Name": split(r.typed)[i]})
		}
		seen[n] = seen[n] || r.tier == ""
	}
	var v *settings.ValidationError
	if !errors.As(m.validate(s), &v) {
		return
	}
	for _, p := range v.Problems {
		for _, r := range m.rows {
			if r.problem == "" && !r.blank() && r.field() == p.Field {
				r.problem, r.unfinished = told(p), true
			}
		}
	}
}

// Recheck words what is wrong in the language of now.
func (m *Models) Recheck() {
	for _, r := range m.rows {
		r.rejected = ""
		if !r.trial.busy {
			r.trial = outcome{}
		}
	}
	m.check()
}

// Reject takes over why saving went wrong. What does not belong to a row is returned as a
// sentence.
func (m *Models) Reject(err error) string {
	var v *settings.ValidationError
	if !errors.As(err, &v) {
		return Tell(err)
	}
	rest := ""
	for _, p := range v.Problems {
		mine := false
		for _, r := range m.rows {
			if r.field() == p.Field {
				r.rejected, mine = told(p), true
			}
		}
		if !mine && rest == "" {
			rest = named(p.Name(), told(p))
		}
	}
	return rest
}

// Try begins to try a row. It tells the name to ask for, and a run to answer with; without
// ok there is nothing to ask, and the row says why.
func (m *Models) Try(id int) (ask string, run int, ok bool) {
	r := m.row(id)
	switch {
	case r == nil || r.trial.busy || len(split(r.typed)) == 0:
		return "", 0, false
	case r.edited():
		r.trial = outcome{text: words.T("Save first: the proxy still uses the old setting."), tone: ToneWarn, unsaved: true}
		return "", 0, false
	}
	r.trial = outcome{text: words.T("Waiting for an answer…"), tone: ToneBusy, busy: true}
	r.runs++
	return r.asked(), r.runs, true
}

// Answered takes over what came of a run. A row that was changed meanwhile forgets it.
func (m *Models) Answered(id, run int, t Trial, err error) {
	r := m.row(id)
	if r == nil || r.runs != run {
		return
	}
	switch {
	case errors.Is(err, ErrNotRunning):
		r.trial = outcome{text: words.T("The proxy is not running."), tone: ToneBad}
	case errors.Is(err, context.DeadlineExceeded):
		r.trial = outcome{text: words.T("No answer within a minute."), tone: ToneBad}
	case err != nil:
		r.trial = outcome{text: Tell(err), tone: ToneBad}
	default:
		r.trial = outcome{text: trialText(t), tone: ToneGood}
		if n := choice(split(r.typed), t.Model); n > 0 {
			r.trial.tone = ToneWarn
			r.trial.text = words.F("{{.Answer}} The models listed before it did not answer.", words.V{"Answer": r.trial.text})
		}
	}
}

func trialText(t Trial) string {
	v := words.V{"Model": or(t.Model, none), "First": elapsed(t.First), "Took": elapsed(t.Took)}
	if t.First <= 0 {
		return words.F("{{.Model}} answered after {{.Took}}, but with no text within the few tokens allowed.", v)
	}
	return words.F("{{.Model}} answered: first words after {{.First}}, all after {{.Took}}.", v)
}

// choice is which of a row's models answered, the first when that is not certain.
func choice(models []string, answered string) int {
	return max(0, slices.IndexFunc(models, func(m string) bool {
		bare := m
		if i := strings.LastIndexByte(m, '#'); i >= 0 {
			bare = m[:i]
		}
		return bare == answered
	}))
}

// Search limits the catalogue to models whose name holds all words of a text.
func (m *Models) Search(text string) { m.query = text }

// Query is what is searched for.
func (m *Models) Query() string { return m.query }

// Catalogue are the models that were found, by provider.
func (m *Models) Catalogue() []ModelGroup {
	wanted := strings.Fields(strings.ToLower(m.query))
	return ModelGroups(slices.DeleteFunc(slices.Clone(m.catalogue), func(model string) bool {
		model = strings.ToLower(model)
		return slices.ContainsFunc(wanted, func(w string) bool { return !strings.Contains(model, w) })
	}), settings.Settings{})
}

// All are all models by provider.
func (m *Models) All() []ModelGroup { return ModelGroups(m.catalogue, settings.Settings{}) }
