package ui

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"

	"apex-ai-proxy/proxy/event"
)

// goesAsElsewhere tells whether a notch of the wheel moves a text by three or four lines, as
// it does in other programs: it is four lines of notes, or three of text. A Mac says itself
// how far it goes.
func goesAsElsewhere(pixels float32) bool {
	if runtime.GOOS == "darwin" {
		return pixels == notch
	}
	line := fyne.MeasureText("Mg", theme.Size(sizeText), fyne.TextStyle{}).Height
	return pixels >= 3*line && pixels <= 4.5*line
}

// A notch of the wheel moves a page, a text and a list as far as in other programs, and a
// list by whole rows.
func TestWheel(t *testing.T) {
	s := sceneSettings(t)
	s.window.win.Resize(size(760, 520))
	c := s.window.win.Canvas()
	field := fyne.CurrentApp().Driver().AbsolutePositionForObject(s.window.settings.fields[1].entry)
	for _, at := range []fyne.Position{fyne.NewPos(190, 300), field.AddXY(100, 20)} { // beside a field and in one
		before := s.window.settings.scroll.Offset.Y
		test.Scroll(c, at, 0, -notch)
		if moved := s.window.settings.scroll.Offset.Y - before; !goesAsElsewhere(moved) {
			t.Errorf("at %v the page moved by %v", at, moved)
		}
	}
	s, r := longList(t)
	c = s.window.win.Canvas()
	test.Scroll(c, fyne.NewPos(500, 300), 0, 4*notch)
	if at := r.list.GetScrollOffset(); at == r.bottom() || int(at)%rowHeight != 0 {
		t.Errorf("the list moved from %v to %v", r.bottom(), at)
	}
	before := r.list.GetScrollOffset()
	test.Scroll(c, fyne.NewPos(500, 300), 0, 1) // of a touchpad
	if moved := before - r.list.GetScrollOffset(); !goesAsElsewhere(moved * notch) {
		t.Errorf("a touchpad moved the list by %v", moved)
	}
}

// Fyne forgets how widgets are drawn that were not seen for a minute. It lays out what it makes
// anew only when its size changes.
func TestWheelIsMadeAgain(t *testing.T) {
	s, r := longList(t)
	pages := s.window.settings.scroll
	pages.Resize(size(500, 400))
	wheels := map[string]*wheel{
		"page": pages.CreateRenderer().(*flatRenderer).wheel,
		"list": r.list.CreateRenderer().(*wheelRenderer).wheel,
	}
	for of, w := range wheels {
		if w.Size().IsZero() {
			t.Errorf("the wheel of a %s is nowhere", of)
		}
	}
}

// The wheel goes as far in a field of several lines.
func TestWheelInText(t *testing.T) {
	s := sceneReady(t)
	e := newEntry(s.window)
	e.MultiLine, e.Wrapping = true, fyne.TextWrapBreak
	e.SetText(strings.Repeat("a line\n", 200))
	s.window.win.SetContent(e)
	s.window.win.Resize(size(760, 520))
	var inner *container.Scroll
	for _, o := range test.WidgetRenderer(e).Objects() {
		if found, ok := o.(*container.Scroll); ok {
			inner = found
		}
	}
	before := inner.Offset.Y
	test.Scroll(s.window.win.Canvas(), fyne.NewPos(300, 300), 0, -notch)
	if moved := inner.Offset.Y - before; !goesAsElsewhere(moved) {
		t.Errorf("the text moved by %v", moved)
	}
}

// longList has more rows than the window shows.
func longList(t *testing.T) (*stage, *requests) {
	t.Helper()
	s := sceneNoRequests(t)
	s.window.win.Resize(size(760, 520))
	for n := range 60 {
		x := event.Exchange{ID: fmt.Sprintf("req_%d", n), Revision: 1, Start: time.Now(), ModelAsked: "echo#demo"}
		s.core.bus.Publish(x)
	}
	s.until("the rows", func() bool { return s.log.Len() == 60 })
	s.window.win.Content().Refresh()
	s.window.refresh()
	return s, s.window.requests
}

// bottom is where the list is when it shows its end.
func (r *requests) bottom() float32 {
	return float32(r.w.u.log.Len())*rowHeight - r.list.Size().Height
}

// The way back is offered as soon as the user leaves the end, not with the next request.
func TestNewestIsOfferedAtOnce(t *testing.T) {
	s, r := longList(t)
	if r.newest.Visible() || r.list.GetScrollOffset() != r.bottom() {
		t.Fatalf("the list is at %v, its end at %v", r.list.GetScrollOffset(), r.bottom())
	}
	c := s.window.win.Canvas()
	test.Scroll(c, fyne.NewPos(500, 300), 0, 4*notch)
	if !r.newest.Visible() || r.newest.Size().Width == 0 {
		t.Error("it is not offered")
	}
	test.Scroll(c, fyne.NewPos(500, 300), 0, -40*notch)
	if r.newest.Visible() || !r.follow {
		t.Error("it is offered at the end")
	}
	test.Scroll(c, fyne.NewPos(500, 300), 0, 4*notch)
	test.Tap(r.newest)
	if r.newest.Visible() || r.list.GetScrollOffset() != r.bottom() {
		t.Error("it does not lead to the end")
	}
}

// The rows that are being read stay in sight when others above them go.
func TestListStaysWithWhatIsRead(t *testing.T) {
	s, r := longList(t)
	test.Scroll(s.window.win.Canvas(), fyne.NewPos(500, 300), 0, 4*notch)
	at := r.list.GetScrollOffset()
	top := int(at / rowHeight)
	r.lose([]int{0, top - 1, top, top + 1})
	r.lose([]int{0, top - 3, top - 2})
	r.refresh()
	if got, want := r.list.GetScrollOffset(), at-4*rowHeight; got != want {
		t.Errorf("the list is at %v, want %v", got, want)
	}
}

// No row is cut at the end of the list.
func TestRowsAreWhole(t *testing.T) {
	s, r := longList(t)
	for _, h := range []float32{520, 533, 611} {
		s.window.win.Resize(size(760, h))
		if got := r.list.Size().Height; int(got)%rowHeight != 0 || got < rowHeight {
			t.Errorf("in a window of %v the list is %v high", h, got)
		}
	}
}

// What is read stays in sight when the window gets smaller: the end, or the selected row.
func TestResizedListStays(t *testing.T) {
	s, r := longList(t)
	s.window.win.Resize(size(760, 800))
	s.window.win.Resize(size(760, 520))
	if at := r.list.GetScrollOffset(); at != r.bottom() {
		t.Errorf("the list is at %v, its end at %v", at, r.bottom())
	}
	s.window.win.Resize(size(760, 900))
	r.list.Select(50)
	s.window.win.Content().Refresh()
	inSight := func(row int) {
		t.Helper()
		y := float32(row) * rowHeight
		if at := r.list.GetScrollOffset(); y < at || y+rowHeight > at+r.list.Size().Height {
			t.Errorf("row %d is out of sight: the list is at %v and %v high", row, at, r.list.Size().Height)
		}
	}
	s.window.win.Resize(size(760, 600))
	inSight(50)
	s.window.win.Resize(size(760, 520)) // the inspector stands alone
	for range 20 {
		r.list.step(-1)
	}
	r.leave()
	inSight(30)
}
