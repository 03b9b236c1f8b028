package proxy

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"apex-ai-proxy/proxy/convert"
	"apex-ai-proxy/proxy/convert/ir"
)

// steady streams as long as it is not given up.
type steady struct{ prompt }

func (s *steady) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := s.prompt.RoundTrip(r)
	resp.Body = untilCut{resp.Body.(*inReads), r.Context()}
	return resp, err
}

type untilCut struct {
	*inReads
	ctx context.Context
}

func (u untilCut) Read(b []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.inReads.Read(b)
}

// breather is a client that pauses once before it takes more.
type breather struct {
	taker
	got   bytes.Buffer
	pause time.Duration
}

func (b *breather) Write(p []byte) (int, error) {
	time.Sleep(b.pause)
	b.pause = 0
	return b.got.Write(p)
}

// TestClientPauses: an upstream that waits for the client is not silent. A client that takes
// nothing for too long is told so, and the upstream is not blamed.
func TestClientPauses(t *testing.T) {
	const idle = 5 * time.Minute // as onPath has it
	for _, c := range []struct {
		path  string
		pause time.Duration
		want  string
	}{
		{"/v1/chat/completions", time.Minute, "data: [DONE]\n\n"},
		{"/v1/chat/completions", idle - time.Second, "data: [DONE]\n\n"},
		{"/v1/chat/completions", idle + idle/looks, "took nothing"},
		// Converted:
		{"/v1/messages", idle - time.Second, "event: message_stop\n"},
		{"/v1/messages", idle + idle/looks, "took nothing"},
		{"/v1/responses", idle - time.Second, "event: response.completed\n"},
		{"/v1/responses", idle + idle/looks, "took nothing"},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := onPath(&steady{prompt{media: "text/event-stream", body: pathStream(20), piece: len(chunk)}}, nil)
			b := &breather{taker: taker{h: make(http.Header)}, pause: c.pause}
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1:8787"+c.path, strings.NewReader(streamAskOf(c.path)))
			if err != nil {
				t.Fatal(err)
			}
			r.RequestURI, r.Header = r.URL.Path, http.Header{"Authorization": {"Bearer " + pathKey}}
			s.handler.ServeHTTP(b, r)
			if got := b.got.String(); !strings.Contains(got, c.want) || strings.Contains(got, "sent nothing") {
				t.Errorf("%s, a pause of %v: %s", c.path, c.pause, got)
			}
		})
	}
}

// streamAskOf asks for a stream of a provider that speaks Chat Completions only.
func streamAskOf(path string) string {
	const model = `{"model":"m#groq","stream":true,`
	switch path {
	case "/v1/messages":
		return model + `"max_tokens":9,"messages":[{"role":"user","content":"Hello"}]}`
	case "/v1/responses":
		return model + `"input":"Hello"}`
	default:
		return model + `"messages":[{"role":"user","content":"Hello"}]}`
	}
}

// full is a client that takes what is written until it is full, and of the next write nothing
// until it reads.
type full struct {
	taker
	full  <-chan struct{} // closed when it is
	stuck chan struct{}   // closed when something does not go
	reads chan struct{}   // closed when it reads
	limit chan struct{}   // closed when a write has lasted for too long
	got   bytes.Buffer
}

func (f *full) Write(p []byte) (int, error) {
	select {
	case <-f.full:
		f.full = nil
		close(f.stuck)
		select {
		case <-f.reads:
		case <-f.limit:
		}
	default:
	}
	select {
	case <-f.limit:
		return 0, os.ErrDeadlineExceeded
	default:
		return f.got.Write(p)
	}
}

func (f *full) SetWriteDeadline(limit time.Time) error {
	time.AfterFunc(time.Until(limit), func() { close(f.limit) })
	return nil
}

// dozing streams, and in the middle says nothing until somebody wakes it.
type dozing struct {
	steady
	left  int           // reads until then
	dozes chan struct{} // closed then
	wake  <-chan struct{}
	cut   chan struct{} // closed when it has been given up
}

func (d *dozing) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := d.steady.RoundTrip(r)
	resp.Body = &napper{resp.Body.(untilCut), d}
	return resp, err
}

type napper struct {
	untilCut
	d *dozing
}

func (s *napper) Read(b []byte) (int, error) {
	if s.d.left--; s.d.left == -1 {
		context.AfterFunc(s.ctx, func() { close(s.d.cut) })
		close(s.d.dozes)
		select {
		case <-s.d.wake:
		case <-s.ctx.Done():
		}
	}
	return s.untilCut.Read(b)
}

// TestKeepAliveToAFullClient: what keeps a stream alive may itself be what a client does not
// take. That is noticed all the same, and does no harm to one that comes back.
func TestKeepAliveToAFullClient(t *testing.T) {
	never := make(chan struct{})
	for _, c := range []struct {
		name  string
		idle  time.Duration
		alive time.Duration // what keeps the stream alive comes after it
		goes  bool          // the upstream goes on
		reads func(w *full, up *dozing) <-chan struct{}
		kind  string // of the record
		told  string // to the client
	}{
		{"never, the upstream goes on", 50 * time.Millisecond, time.Millisecond, true, nil, "client_idle", ""},
		{"never, the upstream does not go on", 50 * time.Millisecond, time.Millisecond, false, nil, "client_idle", ""},
		{"never, when it is to be told of the upstream's silence", 50 * time.Millisecond, time.Hour, false, nil, "client_idle", ""},
		{"comes back", time.Minute, time.Millisecond, true, func(w *full, _ *dozing) <-chan struct{} { return w.stuck }, "", "event: message_stop\n"},
		{"comes back late", 2 * time.Second, time.Millisecond, true, func(_ *full, up *dozing) <-chan struct{} { return up.cut }, "client_idle", "took nothing"},
		{"comes back late, the upstream does not go on", 2 * time.Second, time.Millisecond, false, func(_ *full, up *dozing) <-chan struct{} { return up.cut }, "client_idle", "took nothing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			up := &dozing{steady{prompt{media: "text/event-stream", body: pathStream(20), piece: len(chunk)}}, 5, make(chan struct{}), never, make(chan struct{})}
			w := &full{taker: taker{h: make(http.Header)}, full: up.dozes, stuck: make(chan struct{}), reads: make(chan struct{}), limit: make(chan struct{})}
			if c.goes {
				up.wake = w.stuck
			}
			s := onPath(up, nil)
			s.aliveAfter = c.alive
			cfg := *s.cfg.Load()
			cfg.StreamIdleTimeout = c.idle
			s.Apply(cfg)
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1:8787/v1/messages", strings.NewReader(streamAskOf("/v1/messages")))
			if err != nil {
				t.Fatal(err)
			}
			r.RequestURI, r.Header = r.URL.Path, http.Header{"Authorization": {"Bearer " + pathKey}}
			if c.reads != nil {
				go func() { <-c.reads(w, up); close(w.reads) }()
			}
			s.handler.ServeHTTP(w, r)
			all := s.bus.Recent()
			if len(all) == 0 || all[len(all)-1].ErrorKind != c.kind {
				t.Errorf("records %+v", all)
			}
			if got := w.got.String(); !strings.Contains(got, c.told) {
				t.Errorf("it is told %s", got)
			}
		})
	}
}

// TestKeepAliveThatWaits: the watch goes on meanwhile, and what a client was slow to take is
// nobody's silence.
func TestKeepAliveThatWaits(t *testing.T) {
	const idle = 8 * time.Minute
	for _, c := range []struct {
		name  string
		waits time.Duration // what keeps the stream alive, for the client
		comes time.Duration // when bytes of the upstream do, which wait behind it; 0 for never
		want  error
		after time.Duration
	}{
		{"for ever", time.Hour, 0, errClientSlow, keepAliveAfter + idle},
		{"for ever, with more behind it", time.Hour, time.Minute, errClientSlow, keepAliveAfter + idle},
		{"not too long", idle - time.Second, 0, errStreamIdle, keepAliveAfter + 2*idle},
		{"not too long, with more behind it", idle - time.Second, time.Minute, errClientSlow, keepAliveAfter + 2*idle - time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var w watch
				told := make(chan error, 8)
				pings := 0
				began := time.Now()
				w.reset(idle, func(err error) { told <- err }, nil)
				w.begin(began)
				w.reading.Store(true)
				w.keepAlive(keepAliveAfter, func() {
					if pings++; pings == 1 {
						time.Sleep(c.waits)
					}
				})
				if c.comes > 0 {
					time.Sleep(c.comes)
					w.touch()
					w.reading.Store(false)
				}
				err := <-told
				if took := time.Since(began); !errors.Is(err, c.want) || took < c.after || took > c.after+idle/looks {
					t.Errorf("%v after %v, want %v after %v", err, took, c.want, c.after)
				}
				w.stop()
				time.Sleep(c.waits) // until it is over
			})
		})
	}
}

// TestNothingIsSentToAClientThatIsWaitedFor: it would have to wait its turn, and nobody would
// look at the silence meanwhile.
func TestNothingIsSentToAClientThatIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w watch
		sent := 0
		w.reset(0, nil, nil)
		w.begin(time.Now())
		w.keepAlive(keepAliveAfter, func() { sent++ })
		time.Sleep(4 * keepAliveAfter)
		if synctest.Wait(); sent != 0 {
			t.Errorf("%d were sent", sent)
		}
		w.reading.Store(true)
		time.Sleep(4 * keepAliveAfter)
		if synctest.Wait(); sent != 4 {
			t.Errorf("%d were sent while the upstream was waited for, want 4", sent)
		}
		w.stop()
		time.Sleep(4 * keepAliveAfter)
		w.look() // of a timer that fired already
		if sent != 4 {
			t.Errorf("%d were sent after the end", sent-4)
		}
	})
	busy := translation{}
	busy.mu.Lock()
	busy.keepAlive() // comes back
}

// TestNothingIsSentBehindTheEnd: what was to keep a stream alive may come when it has ended.
func TestNothingIsSentBehindTheEnd(t *testing.T) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	w := httptest.NewRecorder()
	x := &exchange{s: &Server{aliveAfter: keepAliveAfter}, w: w, rc: http.NewResponseController(w), ctx: gone}
	u := translation{x: x, enc: convert.For(ir.OpenAIChat).NewStreamEncoder(ir.Reply{})}
	u.keepAlive()
	before := w.Body.String()
	if err := u.readAlive(&http.Response{Body: io.NopCloser(iotest.ErrReader(io.ErrUnexpectedEOF))}); !errors.Is(err, errGone) {
		t.Fatal(err)
	}
	x.watch.stop()
	u.keepAlive()
	if got := w.Body.String(); got != before || before == "" {
		t.Errorf("sent %q, and behind the end %q", before, got)
	}
}

// TestSilenceAfterAPause: the upstream's silence counts from when it was waited for again.
func TestSilenceAfterAPause(t *testing.T) {
	const idle = 8 * time.Minute
	synctest.Test(t, func(t *testing.T) {
		var w watch
		told := make(chan error, 1)
		began := time.Now()
		w.reset(idle, func(err error) { told <- err }, nil)
		w.begin(began)
		time.Sleep(idle - time.Second)
		w.reading.Store(true)
		time.Sleep(idle - 2*time.Second)
		synctest.Wait()
		select {
		case err := <-told:
			t.Errorf("%v after %v", err, time.Since(began))
		default:
		}
		time.Sleep(idle / 4)
		synctest.Wait()
		select {
		case err := <-told:
			if !errors.Is(err, errStreamIdle) {
				t.Errorf("%v after %v", err, time.Since(began))
			}
		default:
			t.Error("it may be silent for ever")
		}
		w.stop()
	})
}
