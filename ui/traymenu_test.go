package ui

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"apex-ai-proxy/ui/presenter"
)

// fakeBar is a desktop's tray menu.
type fakeBar struct {
	lines []*fakeLine
	made  int // lines, ever
	told  int // how often the desktop was told of a change
}

func (b *fakeBar) reset()    { b.lines = nil }
func (b *fakeBar) separate() { b.made++ }

func (b *fakeBar) line(parent trayLine, toggle bool, chosen func()) trayLine {
	b.made++
	l := &fakeLine{bar: b, toggle: toggle, Action: chosen}
	if in, ok := parent.(*fakeLine); ok {
		in.children = append(in.children, l)
	} else {
		b.lines = append(b.lines, l)
	}
	return l
}

// fakeLine is a line as a desktop shows it. On Windows a hidden line comes back with any
// change, elsewhere only with Show.
type fakeLine struct {
	bar      *fakeBar
	children []*fakeLine
	toggle   bool

	Label             string
	Disabled, Checked bool
	Action            func()

	hidden  bool // everywhere but on Windows
	removed bool // on Windows
	lacking bool // it was ticked although it cannot be, on Linux
}

func (l *fakeLine) change() { l.bar.told++; l.removed = false }

func (l *fakeLine) SetTitle(s string) { l.change(); l.Label = s }
func (l *fakeLine) Enable()           { l.change(); l.Disabled = false }
func (l *fakeLine) Disable()          { l.change(); l.Disabled = true }
func (l *fakeLine) Check()            { l.change(); l.Checked, l.lacking = true, !l.toggle }
func (l *fakeLine) Uncheck()          { l.change(); l.Checked = false }
func (l *fakeLine) Show()             { l.change(); l.hidden = false }
func (l *fakeLine) Hide()             { l.bar.told++; l.hidden, l.removed = true, true }

// within are the lines of the menu that the line opens.
func (l *fakeLine) within() []*fakeLine { return visible(l.children) }

func visible(lines []*fakeLine) (out []*fakeLine) {
	for _, l := range lines {
		if !l.hidden {
			out = append(out, l)
		}
	}
	return out
}

func (s *stage) menuItem(label string) *fakeLine {
	s.t.Helper()
	var labels []string
	for _, m := range visible(s.panel.lines) {
		if m.Label == label {
			return m
		}
		labels = append(labels, m.Label)
	}
	s.t.Fatalf("no menu item %q among %q", label, labels)
	return nil
}

// compare compares the menu of a desktop with what it is to say.
func compare(t *testing.T, lines []*fakeLine, want []presenter.TrayItem) {
	t.Helper()
	for _, l := range lines {
		if l.hidden != l.removed || l.lacking {
			t.Errorf("%q: hidden %t, on Windows %t; ticked without being able to %t", l.Label, l.hidden, l.removed, l.lacking)
		}
	}
	lines = visible(lines)
	for _, it := range want {
		if it.Separator {
			continue
		}
		if len(lines) == 0 {
			t.Fatalf("%q is not in the menu", it.Label)
		}
		l := lines[0]
		lines = lines[1:]
		if l.Label != menuLabel(runtime.GOOS, it.Label) || l.Disabled == it.Enabled || l.Checked != it.Checked {
			t.Errorf("the menu says %q, disabled %t, checked %t; want %+v", l.Label, l.Disabled, l.Checked, it)
		}
		compare(t, l.children, it.Children)
	}
	if len(want) > 0 && len(lines) > 0 {
		t.Errorf("%d lines too many, the first is %q", len(lines), lines[0].Label)
	}
}

// TestTrayMenuIsMadeOnce: Windows numbers the lines of menus in 16 bits, and a menu of some
// two dozen lines that is made anew has no numbers left after 2,700 changes.
func TestTrayMenuIsMadeOnce(t *testing.T) {
	const changes = 10_000
	bar := &fakeBar{}
	tray := presenter.Tray{}
	menu := newTrayMenu(bar, tray.Menu(), func(int, int) {})
	made := bar.made
	for n := range changes {
		tray = presenter.Tray{
			Headline: presenter.Headline{Text: fmt.Sprintf("Running: %d requests", n)}, Key: "key"[:n%4],
			Status: presenter.Status{State: presenter.State(n % 5), Addr: "127.0.0.1:8787"}, Quitting: n%7 == 0, Login: presenter.LoginState(n % 4),
		}
		for i := range n % 10 {
			tray.Models = append(tray.Models, fmt.Sprintf("model-%d#provider_%d", i, n%3))
		}
		if n%10 > 2 {
			tray.Model = tray.Models[n%3]
		}
		if n%3 == 0 {
			tray.Trouble = &presenter.Trouble{ID: "req", Text: fmt.Sprintf("error %d", n)}
		}
		menu.say(tray.Menu())
		if n%97 == 0 || n > changes-30 {
			compare(t, bar.lines, tray.Menu())
		}
		if t.Failed() {
			t.Fatalf("after %d changes", n)
		}
	}
	if bar.made != made || made > 100 {
		t.Errorf("%d lines were made, %d of them at the start", bar.made, made)
	}
	told := bar.told
	menu.say(tray.Menu())
	if bar.told != told {
		t.Errorf("the desktop was told %d times of nothing new", bar.told-told)
	}
}

// TestTrayMenuLivesAsLongAsTheProgram has the whole window see requests of many models.
func TestTrayMenuLivesAsLongAsTheProgram(t *testing.T) {
	s := newStage(t, readyCore())
	s.start()
	made := s.panel.made
	for n := range 200 {
		x := workday()[1+n%11]
		x.ID, x.Start = fmt.Sprintf("req_%d", n), time.Now()
		x.ModelUsed = fmt.Sprintf("model-%d", n)
		s.publish(x)
		compare(t, s.panel.lines, s.tray.items())
	}
	if s.panel.made != made {
		t.Errorf("%d lines were made after the start", s.panel.made-made)
	}
}

// TestTrayChoiceThatWentAway: a line may be clicked at the moment in which it is hidden.
func TestTrayChoiceThatWentAway(t *testing.T) {
	s := newStage(t, readyCore())
	s.start()
	for i, it := range s.tray.shown {
		if it.Most == 0 {
			continue
		}
		s.tray.choose(i, it.Most-1)
		s.settle()
		if presenter.DefaultModel(s.settings) != "" {
			t.Errorf("it chose %q", presenter.DefaultModel(s.settings))
		}
	}
}
