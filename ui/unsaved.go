package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/widget"

	"apex-ai-proxy/ui/presenter"
	"apex-ai-proxy/ui/words"
)

// question asks what to do with edits before the program ends.
type question struct {
	dialog                dialog.Dialog
	save, discard, cancel *answer
}

// answer is a button of a question, which Escape cancels.
type answer struct {
	widget.Button
	escaped func()
}

func newAnswer(text string, tapped, escaped func()) *answer {
	a := &answer{escaped: escaped}
	a.Text, a.OnTapped = text, tapped
	a.ExtendBaseWidget(a)
	return a
}

// TypedKey implements fyne.Focusable.
func (a *answer) TypedKey(k *fyne.KeyEvent) {
	if k.Name == fyne.KeyEscape {
		a.escaped()
		return
	}
	a.Button.TypedKey(k)
}

// askUnsaved asks about edits that would be lost, and tells whether there are any.
func (w *window) askUnsaved() bool {
	if w.unsaved != nil {
		w.u.show()
		return true
	}
	q, ask := presenter.AskUnsaved(w.settings.form, w.models.form, w.settings.secretTyped())
	if !ask {
		return false
	}
	w.u.show()
	w.turn(w.edited())
	w.unsaved = w.newQuestion(q)
	w.unsaved.dialog.Show()
	focus := w.unsaved.save
	if !q.Savable {
		focus = w.unsaved.cancel
	}
	w.win.Canvas().Focus(focus)
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
			asked.dialog.Hide()
			then()
		}
	}
	cancel := close(func() {})
	asked.save = newAnswer(words.T("Save"), close(func() { w.saveEdits(u.end) }), cancel)
	asked.save.Importance = widget.HighImportance
	asked.discard = newAnswer(words.T("Discard"), close(u.end), cancel)
	asked.cancel = newAnswer(words.T("Cancel"), cancel, cancel)
	enable(asked.save, q.Savable)
	asked.dialog = dialog.NewCustomWithoutButtons(q.Title, stack(gapMargin,
		sized(textWidth/2, newParagraph(q.Text)),
		container.NewBorder(nil, nil, sized(96, asked.discard), inRow(gap, sized(96, asked.cancel), sized(96, asked.save)))), w.win)
	return asked
}

// saveEdits saves the pages with edits and then calls done. A page that could not be saved
// says why, and stays.
func (w *window) saveEdits(done func()) {
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

// saved goes on after a page was saved, or shows it.
func (w *window) saved(page int, saved bool, then func()) {
	if saved {
		then()
		return
	}
	w.turn(page)
}
