package ui

import (
	"fyne.io/fyne/v2"
)

// What is remembered between two runs, apart from the settings: it is of no use to anybody
// but the window.
const (
	keyWidth    = "window.width"
	keyHeight   = "window.height"
	keyPage     = "window.page"
	keyTrayless = "told.no_tray"
)

// The smallest size that the window comes back with.
const (
	leastWidth  = 640
	leastHeight = 420
)

// remember keeps the window's size and page.
func (w *window) remember() {
	p, s := w.u.app.Preferences(), w.win.Canvas().Size()
	p.SetFloat(keyWidth, float64(s.Width))
	p.SetFloat(keyHeight, float64(s.Height))
	p.SetInt(keyPage, w.current)
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
