package export_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"apex-ai-proxy/proxy/capture"
	"apex-ai-proxy/proxy/capture/export"
	"apex-ai-proxy/proxy/event"
)

// nasty is a body with everything that shells like to change.
const nasty = `{"model":"a#b","text":"it's \"$HOME\" $(id) ` + "`id`" + ` !! \\n %PATH% ü 山 😀
  second line 'quoted' “curly” ‘single’"}`

func entry(base, body string, perBody int) export.Entry {
	s := capture.NewStore(capture.Limits{Exchanges: 9, PerBody: perBody, Total: 1 << 20}, nil)
	r := s.Open("req_1")
	r.Request(capture.ClientRequest, "POST", "/v1/chat/completions?beta=tr%20ue", http.Header{
		"Authorization": {"Bearer local-secret"}, "Content-Type": {"application/json"}, "Content-Length": {"7"}, "X-Odd": {"it's $HOME"},
	}, []byte(body))
	r.Request(capture.UpstreamRequest, "POST", base+"/openai/chat", http.Header{
		"Cf-Aig-Authorization": {"Bearer gateway-secret"}, "X-Api-Key": {"provider-secret"}, "Content-Type": {"application/json"}, "X-Apex-Hop": {"1"},
	}, []byte(body))
	r.Answer(capture.UpstreamAnswer, 200, http.Header{"Content-Type": {"text/event-stream"}})
	r.Write(capture.UpstreamAnswer, []byte("data: {\"a\":1}\n\n"))
	r.End(false)
	snap, _ := s.Get("req_1")
	return export.Entry{Captured: &snap, Record: event.Exchange{
		ID: "req_1", Start: time.Date(2026, 1, 2, 3, 4, 5, 6000000, time.UTC), Phase: event.Done, Client: "Codex", Method: "POST", Path: "/v1/chat/completions",
		ModelAsked: "a#b", Status: 200, FirstByte: 40 * time.Millisecond, Duration: 100 * time.Millisecond,
		Tokens: event.Tokens{Input: 10, Output: 5}, Warnings: []event.Warning{{Code: "top-k", Path: "top_k", Why: "no place"}},
		Tries: []event.Try{{Model: "a#b", Status: 429, Why: "slow down", Wait: 500 * time.Millisecond}},
	}}
}

func TestCurlRepeatsTheRequest(t *testing.T) {
	for _, c := range []struct {
		name   string
		side   capture.Side
		header map[string]string
	}{
		{"client", capture.ClientRequest, map[string]string{"Authorization": "Bearer of-the-client", "X-Odd": "it's $HOME"}},
		{"upstream", capture.UpstreamRequest, map[string]string{"Cf-Aig-Authorization": "Bearer of the gateway", "X-Api-Key": "of'the\"provider"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got *http.Request
			var body []byte
			srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				got = r
				body, _ = io.ReadAll(r.Body)
			}))
			defer srv.Close()
			e := entry(srv.URL, nasty, 1<<20)
			command, err := export.Curl(e.Captured, c.side, srv.URL, export.Bash)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(command, "secret") {
				t.Errorf("a secret is in %s", command)
			}
			sh := exec.Command("bash", "-c", command)
			sh.Env = append(os.Environ(), "APEX_LOCAL_KEY=of-the-client", "GATEWAY_TOKEN=of the gateway", `PROVIDER_KEY=of'the"provider`)
			if out, err := sh.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s\n%s", err, out, command)
			}
			if string(body) != nasty || got.Method != "POST" {
				t.Errorf("%s %s", got.Method, body)
			}
			for name, want := range c.header {
				if v := got.Header.Get(name); v != want {
					t.Errorf("%s: %q, want %q", name, v, want)
				}
			}
			if v := got.Header.Get("X-Apex-Hop"); v != "" {
				t.Errorf("the hop header is repeated: %s", v)
			}
		})
	}
}

// TestCurlDoesNotActOnATerminal: what is pasted holds no key and no order for a terminal, and
// bash still sends every byte.
func TestCurlDoesNotActOnATerminal(t *testing.T) {
	for _, body := range []string{
		"x\x1b[201~\rid\r", "\x03\x15calc\r\n", "it's\t!! \\n \x7f \u009b31m ü\n山", "\xff\x9b2J\xe5\xb1", "\b\x1a1234", "{\n\t\"a\": \"\\n!\"\n}",
	} {
		var got []byte
		srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got, _ = io.ReadAll(r.Body) }))
		e := entry(srv.URL, body, 1<<20)
		command, err := export.Curl(e.Captured, capture.UpstreamRequest, "", export.Bash)
		if err != nil {
			t.Fatal(err)
		}
		if !utf8.ValidString(command) || strings.ContainsFunc(command, func(r rune) bool { return unicode.IsControl(r) && r != '\n' }) {
			t.Errorf("%q gives %q", body, command)
		}
		sh := exec.Command("bash", "-c", command)
		sh.Env = append(os.Environ(), "GATEWAY_TOKEN=x", "PROVIDER_KEY=x")
		if out, err := sh.CombinedOutput(); err != nil || string(got) != body {
			t.Errorf("%q was sent as %q: %v %s", body, got, err, out)
		}
		srv.Close()
		command, err = export.Curl(e.Captured, capture.ClientRequest, "", export.PowerShell)
		if refused := !strings.HasPrefix(body, "{"); refused != errors.Is(err, export.ErrQuote) {
			t.Errorf("in PowerShell %q gives %q, %v", body, command, err)
		}
	}
	e := entry("https://gateway.example", "a\x00b", 1<<20)
	for _, shell := range []export.Shell{export.Bash, export.PowerShell} {
		if command, err := export.Curl(e.Captured, capture.ClientRequest, "", shell); !errors.Is(err, export.ErrQuote) {
			t.Errorf("a zero byte gives %q", command)
		}
	}
}

func TestCurlForPowerShell(t *testing.T) {
	e := entry("https://gateway.example", `{"text":"it's"}`, 1<<20)
	got, err := export.Curl(e.Captured, capture.ClientRequest, "http://127.0.0.1:8787", export.PowerShell)
	want := "# Set in the environment first: APEX_LOCAL_KEY\n$OutputEncoding = [Text.UTF8Encoding]::new($false)\n@'\n{\"text\":\"it's\"}\n'@ | curl.exe -N " +
		"'http://127.0.0.1:8787/v1/chat/completions?beta=tr%20ue' `\n  -H ('Authorization: Bearer ' + $env:APEX_LOCAL_KEY) `\n" +
		"  -H 'Content-Type: application/json' `\n  -H 'X-Odd: it''s $HOME' `\n  --data-binary '@-'"
	if err != nil || got != want {
		t.Errorf("%v\n%s\nwant\n%s", err, got, want)
	}
}

// TestCurlRunsNothing: a body that would end its text in PowerShell gives no command.
func TestCurlRunsNothing(t *testing.T) {
	for _, body := range []string{"x\n'@; calc", "'@\ncalc", "x\r\n\u2019@ | calc"} {
		e := entry("https://gateway.example", body, 1<<20)
		if got, err := export.Curl(e.Captured, capture.ClientRequest, "", export.PowerShell); err == nil {
			t.Errorf("%q gives %s", body, got)
		}
	}
}

func TestCurlOfACutRequest(t *testing.T) {
	e := entry("https://gateway.example", nasty, 10)
	if _, err := export.Curl(e.Captured, capture.ClientRequest, "", export.Bash); err == nil {
		t.Error("half a request is given as a command")
	}
}

func TestJSONL(t *testing.T) {
	var b bytes.Buffer
	bare := entry("https://g", "x", 10)
	bare.Captured = nil
	if err := export.JSONL(&b, []export.Entry{entry("https://g", `{"model": "a#b"}`, 1<<20), bare}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines:\n%s", len(lines), b.String())
	}
	var got struct {
		ID         string
		DurationMS float64 `json:"duration_ms"`
		Tokens     struct{ Input int }
		Messages   map[string]struct {
			URL  string
			Body any
		}
	}
	if err := json.Unmarshal([]byte(lines[0]), &got); err != nil {
		t.Fatal(err)
	}
	if got.ID != "req_1" || got.DurationMS != 100 || got.Tokens.Input != 10 || len(got.Messages) != 3 {
		t.Errorf("%+v", got)
	}
	if _, ok := got.Messages["client_request"].Body.(map[string]any); !ok {
		t.Errorf("a JSON body is %v", got.Messages["client_request"].Body)
	}
	if got.Messages["upstream_answer"].Body != "data: {\"a\":1}\n\n" {
		t.Errorf("a stream is %q", got.Messages["upstream_answer"].Body)
	}
	if want := `"sent_again":[{"model":"a#b","status":429,"why":"slow down","wait_ms":500}]`; strings.Count(b.String(), want) != 2 {
		t.Errorf("what was sent again is not in %s", b.String())
	}
	if strings.Contains(b.String(), "secret") {
		t.Errorf("a secret is in %s", b.String())
	}
}

// harRules are the fields that HAR 1.2 demands, and their kinds.
var harRules = map[string]map[string]string{
	"log":      {"version": "string", "creator": "object", "entries": "array"},
	"creator":  {"name": "string", "version": "string"},
	"entry":    {"startedDateTime": "string", "time": "number", "request": "object", "response": "object", "cache": "object", "timings": "object"},
	"request":  {"method": "string", "url": "string", "httpVersion": "string", "cookies": "array", "headers": "array", "queryString": "array", "headersSize": "number", "bodySize": "number"},
	"response": {"status": "number", "statusText": "string", "httpVersion": "string", "cookies": "array", "headers": "array", "content": "object", "redirectURL": "string", "headersSize": "number", "bodySize": "number"},
	"content":  {"size": "number", "mimeType": "string"},
	"postData": {"mimeType": "string", "text": "string"},
	"timings":  {"send": "number", "wait": "number", "receive": "number"},
	"pair":     {"name": "string", "value": "string"},
}

func kind(v any) string {
	switch v.(type) {
	case string:
		return "string"
	case float64:
		return "number"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	default:
		return fmt.Sprintf("%T", v)
	}
}

func obey(t *testing.T, rule string, v any) map[string]any {
	t.Helper()
	m, ok := v.(map[string]any)
	if !ok {
		t.Fatalf("%s is %v", rule, v)
	}
	for name, want := range harRules[rule] {
		if got := kind(m[name]); got != want {
			t.Errorf("%s.%s is %s, want %s", rule, name, got, want)
		}
	}
	return m
}

func TestHAR(t *testing.T) {
	for name, e := range map[string]export.Entry{
		"whole": entry("https://gateway.example", nasty, 1<<20), "cut in a character": entry("https://gateway.example", "123456789ü", 10),
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			bare := e
			bare.Captured = nil
			if err := export.HAR(&b, []export.Entry{e, bare}, "http://127.0.0.1:8787", "1.2.3"); err != nil {
				t.Fatal(err)
			}
			var doc map[string]any
			if err := json.Unmarshal(b.Bytes(), &doc); err != nil {
				t.Fatal(err)
			}
			log := obey(t, "log", doc["log"])
			obey(t, "creator", log["creator"])
			entries := log["entries"].([]any)
			if log["version"] != "1.2" || len(entries) != 2 {
				t.Fatalf("version %v, %d entries", log["version"], len(entries))
			}
			for _, v := range entries {
				en := obey(t, "entry", v)
				if _, err := time.Parse(time.RFC3339Nano, en["startedDateTime"].(string)); err != nil {
					t.Error(err)
				}
				req, res := obey(t, "request", en["request"]), obey(t, "response", en["response"])
				obey(t, "postData", req["postData"])
				obey(t, "content", res["content"])
				times := obey(t, "timings", en["timings"])
				if sum := times["send"].(float64) + times["wait"].(float64) + times["receive"].(float64); sum != en["time"] {
					t.Errorf("the timings add up to %v of %v", sum, en["time"])
				}
				for _, list := range [][]any{req["headers"].([]any), req["queryString"].([]any), res["headers"].([]any)} {
					for _, p := range list {
						obey(t, "pair", p)
					}
				}
				if !strings.HasPrefix(req["url"].(string), "http") {
					t.Errorf("the address is %v", req["url"])
				}
			}
			tried := []any{map[string]any{"model": "a#b", "status": 429.0, "why": "slow down", "wait_ms": 500.0}}
			if got := entries[1].(map[string]any)["_sent_again"]; !reflect.DeepEqual(got, tried) {
				t.Errorf("what was sent again is %v", got)
			}
			if got, there := entries[0].(map[string]any)["_sent_again"]; there {
				t.Errorf("the client sent again %v", got)
			}
			if q := entries[0].(map[string]any)["request"].(map[string]any)["queryString"].([]any); len(q) != 1 || q[0].(map[string]any)["value"] != "tr ue" {
				t.Errorf("query %v", q)
			}
			if strings.Contains(b.String(), "secret") || strings.Contains(b.String(), "\uFFFD") {
				t.Errorf("%s", b.String())
			}
		})
	}
}

func TestNothingCaptured(t *testing.T) {
	var b bytes.Buffer
	if err := export.HAR(&b, nil, "", ""); err != nil || !strings.Contains(b.String(), `"entries": []`) {
		t.Errorf("%v %s", err, b.String())
	}
}
