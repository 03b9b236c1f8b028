package ui

import (
	"slices"
	"strings"
	"sync"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// face is how a text looks. The zero face is text in the foreground colour.
type face struct {
	size  fyne.ThemeSizeName
	color fyne.ThemeColorName
	style fyne.TextStyle
	align fyne.TextAlign
}

var (
	faceText     = face{size: sizeText, color: theme.ColorNameForeground}
	faceStrong   = face{size: sizeText, color: theme.ColorNameForeground, style: fyne.TextStyle{Bold: true}}
	faceMuted    = face{size: sizeText, color: colorMuted}
	faceNote     = face{size: sizeNote, color: colorMuted}
	faceHeadline = face{size: sizeHeadline, color: theme.ColorNameForeground, style: fyne.TextStyle{Bold: true}}
	faceMono     = face{size: sizeText, color: theme.ColorNameForeground, style: fyne.TextStyle{Monospace: true}}
)

// line is one line of text without padding, cut with an ellipsis where it does not fit.
// It is much cheaper than a label.
type line struct {
	widget.BaseWidget
	text string
	face face
	min  float32 // smallest width it may be cut to; 0 means it is never cut
}

func newLine(text string, f face) *line {
	l := &line{text: text, face: f}
	l.ExtendBaseWidget(l)
	return l
}

// newCutLine is a line that may be cut down to a width.
func newCutLine(text string, f face, min float32) *line {
	l := newLine(text, f)
	l.min = min
	return l
}

func (l *line) set(text string) {
	if l.text != text {
		l.text = text
		l.Refresh()
	}
}

func (l *line) setColored(text string, c fyne.ThemeColorName) {
	if l.text != text || l.face.color != c {
		l.text, l.face.color = text, c
		l.Refresh()
	}
}

// CreateRenderer implements fyne.Widget.
func (l *line) CreateRenderer() fyne.WidgetRenderer {
	r := &lineRenderer{line: l, text: canvas.NewText("", nil), again: canvas.NewText("", nil)}
	r.objects = []fyne.CanvasObject{r.text, r.again}
	r.apply()
	return r
}

type lineRenderer struct {
	line    *line
	text    *canvas.Text
	again   *canvas.Text // drawn beside text where there is no bold font
	objects []fyne.CanvasObject
}

func (r *lineRenderer) apply() {
	l, th := r.line, r.line.Theme()
	style, twice := drawn(l.text, l.face.style)
	r.text.TextStyle = style
	r.text.Alignment = l.face.align
	r.text.TextSize = th.Size(l.face.size)
	r.text.Color = th.Color(l.face.color, fyne.CurrentApp().Settings().ThemeVariant())
	r.text.Text = l.text
	if l.min > 0 {
		r.text.Text = fitted(l.text, l.Size().Width, r.text.TextSize, style)
	}
	r.again.Hidden = !twice
	if !r.again.Hidden {
		r.again.Text, r.again.TextSize, r.again.Color = r.text.Text, r.text.TextSize, r.text.Color
		r.again.TextStyle, r.again.Alignment = r.text.TextStyle, r.text.Alignment
	}
}

// drawn is the style in which a text is drawn, and whether it is drawn twice beside each
// other to be bold: Fyne looks for a bold Chinese font only where the system speaks a
// language that is written with it. Nothing but Chinese is not drawn in the fixed-width face, in
// which it would stand a little higher than beside Latin letters.
func drawn(text string, style fyne.TextStyle) (_ fyne.TextStyle, twice bool) {
	if !style.Bold && !style.Monospace || !strings.ContainsFunc(text, eastAsian) {
		return style, false
	}
	style.Monospace = style.Monospace && strings.ContainsFunc(text, narrow)
	if style.Bold && !slices.Contains([]string{"zh", "ja", "ko"}, systemLanguage()) {
		style.Bold, twice = false, true
	}
	return style, twice
}

// narrow tells whether a character is one that the fixed-width face has.
func narrow(r rune) bool { return r > ' ' && r < 0x2000 }

// systemLanguage is the language of the system, without its region.
var systemLanguage = sync.OnceValue(func() string {
	l, _, _ := strings.Cut(lang.SystemLocale().LanguageString(), "-")
	return l
})

// Destroy implements fyne.WidgetRenderer.
func (r *lineRenderer) Destroy() {}

// Layout implements fyne.WidgetRenderer.
func (r *lineRenderer) Layout(s fyne.Size) {
	if r.line.min > 0 {
		r.apply()
	}
	r.text.Resize(s)
	r.again.Resize(s)
	r.again.Move(fyne.NewPos(r.text.TextSize/28, 0)) // as much as a bold stroke is wider
}

// MinSize implements fyne.WidgetRenderer.
func (r *lineRenderer) MinSize() fyne.Size {
	l := r.line
	style, _ := drawn(l.text, l.face.style)
	s := fyne.MeasureText(l.text, l.Theme().Size(l.face.size), style)
	if l.min > 0 {
		s.Width = min(s.Width, l.min)
	}
	return s
}

// Objects implements fyne.WidgetRenderer.
func (r *lineRenderer) Objects() []fyne.CanvasObject { return r.objects }

// Refresh implements fyne.WidgetRenderer.
func (r *lineRenderer) Refresh() {
	r.apply()
	r.text.Refresh()
	if !r.again.Hidden {
		r.again.Refresh()
	}
}

// fitted is text cut to a width by halving the interval, so that a long text costs few
// measurements.
func fitted(text string, width, size float32, style fyne.TextStyle) string {
	if width <= 0 || fyne.MeasureText(text, size, style).Width <= width {
		return text
	}
	runes := []rune(text)
	low, high := 0, len(runes)-1 // how many runes fit before the ellipsis
	for low < high {
		mid := (low + high + 1) / 2
		if fyne.MeasureText(string(runes[:mid])+"…", size, style).Width <= width {
			low = mid
		} else {
			high = mid - 1
		}
	}
	return string(runes[:low]) + "…"
}
