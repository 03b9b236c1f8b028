package ui

import (
	"errors"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"apex-ai-proxy/ui/presenter"
)

func TestTrayChoosesTheDefaultModel(t *testing.T) {
	s := sceneRequests(t)
	models := s.menuItem("Default model")
	if len(models.within()) == 0 {
		t.Fatal("the models that were used are not offered")
	}
	first := models.within()[0]
	first.Action()
	s.until("the settings to be saved", func() bool { return presenter.DefaultModel(s.settings) == first.Label })
	for _, it := range models.within() {
		if it.Checked != (it.Label == first.Label) {
			t.Errorf("%s is checked: %t", it.Label, it.Checked)
		}
	}
}

// Without a model to offer, the tray leads to the field in which one is typed, also where the
// window was never seen and has little room.
func TestTrayOpensTheDefaultModel(t *testing.T) {
	for name, shown := range map[string]bool{"shown": true, "hidden": false} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, readyCore())
			s.Start(!shown)
			s.until("the token's state", func() bool { return s.token != presenter.SecretChecking })
			if shown {
				s.window.win.Resize(size(760, 400))
			}
			s.menuItem("Default model…").Action()
			s.settle()
			p, c := s.window.models, s.window.win.Canvas()
			field := p.own.rows[0].models
			if p.form.Own()[0].Name != presenter.DefaultAlias || c.Focused() != fyne.Focusable(field) {
				t.Fatalf("the cursor is in %v", c.Focused())
			}
			if !inSight(p.scroll, field) || shown && p.scroll.Offset.Y == 0 {
				t.Errorf("the field is out of sight, or was never below it: %v", p.scroll.Offset)
			}
		})
	}
}

func TestTrayShowsTheLastError(t *testing.T) {
	s := sceneRequests(t)
	x := workday()[5]
	x.ID, x.Start = "req_now", workday()[12].Start
	s.publish(x)
	s.window.open(pageOverview)
	var label string
	for _, m := range s.panel.lines {
		if strings.HasPrefix(m.Label, "Last error: ") {
			label = m.Label
		}
	}
	if label == "" {
		t.Fatal("the last error is not in the menu")
	}
	show := s.menuItem(label).Action
	for _, id := range []string{"req_now", "req_next"} {
		if x.ID != id { // the same happens again, for which the menu says nothing new
			x.ID, x.Start = id, x.Start.Add(time.Second)
			s.publish(x)
			s.settle()
		}
		s.window.open(pageOverview)
		show()
		if s.window.current != pageRequests || s.window.requests.inspector.data.ID != id {
			t.Errorf("page %d shows %q", s.window.current, s.window.requests.inspector.data.ID)
		}
	}
}

func TestTrayLaunchesAtLogin(t *testing.T) {
	s := sceneReady(t)
	for _, want := range []bool{true, false} {
		s.menuItem("Launch at login").Action()
		s.until("the entry", func() bool { return (s.login == presenter.LoginOn) == want })
		if s.menuItem("Launch at login").Checked != want {
			t.Errorf("checked %t", !want)
		}
	}
	s.core.loginErr = errors.New("the folder cannot be written")
	s.menuItem("Launch at login").Action()
	s.until("the reason", func() bool { return s.window.win.Canvas().Overlays().Top() != nil })
	if s.menuItem("Launch at login").Checked {
		t.Error("it is checked although that did not work")
	}
}

// TestTheTrayOfNowComesLast: Fyne puts the icon that it had found at the start into the tray
// when there may be a newer one, and then makes its own menu in the place of ours.
func TestTheTrayOfNowComesLast(t *testing.T) {
	s := newStage(t, readyCore())
	s.Start(true)
	s.UI.Started()
	if s.parking.idle.Load() {
		t.Error("the loop rests before the tray is as it should be")
	}
	s.until("the running proxy", func() bool { return s.tray.icon == presenter.IconRunning })
	if s.tray.settled {
		t.Fatal("nothing has come from Fyne yet")
	}
	for range 2 {
		s.panel.reset()
		heard, ok := s.tray.first.Items[0].Shortcut.(fyne.KeyboardShortcut)
		if !ok || heard.Key() != "" || len(s.panel.lines) > 0 {
			t.Fatalf("heard %t, %d lines in the menu that is being made", ok, len(s.panel.lines))
		}
		s.settle()
		compare(t, s.panel.lines, s.tray.items())
		if !s.tray.settled || !s.parking.idle.Load() {
			t.Errorf("settled %t, the loop rests %t", s.tray.settled, s.parking.idle.Load())
		}
	}
}

func TestMenuLabel(t *testing.T) {
	const text = "R&D: invalid_api_key"
	for goos, want := range map[string]string{"darwin": text, "windows": "R&&D: invalid_api_key", "linux": "R&D: invalid__api__key", "freebsd": "R&D: invalid__api__key"} {
		if got := menuLabel(goos, text); got != want {
			t.Errorf("%s: %q", goos, got)
		}
	}
}
