package proxy

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// drip is a connection, as a handler sees it, whose client sends a byte at a time.
type drip struct {
	taker
	left     string
	pause    time.Duration // before each byte
	deadline atomic.Int64  // of reads, in nanoseconds of Unix's time, 0 for none
}

func (d *drip) SetReadDeadline(at time.Time) error {
	d.deadline.Store(0)
	if !at.IsZero() {
		d.deadline.Store(at.UnixNano())
	}
	return nil
}

func (d *drip) Read(b []byte) (int, error) {
	if d.left == "" {
		return 0, io.EOF
	}
	time.Sleep(d.pause)
	if at := d.deadline.Load(); at != 0 && time.Now().UnixNano() > at {
		return 0, os.ErrDeadlineExceeded
	}
	n := copy(b[:1], d.left)
	d.left = d.left[n:]
	return n, nil
}

// TestSteadyBody: a body may take as long as it likes, if only it keeps coming, and so may the
// answer to it.
func TestSteadyBody(t *testing.T) {
	for _, c := range []struct {
		pause  time.Duration
		status int
	}{
		{bodySilence / 1000, http.StatusOK},
		{bodySilence / 10, http.StatusOK},
		{bodySilence / 7, http.StatusOK},
		{bodySilence * 3 / 4, http.StatusOK},
		{bodySilence + time.Second, http.StatusRequestTimeout},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := onPath(&prompt{media: "application/json", body: []byte(smallAnswer)}, nil)
			d := &drip{taker: taker{h: make(http.Header)}, left: smallAsk, pause: c.pause}
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1:8787/v1/chat/completions", d)
			if err != nil {
				t.Fatal(err)
			}
			r.RequestURI, r.ContentLength = r.URL.Path, int64(len(smallAsk))
			r.Header = http.Header{"Authorization": {"Bearer " + pathKey}, "Content-Type": {"application/json"}}
			if s.handler.ServeHTTP(d, r); d.status != c.status {
				t.Errorf("a byte each %v: %d", c.pause, d.status)
			}
			if c.status == http.StatusOK && d.deadline.Load() != 0 {
				t.Errorf("a byte each %v: while it is answered, the connection still has a deadline", c.pause)
			}
		})
	}
}

// TestSilentBody: without a byte, no body is waited for longer than the silence that is allowed.
func TestSilentBody(t *testing.T) {
	for pause := time.Duration(0); ; pause += time.Second {
		var err error
		synctest.Test(t, func(t *testing.T) {
			d := &drip{left: strings.Repeat("x", 100)}
			p := &patient{Reader: d, watch: new(watch), rc: http.NewResponseController(d), silence: bodySilence}
			for d.left != "" && err == nil { // the last of them at the worst moment, or at none
				_, err = p.Read(make([]byte, 1))
				d.pause = pause
			}
			p.end(err)
			if err == nil && d.deadline.Load() != 0 {
				t.Errorf("a byte each %v: its connection has a deadline", pause)
			}
		})
		if errors.Is(err, os.ErrDeadlineExceeded) {
			if pause < bodySilence*7/8 {
				t.Errorf("given up after %v", pause)
			}
			return
		}
		if pause > bodySilence {
			t.Fatalf("after %v it goes on", pause)
		}
	}
}

// TestRestOfABody: what the server reads of a body that nobody wants is not waited for without
// end, and a body that was there in the last moment leaves no deadline.
func TestRestOfABody(t *testing.T) {
	for _, c := range []struct {
		late, wrong, deadline bool
	}{
		{false, false, false},
		{true, false, false},
		{false, true, true},
		{true, true, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			d := &drip{left: "xx"}
			p := &patient{Reader: d, watch: new(watch), rc: http.NewResponseController(d), silence: bodySilence}
			if _, err := p.Read(make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
			if c.late {
				time.Sleep(bodySilence + time.Second)
			}
			var err error
			if c.wrong {
				err = io.ErrUnexpectedEOF
			}
			p.end(err)
			time.Sleep(10 * bodySilence) // nothing comes behind the end
			if has := d.deadline.Load() != 0; has != c.deadline {
				t.Errorf("%+v: a deadline is there: %v", c, has)
			}
		})
	}
}
