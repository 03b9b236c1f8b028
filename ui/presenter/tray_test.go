package presenter

import (
	"slices"
	"testing"

	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/proxy/event"
)

func labelled(items []TrayItem, label string) (TrayItem, bool) {
	i := slices.IndexFunc(items, func(it TrayItem) bool { return it.Label == label })
	if i < 0 {
		return TrayItem{}, false
	}
	return items[i], true
}

func TestTrayModels(t *testing.T) {
	tray := Tray{Model: "b#openai", Models: []string{"a#groq", "b#openai"}}
	it, ok := labelled(tray.Menu(), "Default model")
	if !ok || !it.Enabled || len(it.Children) != 2 || it.Children[0].Checked || !it.Children[1].Checked || it.Children[0].Arg != "a#groq" || it.Children[0].Action != ChooseModel {
		t.Errorf("%+v", it)
	}
	if it, _ := labelled((&Tray{}).Menu(), "Default model…"); !it.Enabled || it.Action != OpenModels || len(it.Children) != 0 {
		t.Errorf("without models: %+v", it)
	}
}

func TestTrayTrouble(t *testing.T) {
	tray := Tray{Trouble: &Trouble{ID: "req_7", Text: "gpt-5#openai: slow down"}}
	if it, ok := labelled(tray.Menu(), "Last error: gpt-5#openai: slow down"); !ok || it.Arg != "req_7" || it.Action != ShowRequest || !it.Enabled {
		t.Errorf("%+v", tray.Menu())
	}
	if it, ok := labelled((&Tray{}).Menu(), "No errors in the last hour"); !ok || it.Enabled {
		t.Errorf("%+v", it)
	}
}

func TestTrayLogin(t *testing.T) {
	for state, want := range map[LoginState]struct{ enabled, checked bool }{
		LoginUnknown: {}, LoginBlocked: {}, LoginOff: {enabled: true}, LoginOn: {true, true}, LoginOther: {enabled: true},
	} {
		it, _ := labelled((&Tray{Login: state}).Menu(), "Launch at login")
		if it.Enabled != want.enabled || it.Checked != want.checked {
			t.Errorf("%d: %+v", state, it)
		}
		if told := state.Note() != ""; told != (state == LoginBlocked || state == LoginOther) {
			t.Errorf("%d: %q", state, state.Note())
		}
	}
}

func TestDefaultModel(t *testing.T) {
	s := settings.Default()
	if DefaultModel(s) != "" {
		t.Error("there is a default model without one")
	}
	s.Aliases = map[string]any{"fast": "gpt-5-mini#openai"}
	other := WithDefaultModel(s, "grok-4#grok")
	if DefaultModel(other) != "grok-4#grok" || other.Aliases["fast"] == nil || s.Aliases[DefaultAlias] != nil {
		t.Errorf("%v, before %v", other.Aliases, s.Aliases)
	}
	if err := other.Validate(nil); err != nil {
		t.Error(err)
	}
}

func TestChoices(t *testing.T) {
	l := NewLog(100)
	for n, x := range []event.Exchange{
		{ModelUsed: "gpt-5", Provider: "openai", Status: 200},
		{ModelUsed: "gpt-5", Provider: "openai", Status: 200},
		{ModelUsed: "nope", Provider: "openai", Status: 404},
		{ModelUsed: "echo", Provider: "demo", Status: 200},
		{},
		{ModelUsed: "claude-opus-4-8", Provider: "anthropic", Status: 200},
	} {
		x.ID, x.Revision, x.Start = exchange(n, 1, event.Done).ID, 1, exchange(n, 1, event.Done).Start
		l.Apply([]event.Exchange{x})
	}
	if got := l.Choices("z#groq"); !slices.Equal(got, []string{"claude-opus-4-8#anthropic", "gpt-5#openai", "z#groq"}) {
		t.Errorf("%v", got)
	}
}

// Each state is told by the icon and by words, and both say the same.
func TestTraySaysEachState(t *testing.T) {
	const addr = "127.0.0.1:8787"
	running := Status{State: Running, Addr: addr}
	for name, c := range map[string]struct {
		h    Headline
		line string
		icon Icon
	}{
		"stopped":  {Describe(Status{Addr: addr}, setUpSettings(), SecretPresent), "Stopped", IconStopped},
		"starting": {Describe(Status{State: Starting}, setUpSettings(), SecretPresent), "Starting…", IconBusy},
		"running":  {Describe(running, setUpSettings(), SecretPresent), "Running on " + addr, IconRunning},
		"demo":     {Describe(running, settings.Default(), SecretMissing), "Running on " + addr, IconRunning},
		"missing":  {Describe(running, setUpSettings(), SecretMissing), "Running on " + addr + " · attention needed", IconAttention},
		"refused":  {Describe(running, setUpSettings(), SecretRefused), "Running on " + addr + " · attention needed", IconAttention},
		"stopping": {Describe(Status{State: Stopping}, setUpSettings(), SecretPresent), "Stopping…", IconBusy},
		"failed":   {Describe(Status{State: Failed}, setUpSettings(), SecretPresent), "Not running", IconAttention},
		"quitting": {Quitting(1), "Quitting: waiting for 1 request…", IconBusy},
	} {
		if line := (&Tray{Headline: c.h}).Menu()[0].Label; line != c.line || c.h.Icon != c.icon {
			t.Errorf("%s: icon %d, %q", name, c.h.Icon, line)
		}
		if tip := Tooltip("Apex", c.h); tip != "Apex – "+c.line {
			t.Errorf("%s: the tooltip says %q", name, tip)
		}
	}
}
