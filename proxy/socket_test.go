package proxy

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"apex-ai-proxy/proxy/event"
)

// lasting tells whether a connection is there: its other end then waits for what it sends.
func lasting(t *testing.T, u *upstream) (c net.Conn, ended <-chan error) {
	t.Helper()
	near, far := net.Pipe()
	_ = far.SetReadDeadline(time.Now().Add(time.Minute))
	end := make(chan error, 1)
	go func() {
		_, err := far.Read(make([]byte, 1))
		end <- err
	}()
	c, _ = u.keep(near)
	return c, end
}

// TestSocketsEnd: the connections of a run end with it, also those that come later, and what has
// been closed is not remembered.
func TestSocketsEnd(t *testing.T) {
	u := newUpstream(func(_, _ net.Addr) bool { return false })
	u.open()
	one, ended := lasting(t, u)
	_ = one.Close()
	if err := <-ended; !errors.Is(err, io.EOF) || len(u.sockets) != 0 {
		t.Errorf("%d connections after the last was closed: %v", len(u.sockets), err)
	}
	_, ended = lasting(t, u)
	u.close()
	if err := <-ended; !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	late, ended := lasting(t, u)
	if err := <-ended; !errors.Is(err, io.EOF) || late != nil {
		t.Errorf("a connection that is there too late: %v, %v", late, err)
	}
	u.open()
	kept, ended := lasting(t, u)
	if u.open(); len(u.sockets) != 1 {
		t.Errorf("%d connections", len(u.sockets))
	}
	_ = kept.Close()
	<-ended
}

// TestStopSparesTheNextRun: a stop that returns late leaves alone what was started since.
func TestStopSparesTheNextRun(t *testing.T) {
	s := New(slog.New(slog.DiscardHandler), event.NewBus(1))
	var runs []*run
	for range 2 {
		if err := s.Start(t.Context(), "127.0.0.1:0", Config{}); err != nil {
			t.Fatal(err)
		}
		runs = append(runs, s.current())
		_ = s.current().stop(context.Background())
	}
	if s.leave(runs[0]); s.up.sockets == nil {
		t.Error("the connections of the next run have ended")
	}
	if s.leave(runs[1]); s.up.sockets != nil {
		t.Error("connections outlast their run")
	}
}
