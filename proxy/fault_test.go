package proxy_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"apex-ai-proxy/proxy"
	"apex-ai-proxy/proxy/demo"
	"apex-ai-proxy/proxy/demo/grammar"
	"apex-ai-proxy/proxy/event"
)

// said is what the upstreams say when nothing is wrong.
const said = "hello there, said the upstream, and went on for some words more"

// model answers as the vendors do.
var model = demo.New(demo.WithPlay(func(demo.Turn) demo.Reply { return demo.Reply{Text: said} }))

// played is the right answer to a request.
func played(r *http.Request) *httptest.ResponseRecorder {
	in := r.Clone(r.Context())
	for _, path := range []string{"/chat/completions", "/responses", "/messages"} {
		if strings.HasSuffix(r.URL.Path, path) {
			in.URL.Path = "/v1" + path
		}
	}
	out := httptest.NewRecorder()
	model.ServeHTTP(out, in)
	return out
}

// rawAnswer is an upstream that writes bytes of its own: head and right are those of the right
// answer, which it may send in part.
type rawAnswer func(c net.Conn, head string, right []byte)

// raw makes a handler of a rawAnswer. The connection is closed when it returns.
func raw(f rawAnswer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		right := played(r)
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer c.Close()
		f(c, "HTTP/1.1 200 OK\r\nContent-Type: "+right.Header().Get("Content-Type")+"\r\nTransfer-Encoding: chunked\r\n\r\n", right.Body.Bytes())
	}
}

// chunk writes a chunk of a body.
func chunk(c net.Conn, b []byte) error {
	_, err := fmt.Fprintf(c, "%x\r\n%s\r\n", len(b), b)
	return err
}

// silence waits until the other side goes.
func silence(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

// as answers the right body with another status or media type.
func as(status int, media string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		right := played(r)
		w.Header().Set("Content-Type", media)
		w.WriteHeader(status)
		_, _ = w.Write(right.Body.Bytes())
	}
}

// instead answers with another body.
func instead(status int, media, body string, headers ...string) http.HandlerFunc {
	return jsonAnswer(status, body, append([]string{"Content-Type", media}, headers...)...)
}

const page = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>please</body></html>\n"

// outcome is what a client gets: the status of an error, right, or a stream that has begun
// and ends in an error.
type outcome int

const (
	right outcome = 200
	// torn streams end in an error of their protocol. Where nothing had to be promised by
	// then it has a status instead, which is better.
	torn outcome = -1
)

// fault is an upstream that does something wrong.
type fault struct {
	name   string
	serve  http.HandlerFunc
	listen func(t *testing.T) (url string) // in place of serve
	whole  outcome
	stream outcome
	tries  int  // how often it was sent again
	slow   bool // the proxy must lose its patience
}

var faults = []fault{
	{name: "refuses", listen: closedPort, whole: 502, stream: 502, tries: 2},
	{name: "closes at once", listen: slammed, whole: 502, stream: 502},
	{name: "no such host", listen: func(t *testing.T) string { return noName(t, 3) }, whole: 502, stream: 502},
	{name: "resolver fails", listen: func(t *testing.T) string { return noName(t, 2) }, whole: 502, stream: 502, tries: 2},
	{name: "certificate of nobody", listen: wrongCertificate, whole: 502, stream: 502},
	{name: "no TLS", listen: noTLS, whole: 502, stream: 502},
	{name: "handshake breaks off", listen: slammedTLS, whole: 502, stream: 502, tries: 2},
	{name: "not HTTP", serve: raw(func(c net.Conn, _ string, _ []byte) { _, _ = io.WriteString(c, "\x16\x03\x01 what?\r\n\r\n") }), whole: 502, stream: 502},
	{name: "endless head", serve: raw(endlessHead), whole: 502, stream: 502},
	{name: "hangs before the head", serve: raw(func(c net.Conn, _ string, _ []byte) { silence(c) }), whole: 504, stream: 504, slow: true},
	{name: "hangs in the head", serve: raw(func(c net.Conn, head string, _ []byte) { _, _ = io.WriteString(c, head[:30]); silence(c) }), whole: 504, stream: 504, slow: true},
	{name: "hangs behind the head", serve: raw(func(c net.Conn, head string, _ []byte) { _, _ = io.WriteString(c, head); silence(c) }), whole: 504, stream: 504, slow: true},
	{name: "hangs in the middle", serve: raw(half(silence)), whole: 504, stream: torn, slow: true},
	{name: "cuts behind the head", serve: raw(func(c net.Conn, head string, _ []byte) { _, _ = io.WriteString(c, head) }), whole: 502, stream: 502},
	{name: "cuts in the middle", serve: raw(half(func(net.Conn) {})), whole: 502, stream: torn},
	{name: "cuts without a word", serve: raw(lengthless), whole: 502, stream: torn},
	{name: "says less than it promised", serve: raw(promised), whole: 502, stream: torn},
	{name: "promises less than there is", serve: raw(short), whole: 502, stream: torn},
	{name: "drips", serve: raw(drip), whole: right, stream: right},
	{name: "nothing", serve: instead(200, "application/json", ""), whole: 502, stream: 502},
	{name: "nothing, as a stream", serve: instead(200, "text/event-stream", ""), whole: 502, stream: 502},
	{name: "garbage", serve: instead(200, "application/json", "\x00\xff\xfe garbage"), whole: 502, stream: 502},
	{name: "garbage, as a stream", serve: instead(200, "text/event-stream", "\x00\xff\xfe garbage\n\n"), whole: 502, stream: 502},
	{name: "page", serve: instead(200, "text/html", page), whole: 502, stream: 502},
	{name: "page, as JSON", serve: instead(200, "application/json", page), whole: 502, stream: 502},
	{name: "page, as a stream", serve: instead(200, "text/event-stream", page), whole: 502, stream: 502},
	{name: "page that says it is busy", serve: instead(503, "text/html", page), whole: 503, stream: 503, tries: 2},
	{name: "redirect", serve: instead(302, "text/html", "", "Location", "https://elsewhere.example/"), whole: 502, stream: 502},
	{name: "error with the status of a success", serve: instead(200, "application/json", openAIError("server_error", "it broke")), whole: 500, stream: 500},
	{name: "error in a stream's first event", serve: instead(200, "text/event-stream", "event: error\ndata: "+`{"type":"error","error":{"type":"api_error","message":"it broke"}}`+"\n\n"), whole: 500, stream: 500},
	{name: "as plain text", serve: as(200, "text/plain"), whole: right, stream: right},
	{name: "as bytes", serve: as(200, "application/octet-stream"), whole: right, stream: right},
	{name: "of no type", serve: as(200, ""), whole: right, stream: right},
	{name: "busy", serve: instead(429, "application/json", openAIError("rate_limit_exceeded", "slow down"), "Retry-After", "1"), whole: 429, stream: 429, tries: 2},
	{name: "busy for long", serve: instead(429, "application/json", openAIError("rate_limit_exceeded", "slow down"), "Retry-After", "60"), whole: 429, stream: 429},
	{name: "overloaded", serve: instead(529, "application/json", `{"type":"error","error":{"type":"overloaded_error","message":"busy"}}`, "Retry-After", "2"), whole: 529, stream: 529, tries: 2},
	{name: "fails", serve: instead(500, "application/json", openAIError("server_error", "it broke")), whole: 500, stream: 500},
	{name: "not reached", serve: instead(502, "text/html", page), whole: 502, stream: 502},
	{name: "took too long", serve: instead(524, "text/html", page), whole: 504, stream: 504},
}

func closedPort(t *testing.T) string { return "http://" + freeAddr(t) }

// freeAddr is an address nobody listens on. Its port is none of those that the system gives out
// itself, to whoever wants one meanwhile.
func freeAddr(t *testing.T) string {
	for range 1000 {
		if ln, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", 10_000+rand.IntN(10_000))); err == nil {
			defer ln.Close()
			return ln.Addr().String()
		}
	}
	t.Fatal("no port is free")
	return ""
}

// accept listens and gives every connection to f.
func accept(t *testing.T, f func(net.Conn)) (addr string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				f(c)
			})
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		ended := make(chan struct{})
		go func() {
			all.Wait()
			close(ended)
		}()
		select {
		case <-ended:
		case <-time.After(patience):
			t.Error("a connection is left")
			<-ended
		}
	})
	return ln.Addr().String()
}

// slammed reads a request and closes the connection.
func slammed(t *testing.T) string {
	return "http://" + accept(t, func(c net.Conn) {
		var seen []byte
		for b := make([]byte, 64<<10); !bytes.Contains(seen, []byte("hi")); {
			n, err := c.Read(b)
			if seen = append(seen, b[:n]...); err != nil {
				return
			}
		}
	})
}

func slammedTLS(t *testing.T) string {
	return "https://" + accept(t, func(c net.Conn) { _, _ = c.Read(make([]byte, 64<<10)) })
}

func noTLS(t *testing.T) string {
	return "https://" + accept(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 64<<10))
		_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
	})
}

func wrongCertificate(t *testing.T) string {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(vendor))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv.URL
}

// noName is the address of a host that the resolver answers for with a code: 2 for its own
// failure, 3 for a name that there is not.
func noName(t *testing.T, code byte) string {
	dns, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		for b := make([]byte, 1500); ; {
			n, from, err := dns.ReadFrom(b)
			if err != nil {
				return
			}
			b[2], b[3] = 0x81, 0x80|code // an answer, without any records
			_, _ = dns.WriteTo(b[:n], from)
		}
	}()
	before := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", dns.LocalAddr().String())
	}}
	t.Cleanup(func() {
		net.DefaultResolver = before
		_ = dns.Close()
		<-answered
	})
	return "http://nowhere.example"
}

func endlessHead(c net.Conn, _ string, _ []byte) {
	_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n")
	for line := []byte("X-More: " + strings.Repeat("x", 4000) + "\r\n"); ; {
		if _, err := c.Write(line); err != nil {
			return
		}
	}
}

// half sends the first part of the answer, in the middle of an event, and goes on with then.
func half(then func(net.Conn)) rawAnswer {
	return func(c net.Conn, head string, right []byte) {
		_, _ = io.WriteString(c, head)
		for len(right) > 400 { // so that what is converted has begun
			_ = chunk(c, right[:100])
			right = right[100:]
			if len(right) < 700 {
				break
			}
		}
		then(c)
	}
}

// lengthless marks the end of its body with the end of the connection alone.
func lengthless(c net.Conn, head string, right []byte) {
	_, _ = io.WriteString(c, strings.Replace(head, "Transfer-Encoding: chunked", "Connection: close", 1))
	_, _ = c.Write(right[:len(right)*2/3])
}

func promised(c net.Conn, head string, right []byte) {
	_, _ = io.WriteString(c, strings.Replace(head, "Transfer-Encoding: chunked", fmt.Sprintf("Content-Length: %d", len(right)), 1))
	_, _ = c.Write(right[:len(right)*2/3])
}

func short(c net.Conn, head string, right []byte) {
	_, _ = io.WriteString(c, strings.Replace(head, "Transfer-Encoding: chunked", fmt.Sprintf("Content-Length: %d", len(right)*2/3), 1))
	_, _ = c.Write(right)
}

func drip(c net.Conn, head string, right []byte) {
	_, _ = io.WriteString(c, head)
	for i := range right {
		if chunk(c, right[i:i+1]) != nil {
			return
		}
	}
	_, _ = io.WriteString(c, "0\r\n\r\n")
}

// clientOf is a client's protocol: how it asks, and how its streams are read.
type clientOf struct {
	name, path, passed, converted string // the models
	body                          func(model string, stream bool) string
	grammar                       func(stream []byte) error
}

var clientsOf = []clientOf{
	{"chat", "/v1/chat/completions", "gpt-4o#openai", "claude-sonnet-4-5#anthropic", func(model string, stream bool) string {
		return chat(model, fmt.Sprintf(`"stream":%t,`, stream))
	}, func(b []byte) error { return grammar.Chat(b, false) }},
	{"messages", "/v1/messages", "claude-sonnet-4-5#anthropic", "llama-3.3-70b-versatile#groq", func(model string, stream bool) string {
		return messages(model, fmt.Sprintf(`"stream":%t,`, stream))
	}, grammar.Messages},
	{"responses", "/v1/responses", "gpt-5#openai", "claude-sonnet-4-5#anthropic", func(model string, stream bool) string {
		return fmt.Sprintf(`{"model":%q,"stream":%t,"input":"hi"}`, model, stream)
	}, grammar.Responses},
}

// eachClient runs f for every client, passed through and converted, whole and streamed.
func eachClient(t *testing.T, f func(t *testing.T, c clientOf, model string, stream bool)) {
	eachClientBy(t, func(run func()) { run() }, f)
}

// eachClientAtOnce is eachClient for what mostly waits.
func eachClientAtOnce(t *testing.T, f func(t *testing.T, c clientOf, model string, stream bool)) {
	var all sync.WaitGroup
	defer all.Wait()
	eachClientBy(t, all.Go, f)
}

func eachClientBy(t *testing.T, by func(run func()), f func(t *testing.T, c clientOf, model string, stream bool)) {
	for _, c := range clientsOf {
		for _, model := range []string{c.passed, c.converted} {
			for _, stream := range []bool{false, true} {
				by(func() {
					t.Run(fmt.Sprintf("%s to %s, stream %t", c.name, model, stream), func(t *testing.T) { f(t, c, model, stream) })
				})
			}
		}
	}
}

// leaveNothing fails when a test leaves a goroutine behind, or a connection, which has one.
func leaveNothing(t *testing.T) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() {
		if err := left(before); err != nil {
			t.Error(err)
		}
	})
}

// TestFaults: whatever an upstream does, the client gets an error of its own protocol, or
// the right answer; the record says which, and nothing is left behind.
func TestFaults(t *testing.T) {
	for _, fault := range faults {
		t.Run(fault.name, func(t *testing.T) {
			eachClient(t, func(t *testing.T, c clientOf, model string, stream bool) {
				leaveNothing(t)
				url := ""
				if fault.listen != nil {
					url = fault.listen(t)
				} else {
					url = newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
						r.Body = io.NopCloser(strings.NewReader(upstreamBody(r, stream)))
						fault.serve(w, r)
					}).URL
				}
				f := start(t, nil, func(cfg *proxy.Config) {
					cfg.GatewayURL, cfg.Retries = url+"/v1", 2
					if fault.slow {
						cfg.UpstreamTimeout, cfg.StreamIdleTimeout = 40*time.Millisecond, 40*time.Millisecond
					}
				})
				f.WithoutWaiting(func(time.Duration) {})
				fault.check(t, f, c, model, stream)
			})
		})
	}
}

// check asks, and looks at what the client and the record are told.
func (fault fault) check(t *testing.T, f *fixture, c clientOf, model string, stream bool) {
	t.Helper()
	got := f.post(c.path, c.body(model, stream))
	want := fault.whole
	if stream {
		want = fault.stream
	}
	fault.judge(t, c, got, want, stream)
	x := f.final(got.header.Get("X-Apex-Request-Id"))
	phase := event.Failed
	if want == right {
		phase = event.Done
	}
	if x.Phase != phase || (x.Error == "") != (want == right) || x.Status != got.status || x.Duration <= 0 || len(x.Tries) != fault.tries {
		t.Errorf("record %+v", x)
	}
	until(t, "the exchange to end", func() bool { return f.Active() == 0 })
}

// upstreamBody is what the demo is asked in place of what came: the same question.
func upstreamBody(r *http.Request, stream bool) string {
	for _, c := range clientsOf {
		if strings.HasSuffix(r.URL.Path, strings.TrimPrefix(c.path, "/v1")) {
			name, _, _ := strings.Cut(c.passed, "#")
			return c.body(name, stream)
		}
	}
	return ""
}

func (fault fault) judge(t *testing.T, c clientOf, got reply, want outcome, stream bool) {
	t.Helper()
	if got.err != nil {
		t.Fatalf("the answer broke off: %v after %s", got.err, got.body)
	}
	var told *grammar.StreamError
	switch {
	case want == torn && got.status == http.StatusOK:
		if err := c.grammar([]byte(got.body)); !errors.As(err, &told) || told.Message == "" {
			t.Errorf("%v in\n%s", err, got.body)
		}
	case want == right:
		if got.status != http.StatusOK || stream && c.grammar([]byte(got.body)) != nil {
			t.Errorf("%d, %v\n%s", got.status, c.grammar([]byte(got.body)), got.body)
		}
		for _, word := range strings.Fields(said) {
			if !strings.Contains(got.body, word) {
				t.Errorf("%q is not in %s", word, got.body)
			}
		}
	default:
		if want == torn {
			want = 502
			if fault.slow {
				want = 504
			}
		}
		if want == 529 && c.path != "/v1/messages" {
			want = 503 // as OpenAI says it
		}
		e := parse(t, got.body)
		if outcome(got.status) != want || (e.Type == "error") != (c.path == "/v1/messages") || e.Error.Type == "" {
			t.Errorf("%d, want %d: %s", got.status, want, got.body)
		}
		if got.status < 400 || got.status == 429 && got.header.Get("Retry-After") == "" {
			t.Errorf("%d %v", got.status, got.header)
		}
	}
}
