package ui

import (
	"runtime"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/ui/presenter"
)

// press gives keys as the driver hands them on: to what has the focus, or to the canvas.
func (s *stage) press(keys ...fyne.KeyName) {
	c := s.window.win.Canvas()
	for _, k := range keys {
		if f := c.Focused(); f != nil {
			f.TypedKey(&fyne.KeyEvent{Name: k})
		} else if f := c.OnTypedKey(); f != nil {
			f(&fyne.KeyEvent{Name: k})
		}
	}
}

// Escape closes whatever asks or tells something, wherever the cursor is in it.
func TestEscapeClosesBoxes(t *testing.T) {
	for name, open := range map[string]func(*stage){
		"message": func(s *stage) { s.window.tell("It did not work.") },
		"port": func(s *stage) {
			s.offer = portOffer{port: &presenter.PortError{Addr: "127.0.0.1:8787"}, addr: "127.0.0.1:8788"}
			s.askPort()
		},
		"draft": func(s *stage) { s.inspector().edit() },
		"save":  func(s *stage) { s.window.save(presenter.HAR, []event.Exchange{}) },
		"open":  func(s *stage) { s.window.settings.chooseImport() },
	} {
		t.Run(name, func(t *testing.T) {
			s := sceneInspector(tabRequest)(t)
			c := s.window.win.Canvas()
			steps := 4
			if name == "save" || name == "open" { // what comes next in them is Fyne's own
				steps = 1
			}
			for step := range steps {
				open(s)
				if c.Overlays().Top() == nil {
					t.Fatal("nothing opens")
				}
				for range step {
					c.FocusNext()
				}
				s.press(fyne.KeyEscape)
				if c.Overlays().Top() != nil {
					t.Fatalf("after %d steps Escape does not close it", step)
				}
				s.offer.dialog = nil
			}
		})
	}
}

// Keys of the page do not reach it while a box or a menu is above it. To quit is for any time.
func TestKeysStayInBoxes(t *testing.T) {
	for name, open := range map[string]func(*stage){
		"message": func(s *stage) { s.window.tell("It did not work.") },
		"draft":   func(s *stage) { s.inspector().edit() },
		"save":    func(s *stage) { s.window.save(presenter.HAR, []event.Exchange{}) },
		"menu":    func(s *stage) { s.window.requests.from.Tapped(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			s := sceneInspector(tabRequest)(t)
			open(s)
			top := s.window.win.Canvas().Overlays().Top()
			if top == nil {
				t.Fatal("nothing opens")
			}
			for _, k := range s.window.keys() {
				if k.keys.Key() != fyne.KeyQ {
					s.window.pass(k.keys)
				}
			}
			if s.window.current != pageRequests || !s.window.visible || s.window.win.Canvas().Overlays().Top() != top {
				t.Errorf("they lead to page %d, visible %t", s.window.current, s.window.visible)
			}
		})
	}
	s := sceneReady(t)
	s.window.tell("It did not work.")
	for _, k := range s.window.keys() {
		if k.keys.Key() == fyne.KeyQ {
			s.window.pass(k.keys)
		}
	}
	if !s.quitting {
		t.Error("the program cannot be quit")
	}
}

// Return and Escape answer a question of Fyne's own with No, and leave the dialog below open.
func TestReturnOverwritesNothing(t *testing.T) {
	s := sceneInspector(tabSummary)(t)
	c := s.window.win.Canvas()
	s.window.save(presenter.HAR, nil)
	files := c.Overlays().Top()
	for _, key := range []fyne.KeyName{fyne.KeyReturn, fyne.KeyEnter, fyne.KeyEscape} {
		var answers []bool
		dialog.ShowConfirm("Overwrite?", "Are you sure?", func(yes bool) { answers = append(answers, yes) }, s.window.win)
		s.press(key)
		if !slices.Equal(answers, []bool{false}) || c.Overlays().Top() != files || s.window.file == nil {
			t.Errorf("%s answers %v, the dialog below is open: %t", key, answers, s.window.file != nil)
		}
	}
}

// The list of keys has every key that is bound, and no other.
func TestKeysAreListed(t *testing.T) {
	s := sceneReady(t)
	s.window.pass(&desktop.CustomShortcut{KeyName: fyne.KeySlash, Modifier: fyne.KeyModifierShortcutDefault})
	var texts []string
	for _, o := range test.LaidOutObjects(s.window.win.Canvas().Overlays().Top()) {
		if l, ok := o.(*line); ok {
			texts = append(texts, l.text)
		}
	}
	var does []string
	for _, k := range s.window.keys() {
		does = append(does, k.does)
	}
	for _, k := range s.window.requests.list.keys() {
		does = append(does, k.does)
	}
	for _, k := range lineKeys() {
		does = append(does, k.does)
	}
	for _, text := range does {
		if text == "" || !slices.Contains(texts, text) {
			t.Errorf("%q is not in %q", text, texts)
		}
	}
	does = slices.Compact(does)
	if want := 5 + 2*len(does); len(texts) != want { // with the titles, one of them of two columns
		t.Errorf("%d texts for %d keys", len(texts), len(does))
	}
	if slash := "Ctrl+/"; runtime.GOOS != "darwin" && !slices.Contains(texts, slash) {
		t.Errorf("no %s in %q", slash, texts)
	}
}

// Return presses the button that has the focus in a box.
func TestReturnAnswersBoxes(t *testing.T) {
	for _, key := range []fyne.KeyName{fyne.KeyReturn, fyne.KeyEnter} {
		s := sceneReady(t)
		done := 0
		s.window.ask("Do it?", "Do it", newParagraph("Something is done."), boxWidth, 0, func() { done++ })
		s.press(key)
		if done != 1 || len(s.window.boxes) > 0 {
			t.Errorf("%s: done %d times", key, done)
		}
		q := s.window.ask("Do it?", "Do it", newParagraph("Something is done."), boxWidth, 0, func() { done++ })
		s.window.win.Canvas().Focus(q.cancel)
		if s.press(key); done != 1 || len(s.window.boxes) > 0 {
			t.Errorf("%s on Cancel: done %d times", key, done)
		}
	}
}

// A dialog with files uses the room of the window, and takes the name that is typed.
func TestFilesUseTheRoom(t *testing.T) {
	s := sceneInspector(tabSummary)(t)
	c := s.window.win.Canvas()
	s.window.win.Resize(size(1280, 780))
	s.window.save(presenter.HAR, nil)
	popUp := overlaid(c.Overlays().Top()).(*widget.PopUp)
	if got := popUp.Content.Size(); got.Width < filesWidth-20 || got.Height < filesHeight-20 {
		t.Errorf("it is %v large", got)
	}
	e, ok := c.Focused().(*entry)
	if !ok || e.Text != "requests.har" {
		t.Fatalf("the cursor is in %T", c.Focused())
	}
	test.Type(e, "x")
	if !strings.HasPrefix(e.Text, "x") || e.Text != "xrequests.har" {
		t.Errorf("the name is %q", e.Text)
	}
}

// A box is no higher than what it says needs, and its title and texts begin at one line.
func TestBoxFitsItsContent(t *testing.T) {
	s := sceneReady(t)
	s.window.tell("It did not work.")
	popUp := overlaid(s.window.win.Canvas().Overlays().Top()).(*widget.PopUp)
	small := popUp.Content.Size().Height
	driver, left := fyne.CurrentApp().Driver(), map[float32]bool{}
	for _, o := range popUp.Content.(*fyne.Container).Objects[0].(*fyne.Container).Objects[:2] {
		left[driver.AbsolutePositionForObject(o).X] = true
	}
	if small > 180 || len(left) != 1 {
		t.Errorf("%v high, texts begin at %v", small, left)
	}
	s.press(fyne.KeyEscape)
	s.window.tell(strings.Repeat("It did not work. ", 30))
	popUp = overlaid(s.window.win.Canvas().Overlays().Top()).(*widget.PopUp)
	if h := popUp.Content.Size().Height; h < small+60 || h < popUp.Content.MinSize().Height {
		t.Errorf("%v high, the content needs %v", h, popUp.Content.MinSize().Height)
	}
}
