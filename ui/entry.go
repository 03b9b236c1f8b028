package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"
)

// entry is a text field that passes shortcuts it has no use for on to the window, that
// leaves the field on Escape, and on Tab also where it has several lines.
type entry struct {
	widget.Entry
	pass    func(fyne.Shortcut)
	escaped func() // nil when Escape does nothing
}

func newEntry(w *window) *entry {
	e := &entry{pass: w.pass}
	e.ExtendBaseWidget(e)
	return e
}

// AcceptsTab implements fyne.Tabbable. Nobody types a tab into JSON, but everybody leaves a
// field of a dialog that way.
func (e *entry) AcceptsTab() bool { return false }

// TypedShortcut implements fyne.Shortcutable.
func (e *entry) TypedShortcut(s fyne.Shortcut) {
	if c, ok := s.(*desktop.CustomShortcut); ok {
		e.pass(c)
	}
	e.Entry.TypedShortcut(s)
}

// TypedKey implements fyne.Focusable.
func (e *entry) TypedKey(k *fyne.KeyEvent) {
	if k.Name == fyne.KeyEscape && e.escaped != nil {
		e.escaped()
		return
	}
	e.Entry.TypedKey(k)
}
