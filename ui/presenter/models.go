package presenter

import (
	"maps"
	"slices"
	"strings"

	"apex-ai-proxy/app/settings"
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
