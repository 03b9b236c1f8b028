package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"apex-ai-proxy/ui/presenter"
)

// plot is a figure with a bar for each minute of the last hour.
type plot struct {
	content     fyne.CanvasObject
	name, value *line
	bars        *bars
}

const plotHeight = 32

func newPlot() *plot {
	big := face{size: sizeText, color: theme.ColorNameForeground, style: fyne.TextStyle{Bold: true}}
	p := &plot{name: newCutLine("", faceNote, 40), value: newCutLine("", big, 30), bars: newBars()}
	p.content = container.NewStack(newGround(colorWell, 6), padded(gap+4, gap+4, gap+4, gap+4,
		stack(gapTight, p.name, p.value, p.bars)))
	return p
}

func (p *plot) set(data presenter.Plot) {
	p.name.set(data.Name)
	p.value.set(data.Value)
	p.bars.set(data)
}

// bars are thin columns on a base line. An hour without anything is the base line alone.
type bars struct {
	widget.BaseWidget
	data presenter.Plot
}

func newBars() *bars {
	b := &bars{}
	b.ExtendBaseWidget(b)
	return b
}

func (b *bars) set(data presenter.Plot) {
	if b.data != data {
		b.data = data
		b.Refresh()
	}
}

// MinSize implements fyne.Widget.
func (b *bars) MinSize() fyne.Size { return fyne.NewSize(100, plotHeight) }

// CreateRenderer implements fyne.Widget.
func (b *bars) CreateRenderer() fyne.WidgetRenderer {
	r := &barsRenderer{bars: b, base: canvas.NewRectangle(color.Transparent)}
	r.objects = append(r.objects, r.base)
	for i := range r.columns {
		r.columns[i] = canvas.NewRectangle(color.Transparent)
		r.objects = append(r.objects, r.columns[i])
	}
	r.Refresh()
	return r
}

type barsRenderer struct {
	bars    *bars
	base    *canvas.Rectangle
	columns [len(presenter.Plot{}.Values)]*canvas.Rectangle
	objects []fyne.CanvasObject
}

// Destroy implements fyne.WidgetRenderer.
func (r *barsRenderer) Destroy() {}

// MinSize implements fyne.WidgetRenderer.
func (r *barsRenderer) MinSize() fyne.Size { return r.bars.MinSize() }

// Objects implements fyne.WidgetRenderer.
func (r *barsRenderer) Objects() []fyne.CanvasObject { return r.objects }

// Layout implements fyne.WidgetRenderer.
func (r *barsRenderer) Layout(s fyne.Size) {
	const line = 1
	r.base.Move(fyne.NewPos(0, s.Height-line))
	r.base.Resize(fyne.NewSize(s.Width, line))
	values := r.bars.data.Values
	top := 0.0
	for _, v := range values {
		top = max(top, v)
	}
	step := s.Width / float32(len(values))
	for i, c := range r.columns {
		c.Hidden = values[i] <= 0
		if c.Hidden {
			continue
		}
		h := max(float32(values[i]/top)*(s.Height-line), 2)
		c.Move(fyne.NewPos(float32(i)*step, s.Height-line-h))
		c.Resize(fyne.NewSize(max(step-1, 1), h))
	}
}

// Refresh implements fyne.WidgetRenderer.
func (r *barsRenderer) Refresh() {
	r.base.FillColor = themed(r.bars, theme.ColorNameSeparator)
	paint := themed(r.bars, toneColor(r.bars.data.Tone))
	for _, c := range r.columns {
		c.FillColor = paint
	}
	r.Layout(r.bars.Size())
	canvas.Refresh(r.bars)
}
