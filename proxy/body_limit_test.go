package proxy_test

import (
	"net/http"
	"strings"
	"testing"

	"apex-ai-proxy/proxy"
)

// TestLargestBody: as much as the limit passes, a byte more is refused in the client's
// own envelope.
func TestLargestBody(t *testing.T) {
	f := start(t, newUpstream(t, http.HandlerFunc(vendor)))
	for path, c := range map[string]struct{ head, refusal string }{
		"/v1/chat/completions": {`{"model":"gpt-4o#openai","messages":[{"role":"user","content":"`, `"code":"request_too_large"`},
		"/v1/messages":         {`{"model":"claude-x#anthropic","max_tokens":9,"messages":[{"role":"user","content":"`, `"type":"request_too_large"`},
		"/v1/responses":        {`{"model":"gpt-4o#openai","input":[{"role":"user","content":"`, `"code":"request_too_large"`},
	} {
		const tail = `"}]}`
		body := c.head + strings.Repeat("x", proxy.DefaultMaxBody-len(c.head)-len(tail)) + tail
		if got := f.post(path, body); got.status != 200 {
			t.Errorf("%s with %d bytes: %d %.200s", path, len(body), got.status, got.body)
		}
		if got := f.post(path, body+" "); got.status != http.StatusRequestEntityTooLarge || !strings.Contains(got.body, c.refusal) || !strings.Contains(got.body, "32 MiB") {
			t.Errorf("%s with a byte more: %d %.200s", path, got.status, got.body)
		}
	}
}
