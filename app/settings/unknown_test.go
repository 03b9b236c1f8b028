package settings

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

// TestUnknownKeys: each is named with its line, in the order of the file, and with what it
// was probably meant to be.
func TestUnknownKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "settings.toml")
	write(t, path, `version = 1
speed = 3
listen = "127.0.0.1:1"

[gateway]
id = 'g'
token = 'abc'
[server]
lisen = 'x'
Debog = true
whatever = 1
[future]
a = 1
[alias]
fast = "gpt-5#openai"
[providers.openai]
kee = "own"
[captures]
memmory = 3
[[gateways]]
x = 1
`)
	got, notices, err := Load(path)
	if err != nil || got.Gateway.ID != "g" {
		t.Fatalf("got %+v, %v", got, err)
	}
	want := []struct {
		line int
		text string
	}{
		{2, "speed is not a setting and is ignored; the sections are gateway, azure, server, providers, app, captures, notifications, aliases, claude"},
		{3, "listen is not a setting and is ignored; did you mean listen in the section [server]?"},
		{7, "gateway.token is not a setting and is ignored; secrets do not belong in this file, use the keychain or the environment"},
		{9, "server.lisen is not a setting and is ignored; did you mean server.listen?"},
		{10, "server.Debog is not a setting and is ignored; did you mean server.debug?"},
		{11, "server.whatever is not a setting and is ignored; the settings in [server] are listen, upstream_timeout, stream_idle_timeout, retries, origins, debug"},
		{12, "[future] is not a section of the settings and is ignored; the sections are gateway, azure, server, providers, app, captures, notifications, aliases, claude"},
		{14, "[alias] is not a section of the settings and is ignored; did you mean [aliases]?"},
		{17, "providers.openai.kee is not a setting and is ignored; did you mean providers.openai.key?"},
		{19, "captures.memmory is not a setting and is ignored; did you mean captures.memory?"},
		{20, "[gateways] is not a section of the settings and is ignored; did you mean [gateway]?"},
	}
	for i, w := range want {
		if i >= len(notices) || notices[i].Line != w.line || notices[i].Text.String() != w.text {
			t.Errorf("notice %d is\n%v, want\n%v", i, notices[min(i, len(notices)-1)], w)
		}
	}
	if len(notices) != len(want) {
		t.Errorf("%d notices: %v", len(notices), notices)
	}
}

// TestUnknownKeyBesideAWrongValue keeps its line, although the wrong value is taken out.
func TestUnknownKeyBesideAWrongValue(t *testing.T) {
	path := filepath.Join(t.TempDir(), "settings.toml")
	write(t, path, "[server]\nlisten = 1\n[alias]\nx = 'y'\n")
	_, notices, err := Load(path)
	if err == nil || len(notices) != 1 || notices[0].Line != 3 || strings.Contains(notices[0].Text.String(), "\n") {
		t.Errorf("%v, %v", notices, err)
	}
}

// TestNamesThatAreMistyped: a provider or a tier that there is not.
func TestNamesThatAreMistyped(t *testing.T) {
	s := Default()
	s.Providers = map[string]Provider{"opnai": {}, "OpenAI": {}, "else": {}}
	s.Claude = map[Tier]any{"Opus": "gpt-5#openai", "hiaku": "gpt-5#openai", "huge": "gpt-5#openai"}
	s.Aliases = map[string]any{"gpt-4": map[string]any{"1": "gpt-5#openai"}}
	var e *ValidationError
	if err := s.Validate([]string{"openai", "groq"}); !errors.As(err, &e) {
		t.Fatalf("got %v", err)
	}
	for field, want := range map[string]string{
		"providers.opnai":  "there is no such provider; did you mean openai?",
		"providers.OpenAI": "there is no such provider; did you mean openai?",
		"providers.else":   "there is no such provider; choose one of openai, groq",
		"claude.Opus":      "there is no such tier; did you mean opus?",
		"claude.hiaku":     "there is no such tier; did you mean haiku?",
		"claude.huge":      "there is no such tier; choose one of opus, sonnet, haiku, fable",
		"aliases.gpt-4":    `a name with a dot must be in quotes, as in "gpt-4.1" = "gpt-5#openai"`,
	} {
		if got := e.Field(field); got != want {
			t.Errorf("%s: %q, want %q", field, got, want)
		}
	}
}

func TestLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "settings.toml")
	write(t, path, "\xef\xbb\xbfversion = 1\r\n[server]\r\nlisten = 'x'\n\nDebug = true\n[providers.openai]\nkey = 'own'\n"+
		"[aliases]\n\"a.b\" = 'x'\ngpt-4.1 = 'y'\n\"b\\u0007\" = 'z'\n[captures]\nbodies = 'all'\n")
	lines := FileLines(path)
	for field, want := range map[string]int{
		"version": 1, "server": 2, FieldListen: 3, FieldDebug: 5, "Server.Debug": 5, "providers": 6, "providers.openai": 6, FieldProvider("openai"): 7,
		FieldAlias("a.b"): 9, FieldAlias("gpt-4"): 10, FieldMemory: 12, FieldTheme: 0, "": 0,
	} {
		if got := lines.Of(field); got != want {
			t.Errorf("%s is on line %d, want %d", field, got, want)
		}
	}
	write(t, path, "server = { listen = 'x',\n debug = true }\ngateway.id = 'g'\n")
	if lines := FileLines(path); lines.Of(FieldListen) != 1 || lines.Of(FieldGateway) != 3 {
		t.Errorf("lines %v", lines)
	}
	if lines := FileLines(filepath.Join(t.TempDir(), "none")); lines.Of(FieldListen) != 0 {
		t.Errorf("lines %v", lines)
	}
}
