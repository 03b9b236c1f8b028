package presenter

import (
	"context"
	"errors"
	"slices"
	"strings"

	"apex-ai-proxy/ui/words"
)

// outcome is what came of a trial.
type outcome struct {
	text string // "" for none
	tone Tone
	busy bool

	unsaved bool // it asks to save first
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
