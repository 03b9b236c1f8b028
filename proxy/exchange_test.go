package proxy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/proxy/prose"
)

// TestPanics: a defect is a 500 before the status was sent, and a broken connection
// after it; the record is closed either way, and the log holds no secret that it tells.
func TestPanics(t *testing.T) {
	for name, step := range map[string]func(*exchange) error{
		"before": func(*exchange) error { panic("defect at local-key-123") },
		"after": func(x *exchange) error {
			x.commit(http.StatusOK)
			x.write([]byte("data: half"))
			panic("defect at local-key-123")
		},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			bus := event.NewBus(10)
			s := New(slog.New(slog.NewTextHandler(&log, nil)), bus)
			s.Apply(Config{LocalKey: "local-key-123"})
			srv := httptest.NewUnstartedServer(s.front(func(x *exchange) { x.do(step) }))
			srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
			srv.Start()
			defer srv.Close()
			r, err := http.NewRequestWithContext(t.Context(), "POST", srv.URL+"/v1/messages", strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("X-Api-Key", "local-key-123")
			resp, err := srv.Client().Do(r)
			var body []byte
			if err == nil {
				body, err = io.ReadAll(resp.Body)
				_ = resp.Body.Close()
			}
			srv.Close() // waits for the handler, which logs and publishes at its end
			if name == "before" && (err != nil || resp.StatusCode != 500 || !strings.Contains(string(body), `"api_error"`)) {
				t.Errorf("%v: %s", err, body)
			}
			if name == "after" && err == nil {
				t.Errorf("half an answer looks whole: %s", body)
			}
			if strings.Contains(string(body), "defect") || !strings.Contains(log.String(), "defect at [hidden]") || strings.Contains(log.String(), "local-key-123") {
				t.Errorf("body %s, log %s", body, log.String())
			}
			all := bus.Recent()
			if len(all) != 1 || all[0].Phase != event.Failed || all[0].ErrorKind != "internal" {
				t.Errorf("records %+v", all)
			}
		})
	}
}

// TestSlowBody: who stops in the middle of a request is told, and not waited for.
func TestSlowBody(t *testing.T) {
	for _, path := range []string{"/v1/chat/completions", "/v1/messages", "/v1/messages/count_tokens"} {
		bus := event.NewBus(4)
		s := New(slog.New(slog.DiscardHandler), bus)
		s.bodySilence = 30 * time.Millisecond
		if err := s.Start(t.Context(), "127.0.0.1:0", Config{LocalKey: "local-key-123"}); err != nil {
			t.Fatal(err)
		}
		c, err := net.Dial("tcp", s.Addr())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c, "POST "+path+" HTTP/1.1\r\nHost: localhost\r\nX-Api-Key: local-key-123\r\nContent-Length: 100\r\n\r\n{")
		_ = c.SetReadDeadline(time.Now().Add(time.Minute))
		all, err := io.ReadAll(c)
		if err != nil || !strings.HasPrefix(string(all), "HTTP/1.1 408 ") || !strings.Contains(string(all), `"error":{`) {
			t.Errorf("%s: %v %s", path, err, all)
		}
		_ = c.Close()
		_ = s.Stop(t.Context())
	}
}

func TestNotesAreMasked(t *testing.T) {
	var s Server
	s.Apply(Config{GatewayToken: "plain-looking-words", Keys: map[string]ProviderKey{"openai": {Own: "another one"}}})
	x := &exchange{cfg: s.cfg.Load()}
	x.note(loop())
	if x.rec.ErrorKind != "proxy_loop" || x.rec.Error == "" {
		t.Errorf("%+v", x.rec)
	}
	e := loop()
	e.Message, e.Code = prose.Verbatim("plain-looking-words, another one, sk-abcdef123456"), "sk-abcdef123456"
	x.note(e)
	if x.rec.Error != "[hidden], [hidden], [hidden]" || x.rec.ErrorKind != "invalid_request" {
		t.Errorf("%+v", x.rec)
	}
}

// TestWatch: silence calls, bytes do not, and nothing is called after stop.
func TestWatch(t *testing.T) {
	var alive, idle atomic.Int32
	w := &watch{idle: time.Hour, onIdle: func(error) { idle.Add(1) }}
	w.begin(time.Now())
	w.reading.Store(true)
	w.keepAlive(2*time.Millisecond, func() { alive.Add(1) })
	wait(t, func() bool { return alive.Load() >= 3 })
	w.stop()
	wait(t, func() bool { // one may still be under way
		w.mu.Lock()
		defer w.mu.Unlock()
		return !w.sending
	})
	n := alive.Load()
	w.look()
	if alive.Load() != n || idle.Load() != 0 {
		t.Errorf("called after stop, or idle %d", idle.Load())
	}

	quiet := &watch{idle: 2 * time.Millisecond, onIdle: func(error) { idle.Add(1) }}
	quiet.reading.Store(true)
	quiet.begin(time.Now())
	wait(t, func() bool { return idle.Load() >= 1 }) // and again, until somebody stops it
	quiet.stop()
	n = idle.Load()

	busy := &watch{idle: time.Hour, onIdle: func(error) { idle.Add(1) }}
	busy.begin(time.Now().Add(-2 * time.Hour)) // started long ago, but bytes come now
	busy.look()
	busy.touch()
	busy.look()
	busy.stop()
	if idle.Load() != n {
		t.Errorf("idle %d, before %d", idle.Load(), n)
	}
}

func wait(t *testing.T, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !f(); {
		if time.Now().After(deadline) {
			t.Fatal("waited too long")
		}
		time.Sleep(time.Millisecond)
	}
}

// TestInProcessCancel: a handler that is called in process sees its client leave.
func TestInProcessCancel(t *testing.T) {
	for _, when := range []string{"before the head", "in the body"} {
		gone := make(chan struct{})
		way := inProcess{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if when == "in the body" {
				_, _ = io.WriteString(w, "x")
			}
			<-r.Context().Done()
			if when == "in the body" {
				for {
					if _, err := io.WriteString(w, "x"); err != nil {
						break
					}
				}
			}
			close(gone)
		})}
		ctx, cancel := context.WithCancel(t.Context())
		r, err := http.NewRequestWithContext(ctx, "POST", "http://built-in-demo.invalid/v1/messages", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if when == "before the head" {
			cancel()
		}
		resp, err := way.RoundTrip(r)
		if when == "before the head" {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%v", err)
			}
		} else {
			if _, err := io.ReadFull(resp.Body, make([]byte, 1)); err != nil {
				t.Error(err)
			}
			cancel()
			if _, err := io.ReadAll(resp.Body); err == nil {
				t.Error("the body ends as if it were whole")
			}
			_ = resp.Body.Close()
		}
		<-gone
		cancel()
	}
}

// TestRememberedAddresses: few are remembered, and no long ones: a client may write what it likes
// into a query.
func TestRememberedAddresses(t *testing.T) {
	u := newUpstream(func(_, _ net.Addr) bool { return false })
	held := 0
	for i := range 1000 {
		for _, address := range []string{fmt.Sprint("https://gateway.example/v1?n=", i), fmt.Sprint("https://gateway.example/v1?n=", i, strings.Repeat("x", 100<<10))} {
			r, err := u.post(t.Context(), address)
			if err != nil || r.URL.String() != address || r.Host != "gateway.example" {
				t.Fatalf("%v %.100s", err, r.URL)
			}
		}
	}
	for address := range u.read {
		held += len(address)
	}
	if n := len(u.read); n == 0 || n > maxAddresses || held > maxAddresses*maxAddress {
		t.Errorf("%d bytes of %d addresses", held, len(u.read))
	}
}
