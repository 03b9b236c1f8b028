package ui

import (
	"image/color"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"apex-ai-proxy/ui/presenter"
	"apex-ai-proxy/ui/words"
)

// stack puts objects below each other with one gap.
func stack(gap float32, objects ...fyne.CanvasObject) *fyne.Container {
	return container.New(layout.NewCustomPaddedVBoxLayout(gap), objects...)
}

// inRow puts objects beside each other with one gap, each centred in height.
func inRow(gap float32, objects ...fyne.CanvasObject) *fyne.Container {
	for i, o := range objects {
		if _, ok := o.(*line); ok {
			objects[i] = middle(o)
		}
	}
	return container.New(layout.NewCustomPaddedHBoxLayout(gap), objects...)
}

// middle centres an object in height and gives it the whole width.
func middle(o fyne.CanvasObject) *fyne.Container {
	return container.New(middleLayout{}, o)
}

type middleLayout struct{}

// Layout implements fyne.Layout.
func (middleLayout) Layout(objects []fyne.CanvasObject, s fyne.Size) {
	for _, o := range objects {
		h := o.MinSize().Height
		o.Resize(fyne.NewSize(s.Width, h))
		o.Move(fyne.NewPos(0, (s.Height-h)/2))
	}
}

// MinSize implements fyne.Layout.
func (middleLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	s := fyne.Size{}
	for _, o := range objects {
		s = s.Max(o.MinSize())
	}
	return s
}

// padded puts space around an object.
func padded(top, bottom, left, right float32, o fyne.CanvasObject) *fyne.Container {
	return container.New(layout.NewCustomPaddedLayout(top, bottom, left, right), o)
}

// limited gives its object at most a width, so that lines stay readable in a wide window.
func limited(width float32, o fyne.CanvasObject) *fyne.Container {
	return container.New(limitLayout(width), o)
}

type limitLayout float32

// Layout implements fyne.Layout.
func (l limitLayout) Layout(objects []fyne.CanvasObject, s fyne.Size) {
	for _, o := range objects {
		o.Move(fyne.NewPos(0, 0))
		o.Resize(fyne.NewSize(min(s.Width, float32(l)), s.Height))
	}
}

// MinSize implements fyne.Layout.
func (limitLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	s := fyne.Size{}
	for _, o := range objects {
		s = s.Max(o.MinSize())
	}
	return s
}

// besideLayout gives the first object its width and the second all the rest, without the
// gap that other layouts leave.
type besideLayout struct{}

// Layout implements fyne.Layout.
func (besideLayout) Layout(o []fyne.CanvasObject, s fyne.Size) {
	w := o[0].MinSize().Width
	o[0].Move(fyne.NewPos(0, 0))
	o[0].Resize(fyne.NewSize(w, s.Height))
	o[1].Move(fyne.NewPos(w, 0))
	o[1].Resize(fyne.NewSize(s.Width-w, s.Height))
}

// MinSize implements fyne.Layout.
func (besideLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	a, b := o[0].MinSize(), o[1].MinSize()
	return fyne.NewSize(a.Width+b.Width, max(a.Height, b.Height))
}

// footLayout gives the second object its height at the foot and the first all the rest.
type footLayout struct{}

// Layout implements fyne.Layout.
func (footLayout) Layout(o []fyne.CanvasObject, s fyne.Size) {
	h := o[1].MinSize().Height
	o[0].Move(fyne.NewPos(0, 0))
	o[0].Resize(fyne.NewSize(s.Width, s.Height-h))
	o[1].Move(fyne.NewPos(0, s.Height-h))
	o[1].Resize(fyne.NewSize(s.Width, h))
}

// MinSize implements fyne.Layout.
func (footLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	a, b := o[0].MinSize(), o[1].MinSize()
	return fyne.NewSize(max(a.Width, b.Width), a.Height+b.Height)
}

// wholeLayout shows its object only where all of it has room.
type wholeLayout struct{}

// Layout implements fyne.Layout.
func (wholeLayout) Layout(o []fyne.CanvasObject, s fyne.Size) {
	for _, o := range o {
		show(o, o.MinSize().Width <= s.Width)
		o.Move(fyne.NewPos(0, 0))
		o.Resize(s)
	}
}

// MinSize implements fyne.Layout.
func (wholeLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(0, o[0].MinSize().Height)
}

// gridLayout puts objects of one height into as many columns of a least width as fit.
type gridLayout struct {
	width, height float32
	columns       int // at the last layout, 0 before the first
}

// Layout implements fyne.Layout.
func (g *gridLayout) Layout(objects []fyne.CanvasObject, s fyne.Size) {
	g.columns = max(int(s.Width/g.width), 1)
	width := s.Width / float32(g.columns)
	at := 0
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		o.Move(fyne.NewPos(float32(at%g.columns)*width, float32(at/g.columns)*g.height))
		o.Resize(fyne.NewSize(width, g.height))
		at++
	}
}

// MinSize implements fyne.Layout.
func (g *gridLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	n := 0
	for _, o := range objects {
		if o.Visible() {
			n++
		}
	}
	columns := max(g.columns, 1)
	return fyne.NewSize(g.width, float32((n+columns-1)/columns)*g.height)
}

// sized gives its object a width.
func sized(width float32, o fyne.CanvasObject) *fyne.Container {
	return container.New(widthLayout(width), o)
}

// inRows gives its object a height that is a multiple of one, so that no row is cut.
func inRows(height float32, o fyne.CanvasObject) *fyne.Container {
	return container.New(rowsLayout(height), o)
}

type rowsLayout float32

// Layout implements fyne.Layout.
func (r rowsLayout) Layout(objects []fyne.CanvasObject, s fyne.Size) {
	if n := float32(int(s.Height / float32(r))); n > 0 {
		s.Height = n * float32(r)
	}
	for _, o := range objects {
		o.Move(fyne.NewPos(0, 0))
		o.Resize(s)
	}
}

// MinSize implements fyne.Layout.
func (rowsLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	s := fyne.Size{}
	for _, o := range objects {
		s = s.Max(o.MinSize())
	}
	return s
}

type widthLayout float32

// Layout implements fyne.Layout.
func (w widthLayout) Layout(objects []fyne.CanvasObject, s fyne.Size) {
	for _, o := range objects {
		o.Move(fyne.NewPos(0, 0))
		o.Resize(s)
	}
}

// MinSize implements fyne.Layout.
func (w widthLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	s := fyne.NewSize(float32(w), 0)
	for _, o := range objects {
		s.Height = max(s.Height, o.MinSize().Height)
	}
	return s
}

// ground is an area in a colour of the theme.
type ground struct {
	widget.BaseWidget
	color  fyne.ThemeColorName
	radius float32
}

func newGround(c fyne.ThemeColorName, radius float32) *ground {
	g := &ground{color: c, radius: radius}
	g.ExtendBaseWidget(g)
	return g
}

// CreateRenderer implements fyne.Widget.
func (g *ground) CreateRenderer() fyne.WidgetRenderer {
	rect := canvas.NewRectangle(color.Transparent)
	r := &groundRenderer{WidgetRenderer: widget.NewSimpleRenderer(rect), ground: g, rect: rect}
	r.Refresh()
	return r
}

type groundRenderer struct {
	fyne.WidgetRenderer
	ground *ground
	rect   *canvas.Rectangle
}

// Refresh implements fyne.WidgetRenderer.
func (r *groundRenderer) Refresh() {
	r.rect.FillColor = themed(r.ground, r.ground.color)
	r.rect.CornerRadius = r.ground.radius
	r.rect.Refresh()
}

// themed is a colour of the theme that a widget is shown in.
func themed(w interface{ Theme() fyne.Theme }, name fyne.ThemeColorName) color.Color {
	return w.Theme().Color(name, fyne.CurrentApp().Settings().ThemeVariant())
}

// dot is a state as a shape: a ring when quiet, a filled circle when good or busy, a bar
// when warned, a diamond when bad. The shape tells the state without its colour.
type dot struct {
	widget.BaseWidget
	tone presenter.Tone
	size float32
}

func newDot(size float32) *dot {
	d := &dot{size: size}
	d.ExtendBaseWidget(d)
	return d
}

func (d *dot) set(t presenter.Tone) {
	if d.tone != t {
		d.tone = t
		d.Refresh()
	}
}

// MinSize implements fyne.Widget.
func (d *dot) MinSize() fyne.Size { return fyne.NewSquareSize(d.size) }

// CreateRenderer implements fyne.Widget.
func (d *dot) CreateRenderer() fyne.WidgetRenderer {
	r := &dotRenderer{dot: d, circle: canvas.NewCircle(nil), square: canvas.NewRectangle(nil)}
	r.Refresh()
	return r
}

type dotRenderer struct {
	dot    *dot
	circle *canvas.Circle
	square *canvas.Rectangle
}

// Destroy implements fyne.WidgetRenderer.
func (r *dotRenderer) Destroy() {}

// MinSize implements fyne.WidgetRenderer.
func (r *dotRenderer) MinSize() fyne.Size { return fyne.NewSquareSize(r.dot.size) }

// Objects implements fyne.WidgetRenderer.
func (r *dotRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.circle, r.square}
}

// Layout implements fyne.WidgetRenderer.
func (r *dotRenderer) Layout(s fyne.Size) {
	d := r.dot.size
	at := fyne.NewPos((s.Width-d)/2, (s.Height-d)/2)
	r.circle.Move(at)
	r.circle.Resize(fyne.NewSquareSize(d))
	h := d
	if r.dot.tone == presenter.ToneWarn {
		h = d / 3
	}
	r.square.Move(at.AddXY(0, (d-h)/2))
	r.square.Resize(fyne.NewSize(d, h))
}

// Refresh implements fyne.WidgetRenderer.
func (r *dotRenderer) Refresh() {
	c := themed(r.dot, toneColor(r.dot.tone))
	round := true
	r.circle.FillColor, r.circle.StrokeColor, r.circle.StrokeWidth = c, c, 0
	switch r.dot.tone {
	case presenter.ToneQuiet:
		r.circle.FillColor, r.circle.StrokeWidth = color.Transparent, 1.5
	case presenter.ToneBusy:
		r.circle.FillColor, r.circle.StrokeWidth = color.Transparent, r.dot.size/3
	case presenter.ToneGood:
	case presenter.ToneWarn, presenter.ToneBad:
		round = false
	}
	r.square.FillColor, r.square.CornerRadius = c, 1
	r.circle.Hidden, r.square.Hidden = !round, round
	r.Layout(r.dot.Size())
	r.circle.Refresh()
	r.square.Refresh()
}

// copied is how long a copy button confirms.
const copied = 1500 * time.Millisecond

// newCopy is a button that copies what text returns at that time, and confirms with a
// check mark for a moment. It keeps its width.
func (u *UI) newCopy(text func() string) *button {
	b := newIconButton(words.T("Copy"), theme.ContentCopyIcon(), nil)
	times := 0 // so that only the end of the last copy ends the confirmation
	b.OnTapped = func() {
		s := text()
		if s == "" {
			return
		}
		u.app.Clipboard().SetContent(s)
		times++
		mine := times
		b.Icon = theme.ConfirmIcon()
		b.SetText(words.T("Copied"))
		u.after(copied, func() {
			if mine == times {
				b.Icon = theme.ContentCopyIcon()
				b.SetText(words.T("Copy"))
			}
		})
	}
	return b
}
