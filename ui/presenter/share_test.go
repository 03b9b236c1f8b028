package presenter_test

import (
	"net/http"
	"strings"
	"testing"

	"apex-ai-proxy/proxy/capture"
	"apex-ai-proxy/proxy/capture/export"
	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/ui/presenter"
)

func TestBodyModel(t *testing.T) {
	for _, c := range []struct {
		body, model string
		ok          bool
		with        string // gpt-5#openai in the place of it
	}{
		{`{"model":"echo#demo"}`, "echo#demo", true, `{"model":"gpt-5#openai"}`},
		{`{ "input": {"model": "no"}, "model" : "a\u0062" , "x": 1.50 }`, "ab", true, `{ "input": {"model": "no"}, "model" : "gpt-5#openai" , "x": 1.50 }`},
		{`{"model":"gpt-5#openai", "b":2 }`, "gpt-5#openai", true, `{"model":"gpt-5#openai", "b":2 }`},
		{`{"messages":[]}`, "", false, `{"messages":[]}`},
		{`{"model":7}`, "", false, `{"model":7}`},
		{`{"model":"half`, "", false, `{"model":"half`},
		{`[]`, "", false, `[]`},
		{``, "", false, ``},
	} {
		if model, ok := presenter.BodyModel(c.body); model != c.model || ok != c.ok {
			t.Errorf("%s: %q, %t", c.body, model, ok)
		}
		if got := presenter.WithModel(c.body, "gpt-5#openai"); got != c.with {
			t.Errorf("%s became %s, want %s", c.body, got, c.with)
		}
	}
}

// What is sent again has the model of the field, and otherwise the bytes that were sent
// unless something else was edited.
func TestDraftReplay(t *testing.T) {
	d := presenter.Draft{ID: "req_1", Model: "echo#demo", Body: `{"model":"echo#demo","n":1}`}
	for _, c := range []struct{ model, body, wantModel, wantBody string }{
		{"echo#demo", d.Body, "", ""},
		{"gpt-5#openai", d.Body, "gpt-5#openai", ""},
		{"gpt-5#openai", `{"model":"gpt-5#openai","n":1}`, "gpt-5#openai", ""},
		{"echo#demo", `{"model":"echo#demo","n":2}`, "", `{"model":"echo#demo","n":2}`},
		{"gpt-5#openai", `{"model":"echo#demo","n":2}`, "gpt-5#openai", `{"model":"gpt-5#openai","n":2}`},
	} {
		if r := d.Replay(c.model, c.body); r.Model != c.wantModel || string(r.Body) != c.wantBody || r.ID != "req_1" {
			t.Errorf("%s with %s: %q, %s", c.model, c.body, r.Model, r.Body)
		}
	}
}

// A command goes where it can be sent, and says why where there is no such place.
func TestCurlHasAnAddress(t *testing.T) {
	captures := capture.NewStore(capture.DefaultLimits(), nil)
	r := captures.Open("req_1")
	r.Request(capture.ClientRequest, "POST", "/v1/messages", http.Header{}, []byte("{}"))
	r.Request(capture.UpstreamRequest, "POST", "http://built-in-demo.invalid/v1/messages", http.Header{}, []byte("{}"))
	r.End(false)
	x := event.Exchange{ID: "req_1", Provider: "demo"}
	for _, c := range []struct {
		side       capture.Side
		addr, want string
		fails      bool
	}{
		{capture.ClientRequest, "127.0.0.1:8787", "'http://127.0.0.1:8787/v1/messages'", false},
		{capture.ClientRequest, "127.0.0.1:0", "once the proxy runs", true},
		{capture.UpstreamRequest, "127.0.0.1:8787", "no gateway to send this to", true},
	} {
		text, err := presenter.Curl(captures, &x, c.side, c.addr, export.Bash)
		if err != nil {
			text = err.Error()
		}
		if (err != nil) != c.fails || !strings.Contains(text, c.want) {
			t.Errorf("side %d at %s: %q, %v", c.side, c.addr, text, err)
		}
	}
}

func TestBodyFault(t *testing.T) {
	for body, want := range map[string]string{
		`{"model":"a"}`: "", ` {} `: "",
		"":            "Body: line 1 is not valid JSON",
		"{\n}\n}":     "Body: line 3 is not valid JSON",
		"{\n\"a\": 1": "Body: line 2 is not valid JSON",
	} {
		if got := presenter.BodyFault(body); got != want {
			t.Errorf("%q: %q, want %q", body, got, want)
		}
	}
}
