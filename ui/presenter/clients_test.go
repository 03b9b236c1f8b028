package presenter_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"apex-ai-proxy/app/client"
	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/ui/presenter"
)

const secretKey = "apx-very-secret"

var runs = presenter.Status{State: presenter.Running, Addr: "127.0.0.1:8787"}

func ready() settings.Settings {
	s := settings.Default()
	s.Gateway.Account, s.Gateway.ID = "0123456789abcdef0123456789abcdef", "home"
	return s
}

func ids(rows []presenter.ClientRow) []string {
	var out []string
	for _, r := range rows {
		if r.ID != "" {
			out = append(out, r.ID)
		}
	}
	return out
}

func TestClientsRows(t *testing.T) {
	c := presenter.NewClients("darwin")
	rows := c.Rows()
	if rows[0].ID != "" || rows[0].Text != "Command line" || rows[1].Text != "Claude Code" {
		t.Errorf("the list begins with %v", rows[:2])
	}
	if n := len(ids(rows)); n != len(client.For(client.MacOS)) {
		t.Errorf("%d clients in the list", n)
	}
	for i, r := range rows {
		if r.ID == "" && (i+1 == len(rows) || rows[i+1].ID == "") {
			t.Errorf("nothing below %q", r.Text)
		}
	}
}

func TestClientsSearch(t *testing.T) {
	for query, want := range map[string][]string{
		"claude":             {"claude-code", "claude-desktop"},
		"CODE messages":      {"claude-code", "opencode", "vscode"},
		"fish qwen":          {"qwen-code"},
		"terminal":           {"curl"},
		"  ":                 nil, // everything
		"no such client":     {},
		"config.toml":        {"codex"},
		"anthropic python":   {"anthropic-sdk"},
		"editors tunnel":     {"cursor"},
		"responses terminal": {},
	} {
		c := presenter.NewClients("darwin")
		c.Search(query)
		got := ids(c.Rows())
		if want == nil {
			want = ids(presenter.NewClients("darwin").Rows())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q finds %v, want %v", query, got, want)
		}
		if len(want) > 0 && !slices.Contains(want, c.Chosen()) {
			t.Errorf("%q leaves %s chosen", query, c.Chosen())
		}
	}
}

func TestClientsStep(t *testing.T) {
	c := presenter.NewClients("linux")
	rows := c.Rows()
	at := func(i int) string { return rows[i].ID }
	if got := at(c.Step(1)); got != "codex" {
		t.Errorf("below Claude Code is %s", got)
	}
	if got := at(c.Step(-1)); got != "claude-code" {
		t.Errorf("above the first is %s", got)
	}
	c.Choose("gemini-cli")
	if got := at(c.Step(1)); got != "vscode" {
		t.Errorf("below the last of a kind is %s", got)
	}
	if got := at(c.Step(1000)); got != "curl" {
		t.Errorf("the last is %s", got)
	}
	c.Search("no such client")
	if got := c.Step(1); got != -1 {
		t.Errorf("a step in an empty list goes to %d", got)
	}
}

// TestCardsHideTheKey looks at every card: what is shown has no key, what is copied has.
func TestCardsHideTheKey(t *testing.T) {
	for _, os := range []string{"darwin", "linux", "windows"} {
		c := presenter.NewClients(os)
		for _, id := range ids(c.Rows()) {
			c.Choose(id)
			for i := range max(len(c.Card(runs, ready(), secretKey).Variants), 1) {
				c.ChooseVariant(i)
				checkCard(t, c)
			}
		}
	}
}

func checkCard(t *testing.T, c *presenter.Clients) {
	t.Helper()
	card := c.Card(runs, ready(), secretKey)
	shown := fmt.Sprint(card)
	if strings.Contains(shown, secretKey) {
		t.Errorf("%s shows the key", card.ID)
	}
	if len(card.Variants) == 0 {
		if card.Note == "" || card.NeedModel {
			t.Errorf("%s cannot be used, and the card does not say so", card.ID)
		}
		return
	}
	copied := c.Copied(runs, ready(), secretKey)
	hidden := strings.NewReplacer(secretKey, "LOCAL_KEY", "\t", "    ")
	if strings.Join(card.Lines, "\n") != hidden.Replace(copied) {
		t.Errorf("%s copies other than it shows:\n%s", card.ID, copied)
	}
	all := copied
	for i, f := range card.Fields {
		value := c.CopiedField(i, runs, ready(), secretKey)
		if f.Value != hidden.Replace(value) {
			t.Errorf("%s: the field %s copies %q", card.ID, f.Name, value)
		}
		all += value
	}
	if card.HidesKey != strings.Contains(all, secretKey) {
		t.Errorf("%s: HidesKey is %v", card.ID, card.HidesKey)
	}
	if len(card.Lines) == 0 && len(card.Fields) == 0 {
		t.Errorf("%s %s tells nothing", card.ID, card.Variants[card.Variant])
	}
}

func TestCard(t *testing.T) {
	c := presenter.NewClients("windows")
	card := c.Card(runs, ready(), secretKey)
	if card.Name != "Claude Code" || card.Protocols != "Anthropic Messages" || card.Problem != "" || !card.NeedModel {
		t.Errorf("%+v", card)
	}
	if card.File != `%USERPROFILE%\.claude\settings.json` || len(card.Steps) != 2 {
		t.Errorf("file %q, steps %q", card.File, card.Steps)
	}
	if !strings.Contains(c.Copied(runs, ready(), secretKey), `"ANTHROPIC_BASE_URL": "http://127.0.0.1:8787",`) {
		t.Error(c.Copied(runs, ready(), secretKey))
	}
	c.ChooseVariant(1)
	if card := c.Card(runs, ready(), secretKey); card.Variants[card.Variant] != "PowerShell" || card.File != "" {
		t.Errorf("%+v", card)
	}
	c.Choose("codex")
	if card := c.Card(runs, ready(), secretKey); card.Variant != 0 || card.HidesKey {
		t.Errorf("config.toml names a variable, not the key: %+v", card)
	}
	c.Choose("claude-code")
	if card := c.Card(runs, ready(), secretKey); card.Variant != 1 {
		t.Error("the variant of Claude Code is forgotten")
	}
	c.Choose("no such client")
	if c.Chosen() != "claude-code" {
		t.Errorf("%s is chosen", c.Chosen())
	}
}

func TestClientsModel(t *testing.T) {
	c := presenter.NewClients("linux")
	if got := c.Model(settings.Default()); got != "echo#demo" {
		t.Errorf("without a gateway: %s", got)
	}
	if got := c.Model(ready()); got != "claude-sonnet-4-5#anthropic" {
		t.Errorf("with a gateway: %s", got)
	}
	c.SetModel("  gpt-5#openai ")
	if !strings.Contains(c.Copied(runs, ready(), secretKey), `"gpt-5#openai"`) {
		t.Error("the chosen model is not copied")
	}
	c.SetModel(" ")
	if got := c.Model(ready()); got != "claude-sonnet-4-5#anthropic" {
		t.Errorf("nothing chosen: %s", got)
	}
}

// TestUnknownAddress sees to it that nothing can be copied that would not work.
func TestUnknownAddress(t *testing.T) {
	for name, c := range map[string]struct {
		status  presenter.Status
		key     string
		problem string
		start   bool
		ready   bool
	}{
		"running":       {runs, secretKey, "", false, true},
		"stopped":       {presenter.Status{State: presenter.Stopped, Addr: "127.0.0.1:8787"}, secretKey, "The proxy does not run. Start it before you use the client.", true, true},
		"failed":        {presenter.Status{State: presenter.Failed, Addr: "127.0.0.1:8787"}, secretKey, "The proxy does not run. Start it before you use the client.", true, true},
		"starting":      {presenter.Status{State: presenter.Starting, Addr: "127.0.0.1:8787"}, secretKey, "", false, true},
		"no port":       {presenter.Status{State: presenter.Stopped, Addr: "127.0.0.1:0"}, secretKey, "The address and the local key are known once the proxy runs. Start it first.", true, false},
		"port to come":  {presenter.Status{State: presenter.Starting, Addr: "127.0.0.1:0"}, secretKey, "The address and the local key are known once the proxy runs.", false, false},
		"no key so far": {presenter.Status{State: presenter.Stopped, Addr: "127.0.0.1:8787"}, "", "The address and the local key are known once the proxy runs. Start it first.", true, false},
	} {
		p := presenter.NewClients("linux")
		card := p.Card(c.status, ready(), c.key)
		if card.Problem != c.problem || card.Start != c.start {
			t.Errorf("%s: %q, start %v", name, card.Problem, card.Start)
		}
		if got := p.Copied(c.status, ready(), c.key); (got != "") != c.ready || (len(card.Lines) > 0) != c.ready {
			t.Errorf("%s: %q, shown %q", name, got, card.Lines)
		}
	}
}

func TestModelGroups(t *testing.T) {
	s := settings.Default()
	s.Aliases = map[string]any{"fast": "gpt-5-mini#openai", "claude-*": "gpt-5#openai", "best": "gpt-5#openai"}
	got := fmt.Sprint(presenter.ModelGroups([]string{"gpt-5#openai", "a#b#anthropic", "gpt-4o#openai"}, s))
	if want := "[{Aliases [best fast]} {openai [gpt-5#openai gpt-4o#openai]} {anthropic [a#b#anthropic]}]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := presenter.ModelGroups(nil, settings.Default()); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

// A tier that Models says something of goes into the client by its name, so that another
// choice there needs no change in the client.
func TestCardTiers(t *testing.T) {
	c := presenter.NewClients("linux")
	s := ready()
	if card := c.Card(runs, s, secretKey); !strings.HasSuffix(card.Tiers, "All of them get this model unless you choose another on the Models page.") {
		t.Errorf("it says %q", card.Tiers)
	}
	s = s.WithTier(settings.TierHaiku, "gpt-5-nano#openai")
	text, card := c.Copied(runs, s, secretKey), c.Card(runs, s, secretKey)
	if !strings.Contains(text, `"ANTHROPIC_DEFAULT_HAIKU_MODEL": "claude-haiku"`) || !strings.Contains(text, `"ANTHROPIC_DEFAULT_OPUS_MODEL": "claude-sonnet-4-5#anthropic"`) {
		t.Error(text)
	}
	if !strings.Contains(card.Tiers, "sets the models for Haiku; the others") {
		t.Errorf("it says %q", card.Tiers)
	}
	for _, tier := range settings.Tiers() {
		s = s.WithTier(tier, "gpt-5#openai")
	}
	if card := c.Card(runs, s, secretKey); !strings.Contains(card.Tiers, "the model for each") {
		t.Errorf("it says %q", card.Tiers)
	}
	c.Choose("codex")
	if card := c.Card(runs, s, secretKey); card.Tiers != "" {
		t.Errorf("Codex: %q", card.Tiers)
	}
}
