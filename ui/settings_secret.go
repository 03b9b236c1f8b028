package ui

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/widget"

	"apex-ai-proxy/app/secret/pasted"
	"apex-ai-proxy/ui/presenter"
	"apex-ai-proxy/ui/words"
)

// secretField stores one secret in the keychain. A stored secret is never shown again;
// only its state is, in words.
type secretField struct {
	w       *window
	name    presenter.SecretName
	content *fyne.Container
	recheck func() // looks at the state again
	failed  func() // called when a secret could not be stored; may be nil

	dot     *dot
	words   *line
	change  *button // opens the entry
	remove  *button
	again   *button
	entry   *entry
	store   *button
	cancel  *button
	reading *fyne.Container
	editing *fyne.Container
	note    *paragraph

	state presenter.SecretState
	bare  bool // without buttons beside the entry
	open  bool // the entry is open although a secret is stored
	busy  string
	wrong string // why the last attempt did not work
}

func newSecretField(w *window, name presenter.SecretName, placeholder string, recheck func()) *secretField {
	f := &secretField{w: w, name: name, recheck: recheck}
	f.dot, f.words, f.note = newDot(10), newCutLine("", faceText, 60), newParagraph("").note()
	f.change = newButton(words.T("Replace"), f.edit)
	f.remove = newButton(words.T("Remove"), f.askDelete)
	f.again = newButton(words.T("Check again"), recheck)
	f.entry = newEntry(w)
	f.entry.Password = true
	f.entry.PlaceHolder = placeholder
	f.entry.OnChanged = func(string) { f.show() }
	f.entry.OnSubmitted = func(string) { f.put() }
	f.entry.escaped = f.shut
	f.store = newButton(words.T("Store"), f.put)
	f.store.Importance = widget.HighImportance
	f.cancel = newButton(words.T("Cancel"), f.shut)
	tall := container.New(heightLayout(f.again.MinSize().Height)) // also without buttons, or it stood above the name of the field
	f.reading = container.NewBorder(nil, nil, container.NewCenter(f.dot), inRow(gap, f.again, f.change, f.remove),
		container.NewStack(tall, padded(0, 0, gap, gap, middle(f.words))))
	// The button that comes and goes is not the last, or Store would move below the mouse.
	f.editing = container.NewBorder(nil, nil, nil, inRow(gap, f.cancel, f.store), padded(0, 0, 0, gap, f.entry))
	f.content = stack(gapTight, f.reading, f.editing, padded(0, gapTight, 2, 0, f.note))
	f.show()
	return f
}

// strip leaves out the buttons beside the entry, where what stands around the field stores
// what was typed. Escape still gives it up.
func (f *secretField) strip() {
	f.bare = true
	f.editing.RemoveAll()
	f.editing.Add(f.entry)
	f.editing.Layout = layout.NewStackLayout()
}

// resume takes over what was typed from the field in another language.
func (f *secretField) resume(old *secretField) {
	f.state, f.open = old.state, old.open
	f.entry.SetText(old.entry.Text)
	f.show()
}

// refresh takes over the state of the secret. An entry that was open for a secret that was
// set elsewhere meanwhile closes.
func (f *secretField) refresh(s presenter.SecretState) {
	if !f.state.Usable() && s.Usable() && f.entry.Text == "" {
		f.open, f.wrong = false, ""
	}
	f.state = s
	f.show()
}

func (f *secretField) show() {
	locked := f.busy != ""
	writable := f.state != presenter.SecretFromEnvironment
	editing := writable && (f.open || f.vacant() || f.wrong != "" || f.entry.Text != "")
	if cv := f.w.win.Canvas(); !editing && cv.Focused() == fyne.Focusable(f.entry) {
		cv.Unfocus() // or keys would be typed unseen
	}
	f.editing.Hidden = !editing
	f.reading.Hidden = editing && f.state == presenter.SecretMissing
	f.change.Hidden = !writable || editing || f.bare && f.state.Shut() // there may be nothing to replace
	f.remove.Hidden = !f.state.Kept() || editing
	f.again.Hidden = f.state.Cure() == "" // which may name it
	f.cancel.Hidden = f.vacant() && f.entry.Text == ""
	enable(f.entry, !locked)
	enable(f.store, !locked && f.entry.Text != "" && f.doubt() == "")
	enable(f.cancel, !locked)
	enable(f.remove, !locked)
	enable(f.change, !locked)
	f.dot.set(f.state.Tone())
	f.words.setColored(f.state.String(), toneWord(f.state.Tone()))
	f.setNote()
	f.content.Refresh()
}

// vacant tells whether there is nothing to be replaced, so that the entry is always open.
func (f *secretField) vacant() bool {
	return f.state == presenter.SecretMissing || f.state == presenter.SecretNoService
}

func toneWord(t presenter.Tone) fyne.ThemeColorName {
	if t == presenter.ToneBad {
		return toneColor(t)
	}
	return faceText.color
}

func (f *secretField) setNote() {
	switch {
	case f.busy != "":
		f.note.set(f.busy, widget.LowImportance)
	case f.doubt() != "":
		f.note.set(f.doubt(), widget.DangerImportance)
	case f.wrong != "":
		f.note.set(f.wrong, widget.DangerImportance)
	case f.state.Cure() != "":
		f.note.set(f.state.Cure(), widget.LowImportance)
	case f.state == presenter.SecretMissing:
		f.note.set(words.T("Kept in the system's keychain, never in a file."), widget.LowImportance)
	default:
		f.note.set("", widget.LowImportance)
	}
	f.note.Hidden = f.note.text == ""
}

// doubt says why what was typed cannot be the secret, "" when it may be.
func (f *secretField) doubt() string {
	return presenter.DoubtSecret(f.name, f.entry.Text, f.w.u.settings.Gateway.Account)
}

// edit opens the entry with the cursor in it.
func (f *secretField) edit() {
	if f.state == presenter.SecretFromEnvironment {
		return
	}
	f.open = true
	f.show()
	if c := f.w.win.Canvas(); c != nil {
		c.Focus(f.entry)
	}
}

// shut closes the entry and forgets what was typed.
func (f *secretField) shut() {
	f.open, f.wrong = false, ""
	f.entry.SetText("")
	f.show()
}

// put stores what was typed. It stays in the entry when that does not work.
func (f *secretField) put() { f.keep(func(bool) {}) }

// keep stores what was typed and tells whether that worked.
func (f *secretField) keep(then func(stored bool)) {
	value := pasted.Secret(f.entry.Text)
	if value == "" || f.busy != "" || f.doubt() != "" {
		then(false)
		return
	}
	core := f.w.u.core
	f.work(words.T("Storing it in the keychain. The system may ask for your password."),
		func(ctx context.Context) error { return core.SetSecret(ctx, f.name, value) }, then)
}

// askDelete removes the secret when the user has agreed.
func (f *secretField) askDelete() {
	text := presenter.AskRemoval(f.name)
	f.w.askLoss(text.Title, words.T("Remove"), text.Text, f.delete)
}

// delete removes the secret from the keychain.
func (f *secretField) delete() {
	core := f.w.u.core
	f.work(words.T("Removing it from the keychain. The system may ask for your password."),
		func(ctx context.Context) error { return core.DeleteSecret(ctx, f.name) }, func(bool) {})
}

func (f *secretField) work(busy string, do func(context.Context) error, then func(done bool)) {
	f.busy, f.wrong = busy, ""
	f.show()
	f.w.u.run(waitLimit, do, func(err error) {
		f.busy = ""
		if err != nil {
			f.wrong = presenter.SecretFailure(err)
			f.show()
			if f.failed != nil {
				f.failed()
			}
			then(false)
			return
		}
		f.shut()
		f.recheck()
		then(true)
	})
}
