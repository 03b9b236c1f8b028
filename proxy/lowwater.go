package proxy

import (
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// lowWater reads a large body in few, large pieces, where the system can hold them back until
// they are there. A client on the same computer is hardly slower than its reader, who would be
// put to sleep and woken again for every few packets, at more cost than that of reading them.
type lowWater struct {
	body  io.Reader
	conn  net.Conn
	left  int64 // bytes of the body that have not been read
	timer *time.Timer

	mu   sync.Mutex
	need int  // bytes that must be there before the reader is woken
	slow bool // the body takes its time: it is read as it comes
}

// connKey is that of the connection in the context of a request.
type connKey struct{}

// newLowWater reads the body of r, nil when nothing is won by it. A body that is not there
// after the given time is read as it comes, so that whoever waits sees it coming.
func newLowWater(r *http.Request, patience time.Duration) *lowWater {
	if r.ContentLength < enough/2 || !holdsBack() {
		return nil
	}
	c, ok := r.Context().Value(connKey{}).(net.Conn)
	if !ok {
		return nil
	}
	l := &lowWater{body: r.Body, conn: c, left: r.ContentLength, need: 1}
	l.timer = time.AfterFunc(patience, l.lower)
	return l
}

// Read implements io.Reader.
func (l *lowWater) Read(b []byte) (int, error) {
	l.wait()
	n, err := l.body.Read(b)
	l.left -= int64(n)
	return n, err
}

// wait sets the mark: to what is left when that is less, or its reader would never be woken.
func (l *lowWater) wait() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.slow {
		l.set(int(max(1, min(l.left, enough))))
	}
}

// end must be called once the body has been read.
func (l *lowWater) end() {
	l.timer.Stop()
	l.lower()
}

// lower takes the mark away for good.
func (l *lowWater) lower() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.slow = true
	l.set(1)
}

func (l *lowWater) set(need int) {
	if need != l.need {
		l.need = need
		wakeAt(l.conn, need)
	}
}
