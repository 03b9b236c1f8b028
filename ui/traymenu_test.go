package ui

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"apex-ai-proxy/ui/presenter"
)

// fakeBar is a desktop's tray menu.
type fakeBar struct {
	lines []*fakeLine
	made  int // lines, ever
	told  int // how often the desktop was told of a change

	clicked func() // after a click; may be nil
}

func (b *fakeBar) reset()    { b.lines = nil }
func (b *fakeBar) separate() { b.made++ }

func (b *fakeBar) line(parent trayLine, toggle bool, chosen func()) trayLine {
	b.made++
	l := &fakeLine{bar: b, toggle: toggle, Action: func() {
		chosen()
		if b.clicked != nil {
			b.clicked()
		}
	}}
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
		compareLine(t, l, it)
		compareWithin(t, l.children, it.Children)
	}
	if len(want) > 0 && len(lines) > 0 {
		t.Errorf("%d lines too many, the first is %q", len(lines), lines[0].Label)
	}
}

func compareLine(t *testing.T, l *fakeLine, it presenter.TrayItem) {
	t.Helper()
	if l.Label != menuLabel(runtime.GOOS, it.Label) || l.Disabled == it.Enabled || l.Checked != it.Checked {
		t.Errorf("the menu says %q, disabled %t, checked %t; want %+v", l.Label, l.Disabled, l.Checked, it)
	}
}

// compareWithin compares a menu within the menu, whose lines have their own order.
func compareWithin(t *testing.T, lines []*fakeLine, want []presenter.TrayItem) {
	t.Helper()
	if len(want) == 0 {
		return // it cannot be opened
	}
	for _, l := range lines {
		if l.hidden != l.removed || l.lacking {
			t.Errorf("%q: hidden %t, on Windows %t; ticked without being able to %t", l.Label, l.hidden, l.removed, l.lacking)
		}
	}
	lines = visible(lines)
	if len(lines) != len(want) {
		t.Errorf("%d lines within; want %d", len(lines), len(want))
	}
	for _, it := range want {
		label := menuLabel(runtime.GOOS, it.Label)
		i := slices.IndexFunc(lines, func(l *fakeLine) bool { return l.Label == label })
		if i < 0 {
			t.Fatalf("%q is not in the menu", it.Label)
		}
		compareLine(t, lines[i], it)
	}
}

// TestTrayMenuIsMadeOnce: Windows numbers the lines of menus in 16 bits, and a menu of some
// two dozen lines that is made anew has no numbers left after 2,700 changes.
func TestTrayMenuIsMadeOnce(t *testing.T) {
	const changes = 10_000
	bar := &fakeBar{}
	tray := presenter.Tray{}
	menu := newTrayMenu(bar, tray.Menu(), func(presenter.TrayItem) {})
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

// TestTrayChoosesWhatWasShown: the menu may change between the moment in which somebody
// reads it and the click, and between the click and the moment in which it is seen to.
func TestTrayChoosesWhatWasShown(t *testing.T) {
	for name, late := range map[string]bool{"before the click": false, "after it": true} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, readyCore())
			s.start()
			used := 0
			use := func(model string) {
				x := workday()[1]
				used++
				x.ID, x.Start, x.ModelUsed, x.Provider = fmt.Sprintf("req_%d", used), time.Now(), model, "groq"
				s.publish(x)
			}
			use("m")
			use("p")
			read := map[string]*fakeLine{}
			for _, l := range s.menuItem("Default model").within() {
				read[l.Label] = l
			}
			change := func() {
				for i := range 3 { // before, between and behind the names that were read
					for _, first := range []string{"a", "n", "z"} {
						use(fmt.Sprintf("%s%d", first, i))
					}
				}
				use("p") // and "m" has gone
			}
			if !late {
				change()
			}
			s.panel.clicked = nil
			read["m#groq"].Action()
			if late {
				change()
			}
			s.settle()
			if late {
				s.until("the choice", func() bool { return presenter.DefaultModel(s.settings) != "" })
			}
			if got := presenter.DefaultModel(s.settings); got != "m#groq" && (late || got != "") {
				t.Fatalf("%q was chosen for m#groq", got)
			}
			read["p#groq"].Action()
			s.until("the choice", func() bool { return presenter.DefaultModel(s.settings) == "p#groq" })
		})
	}
}

// TestTrayDoesWhatWasShown: a click on "Stop" does not start what has stopped meanwhile.
func TestTrayDoesWhatWasShown(t *testing.T) {
	s := newStage(t, readyCore())
	s.start()
	s.settle()
	stop := s.menuItem("Stop")
	s.core.set(presenter.Status{State: presenter.Stopped, Addr: "127.0.0.1:8787"}) // by itself
	stop.Action()
	s.until("the end of the proxy", func() bool { return s.status.State == presenter.Stopped })
	s.settle()
	s.menuItem("Start")
	if got := s.core.Status().State; got != presenter.Stopped {
		t.Errorf("the proxy is in state %d", got)
	}
}

// TestTrayChoiceThatWentAway: a line may be clicked at the moment in which it is hidden.
func TestTrayChoiceThatWentAway(t *testing.T) {
	s := newStage(t, readyCore())
	s.start()
	for _, p := range s.tray.menu {
		for _, l := range p.spare {
			l.line.(*fakeLine).Action()
		}
	}
	s.settle()
	if got := presenter.DefaultModel(s.settings); got != "" {
		t.Errorf("it chose %q", got)
	}
}
