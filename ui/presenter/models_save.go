package presenter

import (
	"errors"
	"slices"
	"strings"

	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/ui/words"
)

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
	again := m.repeats()
	for _, r := range m.rows {
		if r.tier != "" {
			if r.edited() {
				s = s.WithTier(r.tier, split(r.typed)...)
			}
			continue
		}
		if v := m.value(r); v != nil && !again[r] {
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

// repeats are the rows with a name that a row before them has. They are left out of the
// settings, which hold a name once, so that what is wrong there is about the first one.
func (m *Models) repeats() map[*name]bool {
	again, seen := map[*name]bool{}, map[string]bool{}
	for _, r := range m.rows {
		n := strings.TrimSpace(r.text)
		if r.tier != "" || n == "" {
			continue
		}
		again[r], seen[n] = seen[n], true
	}
	return again
}

// check finds what is wrong with each row.
func (m *Models) check() {
	s, again := m.Settings(), m.repeats()
	for _, r := range m.rows {
		r.problem, r.unfinished = "", false
		if again[r] {
			r.problem = words.T("This alias exists already.")
		} else if i := slices.IndexFunc(split(r.typed), func(model string) bool { return s.Aliases[model] != nil }); i >= 0 {
			r.problem = words.F("“{{.Name}}” is itself an alias. Write a model as model#provider.", words.V{"Name": split(r.typed)[i]})
		}
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
