package ui

import (
	"context"
	"time"

	"fyne.io/fyne/v2/widget"

	"apex-ai-proxy/ui/presenter"
	"apex-ai-proxy/ui/words"
)

const (
	quitLimit    = time.Minute // for requests that run when the user quits; presenter.Quitting tells of it
	quitPause    = 500 * time.Millisecond
	sessionLimit = 3 * time.Second // for those that run when the session ends; Windows gives five in all
)

// quitDialog says what the program waits for.
type quitDialog struct {
	box  *box
	text *paragraph
	note *paragraph // what quitting now does to it
}

// quit ends the program, as soon as the user has said what becomes of edits that are not
// saved. A second call, once that is clear, does not wait for requests.
func (u *UI) quit() {
	switch {
	case u.quitting:
		u.opts.Quit()
	case u.window == nil || !u.window.askUnsaved():
		u.end()
	}
}

// end stops the proxy, which gives running requests time, and then ends the program.
func (u *UI) end() {
	u.quitting = true
	u.ending.Store(true)
	if u.window != nil {
		u.window.remember()
	}
	u.run(quitLimit, u.core.Stop, func(error) { u.opts.Quit() })
	u.awaitEnd()
}

// sessionEnds is called on Fyne's goroutine when the system is about to end the program, and
// waits until it has returned: for requests that end soon, and for the others to be told.
func (u *UI) sessionEnds() {
	u.quitting = true
	u.ending.Store(true)
	if u.window != nil {
		u.window.remember()
	}
	ctx, cancel := context.WithTimeout(u.ctx, sessionLimit)
	defer cancel()
	_ = u.core.Stop(ctx) // that some were cut is nothing that anybody could still be told
}

// awaitEnd shows what the program waits for. The window goes as soon as that is nothing.
func (u *UI) awaitEnd() {
	u.rest()
	h := u.headline()
	u.tray.refresh()
	switch {
	case u.window == nil:
	case u.core.Active() == 0:
		u.window.hide()
	case u.seen():
		u.window.sayQuitting(h)
	}
	u.after(quitPause, u.awaitEnd)
}

// sayQuitting says it in a box, which only quitting at once can cut short: there is no way
// back, because new connections are refused from the start.
func (w *window) sayQuitting(h presenter.Headline) {
	if w.ending == nil {
		now := newButton(words.T("Quit now"), w.u.quit)
		w.ending = &quitDialog{text: newParagraph(h.Text), note: newParagraph(h.Detail).note()}
		content := stack(gap, w.ending.text, w.ending.note)
		w.ending.box = w.newBox(w.u.opts.Name, content, answers(nil, now), nil)
		w.ending.box.show(boxWidth, 0, now)
	}
	w.ending.text.set(h.Text, widget.MediumImportance)
	w.ending.note.set(h.Detail, widget.LowImportance)
}

// Ending tells whether the program is quitting. It may be called from any goroutine.
func (u *UI) Ending() bool { return u.ending.Load() }

// Leave ends the program without waiting for requests or asking anything. It may be called
// from any goroutine while the application runs, and before.
func (u *UI) Leave() {
	u.Unpark()
	u.opts.Do(u.opts.Quit)
}

// Unpark has Fyne's event loop run as usual, because it is about to end. It may be called
// from any goroutine.
func (u *UI) Unpark() {
	u.ending.Store(true)
	u.parking.set(false)
}
