package presenter_test

import (
	"net/http"
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

// What cannot be done with a request is known before it is tried, for every kind of record, and
// the reason is short enough for a menu.
func TestWhatCanBeDoneWithARequest(t *testing.T) {
	const kept, cut, address, demo, unsent = "The body of this request is not kept.", "Only the beginning of this request is kept.",
		"The proxy has an address once it runs.", "The demo sends nothing to the gateway.", "This request was not sent to the gateway."
	limits := capture.DefaultLimits()
	limits.PerBody = 8
	captures := capture.NewStore(limits, nil)
	record := func(id, body string, sent bool) {
		r := captures.Open(id)
		r.Request(capture.ClientRequest, "POST", "/v1/messages", http.Header{}, []byte(body))
		if sent {
			r.Request(capture.UpstreamRequest, "POST", "http://gateway.invalid/v1/messages", http.Header{}, []byte(body))
		}
	}
	record("sent", "{}", true)
	record("long", `{"model":"a"}`, true)
	record("cancelled", "{}", false)
	record("cannot be pasted", "{\x00}", true)
	captures.Open("begun")
	for _, c := range []struct {
		id, provider, addr      string
		again, client, upstream string // why not
	}{
		{"sent", "openai", "127.0.0.1:8787", "", "", ""},
		{"sent", "openai", "127.0.0.1:0", "Start the proxy to send this request again.", address, ""},
		{"sent", "demo", "127.0.0.1:8787", "", "", demo},
		{"cancelled", "openai", "127.0.0.1:8787", "", "", unsent},
		{"long", "openai", "127.0.0.1:8787", cut, cut, cut},
		{"begun", "", "127.0.0.1:8787", kept, kept, kept},
		{"released", "openai", "127.0.0.1:8787", kept, kept, kept},
		{"refused", "", "127.0.0.1:0", kept, kept, kept},
		{"cannot be pasted", "openai", "127.0.0.1:8787", "", "It holds characters that cannot be pasted safely.", "It holds characters that cannot be pasted safely."},
	} {
		x := event.Exchange{ID: c.id, Provider: c.provider}
		if got := presenter.Unrepeatable(captures, &x, c.addr != "127.0.0.1:0"); got != c.again {
			t.Errorf("%s by %s at %s: sent again: %q, want %q", c.id, c.provider, c.addr, got, c.again)
		}
		for side, want := range map[capture.Side]string{capture.ClientRequest: c.client, capture.UpstreamRequest: c.upstream} {
			got := ""
			text, err := presenter.Curl(captures, &x, side, c.addr, export.Bash)
			if err != nil {
				got = err.Error()
			}
			if got != want || (text == "") != (want != "") {
				t.Errorf("%s by %s at %s, side %d: %q, %q, want %q", c.id, c.provider, c.addr, side, text, got, want)
			}
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
