package ui

import (
	"image/color"
	"unicode/utf8"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"apex-ai-proxy/ui/presenter"
)

// lines shows a text of any length in a fixed-width face, hard-wrapped to its width. Only
// the rows that can be seen are drawn, so a megabyte costs no more than a page.
//
// Lines can be selected, to be copied as they are, not as they are wrapped.
type lines struct {
	list
	passage
	rows []span
	cols int // characters in a row, 0 before the first layout

	chosen choice
	drag   *fyne.Animation        // runs while a drag is held outside, nil without a drag
	dragAt fyne.Position          // where that is, in the window
	shift  bool                   // the key is held
	pass   func(fyne.Shortcut)    // takes the shortcuts that are for the window
	picked func()                 // called when lines are selected
	offer  func(at fyne.Position) // offers what can be done with the selected lines
	held   func(on bool)          // called when the cursor comes and goes
}

// span is the part of a line that one row shows.
type span struct {
	line     int
	from, to int // bytes
}

func newLines() *lines {
	l := &lines{}
	l.Length = func() int { return len(l.rows) }
	l.CreateItem = func() fyne.CanvasObject { return newTextRow(l) }
	l.UpdateItem = func(i widget.ListItemID, o fyne.CanvasObject) {
		if i < len(l.rows) {
			o.(*textRow).set(l.row(l.rows[i]))
		}
	}
	l.HideSeparators = true
	l.ExtendBaseWidget(l)
	return l
}

// set shows a text. What has grown at its end leaves the rows before it where they are, and
// selected.
func (l *lines) set(heads []presenter.Fact, text []presenter.Line, top bool) {
	was := l.passage
	l.heads, l.text = heads, text
	if top || !l.same(was, l.chosen) {
		l.chosen = choice{}
	}
	l.wrap()
	l.Refresh()
	if top {
		l.ScrollToTop()
	}
}

// Resize implements fyne.CanvasObject. Fyne keeps what the rows that are in sight show, unless the
// list is refreshed.
func (l *lines) Resize(s fyne.Size) {
	cols := columnsIn(s.Width)
	if cols == l.cols {
		l.list.Resize(s)
		return
	}
	l.cols = cols
	l.wrap()
	l.list.Resize(s)
	l.Refresh()
}

// gutter is the width before the text, for the mark.
const gutter = 18

func columnsIn(width float32) int {
	size := fyne.CurrentApp().Settings().Theme().Size(sizeNote)
	one := fyne.MeasureText("0000000000", size, fyne.TextStyle{Monospace: true}).Width / 10
	return max(int((width-gutter-gap)/one), 20)
}

func (l *lines) wrap() {
	l.rows = l.rows[:0]
	cols := l.cols
	if cols == 0 {
		cols = 80
	}
	body := l.body()
	for i := range body {
		l.rows = append(l.rows, span{line: i})
	}
	for i := range l.text {
		l.rows = wrapped(l.rows, body+i, l.text[i].Text, cols)
	}
}

// The widths of a character of the fixed-width face, and of an East Asian one or an emoji beside
// it, which are as wide as they are high.
const (
	narrowWidth = 10
	wideWidth   = 17
)

// wrapped appends the rows of a line.
func wrapped(rows []span, line int, text string, cols int) []span {
	if len(text) <= cols {
		return append(rows, span{line, 0, len(text)})
	}
	from, used := 0, 0
	for at := 0; at < len(text); {
		n, width := 1, narrowWidth
		if text[at] >= utf8.RuneSelf {
			var r rune
			r, n = utf8.DecodeRuneInString(text[at:])
			if r >= 0x1100 {
				width = wideWidth
			}
		}
		if used+width > cols*narrowWidth {
			rows = append(rows, span{line, from, at})
			from, used = at, 0
		}
		used += width
		at += n
	}
	return append(rows, span{line, from, len(text)})
}

// textLine is what one row shows.
type textLine struct {
	text   string
	mark   presenter.Mark
	head   bool // a header, not the body
	first  bool // of its line, where the mark stands
	chosen bool
}

func (l *lines) row(s span) textLine {
	t := textLine{chosen: l.chosen.has(s.line)}
	switch i := s.line - l.body(); {
	case i >= 0:
		line := l.text[i]
		t.text, t.mark, t.first = line.Text[s.from:s.to], line.Mark, s.from == 0
	default:
		t.text, t.head = l.exact(s.line), true
	}
	return t
}

const (
	textRowHeight = 18
	barWidth      = 3 // of what shows that a line is selected
)

// textRow draws one row.
type textRow struct {
	widget.BaseWidget
	in   *lines
	data textLine
}

func newTextRow(in *lines) *textRow {
	r := &textRow{in: in}
	r.ExtendBaseWidget(r)
	return r
}

func (r *textRow) set(data textLine) {
	if r.data != data {
		r.data = data
		r.Refresh()
	}
}

// MinSize implements fyne.Widget.
func (r *textRow) MinSize() fyne.Size { return fyne.NewSize(40, textRowHeight) }

// CreateRenderer implements fyne.Widget.
func (r *textRow) CreateRenderer() fyne.WidgetRenderer {
	mono := fyne.TextStyle{Monospace: true}
	rr := &textRowRenderer{row: r, tint: canvas.NewRectangle(color.Transparent), bar: canvas.NewRectangle(nil), sign: canvas.NewText("", nil), text: canvas.NewText("", nil)}
	rr.sign.TextStyle, rr.text.TextStyle = mono, mono
	rr.Refresh()
	return rr
}

type textRowRenderer struct {
	row        *textRow
	tint, bar  *canvas.Rectangle
	sign, text *canvas.Text
}

// Destroy implements fyne.WidgetRenderer.
func (r *textRowRenderer) Destroy() {}

// MinSize implements fyne.WidgetRenderer.
func (r *textRowRenderer) MinSize() fyne.Size { return r.row.MinSize() }

// Objects implements fyne.WidgetRenderer.
func (r *textRowRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.tint, r.bar, r.sign, r.text}
}

// Layout implements fyne.WidgetRenderer.
func (r *textRowRenderer) Layout(s fyne.Size) {
	r.tint.Resize(s)
	r.bar.Resize(fyne.NewSize(barWidth, s.Height))
	r.sign.Move(fyne.NewPos(gapTight, 0))
	r.sign.Resize(fyne.NewSize(gutter-gapTight, s.Height))
	r.text.Move(fyne.NewPos(gutter, 0))
	r.text.Resize(fyne.NewSize(s.Width-gutter, s.Height))
}

// marks are the shape and the colour of a difference.
var marks = map[presenter.Mark]struct {
	sign  string
	color fyne.ThemeColorName
}{
	presenter.Gone: {"−", theme.ColorNameWarning},
	presenter.New:  {"+", theme.ColorNameSuccess},
}

// Refresh implements fyne.WidgetRenderer.
func (r *textRowRenderer) Refresh() {
	d, size := r.row.data, r.row.Theme().Size(sizeNote)
	m, marked := marks[d.mark]
	r.tint.FillColor, r.sign.Text = color.Transparent, ""
	textColor := theme.ColorNameForeground
	if d.head && !d.chosen {
		textColor = colorMuted
	}
	r.text.Text, r.text.TextSize, r.text.Color = d.text, size, themed(r.row, textColor)
	if marked {
		paint := themed(r.row, m.color)
		r.tint.FillColor = faint(paint)
		if d.first {
			r.sign.Text = m.sign
		}
		r.sign.Color = paint
	}
	r.bar.Hidden, r.bar.FillColor = !d.chosen, themed(r.row, theme.ColorNamePrimary)
	if d.chosen {
		r.tint.FillColor = themed(r.row, theme.ColorNameSelection)
	}
	r.sign.TextSize = size
	r.tint.Refresh()
	r.bar.Refresh()
	r.sign.Refresh()
	r.text.Refresh()
}

// faint is a colour that leaves text on it readable.
func faint(c color.Color) color.Color {
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	n.A = 0x1C
	return n
}
