package ui

import (
	"errors"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/proxy/prose"
	"apex-ai-proxy/ui/presenter"
)

// unsavedStage has edits on both pages and a window that ends the program when it closes.
func unsavedStage(t *testing.T) *stage {
	c := namedCore()
	c.settings.App.KeepRunning = false
	s, p := openModels(t, c)
	retype(p.own.rows[1].models, "gpt-5-mini#openai")
	retype(s.window.settings.field(presenter.FieldGateway).entry, "office")
	s.window.open(pageOverview)
	return s
}

func (s *stage) asked() *question {
	s.t.Helper()
	q := s.window.unsaved
	if q == nil || s.quits > 0 || s.quitting {
		s.t.Fatalf("asked %v, quit %d times, quitting %t", q != nil, s.quits, s.quitting)
	}
	return q
}

func TestQuitAsksAboutEdits(t *testing.T) {
	t.Run("save", func(t *testing.T) {
		s := unsavedStage(t)
		s.window.close()
		q := s.asked()
		if s.window.win.Canvas().Focused() != q.save || s.window.current != pageModels {
			t.Errorf("page %d, and Save has not got the focus", s.window.current)
		}
		test.Tap(q.save)
		s.until("the end", func() bool { return s.quits == 1 })
		if got := s.core.Settings(); got.Gateway.ID != "office" || got.Aliases["best"] != "gpt-5-mini#openai" {
			t.Errorf("saved: %+v %+v", got.Gateway, got.Aliases)
		}
	})
	t.Run("discard", func(t *testing.T) {
		s := unsavedStage(t)
		s.menuItem("Quit").Action()
		test.Tap(s.asked().discard)
		s.until("the end", func() bool { return s.quits == 1 })
		if got := s.core.Settings(); got.Gateway.ID != "home" {
			t.Errorf("saved: %+v", got.Gateway)
		}
	})
	t.Run("cancel", func(t *testing.T) {
		s := unsavedStage(t)
		s.quit()
		s.quit() // asks nothing twice
		test.Tap(s.asked().cancel)
		s.settle()
		if s.window.unsaved != nil || s.quitting || s.window.settings.form.Text(presenter.FieldGateway) != "office" {
			t.Error("not as it was before")
		}
		s.quit()
		s.asked().save.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
		if s.window.unsaved != nil || s.quitting {
			t.Error("Escape does not cancel")
		}
	})
	t.Run("not asked by the system", func(t *testing.T) {
		s := unsavedStage(t)
		s.Leave()
		s.until("the end", func() bool { return s.quits == 1 })
		if s.window.unsaved != nil {
			t.Error("it asks")
		}
	})
}

func TestQuitKeepsWhatCannotBeSaved(t *testing.T) {
	t.Run("wrong", func(t *testing.T) {
		s := unsavedStage(t)
		f := s.window.settings.field(presenter.FieldAccount)
		retype(f.entry, "0123")
		s.quit()
		q := s.asked()
		if f.marked == "" {
			t.Error("the question speaks of what is marked, and nothing is")
		}
		if !q.save.Disabled() || s.window.win.Canvas().Focused() != q.cancel {
			t.Error("what is wrong can be saved")
		}
	})
	t.Run("refused", func(t *testing.T) {
		s := unsavedStage(t)
		s.core.saveErr = &settings.ValidationError{Problems: []settings.Problem{{Field: presenter.FieldGateway, Text: prose.New("no")}}}
		s.quit()
		test.Tap(s.asked().save)
		s.until("an answer", func() bool { return s.window.settings.bad })
		if s.quitting || s.window.current != pageSettings || !strings.HasPrefix(s.window.settings.message.text, "Not saved.") {
			t.Errorf("quitting %t, page %d", s.quitting, s.window.current)
		}
	})
	t.Run("a token that is refused", func(t *testing.T) {
		c := readyCore()
		c.secretErr = errors.New("no")
		s := newStage(t, c)
		s.start()
		s.window.settings.token.edit()
		test.Type(s.window.settings.token.entry, "typed")
		s.quit()
		test.Tap(s.asked().save)
		f := s.window.settings.token
		s.until("the refusal", func() bool { return f.wrong != "" })
		if s.quitting || f.entry.Text != "typed" || s.window.current != pageSettings {
			t.Errorf("quitting %v, typed %q, page %d", s.quitting, f.entry.Text, s.window.current)
		}
	})
	t.Run("tokens and edits", func(t *testing.T) {
		s := unsavedStage(t)
		test.Type(s.window.settings.token.entry, "typed")
		test.Type(s.window.settings.keys.rows[0].secret.entry, "key")
		s.quit()
		test.Tap(s.asked().save)
		s.until("the end", func() bool { return s.quits == 1 })
		if got := s.core.secret(presenter.GatewayToken) + " " + s.core.secret(presenter.ProviderKey("openai")); got != "typed key" || s.core.Settings().Gateway.ID != "office" {
			t.Errorf("stored %q, saved %+v", got, s.core.Settings().Gateway)
		}
	})
	t.Run("a token in the guide", func(t *testing.T) {
		c := newUser()
		s, g := startGuide(t, c)
		g.turn(presenter.GuideToken)
		test.Type(g.token.entry, "typed")
		s.quit()
		test.Tap(s.asked().save)
		s.until("the end", func() bool { return s.quits == 1 })
		if got := c.secret(presenter.GatewayToken); got != "typed" {
			t.Errorf("stored %q", got)
		}
	})
}
