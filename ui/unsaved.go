package ui

import (
	"fyne.io/fyne/v2/widget"

	"apex-ai-proxy/app/secret/pasted"
	"apex-ai-proxy/ui/presenter"
	"apex-ai-proxy/ui/words"
)

// question is a box with answers.
type question struct {
	box                   *box
	save, discard, cancel *button // discard is nil where nothing would be lost
}

// askUnsaved asks about edits that would be lost, and tells whether there are any.
func (w *window) askUnsaved() bool {
	if w.unsaved != nil {
		w.u.show()
		return true
	}
	w.settings.settle() // the question speaks of what is marked
	q, ask := presenter.AskUnsaved(w.settings.form, w.models.form, len(w.typedSecrets()) > 0)
	if !ask {
		return false
	}
	w.u.show()
	if !w.guide.shown {
		w.turn(w.edited())
	}
	w.unsaved = w.newQuestion(q)
	focus := w.unsaved.save
	if !q.Savable {
		focus = w.unsaved.cancel
	}
	w.unsaved.box.show(boxWidth, 0, focus)
	return true
}

// edited is the first page with edits.
func (w *window) edited() int {
	if w.models.form.Dirty() {
		return pageModels
	}
	return pageSettings
}

func (w *window) newQuestion(q presenter.Unsaved) *question {
	u, asked := w.u, &question{}
	close := func(then func()) func() {
		return func() {
			w.unsaved = nil
			asked.box.hide()
			then()
		}
	}
	cancel := close(func() {})
	asked.save = newButton(words.T("Save"), close(func() { w.saveEdits(u.end) }))
	asked.save.Importance = widget.HighImportance
	asked.discard = newButton(words.T("Discard"), close(u.end))
	asked.cancel = newButton(words.T("Cancel"), cancel)
	enable(asked.save, q.Savable)
	asked.box = w.newBox(q.Title, newParagraph(q.Text), answers(asked.discard, asked.cancel, asked.save), cancel)
	return asked
}

// typedSecrets are the fields with a secret that was not stored.
func (w *window) typedSecrets() (out []*secretField) {
	fields := []*secretField{w.guide.token, w.settings.token}
	for _, r := range w.settings.keys.rows {
		fields = append(fields, r.secret)
	}
	for _, f := range fields {
		if pasted.Secret(f.entry.Text) != "" {
			out = append(out, f)
		}
	}
	return out
}

// saveEdits stores secrets that were typed, saves the pages with edits, and then calls done.
// What could not be saved says why, and stays.
func (w *window) saveEdits(done func()) {
	if typed := w.typedSecrets(); len(typed) > 0 {
		w.storeFirst(typed[0], func() { w.u.window.saveEdits(done) })
		return
	}
	models := func() {
		w := w.u.window // whose pages may be others now, in another language
		if !w.models.form.Dirty() {
			done()
			return
		}
		w.models.store(func(saved bool) { w.saved(pageModels, saved, done) })
	}
	if !w.settings.form.Dirty() {
		models()
		return
	}
	w.settings.store(func(saved bool) { w.saved(pageSettings, saved, models) })
}

// storeFirst stores a secret where it can be seen, and then goes on.
func (w *window) storeFirst(f *secretField, then func()) {
	if !w.guide.shown {
		w.turn(pageSettings)
		w.settings.reveal(f.content)
	}
	f.keep(func(stored bool) {
		if stored {
			then()
		}
	})
}

// saved goes on after a page was saved, or shows it.
func (w *window) saved(page int, saved bool, then func()) {
	if saved {
		then()
		return
	}
	w.turn(page)
}
