package proxy_test

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"apex-ai-proxy/proxy"
	"apex-ai-proxy/proxy/event"
)

// TestClientLeaves: before, in and after its answer, in every way it can be answered. The
// upstream is left at once, and nothing else is.
func TestClientLeaves(t *testing.T) {
	for _, when := range []string{"before the answer", "in the answer", "after the answer"} {
		t.Run(when, func(t *testing.T) {
			eachClient(t, func(t *testing.T, c clientOf, model string, stream bool) {
				leaveNothing(t)
				arrived := make(chan struct{})
				u := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
					r.Body = io.NopCloser(strings.NewReader(upstreamBody(r, stream)))
					if when == "after the answer" {
						as(200, "")(w, r)
						return
					}
					if when == "in the answer" {
						right := played(r).Body.Bytes()
						_, _ = w.Write(right[:len(right)/2])
						_ = http.NewResponseController(w).Flush()
					}
					close(arrived)
					<-r.Context().Done()
				})
				f := start(t, u)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if when != "after the answer" {
					go func() { <-arrived; cancel() }()
				}
				resp, err := client.Do(f.request(ctx, "POST", c.path, c.body(model, stream)))
				if err == nil {
					_, _ = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
				}
				cancel()
				want := event.Cancelled
				if when == "after the answer" {
					want = event.Done
				}
				until(t, "the record to be closed", func() bool {
					all := f.bus.Recent()
					return len(all) == 1 && all[0].Phase.Final()
				})
				if x := f.bus.Recent()[0]; x.Phase != want {
					t.Errorf("record %+v", x)
				}
				until(t, "the exchange to end", func() bool { return f.Active() == 0 })
			})
		})
	}
}

// dial opens a connection to the proxy and writes.
func (f *fixture) dial(text string) net.Conn {
	f.t.Helper()
	c, err := net.Dial("tcp", f.Addr())
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(c, text); err != nil {
		f.t.Fatal(err)
	}
	return c
}

// wireRequest is a request as it goes over a connection, with a body of which the head tells size.
func wireRequest(path, body string, size int) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", path, localKey, size, body)
}

// TestHalfARequest: a client that leaves in the middle of its request has nobody asked.
func TestHalfARequest(t *testing.T) {
	for _, c := range clientsOf {
		leaveNothing(t)
		u := newUpstream(t, vendor)
		f := start(t, u)
		body := c.body(c.passed, true)
		conn := f.dial(wireRequest(c.path, body[:len(body)/2], len(body)))
		_ = conn.Close()
		until(t, "the record to be closed", func() bool {
			all := f.bus.Recent()
			return len(all) == 1 && all[0].Phase.Final()
		})
		if x := f.bus.Recent()[0]; x.Phase == event.Done || x.ErrorKind == "internal" || u.count() != 0 {
			t.Errorf("%s: record %+v, %d requests upstream", c.name, x, u.count())
		}
		conn = f.dial(wireRequest(c.path, body, len(body))[:40])
		_ = conn.Close()
		until(t, "the exchange to end", func() bool { return f.Active() == 0 })
	}
}

// TestPipelines: requests that come at once are answered in order.
func TestPipelines(t *testing.T) {
	leaveNothing(t)
	f := start(t, newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		r.Body = io.NopCloser(strings.NewReader(upstreamBody(r, false)))
		as(200, "application/json")(w, r)
	}))
	var all strings.Builder
	var order []clientOf
	for range 5 {
		for _, c := range clientsOf {
			body := c.body(c.passed, false)
			all.WriteString(wireRequest(c.path, body, len(body)))
			order = append(order, c)
		}
	}
	r := bufio.NewReader(f.dial(all.String()))
	for i, c := range order {
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatalf("answer %d: %v", i, err)
		}
		got, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		mark := map[string]string{"chat": `"chat.completion"`, "messages": `"type":"message"`, "responses": `"object":"response"`}[c.name]
		if err != nil || resp.StatusCode != 200 || !strings.Contains(string(got), mark) {
			t.Errorf("answer %d, to %s: %v %d %s", i, c.name, err, resp.StatusCode, got)
		}
	}
}

// TestSlowReader: who does not read holds up its own upstream and nobody else, and costs no
// memory.
func TestSlowReader(t *testing.T) {
	for _, c := range clientsOf {
		for _, model := range []string{c.passed, c.converted} {
			t.Run(c.name+" to "+model, func(t *testing.T) {
				leaveNothing(t)
				var sent atomic.Int64
				begin, more := piece(model, strings.Repeat("words ", 200))
				var reading atomic.Bool
				f := start(t, newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
					if reading.Load() {
						r.Body = io.NopCloser(strings.NewReader(upstreamBody(r, true)))
						as(200, "text/event-stream")(w, r)
						return
					}
					endless(200, "text/event-stream", begin, more, &sent)(w, r)
				}))
				before := heap()
				body := c.body(model, true)
				conn := f.dial(wireRequest(c.path, body, len(body)))
				last := int64(-1)
				until(t, "the upstream to be held up", func() bool {
					if sent.Load() == 0 || sent.Load() != last {
						last = sent.Load()
						time.Sleep(100 * time.Millisecond)
						return false
					}
					return true
				})
				if grown := int64(heap()) - int64(before); grown > 8*mib || last > 24*mib {
					t.Errorf("%d KiB were taken from the upstream, the heap grew by %d KiB", last>>10, grown>>10)
				}
				reading.Store(true)
				if got := f.post(c.path, body); got.status != 200 || c.grammar([]byte(got.body)) != nil {
					t.Errorf("another client: %d %v", got.status, c.grammar([]byte(got.body)))
				}
				// It reads on, and so the upstream goes on.
				if n, err := io.CopyN(io.Discard, conn, last+4*mib); err != nil || sent.Load() <= last && model == c.passed {
					t.Errorf("read %d bytes, %v; %d came", n, err, sent.Load())
				}
				_ = conn.Close()
				until(t, "the exchange to end", func() bool { return f.Active() == 0 })
			})
		}
	}
}

// TestClientTakesNothing: one that stands still does not hold its exchange for ever, however its
// answer is brought to it.
func TestClientTakesNothing(t *testing.T) {
	leaveNothing(t)
	eachClientAtOnce(t, func(t *testing.T, c clientOf, model string, stream bool) {
		if !stream && c.name != "messages" {
			return // whole answers are brought to all of them in the same ways
		}
		begin, more := piece(model, strings.Repeat("words ", 2000))
		left := make(chan struct{}, 1)
		f := start(t, newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
			if stream {
				endless(200, "text/event-stream", begin, more, new(atomic.Int64))(w, r)
			} else {
				r.Body = io.NopCloser(strings.NewReader(upstreamBody(r, false)))
				right := played(r).Body.Bytes()
				w.Header().Set("Content-Type", "application/json")
				_, _ = w.Write(bytes.Replace(right, []byte("hello"), bytes.Repeat([]byte("words "), mib), 1))
			}
			left <- struct{}{}
		}), func(cfg *proxy.Config) { cfg.StreamIdleTimeout = starved })
		body := c.body(model, stream)
		conn := f.dial(wireRequest(c.path, body, len(body)))
		until(t, "the record to be closed", func() bool {
			all := f.bus.Recent()
			return len(all) == 1 && all[0].Phase.Final()
		})
		if x := f.bus.Recent()[0]; x.Phase != event.Failed || x.ErrorKind != "client_idle" {
			t.Errorf("record %+v", x)
		}
		<-left
		until(t, "the exchange to end", func() bool { return f.Active() == 0 })
		// What came to it already it can still read, but it cannot take it for all of the answer.
		if got, err := io.ReadAll(conn); err == nil && bytes.HasSuffix(got, []byte("\r\n0\r\n\r\n")) && !bytes.Contains(got, []byte("took nothing")) {
			t.Errorf("%d bytes look like all of the answer: it ends in %s", len(got), got[len(got)-300:])
		}
		_ = conn.Close()
	})
}

// heap is how much memory is in use.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// crowd is how many clients come at once.
const crowd = 2000

// TestCrowd: they are all in the middle of their streams together, and all get theirs.
func TestCrowd(t *testing.T) {
	leaveNothing(t)
	var there atomic.Int32
	all := make(chan struct{})
	f := start(t, newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		r.Body = io.NopCloser(strings.NewReader(upstreamBody(r, true)))
		right := played(r).Body.Bytes()
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = w.Write(right[:len(right)/2])
		_ = http.NewResponseController(w).Flush()
		if there.Add(1) == crowd {
			close(all)
		}
		select {
		case <-all:
			_, _ = w.Write(right[len(right)/2:])
		case <-r.Context().Done():
		}
	}), func(cfg *proxy.Config) { cfg.UpstreamTimeout, cfg.StreamIdleTimeout = 5*time.Minute, 5*time.Minute })
	door := make(chan struct{}, 64) // so many knock together: a system's queue is not long
	var wg sync.WaitGroup
	var wrong atomic.Int32
	for i := range crowd {
		wg.Go(func() {
			c := clientsOf[i%len(clientsOf)]
			model := []string{c.passed, c.converted}[i/len(clientsOf)%2]
			door <- struct{}{}
			resp, err := client.Do(f.request(context.Background(), "POST", c.path, c.body(model, true)))
			<-door
			if err != nil {
				wrong.Add(1)
				t.Errorf("%s to %s: %v", c.name, model, err)
				return
			}
			defer resp.Body.Close()
			got, err := io.ReadAll(resp.Body)
			if told := c.grammar(got); err != nil || resp.StatusCode != 200 || told != nil {
				if wrong.Add(1) < 5 {
					t.Errorf("%s to %s: %d %v %v", c.name, model, resp.StatusCode, err, told)
				}
			}
		})
	}
	wg.Wait()
	if wrong.Load() > 0 || there.Load() != crowd {
		t.Errorf("%d of %d were wrong, %d reached the upstream", wrong.Load(), crowd, there.Load())
	}
	if n := f.Active(); n != 0 {
		t.Errorf("%d exchanges are left", n)
	}
}

// TestSlowLoris: those who never come to the end of a head are sent away in time, and hold
// nobody up.
func TestSlowLoris(t *testing.T) {
	leaveNothing(t)
	f := start(t, newUpstream(t, vendor))
	if err := f.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.ImpatientForHeads(starved)
	if err := f.Start(t.Context(), "127.0.0.1:0", f.cfg); err != nil {
		t.Fatal(err)
	}
	var loris []net.Conn
	for i := range 300 {
		text := "POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
		loris = append(loris, f.dial(text[:i%len(text)]))
	}
	if got := f.post("/v1/messages", messages("claude-x#anthropic", "")); got.status != 200 {
		t.Errorf("another client: %d %s", got.status, got.body)
	}
	for _, c := range loris {
		var open net.Error
		if _, err := io.ReadAll(c); errors.As(err, &open) && open.Timeout() { // else it is closed, perhaps with a word
			t.Errorf("a connection is still open: %v", err)
		}
		_ = c.Close()
	}
}

// TestOversizedHead: it is refused before anybody looks at it.
func TestOversizedHead(t *testing.T) {
	leaveNothing(t)
	u := newUpstream(t, vendor)
	f := start(t, u)
	for name, head := range map[string]string{
		"one long":  "X-Long: " + strings.Repeat("x", 400<<10) + "\r\n",
		"many":      strings.Repeat("X-Many: yes\r\n", 40<<10),
		"long path": "",
	} {
		path := "/v1/messages"
		if head == "" {
			path += "?" + strings.Repeat("x", 400<<10)
		}
		c, err := net.Dial("tcp", f.Addr())
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(patience))
		go func() {
			_, _ = io.WriteString(c, "POST "+path+" HTTP/1.1\r\nHost: localhost\r\nX-Api-Key: "+localKey+"\r\n"+head+"Content-Length: 2\r\n\r\n{}")
		}()
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil || resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("%s: %v %+v", name, err, resp)
		}
		if err == nil {
			_ = resp.Body.Close()
		}
		_ = c.Close()
	}
	if u.count() != 0 || len(f.bus.Recent()) != 0 {
		t.Errorf("%d requests upstream, records %+v", u.count(), f.bus.Recent())
	}
}

// TestBombs: a body that is small as long as it is packed is not unpacked further than a
// body may be.
func TestBombs(t *testing.T) {
	const limit = mib
	pack := func(wrap func(io.Writer) io.WriteCloser, n int) []byte {
		var b bytes.Buffer
		z := wrap(&b)
		for zeros := make([]byte, mib); n > 0; n-- {
			_, _ = z.Write(zeros)
		}
		_ = z.Close()
		return b.Bytes()
	}
	packers := map[string]func(io.Writer) io.WriteCloser{
		"gzip":    func(w io.Writer) io.WriteCloser { z, _ := gzip.NewWriterLevel(w, gzip.BestSpeed); return z },
		"deflate": func(w io.Writer) io.WriteCloser { z, _ := zlib.NewWriterLevel(w, zlib.BestSpeed); return z },
		"zstd": func(w io.Writer) io.WriteCloser {
			z, _ := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(zstd.MaxWindowSize))
			return z
		},
	}
	bombs := map[string][]byte{}
	for name, wrap := range packers {
		bombs[name] = pack(wrap, 64)
	}
	bombs["deflate, gzip"] = func() []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write(bombs["deflate"])
		_ = z.Close()
		return b.Bytes()
	}()
	var naked bytes.Buffer
	z, _ := flate.NewWriter(&naked, flate.BestSpeed)
	for range 16 {
		_, _ = z.Write(make([]byte, mib))
	}
	_ = z.Close()
	for coding, bomb := range bombs {
		eachBomb(t, coding, bomb, limit)
	}
	eachBomb(t, "deflate", naked.Bytes(), limit)
}

func eachBomb(t *testing.T, coding string, bomb []byte, limit int64) {
	t.Helper()
	leaveNothing(t)
	u := newUpstream(t, vendor)
	f := start(t, u, func(cfg *proxy.Config) { cfg.MaxBody = limit })
	for _, c := range clientsOf {
		before := allocated()
		got := f.post(c.path, string(bomb), withHeader("Content-Encoding", coding))
		if parse(t, got.body); got.status != http.StatusRequestEntityTooLarge || u.count() != 0 {
			t.Errorf("%s to %s: %d %s", coding, c.name, got.status, got.body)
		}
		if grown := allocated() - before; grown > 24*mib {
			t.Errorf("%s of %d KiB to %s: %d MiB were allocated", coding, len(bomb)>>10, c.name, grown/mib)
		}
		if x := f.final(got.header.Get("X-Apex-Request-Id")); x.Phase != event.Failed {
			t.Errorf("record %+v", x)
		}
	}
}
