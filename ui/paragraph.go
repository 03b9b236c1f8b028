package ui

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// paragraph is text that wraps, without padding. Unlike a label it breaks Chinese text
// where Chinese may be broken, which is between nearly all characters.
type paragraph struct {
	widget.BaseWidget
	text       string
	size       fyne.ThemeSizeName
	bold, mono bool
	importance widget.Importance

	rows  []string // of the text, in a width
	width float32  // in which the rows were made; 0 before the first layout
	made  face     // with which they were made
	of    string   // the text of which they were made
}

func newParagraph(text string) *paragraph {
	p := &paragraph{text: text, size: sizeText}
	p.ExtendBaseWidget(p)
	return p
}

// note makes the paragraph small and quiet.
func (p *paragraph) note() *paragraph {
	p.size = sizeNote
	return p.quiet()
}

// quiet makes the paragraph less than the text around it.
func (p *paragraph) quiet() *paragraph {
	p.importance = widget.LowImportance
	return p
}

// headline makes the paragraph the title of a page.
func (p *paragraph) headline() *paragraph {
	p.size, p.bold = sizeHeadline, true
	return p
}

func (p *paragraph) set(text string, i widget.Importance) {
	if p.text == text && p.importance == i {
		return
	}
	p.text, p.importance = text, i
	p.Refresh()
}

// paragraphColors are the colours by importance; any other has that of the text.
var paragraphColors = map[widget.Importance]fyne.ThemeColorName{
	widget.LowImportance:     colorMuted,
	widget.DangerImportance:  theme.ColorNameError,
	widget.WarningImportance: theme.ColorNameWarning,
}

func (p *paragraph) face() face {
	f := face{size: p.size, color: theme.ColorNameForeground, style: fyne.TextStyle{Bold: p.bold, Monospace: p.mono}}
	if c, ok := paragraphColors[p.importance]; ok {
		f.color = c
	}
	return f
}

// Resize implements fyne.CanvasObject. Another width may need another height.
func (p *paragraph) Resize(s fyne.Size) {
	before := len(p.rows)
	p.BaseWidget.Resize(s)
	p.wrap(s.Width)
	if len(p.rows) != before {
		p.Refresh()
	}
}

// wrap makes the rows for a width, unless it has.
func (p *paragraph) wrap(width float32) {
	f := p.face()
	if p.rows != nil && p.width == width && p.of == p.text && p.made == f {
		return
	}
	size := p.Theme().Size(f.size)
	p.width, p.of, p.made = width, p.text, f
	style, _ := drawn(p.text, f.style)
	p.rows = wrapText(p.rows[:0], p.text, width, func(s string) float32 { return fyne.MeasureText(s, size, style).Width })
}

// CreateRenderer implements fyne.Widget.
func (p *paragraph) CreateRenderer() fyne.WidgetRenderer {
	r := &paragraphRenderer{p: p}
	r.Refresh()
	return r
}

type paragraphRenderer struct {
	p       *paragraph
	lines   []*line
	objects []fyne.CanvasObject
}

// Destroy implements fyne.WidgetRenderer.
func (r *paragraphRenderer) Destroy() {}

// Objects implements fyne.WidgetRenderer.
func (r *paragraphRenderer) Objects() []fyne.CanvasObject { return r.objects }

// rowHeight is the height of a row and the distance to the next one.
func (r *paragraphRenderer) rowHeight() (height, step float32) {
	f, th := r.p.face(), r.p.Theme()
	height = fyne.MeasureText("M", th.Size(f.size), f.style).Height
	return height, height + 2
}

// MinSize implements fyne.WidgetRenderer. The height is that for the width of now.
func (r *paragraphRenderer) MinSize() fyne.Size {
	r.p.wrap(r.p.Size().Width)
	height, step := r.rowHeight()
	return fyne.NewSize(height, height+step*float32(len(r.p.rows)-1))
}

// Layout implements fyne.WidgetRenderer.
func (r *paragraphRenderer) Layout(s fyne.Size) {
	r.p.wrap(s.Width)
	r.fill()
	height, step := r.rowHeight()
	for i, l := range r.lines {
		l.Move(fyne.NewPos(0, float32(i)*step))
		l.Resize(fyne.NewSize(s.Width, height))
	}
}

// fill gives the rows to the lines.
func (r *paragraphRenderer) fill() {
	p, f := r.p, r.p.face()
	for len(r.lines) < len(p.rows) {
		l := newLine("", f)
		r.lines = append(r.lines, l)
		r.objects = append(r.objects, l)
	}
	if n := len(p.rows); len(r.lines) > n {
		r.lines, r.objects = slices.Delete(r.lines, n, len(r.lines)), slices.Delete(r.objects, n, len(r.objects))
	}
	for i, l := range r.lines {
		if l.text != p.rows[i] || l.face != f {
			l.text, l.face = p.rows[i], f
			l.Refresh()
		}
	}
}

// Refresh implements fyne.WidgetRenderer.
func (r *paragraphRenderer) Refresh() {
	r.Layout(r.p.Size())
	for _, l := range r.lines {
		l.Refresh() // in the colours of now
	}
	canvas.Refresh(r.p)
}
