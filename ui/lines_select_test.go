package ui

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"apex-ai-proxy/proxy/capture"
	"apex-ai-proxy/ui/presenter"
)

// spot is the middle of a row that says something, which can be seen, and what takes the mouse there.
func (s *stage) spot(l *lines, says string) (*textRow, fyne.Position) {
	s.t.Helper()
	for i, r := range l.drawnRows() {
		if strings.Contains(r.data.text, says) {
			at := fyne.CurrentApp().Driver().AbsolutePositionForObject(r).AddXY(40, textRowHeight/2)
			if got := l.rowAt(at); i > 0 && l.row(l.rows[got]) != r.data {
				s.t.Fatalf("at %v is row %d", at, got)
			}
			return r, at
		}
	}
	s.t.Fatalf("no row says %q:\n%s", says, strings.Join(l.drawn(), "\n"))
	return nil, fyne.Position{}
}

func mouse(at fyne.Position, button desktop.MouseButton, mod fyne.KeyModifier) *desktop.MouseEvent {
	return &desktop.MouseEvent{PointEvent: fyne.PointEvent{AbsolutePosition: at}, Button: button, Modifier: mod}
}

// click clicks on a row as a mouse does.
func (s *stage) click(l *lines, says string, mod fyne.KeyModifier) {
	s.t.Helper()
	r, at := s.spot(l, says)
	r.MouseDown(mouse(at, desktop.MouseButtonPrimary, mod))
	r.MouseUp(mouse(at, desktop.MouseButtonPrimary, mod))
}

// drag moves the pointer so far while the button is down.
func (s *stage) drag(l *lines, says string, steps ...float32) {
	s.t.Helper()
	r, at := s.spot(l, says)
	r.MouseDown(mouse(at, desktop.MouseButtonPrimary, 0))
	for _, dy := range steps {
		at.Y += dy
		r.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{AbsolutePosition: at}, Dragged: fyne.NewDelta(0, dy)})
	}
	r.DragEnd()
}

// TestDragHeldOutside: while the button is held below the lines they go on scrolling, and the
// keyboard is still theirs when it is let go there, where Fyne has taken the cursor away.
func TestDragHeldOutside(t *testing.T) {
	s := sceneSelected(t)
	l := s.window.requests.inspector.bytes.left.text
	r, at := s.spot(l, "claude-haiku-4-5")
	r.MouseDown(mouse(at, desktop.MouseButtonPrimary, 0))
	at.Y = fyne.CurrentApp().Driver().AbsolutePositionForObject(l).Y + l.Size().Height + 5
	r.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{AbsolutePosition: at}})
	held := l.drag
	for i := range 3 {
		end, offset := l.chosen.end, l.GetScrollOffset()
		held.Tick(float32(i+1) / 100)
		if l.chosen.end <= end || l.GetScrollOffset() <= offset {
			t.Errorf("step %d: line %d, offset %v", i, l.chosen.end, l.GetScrollOffset())
		}
	}
	s.window.win.Canvas().Unfocus()
	r.DragEnd()
	if s.window.win.Canvas().Focused() != fyne.Focusable(l) {
		t.Error("the cursor is gone")
	}
	if l.drag != nil {
		t.Error("it goes on scrolling")
	}
}

// offered clicks on a row with the other button, and is what the menu offers then, by label.
func (s *stage) offered(l *lines, says string) map[string]func() {
	s.t.Helper()
	r, at := s.spot(l, says)
	r.MouseDown(mouse(at, desktop.MouseButtonSecondary, 0))
	test.TapSecondaryAt(r, at.Subtract(fyne.CurrentApp().Driver().AbsolutePositionForObject(r)))
	return s.menuOffers()
}

// menuOffers is what the menu on the screen offers: what a click does, by what is said.
func (s *stage) menuOffers() map[string]func() {
	s.t.Helper()
	menu, ok := overlaid(s.window.win.Canvas().Overlays().Top()).(*widget.PopUpMenu)
	if !ok {
		s.t.Fatal("there is no menu")
	}
	offers := map[string]func(){}
	for _, o := range menu.Items {
		item := reflect.Indirect(reflect.ValueOf(o)).FieldByName("Item").Interface().(*fyne.MenuItem) // its type has no name elsewhere
		offers[item.Label] = func() { o.(fyne.Tappable).Tapped(nil) }
	}
	return offers
}

// shortcut presses keys where the cursor is, as Fyne passes them on.
func (s *stage) shortcut(keys fyne.Shortcut) {
	if f, ok := s.window.win.Canvas().Focused().(fyne.Shortcutable); ok {
		f.TypedShortcut(keys)
		return
	}
	s.window.pass(keys)
}

// copied is what Ctrl+C copies.
func (s *stage) copied() string {
	s.app.Clipboard().SetContent("")
	s.shortcut(&fyne.ShortcutCopy{})
	return s.app.Clipboard().Content()
}

// shifted presses keys with Shift.
func (s *stage) shifted(keys ...fyne.KeyName) {
	k := s.window.win.Canvas().Focused().(desktop.Keyable)
	k.KeyDown(&fyne.KeyEvent{Name: desktop.KeyShiftLeft})
	s.press(keys...)
	k.KeyUp(&fyne.KeyEvent{Name: desktop.KeyShiftLeft})
}

func (s *stage) wantCopied(what, want string) {
	s.t.Helper()
	if got := s.copied(); got != want {
		s.t.Errorf("%s: copied\n%s\nwant\n%s", what, got, want)
	}
}

func TestLinesAreSelectedWithTheMouse(t *testing.T) {
	s := sceneInspector(tabRequest)(t)
	left, right := s.inspector().bytes.left.text, s.inspector().bytes.right.text
	s.click(left, `"max_tokens"`, 0)
	s.wantCopied("a click", `  "max_tokens": 32000,`)
	if !s.window.toast.content.Visible() || s.window.win.Canvas().Focused() != fyne.Focusable(left) {
		t.Error("the copy is not confirmed, or the cursor is not in the text")
	}
	s.click(left, `"type": "text"`, fyne.KeyModifierShift)
	s.wantCopied("Shift and a click", "  \"max_tokens\": 32000,\n  \"system\": [\n    {\n      \"type\": \"text\",")
	s.click(left, `"model"`, fyne.KeyModifierShift)
	s.wantCopied("Shift and a click above", "  \"model\": \"claude-haiku-4-5\",\n  \"max_tokens\": 32000,")
	s.click(right, `"max_tokens"`, 0)
	s.wantCopied("a click at the other side", `  "max_tokens": 32000,`)
	s.drag(right, `"model"`, textRowHeight, textRowHeight)
	s.wantCopied("dragged", "  \"model\": \"gemini-2.5-pro\",\n  \"max_tokens\": 32000,\n  \"messages\": [")
	s.drag(right, `"max_tokens"`, -textRowHeight, -textRowHeight, -500)
	s.wantCopied("dragged up", "{\n  \"model\": \"gemini-2.5-pro\",\n  \"max_tokens\": 32000,")
}

// A line that takes several rows is copied as one, and dragging beyond the text scrolls it.
func TestSelectedLinesAreWhole(t *testing.T) {
	s := sceneInspector(tabRequest)(t)
	l := s.inspector().bytes.left.text
	s.click(l, "You are a coding", 0)
	const whole = `      "text": "You are a coding assistant. Be exact, and change as little as possible.",`
	s.wantCopied("a click on its first row", whole)
	s.click(l, "ttle as possible", 0)
	s.wantCopied("a click on its last row", whole)
	s.drag(l, `"model"`, 50, 400, 400, 400, 400)
	if got := s.copied(); !strings.HasPrefix(got, `  "model"`) || !strings.HasSuffix(got, "\n}") || l.GetScrollOffset() == 0 {
		t.Errorf("scrolled to %v, copied\n%s", l.GetScrollOffset(), got)
	}
}

func TestLinesAreSelectedWithKeys(t *testing.T) {
	s := sceneInspector(tabRequest)(t)
	in, c := s.inspector(), s.window.win.Canvas()
	l := in.bytes.left.text
	c.Focus(l)
	if got := s.copied(); !strings.Contains(got, "curl -N") {
		t.Errorf("while nothing is selected, copied %q", got)
	}
	s.press(fyne.KeyDown)
	s.wantCopied("the first key", "{")
	s.press(fyne.KeyDown)
	s.wantCopied("Down", `  "model": "claude-haiku-4-5",`)
	s.shifted(fyne.KeyDown)
	s.wantCopied("Shift+Down", "  \"model\": \"claude-haiku-4-5\",\n  \"max_tokens\": 32000,")
	s.shifted(fyne.KeyUp, fyne.KeyUp)
	s.wantCopied("Shift+Up", "{\n  \"model\": \"claude-haiku-4-5\",")
	s.press(fyne.KeyUp, fyne.KeyUp)
	s.wantCopied("Up", "{")
	s.shortcut(&fyne.ShortcutSelectAll{})
	all := s.copied()
	if lines := strings.Split(all, "\n"); lines[0] != "{" || lines[len(lines)-1] != "}" || len(lines) != len(l.text) {
		t.Errorf("all: copied\n%s", all)
	}
	s.press(fyne.KeyEnd)
	s.shifted(fyne.KeyHome)
	s.wantCopied("End and Shift+Home", all)
	s.press(fyne.KeyEscape)
	if _, open := s.log.Exchange(); !open || l.chosen.some {
		t.Errorf("after Escape: open %t, selected %+v", open, l.chosen)
	}
	if got := s.copied(); !strings.Contains(got, "curl -N") {
		t.Errorf("after Escape, copied %q", got)
	}
	s.press(fyne.KeyEscape, fyne.KeyEscape) // what is said, and then the inspector
	if _, open := s.log.Exchange(); open {
		t.Error("Escape does not leave the inspector any more")
	}
}

// The keys go through a line that is longer than the page, and keep in sight what they select.
func TestKeysGoThroughLongLines(t *testing.T) {
	s := sceneInspector(tabRequest)(t)
	in := s.inspector()
	l := in.bytes.left.text
	long := strings.Repeat("0123456789", 2000)
	l.set(nil, []presenter.Line{{Text: "first"}, {Text: long}, {Text: "last"}}, true)
	s.window.win.Canvas().Focus(l)
	s.press(fyne.KeyDown, fyne.KeyDown)
	before := l.GetScrollOffset()
	s.press(fyne.KeyDown)
	s.wantCopied("the long line", long)
	if got := l.GetScrollOffset(); got != before+textRowHeight {
		t.Errorf("Down scrolls from %v to %v", before, got)
	}
	for range 2 * len(l.rows) {
		if s.press(fyne.KeyDown); !l.chosen.has(1) {
			break
		}
	}
	s.wantCopied("the line below it", "last")
	if got := l.drawn(); !slices.Contains(got, "last") {
		t.Errorf("it is not in sight:\n%s", strings.Join(got, "\n"))
	}
	for range 2 * len(l.rows) {
		if s.press(fyne.KeyPageUp); l.chosen.has(0) {
			break
		}
	}
	s.wantCopied("the line above it", "first")
}

func TestOffersWhatCanBeCopied(t *testing.T) {
	s := sceneInspector(tabRequest)(t)
	in := s.inspector()
	in.headers.SetChecked(true)
	l := in.bytes.left.text
	for _, c := range []struct{ says, line, value string }{
		{"User-Agent", "User-Agent: claude-cli/2.1.330 (external, cli)", "claude-cli/2.1.330 (external, cli)"},
		{"X-Api-Key", "X-Api-Key: ••••••••", "••••••••"},
		{`"model"`, `  "model": "claude-haiku-4-5",`, "claude-haiku-4-5"},
		{`"max_tokens"`, `  "max_tokens": 32000,`, "32000"},
		{`"system"`, `  "system": [`, "[\n  {\n    \"type\": \"text\",\n    \"text\": \"You are a coding assistant. Be exact, and change as little as possible.\",\n    \"cache_control\": {\n      \"type\": \"ephemeral\"\n    }\n  }\n]"},
	} {
		for label, want := range map[string]string{"Copy line": c.line, "Copy value": c.value} {
			do := s.offered(l, c.says)[label]
			if do == nil {
				t.Fatalf("%s is not offered for %s", label, c.says)
			}
			do()
			if got := s.app.Clipboard().Content(); got != want {
				t.Errorf("%s of %s: %q", label, c.says, got)
			}
		}
	}
	s.click(l, `"model"`, 0)
	s.click(l, `"max_tokens"`, fyne.KeyModifierShift)
	offers := s.offered(l, `"model"`)
	if offers["Copy 2 lines"] == nil || len(offers) != 1 {
		t.Fatalf("for two lines: %v", offers)
	}
	offers["Copy 2 lines"]()
	if got := s.app.Clipboard().Content(); got != "  \"model\": \"claude-haiku-4-5\",\n  \"max_tokens\": 32000," {
		t.Errorf("two lines: %q", got)
	}
	s.press(fyne.KeyReturn)
	if s.menuOffers()["Copy 2 lines"] == nil {
		t.Error("Enter offers nothing")
	}
}

// What is selected stays so while an answer grows, and goes with what it is in.
func TestSelectionStaysWithItsLines(t *testing.T) {
	s := sceneNoRequests(t)
	x := workday()[12]
	x.Captured = true
	r := s.core.bytes.Open(x.ID)
	r.Answer(capture.UpstreamAnswer, 200, nil)
	r.Write(capture.UpstreamAnswer, []byte("data: first\n\ndata: second\n\n"))
	s.publish(x)
	s.window.requests.list.Select(0)
	in := s.inspector()
	in.tabs.choose(tabAnswer)
	l := in.bytes.left.text
	s.until("the first event", func() bool { return strings.Contains(l.content(), "second") })
	s.click(l, "first", 0)
	s.click(l, "second", fyne.KeyModifierShift)
	r.Write(capture.UpstreamAnswer, []byte("data: third\n\n"))
	x.Revision++
	s.publish(x)
	s.until("the third event", func() bool { return strings.Contains(l.content(), "third") })
	s.wantCopied("while it grows", "data: first\n\ndata: second")
	for name, change := range map[string]func(){
		"headers": func() { in.headers.SetChecked(!in.headers.Checked) },
		"tabs":    func() { in.tabs.choose(tabSummary); in.tabs.choose(tabAnswer) },
	} {
		s.click(l, "first", 0)
		change()
		if l.chosen.some {
			t.Errorf("%s: %+v is selected", name, l.chosen)
		}
	}
}

// The row of a request that has the cursor is what is copied, whatever is selected in another place.
func TestTheListCopiesItsRow(t *testing.T) {
	s := sceneInspector(tabRequest)(t)
	in := s.inspector()
	s.click(in.bytes.left.text, `"model"`, 0)
	s.window.win.Canvas().Focus(in.more)
	s.wantCopied("with the cursor elsewhere", `  "model": "claude-haiku-4-5",`)
	s.window.requests.focus()
	if got := s.copied(); !strings.Contains(got, "curl -N") {
		t.Errorf("copied %q", got)
	}
	test.Tap(in.shut)
	if _, open := s.log.Exchange(); open {
		t.Error("it cannot be closed with a click while lines are selected and something is said")
	}
}
