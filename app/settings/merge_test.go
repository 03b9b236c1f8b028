package settings

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

func TestMerge(t *testing.T) {
	base := Default()
	base.Aliases = map[string]any{"stays": "a#openai", "goes": "b#openai", "changes": "c#openai", "theirs": "d#openai"}
	ours, theirs := base, base
	ours.App.Theme = "dark"
	ours.Aliases = map[string]any{"stays": "a#openai", "changes": "ours#openai", "new": "e#openai", "theirs": "d#openai"}
	theirs.Gateway.ID = "edited"
	theirs.App.Theme = "light"
	theirs.Server.Origins = []string{"https://a.example"}
	theirs.Aliases = map[string]any{"stays": "a#openai", "goes": "b#openai", "changes": "x#openai", "theirs": []any{"y#openai", "z#openai"}, "added": "f#openai"}
	theirs.Claude = map[Tier]any{TierOpus: "g#openai"}
	want := theirs
	want.App.Theme = "dark"
	want.Aliases = map[string]any{"stays": "a#openai", "changes": "ours#openai", "theirs": []any{"y#openai", "z#openai"}, "added": "f#openai", "new": "e#openai"}
	if got := Merge(base, ours, theirs); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if len(theirs.Aliases) != 5 || len(base.Aliases) != 4 || len(ours.Aliases) != 4 {
		t.Error("what was merged was changed")
	}
	for _, s := range []Settings{base, ours, theirs, {}} {
		if got := Merge(s, s, theirs); !reflect.DeepEqual(got, theirs) {
			t.Errorf("nothing was changed here, yet it is %+v", got)
		}
		if got := Merge(base, s, base); !reflect.DeepEqual(got.Aliases, s.Aliases) && len(s.Aliases)+len(got.Aliases) > 0 {
			t.Errorf("nobody changed the file, yet it has %+v of %+v", got.Aliases, s.Aliases)
		}
	}
}

func TestEdited(t *testing.T) {
	path := filepath.Join(t.TempDir(), "settings.toml")
	if Edited(path) {
		t.Error("there is no file")
	}
	s := Default()
	s.Aliases = map[string]any{"a": "b#openai"}
	if err := Save(path, s); err != nil {
		t.Fatal(err)
	}
	if Edited(path) {
		t.Error("nobody edited it")
	}
	own, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(own) + "# mine\n", "[claude]\nopus = 'a#openai'\n", "not TOML", string(own) + "[madeup]\nx = 1\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if !Edited(path) {
			t.Errorf("%q is what the program would write", text)
		}
	}
}
