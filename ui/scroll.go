package ui

import (
	"math"
	"runtime"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"
)

// notch is how far Fyne moves for one notch of a wheel, in pixels of the canvas, except on
// a Mac, where the system's own distances come through.
const notch = 25

// wheelFactor makes a notch go about as far as in other programs of the system, which is
// three lines.
func wheelFactor() float32 {
	if runtime.GOOS == "darwin" {
		return 1
	}
	return 3
}

// faster is a turn of the wheel that goes as far as in other programs.
func faster(e *fyne.ScrollEvent) *fyne.ScrollEvent {
	further, n := *e, wheelFactor()
	further.Scrolled = fyne.NewDelta(e.Scrolled.DX*n, e.Scrolled.DY*n)
	return &further
}

// scroll is a page that scrolls downwards, without the shadows that Fyne casts on it. It
// takes the wheel wherever the pointer is: Fyne's text fields would keep it to themselves.
type scroll struct {
	container.Scroll
	sideways fyne.Scrollable   // takes the wheel when it goes sideways; may be nil
	brought  fyne.CanvasObject // into sight last
}

func newScroll(o fyne.CanvasObject) *scroll {
	s := &scroll{}
	s.Content, s.Direction = o, container.ScrollVerticalOnly
	s.ExtendBaseWidget(s)
	return s
}

// Scrolled implements fyne.Scrollable.
func (s *scroll) Scrolled(e *fyne.ScrollEvent) { s.Scroll.Scrolled(faster(e)) }

// CreateRenderer implements fyne.Widget.
func (s *scroll) CreateRenderer() fyne.WidgetRenderer {
	return &flatRenderer{WidgetRenderer: s.Scroll.CreateRenderer(), wheel: newWheel(s.Size(), s.turned)}
}

func (s *scroll) turned(e *fyne.ScrollEvent) {
	if e.Scrolled.DY == 0 && s.sideways != nil {
		s.sideways.Scrolled(faster(e))
		return
	}
	s.Scrolled(e)
}

// sightMargin is what is seen above and below of what was brought into sight: the name of a
// field, or the note below it.
const sightMargin = 3 * gapWide

// bring scrolls as far as is needed to see an object. It does so once: the focus comes back
// to the same object with the window and after a dialog, when the user may have scrolled on.
func (s *scroll) bring(o fyne.CanvasObject) {
	if s.brought == o {
		return
	}
	s.brought = o
	driver := fyne.CurrentApp().Driver()
	top := driver.AbsolutePositionForObject(o).Y - driver.AbsolutePositionForObject(s.Content).Y - sightMargin
	bottom := top + o.Size().Height + 2*sightMargin
	to := s.Offset.Y
	switch {
	case top < to:
		to = top
	case bottom > to+s.Size().Height:
		to = min(top, bottom-s.Size().Height)
	}
	s.ScrollToOffset(fyne.NewPos(0, max(0, min(to, s.Content.Size().Height-s.Size().Height))))
}

// flatRenderer leaves out the shadows of what scrolls: everything but the content, which
// comes first, and the bars, which take the pointer.
type flatRenderer struct {
	fyne.WidgetRenderer
	wheel   *wheel // on top; nil for none
	objects []fyne.CanvasObject
}

// Layout implements fyne.WidgetRenderer.
func (r *flatRenderer) Layout(s fyne.Size) {
	r.WidgetRenderer.Layout(s)
	if r.wheel != nil {
		r.wheel.Resize(s)
	}
}

// Objects implements fyne.WidgetRenderer.
func (r *flatRenderer) Objects() []fyne.CanvasObject {
	r.objects = r.objects[:0]
	for i, o := range r.WidgetRenderer.Objects() {
		if _, bar := o.(desktop.Hoverable); bar || i == 0 {
			r.objects = append(r.objects, o)
		}
	}
	if r.wheel != nil {
		r.objects = append(r.objects, r.wheel)
	}
	return r.objects
}

// list is a List whose wheel goes as far as that of a scroll.
type list struct {
	widget.List
	snap  float32 // a notch ends at a multiple of this; 0 for anywhere
	moved func()  // called when the list has scrolled; nil for nothing
}

// CreateRenderer implements fyne.Widget.
func (l *list) CreateRenderer() fyne.WidgetRenderer {
	r := &wheelRenderer{WidgetRenderer: l.List.CreateRenderer()}
	for _, o := range r.WidgetRenderer.Objects() {
		s, ok := o.(*container.Scroll)
		if !ok {
			continue
		}
		r.wheel = newWheel(l.Size(), func(e *fyne.ScrollEvent) { l.turned(s, e) })
		r.objects = []fyne.CanvasObject{s, r.wheel}
		update := s.OnScrolled
		s.OnScrolled = func(p fyne.Position) {
			update(p)
			if l.moved != nil {
				l.moved()
			}
		}
	}
	return r
}

// wheelRenderer is that of a widget below what takes the wheel.
type wheelRenderer struct {
	fyne.WidgetRenderer
	wheel   *wheel
	objects []fyne.CanvasObject
}

// Objects implements fyne.WidgetRenderer.
func (r *wheelRenderer) Objects() []fyne.CanvasObject { return r.objects }

// Layout implements fyne.WidgetRenderer.
func (r *wheelRenderer) Layout(s fyne.Size) {
	r.WidgetRenderer.Layout(s)
	r.wheel.Resize(s)
}

// turned moves a list. What is finer than a notch comes from a touchpad, which is followed
// exactly.
func (l *list) turned(s *container.Scroll, e *fyne.ScrollEvent) {
	further := faster(e)
	if l.snap > 0 && e.Scrolled.DY != 0 && math.Mod(float64(e.Scrolled.DY), notch) == 0 {
		to := s.Offset.Y - further.Scrolled.DY
		further.Scrolled.DY = s.Offset.Y - float32(math.Round(float64(to/l.snap)))*l.snap
	}
	s.Scrolled(further)
}

// wheel takes the wheel, and nothing else, of what lies below it.
type wheel struct {
	widget.BaseWidget
	turned func(*fyne.ScrollEvent)
}

// newWheel makes one for a widget of this size: Fyne, which forgets how widgets are drawn that
// were not seen for a minute, lays out again only what changes its size.
func newWheel(size fyne.Size, turned func(*fyne.ScrollEvent)) *wheel {
	w := &wheel{turned: turned}
	w.ExtendBaseWidget(w)
	w.Resize(size)
	return w
}

// CreateRenderer implements fyne.Widget.
func (w *wheel) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(container.NewWithoutLayout())
}

// Scrolled implements fyne.Scrollable.
func (w *wheel) Scrolled(e *fyne.ScrollEvent) { w.turned(e) }
