package ui

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
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
	return largest(objects)
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
	return largest(objects)
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

// markWidth is how far a text stands behind the dot that marks it.
const markWidth = markPlace + gapTight + gapWide

const markPlace = 14 // for the dot

// marked puts a dot before a text, level with its first line, whose size is given.
func marked(d *dot, text fyne.CanvasObject, size fyne.ThemeSizeName) *fyne.Container {
	return container.New(markLayout(size), d, text)
}

type markLayout fyne.ThemeSizeName

// Layout implements fyne.Layout.
func (m markLayout) Layout(o []fyne.CanvasObject, s fyne.Size) {
	size, text := theme.Size(fyne.ThemeSizeName(m)), firstText(o[1])
	line := fyne.MeasureText(text, size, fyne.TextStyle{}).Height
	if strings.ContainsFunc(text, eastAsian) {
		line += size / 4 // its letters fill the lower part of the line
	}
	d := o[0].MinSize()
	o[0].Move(fyne.NewPos((markPlace-d.Width)/2, (line-d.Height)/2))
	o[0].Resize(d)
	o[1].Move(fyne.NewPos(markWidth, 0))
	o[1].Resize(fyne.NewSize(s.Width-markWidth, s.Height))
}

// firstText is what the uppermost text in an object says.
func firstText(o fyne.CanvasObject) string {
	switch o := o.(type) {
	case *line:
		return o.text
	case *paragraph:
		return o.text
	case *fyne.Container:
		return firstText(o.Objects[0])
	default:
		return ""
	}
}

// MinSize implements fyne.Layout.
func (markLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	return o[1].MinSize().AddWidthHeight(markWidth, 0)
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
	fill(objects, s)
}

// MinSize implements fyne.Layout.
func (rowsLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return largest(objects)
}

type widthLayout float32

// Layout implements fyne.Layout.
func (w widthLayout) Layout(objects []fyne.CanvasObject, s fyne.Size) {
	fill(objects, s)
}

// MinSize implements fyne.Layout.
func (w widthLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	s := fyne.NewSize(float32(w), 0)
	for _, o := range objects {
		s.Height = max(s.Height, o.MinSize().Height)
	}
	return s
}

// columnLayout gives its object at most a width, in the middle.
type columnLayout float32

// Layout implements fyne.Layout.
func (c columnLayout) Layout(objects []fyne.CanvasObject, s fyne.Size) {
	width := min(s.Width-2*gapMargin, float32(c))
	for _, o := range objects {
		o.Move(fyne.NewPos((s.Width-width)/2, 0))
		o.Resize(fyne.NewSize(width, s.Height))
	}
}

// MinSize implements fyne.Layout.
func (c columnLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return largest(objects).AddWidthHeight(2*gapMargin, 0)
}

// evenLayout puts as many objects beside each other, all of one width.
type evenLayout int

// Layout implements fyne.Layout.
func (e evenLayout) Layout(objects []fyne.CanvasObject, s fyne.Size) {
	width := (s.Width - gap*float32(e-1)) / float32(e)
	for i, o := range objects {
		o.Move(fyne.NewPos(float32(i)*(width+gap), 0))
		o.Resize(fyne.NewSize(width, s.Height))
	}
}

// MinSize implements fyne.Layout.
func (e evenLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	s := largest(objects)
	return fyne.NewSize((s.Width+gap)*float32(e)-gap, s.Height)
}

// heightLayout gives its object a height.
type heightLayout float32

// Layout implements fyne.Layout.
func (h heightLayout) Layout(objects []fyne.CanvasObject, s fyne.Size) {
	fill(objects, s)
}

// MinSize implements fyne.Layout.
func (h heightLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(0, float32(h)) }

// largest is the least size in which each of the objects has room.
func largest(objects []fyne.CanvasObject) fyne.Size {
	s := fyne.Size{}
	for _, o := range objects {
		s = s.Max(o.MinSize())
	}
	return s
}

// fill gives all the place to each of the objects.
func fill(objects []fyne.CanvasObject, s fyne.Size) {
	for _, o := range objects {
		o.Move(fyne.NewPos(0, 0))
		o.Resize(s)
	}
}
