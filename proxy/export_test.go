package proxy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// ImpatientForHeads makes the server, which is to be started again, wait for the head of a
// request no longer than d.
func (s *Server) ImpatientForHeads(d time.Duration) { s.headTime = d }

// WithoutWaiting lets tries follow each other at once. told is called with how long each
// wait would have been.
func (s *Server) WithoutWaiting(told func(time.Duration)) {
	s.wait = func(ctx context.Context, d time.Duration) bool {
		told(d)
		return ctx.Err() == nil
	}
}

// Trust makes the server trust an upstream's certificate.
func (s *Server) Trust(pool *x509.CertPool) {
	s.up.transport.Load().TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}

// Connect has every connection to an upstream be what wrap makes of it.
func (s *Server) Connect(wrap func(net.Conn) net.Conn) {
	dial := s.up.transport.Load().DialContext
	s.up.transport.Load().DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		c.(*socket).Conn = wrap(c.(*socket).Conn)
		return c, nil
	}
}

// SendFrom sends a body over a connection to an upstream.
var SendFrom = sendFrom

// BodyOfEndedExchange is a request's body of the size in pieces of a buffer whose exchange
// has ended. again tells whether another body would come into the same buffer.
func BodyOfEndedExchange(t testing.TB, size int) (body io.ReadCloser, again func() bool) {
	t.Helper()
	l := borrow(size)
	l.buf = l.buf[:size]
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	_ = setBody(r, [][]byte{l.buf[:size/2], l.buf[size/2:]}, l)
	l.release()
	return r.Body, func() bool {
		other := borrow(size)
		defer other.release()
		return &other.buf[:1][0] == &l.buf[:1][0]
	}
}

// UsedAgain tells whether, of so many bodies of the size, the buffer of one is that of the next.
func UsedAgain(size, bodies int) bool {
	for range bodies {
		l := borrow(size)
		l.release()
		if other := borrow(size); other == l {
			return true
		}
	}
	return false
}

// LargestLease is the largest buffer that is held on to, in bytes.
const LargestLease = largestLease
