package proxy

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"apex-ai-proxy/proxy/event"
)

// TestUntouched: what nobody can have worked on.
func TestUntouched(t *testing.T) {
	reset := &net.OpError{Op: "read", Err: syscall.ECONNRESET}
	for _, c := range []struct {
		name                           string
		ready, written, answered, idle bool
		took                           time.Duration
		err                            error
		want                           bool
	}{
		{name: "refused", err: &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, want: true},
		{name: "no network", err: &net.OpError{Op: "dial", Err: syscall.ENETUNREACH}, want: true},
		{name: "resolver busy", err: &net.OpError{Op: "dial", Err: &net.DNSError{Err: "server misbehaving", IsTemporary: true}}, want: true},
		{name: "no such host", err: &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", IsNotFound: true}}},
		{name: "took long", err: &net.OpError{Op: "dial", Err: &net.DNSError{IsTimeout: true}}},
		{name: "broken handshake", err: io.EOF, want: true},
		{name: "refused handshake", err: &net.OpError{Op: "remote error", Err: errors.New("tls: handshake failure")}},
		{name: "certificate", err: errors.New("x509: certificate signed by unknown authority")},
		{name: "our own", err: loop()},
		{name: "not written", ready: true, err: reset, want: true},
		{name: "written", ready: true, written: true, err: reset},
		{name: "given up", ready: true, written: true, idle: true, err: reset, want: true},
		{name: "broke late", ready: true, written: true, idle: true, took: 2 * time.Second, err: reset},
		{name: "stream ended", ready: true, written: true, idle: true, err: streamError{Code: 2}},
		{name: "stream ended while it was written", ready: true, err: streamError{Code: 2}},
		{name: "stream refused", ready: true, written: true, took: 2 * time.Second, err: streamError{Code: refusedStream}, want: true},
		{name: "answered", ready: true, written: true, answered: true, idle: true, err: reset},
	} {
		synctest.Test(t, func(t *testing.T) {
			j := &journey{begun: time.Now()}
			j.ready.Store(c.ready)
			j.written.Store(c.written)
			j.answered.Store(c.answered)
			j.idle.Store(c.idle)
			time.Sleep(c.took)
			if got := j.untouched(c.err); got != c.want {
				t.Errorf("%s: %v", c.name, got)
			}
		})
	}
}

// TestUntouchedConnection: what was written on a connection that broke does not count for the
// next one.
func TestUntouchedConnection(t *testing.T) {
	var j journey
	trace := httptrace.ContextClientTrace(j.trace(t.Context()))
	trace.GotConn(httptrace.GotConnInfo{Reused: true})
	trace.WroteRequest(httptrace.WroteRequestInfo{})
	reset := &net.OpError{Op: "write", Err: syscall.ECONNRESET}
	if j.untouched(reset) {
		t.Error("a request that was written is called untouched")
	}
	trace.GotConn(httptrace.GotConnInfo{})
	if !j.untouched(reset) {
		t.Error("a request that was not written on its last connection is called touched")
	}
}

// TestEndedStream: a server that ends a request of HTTP/2 has had it, also when its connection
// was idle before.
func TestEndedStream(t *testing.T) {
	var asked atomic.Int32
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if asked.Add(1) > 1 {
			panic(http.ErrAbortHandler)
		}
	}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	for _, broken := range []bool{false, true} {
		j := &journey{begun: time.Now()}
		req, err := http.NewRequestWithContext(j.trace(t.Context()), http.MethodPost, srv.URL, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := srv.Client().Do(req)
		if err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
		var stream streamError
		if errors.As(err, &stream) != broken {
			t.Fatal(err)
		}
		j.written.Store(true) // or it is to be soon: the answer may be there before the writer says so
		j.idle.Store(true)
		if broken && j.untouched(err) {
			t.Errorf("%v is taken for a connection that was given up", err)
		}
	}
}

// TestWatchRests: the silence between two tries, which may be long, is not that of a stream.
func TestWatchRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var idle atomic.Int32
		var w watch
		w.reset(time.Minute, func(error) { idle.Add(1) }, nil)
		w.reading.Store(true)
		w.begin(time.Now())
		w.rest()
		time.Sleep(time.Hour)
		if idle.Load() != 0 {
			t.Error("called while it rested")
		}
		w.begin(time.Now())
		time.Sleep(50 * time.Second)
		w.touch()
		time.Sleep(50 * time.Second)
		if idle.Load() != 0 {
			t.Error("called although bytes came")
		}
		time.Sleep(time.Minute)
		if n := idle.Load(); n != 1 {
			t.Errorf("called %d times", n)
		}
		w.stop()
	})
}

// busyOnce refuses the first request and takes its time with the next.
type busyOnce struct {
	prompt
	takes time.Duration
	asked int
}

func (b *busyOnce) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.prompt.RoundTrip(r)
	if b.asked++; b.asked == 1 {
		resp.StatusCode = http.StatusServiceUnavailable
	} else {
		time.Sleep(b.takes)
	}
	return resp, err
}

// TestWaitIsNoSilence: the next try may take its time, and so may the wait for it, however
// soon the silence of a stream that has begun would be too long.
func TestWaitIsNoSilence(t *testing.T) {
	const idle = firstWait / 10
	synctest.Test(t, func(t *testing.T) {
		up := &busyOnce{prompt: prompt{media: "application/json", body: []byte(smallAnswer)}, takes: 10 * idle}
		s := onPath(up, nil)
		cfg := *s.cfg.Load()
		cfg.StreamIdleTimeout, cfg.Retries = idle, 2
		s.Apply(cfg)
		start := time.Now()
		walk(t, s, "/v1/chat/completions", smallAsk)
		if took := time.Since(start); up.asked != 2 || took < 12*idle {
			t.Errorf("asked %d times in %v", up.asked, took)
		}
	})
}

// TestWatchAwaits: one timer serves for the wait for an answer and for its silence, whichever
// is longer.
func TestWatchAwaits(t *testing.T) {
	for _, c := range []struct{ limit, idle time.Duration }{{time.Minute, time.Hour}, {time.Hour, time.Minute}, {time.Minute, time.Minute}, {time.Minute, 0}} {
		synctest.Test(t, func(t *testing.T) {
			var late, idle atomic.Int32
			var w watch
			start := time.Now()
			w.reset(c.idle, func(error) { idle.Add(1) }, nil)
			w.reading.Store(true)
			await := func() { w.await(c.limit, func() { late.Add(1) }) }
			await()
			time.Sleep(c.limit - time.Second)
			w.rest() // to be sent again
			time.Sleep(2 * c.limit)
			await()
			time.Sleep(c.limit - time.Second)
			w.begin(start)
			if c.idle > 0 {
				time.Sleep(c.idle - time.Second)
				w.touch()
				time.Sleep(c.idle - time.Second)
			} else {
				time.Sleep(3 * c.limit)
			}
			synctest.Wait()
			if late.Load() != 0 || idle.Load() != 0 {
				t.Errorf("%+v: late %d, idle %d although bytes came", c, late.Load(), idle.Load())
			}
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if want := int32(min(c.idle, 1)); idle.Load() != want {
				t.Errorf("%+v: silence was told %d times, want %d", c, idle.Load(), want)
			}
			await()
			time.Sleep(c.limit)
			synctest.Wait()
			if late.Load() != 1 {
				t.Errorf("%+v: late was told %d times", c, late.Load())
			}
			w.stop()
		})
	}
}

// TestDurationsHaveAClockOfTheirOwn: what a record measures does not change with the clock
// on the wall.
func TestDurationsHaveAClockOfTheirOwn(t *testing.T) {
	bus := event.NewBus(1)
	s := New(slog.New(slog.DiscardHandler), bus)
	s.Apply(Config{LocalKey: "local-key-123"})
	r := httptest.NewRequest("POST", "http://localhost/v1/messages", strings.NewReader(`{"model":"echo#demo","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}`))
	r.Header.Set("X-Api-Key", "local-key-123")
	s.handler.ServeHTTP(httptest.NewRecorder(), r)
	x := bus.Recent()[0]
	if !strings.Contains(x.Start.String(), " m=") || x.Phase != event.Done || x.Duration <= 0 {
		t.Errorf("record %+v", x)
	}
}
