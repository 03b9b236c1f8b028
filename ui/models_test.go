package ui

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/proxy/prose"
	"apex-ai-proxy/ui/presenter"
	"apex-ai-proxy/ui/words"
)

func saveModels(s *stage) {
	s.t.Helper()
	test.Tap(s.window.models.save)
	s.until("the saved names", func() bool { return !s.window.models.saving })
}

func TestModelsAreSaved(t *testing.T) {
	s, p := openModels(t, namedCore())
	if !p.save.Disabled() {
		t.Error("there is nothing to save, but Save can be pressed")
	}
	retype(p.tiers.rows[1].models, "claude-sonnet-4-5#anthropic, gpt-5#openai")
	test.Tap(p.tiers.rows[2].remove)
	test.Tap(p.own.rows[2].remove)
	test.Tap(p.add)
	f := p.own.rows[len(p.own.rows)-1]
	if s.window.win.Canvas().Focused() != f.name {
		t.Error("the cursor is not in the new name")
	}
	test.Type(f.name, "mine")
	if p.message.text != "There are changes that are not saved." || !p.save.Disabled() || f.note.text == "" {
		t.Errorf("half a row can be saved: %q", p.message.text)
	}
	test.Type(f.models, "echo#demo")
	saveModels(s)
	got := s.core.Settings()
	if p.message.text != "Saved." || !slices.Equal(got.TierTargets(settings.TierSonnet), []string{"claude-sonnet-4-5#anthropic", "gpt-5#openai"}) ||
		got.TierTargets(settings.TierHaiku) != nil || got.Aliases["mine"] != "echo#demo" || got.Aliases["gpt-4*"] != nil {
		t.Errorf("%q: %+v %+v", p.message.text, got.Claude, got.Aliases)
	}
	if got.Gateway.ID != "home" || p.own.rows[len(p.own.rows)-1] != f {
		t.Error("something else became of the rest")
	}
}

// TestAddedAliasIsInSight: the button is above the list, and the new row at its end comes into
// sight with the cursor in it. Removing a row puts the cursor into the one in its place.
func TestAddedAliasIsInSight(t *testing.T) {
	c := namedCore()
	for i := range 12 {
		c.settings.Aliases[fmt.Sprintf("name%d", i)] = "echo#demo"
	}
	s, p := openModels(t, c)
	s.window.win.Resize(size(760, 520))
	s.window.win.Content().Refresh()
	test.Tap(p.add)
	f := p.own.rows[len(p.own.rows)-1]
	y := fyne.CurrentApp().Driver().AbsolutePositionForObject(f.name).Y
	if top := fyne.CurrentApp().Driver().AbsolutePositionForObject(p.foot).Y; s.window.win.Canvas().Focused() != f.name || y < 0 || y+f.name.Size().Height > top {
		t.Errorf("the new name is at %v, what can be seen ends at %v", y, top)
	}
	test.Tap(f.remove)
	if last := p.own.rows[len(p.own.rows)-1]; s.window.win.Canvas().Focused() != last.models {
		t.Error("the cursor is not in the last row")
	}
	next := p.own.rows[3]
	test.Tap(p.own.rows[2].remove)
	if s.window.win.Canvas().Focused() != next.models {
		t.Error("the cursor is not in the next row")
	}
}

// Tab goes through a row as it is read.
func TestModelsFocusOrder(t *testing.T) {
	s, p := openModels(t, namedCore())
	c, f := s.window.win.Canvas(), p.own.rows[1]
	c.Focus(f.name)
	for i, want := range []fyne.Focusable{f.models, f.choose, f.try, f.remove, p.own.rows[2].name} {
		c.FocusNext()
		if c.Focused() != want {
			t.Errorf("after %d steps the focus is on %T", i+1, c.Focused())
		}
	}
}

// Neither page undoes what the other one, or the tray, saved meanwhile.
func TestModelsAndSettingsKeepEachOther(t *testing.T) {
	s, p := openModels(t, namedCore())
	retype(p.own.rows[1].models, "gpt-5-mini#openai")
	retype(s.window.settings.field(presenter.FieldGateway).entry, "office")
	s.do(presenter.TrayItem{Action: presenter.ChooseModel, Arg: "echo#demo"})
	s.until("the tray's model", func() bool { return p.own.rows[0].models.Text == "echo#demo" })
	saveModels(s)
	if s.window.settings.form.Text(presenter.FieldGateway) != "office" {
		t.Error("what was typed in the settings is lost")
	}
	s.window.open(pageSettings)
	test.Tap(s.window.settings.save)
	s.until("the saved settings", func() bool { return s.window.settings.said == "Saved." })
	got := s.core.Settings()
	if got.Gateway.ID != "office" || got.Aliases["best"] != "gpt-5-mini#openai" || presenter.DefaultModel(got) != "echo#demo" {
		t.Errorf("%+v %+v", got.Gateway, got.Aliases)
	}
}

func TestModelsLoseNothingOnError(t *testing.T) {
	c := namedCore()
	s, p := openModels(t, c)
	c.saveErr = &settings.ValidationError{Problems: []settings.Problem{{Field: settings.FieldAlias("best"), Text: prose.New("no provider is known for the model")}}}
	f := p.own.rows[1]
	retype(f.models, "nobody")
	saveModels(s)
	if f.models.Text != "nobody" || f.note.text != "No provider is known for the model." || !strings.HasPrefix(p.message.text, "Not saved.") {
		t.Errorf("%q with %q: %q", f.models.Text, f.note.text, p.message.text)
	}
	test.Tap(p.revert)
	if f = p.own.rows[1]; f.models.Text != "claude-sonnet-4-5#anthropic, gpt-5#openai" || p.own.rows[1].note.text != "" {
		t.Errorf("after revert: %q with %q", f.models.Text, f.note.text)
	}
}

func TestModelsAreTriedWithOneClick(t *testing.T) {
	s, p := openModels(t, namedCore())
	for f, want := range map[*nameField]string{
		p.tiers.rows[0]: "gpt-5 answered: first words after 640 ms, all after 900 ms.",
		p.tiers.rows[2]: presenter.Tell(refusedToken()),
	} {
		test.Tap(f.try)
		if !f.try.Disabled() || f.tried.text != "Waiting for an answer…" {
			t.Errorf("meanwhile: %q", f.tried.text)
		}
		s.until("the answer", func() bool { return !f.row.Busy })
		if f.tried.text != want || !f.outcome.Visible() || f.try.Disabled() {
			t.Errorf("%q, want %q", f.tried.text, want)
		}
	}
	if !slices.Equal(slices.Sorted(slices.Values(s.core.tried)), []string{"claude-haiku", "claude-opus"}) {
		t.Errorf("tried %q", s.core.tried)
	}
	f := p.own.rows[1]
	retype(f.models, "echo#demo")
	test.Tap(f.try)
	if len(s.core.tried) != 2 || !strings.HasPrefix(f.tried.text, "Save first:") {
		t.Errorf("what is not saved is tried: %q", f.tried.text)
	}
	for state, can := range map[presenter.State]struct{ try, start bool }{
		presenter.Running: {true, false}, presenter.Stopped: {false, true}, presenter.Failed: {false, true}, presenter.Stopping: {false, false},
	} {
		s.core.set(presenter.Status{State: state})
		s.settle()
		if f.try.Disabled() == can.try || p.startable.Visible() != can.start || p.stopped.Visible() != (!can.try && !can.start) {
			t.Errorf("%v: try %v, start %v", state, !f.try.Disabled(), p.startable.Visible())
		}
	}
}

func TestModelsCatalogueIsSearched(t *testing.T) {
	s, p := openModels(t, namedCore())
	c := p.catalogue
	shown := func() []string {
		var out []string
		for m, r := range c.rows {
			if r.box.Visible() && c.heads[m[strings.LastIndex(m, "#")+1:]].Visible() {
				out = append(out, m)
			}
		}
		return slices.Sorted(slices.Values(out))
	}
	if got := shown(); !slices.Equal(got, slices.Sorted(slices.Values(s.core.Models()))) || c.nothing.Visible() {
		t.Errorf("all: %q", got)
	}
	test.Type(c.search, "mini open")
	if got := shown(); !slices.Equal(got, []string{"gpt-5-mini#openai"}) {
		t.Errorf("found %q", got)
	}
	r := c.rows["gpt-5-mini#openai"]
	test.Tap(r.copy)
	if got := s.app.Clipboard().Content(); got != "gpt-5-mini#openai" {
		t.Errorf("copied %q", got)
	}
	test.Tap(r.choose)
	if p.own.rows[0].models.Text != "gpt-5-mini#openai" || r.choose.Visible() || !r.chosen.Visible() || p.save.Disabled() {
		t.Errorf("the default is %q", p.own.rows[0].models.Text)
	}
	test.Type(c.search, "zzz")
	if len(shown()) > 0 || !c.nothing.Visible() {
		t.Errorf("found %q", shown())
	}
	c.search.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
	if len(shown()) != len(s.core.Models()) {
		t.Errorf("after Escape: %q", shown())
	}
}

// The models are also chosen from menus.
func TestModelsAreOffered(t *testing.T) {
	_, p := openModels(t, namedCore())
	f := p.own.rows[1]
	retype(f.models, "gpt-5#openai,")
	items := modelMenus(p.form.All(), f.chose)
	offered := map[string]func(){}
	for _, g := range items {
		for _, m := range g.ChildMenu.Items {
			offered[m.Label] = m.Action
		}
	}
	if !slices.Contains(slices.Collect(maps.Keys(offered)), "echo#demo") {
		t.Fatalf("offered %v", offered)
	}
	offered["echo#demo"]()
	if f.models.Text != "gpt-5#openai, echo#demo" {
		t.Errorf("%q", f.models.Text)
	}
}

func TestModelsInAnotherLanguage(t *testing.T) {
	t.Cleanup(func() { _ = words.Use("en") })
	s, p := openModels(t, namedCore())
	retype(p.tiers.rows[3].models, "half-typ")
	set := s.core.Settings()
	set.App.Language = "zh-Hans"
	s.core.settings = set
	s.setSettings()
	p = s.window.models
	if s.window.current != pageModels || p.tiers.rows[3].models.Text != "half-typ" || p.save.Text != "保存" || p.tiers.rows[0].try.Text != "试用" {
		t.Errorf("page %d: %q, %q", s.window.current, p.tiers.rows[3].models.Text, p.save.Text)
	}
}

// What is said about a row moves no other row.
func TestModelsStayStill(t *testing.T) {
	c := namedCore()
	s, p := openModels(t, c)
	s.window.win.Resize(size(windowWidth, windowHeight))
	last := p.catalogue.search
	at := func() float32 {
		s.window.win.Content().Refresh()
		d := fyne.CurrentApp().Driver()
		return d.AbsolutePositionForObject(last).Y - d.AbsolutePositionForObject(p.scroll.Content).Y // which scrolls to the cursor
	}
	before := at()
	still := func(what string) {
		t.Helper()
		if now := at(); now != before {
			t.Errorf("%s moves what is below from %v to %v", what, before, now)
		}
	}
	test.Tap(p.tiers.rows[0].try)
	still("waiting")
	s.until("an answer", func() bool { return !p.form.Tiers()[0].Busy })
	still("an answer")
	test.Tap(p.tiers.rows[2].try)
	s.until("an answer", func() bool { return !p.form.Tiers()[2].Busy })
	still("a failure")
	retype(p.own.rows[1].models, "gpt-*#openai")
	still("a problem")
	c.set(presenter.Status{State: presenter.Stopped})
	s.settle()
	still("a proxy that stops")
}

// Models that fit are offered below the field, and taken with Down or a click; a provider
// that is not known is told while it is typed.
func TestModelsAreOfferedWhileTyping(t *testing.T) {
	s, p := openModels(t, namedCore())
	f := p.own.rows[1]
	retype(f.models, "mini")
	if !f.offers.Visible() || f.note.content.Visible() || !slices.Equal(f.offered, []string{"gpt-5-mini#openai"}) {
		t.Fatalf("offered %q", f.offered)
	}
	f.models.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDown})
	if f.models.Text != "gpt-5-mini#openai" || f.offers.Visible() {
		t.Errorf("Down made %q of it, offered %q", f.models.Text, f.offered)
	}
	retype(f.models, "echo#demo, sonnet-4-5")
	test.Tap(f.offers.Objects[1].(*link))
	if f.models.Text != "echo#demo, claude-sonnet-4-5#anthropic" || s.window.win.Canvas().Focused() != f.models {
		t.Errorf("a click made %q of it", f.models.Text)
	}
	retype(f.models, "gpt-5#nobody")
	if f.note.text == "" || !f.note.content.Visible() || f.offers.Visible() || !p.save.Disabled() {
		t.Errorf("a wrong provider is told as %q", f.note.text)
	}
}

// A long message stays in its line and is shown as a whole on demand.
func TestLongMessageIsCut(t *testing.T) {
	c := namedCore()
	long := strings.Repeat("The provider says no. ", 20)
	c.trials["claude-opus"] = errors.New(long)
	s, p := openModels(t, c)
	s.window.win.Resize(size(760, 520))
	f := p.tiers.rows[0]
	before := f.content.MinSize().Height
	test.Tap(f.try)
	s.until("the failure", func() bool { return !f.row.Busy })
	s.window.win.Content().Refresh()
	if h := f.content.MinSize().Height; h != before || !f.tried.more.Visible() {
		t.Errorf("%v high after %v, more %t", h, before, f.tried.more.Visible())
	}
	test.Tap(f.tried.more)
	if text := s.dialogText(); !strings.Contains(text, strings.TrimSpace(long)) {
		t.Errorf("shown %q", text)
	}
}
