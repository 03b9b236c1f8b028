package ui

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2/test"

	"apex-ai-proxy/proxy/probe"
	"apex-ai-proxy/ui/presenter"
)

// TestConnectionIsTested tests what is typed, before it is saved, and puts the cursor where
// something is wrong.
func TestConnectionIsTested(t *testing.T) {
	c := readyCore()
	c.finding = probe.Finding{Cause: probe.WrongGateway, Gateways: []string{"office"}}
	s, p := openSettings(t, c)
	if !p.test.result.Hidden {
		t.Error("a result before a test")
	}
	retype(p.field(presenter.FieldGateway).entry, "work")
	test.Tap(p.test.button)
	if !p.test.button.Disabled() || p.test.text.text != "Asking the gateway…" {
		t.Errorf("meanwhile it says %q", p.test.text.text)
	}
	s.until("the finding", func() bool { return !p.test.running })
	if got := c.tested[0].Gateway.ID; got != "work" || len(c.saved) > 0 {
		t.Errorf("tested %q, saved %v", got, c.saved)
	}
	if p.test.dot.tone != presenter.ToneBad || !strings.Contains(p.test.detail.text, "office") || p.test.button.Disabled() {
		t.Errorf("%q, %q", p.test.text.text, p.test.detail.text)
	}
	if s.window.win.Canvas().Focused() != p.field(presenter.FieldGateway).entry {
		t.Error("the cursor is not where it is needed")
	}
	retype(p.field(presenter.FieldGateway).entry, "office")
	if !p.test.result.Hidden {
		t.Error("the result is still there although another gateway was typed")
	}
}

// TestStaleFindingIsDropped changes what is tested during the test.
func TestStaleFindingIsDropped(t *testing.T) {
	c := readyCore()
	s, p := openSettings(t, c)
	test.Tap(p.test.button)
	retype(p.field(presenter.FieldGateway).entry, "work")
	s.until("the test", func() bool { c.mu.Lock(); defer c.mu.Unlock(); return len(c.tested) == 1 })
	s.Close()
	s.settle()
	if !p.test.result.Hidden || p.test.running {
		t.Errorf("it says %q", p.test.text.text)
	}
}

// TestFirstSaveTests tests when nothing is missing any more, once.
func TestFirstSaveTests(t *testing.T) {
	c := newFakeCore()
	c.finding = probe.Finding{Cause: probe.TokenRefused}
	s, p := openSettings(t, c)
	retype(p.field(presenter.FieldAccount).entry, "0123456789abcdef0123456789abcdef")
	retype(p.field(presenter.FieldGateway).entry, "home")
	test.Tap(p.save)
	s.until("the saved settings", func() bool { return p.said == "Saved." })
	if len(c.tested) != 0 {
		t.Error("it was tested without a token")
	}
	test.Type(p.token.entry, "made-up-token")
	test.Tap(p.token.store)
	s.until("the finding", func() bool { return p.test.verdict.Text != "" })
	if len(c.tested) != 1 || p.test.verdict.Field != presenter.FieldToken {
		t.Errorf("%d tests, %+v", len(c.tested), p.test.verdict)
	}
	if s.window.win.Canvas().Focused() == p.token.entry {
		t.Error("a test that nobody asked for took the cursor")
	}
	retype(p.field(presenter.FieldGateway).entry, "work")
	p.said = ""
	test.Tap(p.save)
	s.until("the saved settings", func() bool { return p.said == "Saved." })
	if len(c.tested) != 1 {
		t.Error("it was tested again")
	}
}

// TestOwnKeyIsShown puts the cursor into the key that a provider did not take.
func TestOwnKeyIsShown(t *testing.T) {
	c := readyCore()
	c.secrets[presenter.ProviderKey("groq")] = "made-up"
	c.finding = probe.Finding{Cause: probe.OwnKey, Provider: "groq"}
	s, p := openSettings(t, c)
	test.Tap(p.test.button)
	s.until("the finding", func() bool { return p.test.verdict.Text != "" })
	if s.window.win.Canvas().Focused() != p.keys.rows[2].secret.entry {
		t.Error("the cursor is not in the key")
	}
}
