package proxy_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"apex-ai-proxy/proxy"
	"apex-ai-proxy/proxy/event"
)

const countable = `{"model":"MODEL","system":"Be brief.","messages":[{"role":"user","content":"How long is this?"}],"tools":[{"name":"f","input_schema":{"type":"object"}}]}`

func TestCountTokensAsksAnthropic(t *testing.T) {
	u := newUpstream(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"input_tokens":42,"context_management":{"original_input_tokens":50}}`)
	})
	f := start(t, u)
	got := f.post("/v1/messages/count_tokens?beta=true", strings.Replace(countable, "MODEL", "claude-sonnet-4-5#anthropic", 1), withHeader("Anthropic-Beta", "a"))
	if got.status != 200 || got.body != `{"input_tokens":42,"context_management":{"original_input_tokens":50}}` || got.header.Get("X-Token-Count") != "" {
		t.Errorf("%d %s", got.status, got.body)
	}
	in := u.last(t)
	if in.path != "/v1/acc/gw/anthropic/v1/messages/count_tokens" || in.query != "beta=true" || in.header.Get("Anthropic-Beta") != "a" || !strings.Contains(in.body, `"claude-sonnet-4-5"`) {
		t.Errorf("%s?%s was asked with %s", in.path, in.query, in.body)
	}
}

func TestCountTokensEstimates(t *testing.T) {
	u := newUpstream(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
	f := start(t, u)
	for model, asked := range map[string]int{"claude-sonnet-4-5#anthropic": 1, "gpt-4o#openai": 0, "llama#groq": 0} {
		before := u.count()
		got := f.post("/v1/messages/count_tokens", strings.Replace(countable, "MODEL", model, 1))
		if got.status != 200 || !strings.HasPrefix(got.body, `{"input_tokens":`) || got.header.Get("X-Token-Count") != "estimate" {
			t.Errorf("%s: %d %s", model, got.status, got.body)
		}
		if n := u.count() - before; n != asked {
			t.Errorf("%s: the upstream was asked %d times", model, n)
		}
	}
	records := f.bus.Recent()
	if x := records[len(records)-1]; x.Phase != event.Done || x.Tokens.Input < 300 {
		t.Errorf("the record is %+v", x)
	}
}

// Without an account the models of other vendors can be counted all the same.
func TestCountTokensWithoutAccount(t *testing.T) {
	f := start(t, nil, func(c *proxy.Config) { c.Account, c.Gateway, c.GatewayToken = "", "", "" })
	for model, status := range map[string]int{"gpt-4o#openai": 200, "echo#demo": 200, "claude-sonnet-4-5#anthropic": 502, "x#nowhere": 404} {
		if got := f.post("/v1/messages/count_tokens", strings.Replace(countable, "MODEL", model, 1)); got.status != status || !strings.Contains(got.body, `"input_tokens"`) == (status == 200) {
			t.Errorf("%s: %d %s", model, got.status, got.body)
		}
	}
}

func TestCountTokensRefuses(t *testing.T) {
	u := newUpstream(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"type":"error","error":{"type":"invalid_request_error","message":"no"}}`)
	})
	f := start(t, u)
	if got := f.post("/v1/messages/count_tokens", strings.Replace(countable, "MODEL", "claude-sonnet-4-5#anthropic", 1)); got.status != 400 || !strings.Contains(got.body, `"message":"no"`) {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := f.post("/v1/messages/count_tokens", `{"model":"gpt-4o#openai","messages":[]}`); got.status != 400 || !strings.Contains(got.body, `"type":"invalid_request_error"`) {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// TestCountTokensWithoutBetas: features that are refused on this path are not needed to count.
func TestCountTokensWithoutBetas(t *testing.T) {
	var refusal string
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Anthropic-Beta") != "" {
			jsonAnswer(400, refusal)(w, r)
			return
		}
		jsonAnswer(200, `{"input_tokens":42}`)(w, r)
	})
	f := start(t, u)
	body := strings.Replace(countable, "MODEL", "claude-sonnet-4-5#anthropic", 1)
	refusal = `{"type":"error","error":{"type":"invalid_request_error","message":"Unexpected value(s) for the anthropic-beta header"}}`
	if got := f.post("/v1/messages/count_tokens", body, withHeader("Anthropic-Beta", "a,b")); got.status != 200 || got.body != `{"input_tokens":42}` || u.count() != 2 {
		t.Errorf("%d %s after %d tries", got.status, got.body, u.count())
	}
	refusal = `{"type":"error","error":{"type":"invalid_request_error","message":"messages: too few"}}`
	if got := f.post("/v1/messages/count_tokens", body, withHeader("Anthropic-Beta", "a,b")); got.status != 400 || got.body != refusal || u.count() != 3 {
		t.Errorf("%d %s after %d tries", got.status, got.body, u.count())
	}
}

// TestCountTokensRemembers where nobody counts.
func TestCountTokensRemembers(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		asked  int
	}{
		{405, "", 1},
		{501, "{}", 1},
		{404, `{"detail":"Not Found"}`, 1},
		{404, `{"type":"error","error":{"type":"not_found_error","message":"model: claude-x"}}`, 2},
	} {
		u := newUpstream(t, jsonAnswer(c.status, c.body))
		f := start(t, u)
		for range 2 {
			if got := f.post("/v1/messages/count_tokens", strings.Replace(countable, "MODEL", "claude-x#anthropic", 1)); got.status != 200 || got.header.Get("X-Token-Count") != "estimate" {
				t.Errorf("%d %s: %d %s", c.status, c.body, got.status, got.body)
			}
		}
		if u.count() != c.asked {
			t.Errorf("%d %s: asked %d times, want %d", c.status, c.body, u.count(), c.asked)
		}
	}
}
