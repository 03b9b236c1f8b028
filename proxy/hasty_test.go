package proxy

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
)

// hasty is an upstream that answers before it has read anything. What it was sent is still on
// its way when the exchange has ended.
type hasty struct {
	answer prompt
	bodies []io.ReadCloser
}

func (h *hasty) RoundTrip(r *http.Request) (*http.Response, error) {
	h.bodies = append(h.bodies, r.Body)
	r = r.Clone(r.Context())
	r.Body = http.NoBody
	return h.answer.RoundTrip(r)
}

// TestWhatIsOnItsWayStays: the bytes of a request that the transport still sends when its
// exchange has ended are not those of another, whatever is done to a body on its way.
func TestWhatIsOnItsWayStays(t *testing.T) {
	for name, start := range map[string]string{
		"edited":          `{"model":"gpt-4o#openai",`,
		"as it came":      `{"model":"gpt-4o",`,
		"much is changed": `{"model":"mistral-large-latest","user":"u",`,
		"a mark in it":    `{"model":"gpt-4o","x":"apx1.",`,
		"converted":       `{"model":"claude-sonnet-4-5",`,
	} {
		for size, n := range map[string]int{"small": 5 << 10, "large": 150 << 10, "longer than what is captured": 300 << 10} {
			for captured, store := range stores() {
				answer := smallAnswer
				if name == "converted" {
					answer = `{"id":"m","type":"message","role":"assistant","model":"c","content":[],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}`
				}
				up := &hasty{answer: prompt{media: "application/json", body: []byte(answer)}}
				s := onPath(nil, store)
				s.up.transport.Load().RegisterProtocol("hasty", up)
				cfg := *s.cfg.Load()
				cfg.GatewayURL = "hasty://127.0.0.1:9/v1"
				s.Apply(cfg)
				const fillings = "ABCDEFGH"
				for _, c := range fillings {
					walk(t, s, "/v1/chat/completions", start+`"messages":[{"role":"user","content":"`+strings.Repeat(string(c), n)+`"}]}`)
				}
				for i, c := range fillings {
					body, err := io.ReadAll(up.bodies[i])
					_ = up.bodies[i].Close()
					if err != nil || bytes.Count(body, []byte(string(c))) < n {
						t.Errorf("%s, %s%s: request %c has become %.80s", name, size, captured, c, body)
						break
					}
				}
			}
		}
	}
}
