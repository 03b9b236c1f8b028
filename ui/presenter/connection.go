package presenter

import (
	"strings"

	"apex-ai-proxy/proxy/probe"
	"apex-ai-proxy/ui/words"
)

// Verdict is the result of a test of the connection, in words.
type Verdict struct {
	Tone   Tone
	Text   string // a sentence
	Cure   string // what to do, "" when nothing
	Detail string // what the other side said and other facts, "" for none
	Field  Field  // where the cursor is needed, "" for nowhere
}

// Blame is what is wrong with a field and what to do, "" when that is another one.
func (v Verdict) Blame(f Field) string {
	if v.Field != f || v.Tone != ToneBad {
		return ""
	}
	return both(v.Text, v.Cure)
}

// Judge puts a finding into words.
func Judge(f probe.Finding) Verdict {
	v := Verdict{Tone: ToneBad, Text: words.Of(f.Says()), Cure: words.Of(f.Cure()), Field: f.Field()}
	switch f.Cause {
	case probe.OK:
		v.Tone = ToneGood
	case probe.NoKey, probe.Limited:
		v.Tone = ToneWarn
	case probe.Invalid:
		v.Text = Sentence(toldOr(f.Told, f.Said))
	case probe.OwnKey:
		v.Text = words.F("{{.Provider}} does not take your own key.", words.V{"Provider": titleOf(f)})
	default:
	}
	v.Detail = strings.Join(facts(f), " ")
	return v
}

func titleOf(f probe.Finding) string {
	for _, p := range f.Providers {
		if p.Name == f.Provider {
			return p.Title
		}
	}
	return f.Provider
}

// facts are what else is known, in sentences.
func facts(f probe.Finding) []string {
	var out []string
	add := func(s string) { out = append(out, s) }
	if f.Said != "" && f.Cause != probe.Invalid {
		add(words.F("It said: {{.Said}}", words.V{"Said": ended(Shorten(toldOr(f.Told, f.Said), 160))}))
	}
	if len(f.Gateways) > 0 {
		add(words.F("Its gateways: {{.Names}}.", words.V{"Names": strings.Join(f.Gateways, ", ")}))
	}
	var ready, missing []string
	for _, p := range f.Providers {
		switch p.State {
		case probe.Ready:
			ready = append(ready, p.Title)
		case probe.KeyMissing:
			missing = append(missing, p.Title)
		case probe.KeyRefused, probe.Unknown:
		}
	}
	if len(ready) > 0 {
		add(words.F("Ready: {{.Names}}.", words.V{"Names": strings.Join(ready, ", ")}))
	}
	if len(missing) > 0 && len(ready) > 0 {
		add(words.F("No key yet: {{.Names}}.", words.V{"Names": strings.Join(missing, ", ")}))
	}
	if f.LogID != "" {
		add(words.F("Log {{.ID}}.", words.V{"ID": f.LogID}))
	}
	return out
}
