package proxy

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// drip is a connection, as a handler sees it, whose client sends a byte at a time.
type drip struct {
	taker
	left     string
	pause    time.Duration // before each byte
	deadline time.Time     // of reads, zero for none
}

func (d *drip) SetReadDeadline(at time.Time) error {
	d.deadline = at
	return nil
}

func (d *drip) Read(b []byte) (int, error) {
	if d.left == "" {
		return 0, io.EOF
	}
	time.Sleep(d.pause)
	if !d.deadline.IsZero() && time.Now().After(d.deadline) {
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
			if c.status == http.StatusOK && !d.deadline.IsZero() {
				t.Errorf("a byte each %v: while it is answered, the connection still has a deadline", c.pause)
			}
		})
	}
}

// TestSilentBody: without a byte, no body is waited for longer than the silence that is allowed.
func TestSilentBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &drip{left: strings.Repeat("x", 100)}
		p := &patient{Reader: d, rc: http.NewResponseController(d), silence: bodySilence}
		for d.pause = 0; ; d.pause += time.Second {
			began := time.Now()
			if _, err := p.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
				if d.pause < bodySilence*7/8 {
					t.Errorf("given up after %v", d.pause)
				}
				return
			}
			if d.deadline.Sub(began) > bodySilence || d.pause > bodySilence {
				t.Fatalf("after %v it goes on", d.pause)
			}
		}
	})
}
