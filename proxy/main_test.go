package proxy_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"apex-ai-proxy/proxy"
	"apex-ai-proxy/proxy/event"
	_ "apex-ai-proxy/proxy/spent/spoil" // memory that was given back
)

const (
	localKey  = "apex-local-key-0123456789"
	gateToken = "gateway-token-0123456789"
	patience  = time.Minute // for what should take milliseconds
	// starved is longer than a busy machine lets one of two sides stand still. A shorter silence
	// need not be that of the side which is to be silent.
	starved = 3 * time.Second
)

// TestMain runs the tests and then checks that no goroutine is left.
func TestMain(m *testing.M) {
	code := m.Run()
	if err := left(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// left is an error that tells of goroutines that do not end. goleak itself waits for less than
// half a second, which is not much on a machine that has other things to do.
func left(options ...goleak.Option) (err error) {
	for limit := time.Now().Add(patience); ; {
		if err = goleak.Find(options...); err == nil || time.Now().After(limit) {
			return err
		}
	}
}

// seen is a request as the upstream got it.
type seen struct {
	path, query string
	header      http.Header
	body        string
}

// upstream is a scripted stand-in for the gateway.
type upstream struct {
	*httptest.Server
	mu     sync.Mutex
	seen   []seen
	answer http.HandlerFunc
}

func newUpstream(t testing.TB, answer http.HandlerFunc) *upstream {
	t.Helper()
	u := &upstream{answer: answer}
	u.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("the upstream could not read the request: %v", err)
		}
		u.mu.Lock()
		u.seen = append(u.seen, seen{r.URL.EscapedPath(), r.URL.RawQuery, r.Header.Clone(), string(body)})
		u.mu.Unlock()
		u.answer(w, r)
	}))
	t.Cleanup(u.Close)
	return u
}

func (u *upstream) last(t testing.TB) seen {
	t.Helper()
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.seen) == 0 {
		t.Fatal("nothing reached the upstream")
	}
	return u.seen[len(u.seen)-1]
}

func (u *upstream) count() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.seen)
}

// fixture is a running proxy.
type fixture struct {
	*proxy.Server
	t   testing.TB
	bus *event.Bus
	cfg proxy.Config
	log *bytes.Buffer
}

func start(t testing.TB, u *upstream, edit ...func(*proxy.Config)) *fixture {
	t.Helper()
	cfg := proxy.Config{
		Account: "acc", Gateway: "gw", GatewayToken: gateToken, LocalKey: localKey,
		AzureResource: "res", AzureAPIVersion: "2024-10-21",
		UpstreamTimeout: patience, StreamIdleTimeout: patience, Version: "test",
	}
	if u != nil {
		cfg.GatewayURL = u.URL + "/v1"
	}
	for _, e := range edit {
		e(&cfg)
	}
	f := &fixture{t: t, bus: event.NewBus(1000), cfg: cfg, log: &bytes.Buffer{}}
	level := slog.LevelDebug
	if _, ok := t.(*testing.B); ok {
		level = slog.LevelInfo // as people have it
	}
	var mu sync.Mutex
	f.Server = proxy.New(slog.New(slog.NewTextHandler(lockedWriter{&mu, f.log}, &slog.HandlerOptions{Level: level})), f.bus)
	if err := f.Start(t.Context(), "127.0.0.1:0", cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = f.Stop(ctx)
	})
	return f
}

type lockedWriter struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// client keeps no connections, so that none outlives a test.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}}

type edit = func(*http.Request)

func withHeader(name, value string) edit {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func without(name string) edit { return func(r *http.Request) { r.Header.Del(name) } }

func (f *fixture) request(ctx context.Context, method, path, body string, edits ...edit) *http.Request {
	f.t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, "http://"+f.Addr()+path, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+localKey)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, e := range edits {
		e(r)
	}
	return r
}

// reply is a whole answer of the proxy.
type reply struct {
	status int
	header http.Header
	body   string
	err    error // of reading the body
}

func (f *fixture) do(method, path, body string, edits ...edit) reply {
	f.t.Helper()
	resp, err := client.Do(f.request(f.t.Context(), method, path, body, edits...))
	if err != nil {
		f.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, resp.Header, string(b), err}
}

func (f *fixture) post(path, body string, edits ...edit) reply {
	f.t.Helper()
	return f.do(http.MethodPost, path, body, edits...)
}

// final waits for the record of the exchange with the id to be closed.
func (f *fixture) final(id string) event.Exchange {
	f.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		if x, ok := f.bus.Find(id); ok && x.Phase.Final() {
			return x
		}
		if time.Now().After(deadline) {
			f.t.Fatalf("the record of %s was not closed", id)
		}
		time.Sleep(time.Millisecond)
	}
}

// until polls.
func until(t testing.TB, what string, f func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !f() {
		if time.Now().After(deadline) {
			t.Fatalf("waited too long for: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

func chat(model string, more string) string {
	return `{"model":"` + model + `",` + more + `"messages":[{"role":"user","content":"hi"}]}`
}

func messages(model string, more string) string {
	return `{"model":"` + model + `",` + more + `"max_tokens":64,"messages":[{"role":"user","content":"hi"}]}`
}

const (
	chatAnswer = `{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"gpt-4o","choices":[{"index":0,"message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":11,"completion_tokens":3,"total_tokens":14,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":1}}}`
	respAnswer = `{"id":"resp_1","object":"response","created_at":1700000000,"status":"completed","model":"gpt-5","output":[{"id":"msg_1","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":"hello","annotations":[]}]}],"usage":{"input_tokens":11,"input_tokens_details":{"cached_tokens":4},"output_tokens":3,"output_tokens_details":{"reasoning_tokens":1},"total_tokens":14}}`
	msgAnswer  = `{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-5","content":[{"type":"text","text":"hello"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":7,"cache_read_input_tokens":4,"cache_creation_input_tokens":2,"output_tokens":3}}`
)

var chatFrames = []string{
	`data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}` + "\n\n",
	`data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o","choices":[{"index":0,"delta":{"content":"hel"},"finish_reason":null}]}` + "\n\n",
	`data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o","choices":[{"index":0,"delta":{"content":"lo"},"finish_reason":null}]}` + "\n\n",
	`data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n",
	`data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o","choices":[],"usage":{"prompt_tokens":11,"completion_tokens":3,"total_tokens":14}}` + "\n\n",
	"data: [DONE]\n\n",
}

var msgFrames = []string{
	"event: message_start\n" + `data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-5","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":7,"cache_read_input_tokens":4,"cache_creation_input_tokens":0,"output_tokens":1}}}` + "\n\n",
	"event: content_block_start\n" + `data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}` + "\n\n",
	"event: content_block_delta\n" + `data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hel"}}` + "\n\n",
	"event: content_block_delta\n" + `data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"lo"}}` + "\n\n",
	"event: content_block_stop\n" + `data: {"type":"content_block_stop","index":0}` + "\n\n",
	"event: message_delta\n" + `data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":3}}` + "\n\n",
	"event: message_stop\n" + `data: {"type":"message_stop"}` + "\n\n",
}

// jsonAnswer answers with a JSON body.
func jsonAnswer(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// sseAnswer answers with a stream, one write and flush per frame.
func sseAnswer(frames ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, f := range frames {
			_, _ = io.WriteString(w, f)
			w.(http.Flusher).Flush()
		}
	}
}

// vendor answers as the vendor of the path would.
func vendor(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasSuffix(r.URL.Path, "/messages"):
		jsonAnswer(200, msgAnswer)(w, r)
	case strings.HasSuffix(r.URL.Path, "/responses"):
		jsonAnswer(200, respAnswer)(w, r)
	default:
		jsonAnswer(200, chatAnswer)(w, r)
	}
}

// cutAnswer sends frames and then breaks the connection.
func cutAnswer(frames ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		sseAnswer(frames...)(w, r)
		panic(http.ErrAbortHandler)
	}
}

var modelName = regexp.MustCompile(`"model":"[^"]*"`)

// named is an answer with the name that was asked for.
func named(answer, model string) string {
	return modelName.ReplaceAllString(answer, `"model":"`+model+`"`)
}
