package presenter

import (
	"slices"

	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/ui/words"
)

// sent is how often a request was sent upstream, as far as its record tells.
func sent(x *event.Exchange) int64 {
	return int64(1 + len(x.Tries) + len(x.Warnings) - len(losses(x)))
}

// anew are the warnings that tell of another request upstream, by what that was for.
var anew = map[string]func() string{
	event.Fallback: func() string { return words.T("Fell back") },
	event.Repaired: func() string { return words.T("Changed") },
}

// losses are the warnings of what a conversion could not carry over.
func losses(x *event.Exchange) []event.Warning {
	told := func(w event.Warning) bool { return anew[w.Code] != nil }
	if !slices.ContainsFunc(x.Warnings, told) {
		return x.Warnings
	}
	return slices.DeleteFunc(slices.Clone(x.Warnings), told)
}

// resent is how often a request was sent upstream and why, nothing when that was once.
func resent(x *event.Exchange) []Fact {
	n := sent(x)
	if n < 2 {
		return nil
	}
	facts := []Fact{{words.T("Sent"), words.F("{{.Count}} times", words.V{"Count": count(n)})}}
	for _, t := range x.Tries {
		facts = append(facts, Fact{words.T("Retried"), words.F("after {{.Wait}}: {{.Why}}", words.V{"Wait": elapsed(t.Wait), "Why": toldOr(t.Text, t.Why)})})
	}
	for _, w := range x.Warnings {
		if name := anew[w.Code]; name != nil {
			facts = append(facts, Fact{name(), begun(toldOr(w.Text, w.Why))})
		}
	}
	return facts
}
