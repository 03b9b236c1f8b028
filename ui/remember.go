package ui

import (
	"time"

	"fyne.io/fyne/v2"
)

// What is remembered between two runs, apart from the settings: it is of no use to anybody
// but the window.
const (
	keyWidth    = "window.width"
	keyHeight   = "window.height"
	keyPage     = "window.page"
	keySplit    = "requests.split"
	keyTrayless = "told.no_tray"
)

// The smallest size that the window comes back with.
const (
	leastWidth  = 640
	leastHeight = 420
)

// rememberAfter is how long after a change the window is remembered.
const rememberAfter = 500 * time.Millisecond

// note remembers the window soon. To do so when the program ends would be too late: a
// signal ends Fyne's loop with whatever waits to be done on it.
func (w *window) note() {
	if w.noted || !w.visible {
		return
	}
	w.noted = true
	w.u.after(rememberAfter, func() {
		w.noted = false
		if w.visible {
			w.remember()
		}
	})
}

// notedLayout is a besideLayout that tells when it is laid out, as it is with each size of
// the window.
type notedLayout struct {
	besideLayout
	note func()
}

// Layout implements fyne.Layout.
func (l notedLayout) Layout(o []fyne.CanvasObject, s fyne.Size) {
	l.besideLayout.Layout(o, s)
	l.note()
}

// remember keeps the window's size and page, and how pages are divided.
func (w *window) remember() {
	p, s := w.u.app.Preferences(), w.win.Canvas().Size()
	p.SetFloat(keyWidth, float64(s.Width))
	p.SetFloat(keyHeight, float64(s.Height))
	p.SetInt(keyPage, w.current)
	p.SetFloat(keySplit, w.requests.split.Offset)
}

// recall gives the window the size and page that were remembered.
func (w *window) recall() {
	p := w.u.app.Preferences()
	w.win.Resize(fyne.NewSize(
		max(leastWidth, float32(p.FloatWithFallback(keyWidth, windowWidth))),
		max(leastHeight, float32(p.FloatWithFallback(keyHeight, windowHeight)))))
	if page := p.Int(keyPage); page >= 0 && page < len(w.pages) {
		w.turn(page)
	}
}
