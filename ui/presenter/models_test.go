package presenter

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/proxy/prose"
)

func namedSettings() settings.Settings {
	s := setUpSettings()
	s.Aliases = map[string]any{"fast": "gpt-5-mini#openai", "best": []any{"claude-opus-4-7#anthropic", "gpt-5#openai"}, DefaultAlias: "gpt-5#openai"}
	return s.WithTier(settings.TierHaiku, "gpt-5-nano#openai")
}

func newModels(s settings.Settings) *Models {
	return NewModels(s, nil, valid("openai", "anthropic"), []string{"gpt-5#openai", "gpt-5-mini#openai", "claude-sonnet-4-5#anthropic", "echo#demo"})
}

// own is the row of an own name, which must be there.
func own(t *testing.T, m *Models, name string) NameRow {
	t.Helper()
	for _, r := range m.Own() {
		if r.Name == name {
			return r
		}
	}
	t.Fatalf("there is no row %q in %+v", name, m.Own())
	return NameRow{}
}

func tier(m *Models, t settings.Tier) NameRow {
	return m.Tiers()[slices.Index(settings.Tiers(), t)]
}

func written(m *Models) string {
	var b strings.Builder
	for _, r := range append(m.Tiers(), m.Own()...) {
		b.WriteString(r.Name + "=" + r.Models + "; ")
	}
	return b.String()
}

func TestModelsShowTheSettings(t *testing.T) {
	m := newModels(namedSettings())
	const want = "Opus=; Sonnet=; Haiku=gpt-5-nano#openai; Fable=; default=gpt-5#openai; best=claude-opus-4-7#anthropic, gpt-5#openai; fast=gpt-5-mini#openai; "
	if got := written(m); got != want || m.Dirty() || !m.Valid() {
		t.Errorf("%s\ndirty %v, valid %v", got, m.Dirty(), m.Valid())
	}
	for _, r := range m.Tiers() {
		if r.Hint == "" || !r.Fixed || r.Vacant != (r.Models == "") {
			t.Errorf("%+v", r)
		}
	}
}

func TestModelsMakeSettings(t *testing.T) {
	m := newModels(namedSettings())
	m.SetModels(tier(m, settings.TierOpus).ID, " gpt-5#openai ,\nclaude-sonnet-4-5#anthropic,, ")
	m.Remove(tier(m, settings.TierHaiku).ID)
	m.SetDefault("echo#demo")
	m.SetName(own(t, m, "fast").ID, " quick ")
	m.Remove(own(t, m, "best").ID)
	id := m.Add()
	m.SetName(id, "gpt-*")
	m.SetModels(id, "gpt-5#openai，echo#demo")
	if again := m.Add(); again == id || m.Add() != again {
		t.Error("empty rows pile up")
	}
	s := m.Settings()
	if !m.Valid() || !m.Dirty() {
		t.Errorf("valid %v, dirty %v", m.Valid(), m.Dirty())
	}
	for name, want := range map[string][]string{
		"claude-opus": {"gpt-5#openai", "claude-sonnet-4-5#anthropic"}, "claude-haiku": nil, DefaultAlias: {"echo#demo"},
		"fast": nil, "quick": {"gpt-5-mini#openai"}, "best": nil, "gpt-*": {"gpt-5#openai", "echo#demo"},
	} {
		if got := s.AliasTargets()[name]; !slices.Equal(got, want) {
			t.Errorf("%s stands for %q, want %q", name, got, want)
		}
	}
	if len(s.Aliases) != 3 || s.Gateway.ID != "home" {
		t.Errorf("%+v", s)
	}
	m.Revert()
	if m.Dirty() || !maps.EqualFunc(m.Settings().AliasTargets(), namedSettings().AliasTargets(), slices.Equal[[]string]) {
		t.Errorf("after revert: %s", written(m))
	}
}

func TestModelsSayWhatIsWrong(t *testing.T) {
	for what, c := range map[string]struct {
		name, models, problem string
		mild                  bool
	}{
		"no name":          {"", "gpt-5#openai", "An alias needs a name.", true},
		"no models":        {"x", "", "Write the model that it stands for", true},
		"a star":           {"x", "gpt-*#openai", "without *", false},
		"an alias":         {"x", "fast", "itself an alias", false},
		"itself":           {"x", "x", "itself an alias", false},
		"too many":         {"x", strings.Repeat("a#openai,", 9), "At most 8", false},
		"the name again":   {" fast ", "gpt-5#openai", "already", false},
		"the default name": {DefaultAlias, "gpt-5#openai", "already", false},
		"wrong twice":      {"fast", "gpt-*#openai", "already", false},
		"one million":      {"x[1m]", "gpt-5#openai", "leave out [1m]", false},
	} {
		m := newModels(namedSettings())
		id := m.Add()
		m.SetName(id, c.name)
		m.SetModels(id, c.models)
		rows := m.Own()
		if got := rows[len(rows)-1]; !strings.Contains(strings.ToLower(got.Problem), strings.ToLower(c.problem)) || got.Mild != c.mild || m.Valid() {
			t.Errorf("%s: %+v, valid %v", what, got, m.Valid())
		}
		for _, r := range rows[:len(rows)-1] {
			if r.Problem != "" {
				t.Errorf("%s makes %s wrong: %s", what, r.Name, r.Problem)
			}
		}
		m.Remove(id)
		if !m.Valid() || m.Dirty() {
			t.Errorf("%s: the row has gone and something is left", what)
		}
	}
	m := newModels(namedSettings())
	m.SetModels(tier(m, settings.TierSonnet).ID, "best")
	if p := tier(m, settings.TierSonnet).Problem; !strings.Contains(p, "itself an alias") {
		t.Errorf("tier: %q", p)
	}
}

// What the page does not know of is not its to change, and what it cannot read stays.
func TestModelsKeepWhatTheyCannotRead(t *testing.T) {
	s := namedSettings()
	s.Aliases["odd"] = int64(7)
	m := newModels(s)
	if r := own(t, m, "odd"); r.Problem == "" || m.Valid() {
		t.Errorf("%+v", r)
	}
	if m.Settings().Aliases["odd"] != int64(7) || m.Dirty() {
		t.Errorf("%+v", m.Settings().Aliases)
	}
	m.SetModels(own(t, m, "odd").ID, "gpt-5#openai")
	if !m.Valid() || m.Settings().Aliases["odd"] != "gpt-5#openai" {
		t.Errorf("%+v", m.Settings().Aliases)
	}
}

func TestModelsReload(t *testing.T) {
	m := newModels(namedSettings())
	fast, best := own(t, m, "fast").ID, own(t, m, "best").ID
	m.SetModels(fast, "gpt-5#openai")
	m.SetName(best, "finest")
	m.SetModels(tier(m, settings.TierOpus).ID, "echo#demo")
	added := m.Add()
	m.SetName(added, "mine")
	m.SetModels(added, "half-typ")

	elsewhere := WithDefaultModel(namedSettings(), "gpt-5-mini#openai") // in the tray
	elsewhere.Gateway.ID = "other"
	elsewhere.Aliases["new"] = "echo#demo"
	m.Reload(elsewhere, nil)
	const want = "Opus=echo#demo; Sonnet=; Haiku=gpt-5-nano#openai; Fable=; default=gpt-5-mini#openai; " +
		"finest=claude-opus-4-7#anthropic, gpt-5#openai; fast=gpt-5#openai; mine=half-typ; new=echo#demo; "
	if got := written(m); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	s := m.Settings()
	if s.Gateway.ID != "other" || s.Aliases["new"] != "echo#demo" || s.Aliases["best"] != nil {
		t.Errorf("%+v", s)
	}

	m.Reload(s, nil) // it was saved
	if got := written(m); got != want || m.Dirty() {
		t.Errorf("saved: %s\ndirty %v", got, m.Dirty())
	}
	if own(t, m, "fast").ID != fast || own(t, m, "finest").ID != best || own(t, m, "mine").ID != added {
		t.Errorf("rows became others: %+v", m.Own())
	}

	m.SetModels(fast, "edited#openai")
	delete(elsewhere.Aliases, "fast")
	delete(elsewhere.Aliases, "new")
	m.Reload(elsewhere, nil) // removed elsewhere
	if r := own(t, m, "fast"); r.Models != "edited#openai" || !m.Dirty() || strings.Contains(written(m), "new=") {
		t.Errorf("removed elsewhere: %s", written(m))
	}
}

func TestModelsRemovedStayRemoved(t *testing.T) {
	m := newModels(namedSettings())
	m.Remove(own(t, m, "fast").ID)
	m.Reload(namedSettings(), nil)
	if strings.Contains(written(m), "fast") || !m.Dirty() {
		t.Errorf("%s, dirty %v", written(m), m.Dirty())
	}
	m.Reload(m.Settings(), nil)
	if m.Dirty() {
		t.Error("it was saved and still there is something to save")
	}
}

func TestModelsReject(t *testing.T) {
	m := newModels(namedSettings())
	fast := own(t, m, "fast").ID
	err := &settings.ValidationError{Problems: []settings.Problem{
		{Field: settings.FieldAlias("fast"), Text: prose.New("there is no provider of that name")},
		{Field: settings.FieldTier(settings.TierOpus), Text: prose.New("leads nowhere")},
		{Field: settings.FieldListen, Text: prose.New("is taken")},
	}}
	if got := m.Reject(err); got != "server.listen: Is taken." {
		t.Errorf("%q", got)
	}
	if own(t, m, "fast").Problem != "There is no provider of that name." || tier(m, settings.TierOpus).Problem != "Leads nowhere." {
		t.Errorf("%+v", m.Own())
	}
	m.SetModels(fast, "gpt-5#openai")
	if p := own(t, m, "fast").Problem; p != "" {
		t.Errorf("after a change: %q", p)
	}
	if got := m.Reject(errors.New("disk full")); got != "Disk full." {
		t.Errorf("%q", got)
	}
}

func TestModelsLocked(t *testing.T) {
	m := NewModels(namedSettings(), map[string]string{settings.FieldTier(settings.TierHaiku): "flag --haiku"}, valid(), nil)
	r := tier(m, settings.TierHaiku)
	m.SetModels(r.ID, "x#openai")
	if r = tier(m, settings.TierHaiku); !r.Locked || !strings.Contains(r.Hint, "--haiku") || r.Models != "gpt-5-nano#openai" {
		t.Errorf("%+v", r)
	}
}

func TestModelsChoose(t *testing.T) {
	for typed, want := range map[string]string{
		"": "echo#demo", "gpt-5#openai": "echo#demo", "gpt-5#openai,": "gpt-5#openai, echo#demo", "a, b ， ": "a, b, echo#demo",
	} {
		m := newModels(namedSettings())
		id := own(t, m, "fast").ID
		m.SetModels(id, typed)
		m.Choose(id, "echo#demo")
		if got := own(t, m, "fast").Models; got != want {
			t.Errorf("%q became %q, want %q", typed, got, want)
		}
	}
}

func TestModelsAreTried(t *testing.T) {
	for what, c := range map[string]struct {
		trial Trial
		err   error
		text  string
		tone  Tone
	}{
		"the first":   {Trial{"claude-opus-4-7", 640 * time.Millisecond, 1300 * time.Millisecond}, nil, "claude-opus-4-7 answered: first words after 640 ms, all after 1.3 s.", ToneGood},
		"the second":  {Trial{"gpt-5", time.Second, time.Second}, nil, "The models listed before it did not answer.", ToneWarn},
		"no words":    {Trial{"claude-opus-4-7", 0, time.Second}, nil, "but with no text", ToneGood},
		"refused":     {Trial{}, errors.New("the gateway refused the token"), "The gateway refused the token.", ToneBad},
		"not running": {Trial{}, ErrNotRunning, "The proxy is not running.", ToneBad},
		"too late":    {Trial{}, context.DeadlineExceeded, "No answer within a minute.", ToneBad},
	} {
		m := newModels(namedSettings())
		id := own(t, m, "best").ID
		ask, run, ok := m.Try(id)
		if r := own(t, m, "best"); ask != "best" || !ok || !r.Busy || r.Tone != ToneBusy {
			t.Fatalf("%s: asks %q, %v: %+v", what, ask, ok, r)
		}
		if _, _, twice := m.Try(id); twice {
			t.Errorf("%s: tried twice at once", what)
		}
		m.Answered(id, run, c.trial, c.err)
		if r := own(t, m, "best"); !strings.Contains(r.Tried, c.text) || r.Tone != c.tone || r.Busy {
			t.Errorf("%s: %+v", what, r)
		}
	}
	m := newModels(namedSettings())
	for id, want := range map[int]string{tier(m, settings.TierHaiku).ID: "claude-haiku", own(t, m, DefaultAlias).ID: DefaultAlias} {
		if ask, _, _ := m.Try(id); ask != want {
			t.Errorf("asks %q, want %q", ask, want)
		}
	}
	if _, _, ok := m.Try(tier(m, settings.TierOpus).ID); ok {
		t.Error("an empty slot is tried")
	}
	many := WithDefaultModel(settings.Default(), "gpt-5#openai")
	many.Aliases["gpt-4*"] = "gpt-5#openai"
	stars := newModels(many)
	if ask, _, _ := stars.Try(own(t, stars, "gpt-4*").ID); ask != "gpt-4x" {
		t.Errorf("for a name with a star it asks %q", ask)
	}
	_, run, _ := m.Try(own(t, m, DefaultAlias).ID)
	m.Reload(WithDefaultModel(namedSettings(), "echo#demo"), nil)
	m.Answered(own(t, m, DefaultAlias).ID, run, Trial{Model: "gpt-5"}, nil)
	if r := own(t, m, DefaultAlias); r.Tried != "" || r.Busy {
		t.Errorf("an answer of what was there before stays: %+v", r)
	}
	fast := own(t, m, "fast").ID
	_, run, _ = m.Try(fast)
	m.SetModels(fast, "echo#demo")
	m.Answered(fast, run, Trial{Model: "gpt-5-mini"}, nil)
	if r := own(t, m, "fast"); r.Tried != "" {
		t.Errorf("an old answer stays: %+v", r)
	}
	if _, _, ok := m.Try(fast); ok || !strings.Contains(own(t, m, "fast").Tried, "Save first") {
		t.Errorf("what is not saved is tried: %+v", own(t, m, "fast"))
	}
	m.Reload(m.Settings(), nil)
	if r := own(t, m, "fast"); r.Tried != "" {
		t.Errorf("saved, and still it says %q", r.Tried)
	}
}

func TestModelsCatalogue(t *testing.T) {
	m := newModels(namedSettings())
	for query, want := range map[string][]string{
		"": {"openai", "anthropic", "demo"}, " MINI openai ": {"openai"}, "nothing of it": nil, "echo": {"demo"},
	} {
		m.Search(query)
		var got []string
		for _, g := range m.Catalogue() {
			got = append(got, g.Provider)
		}
		if !slices.Equal(got, want) || m.Query() != query {
			t.Errorf("%q finds %q, want %q", query, got, want)
		}
	}
	if len(m.All()) != 3 {
		t.Errorf("all: %+v", m.All())
	}
}

// valid finds what is wrong with settings where there are some providers.
func valid(providers ...string) func(settings.Settings) error {
	return func(s settings.Settings) error {
		return s.Validate(append(slices.Clone(providers), slices.Collect(maps.Keys(s.Providers))...))
	}
}

func TestModelsOffersWhatFits(t *testing.T) {
	m := newModels(namedSettings())
	id := m.Tiers()[0].ID
	offers := func() []string { return m.Tiers()[0].Offers }
	for _, c := range []struct {
		typed string
		want  []string
	}{
		{"g", nil},
		{"gpt", []string{"gpt-5#openai", "gpt-5-mini#openai"}},
		{"MINI", []string{"gpt-5-mini#openai"}},
		{"gpt-5#openai", nil},
		{"echo#demo， son", []string{"claude-sonnet-4-5#anthropic"}},
		{"nothing-like-it", nil},
	} {
		m.SetModels(id, c.typed)
		if got := offers(); !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.typed, got, c.want)
		}
	}
	m.SetModels(id, "echo#demo， son")
	m.Complete(id, "claude-sonnet-4-5#anthropic")
	if got := m.Tiers()[0].Models; got != "echo#demo, claude-sonnet-4-5#anthropic" || offers() != nil {
		t.Errorf("completed to %q, offers %q", got, offers())
	}
}
