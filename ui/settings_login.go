package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"apex-ai-proxy/ui/presenter"
	"apex-ai-proxy/ui/words"
)

// loginField says whether the system starts the program at login, and changes that at
// once: the system's own entry is the setting.
type loginField struct {
	w       *window
	check   *check
	note    *paragraph
	content fyne.CanvasObject
}

func newLoginField(w *window) *loginField {
	f := &loginField{w: w, note: newParagraph("").note()}
	f.check = newCheck(words.T("Launch at login"), func(on bool) {
		if on != (w.u.login == presenter.LoginOn) {
			w.u.setLogin(on)
		}
	})
	f.content = padded(0, 0, labelWidth-gapTight+1, 0, stack(0, f.check, padded(0, 0, gapMargin, 0, f.note)))
	f.refresh()
	return f
}

func (f *loginField) refresh() {
	state := f.w.u.login
	enable(f.check, state.Changeable())
	if on := state == presenter.LoginOn; f.check.Checked != on {
		f.check.SetChecked(on)
	}
	note := state.Note()
	f.note.set(note, widget.LowImportance)
	f.note.Hidden = note == ""
}
