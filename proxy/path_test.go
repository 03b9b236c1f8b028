package proxy

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"apex-ai-proxy/proxy/capture"
	"apex-ai-proxy/proxy/event"
)

// A request's way through the proxy without the network: a writer that takes everything and
// an upstream that answers at once. What it costs is what the proxy adds to net/http.

// taker is the ResponseWriter of a client that takes everything.
type taker struct {
	h      http.Header
	status int
	n      int
}

func (t *taker) Header() http.Header             { return t.h }
func (t *taker) WriteHeader(status int)          { t.status = status }
func (t *taker) Write(b []byte) (int, error)     { t.n += len(b); return len(b), nil }
func (t *taker) FlushError() error               { return nil }
func (t *taker) SetReadDeadline(time.Time) error { return nil }

// prompt answers at once, with a body that comes in reads of some size.
type prompt struct {
	media string
	body  []byte
	piece int // bytes per read, 0 for all
}

func (p *prompt) RoundTrip(r *http.Request) (*http.Response, error) {
	_, _ = io.Copy(io.Discard, r.Body)
	_ = r.Body.Close()
	h := http.Header{
		"Content-Type": {p.media}, "Date": {"Tue, 14 Nov 2023 22:13:20 GMT"}, "Cf-Aig-Log-Id": {"01JADMCQQQBWH3NXZ5GCRN98DP"},
		"Cf-Aig-Event-Id": {"event"}, "X-Request-Id": {"req_upstream"},
	}
	resp := &http.Response{StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, Header: h, Request: r, ContentLength: -1}
	if p.piece == 0 {
		resp.ContentLength = int64(len(p.body))
		h["Content-Length"] = []string{strconv.Itoa(len(p.body))}
	}
	resp.Body = &inReads{p.body, p.piece}
	return resp, nil
}

type inReads struct {
	left  []byte
	piece int
}

func (r *inReads) Read(b []byte) (int, error) {
	if len(r.left) == 0 {
		return 0, io.EOF
	}
	n := len(r.left)
	if r.piece > 0 {
		n = min(n, r.piece)
	}
	n = copy(b, r.left[:n])
	r.left = r.left[n:]
	return n, nil
}

func (r *inReads) Close() error { return nil }

const (
	pathKey   = "local-key-0123456789"
	pathToken = "gateway-token-0123456789"
)

// onPath is a server whose upstreams are replaced by one that answers at once.
func onPath(up http.RoundTripper, captures *capture.Store) *Server {
	s := New(slog.New(slog.DiscardHandler), event.NewBus(500))
	s.up.transport.Load().RegisterProtocol("http", up)
	s.Apply(Config{
		Account: "0123456789abcdef0123456789abcdef", Gateway: "g", GatewayURL: "http://127.0.0.1:9/v1",
		GatewayToken: pathToken, LocalKey: pathKey, UpstreamTimeout: 5 * time.Minute, StreamIdleTimeout: 5 * time.Minute,
		Version: "1", Captures: captures,
	})
	return s
}

// walk sends one request down the path.
func walk(tb testing.TB, s *Server, path, body string) int {
	r, err := http.NewRequestWithContext(tb.Context(), http.MethodPost, "http://127.0.0.1:8787"+path, strings.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	r.RequestURI = path
	r.Header = http.Header{
		"Authorization": {"Bearer " + pathKey}, "Content-Type": {"application/json"}, "User-Agent": {"OpenAI/Python 1.30"},
		"Accept": {"application/json"}, "Accept-Encoding": {"identity"}, "X-Stainless-Lang": {"python"},
	}
	w := &taker{h: make(http.Header)}
	s.handler.ServeHTTP(w, r)
	if w.status != http.StatusOK {
		tb.Fatalf("status %d", w.status)
	}
	return w.n
}

const (
	smallAsk    = `{"model":"gpt-4o#openai","messages":[{"role":"user","content":"Hello, who are you?"}],"max_tokens":100}`
	smallAnswer = `{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"gpt-4o","choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":2,"total_tokens":12}}`
	streamAsk   = `{"model":"gpt-4o#openai","messages":[{"role":"user","content":"Hello, who are you?"}],"stream":true}`
	streamEnd   = `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\ndata: [DONE]\n\n"
)

func pathStream(chunks int) []byte {
	return append(bytes.Repeat(chunk, chunks), streamEnd...)
}

func stores() map[string]*capture.Store {
	return map[string]*capture.Store{"": nil, " captured": capture.NewStore(capture.DefaultLimits(), nil)}
}

func BenchmarkPath(b *testing.B) {
	for name, store := range stores() {
		b.Run("unary"+name, func(b *testing.B) {
			s := onPath(&prompt{media: "application/json", body: []byte(smallAnswer)}, store)
			b.ReportAllocs()
			for b.Loop() {
				walk(b, s, "/v1/chat/completions", smallAsk)
			}
		})
		b.Run("stream"+name, func(b *testing.B) {
			s := onPath(&prompt{media: "text/event-stream", body: pathStream(200), piece: len(chunk)}, store)
			b.ReportAllocs()
			for b.Loop() {
				walk(b, s, "/v1/chat/completions", streamAsk)
			}
		})
	}
}

// TestPathAllocations bounds what a request costs the garbage collector besides what net/http
// needs, also where what it brings is kept for people to look at.
func TestPathAllocations(t *testing.T) {
	// The race detector has pools lose some of what is put into them.
	for name, c := range map[string]struct {
		up         *prompt
		ask        string
		max, asked float64 // allocations, and those more with captures
	}{
		"unary":  {&prompt{media: "application/json", body: []byte(smallAnswer)}, smallAsk, 95, 20},
		"stream": {&prompt{media: "text/event-stream", body: pathStream(200), piece: len(chunk)}, streamAsk, 97, 50},
	} {
		var bare float64
		for _, store := range []*capture.Store{nil, capture.NewStore(capture.Limits{Exchanges: 3, PerBody: 256 << 10, Total: 32 << 20}, nil)} {
			s := onPath(c.up, store)
			n := testing.AllocsPerRun(100, func() { walk(t, s, "/v1/chat/completions", c.ask) })
			if store == nil {
				bare = n
			}
			if store == nil && n > c.max || n > bare+c.asked {
				t.Errorf("%s: %.0f allocations, captures %t", name, n, store != nil)
			}
		}
	}
}
