package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"apex-ai-proxy/ui/presenter"
)

const rowHeight = 30

// row draws one exchange. It is made for speed: plain canvas texts in fixed columns,
// touched only where something changed.
type row struct {
	widget.BaseWidget
	data presenter.Row
	head bool // it is the row of titles
	here bool // the keys start from it
}

func newRow() *row {
	r := &row{}
	r.ExtendBaseWidget(r)
	return r
}

func newHead() *row {
	r := &row{head: true}
	r.ExtendBaseWidget(r)
	return r
}

func (r *row) set(data presenter.Row, here bool) {
	if r.data != data || r.here != here {
		r.data, r.here = data, here
		r.Refresh()
	}
}

// MinSize implements fyne.Widget.
func (r *row) MinSize() fyne.Size { return fyne.NewSize(320, rowHeight) }

// CreateRenderer implements fyne.Widget.
func (r *row) CreateRenderer() fyne.WidgetRenderer {
	rr := &rowRenderer{row: r, dot: newDot(9), bar: canvas.NewRectangle(nil)}
	rr.dot.Hidden = r.head
	rr.objects = append(rr.objects, rr.bar, rr.dot)
	for i := range rr.texts {
		t := canvas.NewText("", nil)
		t.TextStyle.Monospace = !r.head
		if columns[i].right {
			t.Alignment = fyne.TextAlignTrailing
		}
		rr.texts[i] = t
		rr.objects = append(rr.objects, t)
	}
	rr.error = canvas.NewText("", nil)
	rr.error.Hidden = true
	rr.objects = append(rr.objects, rr.error)
	rr.Refresh()
	rr.Layout(r.Size()) // Fyne forgets what was not seen for a minute, and makes it again in the same size
	return rr
}

type rowRenderer struct {
	row     *row
	dot     *dot
	bar     *canvas.Rectangle // at the left of the row that the keys start from
	texts   [columnCount]*canvas.Text
	error   *canvas.Text        // in the place of the columns behind the state
	full    [columnCount]string // before they were cut
	told    string              // the error, before it was cut
	cells   [columnCount]cell
	objects []fyne.CanvasObject
	width   float32
}

// Destroy implements fyne.WidgetRenderer.
func (r *rowRenderer) Destroy() {}

// MinSize implements fyne.WidgetRenderer.
func (r *rowRenderer) MinSize() fyne.Size { return r.row.MinSize() }

// Objects implements fyne.WidgetRenderer.
func (r *rowRenderer) Objects() []fyne.CanvasObject { return r.objects }

// Layout implements fyne.WidgetRenderer.
func (r *rowRenderer) Layout(s fyne.Size) {
	if r.width == s.Width {
		return
	}
	r.width = s.Width
	r.bar.Resize(fyne.NewSize(gapTight, s.Height))
	r.cells = place(s.Width)
	for i, t := range r.texts {
		c := r.textCell(i)
		t.Move(fyne.NewPos(c.x, 0))
		t.Resize(fyne.NewSize(c.width, s.Height))
		r.full[i] = "\x00" // cut it again
	}
	r.told = "\x00"
	state := r.cells[colState]
	r.dot.Move(fyne.NewPos(state.x, 0))
	r.dot.Resize(fyne.NewSize(r.dot.size, s.Height))
	r.Refresh()
}

// textCell is where the text of a column lies: beside its shape for the state.
func (r *rowRenderer) textCell(i int) cell {
	c := r.cells[i]
	if i == colState && !r.row.head {
		c.x += dotSpace
		c.width -= dotSpace
	}
	return c
}

// Refresh implements fyne.WidgetRenderer.
func (r *rowRenderer) Refresh() {
	size := r.row.Theme().Size(sizeNote)
	r.bar.Hidden, r.bar.FillColor = !r.row.here, themed(r.row, theme.ColorNamePrimary)
	if !r.row.head {
		r.dot.set(r.row.data.Tone)
	}
	wordless := r.refreshError(size)
	for i, t := range r.texts {
		text, color := r.content(i)
		if i == colState && wordless {
			text = r.row.data.Code
		}
		t.Hidden = !r.cells[i].shown || i > colState && !r.error.Hidden
		paint := themed(r.row, color)
		if text == r.full[i] && t.Color == paint && t.TextSize == size {
			continue
		}
		r.full[i] = text
		t.TextSize, t.Color = size, paint
		t.TextStyle, _ = drawn(text, fyne.TextStyle{Monospace: !r.row.head})
		t.Text = fitted(text, r.textCell(i).width, size, t.TextStyle)
		t.Refresh()
	}
}

// refreshError shows what went wrong, if anything did, and tells whether the state has no
// room for words then.
func (r *rowRenderer) refreshError(size float32) (wordless bool) {
	text := r.row.data.Error
	r.error.Hidden = text == ""
	if text == "" {
		return false
	}
	c, wordless := errorCell(r.cells, r.width)
	paint := themed(r.row, faceText.color)
	if text == r.told && r.error.Color == paint && r.error.TextSize == size {
		return wordless
	}
	r.told = text
	r.error.Move(fyne.NewPos(c.x, 0))
	r.error.Resize(fyne.NewSize(c.width, r.row.Size().Height))
	r.error.Color, r.error.TextSize = paint, size
	r.error.Text = fitted(text, c.width, size, r.error.TextStyle)
	r.error.Refresh()
	return wordless
}

func (r *rowRenderer) content(i int) (string, fyne.ThemeColorName) {
	c := columns[i]
	switch {
	case r.row.head:
		return c.title(), colorMuted
	case c.color == nil:
		return c.text(r.row.data), faceText.color
	default:
		return c.text(r.row.data), c.color(r.row.data)
	}
}
