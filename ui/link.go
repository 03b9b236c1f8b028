package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"apex-ai-proxy/ui/words"
)

// link is a small text that does something when it is clicked, or on a key while it has the
// focus. It is no higher than a note, where a button would be.
type link struct {
	widget.BaseWidget
	line   *line
	mark   *canvas.Rectangle // under the text, for the focus
	tapped func()
}

func newLink(text string, tapped func()) *link {
	l := &link{line: newLine(text, face{size: sizeNote, color: theme.ColorNamePrimary}), mark: canvas.NewRectangle(color.Transparent), tapped: tapped}
	l.ExtendBaseWidget(l)
	return l
}

// CreateRenderer implements fyne.Widget.
func (l *link) CreateRenderer() fyne.WidgetRenderer {
	l.mark.SetMinSize(fyne.NewSize(0, 1))
	return widget.NewSimpleRenderer(container.New(footLayout{}, l.line, l.mark))
}

// Tapped implements fyne.Tappable.
func (l *link) Tapped(*fyne.PointEvent) { l.tapped() }

// Cursor implements desktop.Cursorable.
func (l *link) Cursor() desktop.Cursor { return desktop.PointerCursor }

// FocusGained implements fyne.Focusable.
func (l *link) FocusGained() {
	l.underline(themed(l, theme.ColorNamePrimary))
	bringIntoSight(l)
}

// FocusLost implements fyne.Focusable.
func (l *link) FocusLost() { l.underline(color.Transparent) }

func (l *link) underline(c color.Color) {
	l.mark.FillColor = c
	l.mark.Refresh()
}

// TypedRune implements fyne.Focusable.
func (l *link) TypedRune(rune) {}

// TypedKey implements fyne.Focusable.
func (l *link) TypedKey(k *fyne.KeyEvent) {
	switch k.Name {
	case fyne.KeySpace, fyne.KeyReturn, fyne.KeyEnter:
		l.tapped()
	case fyne.KeyEscape:
		passEscape(l, k)
	}
}

// footLink is a link for the mouse alone, where Tab need not stop because a key does the same.
type footLink struct {
	widget.BaseWidget
	line   *line
	tapped func()
}

func newFootLink(text string, tapped func()) *footLink {
	l := &footLink{line: newLine(text, face{size: sizeNote, color: theme.ColorNamePrimary}), tapped: tapped}
	l.ExtendBaseWidget(l)
	return l
}

// CreateRenderer implements fyne.Widget.
func (l *footLink) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(l.line) }

// Tapped implements fyne.Tappable.
func (l *footLink) Tapped(*fyne.PointEvent) { l.tapped() }

// Cursor implements desktop.Cursorable.
func (l *footLink) Cursor() desktop.Cursor { return desktop.PointerCursor }

// brief is a text in one line, whatever it says, so that nothing moves. Where it is cut, the
// whole text is shown on a click.
type brief struct {
	line    *line
	more    *link
	text    string
	content *fyne.Container
}

func newBrief(w *window, title func() string) *brief {
	b := &brief{line: newCutLine("", faceNote, 40)}
	b.more = newLink(words.T("More"), func() { w.inform(title(), newParagraph(b.text), boxWidth) })
	b.content = container.New(briefLayout{b}, b.line, b.more)
	return b
}

func (b *brief) set(text string, i widget.Importance) {
	b.text = text
	c, ok := paragraphColors[i]
	if !ok {
		c = theme.ColorNameForeground
	}
	b.line.setColored(text, c)
	b.content.Layout.Layout(b.content.Objects, b.content.Size())
}

// briefLayout shows the way to the whole text where the line is cut.
type briefLayout struct{ b *brief }

// Layout implements fyne.Layout.
func (l briefLayout) Layout(o []fyne.CanvasObject, s fyne.Size) {
	f := l.b.line.face
	whole := fyne.MeasureText(l.b.text, l.b.line.Theme().Size(f.size), f.style).Width
	width, cut := s.Width, s.Width > 0 && whole > s.Width
	show(o[1], cut)
	if cut {
		m := o[1].MinSize()
		width -= m.Width + gap
		o[1].Move(fyne.NewPos(s.Width-m.Width, 0))
		o[1].Resize(fyne.NewSize(m.Width, s.Height))
	}
	o[0].Move(fyne.NewPos(0, 0))
	o[0].Resize(fyne.NewSize(width, s.Height))
}

// MinSize implements fyne.Layout.
func (briefLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(o[0].MinSize().Width, o[1].MinSize().Height)
}
