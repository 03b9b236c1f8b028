package ui

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/test"

	"apex-ai-proxy/proxy/probe"
	"apex-ai-proxy/proxy/prose"
	"apex-ai-proxy/ui/presenter"
)

const testAccount = "0123456789abcdef0123456789abcdef"

func newUser() *fakeCore {
	c := newFakeCore()
	c.settings.App.Guided = false
	c.status.State = presenter.Running
	return c
}

func startGuide(t *testing.T, c *fakeCore) (*stage, *guide) {
	t.Helper()
	s := newStage(t, c)
	s.start()
	if !s.window.guide.shown || s.window.guide.content.Hidden || !s.window.pane.Hidden {
		t.Fatal("a new user is not guided")
	}
	return s, s.window.guide
}

// at waits until the guide is at a step.
func (s *stage) at(step presenter.GuideStep) {
	s.t.Helper()
	s.until("the next step", func() bool { return s.window.guide.step == step })
}

// TestGuideLeadsThrough goes from the account to the first client with the keyboard.
func TestGuideLeadsThrough(t *testing.T) {
	c := newUser()
	c.finding = probe.Finding{Cause: probe.OK}
	s, g := startGuide(t, c)
	cv := s.window.win.Canvas()
	if cv.Focused() != g.account.entry || !g.next.Disabled() || !g.back.Disabled() {
		t.Errorf("focus %T, next disabled %v", cv.Focused(), g.next.Disabled())
	}
	test.Type(g.account.entry, "0123")
	if g.next.Disabled() || g.account.note.Visible() || g.account.wrong != "" {
		t.Errorf("while it is typed: next disabled %v, note %q", g.next.Disabled(), g.account.note.text)
	}
	test.Tap(g.next)
	s.settle()
	if !g.next.Disabled() || g.step != presenter.GuideAccount || c.Settings().Gateway.Account != "" || !strings.Contains(g.account.note.text, "32 characters") {
		t.Errorf("Next leads from half an ID to step %d, note %q", g.step, g.account.note.text)
	}
	retype(g.account.entry, "nonsense")
	if !g.next.Disabled() || !strings.Contains(g.account.note.text, "32 characters") {
		t.Errorf("next disabled %v, note %q", g.next.Disabled(), g.account.note.text)
	}
	retype(g.account.entry, testAccount)
	g.account.entry.OnSubmitted("")
	s.at(presenter.GuideGateway)
	if got := c.Settings(); got.Gateway.Account != testAccount || got.App.Guided {
		t.Errorf("saved %+v", got.Gateway)
	}
	if cv.Focused() != g.gateway.entry {
		t.Errorf("focus %T", cv.Focused())
	}
	test.Type(g.gateway.entry, "home")
	test.Tap(g.next)
	s.at(presenter.GuideToken)
	if cv.Focused() != g.token.entry || !g.next.Disabled() {
		t.Errorf("focus %T, next disabled %v", cv.Focused(), g.next.Disabled())
	}
	if test.Type(g.token.entry, testAccount); !g.next.Disabled() || !g.token.note.Visible() || !strings.Contains(g.token.note.text, "account ID") {
		t.Errorf("the account's ID is taken for the token: note %q", g.token.note.text)
	}
	retype(g.token.entry, "Bearer made-up-token")
	test.Tap(g.next)
	s.at(presenter.GuideKeys)
	test.Tap(g.next)
	s.at(presenter.GuideTest)
	s.until("the finding", func() bool { return g.test.verdict.Text != "" })
	if got := c.secret(presenter.GatewayToken); got != "made-up-token" || c.tested[0].Gateway.ID != "home" {
		t.Errorf("stored %q, tested %+v", got, c.tested)
	}
	if !g.mend.Hidden || cv.Focused() != g.next {
		t.Errorf("mend hidden %v, focus %T", g.mend.Hidden, cv.Focused())
	}
	test.Tap(g.next)
	s.at(presenter.GuideClient)
	if cv.Focused() != g.next { // Enter finishes, and chooses no client
		t.Errorf("focus %T", cv.Focused())
	}
	test.Tap(g.clients[1])
	s.until("the end", func() bool { return c.Settings().App.Guided })
	if g.shown || s.window.current != pageClients || s.clients.Chosen() != "codex" || s.window.pane.Hidden {
		t.Errorf("shown %v, page %d, client %q", g.shown, s.window.current, s.clients.Chosen())
	}
	if s.window.guide.show(); s.window.guide.account.entry.Text != testAccount {
		t.Error("the guide does not show what is set up")
	}
}

// TestGuideTakesATypedAddress: the address of the dashboard need not be pasted.
func TestGuideTakesATypedAddress(t *testing.T) {
	s, g := startGuide(t, newUser())
	test.Type(g.account.entry, "dash.cloudflare.com/"+testAccount)
	if g.next.Disabled() || g.account.note.Visible() {
		t.Fatalf("refused: %q", g.account.note.text)
	}
	test.Tap(g.next)
	s.at(presenter.GuideGateway)
	if got := s.core.Settings().Gateway.Account; got != testAccount || g.account.entry.Text != testAccount {
		t.Errorf("saved %q, shown %q", got, g.account.entry.Text)
	}
	test.Type(g.gateway.entry, "https://dash.cloudflare.com/"+testAccount+"/ai/ai-gateway/gateways/home")
	s.window.win.Canvas().Focus(g.next)
	if g.gateway.entry.Text != "home" {
		t.Errorf("the field that was left shows %q", g.gateway.entry.Text)
	}
}

// TestGuideSkipsWithoutLoss skips with something typed at each step.
func TestGuideSkipsWithoutLoss(t *testing.T) {
	t.Run("valid", func(t *testing.T) {
		c := newUser()
		s, g := startGuide(t, c)
		test.Type(g.account.entry, testAccount)
		test.Tap(g.skip)
		s.until("the end", func() bool { return c.Settings().App.Guided })
		if c.Settings().Gateway.Account != testAccount || s.window.current != pageOverview || g.shown {
			t.Errorf("%+v on page %d", c.Settings().Gateway, s.window.current)
		}
	})
	t.Run("not valid", func(t *testing.T) {
		c := newUser()
		s, g := startGuide(t, c)
		test.Type(g.account.entry, "half-typed")
		test.Tap(g.skip)
		s.until("the end", func() bool { return c.Settings().App.Guided })
		if got := s.window.settings.field(presenter.FieldAccount).entry.Text; got != "half-typed" || c.Settings().Gateway.Account != "" {
			t.Errorf("in the settings %q, saved %q", got, c.Settings().Gateway.Account)
		}
	})
	t.Run("token", func(t *testing.T) {
		c := newUser()
		s, g := startGuide(t, c)
		g.turn(presenter.GuideToken)
		test.Type(g.token.entry, "made-up-token")
		test.Tap(g.skip)
		s.until("the end", func() bool { return c.Settings().App.Guided })
		if c.secret(presenter.GatewayToken) != "made-up-token" {
			t.Error("the token is not stored")
		}
	})
	t.Run("token without keychain", func(t *testing.T) {
		c := newUser()
		c.secretErr = &presenter.SecretError{State: presenter.SecretLocked, Err: errors.New("locked")}
		s, g := startGuide(t, c)
		g.turn(presenter.GuideToken)
		test.Type(g.token.entry, "made-up-token")
		test.Tap(g.next)
		s.until("the refusal", func() bool { return g.token.wrong != "" })
		if g.step != presenter.GuideToken || g.next.Disabled() || g.next.Text != "Try again" || !strings.Contains(g.say.text, "GATEWAY_TOKEN") {
			t.Errorf("step %d, next %q disabled %v, said %q", g.step, g.next.Text, g.next.Disabled(), g.say.text)
		}
		test.Tap(g.skip) // once is enough
		s.until("the end", func() bool { return c.Settings().App.Guided })
		if got := s.window.settings.token.entry.Text; got != "made-up-token" {
			t.Errorf("in the settings %q", got)
		}
	})
	t.Run("another page", func(t *testing.T) {
		c := newUser()
		s, g := startGuide(t, c)
		g.turn(presenter.GuideToken)
		test.Type(g.token.entry, "made-up-token")
		s.window.open(pageSettings)
		if g.shown || s.window.settings.token.entry.Text != "made-up-token" || c.Settings().App.Guided {
			t.Errorf("shown %v, token %q", g.shown, s.window.settings.token.entry.Text)
		}
	})
}

func TestGuideKeepsTheUserWhenSavingFails(t *testing.T) {
	c := newUser()
	c.saveErr = errors.New("write the settings: disk full")
	s, g := startGuide(t, c)
	test.Type(g.account.entry, testAccount)
	test.Tap(g.next)
	s.until("the failure", func() bool { return !g.moving })
	if g.step != presenter.GuideAccount || !strings.Contains(g.say.text, "disk full") || g.account.entry.Text != testAccount {
		t.Errorf("step %d, says %q", g.step, g.say.text)
	}
	test.Tap(g.skip) // which must always be a way out
	s.settle()
	if g.shown {
		t.Error("it cannot be skipped")
	}
}

func TestGuideLeadsBackToWhatIsWrong(t *testing.T) {
	c := newUser()
	c.finding = probe.Finding{Cause: probe.NoGateway}
	s, g := startGuide(t, c)
	g.turn(presenter.GuideTest)
	s.until("the finding", func() bool { return g.test.verdict.Text != "" })
	if g.mend.Hidden {
		t.Fatal("no way back to the field")
	}
	test.Tap(g.mend)
	if g.step != presenter.GuideGateway || s.window.win.Canvas().Focused() != g.gateway.entry {
		t.Errorf("step %d", g.step)
	}
	g.turn(presenter.GuideTest)
	test.Tap(g.back)
	if g.step != presenter.GuideKeys {
		t.Errorf("back at step %d", g.step)
	}
}

// What the test found wrong is told at the field, however the user comes back to it, until
// something else is filled in. It keeps nobody from going on: it may have been put right at
// Cloudflare.
func TestGuideTellsWhatIsWrongAtTheField(t *testing.T) {
	for name, cause := range map[string]probe.Cause{"account": probe.WrongAccount, "gateway": probe.WrongGateway, "token": probe.TokenRefused} {
		t.Run(name, func(t *testing.T) {
			c := newUser()
			c.settings.Gateway.Account, c.settings.Gateway.ID = testAccount, "home"
			c.secrets[presenter.GatewayToken] = "made-up"
			c.finding = probe.Finding{Cause: cause}
			s := newStage(t, c)
			s.start()
			g := s.window.guide
			g.show()
			said := func() string {
				g.refresh()
				return strings.TrimSpace(g.account.note.text + g.gateway.note.text + g.say.text)
			}
			if got := said(); got != "" {
				t.Errorf("%q is told before a test", got)
			}
			g.turn(presenter.GuideTest)
			s.until("the finding", func() bool { return g.test.verdict.Text != "" })
			step, _ := presenter.GuideStepOf(g.test.verdict.Field)
			for g.step > step {
				test.Tap(g.back)
			}
			if got := said(); !strings.HasPrefix(got, g.test.verdict.Text) || !g.ready() {
				t.Errorf("%q is told, going on is allowed: %t", got, g.ready())
			}
			g.form().SetText(presenter.FieldAccount, strings.Repeat("a", 32))
			g.turn(g.step)
			if got := said(); got != "" {
				t.Errorf("%q is told of what was replaced", got)
			}
		})
	}
}

// What was found wrong with a token is not told of another one.
func TestGuideForgetsWhatWasWrongWithATokenThatWasReplaced(t *testing.T) {
	c := newUser()
	c.settings.Gateway.Account, c.settings.Gateway.ID = testAccount, "home"
	c.secrets[presenter.GatewayToken] = "made-up"
	c.finding = probe.Finding{Cause: probe.TokenRefused}
	s := newStage(t, c)
	s.start()
	g := s.window.guide
	g.show()
	g.turn(presenter.GuideTest)
	s.until("the finding", func() bool { return !g.mend.Hidden })
	test.Tap(g.mend)
	g.token.entry.SetText("another-made-up")
	test.Tap(g.next)
	s.until("the next step", func() bool { return g.step > presenter.GuideToken })
	test.Tap(g.back)
	if g.step != presenter.GuideToken || g.say.text != "" {
		t.Errorf("at step %d, %q is told", g.step, g.say.text)
	}
}

func TestGuideWithoutAccount(t *testing.T) {
	c := newUser()
	s, g := startGuide(t, c)
	g.showDemo()
	if g.trial.Hidden || g.title.text != "Try it without an account" || !strings.Contains(g.try[0].text, "curl") {
		t.Errorf("title %q, command %q", g.title.text, g.try[0].text)
	}
	test.Tap(g.back)
	if g.demo || !g.trial.Hidden || g.step != presenter.GuideAccount {
		t.Error("there is no way back")
	}
	g.showDemo()
	test.Tap(g.next)
	s.until("the end", func() bool { return c.Settings().App.Guided })
	if g.shown || s.window.current != pageOverview {
		t.Errorf("page %d", s.window.current)
	}
}

func TestGuideIsNotForEverybody(t *testing.T) {
	broken := newUser()
	broken.notices = []prose.Text{prose.New("the settings file cannot be understood")}
	for name, c := range map[string]*fakeCore{"skipped": newFakeCore(), "set up": readyCore(), "broken file": broken} {
		if name == "set up" {
			c.settings.App.Guided = false
		}
		s := newStage(t, c)
		s.start()
		if s.window.guide.shown {
			t.Errorf("%s: guided", name)
		}
	}
}

// A page that is searched must not take the cursor from the guide.
func TestGuideKeepsTheCursor(t *testing.T) {
	s, g := startGuide(t, newUser())
	s.window.current = pageClients
	s.window.search()
	if s.window.win.Canvas().Focused() != g.account.entry {
		t.Error("the cursor went to a page that cannot be seen")
	}
}

func TestGuideOpensTheDashboard(t *testing.T) {
	c := newUser()
	s, g := startGuide(t, c)
	var opened []string
	var fail error
	s.opts.OpenURL = func(u *url.URL) error { opened = append(opened, u.String()); return fail }
	test.Tap(g.link)
	test.Type(g.account.entry, testAccount)
	test.Tap(g.next)
	s.at(presenter.GuideGateway)
	fail = errors.New("no browser")
	test.Tap(g.link)
	if len(opened) != 2 || opened[0] != "https://dash.cloudflare.com/" || opened[1] != "https://dash.cloudflare.com/"+testAccount+"/ai/ai-gateway" {
		t.Errorf("opened %v", opened)
	}
	if !strings.Contains(g.say.text, opened[1]) {
		t.Errorf("it says %q", g.say.text)
	}
}

// Keys must not be typed into what cannot be seen.
func TestNothingHiddenIsTypedInto(t *testing.T) {
	locked := func(t *testing.T) (*stage, *guide) {
		c := newUser()
		c.states[presenter.GatewayToken] = presenter.SecretLocked
		s, g := startGuide(t, c)
		s.until("the token's state", func() bool { return s.token == presenter.SecretLocked })
		g.turn(presenter.GuideGateway)
		return s, g
	}
	for name, leave := range map[string]func(s *stage, g *guide){
		"next step": func(_ *stage, g *guide) { g.turn(presenter.GuideToken) },
		"demo":      func(_ *stage, g *guide) { g.showDemo() },
		"closed":    func(_ *stage, g *guide) { g.hide() },
		"page":      func(s *stage, _ *guide) { s.window.open(pageModels) },
		"below a dialog": func(s *stage, _ *guide) {
			d := dialog.NewInformation("", "", s.window.win)
			d.Show()
			s.window.open(pageModels)
			d.Hide()
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, g := locked(t)
			cv := s.window.win.Canvas()
			if cv.Focused() != g.gateway.entry {
				t.Fatalf("focus %T", cv.Focused())
			}
			leave(s, g)
			press(cv)
			if got := g.form().Text(presenter.FieldGateway); got != "" || cv.Focused() == g.gateway.entry {
				t.Errorf("typed %q into the hidden field, focus %T", got, cv.Focused())
			}
		})
	}
	t.Run("between pages", func(t *testing.T) {
		s := newStage(t, newFakeCore())
		s.start()
		s.window.openSettings(presenter.FieldGateway)
		s.window.open(pageOverview)
		press(s.window.win.Canvas())
		if got := s.window.settings.form.Text(presenter.FieldGateway); got != "" {
			t.Errorf("typed %q", got)
		}
	})
}

// press types a letter into what has the cursor, if anything has.
func press(cv fyne.Canvas) {
	if f := cv.Focused(); f != nil {
		f.TypedRune('x')
	}
}

// A keychain that does not open must not keep a user in the guide.
func TestGuideGoesOnWithALockedKeychain(t *testing.T) {
	c := newUser()
	c.states[presenter.GatewayToken] = presenter.SecretLocked
	s, g := startGuide(t, c)
	s.until("the token's state", func() bool { return s.token == presenter.SecretLocked })
	g.turn(presenter.GuideToken)
	if g.next.Disabled() || g.without.Hidden || g.token.again.Hidden || !g.token.change.Hidden {
		t.Errorf("next disabled %v, told %v, check again %v, replace %v", g.next.Disabled(), !g.without.Hidden, !g.token.again.Hidden, !g.token.change.Hidden)
	}
	if f := s.window.win.Canvas().Focused(); f != g.next {
		t.Errorf("focus %T", f)
	}
	test.Tap(g.next)
	s.at(presenter.GuideKeys)
	if c.secret(presenter.GatewayToken) != "" {
		t.Error("something was stored")
	}
	g.turn(presenter.GuideToken)
	c.mu.Lock()
	delete(c.states, presenter.GatewayToken)
	c.mu.Unlock()
	test.Tap(g.token.again)
	s.until("the entry", func() bool { return !g.token.editing.Hidden })
	if !g.next.Disabled() || !g.without.Hidden || !g.token.again.Hidden {
		t.Error("the guide still speaks of the lock")
	}
}

// The hint names the button, so the button must be there.
func TestCheckAgainStaysWhileTyping(t *testing.T) {
	c := newFakeCore()
	c.states[presenter.GatewayToken] = presenter.SecretLocked
	s := newStage(t, c)
	s.start()
	s.until("the token's state", func() bool { return s.token == presenter.SecretLocked })
	s.window.openSettings(presenter.FieldToken)
	f := s.window.settings.token
	test.Type(f.entry, "made-up-token")
	if !strings.Contains(f.note.text, "check again") || !f.again.Visible() || f.reading.Hidden {
		t.Errorf("%q, button %v", f.note.text, f.again.Visible())
	}
}
