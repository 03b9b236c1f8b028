package proxy

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// early answers before it has read the request, whose body it keeps.
type early struct {
	prompt
	kept io.ReadCloser
}

func (e *early) RoundTrip(r *http.Request) (*http.Response, error) {
	e.kept, r.Body = r.Body, http.NoBody
	return e.prompt.RoundTrip(r)
}

// TestBodyOutlastsItsExchange: an upstream that answers early may read the rest of the request
// when the exchange has ended, and gets what the client wrote.
func TestBodyOutlastsItsExchange(t *testing.T) {
	for name, c := range map[string]struct{ path, asked, sent, answer string }{
		"nothing to edit": {"/v1/chat/completions", "gpt-4o", "gpt-4o", smallAnswer},
		"edited":          {"/v1/chat/completions", "gpt-4o#openai", "gpt-4o", smallAnswer},
		"converted":       {"/v1/messages", "gpt-4o#openai", "gpt-4o", smallAnswer},
		"counted":         {"/v1/messages/count_tokens", "claude-opus-4-5", "claude-opus-4-5", `{"input_tokens":1}`},
	} {
		for size, text := range map[string]string{"small": "hello", "large": strings.Repeat("a long question ", 20_000)} {
			t.Run(name+" "+size, func(t *testing.T) {
				up := &early{prompt: prompt{media: "application/json", body: []byte(c.answer)}}
				s := onPath(up, nil)
				ask := func(model string) string {
					return `{"model":"` + model + `","max_tokens":9,"messages":[{"role":"user","content":"` + text + `"}]}`
				}
				walk(t, s, c.path, ask(c.asked))
				got, err := io.ReadAll(up.kept)
				if right := string(got) == ask(c.sent) || name == "converted" && strings.Contains(string(got), text); err != nil || !right {
					t.Errorf("%v: %.100q", err, got)
				}
				_ = up.kept.Close()
			})
		}
	}
}
