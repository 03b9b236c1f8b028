package ui

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"apex-ai-proxy/ui/presenter"
)

// rows is the list of exchanges. Up and Down, a page, Home and End select; Enter goes on to what
// is known about the selected one, Left and Right turn its tabs, Escape goes back; a space
// pauses, and a copy is a cURL command.
type rows struct {
	list
	log      *presenter.Log
	unselect func()
	enter    func()
	turn     func(by int)
	pause    func()
	copy     func()
	pass     func(fyne.Shortcut)
	resized  func(height, offset float32) // called with what they were before; may be nil
	focused  bool
}

func newRows(log *presenter.Log, selected func(widget.ListItemID)) *rows {
	r := &rows{log: log}
	r.Length = log.Len
	r.CreateItem = func() fyne.CanvasObject { return newRow() }
	r.UpdateItem = func(i widget.ListItemID, o fyne.CanvasObject) {
		if i < log.Len() {
			o.(*row).set(log.Row(i, time.Now()), r.focused && i == r.cursor())
		}
	}
	r.OnSelected = selected
	r.HideSeparators = true
	r.ExtendBaseWidget(r)
	return r
}

// Resize implements fyne.CanvasObject. Behind the inspector, where there is no room for it, the
// list stays as it is.
func (r *rows) Resize(s fyne.Size) {
	if s.Height <= 0 {
		return
	}
	height, offset := r.Size().Height, r.GetScrollOffset()
	r.list.Resize(s)
	if r.resized != nil && height != s.Height {
		r.resized(height, offset)
	}
}

// cursor is the row that the keys start from: the selected one, or else the one that was selected
// last, or else the newest.
func (r *rows) cursor() int {
	if at := r.log.Last(); at >= 0 {
		return at
	}
	return r.log.Len() - 1
}

// FocusGained implements fyne.Focusable. Fyne would mark a row of its own, which is another one as
// soon as rows come and go.
func (r *rows) FocusGained() { r.focus(true) }

// FocusLost implements fyne.Focusable.
func (r *rows) FocusLost() { r.focus(false) }

func (r *rows) focus(on bool) {
	r.focused = on
	r.Refresh()
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
	page := max(int(r.Size().Height/rowHeight)-1, 1)
	switch e.Name {
	case fyne.KeyUp:
		r.step(-1)
	case fyne.KeyDown:
		r.step(1)
	case fyne.KeyPageUp:
		r.step(-page)
	case fyne.KeyPageDown:
		r.step(page)
	case fyne.KeyHome:
		r.step(-r.log.Len())
	case fyne.KeyEnd:
		r.step(r.log.Len())
	case fyne.KeyLeft:
		r.turn(-1)
	case fyne.KeyRight:
		r.turn(1)
	case fyne.KeyReturn, fyne.KeyEnter:
		r.enter()
	case fyne.KeyEscape:
		r.unselect()
	}
}

// step selects a row so many further than the cursor, and no further than there are rows. Where
// no row was selected before, it is the newest one that is selected first.
func (r *rows) step(by int) {
	if n := r.log.Len(); n > 0 {
		to := r.cursor()
		if r.log.Last() >= 0 || by == -n {
			to += by
		}
		r.Select(min(max(to, 0), n-1))
	}
}
