package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/widget"

	"apex-ai-proxy/ui/words"
)

// The largest that a dialog with files becomes.
const (
	filesWidth  = 900
	filesHeight = 640
)

// showFiles shows a dialog with files as large as the window allows, and lets Escape close it.
func (w *window) showFiles(d *dialog.FileDialog, title string) {
	d.SetTitleText(title)
	d.Show()
	room := w.win.Canvas().Size()
	d.Resize(fyne.NewSize(min(room.Width-2*gapBlock, filesWidth), min(room.Height-2*gapBlock, filesHeight)))
	w.file = d
	w.filed = overlaid(w.win.Canvas().Overlays().Top())
	d.SetOnClosed(func() { w.file, w.filed = nil, nil })
	if p, ok := overlaid(w.win.Canvas().Overlays().Top()).(*widget.PopUp); ok {
		w.adapt(p.Content)
	}
}

// adapt puts a field of the window's own in the place of the one for a file's name, which
// would keep Escape to itself, and has places named in the user's language.
func (w *window) adapt(o fyne.CanvasObject) {
	switch o := o.(type) {
	case *fyne.Container:
		for _, below := range o.Objects {
			w.adapt(below)
		}
	case *container.Split:
		w.adapt(o.Leading)
	case *widget.List:
		wordPlaces(o)
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

// refuse gives the harmless answer to a question of Fyne's own above the dialog with files,
// such as whether to overwrite one, and tells whether there was one. It takes no key itself.
func (w *window) refuse() bool {
	top := overlaid(w.win.Canvas().Overlays().Top())
	if p, ok := top.(*widget.PopUp); ok && w.file != nil && top != w.filed {
		if no := firstButton(p.Content); no != nil {
			no.Tapped(nil)
			return true
		}
	}
	return false
}

// firstButton is the first button in an object, nil for none. With Fyne that is "No".
func firstButton(o fyne.CanvasObject) *widget.Button {
	if b, ok := o.(*widget.Button); ok {
		return b
	}
	for _, below := range parts(o) {
		if b := firstButton(below); b != nil {
			return b
		}
	}
	return nil
}

// wordPlaces names the places of a list, such as the home folder, in the language of the
// program: Fyne names them in English.
func wordPlaces(l *widget.List) {
	update := l.UpdateItem
	l.UpdateItem = func(id widget.ListItemID, item fyne.CanvasObject) {
		update(id, item)
		row, ok := item.(*fyne.Container)
		if !ok {
			return
		}
		for _, o := range row.Objects {
			if name, ok := o.(*widget.Label); ok {
				name.SetText(words.Of(name.Text))
			}
		}
	}
	l.Refresh()
}
