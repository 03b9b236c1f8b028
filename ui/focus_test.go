package ui

import (
	"errors"
	"flag"
	"os"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/ui/presenter"
)

// inSight tells whether all of an object is in sight on the page that it scrolls with.
func inSight(s *scroll, o fyne.CanvasObject) bool {
	driver := fyne.CurrentApp().Driver()
	y := driver.AbsolutePositionForObject(o).Y - driver.AbsolutePositionForObject(s).Y
	return y >= 0 && y+o.Size().Height <= s.Size().Height
}

// Tab brings whatever it reaches into sight, forwards and backwards, on every page.
func TestTabBringsIntoSight(t *testing.T) {
	for name, scene := range map[string]func(*testing.T) *stage{
		"overview": sceneBusy, "models": sceneModels, "settings": sceneSettings, "clients": sceneClients,
		"guide": sceneGuide(presenter.GuideClient), "inspector": sceneInspector(tabSummary),
	} {
		t.Run(name, func(t *testing.T) {
			s := scene(t)
			s.window.win.Resize(size(760, 520))
			s.window.win.Content().Refresh()
			c := s.window.win.Canvas()
			for way, next := range map[string]func(){"Tab": c.FocusNext, "Shift+Tab": c.FocusPrevious} {
				seen := map[fyne.Focusable]bool{}
				for next(); !seen[c.Focused()]; next() {
					seen[c.Focused()] = true
					o := c.Focused().(fyne.CanvasObject)
					if page, _ := scrollOf(c.Content(), o); page != nil && !inSight(page, o) {
						t.Errorf("%s leaves %T %q out of sight", way, o, captionOf(o))
					}
				}
				if len(seen) < 3 {
					t.Errorf("%s reached only %d", way, len(seen))
				}
			}
		})
	}
}

// captionOf is the text by which a person knows a control.
func captionOf(o fyne.CanvasObject) string {
	switch o := o.(type) {
	case *button:
		return o.Text
	case *check:
		return o.Text
	case *selection:
		return o.Selected
	case *entry:
		return o.PlaceHolder
	default:
		return ""
	}
}

// The way that Tab takes through the settings, while nothing is set up and two fields are
// set on the command line. The tests of the program itself count their steps on it.
func TestSettingsFocusOrder(t *testing.T) {
	c := newFakeCore()
	c.over[settings.FieldListen], c.over[settings.FieldGatewayURL] = "flag --listen", "flag --gateway-url"
	s := newStage(t, c)
	s.hosted = false // as where the program itself is tested
	s.start()
	s.window.open(pageSettings)
	s.settle()
	p, canvas := s.window.settings, s.window.win.Canvas()
	names := map[fyne.Focusable]string{}
	for _, f := range p.fields {
		names[f.entry] = f.name
	}
	for _, f := range p.flags {
		names[f.check] = f.name
	}
	for _, f := range p.choices {
		names[f.choose] = f.name
	}
	var got strings.Builder
	for first := canvas.Focused(); ; {
		o := canvas.Focused()
		name, ok := names[o]
		if !ok {
			name = captionOf(o.(fyne.CanvasObject))
		}
		got.WriteString(name + "\n")
		if canvas.FocusNext(); canvas.Focused() == first {
			break
		}
	}
	const golden = "testdata/settings-focus.txt"
	if *update {
		if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(golden, []byte(got.String()), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || got.String() != string(want) {
		t.Errorf("%v: Tab goes\n%s\nwant\n%s\nUpdate it with -update when that is meant.", err, got.String(), want)
	}
}

var update = flag.Bool("update", false, "write what is compared with files in testdata")

// A page does not move below the mouse, nor when the window gets its focus back.
func TestPageStaysBelowTheMouse(t *testing.T) {
	s := sceneSettings(t)
	s.window.win.Resize(size(760, 520))
	p := s.window.settings
	c := s.window.win.Canvas()
	e := p.fields[1].entry
	p.scroll.ScrollToOffset(fyne.NewPos(0, 0))
	p.scroll.brought = nil
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(e).Y - fyne.CurrentApp().Driver().AbsolutePositionForObject(p.scroll).Y
	p.scroll.ScrollToOffset(fyne.NewPos(0, at+4)) // cut at the top
	before := p.scroll.Offset
	e.MouseDown(&desktop.MouseEvent{Button: desktop.MouseButtonPrimary})
	if c.Focused() != e || p.scroll.Offset != before {
		t.Errorf("a click moved the page from %v to %v", before, p.scroll.Offset)
	}
	c.Unfocus()
	c.Focus(e)
	if p.scroll.Offset == before {
		t.Error("the keyboard did not bring the field into sight")
	}
	test.Scroll(c, fyne.NewPos(400, 300), 0, -40*notch)
	before = p.scroll.Offset
	e.FocusLost()
	e.FocusGained()
	if p.scroll.Offset != before {
		t.Error("the page moves when the window gets its focus back")
	}
}

// TestTheSpaceOfAButtonIsNoText: the key that pressed a button goes on to where the button
// put the cursor.
func TestTheSpaceOfAButtonIsNoText(t *testing.T) {
	s := sceneReady(t)
	s.window.open(pageModels)
	p := s.window.models
	c := s.window.win.Canvas()
	c.Focus(p.add)
	p.add.TypedKey(&fyne.KeyEvent{Name: fyne.KeySpace})
	f := p.own.rows[len(p.own.rows)-1]
	if c.Focused() != f.name {
		t.Fatalf("the focus is on %T", c.Focused())
	}
	f.name.TypedRune(' ')
	if f.name.Text != "" {
		t.Errorf("the name is %q", f.name.Text)
	}
	f.name.TypedKey(&fyne.KeyEvent{Name: fyne.KeySpace})
	f.name.TypedRune(' ')
	if f.name.Text != " " {
		t.Errorf("a space that was typed makes the name %q", f.name.Text)
	}
}
