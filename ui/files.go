package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/widget"
)

// The largest that a dialog with files becomes.
const (
	filesWidth  = 900
	filesHeight = 640
)

// showFiles shows a dialog with files as large as the window allows, and lets Escape close it.
func (w *window) showFiles(d *dialog.FileDialog) {
	d.Show()
	room := w.win.Canvas().Size()
	d.Resize(fyne.NewSize(min(room.Width-2*gapBlock, filesWidth), min(room.Height-2*gapBlock, filesHeight)))
	w.file = d
	d.SetOnClosed(func() { w.file = nil })
	if p, ok := overlaid(w.win.Canvas().Overlays().Top()).(*widget.PopUp); ok {
		w.takeName(p.Content)
	}
}

// takeName puts a field of the window's own in the place of the one for a file's name, which
// would keep Escape to itself.
func (w *window) takeName(o fyne.CanvasObject) {
	switch o := o.(type) {
	case *fyne.Container:
		for _, below := range o.Objects {
			w.takeName(below)
		}
	case *container.Scroll:
		name, ok := o.Content.(*widget.Entry)
		if !ok {
			return
		}
		e, told := newEntry(w), name.OnChanged
		e.PlaceHolder, e.OnSubmitted = name.PlaceHolder, name.OnSubmitted
		e.SetText(name.Text)
		e.OnChanged = func(s string) {
			if s != name.Text {
				name.SetText(s)
			}
		}
		name.OnChanged = func(s string) {
			told(s)
			setText(e, s)
		}
		o.Content = e
		o.Refresh()
		w.win.Canvas().Focus(e)
	}
}
