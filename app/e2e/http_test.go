package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"apex-ai-proxy/proxy/demo/fakegateway"
)

func TestPathsAndMethods(t *testing.T) {
	p := start(t, config{})
	nobody := set("Authorization", "")
	claude := set("Anthropic-Version", "2023-06-01")
	const openaiError, claudeError = `{"error":{"message":`, `{"type":"error","error":{"type":`
	for _, c := range []struct {
		method, path, body string
		edit               func(*http.Request)
		status             int
		want               string
	}{
		{"GET", "/", "", nobody, 200, "Apex AI Proxy"},
		{"HEAD", "/", "", nobody, 200, ""},
		{"GET", "/healthz", "", nobody, 200, `{"status":"ok"}`},
		{"GET", "/nothing", "", nil, 404, openaiError},
		{"POST", "/v1/nothing", "{}", nil, 404, `"code":"unknown_url"`},
		{"GET", "/v1/nothing", "", claude, 404, `{"type":"error","error":{"type":"not_found_error"`},
		{"GET", chatPath, "", nil, 405, openaiError},
		{"GET", messagesPath, "", nil, 405, claudeError},
		{"DELETE", "/v1/models", "", nil, 405, openaiError},
		{"POST", "/chat/completions", noStream(chatPath, "echo#demo"), nil, 200, "hello there"},
		{"POST", "/messages", noStream(messagesPath, "echo#demo"), nil, 200, "hello there"},
		{"POST", "/v1/v1/messages?beta=true", noStream(messagesPath, "echo#demo"), nil, 200, "hello there"},
		{"POST", "/v1/v1/chat/completions", noStream(chatPath, "echo#demo"), nil, 200, "hello there"},
		{"POST", "//v1//chat/completions/", noStream(chatPath, "echo#demo"), nil, 200, "hello there"},
		{"POST", chatPath, "", nil, 400, openaiError},
		{"POST", chatPath, `{"model":`, nil, 400, openaiError},
		{"POST", messagesPath, `[]`, nil, 400, claudeError},
		{"POST", chatPath, `{"messages":[]}`, nil, 400, `"param":"model"`},
		{"POST", chatPath, `{"model":"nobody","messages":[]}`, nil, 404, `"code":"model_not_found"`},
		{"POST", chatPath, `{"model":"m#acme","messages":[]}`, nil, 404, "is not a provider"},
		{"POST", messagesPath, `{"model":"m#acme","messages":[]}`, nil, 404, "is not a provider"},
		{"POST", messagesPath, noStream(messagesPath, "nothing#demo"), nil, 404, `"type":"not_found_error"`},
	} {
		var edits []func(*http.Request)
		if c.edit != nil {
			edits = append(edits, c.edit)
		}
		a := p.send(c.method, c.path, c.body, edits...)
		if a.status != c.status || !strings.Contains(a.body, c.want) {
			t.Errorf("%s %s %s: %d %s, want %d %s", c.method, c.path, c.body, a.status, a.body, c.status, c.want)
		}
		if a.status == http.StatusMethodNotAllowed && a.header.Get("Allow") == "" {
			t.Errorf("%s %s: no Allow", c.method, c.path)
		}
	}
}

func TestModels(t *testing.T) {
	p, _ := setup(t, fakegateway.Options{}, config{})
	for name, edit := range map[string]func(*http.Request){
		"openai":    set("X-None", ""),
		"anthropic": set("Anthropic-Version", "2023-06-01"),
	} {
		a := p.send("GET", "/v1/models?limit=1000", "", edit)
		var list struct {
			Object  string
			Data    []struct{ ID, Object, Type, DisplayName, Owned_by string }
			HasMore *bool  `json:"has_more"`
			FirstID string `json:"first_id"`
			LastID  string `json:"last_id"`
		}
		if err := json.Unmarshal([]byte(a.body), &list); err != nil || a.status != 200 || len(list.Data) == 0 {
			t.Fatalf("%s: %d %v %s", name, a.status, err, a.body)
		}
		found := map[string]bool{}
		for _, m := range list.Data {
			found[m.ID] = true
			if m.Object != "model" || m.Type != "model" {
				t.Errorf("%s: %+v", name, m)
			}
		}
		for _, id := range []string{"gpt-5#openai", "claude-sonnet-4-5#anthropic", "echo#demo"} {
			if !found[id] {
				t.Errorf("%s: %s is not listed", name, id)
			}
		}
		if list.Object != "list" || list.HasMore == nil || list.FirstID != list.Data[0].ID || list.LastID != list.Data[len(list.Data)-1].ID {
			t.Errorf("%s: the list is %s", name, a.body)
		}
		a = p.send("GET", "/v1/models/claude-sonnet-4-5%23anthropic", "", edit)
		if a.status != 200 || !strings.Contains(a.body, `"id":"claude-sonnet-4-5#anthropic"`) {
			t.Errorf("%s: one model: %d %s", name, a.status, a.body)
		}
	}
}

func TestPages(t *testing.T) {
	p, _ := setup(t, fakegateway.Options{}, config{})
	preflight := func(origin string) answer {
		return p.send("OPTIONS", chatPath, "", func(r *http.Request) {
			r.Header.Del("Authorization")
			r.Header.Set("Origin", origin)
			r.Header.Set("Access-Control-Request-Method", "POST")
			r.Header.Set("Access-Control-Request-Headers", "authorization,content-type,x-stainless-lang")
		})
	}
	for _, origin := range []string{"http://localhost:3000", "http://127.0.0.1:5173", "vscode-webview://abc"} {
		a := preflight(origin)
		if a.status != 204 || a.header.Get("Access-Control-Allow-Origin") != origin || !strings.Contains(a.header.Get("Access-Control-Allow-Headers"), "x-stainless-lang") {
			t.Errorf("%s: %d %v", origin, a.status, a.header)
		}
		a = p.send("POST", chatPath, noStream(chatPath, "gpt-4o#openai"), set("Origin", origin))
		if a.status != 200 || a.header.Get("Access-Control-Allow-Origin") != origin {
			t.Errorf("%s: %d %v", origin, a.status, a.header)
		}
	}
	for _, origin := range []string{"https://evil.example", "http://localhost.evil.example", "null", "http://localhost:3000.evil.example"} {
		if a := preflight(origin); a.status == 204 && a.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s is allowed: %v", origin, a.header)
		}
		if a := p.send("POST", chatPath, noStream(chatPath, "gpt-4o#openai"), set("Origin", origin)); a.status != http.StatusForbidden {
			t.Errorf("%s: %d %s", origin, a.status, a.body)
		}
	}
}

func TestForeignHostsAreRefused(t *testing.T) {
	p := start(t, config{})
	port := p.URL[strings.LastIndexByte(p.URL, ':'):]
	for host, status := range map[string]int{
		"localhost" + port: 200, "127.0.0.1" + port: 200, "[::1]" + port: 200,
		"evil.example": 403, "evil.example" + port: 403, "127.0.0.1.evil.example" + port: 403,
	} {
		for _, path := range []string{"/healthz", "/v1/models"} {
			if a := p.send("GET", path, "", func(r *http.Request) { r.Host = host }); a.status != status {
				t.Errorf("%s %s: %d", host, path, a.status)
			}
		}
	}
}

func TestCompressedRequests(t *testing.T) {
	p := start(t, config{})
	body := noStream(chatPath, "echo#demo")
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write([]byte(body))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer encoder.Close()
	for coding, c := range map[string]struct {
		body   string
		status int
	}{
		"gzip":     {zipped.String(), 200},
		"zstd":     {string(encoder.EncodeAll([]byte(body), nil)), 200},
		"identity": {body, 200},
		"gzip ":    {body, 400}, // it is not
		"snappy":   {body, 415},
	} {
		a := p.send("POST", chatPath, c.body, set("Content-Encoding", strings.TrimSpace(coding)))
		if a.status != c.status {
			t.Errorf("%s: %d %s, want %d", coding, a.status, a.body, c.status)
		}
	}
}

func TestWithoutAnAccountTheAnswerSaysWhatIsMissing(t *testing.T) {
	p := start(t, config{})
	for _, path := range []string{chatPath, messagesPath} {
		a := p.send("POST", path, noStream(path, "gpt-4o#openai"))
		if a.status < 400 || !strings.Contains(a.body, "Settings") && !strings.Contains(strings.ToLower(a.body), "account") {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
}

func TestWarningsAndIDs(t *testing.T) {
	p, _ := setup(t, fakegateway.Options{}, config{})
	a := p.send("POST", messagesPath, `{"model":"gpt-4o#openai","max_tokens":5,"top_k":3,"messages":[{"role":"user","content":"hi"}]}`)
	if a.status != 200 || a.header.Get("X-Conversion-Warnings") == "" {
		t.Errorf("%d, warnings %q, %s", a.status, a.header.Get("X-Conversion-Warnings"), a.body)
	}
	if a.header.Get("Request-Id") == "" || a.header.Get("Cf-Aig-Log-Id") == "" || a.header.Get("Set-Cookie") != "" {
		t.Errorf("headers %v", a.header)
	}
	if !strings.Contains(a.body, `"model":"gpt-4o#openai"`) {
		t.Errorf("the model is not the one asked for: %s", a.body)
	}
}
