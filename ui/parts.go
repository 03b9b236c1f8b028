package ui

import (
	"image/color"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"apex-ai-proxy/ui/presenter"
	"apex-ai-proxy/ui/words"
)

// ground is an area in a colour of the theme.
type ground struct {
	widget.BaseWidget
	color  fyne.ThemeColorName
	radius float32
	line   float32 // the width of the line around it that is all there is of it; 0 for an area
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
	c := themed(r.ground, r.ground.color)
	if r.ground.line > 0 {
		r.rect.StrokeColor, r.rect.StrokeWidth = c, r.ground.line
	} else {
		r.rect.FillColor = c
	}
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
