package presenter

import "apex-ai-proxy/proxy/event"

// lossText is what a conversion could not carry over, in a line.
func lossText(w event.Warning) string {
	why := toldOr(w.Text, w.Why)
	if w.Path != "" {
		why = named(w.Path, why)
	}
	return why
}
