package ui

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"apex-ai-proxy/ui/presenter"
	"apex-ai-proxy/ui/words"
)

// rows is the list of exchanges. Its keys are those of the method keys; a copy is a cURL command.
type rows struct {
	list
	log     *presenter.Log
	escape  func()
	enter   func()
	turn    func(by int)
	pause   func()
	copy    func()
	pass    func(fyne.Shortcut)
	resized func(height, offset float32) // called with what they were before; may be nil
	focused bool
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

// TypedRune implements fyne.Focusable. A space comes as a key as well, and counts once.
func (r *rows) TypedRune(c rune) {
	if c == ' ' {
		r.strike(fyne.KeySpace)
	}
}

// TypedShortcut implements fyne.Shortcutable: a copy is that of the marked request, the
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
	if e.Name != fyne.KeySpace {
		r.strike(e.Name)
	}
}

func (r *rows) strike(key fyne.KeyName) {
	for _, k := range r.keys() {
		if k.key == key {
			k.do()
			return
		}
	}
}

// rowKey is a key of the list.
type rowKey struct {
	key  fyne.KeyName
	does string
	do   func()
}

// keys are the keys of the list, as they are bound and as they are told.
func (r *rows) keys() []rowKey {
	page := max(int(r.Size().Height/rowHeight)-1, 1)
	step := func(by int) func() { return func() { r.step(by) } }
	other, leaf, end := words.T("Select another request"), words.T("Select one a page further"), words.T("Select the first or last")
	tabs, enter := words.T("Turn the tabs of its details"), words.T("Go on to its details")
	return []rowKey{
		{fyne.KeyUp, other, step(-1)},
		{fyne.KeyDown, other, step(1)},
		{fyne.KeyPageUp, leaf, step(-page)},
		{fyne.KeyPageDown, leaf, step(page)},
		{fyne.KeyHome, end, step(-r.log.Len())},
		{fyne.KeyEnd, end, step(r.log.Len())},
		{fyne.KeyReturn, enter, r.enter},
		{fyne.KeyEnter, enter, r.enter},
		{fyne.KeyLeft, tabs, func() { r.turn(-1) }},
		{fyne.KeyRight, tabs, func() { r.turn(1) }},
		{fyne.KeyEscape, words.T("Go back to the list"), r.escape},
		{fyne.KeySpace, words.T("Pause the list, or go on"), r.pause},
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
