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
		"blank":   {" ", "a name without *"},
		"pattern": {"gpt-*#openai", "a name without *"},
		"many":    {[]any{"1", "2", "3", "4", "5", "6", "7", "8", "9"}, "at most 8"},
	} {
		s := Default()
		s.Aliases = map[string]any{"x": want.alias}
		var e *ValidationError
		if err := s.Validate(nil); !errors.As(err, &e) || !strings.Contains(e.Field(FieldAlias("x")), want.text) {
			t.Errorf("%s: %v", value, err)
		}
	}
}
