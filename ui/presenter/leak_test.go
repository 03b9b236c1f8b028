package presenter_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"apex-ai-proxy/app"
	"apex-ai-proxy/app/secret"
	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/proxy/capture"
	"apex-ai-proxy/proxy/capture/export"
	"apex-ai-proxy/proxy/event"
	_ "apex-ai-proxy/proxy/spent/spoil" // memory that was given back
	"apex-ai-proxy/ui/presenter"
)

// The secrets that are planted, of no shape that gives them away.
const (
	plantedToken    = "planted-gateway+token/2b~"
	plantedKey      = "planted-local-77"
	plantedOwn      = "planted-own-of-openai"
	plantedOther    = `planted"quoted"<own>`
	plantedOfClient = "planted-by-the-client"
	plantedInQuery  = "planted-in-the-query"
)

// planted finds a secret in a text, however it is written there; "" when there is none.
func planted(text string) string {
	for _, s := range []string{plantedToken, plantedKey, plantedOwn, plantedOther, plantedOfClient, plantedInQuery} {
		for _, form := range []string{s, url.QueryEscape(s), url.PathEscape(s), strings.Trim(quoted(s), `"`), fmt.Sprintf("%q", s), strings.Trim(quoted(quoted(s)), `"\`)} {
			if strings.Contains(text, form) {
				return s
			}
		}
	}
	return ""
}

func quoted(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// gossip is a gateway that repeats every secret it has seen, in headers and in bodies, in
// the way that the last message names.
func gossip(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		said := "of " + plantedToken + " " + plantedOther
		for name, values := range r.Header {
			said += "; " + name + ": " + strings.Join(values, ", ")
		}
		for _, name := range []string{"X-Request-Id", "Cf-Aig-Log-Id", "Cf-Aig-Step", "Cf-Aig-Model", "Cf-Aig-Cache-Status", "Server", "X-Odd"} {
			w.Header().Set(name, said)
		}
		is := func(how string) bool { return bytes.Contains(body, []byte(how)) }
		media, status, text := "application/json", 401, `{"error":{"message":`+quoted(said)+`,"type":`+quoted(said)+`,"code":`+quoted(said)+`},"more":[`+quoted(said)+`]}`
		switch {
		case is("plain"):
			media, status, text = "text/plain", 500, said
		case is("gateway"):
			text = fmt.Sprintf(`{"success":false,"error":[{"code":2009,"message":%s}],"message":%s}`, quoted(said), quoted(said))
		case is("stream"):
			media, status = "text/event-stream", 200
			text = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":" + quoted(said) + "}}\n\ndata: {\"error\":{\"message\":" + quoted(said) + "}}\n\n"
		case is("fine"):
			status = 200
			text = `{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}`
			if strings.Contains(r.URL.Path, "anthropic") {
				text = `{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"hello"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}`
			}
		}
		w.Header().Set("Content-Type", media)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// notes is a log that may be written by many.
type notes struct {
	mu sync.Mutex
	bytes.Buffer
}

func (n *notes) Write(b []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.Buffer.Write(b)
}

// gossiped is a whole program with secrets everywhere, after requests of all kinds.
func gossiped(t *testing.T) (*app.App, *notes) {
	t.Helper()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx := context.Background()
	keychain := &secret.Memory{}
	check(keychain.Set(ctx, secret.GatewayToken, plantedToken))
	check(keychain.Set(ctx, secret.ProviderKey("openai"), plantedOwn))
	env := map[string]string{"APEX_CONFIG": filepath.Join(t.TempDir(), "settings.toml"), "APEX_LOCAL_KEY": plantedKey, "APEX_PROVIDER_KEY_ANTHROPIC": plantedOther}
	log, level := &notes{}, new(slog.LevelVar)
	a, err := app.Open(ctx, app.Options{
		Flags: map[string]string{"listen": "127.0.0.1:0"}, Env: func(name string) string { return env[name] }, Keychain: keychain,
		Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: level})), LogLevel: level,
	})
	check(err)
	t.Cleanup(func() {
		ended, cancel := context.WithCancel(ctx)
		cancel()
		_ = a.Close(ended)
	})
	s := a.Settings()
	s.Server.Debug = true
	s.Gateway.Account, s.Gateway.ID, s.Gateway.URL = strings.Repeat("0a", 16), "gw", gossip(t)+"/v1"
	s.Providers = map[string]settings.Provider{"openai": {Key: settings.KeyOwn}, "anthropic": {Key: settings.KeyOwn}}
	check(a.SaveSettings(ctx, s))
	a.Captures()
	check(a.Start(ctx))
	for name, want := range map[string]string{secret.GatewayToken: plantedToken, secret.ProviderKey("openai"): plantedOwn} {
		check(a.SetSecret(ctx, name, want)) // at once, whatever the keychain is at
	}
	send := func(path, body string, header ...string) {
		t.Helper()
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+a.Status().Addr+path, strings.NewReader(body))
		check(err)
		r.Header.Set("Content-Type", "application/json")
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		resp, err := http.DefaultClient.Do(r)
		check(err)
		_, _ = io.Copy(io.Discard, resp.Body)
		check(resp.Body.Close())
	}
	for _, how := range []string{"fine", "error", "plain", "gateway", "stream"} {
		for _, model := range []string{"gpt-5#openai", "claude-sonnet-4-5#anthropic", "echo#demo"} {
			for path, body := range map[string]string{
				"/v1/chat/completions": `{"model":"` + model + `","max_tokens":5,"messages":[{"role":"user","content":"` + how + `"}]}`,
				"/v1/messages":         `{"model":"` + model + `","max_tokens":5,"messages":[{"role":"user","content":"` + how + `"}]}`,
				"/v1/responses":        `{"model":"` + model + `","input":"` + how + `"}`,
			} {
				send(path, body, "Authorization", "Bearer "+plantedKey)
				send(path, body, "X-Api-Key", plantedKey, "User-Agent", plantedKey+"/1")
				send(path, body, "Cf-Aig-Authorization", "Bearer "+plantedKey, "Authorization", "Bearer "+plantedOfClient)
				send(path, body, "Cf-Aig-Authorization", "Bearer "+plantedKey, "X-Api-Key", plantedOfClient)
				send(path+"?key="+plantedInQuery+"&api-key="+plantedInQuery+"&x="+url.QueryEscape(plantedToken), body, "Authorization", "Bearer "+plantedKey)
				send(path, body, "Authorization", "Bearer "+plantedOfClient) // refused
			}
		}
	}
	send("/"+url.PathEscape(plantedKey)+"/v1/messages", "{}", "X-Api-Key", plantedKey)
	send("/v1/chat/completions", `{"model":"`+plantedKey+`","messages":[]}`, "X-Api-Key", plantedKey)
	return a, log
}

// TestTheWindowShowsAndSavesNoSecret looks for planted secrets in everything that the window
// can show, copy or save, and in the log.
func TestTheWindowShowsAndSavesNoSecret(t *testing.T) {
	a, log := gossiped(t)
	found, looked := map[string]bool{}, map[string]int{}
	look := func(where string, text any) {
		t.Helper()
		s, ok := text.(string)
		if !ok {
			s = fmt.Sprintf("%+v", text)
		}
		looked[where] += len(s)
		if p := planted(s); p != "" && !found[where+p] {
			found[where+p] = true
			at := strings.Index(s, "planted")
			t.Errorf("%s holds %s: …%s…", where, p, s[max(at-150, 0):min(at+100, len(s))])
		}
	}
	list, captures, addr := a.Bus().Recent(), a.Captures(), a.Status().Addr
	now := time.Now()
	rows := presenter.NewLog(1000)
	rows.Apply(list)
	for i := range rows.Len() {
		rows.Select(i)
		look("a row", rows.Row(i, now))
		d, _ := rows.Detail(now)
		look("the details", d)
		look("copied details", d.Text())
	}
	for i := range list {
		x := &list[i]
		look("a record", *x)
		snap, kept := captures.Get(x.ID)
		for side := range snap.Messages {
			m := &snap.Messages[side]
			look(fmt.Sprint("what is kept of side ", side), fmt.Sprint(m.Method, m.URL, m.Header, string(m.Body)))
		}
		for _, form := range []presenter.BodyForm{presenter.Pretty, presenter.AsSent} {
			look("the inspector", presenter.Inspect(x, &snap, kept, captures.Limits(), form))
			look("the inspector's clipboard", string(presenter.Inspect(x, &snap, kept, captures.Limits(), form).Answer.Left.Raw))
		}
		for _, side := range []capture.Side{capture.ClientRequest, capture.UpstreamRequest} {
			for _, shell := range []export.Shell{export.Bash, export.PowerShell} {
				if text, err := presenter.Curl(captures, x, side, addr, shell); err == nil {
					look(fmt.Sprint("a command of shell ", shell), text)
				}
			}
		}
	}
	for name, form := range map[string]presenter.FileForm{"JSONL": presenter.JSONL, "HAR": presenter.HAR} {
		var b bytes.Buffer
		if err := presenter.Save(&b, form, list, captures, addr, "1"); err != nil {
			t.Fatal(err)
		}
		look(name, b.String())
	}
	exported, err := settings.Export(a.Settings())
	if err != nil {
		t.Fatal(err)
	}
	look("exported settings", string(exported))
	troubles := rows.Troubles(now, 1000)
	look("troubles", troubles)
	for i := range troubles {
		tray := presenter.Tray{
			Headline: presenter.Describe(presenter.Status{State: presenter.Running, Addr: addr}, a.Settings(), presenter.SecretPresent),
			Status:   presenter.Status{State: presenter.Running, Addr: addr}, Key: a.LocalKey(), Trouble: &troubles[i],
		}
		look("the tray", tray.Menu())
		look("the tray's tip", presenter.Tooltip("Apex AI Proxy", tray.Headline))
	}
	look("the names to filter by", fmt.Sprint(rows.Clients(), rows.Providers()))
	log.mu.Lock()
	look("the log", log.String())
	log.mu.Unlock()

	failed := 0
	for i := range list {
		if list[i].Phase == event.Failed {
			failed++
		}
	}
	if failed < 50 || len(list)-failed < 30 || len(troubles) < 4 || !strings.Contains(log.String(), "level=DEBUG") {
		t.Errorf("too little was tried: %d requests, %d failed, %d troubles", len(list), failed, len(troubles))
	}
	if len(looked) < 17 {
		t.Errorf("looked at %v", looked)
	}
}
