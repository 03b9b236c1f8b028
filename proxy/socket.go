package proxy

import (
	"errors"
	"io"
	"net"
)

// socket is a connection to an upstream. It is sent a request's body from where it stands,
// which the transport would copy into a new buffer first. (Only what is not encrypted is sent
// so.)
type socket struct {
	net.Conn
	up *upstream
}

// ReadFrom implements io.ReaderFrom.
func (s *socket) ReadFrom(r io.Reader) (int64, error) { return sendFrom(s.Conn, r) }

// Close implements net.Conn.
func (s *socket) Close() error {
	s.up.mu.Lock()
	delete(s.up.sockets, s)
	s.up.mu.Unlock()
	return s.Conn.Close()
}

// errClosed is the end of a connection that is there when nobody wants it any more.
var errClosed = errors.New("the proxy is stopped")

// keep keeps an eye on a new connection.
func (u *upstream) keep(c net.Conn) (net.Conn, error) {
	s := &socket{c, u}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.sockets == nil {
		_ = c.Close()
		return nil, errClosed
	}
	u.sockets[s] = struct{}{}
	return s, nil
}

// open lets connections be.
func (u *upstream) open() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.sockets == nil {
		u.sockets = make(map[*socket]struct{})
	}
}

// close ends every connection, also those that are about to be there. The transport closes only
// what is idle at that moment: of HTTP/2, a connection whose last request has just been given up
// is not, and would be kept for its time. It would even be used, until its end is noticed: so the
// next run has a transport of its own.
func (u *upstream) close() {
	old := u.transport.Load()
	u.transport.Store(old.Clone())
	old.CloseIdleConnections()
	u.mu.Lock()
	left := u.sockets
	u.sockets = nil
	u.mu.Unlock()
	for s := range left {
		_ = s.Conn.Close()
	}
}

func sendFrom(w io.Writer, r io.Reader) (int64, error) {
	if l, ok := r.(*io.LimitedReader); ok {
		if body, ok := l.R.(interface {
			io.WriterTo
			Len() int
		}); ok && int64(body.Len()) <= l.N {
			n, err := body.WriteTo(w)
			l.N -= n
			return n, err
		}
	}
	buf := take(&buffers)
	defer give(&buffers, buf)
	return io.CopyBuffer(struct{ io.Writer }{w}, r, *buf)
}
