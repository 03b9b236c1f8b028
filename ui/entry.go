package ui

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"
)

// entry is a text field that comes into sight when Tab reaches it, that passes shortcuts it
// has no use for on to the window, and that Tab leaves also where it has several lines.
type entry struct {
	widget.Entry
	pass    func(fyne.Shortcut)
	escaped func()      // called on Escape; nil when that is for the window
	down    func() bool // takes the key Down when it returns true; may be nil
	left    func()      // called when the cursor leaves; may be nil
	held    bool        // the cursor is in it
	pressed bool        // a button of the mouse is going down in it
	keyless bool        // no key was pressed in it since the cursor came
}

func newEntry(w *window) *entry {
	e := &entry{pass: w.pass}
	e.ExtendBaseWidget(e)
	return e
}

// AcceptsTab implements fyne.Tabbable. Nobody types a tab into JSON, but everybody leaves a
// field of a dialog that way.
func (e *entry) AcceptsTab() bool { return false }

// CreateRenderer implements fyne.Widget: the wheel goes as far in a text of several lines as
// elsewhere.
func (e *entry) CreateRenderer() fyne.WidgetRenderer {
	r := e.Entry.CreateRenderer()
	if !e.MultiLine {
		return r
	}
	for _, o := range r.Objects() {
		if s, ok := o.(*container.Scroll); ok {
			turn := newWheel(e.Size(), func(t *fyne.ScrollEvent) { s.Scrolled(faster(t)) })
			return &wheelRenderer{WidgetRenderer: r, wheel: turn, objects: append(slices.Clone(r.Objects()), turn)}
		}
	}
	return r
}

// FocusGained implements fyne.Focusable: the field comes into sight, unless it is in sight
// of the mouse already and would move away below it.
func (e *entry) FocusGained() {
	e.Entry.FocusGained()
	e.held, e.keyless = true, true
	if !e.pressed {
		bringIntoSight(e)
	}
}

// FocusLost implements fyne.Focusable.
func (e *entry) FocusLost() {
	e.Entry.FocusLost()
	e.held = false
	if e.left != nil {
		e.left()
	}
}

// TypedRune implements fyne.Focusable. The space of the key that pressed a button, which put
// the cursor here, is none of the text.
func (e *entry) TypedRune(r rune) {
	stray := e.keyless && r == ' '
	e.keyless = false
	if !stray {
		e.Entry.TypedRune(r)
	}
}

// MouseDown implements desktop.Mouseable.
func (e *entry) MouseDown(m *desktop.MouseEvent) {
	e.pressed = true
	e.Entry.MouseDown(m)
	e.pressed = false
}

// TypedShortcut implements fyne.Shortcutable.
func (e *entry) TypedShortcut(s fyne.Shortcut) {
	if c, ok := s.(*desktop.CustomShortcut); ok {
		e.pass(c)
	}
	e.Entry.TypedShortcut(s)
}

// TypedKey implements fyne.Focusable.
func (e *entry) TypedKey(k *fyne.KeyEvent) {
	e.keyless = false
	if k.Name == fyne.KeyEscape {
		if e.escaped == nil {
			passEscape(e, k)
			return
		}
		e.escaped()
		return
	}
	if k.Name == fyne.KeyDown && e.down != nil && e.down() {
		return
	}
	e.Entry.TypedKey(k)
}
