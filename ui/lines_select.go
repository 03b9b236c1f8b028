package ui

import (
	"math"
	"sort"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"apex-ai-proxy/ui/words"
)

// choose selects a line, or all from where the selection began to it.
func (l *lines) choose(line int, further bool) {
	c := choice{true, line, line}
	if further && l.chosen.some {
		c.at = l.chosen.at
	}
	if c != l.chosen {
		l.chosen = c
		l.picked()
		l.Refresh()
	}
}

// unselect tells whether there was anything to unselect.
func (l *lines) unselect() bool {
	some := l.chosen.some
	if some {
		l.chosen = choice{}
		l.Refresh()
	}
	return some
}

// rowAt is the row at a place of the window, or the one nearest to it.
func (l *lines) rowAt(at fyne.Position) int {
	y := at.Y - fyne.CurrentApp().Driver().AbsolutePositionForObject(l).Y + l.GetScrollOffset()
	return min(max(int(y/textRowHeight), 0), len(l.rows)-1)
}

// rowsOf are the first and the last row of a line.
func (l *lines) rowsOf(line int) (first, last int) {
	from := func(line int) int {
		return sort.Search(len(l.rows), func(i int) bool { return l.rows[i].line >= line })
	}
	return from(line), from(line+1) - 1
}

// inSight are the first and the last row that can be seen as a whole.
func (l *lines) inSight() (first, last int) {
	top := float64(l.GetScrollOffset() / textRowHeight)
	first = int(math.Ceil(top))
	return first, max(int(top+float64(l.Size().Height)/textRowHeight)-1, first)
}

// step selects a line so many rows further. A line that is too long to be seen as a whole is
// gone through before the next one.
func (l *lines) step(by int) {
	top, end := l.inSight()
	if !l.chosen.some {
		l.choose(l.rows[min(top, len(l.rows)-1)].line, false)
		return
	}
	first, last := l.rowsOf(l.chosen.end)
	if by > 0 && first <= end && last > end || by < 0 && last >= top && first < top {
		l.ScrollToOffset(l.GetScrollOffset() + float32(by)*textRowHeight)
		return
	}
	to := last + by
	if by < 0 {
		to = first + by
	}
	l.choose(l.rows[min(max(to, 0), len(l.rows)-1)].line, l.shift)
	first, last = l.rowsOf(l.chosen.end)
	if by > 0 {
		l.ScrollTo(min(last, first+end-top))
	} else {
		l.ScrollTo(max(first, last-end+top))
	}
}

// TypedKey implements fyne.Focusable.
func (l *lines) TypedKey(k *fyne.KeyEvent) {
	if len(l.rows) == 0 {
		passKey(l, k)
		return
	}
	top, end := l.inSight()
	page := max(end-top, 1)
	switch k.Name {
	case fyne.KeyUp:
		l.step(-1)
	case fyne.KeyDown:
		l.step(1)
	case fyne.KeyPageUp:
		l.step(-page)
	case fyne.KeyPageDown:
		l.step(page)
	case fyne.KeyHome:
		l.choose(0, l.shift)
		l.ScrollToTop()
	case fyne.KeyEnd:
		l.choose(l.len()-1, l.shift)
		l.ScrollToBottom()
	case fyne.KeyReturn, fyne.KeyEnter, desktop.KeyMenu:
		l.ask()
	default:
		passKey(l, k)
	}
}

// ask offers what can be done with the selected lines, below where the selection got.
func (l *lines) ask() {
	if !l.chosen.some {
		return
	}
	row, _ := l.rowsOf(l.chosen.end)
	l.ScrollTo(row)
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(l)
	l.offer(at.AddXY(gutter, float32(row+1)*textRowHeight-l.GetScrollOffset()))
}

// KeyDown implements desktop.Keyable.
func (l *lines) KeyDown(k *fyne.KeyEvent) { l.hold(k, true) }

// KeyUp implements desktop.Keyable.
func (l *lines) KeyUp(k *fyne.KeyEvent) { l.hold(k, false) }

func (l *lines) hold(k *fyne.KeyEvent, on bool) {
	if k.Name == desktop.KeyShiftLeft || k.Name == desktop.KeyShiftRight {
		l.shift = on
	}
}

// TypedShortcut implements fyne.Shortcutable. The window copies what is selected.
func (l *lines) TypedShortcut(s fyne.Shortcut) {
	if _, all := s.(*fyne.ShortcutSelectAll); !all {
		l.pass(s)
		return
	}
	if len(l.rows) > 0 {
		l.choose(0, false)
		l.choose(l.len()-1, true)
	}
}

// FocusGained implements fyne.Focusable. Fyne would highlight a row of its own.
func (l *lines) FocusGained() { l.hasCursor(true) }

// FocusLost implements fyne.Focusable.
func (l *lines) FocusLost() { l.hasCursor(false) }

func (l *lines) hasCursor(on bool) {
	l.shift = false
	l.held(on)
}

// lineUnder is the line at a place of the window where a button of the mouse goes down, which
// brings the cursor.
func (l *lines) lineUnder(at fyne.Position) int {
	l.takeCursor()
	return l.rows[l.rowAt(at)].line
}

func (l *lines) takeCursor() {
	if c := fyne.CurrentApp().Driver().CanvasForObject(l); c != nil {
		c.Focus(l)
	}
}

// MouseDown implements desktop.Mouseable.
func (r *textRow) MouseDown(e *desktop.MouseEvent) {
	if e.Button == desktop.MouseButtonPrimary {
		r.in.choose(r.in.lineUnder(e.AbsolutePosition), e.Modifier&fyne.KeyModifierShift != 0)
	}
}

// MouseUp implements desktop.Mouseable.
func (r *textRow) MouseUp(*desktop.MouseEvent) {}

// Dragged implements fyne.Draggable. By now, the row in which that began may show another line, or
// there may be none.
func (r *textRow) Dragged(e *fyne.DragEvent) {
	if len(r.in.rows) == 0 {
		return
	}
	r.in.dragTo(e.AbsolutePosition)
}

// DragEnd implements fyne.Draggable. The cursor has gone if the button was let go elsewhere.
func (r *textRow) DragEnd() {
	r.in.letGo()
	r.in.takeCursor()
}

// How long a drag that is held outside goes on scrolling, should its end never be told, and how
// often in that time.
const (
	dragLimit = time.Minute
	dragSteps = 20 * 60
)

// dragTo selects to a place of the window, and goes on doing so: a mouse that is held above or
// below the lines says nothing more, and they are to scroll.
func (l *lines) dragTo(at fyne.Position) {
	l.dragAt = at
	l.follow()
	if l.drag != nil {
		return
	}
	last := 0
	l.drag = fyne.NewAnimation(dragLimit, func(done float32) {
		if step := int(done * dragSteps); step != last {
			last = step
			l.follow()
		}
	})
	l.drag.Curve = fyne.AnimationLinear
	l.drag.Start()
}

// follow selects to where the mouse is held.
func (l *lines) follow() {
	if len(l.rows) == 0 {
		return
	}
	row := l.rowAt(l.dragAt)
	l.choose(l.rows[row].line, true)
	l.ScrollTo(row)
}

// letGo ends a drag.
func (l *lines) letGo() {
	if l.drag != nil {
		l.drag.Stop()
		l.drag = nil
	}
}

// TappedSecondary implements fyne.SecondaryTappable.
func (r *textRow) TappedSecondary(e *fyne.PointEvent) {
	if line := r.in.lineUnder(e.AbsolutePosition); !r.in.chosen.has(line) {
		r.in.choose(line, false)
	}
	r.in.offer(e.AbsolutePosition)
}

// lineKeys are the keys of lines, as they are told.
func lineKeys() []keyHelp {
	arrows := func(mod fyne.KeyModifier) string { return keyText(fyne.KeyUp, mod) + keyText(fyne.KeyDown, 0) }
	with := func(k fyne.KeyName) string { return keyText(k, fyne.KeyModifierShortcutDefault) }
	return []keyHelp{
		{arrows(0), words.T("Select a line")},
		{arrows(fyne.KeyModifierShift), words.T("Select more lines")},
		{with(fyne.KeyA), words.T("Select all lines")},
		{with(fyne.KeyC), words.T("Copy the selected lines")},
		{keyText(fyne.KeyReturn, 0), words.T("Show what can be copied")},
		{keyText(fyne.KeyEscape, 0), words.T("Unselect the lines")},
	}
}

// wire makes the lines of both sides work together: only one of them has lines selected.
func (in *inspector) wire() {
	left, right := in.bytes.left.text, in.bytes.right.text
	for l, other := range map[*lines]*lines{left: right, right: left} {
		l.pass = in.w.pass
		l.picked = func() { other.unselect() }
		l.offer = func(at fyne.Position) { in.offer(l, at) }
	}
}

// unselect tells whether there were selected lines.
func (in *inspector) unselect() bool {
	left, right := in.bytes.left.text.unselect(), in.bytes.right.text.unselect()
	return left || right
}

// copySelected copies the selected lines, if there are any.
func (in *inspector) copySelected() bool {
	for _, l := range []*lines{in.bytes.left.text, in.bytes.right.text} {
		if l.chosen.some {
			in.copyLines(l)
			return true
		}
	}
	return false
}

func (in *inspector) copyLines(l *lines) {
	said := words.T("Copied 1 line.")
	if from, to := l.chosen.bounds(); to > from {
		said = words.F("Copied {{.Count}} lines.", words.V{"Count": to - from + 1})
	}
	in.copied(l.copy(l.chosen), said)
}

// offer offers what can be copied of the selected lines.
func (in *inspector) offer(l *lines, at fyne.Position) {
	from, to := l.chosen.bounds()
	label := words.T("Copy line")
	if to > from {
		label = words.F("Copy {{.Count}} lines", words.V{"Count": to - from + 1})
	}
	items := []*fyne.MenuItem{fyne.NewMenuItem(label, func() { in.copyLines(l) })}
	if value, ok := l.value(from); ok && from == to {
		items = append(items, fyne.NewMenuItem(words.T("Copy value"), func() { in.copied(value, words.T("Copied the value.")) }))
	}
	in.w.popUpAt(at, items)
}
