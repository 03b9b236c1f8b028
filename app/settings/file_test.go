package settings

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

func full() Settings {
	return Settings{
		Version: current.version,
		Gateway: Gateway{Account: strings.Repeat("0a", 16), ID: "my-gateway", URL: "https://example.com/v1"},
		Azure:   Azure{Resource: "my-azure", APIVersion: "2024-10-21"},
		Server: Server{
			Listen: "127.0.0.1:9999", Debug: true,
			UpstreamTimeout: Duration(90 * time.Second), StreamIdleTimeout: Duration(2 * time.Hour),
			Origins: []string{"https://example.com", "vscode-webview://abc"},
		},
		Providers: map[string]Provider{"google-ai-studio": {Key: KeyOwn}, "openai": {Key: KeyUnified}},
		App:       App{StartProxy: false, KeepRunning: false, Language: "zh-Hans", Theme: ThemeDark},
	}
}

func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "settings.toml")
	want := full()
	if err := Save(path, want); err != nil {
		t.Fatal(err)
	}
	got, notices, err := Load(path)
	if err != nil || len(notices) != 0 {
		t.Fatalf("notices %v, error %v", notices, err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	data, _ := os.ReadFile(path)
	if !strings.Contains(string(data), "upstream_timeout = '1m30s'") || !strings.Contains(string(data), "stream_idle_timeout = '2h'") {
		t.Errorf("durations are not written for people:\n%s", data)
	}
	if runtime.GOOS != "windows" {
		wantMode(t, path, 0o600)
		wantMode(t, filepath.Dir(path), 0o700|fs.ModeDir)
	}
}

func wantMode(t *testing.T, path string, want fs.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != want {
		t.Errorf("%s has mode %v, want %v", filepath.Base(path), info.Mode(), want)
	}
}

func TestSaveTightensAnOpenFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Log("Windows keeps others out by the folder's access list")
		return
	}
	path := filepath.Join(t.TempDir(), "settings.toml")
	write(t, path, "version = 1\n")
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := Save(path, Default()); err != nil {
		t.Fatal(err)
	}
	wantMode(t, path, 0o600)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestLoadNothing(t *testing.T) {
	got, notices, err := Load(filepath.Join(t.TempDir(), "settings.toml"))
	if err != nil || notices != nil || !reflect.DeepEqual(got, Default()) {
		t.Errorf("got %+v, %v, %v", got, notices, err)
	}
}

func TestLoadKeepsDefaultsOfAbsentKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "settings.toml")
	write(t, path, "\xef\xbb\xbf[gateway]\nid = 'g'\n[server]\nlisten = '[::1]:1'\n")
	want := Default()
	want.Gateway.ID = "g"
	want.Server.Listen = "[::1]:1"
	got, notices, err := Load(path)
	if err != nil || notices != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, %v", got, notices, err)
	}
}

// A file that is TOML keeps its place and its good values, whatever the others are.
func TestWrongValuesAreNamed(t *testing.T) {
	const time = `write it as in "5m" or "90s"`
	for name, tc := range map[string]struct{ text, field, says string }{
		"nanoseconds":  {"[server]\nupstream_timeout = 5", FieldUpstreamTimeout, "5 is not a time; " + time},
		"other case":   {"[Server]\nUpstream_Timeout = 5", "Server.Upstream_Timeout", time},
		"fraction":     {"[server]\nstream_idle_timeout = 1.5", FieldStreamIdleTimeout, "1.5 is not a time; " + time},
		"clock":        {"[server]\nstream_idle_timeout = 12:00:00", FieldStreamIdleTimeout, time},
		"no time":      {"[server]\nupstream_timeout = 'zz'", FieldUpstreamTimeout, `"zz" is not a time; ` + time},
		"no unit":      {"[server]\nupstream_timeout = '5'", FieldUpstreamTimeout, `"5" is not a time; ` + time},
		"number":       {"[server]\nlisten = 8787", FieldListen, "in quotes"},
		"quoted":       {"[server]\ndebug = 'yes'", FieldDebug, "true or false"},
		"no list":      {"[server]\norigins = 'https://a.example'", FieldOrigins, "write a list"},
		"mixed list":   {"[server]\norigins = ['https://a.example', 1]", FieldOrigins, "write a list"},
		"key mode":     {"[providers.openai]\nkey = 5", FieldProvider("openai"), "in quotes"},
		"no provider":  {"[providers]\nopenai = 'own'", "providers.openai", "[providers.openai]"},
		"no section":   {"server = 3", "server", "[server]"},
		"many":         {"[[server]]\nlisten = 'x'", "server", "[server]"},
		"version":      {"version = 'new'", "version", "whole number"},
		"no tiers":     {"claude = 'gpt-5#openai'", "claude", "[claude]"},
		"some aliases": {"aliases = 3", "aliases", "[aliases]"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "settings.toml")
			text := tc.text + "\n[gateway]\nid = 'mine'\nspeed = 3\n"
			write(t, path, text)
			got, notices, err := Load(path)
			var invalid *ValidationError
			if !errors.As(err, &invalid) || len(invalid.Problems) != 1 || !strings.Contains(invalid.Field(tc.field), tc.says) {
				t.Errorf("got %v, want one problem with %s that says %q", err, tc.field, tc.says)
			}
			if len(notices) != 1 || !strings.Contains(notices[0].Text.String(), "gateway.speed") {
				t.Errorf("notices %v, want one about the unknown key", notices)
			}
			want := Default()
			want.Gateway.ID = "mine"
			got.Providers = nil // may hold one without a mode
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v", got)
			}
			if data, _ := os.ReadFile(path); string(data) != text {
				t.Errorf("the file is now %q", data)
			}
			if entries, _ := os.ReadDir(dir); len(entries) != 1 {
				t.Errorf("the folder holds %v", entries)
			}
		})
	}
}

func TestEveryWrongValueIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "settings.toml")
	write(t, path, "[gateway]\nid = 1\n[server]\nlisten = 2\ndebug = true\n")
	got, _, err := Load(path)
	var invalid *ValidationError
	if !errors.As(err, &invalid) || len(invalid.Problems) != 2 || invalid.Field(FieldGateway) == "" || invalid.Field(FieldListen) == "" {
		t.Errorf("got %v", err)
	}
	if !got.Server.Debug || got.Server.Listen != Default().Server.Listen {
		t.Errorf("got %+v", got.Server)
	}
}

func TestCopyAside(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "settings.toml")
	if aside, err := CopyAside(path, Broken); err != nil || aside != "" {
		t.Errorf("nothing to keep: %q, %v", aside, err)
	}
	for n, text := range []string{"a = 1\n", "a = 2\n"} {
		write(t, path, text)
		aside, err := CopyAside(path, Broken)
		if err != nil {
			t.Fatal(err)
		}
		if kept, _ := filepath.Glob(path + ".broken-*"); len(kept) != n+1 || !slices.Contains(kept, aside) {
			t.Errorf("kept %v, told of %s", kept, aside)
		}
		if data, _ := os.ReadFile(aside); string(data) != text {
			t.Errorf("kept %q", data)
		}
		if data, _ := os.ReadFile(path); string(data) != text {
			t.Errorf("the file is now %q", data)
		}
	}
}

func TestNewerFileIsLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "settings.toml")
	text := "version = 99\n[gateway]\nid = 'g'\nshape = { of = 'things' }\n"
	write(t, path, text)
	got, _, err := Load(path)
	var newer *NewerError
	if !errors.As(err, &newer) || newer.Version != 99 || newer.Path != path {
		t.Fatalf("error %v", err)
	}
	if !strings.Contains(err.Error(), "update the program") {
		t.Errorf("%q does not say what to do", err)
	}
	if !reflect.DeepEqual(got, Default()) {
		t.Errorf("got %+v", got)
	}
	if data, _ := os.ReadFile(path); string(data) != text {
		t.Errorf("the file is now %q", data)
	}
}

func TestMigration(t *testing.T) {
	f := format{version: 3, steps: map[int]func(map[string]any) error{
		1: func(doc map[string]any) error {
			doc["gateway"] = map[string]any{"id": doc["gateway_name"]}
			delete(doc, "gateway_name")
			return nil
		},
		2: func(doc map[string]any) error {
			g := doc["gateway"].(map[string]any)
			g["id"] = g["id"].(string) + "-moved"
			return nil
		},
	}}
	path := filepath.Join(t.TempDir(), "settings.toml")
	for _, version := range []string{"", "version = 1\n"} {
		write(t, path, version+"gateway_name = 'mine'\n")
		got, notices, err := f.load(path)
		if err != nil || notices != nil || got.Gateway.ID != "mine-moved" || got.Version != 3 {
			t.Errorf("%q: got %+v, %v, %v", version, got, notices, err)
		}
	}

	write(t, path, "version = 2\n[gateway]\nid = 'two'\nold = 1\n")
	got, notices, err := f.load(path)
	if err != nil || got.Gateway.ID != "two-moved" {
		t.Errorf("got %+v, %v", got, err)
	}
	if len(notices) != 1 || notices[0].Line != 0 {
		t.Errorf("notices %v: a rewritten document has no lines to name", notices)
	}

	gap := format{version: 3, steps: nil}
	if _, _, err := gap.decode([]byte("version = 1\n")); err == nil {
		t.Error("a missing step was not noticed")
	}
}

// A program killed while it saved leaves its temporary file behind.
func TestLeftoverTemporaryFileDoesNoHarm(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "settings.toml")
	want := full()
	if err := Save(path, want); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, ".settings.toml123456789"), "version = 1\n[gat")
	if got, notices, err := Load(path); err != nil || notices != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, %v", got, notices, err)
	}
	want.Gateway.ID = "changed"
	if err := Save(path, want); err != nil {
		t.Fatal(err)
	}
	if got, _, _ := Load(path); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
}

// Whoever has the old file open keeps reading the old content: the file is replaced,
// never written into.
func TestSaveReplaces(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Log("Windows does not replace an open file")
		return
	}
	path := filepath.Join(t.TempDir(), "settings.toml")
	if err := Save(path, full()); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := Save(path, Default()); err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if os.SameFile(before, after) {
		t.Error("the file was written into")
	}
	entries, _ := os.ReadDir(filepath.Dir(path))
	if len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestSaveFollowsALink(t *testing.T) {
	dir := t.TempDir()
	elsewhere, link := filepath.Join(dir, "dotfiles.toml"), filepath.Join(dir, "settings.toml")
	write(t, elsewhere, "")
	if err := os.Symlink(elsewhere, link); err != nil {
		if runtime.GOOS == "windows" {
			t.Logf("no links for this user: %v", err)
			return
		}
		t.Fatal(err)
	}
	if err := Save(link, full()); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v, %v", info, err)
	}
	if got, _, err := Load(elsewhere); err != nil || !reflect.DeepEqual(got, full()) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestSaveSaysWhy(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, "")
	err := Save(filepath.Join(file, "settings.toml"), Default())
	if err == nil || !strings.HasPrefix(err.Error(), "save settings: ") {
		t.Errorf("error %v", err)
	}
}
