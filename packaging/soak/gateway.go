package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"apex-ai-proxy/proxy/demo"
)

// gateway is the upstream: the demo's strict vendors, behind every fault there is. What
// it does, and says, is decided by a mark in the request.
type gateway struct {
	url   string
	srv   *http.Server
	model http.Handler
	wrong func(format string, args ...any)

	mu   sync.Mutex
	sent map[uint64][]byte // what was answered, by seed
	seen map[uint64]int    // how often it was asked
}

// mark is what a client writes into its text: the kind of answer that it wants, and the
// seed of what is said.
func mark(kind string, seed uint64) string { return fmt.Sprintf("[[%s %d]]", kind, seed) }

var marks = regexp.MustCompile(`\[\[(\w+) (\d+)\]\]`)

func newGateway() (*gateway, error) {
	ln, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	g := &gateway{url: "http://" + ln.Addr().String() + "/v1", sent: map[uint64][]byte{}, seen: map[uint64]int{}}
	g.model = demo.New(demo.WithPlay(func(t demo.Turn) demo.Reply {
		m := marks.FindStringSubmatch(t.Text)
		if m == nil {
			return demo.Reply{Text: "no mark"}
		}
		seed, _ := strconv.ParseUint(m[2], 10, 64)
		if m[1] == "tool" {
			return demo.Reply{Calls: []demo.Call{{Name: "lookup", Input: arguments(seed)}}}
		}
		return demo.Reply{Text: text(m[1], seed)}
	}))
	g.srv = &http.Server{Handler: g, ReadHeaderTimeout: time.Minute}
	go func() { _ = g.srv.Serve(ln) }()
	return g, nil
}

func (g *gateway) close() { _ = g.srv.Close() }

// text is what the upstream says.
func text(kind string, seed uint64) string {
	r := rand.New(rand.NewPCG(seed, 7)) //nolint:gosec // so that both sides know it
	n := 5 + r.IntN(120)
	switch kind {
	case "big":
		n = 4000
	case "slow":
		n = 40
	}
	words := []string{"alpha", "ünïcode", "日本語", "\"quoted\"", "line\nbreak", "tab\t", "\\back", "😀", "<tag>&amp;", "data: [DONE]", "omega", "\u2028", "0123456789"}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %d:", kind, seed)
	for range n {
		b.WriteString(" " + words[r.IntN(len(words))])
	}
	return b.String()
}

// arguments are those of the call that the upstream makes.
func arguments(seed uint64) string {
	return fmt.Sprintf(`{"query":%q,"seed":%d,"deep":{"list":[1,2.50,null,true]}}`, fmt.Sprint("about ", seed, " 日本"), seed)
}

// took hands over what was answered to a seed, and forgets it.
func (g *gateway) took(seed uint64) []byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	b := g.sent[seed]
	delete(g.sent, seed)
	delete(g.seen, seed)
	return b
}

// ServeHTTP implements http.Handler.
func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client has gone
	}
	g.check(r, body)
	m := marks.FindSubmatch(body)
	if m == nil {
		g.wrong("a request without a mark came to %s: %.200s", r.URL.Path, body)
		return
	}
	kind := string(m[1])
	seed, _ := strconv.ParseUint(string(m[2]), 10, 64)
	g.mu.Lock()
	g.seen[seed]++
	again := g.seen[seed] > 1
	g.mu.Unlock()
	r.Body = io.NopCloser(bytes.NewReader(body))
	for _, path := range []string{"/chat/completions", "/responses", "/messages/count_tokens", "/messages", "/embeddings"} {
		if strings.HasSuffix(r.URL.Path, path) {
			r.URL.Path = "/v1" + path
			break
		}
	}
	if fault := faults[kind]; fault != nil && (kind != "busy" || !again) {
		fault(g.model, w, r)
		return
	}
	out := &recorder{ResponseWriter: w, slow: kind == "slow"}
	g.model.ServeHTTP(out, r)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sent[seed] = out.sent.Bytes()
}

// check looks for what must not come, and what must.
func (g *gateway) check(r *http.Request, body []byte) {
	if got := r.Header.Get("Cf-Aig-Authorization"); got != "Bearer "+token {
		g.wrong("the gateway's credential is %q", got)
	}
	var head bytes.Buffer
	_ = r.Header.Write(&head) // to memory
	if bytes.Contains(head.Bytes(), []byte(localKey)) || bytes.Contains(body, []byte(localKey)) {
		g.wrong("the local key reached the upstream")
	}
}

// faults are the ways to fail.
var faults = map[string]func(model http.Handler, w http.ResponseWriter, r *http.Request){
	"busy":    fixed(503, "application/json", `{"error":{"message":"busy","type":"server_error","param":null,"code":null}}`),
	"limited": fixed(429, "application/json", `{"error":{"message":"slow down","type":"rate_limit_error","param":null,"code":"rate_limit_exceeded"}}`),
	"failed":  fixed(500, "application/json", `{"error":{"message":"it broke","type":"server_error","param":null,"code":null}}`),
	"page":    fixed(502, "text/html", "<!DOCTYPE html><html><head><title>Bad gateway</title></head><body>x</body></html>"),
	"lied":    fixed(200, "application/json", `{"error":{"message":"not really","type":"server_error","param":null,"code":null}}`),
	"garbage": fixed(200, "text/event-stream", "\x00\x01\xff\xfe garbage \x80 that is nothing\n"),
	"cut": func(model http.Handler, w http.ResponseWriter, r *http.Request) {
		whole := httptest.NewRecorder()
		model.ServeHTTP(whole, r)
		for name, v := range whole.Header() {
			w.Header()[name] = v
		}
		w.Header().Del("Content-Length")
		body := whole.Body.Bytes()
		_, _ = w.Write(body[:len(body)*2/3])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	},
	"hang": func(_ http.Handler, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
}

func fixed(status int, media, body string) func(http.Handler, http.ResponseWriter, *http.Request) {
	return func(_ http.Handler, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", media)
		if status == http.StatusTooManyRequests {
			w.Header().Set("Retry-After", "30")
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// recorder keeps what is sent.
type recorder struct {
	http.ResponseWriter
	sent bytes.Buffer
	slow bool
}

// Write implements http.ResponseWriter.
func (r *recorder) Write(b []byte) (int, error) {
	if r.slow {
		time.Sleep(2 * time.Millisecond)
	}
	r.sent.Write(b)
	return r.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// Flush implements http.Flusher.
func (r *recorder) Flush() { _ = http.NewResponseController(r.ResponseWriter).Flush() }
