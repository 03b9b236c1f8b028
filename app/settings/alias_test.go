package settings

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestAliasesAreRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "settings.toml")
	text := "version = 1\n[aliases]\n\"claude-sonnet-4-5\" = \"gpt-4o#openai\"\n\"claude-*-haiku-*\" = [\"gpt-5-mini#openai\", \"claude-haiku-4-5#anthropic\"]\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, notices, err := Load(path)
	if err != nil || len(notices) > 0 {
		t.Fatal(err, notices)
	}
	want := map[string][]string{
		"claude-sonnet-4-5": {"gpt-4o#openai"}, "claude-*-haiku-*": {"gpt-5-mini#openai", "claude-haiku-4-5#anthropic"},
	}
	if got := s.AliasTargets(); !reflect.DeepEqual(got, want) {
		t.Errorf("read %v", got)
	}
	if err := s.Validate(nil); err != nil {
		t.Errorf("refused: %v", err)
	}
	if err := Save(path, s); err != nil {
		t.Fatal(err)
	}
	again, _, err := Load(path)
	if err != nil || !reflect.DeepEqual(again.AliasTargets(), want) {
		t.Errorf("after saving: %v, %v", again.AliasTargets(), err)
	}
}

func TestAliasesAreChecked(t *testing.T) {
	for value, want := range map[string]struct {
		alias any
		text  string
	}{
		"number":  {int64(5), "write the model"},
		"empty":   {[]any{}, "write the model"},
		"mixed":   {[]any{"a#openai", int64(1)}, "write the model"},
		"blank":   {" ", "the model is missing"},
		"nothing": {"", "the model is missing"},
		"pattern": {"gpt-*#openai", "a name without *"},
		"many":    {[]any{"1", "2", "3", "4", "5", "6", "7", "8", "9"}, "at most 8"},
		"chain":   {"y", `"y" is an alias too`},
		"loop":    {[]any{"gpt-5#openai", "x"}, `"x" is an alias too`},
	} {
		s := Default()
		s.Aliases = map[string]any{"x": want.alias, "y": "gpt-5#openai"}
		var e *ValidationError
		if err := s.Validate(nil); !errors.As(err, &e) || !strings.Contains(e.Field(FieldAlias("x")), want.text) {
			t.Errorf("%s: %v", value, err)
		}
	}
}

func TestAliasNamesAreChecked(t *testing.T) {
	for name, want := range map[string]string{
		"":                       "needs a name",
		" ":                      "needs a name",
		" fast":                  "spaces",
		"a\nb":                   "control character",
		"a\x00b":                 "control character",
		"claude-opus-4-8[1m]":    "leave out [1m]",
		strings.Repeat("a", 257): "longer than 256",
		"fast":                   "",
		"claude-*-haiku-*":       "",
		"*":                      "",
		"fast#mine":              "",
		"b\u00fcro modell":       "",
	} {
		s := Default()
		s.Aliases = map[string]any{name: "gpt-5#openai"}
		var e *ValidationError
		_ = errors.As(s.Validate(nil), &e)
		if e == nil {
			e = &ValidationError{}
		}
		text := e.Field(FieldAlias(name))
		if (text == "") != (want == "") || !strings.Contains(text, want) {
			t.Errorf("%q: %q, want %q", name, text, want)
		}
		if strings.ContainsAny(e.Error(), "\n\x00") {
			t.Errorf("%q gets out raw: %q", name, e.Error())
		}
	}
}

func TestTiers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "settings.toml")
	text := "[claude]\nopus = \"gpt-5#openai\"\nsonnet = [\"gpt-5-mini#openai\", \"grok-4#grok\"]\nhaiku = \"\"\nfable = []\n[aliases]\n\"claude-opus\" = \"o3#openai\"\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, notices, err := Load(path)
	if err != nil || len(notices) > 0 || s.Validate(nil) != nil {
		t.Fatal(err, notices, s.Validate(nil))
	}
	want := map[string][]string{
		"claude-opus": {"o3#openai"}, "claude-*opus*": {"gpt-5#openai"},
		"claude-sonnet": {"gpt-5-mini#openai", "grok-4#grok"}, "claude-*sonnet*": {"gpt-5-mini#openai", "grok-4#grok"},
	}
	if got := s.AliasTargets(); !reflect.DeepEqual(got, want) {
		t.Errorf("read %v", got)
	}
	changed := s.WithTier(TierHaiku, "gpt-5-nano#openai").WithTier(TierOpus).WithTier(TierFable, "a#openai", "b#openai")
	if err := Save(path, changed); err != nil {
		t.Fatal(err)
	}
	again, _, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	for tier, want := range map[Tier][]string{
		TierOpus: nil, TierSonnet: {"gpt-5-mini#openai", "grok-4#grok"}, TierHaiku: {"gpt-5-nano#openai"}, TierFable: {"a#openai", "b#openai"},
	} {
		if got := again.TierTargets(tier); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", tier, got, want)
		}
	}
	for _, tier := range Tiers() {
		got := Default().WithTier(tier, "gpt-5#openai").AliasTargets()
		want := map[string][]string{"claude-" + string(tier): {"gpt-5#openai"}, "claude-*" + string(tier) + "*": {"gpt-5#openai"}}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s stands for %v", tier, got)
		}
	}
	if s.TierTargets(TierOpus) == nil || s.TierTargets(TierHaiku) != nil {
		t.Error("the original was changed")
	}
	for value, want := range map[any]string{int64(3): "write the model", "x*": "without *", "fast": "is an alias too"} {
		s := Default()
		s.Aliases, s.Claude = map[string]any{"fast": "gpt-5#openai"}, map[Tier]any{TierOpus: value, "opsu": "gpt-5#openai"}
		var e *ValidationError
		if !errors.As(s.Validate(nil), &e) || !strings.Contains(e.Field(FieldTier(TierOpus)), want) || !strings.Contains(e.Field(FieldTier("opsu")), "did you mean opus?") {
			t.Errorf("%v: %v", value, e)
		}
	}
}
