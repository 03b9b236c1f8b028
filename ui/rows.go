package ui

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"apex-ai-proxy/ui/presenter"
)

// rows is the list of exchanges. Up and Down select, Escape selects nothing,
// a space pauses, and a copy is a cURL command.
type rows struct {
	list
	log      *presenter.Log
	unselect func()
	pause    func()
	copy     func()
	pass     func(fyne.Shortcut)
	resized  func(height, offset float32) // called with what they were before; may be nil
}

func newRows(log *presenter.Log, selected func(widget.ListItemID), unselect func()) *rows {
	r := &rows{log: log, unselect: unselect}
	r.Length = log.Len
	r.CreateItem = func() fyne.CanvasObject { return newRow() }
	r.UpdateItem = func(i widget.ListItemID, o fyne.CanvasObject) {
		if i < log.Len() {
			o.(*row).set(log.Row(i, time.Now()))
		}
	}
	r.OnSelected = selected
	r.HideSeparators = true
	r.ExtendBaseWidget(r)
	return r
}

// Resize implements fyne.CanvasObject.
func (r *rows) Resize(s fyne.Size) {
	height, offset := r.Size().Height, r.GetScrollOffset()
	r.list.Resize(s)
	if r.resized != nil && height != s.Height {
		r.resized(height, offset)
	}
}

// TypedRune implements fyne.Focusable: a space pauses the list, or lets it go on.
func (r *rows) TypedRune(c rune) {
	if c == ' ' {
		r.pause()
	}
}

// TypedShortcut implements fyne.Shortcutable: a copy is that of the selected request, the
// rest is the window's, which gets nothing while the list has the focus.
func (r *rows) TypedShortcut(s fyne.Shortcut) {
	switch s.(type) {
	case *fyne.ShortcutCopy:
		r.copy()
	case *desktop.CustomShortcut:
		r.pass(s)
	}
}

// TypedKey implements fyne.Focusable.
func (r *rows) TypedKey(e *fyne.KeyEvent) {
	at := r.log.Selected()
	switch e.Name {
	case fyne.KeyUp:
		if at < 0 {
			at = r.log.Len()
		}
		r.Select(at - 1)
	case fyne.KeyDown:
		r.Select(at + 1)
	case fyne.KeyHome:
		r.Select(0)
	case fyne.KeyEnd:
		r.Select(r.log.Len() - 1)
	case fyne.KeyEscape:
		r.unselect()
	}
}
