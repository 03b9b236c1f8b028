package proxy_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"apex-ai-proxy/proxy"
	"apex-ai-proxy/proxy/event"
)

// The gateway speaks HTTP/2 over TLS. There a connection carries many requests, and an answer
// can end in more ways than with its connection.

// certificate is one for this machine, and those who trust it.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	srv := httptest.NewUnstartedServer(nil)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	trust := x509.NewCertPool()
	trust.AddCert(srv.Certificate())
	return &tls.Config{Certificates: srv.TLS.Certificates, NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS12}, trust
}

// asked is a request that came over HTTP/2, to be answered frame by frame.
type asked struct {
	*http2.Framer
	conn   net.Conn
	stream uint32
	first  bool // of all requests
	media  string
	right  []byte // the body of the right answer
	heads  *bytes.Buffer
	hpack  *hpack.Encoder
}

// head sends the head of an answer, pairs of names and values.
func (a *asked) head(end bool, fields ...string) {
	a.heads.Reset()
	for i := 0; i+1 < len(fields); i += 2 {
		_ = a.hpack.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	_ = a.WriteHeaders(http2.HeadersFrameParam{StreamID: a.stream, BlockFragment: a.heads.Bytes(), EndHeaders: true, EndStream: end})
}

func (a *asked) ok(more ...string) {
	a.head(false, append([]string{":status", "200", "content-type", a.media}, more...)...)
}

func (a *asked) data(b []byte, end bool) { _ = a.WriteData(a.stream, end, b) }

func (a *asked) reset(code http2.ErrCode) { _ = a.WriteRSTStream(a.stream, code) }

func (a *asked) answer() {
	a.ok()
	a.data(a.right, true)
}

// middle is where half an answer ends: what is converted has begun by then.
func (a *asked) middle() int { return max(len(a.right)/2, len(a.right)-500) }

// framed listens with HTTP/2 and has f answer every request. A connection lives until the other
// side, or f, closes it.
func framed(t *testing.T, config *tls.Config, f func(*asked)) (url string) {
	var n atomic.Int32
	return "https://" + accept(t, func(c net.Conn) {
		conn := tls.Server(c, config)
		preface := make([]byte, len(http2.ClientPreface))
		if _, err := io.ReadFull(conn, preface); err != nil || string(preface) != http2.ClientPreface {
			return
		}
		heads := &bytes.Buffer{}
		frames := http2.NewFramer(conn, conn)
		frames.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
		_ = frames.WriteSettings()
		encoder, paths := hpack.NewEncoder(heads), map[uint32]string{}
		bodies := map[uint32][]byte{}
		for {
			frame, err := frames.ReadFrame()
			if err != nil {
				return
			}
			ended := false
			switch frame := frame.(type) {
			case *http2.SettingsFrame:
				if !frame.IsAck() {
					_ = frames.WriteSettingsAck()
				}
			case *http2.PingFrame:
				if !frame.IsAck() {
					_ = frames.WritePing(true, frame.Data)
				}
			case *http2.MetaHeadersFrame:
				paths[frame.StreamID], ended = frame.PseudoValue("path"), frame.StreamEnded()
			case *http2.DataFrame:
				bodies[frame.StreamID] = append(bodies[frame.StreamID], frame.Data()...)
				ended = frame.StreamEnded()
			}
			if !ended {
				continue
			}
			id := frame.Header().StreamID
			r := httptest.NewRequest(http.MethodPost, paths[id], nil)
			r.Body = io.NopCloser(strings.NewReader(upstreamBody(r, bytes.Contains(bodies[id], []byte(`"stream":true`)))))
			right := played(r)
			f(&asked{frames, conn, id, n.Add(1) == 1, right.Header().Get("Content-Type"), right.Body.Bytes(), heads, encoder})
		}
	})
}

var framedFaults = []struct {
	fault
	serve func(*asked)
}{
	{fault{name: "right", whole: right, stream: right}, (*asked).answer},
	{fault{name: "refuses the first", whole: right, stream: right}, func(a *asked) {
		if a.first {
			a.reset(http2.ErrCodeRefusedStream)
			return
		}
		a.answer()
	}},
	{fault{name: "goes away before it looks", whole: right, stream: right}, func(a *asked) {
		if a.first {
			_ = a.WriteGoAway(0, http2.ErrCodeNo, nil)
			return
		}
		a.answer()
	}},
	{fault{name: "goes away and finishes", whole: right, stream: right}, func(a *asked) {
		_ = a.WriteGoAway(a.stream, http2.ErrCodeNo, nil)
		a.answer()
	}},
	{fault{name: "goes away for a fault", whole: 502, stream: 502}, func(a *asked) {
		_ = a.WriteGoAway(a.stream, http2.ErrCodeInternal, []byte("sorry"))
		_ = a.conn.Close()
	}},
	{fault{name: "ends before the head", whole: 502, stream: 502}, func(a *asked) { a.reset(http2.ErrCodeInternal) }},
	{fault{name: "wants HTTP/1.1", whole: 502, stream: 502}, func(a *asked) { a.reset(http2.ErrCodeHTTP11Required) }},
	{fault{name: "ends behind the head", whole: 502, stream: 502}, func(a *asked) { a.ok(); a.reset(http2.ErrCodeInternal) }},
	{fault{name: "ends in the middle", whole: 502, stream: torn}, func(a *asked) {
		a.ok()
		a.data(a.right[:a.middle()], false)
		a.reset(http2.ErrCodeCancel)
	}},
	{fault{name: "cuts before the head", whole: 502, stream: 502}, func(a *asked) { _ = a.conn.Close() }},
	{fault{name: "cuts in the middle", whole: 502, stream: torn}, func(a *asked) {
		a.ok()
		a.data(a.right[:a.middle()], false)
		_ = a.conn.Close()
	}},
	{fault{name: "says less than it promised", whole: 502, stream: torn}, func(a *asked) {
		a.ok("content-length", strconv.Itoa(len(a.right)))
		a.data(a.right[:a.middle()], true)
	}},
	{fault{name: "hangs before the head", whole: 504, stream: 504, slow: true}, func(*asked) {}},
	{fault{name: "hangs behind the head", whole: 504, stream: 504, slow: true}, func(a *asked) { a.ok() }},
	{fault{name: "hangs in the middle", whole: 504, stream: torn, slow: true}, func(a *asked) {
		a.ok()
		a.data(a.right[:a.middle()], false)
	}},
	{fault{name: "says nothing", whole: 502, stream: 502}, func(a *asked) {
		a.head(true, ":status", "200", "content-type", a.media)
	}},
	{fault{name: "no status", whole: 502, stream: 502}, func(a *asked) { a.head(false, "content-type", a.media) }},
	{fault{name: "names in capitals", whole: 502, stream: 502}, func(a *asked) { a.ok("X-Capital", "x") }},
	{fault{name: "endless head", whole: 502, stream: 502}, func(a *asked) {
		a.ok("x-more", strings.Repeat("x", 15_000), "x-much-more", strings.Repeat("y", 500_000))
	}},
	{fault{name: "a frame that is none", whole: 502, stream: 502}, func(a *asked) {
		_ = a.WriteRawFrame(http2.FrameData, 0, 0, []byte("on no stream"))
	}},
	{fault{name: "drips", whole: right, stream: right}, func(a *asked) {
		a.ok()
		for i := range a.right {
			a.data(a.right[i:i+1], i+1 == len(a.right))
		}
	}},
	{fault{name: "hints first", whole: right, stream: right}, func(a *asked) {
		a.head(false, ":status", "103", "link", "</x>; rel=preload")
		a.answer()
	}},
	{fault{name: "adds trailers", whole: right, stream: right}, func(a *asked) {
		a.ok("trailer", "x-checksum")
		a.data(a.right, false)
		a.head(true, "x-checksum", "1")
	}},
	{fault{name: "fails", whole: 500, stream: 500}, func(a *asked) {
		a.head(false, ":status", "500", "content-type", "application/json")
		a.data([]byte(openAIError("server_error", "it broke")), true)
	}},
	{fault{name: "busy", whole: 429, stream: 429, tries: 2}, func(a *asked) {
		a.head(false, ":status", "429", "content-type", "application/json", "retry-after", "1")
		a.data([]byte(openAIError("rate_limit_exceeded", "slow down")), true)
	}},
}

// TestFaultsHTTP2 is TestFaults for an upstream that speaks as the gateway does.
func TestFaultsHTTP2(t *testing.T) {
	config, trust := certificate(t)
	for _, fault := range framedFaults {
		t.Run(fault.name, func(t *testing.T) {
			eachClient(t, func(t *testing.T, c clientOf, model string, stream bool) {
				leaveNothing(t)
				url := framed(t, config, fault.serve)
				f := start(t, nil, func(cfg *proxy.Config) {
					cfg.GatewayURL, cfg.Retries = url+"/v1", 2
					if fault.slow {
						cfg.UpstreamTimeout, cfg.StreamIdleTimeout = 200*time.Millisecond, 40*time.Millisecond
					}
				})
				f.Trust(trust)
				f.WithoutWaiting(func(time.Duration) {})
				fault.check(t, f, c, model, stream)
			})
		})
	}
}

// beforeHTTP2 is a proxy before an upstream of HTTP/2, which takes as many requests on a
// connection as servers usually do.
func beforeHTTP2(t *testing.T, h http.HandlerFunc) *fixture {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.Config.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 100}
	srv.EnableHTTP2 = true
	srv.StartTLS()
	t.Cleanup(srv.Close)
	trust := x509.NewCertPool()
	trust.AddCert(srv.Certificate())
	f := start(t, nil, func(cfg *proxy.Config) { cfg.GatewayURL = srv.URL + "/v1" })
	f.Trust(trust)
	return f
}

// TestManyStreamsHTTP2: many clients share few connections to the gateway. Each gets its own
// answer, word by word as it comes, and one that leaves disturbs no other.
func TestManyStreamsHTTP2(t *testing.T) {
	leaveNothing(t)
	const clients, words = 150, 40
	var left, finished atomic.Int32
	said := make(chan struct{})
	f := beforeHTTP2(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, mark, _ := strings.Cut(string(body), "mark-")
		mark, _, _ = strings.Cut(mark, `"`)
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, chatFrames[0])
		for i := range words {
			_, _ = io.WriteString(w, strings.Replace(chatFrames[1], "hel", mark+" ", 1))
			w.(http.Flusher).Flush()
			if i == 0 { // the rest comes when everybody has had the first word
				select {
				case <-said:
				case <-r.Context().Done():
					left.Add(1)
					return
				}
			}
		}
		_, _ = io.WriteString(w, strings.Join(chatFrames[3:], ""))
		finished.Add(1)
	})

	var begun, all sync.WaitGroup
	begun.Add(clients)
	for i := range clients {
		all.Go(func() {
			mark := fmt.Sprintf("client%04d", i)
			ask := strings.Replace(chat("gpt-4o#openai", `"stream":true,`), `"hi"`, `"mark-`+mark+`"`, 1)
			resp, err := client.Do(f.request(t.Context(), http.MethodPost, "/v1/chat/completions", ask))
			if err != nil {
				begun.Done()
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			first := make([]byte, 0, 4<<10)
			for !bytes.Contains(first, []byte(mark)) && err == nil { // the first word is not held back
				var n int
				n, err = resp.Body.Read(first[len(first):cap(first)])
				first = first[:len(first)+n]
			}
			begun.Done()
			if i%3 == 0 {
				return // it leaves
			}
			rest, err := io.ReadAll(resp.Body)
			got := string(first) + string(rest)
			if err != nil || strings.Count(got, mark) != words || strings.Count(got, "client") != words || !strings.HasSuffix(got, "data: [DONE]\n\n") {
				t.Errorf("%s: %v, %d own words of %d in %s", mark, err, strings.Count(got, mark), strings.Count(got, "client"), got)
			}
		})
	}
	begun.Wait()
	until(t, "those who left to be gone upstream", func() bool { return left.Load() == clients/3 })
	close(said)
	all.Wait()
	until(t, "the exchanges to end", func() bool { return f.Active() == 0 })
	if n := finished.Load(); n != clients-clients/3 {
		t.Errorf("%d streams were finished", n)
	}
	for _, x := range f.bus.Recent() {
		if x.Phase != event.Done && x.Phase != event.Cancelled {
			t.Errorf("record %+v", x)
		}
	}
}

// TestLargeBodyHTTP2: a large body arrives as it was sent, though the gateway takes it in small
// pieces and another request waits behind it on the same connection.
func TestLargeBodyHTTP2(t *testing.T) {
	leaveNothing(t)
	image := strings.Repeat("iVBORw0KGgoAAAANSUhEUg", 8<<20/22)
	f := beforeHTTP2(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if want := `"image":"` + image + `"`; err != nil || len(body) > 1<<20 && !bytes.Contains(body, []byte(want)) {
			t.Errorf("%v, %d bytes", err, len(body))
		}
		if r.ProtoMajor != 2 {
			t.Errorf("asked over %s", r.Proto)
		}
		vendor(w, r)
	})
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() {
			more := ""
			if i%2 == 0 {
				more = `"image":"` + image + `",`
			}
			for _, c := range []struct{ path, body string }{
				{"/v1/chat/completions", chat("gpt-4o#openai", more)}, {"/v1/messages", messages("claude-x#anthropic", more)},
			} {
				if got := f.post(c.path, c.body); got.status != 200 {
					t.Errorf("%d %s", got.status, got.body)
				}
			}
		})
	}
	all.Wait()
}

// numb is a connection that from some moment on takes what is written to it only when it is
// closed, and learns that it is closed only when more is written.
type numb struct {
	net.Conn
	moment, closed, more chan struct{}
	close, write         func()
}

func newNumb(c net.Conn, moment chan struct{}) *numb {
	n := &numb{Conn: c, moment: moment, closed: make(chan struct{}), more: make(chan struct{})}
	n.close = sync.OnceFunc(func() { close(n.closed) })
	n.write = sync.OnceFunc(func() { close(n.more) })
	return n
}

func (n *numb) Write(b []byte) (int, error) {
	select {
	case <-n.closed:
		n.write()
		return len(b), nil
	case <-n.moment:
		<-n.closed
		return len(b), nil
	default:
		return n.Conn.Write(b)
	}
}

func (n *numb) Read(b []byte) (int, error) {
	got, err := n.Conn.Read(b)
	if err != nil {
		<-n.more
	}
	return got, err
}

func (n *numb) Close() error {
	n.close()
	return n.Conn.Close()
}

// TestStartedAgainHTTP2: a proxy that is started again at once is none the worse for what a stop
// broke off: no request goes out on a connection of the run before.
func TestStartedAgainHTTP2(t *testing.T) {
	leaveNothing(t)
	f := beforeHTTP2(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if !bytes.Contains(body, []byte(`"stream":true`)) {
			vendor(w, r)
			return
		}
		sseAnswer(chatFrames[:2]...)(w, r)
		<-r.Context().Done()
	})
	moment := make(chan struct{})
	var old *numb
	f.Connect(func(c net.Conn) net.Conn {
		if old != nil {
			return c
		}
		old = newNumb(c, moment)
		return old
	})
	resp, err := client.Do(f.request(t.Context(), http.MethodPost, "/v1/chat/completions", chat("gpt-4o#openai", `"stream":true,`)))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.CopyN(io.Discard, resp.Body, int64(len(chatFrames[0])+len(chatFrames[1]))); err != nil {
		t.Error(err)
	}
	close(moment)
	now, cancel := context.WithCancel(t.Context())
	cancel()
	_ = f.Stop(now)
	if err := f.Start(t.Context(), "127.0.0.1:0", f.cfg); err != nil {
		t.Fatal(err)
	}
	if got := f.post("/v1/chat/completions", chat("gpt-4o#openai", "")); got.status != http.StatusOK {
		t.Errorf("%d %s", got.status, got.body)
	}
	old.write()
}
