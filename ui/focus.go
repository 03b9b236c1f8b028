package ui

import (
	"reflect"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"
)

// button is a Button that comes into sight when Tab reaches it, and passes on the keys of
// the window.
type button struct{ widget.Button }

func newButton(text string, tapped func()) *button { return newIconButton(text, nil, tapped) }

func newIconButton(text string, icon fyne.Resource, tapped func()) *button {
	b := &button{}
	b.Text, b.Icon, b.OnTapped = text, icon, tapped
	b.ExtendBaseWidget(b)
	return b
}

// FocusGained implements fyne.Focusable.
func (b *button) FocusGained() {
	b.Button.FocusGained()
	bringIntoSight(b)
}

// TypedKey implements fyne.Focusable.
func (b *button) TypedKey(k *fyne.KeyEvent) {
	switch {
	case passKey(b, k):
	case (k.Name == fyne.KeyReturn || k.Name == fyne.KeyEnter) && overPage(b):
		b.Tapped(nil) // as a question is answered everywhere
	default:
		b.Button.TypedKey(k)
	}
}

// overPage tells whether something is above the page on the window that o is in.
func overPage(o fyne.CanvasObject) bool {
	c := fyne.CurrentApp().Driver().CanvasForObject(o)
	return c != nil && c.Overlays().Top() != nil
}

// check is a Check that comes into sight when Tab reaches it, and passes on the keys of
// the window.
type check struct{ widget.Check }

func newCheck(text string, changed func(bool)) *check {
	c := &check{}
	c.Text, c.OnChanged = text, changed
	c.ExtendBaseWidget(c)
	return c
}

// FocusGained implements fyne.Focusable.
func (c *check) FocusGained() {
	c.Check.FocusGained()
	bringIntoSight(c)
}

// TypedKey implements fyne.Focusable.
func (c *check) TypedKey(k *fyne.KeyEvent) {
	if !passKey(c, k) {
		c.Check.TypedKey(k)
	}
}

// selection is a Select that comes into sight when Tab reaches it, and passes Escape on.
type selection struct{ widget.Select }

func newSelection(options []string, changed func(string)) *selection {
	s := &selection{}
	s.Options, s.OnChanged = options, changed
	s.ExtendBaseWidget(s)
	return s
}

// FocusGained implements fyne.Focusable.
func (s *selection) FocusGained() {
	s.Select.FocusGained()
	bringIntoSight(s)
}

// TypedKey implements fyne.Focusable.
func (s *selection) TypedKey(k *fyne.KeyEvent) {
	if k.Name == fyne.KeyEscape {
		passEscape(s, k)
		return
	}
	s.Select.TypedKey(k)
}

// bringIntoSight scrolls the page that o is on as far as is needed to see o.
func bringIntoSight(o fyne.CanvasObject) {
	c := fyne.CurrentApp().Driver().CanvasForObject(o)
	if c == nil {
		return
	}
	root := c.Content()
	if top := c.Overlays().Top(); top != nil {
		root = overlaid(top)
	}
	if s, found := scrollOf(root, o); found && s != nil {
		s.bring(o)
	}
}

// overlaid is what an overlay shows. Fyne wraps it in a type that has no name elsewhere.
func overlaid(overlay fyne.CanvasObject) fyne.CanvasObject {
	if v := reflect.Indirect(reflect.ValueOf(overlay)); v.Kind() == reflect.Struct {
		if content := v.FieldByName("Content"); content.IsValid() && content.CanInterface() {
			if o, ok := content.Interface().(fyne.CanvasObject); ok {
				return o
			}
		}
	}
	return overlay
}

// scrollOf is the innermost page that scrolls with o on it, nil for none, and whether o is
// below root at all.
func scrollOf(root, o fyne.CanvasObject) (*scroll, bool) {
	if root == o {
		return nil, true
	}
	for _, below := range parts(root) {
		if s, found := scrollOf(below, o); found {
			if own, ok := root.(*scroll); ok && s == nil {
				s = own
			}
			return s, true
		}
	}
	return nil, false
}

// parts is what an object is made of, as far as it can hold what takes the focus.
func parts(o fyne.CanvasObject) []fyne.CanvasObject {
	switch o := o.(type) {
	case *fyne.Container:
		return o.Objects
	case *scroll:
		return []fyne.CanvasObject{o.Content}
	case *container.Split:
		return []fyne.CanvasObject{o.Leading, o.Trailing}
	case *container.ThemeOverride:
		return []fyne.CanvasObject{o.Content}
	case *widget.PopUp:
		return []fyne.CanvasObject{o.Content}
	case *entry:
		if o.ActionItem != nil {
			return []fyne.CanvasObject{o.ActionItem}
		}
	}
	return nil
}
