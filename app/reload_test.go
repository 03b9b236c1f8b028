package app

import (
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"apex-ai-proxy/app/secret"
)

// edit writes the settings file as an editor does, and has the program look at it.
func edit(t *testing.T, a *App, text string) (changed bool) {
	t.Helper()
	must(t, os.WriteFile(a.Path(), []byte(text), 0o600))
	later := time.Now().Add(time.Duration(len(text)) * time.Second) // however coarse the clock of files is
	must(t, os.Chtimes(a.Path(), later, later))
	return a.Reload(t.Context())
}

func said(a *App) string {
	out := []string{errorText(a.FileError())}
	for _, n := range a.Notices() {
		out = append(out, n.String())
	}
	return strings.Join(out, "\n")
}

func TestAnEditedFileIsTakenUp(t *testing.T) {
	a, _ := openedFile(t, "[server]\nlisten = '127.0.0.1:0'\n")
	must(t, a.Start(t.Context()))
	before := a.Status().Addr
	if a.Reload(t.Context()) {
		t.Error("a file that nobody touched is taken up")
	}
	if !edit(t, a, "[server]\nlisten = '127.0.0.1:0'\n[gateway]\nid = 'mine'\n[aliases]\nfast = 'echo#demo'\n") {
		t.Fatal("nothing has changed")
	}
	if got := a.Settings(); got.Gateway.ID != "mine" || got.Aliases["fast"] != "echo#demo" {
		t.Errorf("%+v", got)
	}
	if ask(t, a.Status().Addr, "key") != 200 || a.Status().Addr != before {
		t.Errorf("%+v", a.Status())
	}
	if resp := post(t, before, "key", `{"model":"fast","messages":[{"role":"user","content":"hello"}]}`); resp.StatusCode != 200 {
		t.Errorf("the new alias answers %d", resp.StatusCode)
	}
	next, err := a.NextAddress(t.Context(), before)
	must(t, err)
	if !edit(t, a, "[server]\nlisten = '"+next+"'\n") || a.Status().State != Running || a.Status().Addr != next || ask(t, next, "key") != 200 {
		t.Errorf("it does not move to %s: %+v", next, a.Status())
	}
	if got := a.Settings(); got.Gateway.ID != "" {
		t.Error("what was taken out of the file stays")
	}
}

// Whatever is wrong with a file, what runs goes on as it is.
func TestABrokenEditChangesNothing(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer ln.Close()
	const good = "[server]\nlisten = '127.0.0.1:0'\n[gateway]\nid = 'mine'\n"
	for name, c := range map[string]struct{ text, says string }{
		"syntax":        {good + "account = 0123456789abcdef0123456789abcdef x\n", "line 5"},
		"kind":          {good + "[captures]\nmemory = 'much'\n", "line 6: captures.memory cannot be used: write a whole number"},
		"value":         {good + "account = 'short'\n", "line 5: gateway.account cannot be used: an account ID has 32"},
		"newer":         {"version = 99\n" + good, "format version 99"},
		"port in use":   {"[server]\nlisten = '" + ln.Addr().String() + "'\n", "server.listen cannot be used: "},
		"alias nowhere": {good + "[aliases]\nfast = ''\n", "aliases.fast cannot be used: the model is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			a, path := openedFile(t, good)
			must(t, a.Start(t.Context()))
			addr := a.Status().Addr
			if !edit(t, a, c.text) || !a.FileUnused() {
				t.Fatal("nothing is told")
			}
			if s := said(a); !strings.Contains(s, c.says) || !strings.Contains(s, "keeps the settings it had before") {
				t.Errorf("says %s", s)
			}
			if st := a.Status(); st.State != Running || st.Addr != addr || a.Settings().Gateway.ID != "mine" || ask(t, addr, "key") != 200 {
				t.Errorf("%+v, %+v", st, a.Settings())
			}
			must(t, a.Stop(t.Context()))
			must(t, a.Start(t.Context())) // with the settings in force
			if a.Reload(t.Context()) {
				t.Error("the same is told again")
			}
			if edit(t, a, good+"[azure]\nresource = 'res'\n"); a.FileUnused() || said(a) != "" || a.Settings().Azure.Resource != "res" {
				t.Errorf("the mended file: %s, %+v", said(a), a.Settings())
			}
			if kept, _ := filepath.Glob(path + ".*"); len(kept) > 0 {
				t.Errorf("files were made: %v", kept)
			}
		})
	}
}

// TestWhatIsToldOfAFileIsInOrder: what is wrong comes before what that means, and that before
// what is only ignored. A line that is not known is not named in the log.
func TestWhatIsToldOfAFileIsInOrder(t *testing.T) {
	a, _ := openedFile(t, "[server]\nlisten = '127.0.0.1:0'\n")
	var log strings.Builder
	a.log = slog.New(slog.NewTextHandler(&log, nil))
	edit(t, a, "[server]\nlisten = '127.0.0.1:0'\nretries = 'x'\n[alias]\nfast = 'echo#demo'\n")
	order := []string{"server.retries cannot be used", "keeps the settings it had before", "[alias] is not a section"}
	at := -1
	for _, part := range order {
		next := strings.Index(said(a), part)
		if next <= at {
			t.Errorf("%q is missing or too early in:\n%s", part, said(a))
		}
		at = next
	}
	edit(t, a, "broken")
	first, _, _ := strings.Cut(log.String()[strings.LastIndex(log.String(), "line=4"):], "keeps the settings")
	if !strings.Contains(first, "settings file cannot be read") {
		t.Errorf("the error is not said first:\n%s", log.String())
	}
	if strings.Contains(log.String(), "line=0") || !strings.Contains(log.String(), "line=3") {
		t.Errorf("the log says:\n%s", log.String())
	}
}

// Whoever was told that the file is wrong is told that it is right again, once, also when that
// changes nothing.
func TestTheLogSaysThatAFileIsMended(t *testing.T) {
	const good, again = "[gateway]\nid = 'mine'\n", "can be used again"
	for name, broken := range map[string]string{"syntax": good + "x", "value": good + "account = 'short'\n"} {
		t.Run(name, func(t *testing.T) {
			a, _ := openedFile(t, good)
			var log strings.Builder
			a.log = slog.New(slog.NewTextHandler(&log, nil))
			edit(t, a, good+"# right\n")
			edit(t, a, broken)
			if strings.Contains(log.String(), again) || !strings.Contains(log.String(), "level=WARN") {
				t.Errorf("the log says:\n%s", log.String())
			}
			edit(t, a, good)
			edit(t, a, good+"# still\n")
			if n := strings.Count(log.String(), again); n != 1 || !strings.Contains(log.String(), "level=INFO") {
				t.Errorf("said %d times:\n%s", n, log.String())
			}
		})
	}
}

// A file that is gone or empty may be about to be written.
func TestAFileThatIsGoneChangesNothing(t *testing.T) {
	a, path := openedFile(t, "[gateway]\nid = 'mine'\n")
	edit(t, a, "broken")
	if !edit(t, a, "") || said(a) != "" || a.Settings().Gateway.ID != "mine" {
		t.Errorf("empty: %q, %+v", said(a), a.Settings().Gateway)
	}
	edit(t, a, "broken")
	must(t, os.Remove(path))
	if !a.Reload(t.Context()) || said(a) != "" || a.Settings().Gateway.ID != "mine" {
		t.Errorf("gone: %q, %+v", said(a), a.Settings().Gateway)
	}
}

// A file that was broken at the start is mended while the program runs.
func TestAMendedFileIsTakenUp(t *testing.T) {
	for name, text := range map[string]string{
		"syntax": "[server]\nlisten = 127.0.0.1:0\n", "kind": "[server]\nlisten = '127.0.0.1:0'\nretries = 'x'\n", "value": "[server]\nlisten = 'here'\n",
	} {
		t.Run(name, func(t *testing.T) {
			a, _ := openedFile(t, text)
			if name != "syntax" { // the defaults would be listened on
				if a.Start(t.Context()) == nil {
					t.Fatal("it starts")
				}
			}
			edit(t, a, "[server]\nlisten = '127.0.0.1:0'\n[gateway]\nid = 'mine'\n")
			if said(a) != "" || a.Settings().Gateway.ID != "mine" {
				t.Errorf("%q, %+v", said(a), a.Settings().Gateway)
			}
			if st := a.Status(); name != "syntax" && st.State != Running {
				t.Errorf("%+v", st)
			}
		})
	}
}

// What is saved over a file that is not in force replaces it, and a copy is kept.
func TestSavingOverABrokenEdit(t *testing.T) {
	const good = "[server]\nlisten = '127.0.0.1:0'\n[gateway]\nid = 'mine'\n"
	for name, text := range map[string]string{"syntax": good + "x", "value": good + "account = 'short'\n", "kind": good + "account = 1\n"} {
		t.Run(name, func(t *testing.T) {
			a, path := openedFile(t, good)
			edit(t, a, text)
			s := a.Settings()
			s.Azure.Resource = "res"
			must(t, a.SaveSettings(t.Context(), s))
			if a.FileUnused() || a.Settings().Azure.Resource != "res" || a.Settings().Gateway.ID != "mine" {
				t.Errorf("%s, %+v", said(a), a.Settings())
			}
			kept, _ := filepath.Glob(path + ".broken-*")
			if len(kept) != 1 {
				t.Fatalf("kept %v", kept)
			}
			if data, _ := os.ReadFile(kept[0]); string(data) != text {
				t.Errorf("kept %q", data)
			}
			if a.Reload(t.Context()) {
				t.Error("what the program wrote itself is taken for an edit")
			}
		})
	}
}

// What a flag says goes on to beat the file.
func TestFlagsBeatAnEditedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "settings.toml")
	must(t, os.WriteFile(path, nil, 0o600))
	a := opened(t, map[string]string{"APEX_CONFIG": path, "GATEWAY_ID": "mine"}, &secret.Memory{})
	edit(t, a, "[gateway]\nid = 'other'\n[server]\nlisten = 5\n[azure]\nresource = 'res'\n")
	if s := a.Settings(); s.Gateway.ID != "mine" || s.Azure.Resource != "res" || a.FileUnused() {
		t.Errorf("%+v, %s", s, said(a))
	}
	must(t, a.Start(t.Context()))
	addr := a.Status().Addr
	edit(t, a, "[server]\nlisten = '127.0.0.1:1'\n")
	if st := a.Status(); st.Addr != addr || st.State != Running || a.FileUnused() {
		t.Errorf("the proxy is to move to where the flag does not say: %+v, %s", st, said(a))
	}
}

// A token that is stored while the program runs, in a terminal, is found by the requests
// that lack it.
func TestASecretThatIsStoredLaterIsFound(t *testing.T) {
	ctx, k := t.Context(), &secret.Memory{}
	a := opened(t, nil, k)
	must(t, a.Start(ctx))
	a.loads.Wait()
	a.lacking()
	a.loads.Wait()
	must(t, k.Set(ctx, secret.GatewayToken, "tok"))
	known := func() string {
		a.mu.Lock()
		defer a.mu.Unlock()
		return a.values[secret.GatewayToken]
	}
	a.lacking() // too soon
	a.loads.Wait()
	if known() != "" {
		t.Error("the keychain is asked for each request")
	}
	a.mu.Lock()
	a.asked = time.Now().Add(-askAgain)
	a.mu.Unlock()
	a.lacking()
	a.loads.Wait()
	if known() != "tok" {
		t.Errorf("token %q", known())
	}
}

// New settings do not have requests wait anew for a token that the keychain said it lacks.
func TestNewSettingsDoNotWaitForATokenThatIsNotThere(t *testing.T) {
	ctx, k := t.Context(), &slowKeychain{}
	a := opened(t, nil, k)
	must(t, a.Start(ctx))
	a.loads.Wait()
	k.slow = make(chan struct{})
	defer close(k.slow)
	s := a.Settings()
	s.Gateway.ID = "two"
	must(t, a.SaveSettings(ctx, s))
	a.mu.Lock()
	defer a.mu.Unlock()
	if cfg := makeConfig(a.file, a.values, a.loading); cfg.TokenUnread {
		t.Error("requests wait for the token")
	}
}

// slowKeychain answers when slow is closed, at once while there is none.
type slowKeychain struct {
	secret.Memory
	slow chan struct{}
}

func (k *slowKeychain) Get(ctx context.Context, name string) (string, error) {
	if k.slow != nil {
		<-k.slow
	}
	return k.Memory.Get(ctx, name)
}

// A keychain that has been locked meanwhile is asked once, and not again before it is open.
func TestALockedKeychainIsNotAskedForEachRequest(t *testing.T) {
	k := &closedKeychain{}
	k.open.Store(true)
	a := opened(t, nil, k)
	must(t, a.Start(t.Context()))
	a.loads.Wait()
	k.open.Store(false)
	for range 3 {
		a.mu.Lock()
		a.asked = time.Time{}
		a.mu.Unlock()
		a.lacking()
		a.loads.Wait()
	}
	if n := k.dialogs.Load(); n != 1 {
		t.Errorf("the user was asked %d times", n)
	}
	must(t, k.Memory.Set(t.Context(), secret.GatewayToken, "tok"))
	k.open.Store(true)
	a.look(t.Context())
	a.loads.Wait()
	if err := a.SecretState(context.Background(), secret.GatewayToken); err != nil {
		t.Errorf("%v", err)
	}
}
