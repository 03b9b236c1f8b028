package ui

import (
	"errors"
	"math"
	"net/url"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/proxy/prose"
	"apex-ai-proxy/ui/presenter"
)

func openSettings(t *testing.T, c *fakeCore) (*stage, *settingsPage) {
	s := newStage(t, c)
	s.start()
	s.window.open(pageSettings)
	return s, s.window.settings
}

func (p *settingsPage) field(name string) *textField {
	for _, f := range p.fields {
		if f.name == name {
			return f
		}
	}
	return nil
}

func retype(e *entry, text string) {
	e.SetText("")
	test.Type(e, text)
}

func TestSettingsAreSaved(t *testing.T) {
	s, p := openSettings(t, newFakeCore())
	if !p.save.Disabled() {
		t.Error("there is nothing to save, but Save can be pressed")
	}
	retype(p.field(presenter.FieldAccount).entry, "0123456789abcdef0123456789abcdef")
	retype(p.field(presenter.FieldGateway).entry, "home")
	for _, f := range p.flags {
		if f.name == presenter.FieldKeepRunning {
			test.Tap(f.check)
		}
	}
	if p.save.Disabled() || p.message.text == "" {
		t.Fatalf("save disabled %v, message %q", p.save.Disabled(), p.message.text)
	}
	test.Tap(p.save)
	s.until("the saved settings", func() bool { return p.said == "Saved." })
	got := s.core.Settings()
	if got.Gateway.Account != "0123456789abcdef0123456789abcdef" || got.Gateway.ID != "home" || got.App.KeepRunning {
		t.Errorf("saved %+v", got)
	}
	if !p.save.Disabled() || p.message.text != "Saved." {
		t.Errorf("save disabled %v, message %q", p.save.Disabled(), p.message.text)
	}
	if s.settings.Gateway.ID != "home" {
		t.Error("the rest of the window does not know")
	}
}

func TestSettingsShowWhatIsWrong(t *testing.T) {
	s, p := openSettings(t, newFakeCore())
	f := p.field(presenter.FieldAccount)
	const wrong = "Something above needs to be corrected first."
	s.window.win.Canvas().Focus(f.entry)
	if retype(f.entry, "0123"); p.message.text == "" || p.message.text == wrong || f.note.text != f.hint || f.marked != "" || p.save.Disabled() {
		t.Errorf("while it is typed: %q with note %q", p.message.text, f.note.text)
	}
	if s.window.unfocus(); p.message.text != wrong || f.note.text == f.hint || f.marked == "" || !p.save.Disabled() {
		t.Errorf("after it was left: %q with note %q", p.message.text, f.note.text)
	}
	if test.Type(f.entry, "4"); f.note.text != f.hint {
		t.Errorf("typed on: note %q", f.note.text)
	}
	if test.Type(f.entry, "x"); p.message.text != wrong || f.note.text == f.hint {
		t.Errorf("what cannot become right: %q with note %q", p.message.text, f.note.text)
	}
	if !strings.Contains(f.note.text, "32 characters") || !p.save.Disabled() || p.revert.Disabled() {
		t.Errorf("note %q, save disabled %v", f.note.text, p.save.Disabled())
	}
	test.Tap(p.revert)
	if f.entry.Text != "" || f.note.text != f.hint {
		t.Errorf("after revert: %q with note %q", f.entry.Text, f.note.text)
	}
}

// What is not marked yet is marked when it is to be saved, and not saved.
func TestSettingsMarkOnSave(t *testing.T) {
	for name, save := range map[string]func(*settingsPage, *textField){
		"Save":   func(p *settingsPage, _ *textField) { p.save.OnTapped() },
		"Return": func(_ *settingsPage, f *textField) { f.entry.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn}) },
	} {
		s, p := openSettings(t, newFakeCore())
		f := p.field(presenter.FieldAccount)
		s.window.win.Canvas().Focus(f.entry)
		test.Type(f.entry, "0123")
		save(p, f)
		s.settle()
		if f.marked == "" || !p.save.Disabled() || p.saving || s.core.Settings().Gateway.Account != "" {
			t.Errorf("%s: marked %q, saved %q", name, f.marked, s.core.Settings().Gateway.Account)
		}
	}
}

func TestSettingsLoseNothingOnError(t *testing.T) {
	c := newFakeCore()
	s, p := openSettings(t, c)
	f := p.field(presenter.FieldListen)
	retype(f.entry, "127.0.0.1:9999")
	for want, err := range map[string]error{
		"in use by nginx": &presenter.PortError{Addr: "127.0.0.1:9999", Holder: "nginx (pid 12)"},
		"address taken":   &settings.ValidationError{Problems: []settings.Problem{{Field: settings.FieldListen, Text: prose.New("address taken")}}},
	} {
		c.saveErr = err
		p.form.SetText(presenter.FieldListen, "127.0.0.1:9998")
		p.form.SetText(presenter.FieldListen, "127.0.0.1:9999")
		test.Tap(p.save)
		s.until("the refusal", func() bool { return p.bad && !p.saving })
		if f.entry.Text != "127.0.0.1:9999" || !strings.Contains(strings.ToLower(f.note.text), want) {
			t.Errorf("%q with note %q, want %q", f.entry.Text, f.note.text, want)
		}
		p.bad = false
	}
	c.saveErr = errors.New("write the settings: disk full")
	p.keep()
	s.until("the failure", func() bool { return p.bad && !p.saving })
	if !strings.Contains(p.message.text, "disk full") || f.entry.Text != "127.0.0.1:9999" {
		t.Errorf("message %q, field %q", p.message.text, f.entry.Text)
	}
	c.saveErr = nil
	test.Tap(p.save)
	s.until("the saved settings", func() bool { return p.said == "Saved." })
}

func TestFixedFieldsCannotBeEdited(t *testing.T) {
	c := newFakeCore()
	c.over[settings.FieldListen] = "environment APEX_LISTEN"
	_, p := openSettings(t, c)
	f := p.field(presenter.FieldListen)
	if !f.entry.Disabled() || !strings.Contains(f.note.text, "APEX_LISTEN") {
		t.Errorf("disabled %v, note %q", f.entry.Disabled(), f.note.text)
	}
}

func TestTokenIsStored(t *testing.T) {
	s, p := openSettings(t, newFakeCore())
	f := p.token
	if f.editing.Hidden {
		t.Fatal("the entry is not open although there is no token")
	}
	test.Type(f.entry, " Bearer made-up-token ")
	f.entry.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	s.until("the stored token", func() bool { return s.token == presenter.SecretPresent })
	if got := s.core.secret(presenter.GatewayToken); got != "made-up-token" {
		t.Errorf("stored %q", got)
	}
	if f.entry.Text != "" || !f.editing.Hidden || f.words.text != "Stored in the keychain" {
		t.Errorf("entry %q, open %v, words %q", f.entry.Text, !f.editing.Hidden, f.words.text)
	}
	test.Tap(f.change)
	test.Type(f.entry, "other")
	f.entry.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
	if f.entry.Text != "" || !f.editing.Hidden {
		t.Error("Escape does not give up")
	}
	s.remove(f, "Remove the gateway token?")
	s.until("the removed token", func() bool { return s.token == presenter.SecretMissing })
	if s.core.secret(presenter.GatewayToken) != "" {
		t.Error("the token is still there")
	}
}

// remove removes a secret, which is asked about first: neither Space, Escape nor Return alone
// loses it.
func (s *stage) remove(f *secretField, title string) {
	s.t.Helper()
	for _, key := range []fyne.KeyName{fyne.KeySpace, fyne.KeyEscape, fyne.KeyReturn} {
		test.Tap(f.remove)
		if heads := s.texts(); !slices.Contains(heads, title) {
			s.t.Fatalf("the question says %q", heads)
		}
		s.press(key)
		s.settle()
		if f.busy != "" || s.core.secret(f.name) == "" {
			s.t.Fatalf("%s removes %s", key, f.name)
		}
		if len(s.window.boxes) > 0 {
			s.press(fyne.KeyEscape)
		}
	}
	test.Tap(f.remove)
	boxes := s.window.boxes
	var yes *button
	for _, o := range test.LaidOutObjects(boxes[len(boxes)-1].popUp) {
		if b, ok := o.(*button); ok && b.Text == "Remove" {
			yes = b
		}
	}
	test.Tap(yes)
}

// texts are the texts above the page.
func (s *stage) texts() (out []string) {
	walk(s.window.win.Canvas().Overlays().Top(), func(text string) { out = append(out, text) })
	return out
}

// What is plainly another secret is not stored, and said to be one.
func TestAnotherSecretIsNotStored(t *testing.T) {
	c := readyCore()
	delete(c.secrets, presenter.GatewayToken)
	s, p := openSettings(t, c)
	f := p.token
	test.Type(f.entry, "sk-ant-made-up")
	f.entry.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	s.settle()
	if !f.store.Disabled() || f.busy != "" || s.core.secret(presenter.GatewayToken) != "" || !strings.Contains(f.note.text, "Anthropic") {
		t.Errorf("stored %q, note %q", s.core.secret(presenter.GatewayToken), f.note.text)
	}
	f.entry.SetText("CLOUDFLARE_API_TOKEN=\"made-up-token\"")
	if f.store.Disabled() || strings.Contains(f.note.text, "Anthropic") {
		t.Fatalf("a line with the token cannot be stored: %q", f.note.text)
	}
	test.Tap(f.store)
	s.until("the stored token", func() bool { return s.core.secret(presenter.GatewayToken) == "made-up-token" })
}

// Store stays where it is while something is typed: a button that gives up what was typed must
// not come below the mouse.
func TestStoreKeepsItsPlace(t *testing.T) {
	c := readyCore()
	delete(c.secrets, presenter.GatewayToken)
	s, p := openSettings(t, c)
	s.settle()
	f := p.token
	place := func() fyne.Position { return fyne.CurrentApp().Driver().AbsolutePositionForObject(f.store) }
	before := place()
	f.entry.SetText("made-up")
	s.settle()
	if after := place(); f.cancel.Hidden || after != before {
		t.Errorf("Store moves from %v to %v, Cancel is hidden: %t", before, after, f.cancel.Hidden)
	}
}

func TestTokenStaysTypedWhenItCannotBeStored(t *testing.T) {
	c := newFakeCore()
	c.secretErr = &presenter.SecretError{State: presenter.SecretLocked, Err: errors.New("locked")}
	s, p := openSettings(t, c)
	test.Type(p.token.entry, "made-up-token")
	test.Tap(p.token.store)
	s.until("the refusal", func() bool { return p.token.wrong != "" })
	if p.token.entry.Text != "made-up-token" || !strings.Contains(p.token.note.text, "keychain is locked") {
		t.Errorf("entry %q, note %q", p.token.entry.Text, p.token.note.text)
	}
	c.mu.Lock()
	c.secretErr = nil
	c.mu.Unlock()
	test.Tap(p.token.store)
	s.until("the stored token", func() bool { return s.token == presenter.SecretPresent })
}

func TestTokenStates(t *testing.T) {
	for state := presenter.SecretChecking; state <= presenter.SecretUnreadable; state++ {
		t.Run(state.String(), func(t *testing.T) {
			_, p := openSettings(t, newFakeCore())
			p.token.refresh(state)
			f := p.token
			if f.reading.Hidden && f.editing.Hidden {
				t.Error("nothing is shown")
			}
			if !f.reading.Hidden && f.words.text != state.String() {
				t.Errorf("words %q", f.words.text)
			}
			if state == presenter.SecretFromEnvironment && (!f.editing.Hidden || !f.change.Hidden || !f.remove.Hidden) {
				t.Error("a token of the environment can be changed")
			}
		})
	}
}

// The state of the token stands level with its name, with buttons beside it and without.
func TestTheTokenStandsLevelWithItsName(t *testing.T) {
	middle := func(o fyne.CanvasObject) float32 {
		return fyne.CurrentApp().Driver().AbsolutePositionForObject(o).Y + o.Size().Height/2
	}
	for _, scene := range []func(*testing.T) *stage{sceneFixed, sceneSettings} {
		s := scene(t)
		s.window.win.Resize(size(windowWidth, windowHeight))
		at := middle(s.window.settings.token.words)
		for _, o := range test.LaidOutObjects(s.window.settings.content) {
			if l, ok := o.(*line); ok && l.text == "Gateway token" && math.Abs(float64(middle(l)-at)) > 1 {
				t.Errorf("%s: the name is at %v, the state at %v", s.window.settings.token.words.text, middle(l), at)
			}
		}
	}
}

func TestOwnProviderKey(t *testing.T) {
	s, p := openSettings(t, newFakeCore())
	r := p.keys.rows[1] // anthropic
	if !r.secret.content.Hidden {
		t.Error("a key can be given although the one at Cloudflare is used")
	}
	r.choose.SetSelected(presenter.KeyModeText(settings.KeyOwn))
	s.until("the key's state", func() bool { return r.state == presenter.SecretMissing })
	if r.secret.content.Hidden {
		t.Fatal("no place for the key")
	}
	test.Type(r.secret.entry, "made-up-key")
	test.Tap(r.secret.store)
	s.until("the stored key", func() bool { return r.state == presenter.SecretPresent })
	if got := s.core.secret(presenter.ProviderKey("anthropic")); got != "made-up-key" {
		t.Errorf("stored %q", got)
	}
	test.Tap(p.save)
	s.until("the saved settings", func() bool { return p.said == "Saved." })
	if got := s.core.Settings().Providers["anthropic"].Key; got != settings.KeyOwn {
		t.Errorf("saved mode %q", got)
	}
	s.remove(r.secret, "Remove the key of anthropic?")
	s.until("the removed key", func() bool { return r.state == presenter.SecretMissing })
}

// A port that is taken is an offer to take another one, beside the field.
func TestATakenPortOffersAnother(t *testing.T) {
	c := newFakeCore()
	c.next = "127.0.0.1:9001"
	c.saveErr = &presenter.PortError{Addr: "127.0.0.1:9000", Holder: "nginx (pid 12)"}
	s, p := openSettings(t, c)
	f := p.field(presenter.FieldListen)
	retype(f.entry, "127.0.0.1:9000")
	test.Tap(p.save)
	s.until("the offer", p.free.content.Visible)
	if p.free.button.Text != "Use 9001" || !strings.Contains(f.note.text, "nginx") {
		t.Errorf("button %q, note %q", p.free.button.Text, f.note.text)
	}
	test.Type(p.field(presenter.FieldGateway).entry, "home")
	if !p.free.content.Visible() || !strings.Contains(f.note.text, "nginx") {
		t.Error("the offer or what it is for goes when another field is edited")
	}
	retype(f.entry, "127.0.0.1:9002")
	if p.free.content.Visible() {
		t.Error("the offer stays although another port is typed")
	}
	retype(f.entry, "127.0.0.1:9000")
	test.Tap(p.save)
	s.until("the offer", p.free.content.Visible)
	c.saveErr = nil
	test.Tap(p.free.button)
	s.until("the saved settings", func() bool { return p.said == "Saved." })
	if c.Settings().Server.Listen != c.next || f.entry.Text != c.next || p.free.content.Visible() {
		t.Errorf("saved %q, field %q", c.Settings().Server.Listen, f.entry.Text)
	}
}

// An address of the dashboard that is pasted fills in both fields.
func TestAPastedAddressFillsBothFields(t *testing.T) {
	_, p := openSettings(t, newFakeCore())
	p.field(presenter.FieldAccount).entry.SetText("https://dash.cloudflare.com/" + testAccount + "/ai/ai-gateway/gateways/home/logs")
	if a, g := p.field(presenter.FieldAccount).entry.Text, p.field(presenter.FieldGateway).entry.Text; a != testAccount || g != "home" {
		t.Errorf("account %q, gateway %q", a, g)
	}
	if p.save.Disabled() {
		t.Error("it cannot be saved")
	}
}

// An edit of the settings file is seen when the user comes back to the window, and what is
// being typed stays.
func TestAnEditedFileIsSeen(t *testing.T) {
	c := readyCore()
	s, p := openSettings(t, c)
	retype(p.field(presenter.FieldAzureResource).entry, "typed-here")
	retype(p.field(presenter.FieldGateway).entry, "typed-too")
	c.edited = func(c *fakeCore) {
		c.settings.Gateway.ID, c.settings.Gateway.Account = "in-the-file", strings.Repeat("f", 32)
		c.notices, c.broken = []prose.Text{prose.New("something about the file")}, true
	}
	s.entered()
	s.until("the edit", func() bool { return s.settings.Gateway.ID == "in-the-file" })
	if got := p.field(presenter.FieldAccount).entry.Text; got != strings.Repeat("f", 32) {
		t.Errorf("the account is still %q", got)
	}
	if a, g := p.field(presenter.FieldAzureResource).entry.Text, p.field(presenter.FieldGateway).entry.Text; a != "typed-here" || g != "typed-too" || p.save.Disabled() {
		t.Errorf("what was typed became %q and %q", a, g)
	}
	if p.notices.box.Hidden || !s.window.toast.content.Visible() {
		t.Error("nothing is told")
	}
	c.edited = func(c *fakeCore) { c.notices, c.broken = nil, false }
	s.entered()
	s.until("the notice to go", func() bool { return p.notices.box.Hidden })
}

// A token that was stored in a terminal is seen when the user comes back.
func TestATokenFromATerminalIsSeen(t *testing.T) {
	c := readyCore()
	delete(c.secrets, presenter.GatewayToken)
	s, p := openSettings(t, c)
	if !p.token.open {
		t.Fatal("the entry is not open for what is missing")
	}
	must := c.SetSecret(t.Context(), presenter.GatewayToken, "made-up-token")
	s.entered()
	s.until("the token's state", func() bool { return s.token == presenter.SecretPresent })
	if must != nil || !p.token.editing.Hidden {
		t.Error("the entry stays open")
	}
}

// A broken file can be opened from where it is told about.
func TestTheSettingsFileCanBeOpened(t *testing.T) {
	c := newFakeCore()
	c.broken, c.notices = true, []prose.Text{prose.New("the settings file cannot be read")}
	s, p := openSettings(t, c)
	var opened []string
	var fail error
	s.opts.OpenURL = func(u *url.URL) error { opened = append(opened, u.String()); return fail }
	p.notices.open()
	fail = errors.New("no editor")
	p.notices.reveal()
	if want := []string{"file:///home/me/.config/apex-ai-proxy/settings.toml", "file:///home/me/.config/apex-ai-proxy"}; !slices.Equal(opened, want) {
		t.Errorf("opened %q", opened)
	}
	if s.window.win.Canvas().Overlays().Top() == nil {
		t.Error("a failure is not told")
	}
}

// A choice that has no effect on this desktop says so, and stays for others.
func TestKeepRunningNeedsATray(t *testing.T) {
	s, p := openSettings(t, readyCore())
	s.hosted, s.hostless = false, true
	p.refresh()
	var f *flagField
	for _, one := range p.flags {
		if one.name == presenter.FieldKeepRunning {
			f = one
		}
	}
	if !f.check.Disabled() || f.check.Checked || !strings.Contains(f.note.text, "no tray icons") || !p.form.Flag(f.name) || p.form.Dirty() {
		t.Errorf("disabled %v, ticked %v, note %q", f.check.Disabled(), f.check.Checked, f.note.text)
	}
	s.hosted = true
	s.window.open(pageSettings) // which asks again
	s.until("the tray", func() bool { return !s.hostless })
	if f.check.Disabled() || !f.check.Checked || f.note.Visible() {
		t.Errorf("with a tray: disabled %v, ticked %v, note %q", f.check.Disabled(), f.check.Checked, f.note.text)
	}
}
