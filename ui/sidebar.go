package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"apex-ai-proxy/assets"
	"apex-ai-proxy/ui/words"
)

const sidebarWidth = 176

// sidebar lists the pages and shows the state at its foot, so that it is seen everywhere.
type sidebar struct {
	w       *window
	content fyne.CanvasObject
	foot    *fyne.Container
	items   []*navItem
	state   *stateMark
}

func newSidebar(w *window) *sidebar {
	s := &sidebar{w: w, state: newStateMark(func() { w.open(pageOverview) })}
	list := stack(2)
	for i, p := range w.pages {
		it := newNavItem(p.name, p.icon, func() { w.open(i) })
		s.items = append(s.items, it)
		list.Add(it)
	}
	mark := widget.NewIcon(theme.NewPrimaryThemedResource(fyne.NewStaticResource("mark.svg", assets.Mark)))
	title := inRow(gap+2, sized(20, mark), newLine(w.u.opts.Name, faceStrong))
	version := newLine(words.F("Version {{.Version}}", words.V{"Version": w.u.core.Version()}), faceNote)
	keys := newFootLink(words.T("Keyboard shortcuts"), w.showKeys)
	s.foot = padded(gap, gapWide, gap, gap, stack(2, s.state, padded(0, 0, gap, 0, stack(gapTight, version, keys))))
	s.content = container.NewStack(
		newGround(colorSidebar, 0),
		sized(sidebarWidth, container.NewBorder(
			padded(20, 20, gapWide, gap, title),
			s.foot,
			nil, nil,
			padded(0, 0, gap, gap, list),
		)),
	)
	return s
}

func (s *sidebar) refresh() {
	s.state.set(s.w.u.headline())
	for i, it := range s.items {
		it.setSelected(i == s.w.current)
	}
}

// navItem is one page in the sidebar. It can be reached with the keyboard.
type navItem struct {
	widget.BaseWidget
	text     string
	icon     fyne.ThemeIconName
	tapped   func()
	selected bool
	hovered  bool
	focused  bool
}

var (
	_ fyne.Tappable     = (*navItem)(nil)
	_ fyne.Focusable    = (*navItem)(nil)
	_ desktop.Hoverable = (*navItem)(nil)
)

func newNavItem(text string, icon fyne.ThemeIconName, tapped func()) *navItem {
	n := &navItem{text: text, icon: icon, tapped: tapped}
	n.ExtendBaseWidget(n)
	return n
}

func (n *navItem) setSelected(on bool) {
	if n.selected != on {
		n.selected = on
		n.Refresh()
	}
}

// Tapped implements fyne.Tappable.
func (n *navItem) Tapped(*fyne.PointEvent) { n.tapped() }

// FocusGained implements fyne.Focusable.
func (n *navItem) FocusGained() { n.focused = true; n.Refresh() }

// FocusLost implements fyne.Focusable.
func (n *navItem) FocusLost() { n.focused = false; n.Refresh() }

// TypedRune implements fyne.Focusable.
func (n *navItem) TypedRune(r rune) {
	if r == ' ' {
		n.tapped()
	}
}

// TypedKey implements fyne.Focusable.
func (n *navItem) TypedKey(e *fyne.KeyEvent) {
	if e.Name == fyne.KeyReturn || e.Name == fyne.KeyEnter {
		n.tapped()
	}
}

// MouseIn implements desktop.Hoverable.
func (n *navItem) MouseIn(*desktop.MouseEvent) { n.hovered = true; n.Refresh() }

// MouseMoved implements desktop.Hoverable.
func (n *navItem) MouseMoved(*desktop.MouseEvent) {}

// MouseOut implements desktop.Hoverable.
func (n *navItem) MouseOut() { n.hovered = false; n.Refresh() }

// CreateRenderer implements fyne.Widget.
func (n *navItem) CreateRenderer() fyne.WidgetRenderer {
	r := &navRenderer{
		n:    n,
		back: canvas.NewRectangle(color.Transparent),
		icon: widget.NewIcon(nil),
		text: newLine(n.text, faceText),
	}
	r.back.CornerRadius = 6
	r.row = padded(gap, gap, gap, gap, inRow(gap+2, sized(20, r.icon), r.text))
	r.Refresh()
	return r
}

type navRenderer struct {
	n    *navItem
	back *canvas.Rectangle
	icon *widget.Icon
	text *line
	row  *fyne.Container
}

// Destroy implements fyne.WidgetRenderer.
func (r *navRenderer) Destroy() {}

// MinSize implements fyne.WidgetRenderer.
func (r *navRenderer) MinSize() fyne.Size { return r.row.MinSize() }

// Objects implements fyne.WidgetRenderer.
func (r *navRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.back, r.row} }

// Layout implements fyne.WidgetRenderer.
func (r *navRenderer) Layout(s fyne.Size) {
	r.back.Resize(s)
	r.row.Resize(s)
}

// Refresh implements fyne.WidgetRenderer.
func (r *navRenderer) Refresh() {
	n := r.n
	icon := n.Theme().Icon(n.icon)
	r.text.face = faceMuted
	r.icon.Resource = theme.NewColoredResource(icon, colorMuted)
	r.back.FillColor = color.Transparent
	switch {
	case n.selected:
		r.text.face = faceStrong
		r.icon.Resource = theme.NewPrimaryThemedResource(icon)
		r.back.FillColor = themed(n, colorHighlight)
	case n.hovered:
		r.back.FillColor = themed(n, theme.ColorNameHover)
	}
	r.back.StrokeWidth = 0
	if n.focused {
		r.back.StrokeColor, r.back.StrokeWidth = themed(n, theme.ColorNamePrimary), 1.5
	}
	r.back.Refresh()
	r.icon.Refresh()
	r.text.Refresh()
}
