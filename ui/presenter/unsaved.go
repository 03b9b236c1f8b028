package presenter

import "apex-ai-proxy/ui/words"

// Unsaved is the question about edits that would be lost.
type Unsaved struct {
	Title, Text string
	Savable     bool // they can be saved as they are
}

// AskUnsaved is the question before the program ends, and whether there is one. A secret
// that was typed counts as an edit: saving stores it.
func AskUnsaved(form *Form, models *Models, secret bool) (q Unsaved, ask bool) {
	q = Unsaved{Title: words.T("Save changes before quitting?"), Savable: true}
	inForm, inModels := form.Dirty(), models.Dirty()
	switch {
	case inForm && inModels:
		q.Text = words.T("Changes in Models and in Settings are not saved.")
	case inForm:
		q.Text = words.T("Changes in Settings are not saved.")
	case inModels:
		q.Text = words.T("Changes in Models are not saved.")
	case !secret:
		return Unsaved{}, false
	}
	if secret {
		q.Text = both(q.Text, words.T("A token or key was typed but not stored in the keychain."))
	}
	if inForm && !form.Valid() || inModels && !models.Valid() {
		q.Savable = false
		q.Text = both(q.Text, words.T("They cannot be saved as they are. Cancel to correct what is marked there."))
	}
	return q, true
}

// both is two sentences, of which the first may be missing.
func both(a, b string) string {
	if a == "" {
		return b
	}
	return words.F("{{.One}} {{.Other}}", words.V{"One": a, "Other": b})
}
