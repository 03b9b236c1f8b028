package proxy_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"apex-ai-proxy/proxy"
	"apex-ai-proxy/proxy/event"
)

// again is a proxy that sends requests again without waiting, and the waits there would
// have been.
func again(t *testing.T, u *upstream, edits ...func(*proxy.Config)) (f *fixture, waits *[]time.Duration) {
	t.Helper()
	waits = &[]time.Duration{}
	f = start(t, u, append([]func(*proxy.Config){func(c *proxy.Config) { c.Retries = 2 }}, edits...)...)
	f.WithoutWaiting(func(d time.Duration) { *waits = append(*waits, d) })
	return f, waits
}

// after answers the first n requests with one handler and the others with another.
func after(n int, first, then http.HandlerFunc) http.HandlerFunc {
	var seen atomic.Int32
	return func(w http.ResponseWriter, r *http.Request) {
		if int(seen.Add(1)) <= n {
			first(w, r)
			return
		}
		then(w, r)
	}
}

// ways are the requests of the three clients, passed through and converted.
var ways = []struct{ name, path, body string }{
	{"chat passed", "/v1/chat/completions", chat("gpt-4o#openai", "")},
	{"chat converted", "/v1/chat/completions", chat("claude-x#anthropic", "")},
	{"messages passed", "/v1/messages", messages("claude-x#anthropic", "")},
	{"messages converted", "/v1/messages", messages("llama#groq", "")},
	{"responses passed", "/v1/responses", `{"model":"gpt-5#openai","input":"hi"}`},
	{"responses converted", "/v1/responses", `{"model":"claude-x#anthropic","input":"hi"}`},
	{"embeddings", "/v1/embeddings", `{"model":"text-embedding-3-small#openai","input":"hi"}`},
	{"tokens counted", "/v1/messages/count_tokens", messages("claude-x#anthropic", "")},
}

const busy = `{"error":{"message":"come back later","type":"server_error","param":null,"code":null}}`

func TestBusyUpstreamIsAskedAgain(t *testing.T) {
	for _, way := range ways {
		for status, wanted := range map[int]int{
			429: 2, 503: 2, 529: 2, 521: 2, 522: 2, 523: 2,
			400: 1, 401: 1, 404: 1, 408: 1, 500: 1, 502: 1, 504: 1, 520: 1, 524: 1,
		} {
			t.Run(fmt.Sprint(way.name, " ", status), func(t *testing.T) {
				u := newUpstream(t, after(1, jsonAnswer(status, busy), func(w http.ResponseWriter, r *http.Request) {
					if strings.HasSuffix(r.URL.Path, "/count_tokens") {
						jsonAnswer(200, `{"input_tokens":9}`)(w, r)
						return
					}
					vendor(w, r)
				}))
				f, _ := again(t, u)
				got := f.post(way.path, way.body)
				x := f.final(got.header.Get("X-Apex-Request-Id"))
				if u.count() != wanted {
					t.Fatalf("asked %d times, want %d: %d %s", u.count(), wanted, got.status, got.body)
				}
				if wanted == 1 {
					if len(x.Tries) != 0 {
						t.Errorf("record %+v", x)
					}
					return
				}
				if got.status != 200 || x.Phase != event.Done || x.Error != "" {
					t.Errorf("%d %s, record %+v", got.status, got.body, x)
				}
				if len(x.Tries) != 1 || x.Tries[0].Status != status || !strings.Contains(x.Tries[0].Why, "come back later") || x.Tries[0].Model != x.ModelAsked || x.Tries[0].Wait <= 0 {
					t.Errorf("tries %+v", x.Tries)
				}
				if u.seen[0].body != u.seen[1].body || u.seen[0].header.Get("Cf-Aig-Authorization") != u.seen[1].header.Get("Cf-Aig-Authorization") {
					t.Errorf("sent %+v", u.seen)
				}
			})
		}
	}
}

// TestAskingAgainEnds: the last refusal reaches the client as if it were the first.
func TestAskingAgainEnds(t *testing.T) {
	for _, way := range ways[:6] {
		for _, stream := range []string{`{`, `{"stream":true,`} {
			u := newUpstream(t, jsonAnswer(503, busy, "Retry-After", "1"))
			f, waits := again(t, u)
			got := f.post(way.path, strings.Replace(way.body, "{", stream, 1))
			if e := parse(t, got.body); got.status != 503 || e.Error.Message != "come back later" || got.header.Get("Retry-After") != "1" {
				t.Errorf("%s: %d %v %s", way.name, got.status, got.header, got.body)
			}
			x := f.final(got.header.Get("X-Apex-Request-Id"))
			if u.count() != 3 || len(*waits) != 2 || len(x.Tries) != 2 || x.Phase != event.Failed || x.Status != 503 {
				t.Errorf("%s: asked %d times, %v, record %+v", way.name, u.count(), *waits, x)
			}
		}
	}
}

func TestRetryAfterIsKept(t *testing.T) {
	for _, c := range []struct {
		name, value string
		least, most time.Duration
		tries       int
	}{
		{"", "", 250 * time.Millisecond, 1500 * time.Millisecond, 2},
		{"Retry-After", "2", 2 * time.Second, 2500 * time.Millisecond, 2},
		{"Retry-After", "0", 250 * time.Millisecond, 1500 * time.Millisecond, 2},
		{"Retry-After", "0.5", 500 * time.Millisecond, time.Second, 2},
		{"Retry-After", "5", 5 * time.Second, 5500 * time.Millisecond, 2},
		{"Retry-After", "6", 0, 0, 1},
		{"Retry-After", "1e300", 0, 0, 1},
		{"Retry-After", "-3", 250 * time.Millisecond, 1500 * time.Millisecond, 2},
		{"Retry-After", "soon", 250 * time.Millisecond, 1500 * time.Millisecond, 2},
		{"Retry-After", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat), 0, 0, 1},
		{"Retry-After", "Mon, 02 Jan 2006 15:04:05 GMT", 250 * time.Millisecond, 1500 * time.Millisecond, 2},
		{"Retry-After-Ms", "1250", 1250 * time.Millisecond, 1750 * time.Millisecond, 2},
		{"Retry-After-Ms", "60000", 0, 0, 1},
	} {
		u := newUpstream(t, after(1, jsonAnswer(429, busy, c.name, c.value), vendor))
		f, waits := again(t, u)
		got := f.post("/v1/chat/completions", chat("gpt-4o#openai", ""))
		if u.count() != c.tries {
			t.Errorf("%s %s: asked %d times: %d", c.name, c.value, u.count(), got.status)
			continue
		}
		if c.tries == 1 {
			if got.status != 429 || got.header.Get(c.name) != c.value {
				t.Errorf("%s %s: %d %v", c.name, c.value, got.status, got.header)
			}
			continue
		}
		if w := (*waits)[0]; got.status != 200 || w < c.least || w > c.most {
			t.Errorf("%s %s: %d after %v", c.name, c.value, got.status, w)
		}
	}
}

// TestWaitsGrow: and never by the same amount.
func TestWaitsGrow(t *testing.T) {
	f, waits := again(t, newUpstream(t, jsonAnswer(503, busy)), func(c *proxy.Config) { c.Retries = 5 })
	f.post("/v1/chat/completions", chat("gpt-4o#openai", ""))
	f.post("/v1/chat/completions", chat("gpt-4o#openai", ""))
	if len(*waits) != 10 || slices.Equal((*waits)[:5], (*waits)[5:]) {
		t.Fatalf("%v", *waits)
	}
	for i, w := range *waits {
		if mean := min(500*time.Millisecond<<(i%5), 5*time.Second); w < mean/2 || w > mean*3/2 {
			t.Errorf("wait %d is %v", i%5+1, w)
		}
	}
}

// TestOthersRepeat: a request is not sent again where somebody else does it, or where it
// would not help.
func TestOthersRepeat(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		edit   edit
		cfg    func(*proxy.Config)
	}{
		"switched off":                     {cfg: func(c *proxy.Config) { c.Retries = 0 }},
		"the gateway repeats":              {edit: withHeader("Cf-Aig-Max-Attempts", "3")},
		"the client repeats":               {edit: withHeader("X-Stainless-Retry-Count", "1")},
		"the upstream says no":             {answer: jsonAnswer(503, busy, "X-Should-Retry", "false")},
		"nothing is left of a quota":       {answer: jsonAnswer(429, openAIError("insufficient_quota", "pay"))},
		"a rule of the gateway":            {answer: jsonAnswer(429, gatewayError("2003", "Rate limited"))},
		"a spending limit of the gateway":  {answer: jsonAnswer(429, `{"success":false,"error":{"message":"Spending limit exceeded"}}`)},
		"an answer that is no refusal":     {answer: vendor},
		"a refusal with another status":    {answer: jsonAnswer(200, openAIError("server_error", "overloaded"))},
		"a connection that broke too late": {answer: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
	} {
		if c.answer == nil {
			c.answer = jsonAnswer(503, busy)
		}
		if c.edit == nil {
			c.edit = without("X-None")
		}
		if c.cfg == nil {
			c.cfg = func(*proxy.Config) {}
		}
		u := newUpstream(t, c.answer)
		f, _ := again(t, u, c.cfg)
		if got := f.post("/v1/chat/completions", chat("gpt-4o#openai", ""), c.edit); u.count() != 1 {
			t.Errorf("%s: asked %d times: %d %s", name, u.count(), got.status, got.body)
		}
	}
	f, waits := again(t, nil)
	if got := f.post("/v1/chat/completions", chat("error-429#demo", "")); got.status != 429 || len(*waits) != 0 {
		t.Errorf("the demo: %d, %v", got.status, *waits)
	}
	u := newUpstream(t, after(1, jsonAnswer(503, busy), vendor))
	f, _ = again(t, u)
	if got := f.post("/v1/chat/completions", chat("gpt-4o#openai", ""), withHeader("X-Stainless-Retry-Count", "0")); got.status != 200 {
		t.Errorf("a client's first: %d", got.status)
	}
}

// TestFallbackComesFirst: a model that is busy is not waited for while another one is left.
func TestFallbackComesFirst(t *testing.T) {
	u := newUpstream(t, jsonAnswer(529, busy))
	f, _ := again(t, u, withAliases(map[string][]string{"mine": {"gpt-4o#openai", "llama#groq"}}))
	got := f.post("/v1/chat/completions", chat("mine", ""))
	var asked []string
	for _, in := range u.seen {
		asked = append(asked, strings.Split(in.path, "/")[4])
	}
	if want := []string{"openai", "groq", "groq", "groq"}; !slices.Equal(asked, want) {
		t.Errorf("asked %v", asked)
	}
	x := f.final(got.header.Get("X-Apex-Request-Id"))
	if len(x.Tries) != 2 || x.Tries[0].Model != "llama#groq" || len(x.Warnings) != 1 || got.header.Get("X-Fallback-From") != "gpt-4o#openai" {
		t.Errorf("record %+v", x)
	}
}

// TestNoConnection: one that is refused is tried again, and the upstream that is there by
// then answers.
func TestNoConnection(t *testing.T) {
	addr := freeAddr(t)
	f := start(t, nil, func(c *proxy.Config) { c.GatewayURL, c.Retries = "http://"+addr+"/v1", 2 })
	waits := 0
	f.WithoutWaiting(func(time.Duration) {
		if waits++; waits < 2 {
			return
		}
		ln, err := net.Listen("tcp", addr)
		if err != nil {
			t.Error(err)
			return
		}
		srv := &http.Server{Handler: http.HandlerFunc(vendor), ReadHeaderTimeout: patience}
		go func() { _ = srv.Serve(ln) }()
		t.Cleanup(func() { _ = srv.Close() })
	})
	got := f.post("/v1/messages", messages("llama#groq", ""))
	x := f.final(got.header.Get("X-Apex-Request-Id"))
	if got.status != 200 || len(x.Tries) != 2 || x.Tries[1].Status != 0 || !strings.Contains(x.Tries[1].Why, "could not be reached") {
		t.Errorf("%d %s, record %+v", got.status, got.body, x)
	}
}

// TestConnectionGivenUp: the upstream closed one that was idle, which shows only when it is
// used again. Nobody has read the request.
func TestConnectionGivenUp(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	var conns atomic.Int32
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			conns.Add(1)
			go func() {
				defer c.Close()
				r := bufio.NewReader(c)
				for i := range 2 {
					req, err := http.ReadRequest(r)
					if err != nil {
						return
					}
					_, _ = io.Copy(io.Discard, req.Body)
					if i == 0 {
						_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(chatAnswer), chatAnswer)
					}
				}
			}()
		}
	}()
	f := start(t, nil, func(c *proxy.Config) { c.GatewayURL, c.Retries = "http://"+ln.Addr().String()+"/v1", 2 })
	f.WithoutWaiting(func(time.Duration) {})
	for i := range 3 {
		got := f.post("/v1/messages", messages("llama#groq", ""))
		x := f.final(got.header.Get("X-Apex-Request-Id"))
		if want := min(i, 1); got.status != 200 || len(x.Tries) != want || int(conns.Load()) != i+1 {
			t.Errorf("request %d: %d %s over %d connections, record %+v", i+1, got.status, got.body, conns.Load(), x)
		}
	}
}

// TestIdempotencyKeyRepeatsNothing: it is not for the proxy, which does not know whether the
// upstream minds it.
func TestIdempotencyKeyRepeatsNothing(t *testing.T) {
	u := newUpstream(t, after(1, vendor, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		panic(http.ErrAbortHandler)
	}))
	f, _ := again(t, u, func(c *proxy.Config) { c.Retries = 0 })
	for i, want := range []int{200, 502} { // the second over the connection of the first
		got := f.post("/v1/chat/completions", chat("gpt-4o#openai", ""), withHeader("Idempotency-Key", "k"))
		if got.status != want || u.count() != i+1 || u.seen[i].header.Get("Idempotency-Key") != "k" {
			t.Errorf("request %d: %d %s, asked %d times", i+1, got.status, got.body, u.count())
		}
	}
}

// TestWaitEndsWithTheClient: and with the proxy.
func TestWaitEndsWithTheClient(t *testing.T) {
	for _, stop := range []bool{false, true} {
		u := newUpstream(t, jsonAnswer(503, busy, "Retry-After", "5"))
		f := start(t, u, func(c *proxy.Config) { c.Retries = 2 })
		ctx, cancel := context.WithCancel(t.Context())
		answers := make(chan reply, 1)
		go func() {
			resp, err := client.Do(f.request(ctx, "POST", "/v1/messages", messages("llama#groq", "")))
			if err != nil {
				answers <- reply{err: err}
				return
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			answers <- reply{resp.StatusCode, resp.Header, string(body), err}
		}()
		until(t, "the first refusal", func() bool {
			all := f.bus.Recent()
			return len(all) == 1 && u.count() == 1
		})
		want := event.Cancelled
		if stop {
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			_ = f.Stop(ended)
			want = event.Failed
		} else {
			cancel()
		}
		got := <-answers
		cancel()
		if stop && (got.err != nil || got.status != 503 || !strings.Contains(got.body, "being stopped")) {
			t.Errorf("%d %v %s", got.status, got.err, got.body)
		}
		until(t, "the record to be closed", func() bool { return f.bus.Recent()[0].Phase == want })
		if u.count() != 1 {
			t.Errorf("asked %d times", u.count())
		}
	}
}
