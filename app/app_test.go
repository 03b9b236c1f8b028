package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"apex-ai-proxy/app/secret"
	"apex-ai-proxy/app/settings"
	_ "apex-ai-proxy/proxy/spent/spoil" // memory that was given back
)

var account = strings.Repeat("0a", 16)

// lockedKeychain answers when it is opened, as one whose dialog is on the screen.
type lockedKeychain struct {
	secret.Memory
	opened chan struct{}
}

func (l *lockedKeychain) wait(ctx context.Context) error {
	select {
	case <-l.opened:
		return nil
	case <-ctx.Done():
		return secret.ErrBusy
	}
}

func (l *lockedKeychain) Get(ctx context.Context, name string) (string, error) {
	if err := l.wait(ctx); err != nil {
		return "", err
	}
	return l.Memory.Get(ctx, name)
}

func (l *lockedKeychain) Set(ctx context.Context, name, value string) error {
	if err := l.wait(ctx); err != nil {
		return err
	}
	return l.Memory.Set(ctx, name, value)
}

// brokenKeychain is in one of the named states, and counts what it is asked.
type brokenKeychain struct {
	err error

	mu   sync.Mutex
	gets map[string]int
	sets int
}

func (b *brokenKeychain) Get(_ context.Context, name string) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.gets == nil {
		b.gets = make(map[string]int)
	}
	b.gets[name]++
	return "", b.err
}

func (b *brokenKeychain) Set(context.Context, string, string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sets++
	return b.err
}

func (b *brokenKeychain) Delete(context.Context, string) error { return b.err }

// given is an environment; without a settings file of its own it gets one in a new folder.
func given(t *testing.T, env map[string]string) func(string) string {
	t.Helper()
	env = maps.Clone(env)
	if env == nil {
		env = make(map[string]string)
	}
	if env["APEX_CONFIG"] == "" {
		env["APEX_CONFIG"] = filepath.Join(t.TempDir(), "settings.toml")
	}
	return func(name string) string { return env[name] }
}

// opened is an App on a free port, closed with the test.
func opened(t *testing.T, env map[string]string, keychain secret.Store) *App {
	t.Helper()
	a, err := Open(context.Background(), Options{
		Flags: map[string]string{"listen": "127.0.0.1:0"}, Env: given(t, env), Keychain: keychain,
	})
	must(t, err)
	t.Cleanup(func() { _ = a.Close(ended()) })
	return a
}

// openedFile is an App whose address comes from its settings file.
func openedFile(t *testing.T, text string) (a *App, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "settings.toml")
	must(t, os.WriteFile(path, []byte(text), 0o600))
	a, err := Open(context.Background(), Options{
		Env:      given(t, map[string]string{"APEX_CONFIG": path, "APEX_LOCAL_KEY": "key"}),
		Keychain: &secret.Memory{},
	})
	must(t, err)
	t.Cleanup(func() { _ = a.Close(ended()) })
	return a, path
}

// waits is how long a test waits for what should take milliseconds.
const waits = time.Minute

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(waits); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// ask sends a request to a demo model and returns the status.
func ask(t *testing.T, addr, key string) int {
	t.Helper()
	resp := post(t, addr, key, `{"model":"echo#demo","messages":[{"role":"user","content":"hello"}]}`)
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

func post(t *testing.T, addr, key, body string) *http.Response {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, "http://"+addr+"/v1/chat/completions", strings.NewReader(body))
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	return resp
}

func freeAddr(t *testing.T) string {
	t.Helper()
	for range 1000 { // none of those ports that the system gives out itself, to whoever wants one meanwhile
		if ln, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", 10_000+rand.IntN(10_000))); err == nil {
			defer ln.Close()
			return ln.Addr().String()
		}
	}
	t.Fatal("no port is free")
	return ""
}

// gateway is an upstream whose stream goes on until the test ends it.
type gateway struct {
	*httptest.Server
	end chan struct{}
}

func newGateway(t *testing.T) *gateway {
	g := &gateway{end: make(chan struct{})}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = fmt.Fprintf(w, "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":%q}}]}\n\n", r.URL.Path)
		w.(http.Flusher).Flush()
		select {
		case <-g.end:
			_, _ = io.WriteString(w, "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(g.Close)
	return g
}

// stream begins one and returns what reads the rest.
func stream(t *testing.T, addr string) (first string, rest *bufio.Reader) {
	t.Helper()
	resp := post(t, addr, "key", `{"model":"gpt-5#openai","stream":true,"messages":[{"role":"user","content":"hello"}]}`)
	t.Cleanup(func() { resp.Body.Close() })
	rest = bufio.NewReader(resp.Body)
	first, err := rest.ReadString('\n')
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("status %d, %q, %v", resp.StatusCode, first, err)
	}
	return first, rest
}

// TestPrecedence holds for every option: flag beats environment beats file beats default.
func TestPrecedence(t *testing.T) {
	values := map[string][3]string{ // in file, environment, flag
		settings.FieldAccount:           {strings.Repeat("1", 32), strings.Repeat("2", 32), strings.Repeat("3", 32)},
		settings.FieldGateway:           {"f", "e", "g"},
		settings.FieldGatewayURL:        {"https://f.example", "https://e.example", "https://g.example"},
		settings.FieldAzureResource:     {"in-file", "in-env", "in-flag"},
		settings.FieldAzureAPIVersion:   {"2024-01-01", "2024-01-02", "2024-01-03"},
		settings.FieldListen:            {"127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"},
		settings.FieldUpstreamTimeout:   {"1s", "2s", "3s"},
		settings.FieldStreamIdleTimeout: {"1m", "2m", "3m"},
		settings.FieldRetries:           {"0", "1", "5"},
		settings.FieldDebug:             {"true", "false", "true"},
	}
	if len(values) != len(options) {
		t.Fatalf("%d options are tested, there are %d", len(values), len(options))
	}
	for _, o := range options {
		v := values[o.field]
		table, key, _ := strings.Cut(o.field, ".")
		quoted := fmt.Sprintf("%q", v[0])
		if _, number := o.at(&settings.Settings{}).(*int); number || o.value == "" {
			quoted = v[0]
		}
		path := filepath.Join(t.TempDir(), "settings.toml")
		must(t, os.WriteFile(path, fmt.Appendf(nil, "[%s]\n%s = %s\n", table, key, quoted), 0o600))
		for _, tc := range []struct {
			env    map[string]string
			flags  map[string]string
			want   string
			source string
		}{
			{nil, nil, v[0], ""},
			{map[string]string{o.env: ""}, nil, v[0], ""},
			{map[string]string{o.env: v[1]}, nil, v[1], "environment " + o.env},
			{map[string]string{o.env: v[1]}, map[string]string{o.flag: v[2]}, v[2], "flag --" + o.flag},
			{nil, map[string]string{o.flag: v[2]}, v[2], "flag --" + o.flag},
		} {
			env := map[string]string{"APEX_CONFIG": path}
			maps.Copy(env, tc.env)
			a, err := Open(context.Background(), Options{Flags: tc.flags, Env: given(t, env), Keychain: &secret.Memory{}})
			must(t, err)
			s := a.Settings()
			if got := show(o.at(&s)); got != tc.want {
				t.Errorf("%s: got %s, want %s (%v, %v)", o.field, got, tc.want, tc.env, tc.flags)
			}
			if got := a.Overridden()[o.field]; got != tc.source {
				t.Errorf("%s: overridden by %q, want %q", o.field, got, tc.source)
			}
			must(t, a.Close(ended()))
		}
	}
}

func show(p any) string {
	switch p := p.(type) {
	case *string:
		return *p
	case *settings.Duration:
		return p.String()
	case *int:
		return strconv.Itoa(*p)
	case *bool:
		return fmt.Sprint(*p)
	}
	return "?"
}

func TestConfigFileIsChosen(t *testing.T) {
	dir := t.TempDir()
	env := map[string]string{"APEX_CONFIG": filepath.Join(dir, "env.toml")}
	for _, tc := range []struct{ flag, want string }{{"", "env.toml"}, {filepath.Join(dir, "flag.toml"), "flag.toml"}} {
		a, err := Open(context.Background(), Options{Flags: map[string]string{"config": tc.flag}, Env: given(t, env), Keychain: &secret.Memory{}})
		must(t, err)
		must(t, a.SaveSettings(context.Background(), a.Settings()))
		if _, err := os.Stat(filepath.Join(dir, tc.want)); err != nil || a.Dir() != dir {
			t.Errorf("%v, folder %s", err, a.Dir())
		}
		must(t, a.Close(ended()))
	}
}

// TestStartAfterACrash: a start removes what was being saved when the program was killed.
func TestStartAfterACrash(t *testing.T) {
	dir := t.TempDir()
	left, yesterday := filepath.Join(dir, ".settings.toml123"), time.Now().Add(-24*time.Hour)
	must(t, os.WriteFile(left, []byte("version = "), 0o600))
	must(t, os.Chtimes(left, yesterday, yesterday))
	opened(t, map[string]string{"APEX_CONFIG": filepath.Join(dir, "settings.toml")}, &secret.Memory{})
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
}

func TestDebugVariable(t *testing.T) {
	for v, want := range map[string]bool{"true": true, "1": true, "TRUE": true, "on": true, "": false, "false": false, "0": false, "express:*": false} {
		a := opened(t, map[string]string{"DEBUG": v}, &secret.Memory{})
		if a.Settings().Server.Debug != want {
			t.Errorf("DEBUG=%q gives %v", v, !want)
		}
	}
}

func TestUnusableValues(t *testing.T) {
	for name, v := range map[string]string{
		"APEX_UPSTREAM_TIMEOUT": "soon", "APEX_STREAM_IDLE_TIMEOUT": "5",
		"GATEWAY_TOKEN": "two words", "APEX_LOCAL_KEY": "a\x01b",
	} {
		_, err := Open(context.Background(), Options{Env: given(t, map[string]string{name: v})})
		var override *OverrideError
		if !errors.As(err, &override) || override.Source != "environment "+name {
			t.Errorf("%s: got %v", name, err)
		}
		if err != nil && strings.Count(err.Error(), name) != 1 {
			t.Errorf("%q does not name the variable once", err)
		}
	}
}

func TestSaveSettingsKeepsOverridesOutOfTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "settings.toml")
	must(t, os.WriteFile(path, []byte("[gateway]\nid = 'file'\n"), 0o600))
	a, err := Open(context.Background(), Options{
		Flags: map[string]string{"gateway": "flag"}, Env: given(t, map[string]string{"APEX_CONFIG": path}), Keychain: &secret.Memory{},
	})
	must(t, err)
	defer a.Close(ended())
	s := a.Settings()
	s.Gateway.Account = strings.ToUpper(account) + " "
	must(t, a.SaveSettings(context.Background(), s))
	kept, _, err := settings.Load(path)
	must(t, err)
	if kept.Gateway.ID != "file" || kept.Gateway.Account != account {
		t.Errorf("the file has %+v", kept.Gateway)
	}
	if got := a.Settings().Gateway; got.ID != "flag" || got.Account != account {
		t.Errorf("in force is %+v", got)
	}
}

func TestSaveSettingsRefusesWhatIsNotValid(t *testing.T) {
	a, path := openedFile(t, "version = 1\n")
	s := a.Settings()
	s.Gateway.Account = "short"
	s.Providers = map[string]settings.Provider{"demo": {Key: settings.KeyOwn}}
	var invalid *settings.ValidationError
	if err := a.SaveSettings(context.Background(), s); !errors.As(err, &invalid) || invalid.Field(settings.FieldAccount) == "" || len(invalid.Problems) != 2 {
		t.Errorf("got %v", err)
	}
	if data, _ := os.ReadFile(path); string(data) != "version = 1\n" || a.Settings().Gateway.Account != "" {
		t.Errorf("something was changed: %q", data)
	}
}

// Values that cannot be read keep the proxy from starting, until a flag replaces them or
// the user has saved others.
func TestWrongValuesInTheFile(t *testing.T) {
	text := "[gateway]\nid = 'mine'\n[server]\nlisten = '127.0.0.1:0'\nupstream_timeout = 5\n"
	a, path := openedFile(t, text)
	must(t, a.FileError())
	if n := a.Notices(); len(n) != 1 || !strings.Contains(n[0].Text.String(), settings.FieldUpstreamTimeout) {
		t.Errorf("notices %v", n)
	}
	var invalid *settings.ValidationError
	for _, start := range []func(context.Context) error{a.Start, a.Restart} {
		if err := start(context.Background()); !errors.As(err, &invalid) || invalid.Field(settings.FieldUpstreamTimeout) == "" {
			t.Errorf("got %v", err)
		}
	}
	if data, _ := os.ReadFile(path); string(data) != text {
		t.Errorf("the file is now %q", data)
	}
	must(t, a.SaveSettings(context.Background(), a.Settings()))
	if s := a.Status(); s.State != Running || len(a.Notices()) != 1 {
		t.Errorf("after saving: %v, %v", s, a.Notices())
	}
	kept, _ := filepath.Glob(path + ".broken-*")
	if len(kept) != 1 || !strings.Contains(a.Notices()[0].Text.String(), kept[0]) {
		t.Fatalf("kept aside: %v, told: %v", kept, a.Notices())
	}
	if data, _ := os.ReadFile(kept[0]); string(data) != text {
		t.Errorf("kept %q", data)
	}
	must(t, a.SaveSettings(context.Background(), a.Settings()))
	if again, _ := filepath.Glob(path + ".broken-*"); len(again) != 1 {
		t.Errorf("a good file was kept aside: %v", again)
	}
}

// TestWhatCannotBeReadIsKept: a file that is not TOML, or that has keys nobody knows, is
// left as it is until settings are saved, and is kept under another name then.
func TestWhatCannotBeReadIsKept(t *testing.T) {
	ctx := context.Background()
	for name, tc := range map[string]struct{ text, says string }{
		"not TOML":    {"version = 1\n[server]\nlisten = 127.0.0.1:1\n", "line 3, column 10: text must be in quotes"},
		"unknown key": {"[server]\nlisten = '127.0.0.1:0'\n[alias]\nfast = 'gpt-5#openai'\n", "line 3: [alias] is not a section of the settings and is ignored; did you mean [aliases]?"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "settings.toml")
			must(t, os.WriteFile(path, []byte(tc.text), 0o600))
			a := opened(t, map[string]string{"APEX_CONFIG": path, "APEX_LOCAL_KEY": "key"}, &secret.Memory{})
			said := fmt.Sprint(a.FileError(), a.Notices())
			if !strings.Contains(said, tc.says) {
				t.Errorf("says %s, want %s", said, tc.says)
			}
			must(t, a.Start(ctx))
			if data, _ := os.ReadFile(path); string(data) != tc.text {
				t.Fatalf("the file is now %q", data)
			}
			for range 2 {
				must(t, a.SaveSettings(ctx, a.Settings()))
				must(t, a.FileError())
			}
			kept, _ := filepath.Glob(path + ".broken-*")
			if len(kept) != 1 {
				t.Fatalf("kept: %v", kept)
			}
			if data, _ := os.ReadFile(kept[0]); string(data) != tc.text {
				t.Errorf("kept %q", data)
			}
			if _, notices, err := settings.Load(path); err != nil || len(notices) > 0 {
				t.Errorf("the new file: %v, %v", notices, err)
			}
		})
	}
}

// TestFileIsEditedMeanwhile: what somebody writes into the file while the program runs is not
// lost when settings are saved, and a file that was mended counts.
func TestFileIsEditedMeanwhile(t *testing.T) {
	for name, c := range map[string]struct{ before, after string }{
		"edited": {
			"[gateway]\nid = 'mine'\n[aliases]\nfast = 'echo#demo'\n",
			"# by hand\n[gateway]\nid = 'mine'\n[aliases]\nfast = 'echo#demo'\nextra = 'echo#demo'\n[server]\nretries = 5\n",
		},
		"mended":     {"[gateway]\nid = mine\n", "[gateway]\nid = 'mine'\n[aliases]\nfast = 'echo#demo'\nextra = 'echo#demo'\n[server]\nretries = 5\n"},
		"not broken": {"[gateway]\nid = 7\n[aliases]\nfast = 'echo#demo'\n", "[gateway]\nid = 'mine'\n[aliases]\nfast = 'echo#demo'\nextra = 'echo#demo'\n[server]\nretries = 5\n"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "settings.toml")
			must(t, os.WriteFile(path, []byte(c.before), 0o600))
			a := opened(t, map[string]string{"APEX_CONFIG": path, "APEX_LOCAL_KEY": "key"}, &secret.Memory{})
			must(t, os.WriteFile(path, []byte(c.after), 0o600))
			s := a.Settings()
			s.App.Theme = "dark"
			must(t, a.SaveSettings(t.Context(), s))
			got, notices, err := settings.Load(path)
			must(t, err)
			if got.Gateway.ID != "mine" || len(got.Aliases) != 2 || got.Server.Retries != 5 || got.App.Theme != "dark" || len(notices) > 0 {
				t.Errorf("the file holds %+v, %v", got, notices)
			}
			if now := a.Settings(); now.Aliases["extra"] != "echo#demo" || a.FileError() != nil {
				t.Errorf("in force is %+v, %v", now.Aliases, a.FileError())
			}
			old, _ := filepath.Glob(path + ".old-*")
			broken, _ := filepath.Glob(path + ".broken-*")
			if len(old) != 1 || len(broken) != 0 {
				t.Fatalf("kept are %v and %v", old, broken)
			}
			if data, _ := os.ReadFile(old[0]); string(data) != c.after {
				t.Errorf("kept is %q", data)
			}
			s = a.Settings()
			s.App.Theme = "light"
			must(t, a.SaveSettings(t.Context(), s))
			if again, _ := filepath.Glob(path + ".old-*"); len(again) != 1 {
				t.Errorf("the program's own file was kept: %v", again)
			}
		})
	}
}

func TestWrongValueThatIsOverridden(t *testing.T) {
	path := filepath.Join(t.TempDir(), "settings.toml")
	must(t, os.WriteFile(path, []byte("[server]\nlisten = 8787\n"), 0o600))
	a := opened(t, map[string]string{"APEX_CONFIG": path}, &secret.Memory{}) // with --listen
	if err := a.Start(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestNewerFileIsNotWritten(t *testing.T) {
	a, path := openedFile(t, "version = 99\n")
	var newer *settings.NewerError
	if !errors.As(a.FileError(), &newer) {
		t.Errorf("got %v", a.FileError())
	}
	if err := a.SaveSettings(context.Background(), a.Settings()); !errors.As(err, &newer) {
		t.Errorf("got %v", err)
	}
	if data, _ := os.ReadFile(path); string(data) != "version = 99\n" {
		t.Errorf("the file is %q", data)
	}
}

func TestInvalidFileFailsTheStartAndCanBeMended(t *testing.T) {
	ctx := context.Background()
	a, _ := openedFile(t, "[server]\nlisten = 'nowhere'\n")
	var invalid *settings.ValidationError
	if err := a.Start(ctx); !errors.As(err, &invalid) {
		t.Fatalf("got %v", err)
	}
	if st := a.Status(); st.State != Failed || !errors.As(st.Err, &invalid) {
		t.Errorf("status %+v", st)
	}
	s := a.Settings()
	s.Server.Listen = "127.0.0.1:0"
	must(t, a.SaveSettings(ctx, s))
	if st := a.Status(); st.State != Running {
		t.Errorf("status %+v", st)
	}
}

func TestNewSettingsMoveTheListenerAndKeepStreams(t *testing.T) {
	ctx := context.Background()
	g := newGateway(t)
	a, _ := openedFile(t, fmt.Sprintf("[gateway]\naccount = %q\nid = 'one'\nurl = %q\n[server]\nlisten = '127.0.0.1:0'\n", account, g.URL))
	must(t, a.Start(ctx))
	a.loads.Wait() // the keychain has said that it has no token
	before := a.Status().Addr
	first, old := stream(t, before)
	if !strings.Contains(first, account+"/one/openai") {
		t.Errorf("sent to %s", first)
	}

	s := a.Settings()
	s.Gateway.ID = "two"
	must(t, a.SaveSettings(ctx, s))
	if first, _ := stream(t, before); !strings.Contains(first, account+"/two/openai") {
		t.Errorf("after the change sent to %s", first)
	}

	s.Server.Listen = freeAddr(t)
	must(t, a.SaveSettings(ctx, s))
	after := a.Status()
	if after.State != Running || after.Addr != s.Server.Listen {
		t.Fatalf("status %+v", after)
	}
	if code := ask(t, after.Addr, "key"); code != http.StatusOK {
		t.Errorf("the new address answers %d", code)
	}
	until(t, "the old address is given up", func() bool {
		conn, err := net.Dial("tcp", before)
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	if a.Active() != 2 {
		t.Errorf("%d active, want the two streams", a.Active())
	}
	close(g.end)
	text, err := io.ReadAll(old)
	if err != nil || !strings.Contains(string(text), "[DONE]") {
		t.Errorf("the old stream ended with %q, %v", text, err)
	}
	must(t, a.Stop(ctx))
	if _, err := net.Dial("tcp", after.Addr); err == nil {
		t.Error("stopped, and something listens")
	}
}

func TestNewAddressThatIsTaken(t *testing.T) {
	ctx := context.Background()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer ln.Close()
	a, path := openedFile(t, "[server]\nlisten = '127.0.0.1:0'\n")
	must(t, a.Start(ctx))
	before := a.Status()
	s := a.Settings()
	s.Server.Listen = ln.Addr().String()
	err = a.SaveSettings(ctx, s)
	if !addressTaken(err) || !strings.Contains(err.Error(), s.Server.Listen) {
		t.Errorf("got %v", err)
	}
	if kept, _, _ := settings.Load(path); kept.Server.Listen != "127.0.0.1:0" || a.Status() != before {
		t.Errorf("kept %s, status %+v", kept.Server.Listen, a.Status())
	}
	if code := ask(t, before.Addr, "key"); code != http.StatusOK {
		t.Errorf("the old address answers %d", code)
	}
}

func TestFromOneFamilyToAllAddressesOnTheSamePort(t *testing.T) {
	ctx := context.Background()
	addr := freeAddr(t)
	_, port, _ := net.SplitHostPort(addr)
	a, _ := openedFile(t, fmt.Sprintf("[server]\nlisten = %q\n", addr))
	must(t, a.Start(ctx))
	s := a.Settings()
	s.Server.Listen = "0.0.0.0:" + port
	must(t, a.SaveSettings(ctx, s))
	if st := a.Status(); st.State != Running || st.Addr == addr {
		t.Errorf("status %+v", st)
	}
	if code := ask(t, addr, "key"); code != http.StatusOK {
		t.Errorf("answers %d", code)
	}
	must(t, a.Restart(ctx))
	if code := ask(t, addr, "key"); code != http.StatusOK {
		t.Errorf("after a restart answers %d", code)
	}
}

func TestProxyStartsBeforeTheKeychainAnswers(t *testing.T) {
	ctx := context.Background()
	k := &lockedKeychain{opened: make(chan struct{})}
	must(t, k.Memory.Set(ctx, secret.LocalKey, "kept-key"))
	must(t, k.Memory.Set(ctx, secret.GatewayToken, "kept-token"))
	a := opened(t, nil, k)
	must(t, a.Start(ctx))
	addr := a.Status().Addr
	if code := ask(t, addr, ""); code != http.StatusUnauthorized {
		t.Errorf("without a key: %d", code)
	}
	if code := ask(t, addr, "kept-key"); code != http.StatusServiceUnavailable || a.LocalKey() != "" {
		t.Errorf("before the keychain has answered: %d, key %q", code, a.LocalKey())
	}
	if err := a.SecretState(ended(), secret.GatewayToken); !errors.Is(err, secret.ErrBusy) {
		t.Errorf("state %v", err)
	}
	close(k.opened)
	until(t, "the local key", func() bool { return a.LocalKey() == "kept-key" })
	until(t, "the local key is in force", func() bool { return ask(t, addr, "kept-key") == http.StatusOK })
	until(t, "the token is in force", func() bool { return ask(t, addr, "kept-token") == http.StatusOK })
	if !a.LocalKeyKept() {
		t.Error("the key is said to be for this run")
	}
	if err := a.SecretState(ctx, secret.GatewayToken); err != nil {
		t.Errorf("state %v", err)
	}
}

// TestTokenInALockedKeychain: a request that needs it is not sent without it.
func TestTokenInALockedKeychain(t *testing.T) {
	ctx := context.Background()
	k := &lockedKeychain{opened: make(chan struct{})}
	must(t, k.Memory.Set(ctx, secret.GatewayToken, "kept-token"))
	asked := make(chan string, 9)
	g := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Header.Get("Cf-Aig-Authorization")
		w.WriteHeader(http.StatusTeapot)
	}))
	defer g.Close()
	a := opened(t, map[string]string{"APEX_LOCAL_KEY": "key", "ACCOUNT_ID": account, "GATEWAY_ID": "g", "APEX_GATEWAY_URL": g.URL}, k)
	must(t, a.Start(ctx))
	const body = `{"model":"gpt-4o#openai","messages":[{"role":"user","content":"hello"}]}`
	resp := post(t, a.Status().Addr, "key", body)
	said, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" || !strings.Contains(string(said), "unlock") || len(asked) != 0 {
		t.Errorf("%d %s, asked %d times", resp.StatusCode, said, len(asked))
	}
	if code := ask(t, a.Status().Addr, "key"); code != http.StatusOK {
		t.Errorf("the demo needs no token: %d", code)
	}
	close(k.opened)
	until(t, "the token is in force", func() bool {
		resp := post(t, a.Status().Addr, "key", body)
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusTeapot
	})
	if got := <-asked; got != "Bearer kept-token" {
		t.Errorf("asked with %q", got)
	}
}

// TestNoTokenInTheKeychain: a gateway may need none, which is known once the keychain says so.
func TestNoTokenInTheKeychain(t *testing.T) {
	for _, state := range []error{secret.ErrMissing, secret.ErrDenied, secret.ErrNoService} {
		g := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
		a := opened(t, map[string]string{"APEX_LOCAL_KEY": "key", "ACCOUNT_ID": account, "GATEWAY_ID": "g", "APEX_GATEWAY_URL": g.URL}, &brokenKeychain{err: state})
		must(t, a.Start(context.Background()))
		until(t, "requests to be sent without a token", func() bool {
			resp := post(t, a.Status().Addr, "key", `{"model":"gpt-4o#openai","messages":[{"role":"user","content":"hello"}]}`)
			_ = resp.Body.Close()
			return resp.StatusCode == http.StatusTeapot
		})
		g.Close()
	}
}

func TestCloseDoesNotWaitForTheKeychain(t *testing.T) {
	a := opened(t, nil, &lockedKeychain{opened: make(chan struct{})})
	must(t, a.Start(context.Background()))
	must(t, a.Close(context.Background()))
	if a.Status().State != Stopped {
		t.Errorf("status %+v", a.Status())
	}
}

func TestLocalKeyIsMadeOnce(t *testing.T) {
	var k secret.Memory
	first := opened(t, nil, &k)
	until(t, "the local key", func() bool { return first.LocalKey() != "" })
	key := first.LocalKey()
	if !strings.HasPrefix(key, "apx-") || len(key) < 4+43 || !first.LocalKeyKept() {
		t.Errorf("key %q, kept %v", key, first.LocalKeyKept())
	}
	if kept, _ := k.Get(context.Background(), secret.LocalKey); kept != key {
		t.Errorf("the keychain has %q", kept)
	}
	second := opened(t, nil, &k)
	until(t, "the local key", func() bool { return second.LocalKey() != "" })
	if second.LocalKey() != key {
		t.Error("the second start made another key")
	}
	if one, two := newLocalKey(), newLocalKey(); one == two {
		t.Error("two keys are the same")
	}
}

func TestLocalKeyWithoutAKeychain(t *testing.T) {
	ctx := context.Background()
	for _, state := range []error{secret.ErrNoService, secret.ErrLocked, secret.ErrDenied, errors.New("other")} {
		k := &brokenKeychain{err: state}
		a := opened(t, nil, k)
		must(t, a.Start(ctx))
		until(t, "the local key", func() bool { return a.LocalKey() != "" })
		until(t, "the key is in force", func() bool { return ask(t, a.Status().Addr, a.LocalKey()) == http.StatusOK })
		if a.LocalKeyKept() || a.SecretPlace(secret.LocalKey) != secret.InMemory {
			t.Errorf("%v: the key is said to be kept in the %s", state, a.SecretPlace(secret.LocalKey))
		}
		if err := a.SecretState(ctx, secret.LocalKey); err != nil {
			t.Errorf("%v: the key is there, but its state is %v", state, err)
		}
		for range 5 {
			a.LocalKey()
		}
		k.mu.Lock()
		if k.sets != 0 {
			t.Errorf("%v: a key that may be there was written over", state)
		}
		if k.gets[secret.LocalKey] != 1 || k.gets[secret.GatewayToken] > 1 {
			t.Errorf("%v: the keychain was asked again and again: %v", state, k.gets)
		}
		k.mu.Unlock()
		if err := a.SecretState(ctx, secret.GatewayToken); !errors.Is(err, state) {
			t.Errorf("state %v, want %v", err, state)
		}
	}
}

func TestSecretsFromTheEnvironment(t *testing.T) {
	ctx := context.Background()
	k := &brokenKeychain{err: errors.New("must not be asked")}
	a := opened(t, map[string]string{"GATEWAY_TOKEN": "tok", "APEX_LOCAL_KEY": "key"}, k)
	must(t, a.Start(ctx))
	for _, key := range []string{"tok", "key"} {
		until(t, key+" opens", func() bool { return ask(t, a.Status().Addr, key) == http.StatusOK })
	}
	if err := a.SetSecret(ctx, secret.GatewayToken, "x"); !errors.Is(err, secret.ErrReadOnly) {
		t.Errorf("got %v", err)
	}
	if len(k.gets) != 0 {
		t.Errorf("the keychain was asked for %v", k.gets)
	}
	if a.SecretPlace(secret.GatewayToken) != secret.InEnvironment {
		t.Errorf("place %s", a.SecretPlace(secret.GatewayToken))
	}
}

func TestSetAndDeleteSecret(t *testing.T) {
	ctx := context.Background()
	var k secret.Memory
	a := opened(t, nil, &k)
	must(t, a.Start(ctx))
	addr := a.Status().Addr
	if err := a.SecretState(ctx, secret.GatewayToken); !errors.Is(err, secret.ErrMissing) {
		t.Errorf("state %v", err)
	}
	if err := a.SetSecret(ctx, secret.GatewayToken, "two words"); !errors.Is(err, secret.ErrInvalid) {
		t.Errorf("got %v", err)
	}
	until(t, "the local key", func() bool { return a.LocalKey() != "" }) // until then any other key may be it
	must(t, a.SetSecret(ctx, secret.GatewayToken, "export CF_AIG_TOKEN='new-token'\n"))
	if code := ask(t, addr, "new-token"); code != http.StatusOK {
		t.Errorf("the new token is not in force: %d", code)
	}
	must(t, a.DeleteSecret(ctx, secret.GatewayToken))
	if code := ask(t, addr, "new-token"); code != http.StatusUnauthorized {
		t.Errorf("the removed token still opens: %d", code)
	}

	before := a.LocalKey()
	must(t, a.DeleteSecret(ctx, secret.LocalKey))
	until(t, "another local key", func() bool { k := a.LocalKey(); return k != "" && k != before })
	if code := ask(t, addr, before); code != http.StatusUnauthorized {
		t.Errorf("the old key still opens: %d", code)
	}
	until(t, "the new key opens", func() bool { return ask(t, addr, a.LocalKey()) == http.StatusOK })
	must(t, a.SetSecret(ctx, secret.LocalKey, "chosen"))
	if code := ask(t, addr, "chosen"); code != http.StatusOK || a.LocalKey() != "chosen" {
		t.Errorf("the chosen key: %d", code)
	}
}

func TestSecretForThisRun(t *testing.T) {
	ctx := context.Background()
	a := opened(t, nil, &brokenKeychain{err: secret.ErrNoService})
	must(t, a.SetSecret(ctx, secret.GatewayToken, "tok"))
	if a.SecretPlace(secret.GatewayToken) != secret.InMemory {
		t.Errorf("place %s", a.SecretPlace(secret.GatewayToken))
	}
	must(t, a.SetSecret(ctx, secret.LocalKey, "key"))
	if a.LocalKeyKept() || a.LocalKey() != "key" {
		t.Errorf("key %q, kept %v", a.LocalKey(), a.LocalKeyKept())
	}
}

func TestLateSecretIsPutInForce(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	k := &lateKeychain{asked: make(chan struct{}), answer: make(chan struct{})}
	a := opened(t, map[string]string{"APEX_LOCAL_KEY": "key"}, k)
	must(t, a.Start(context.Background()))
	a.loads.Wait() // the reads of the start are not what this is about
	set := make(chan error, 1)
	go func() { set <- a.SetSecret(ctx, secret.GatewayToken, "late") }()
	<-k.asked
	cancel()
	if err := <-set; !errors.Is(err, secret.ErrBusy) {
		t.Fatalf("got %v", err)
	}
	close(k.answer)
	until(t, "the token is in force", func() bool { return ask(t, a.Status().Addr, "late") == http.StatusOK })
}

// lateKeychain stores after its caller has lost patience, as secret.Keychain does.
type lateKeychain struct {
	secret.Memory
	asked, answer chan struct{}
}

func (l *lateKeychain) Set(ctx context.Context, name, value string) error {
	close(l.asked)
	<-ctx.Done()
	_ = l.Memory.Set(ctx, name, value)
	return secret.ErrBusy
}

func (l *lateKeychain) Get(ctx context.Context, name string) (string, error) {
	select {
	case <-l.asked:
		<-l.answer
	default:
	}
	return l.Memory.Get(ctx, name)
}

func TestWatchTellsOfTheLocalKey(t *testing.T) {
	k := &lockedKeychain{opened: make(chan struct{})}
	a := opened(t, nil, k)
	keys := make(chan string, 20)
	stop := a.Watch(func(Status) { keys <- a.LocalKey() })
	defer stop()
	if key := <-keys; key != "" {
		t.Fatalf("got %q", key)
	}
	close(k.opened)
	select {
	case key := <-keys:
		if key == "" {
			t.Error("told before the key was known")
		}
	case <-time.After(waits):
		t.Error("nothing was told")
	}
}

func TestMakeConfig(t *testing.T) {
	s := settings.Default()
	s.Gateway.Account, s.Gateway.ID, s.Azure.Resource = account, "g", "az"
	s.Server.Origins = []string{"https://example.com"}
	s.Providers = map[string]settings.Provider{
		"openai": {Key: settings.KeyOwn}, "groq": {Key: settings.KeyUnified}, "mistral": {Key: settings.KeyStored},
	}
	c := makeConfig(s, map[string]string{secret.GatewayToken: "tok", secret.LocalKey: "key", secret.ProviderKey("openai"): "sk"}, nil)
	if c.Account != account || c.Gateway != "g" || c.GatewayURL != s.Gateway.URL || c.AzureResource != "az" || c.AzureAPIVersion != "2024-02-01" ||
		c.GatewayToken != "tok" || c.LocalKey != "key" || c.UpstreamTimeout != 10*time.Minute || c.StreamIdleTimeout != 5*time.Minute || len(c.Origins) != 1 {
		t.Errorf("got %+v", c)
	}
	if c.Keys["openai"].Own != "sk" || !c.Keys["groq"].Unified || c.Keys["mistral"].Unified || c.Keys["mistral"].Own != "" {
		t.Errorf("keys %+v", c.Keys)
	}
}

func TestHosts(t *testing.T) {
	for _, listen := range []string{"127.0.0.1:1", "[::1]:1", "localhost:1"} {
		if got := hosts(listen); got != nil {
			t.Errorf("%s: %v", listen, got)
		}
	}
	name, err := os.Hostname()
	must(t, err)
	for _, listen := range []string{"0.0.0.0:1", ":1", "192.168.1.2:1"} {
		if got := hosts(listen); len(got) != 2 || got[0] != name {
			t.Errorf("%s: %v", listen, got)
		}
	}
}
