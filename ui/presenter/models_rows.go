package presenter

import (
	"slices"
	"strings"
	"unicode/utf8"

	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/ui/words"
)

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
