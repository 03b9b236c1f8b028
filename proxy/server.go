// Package proxy is the gateway on localhost: it takes requests of OpenAI and Anthropic
// clients, sends them to Cloudflare AI Gateway, and brings the answers back.
//
// When both sides speak the same protocol the bytes pass through; otherwise they are
// converted (package convert). A converted request that an upstream refuses for what could
// be otherwise is changed and sent once more (package remedy), one that nobody began to
// work on is sent again as it is, and what clients have no place for is put back into their
// conversations (package thoughts). Whatever fails reaches the client as an error of its own
// protocol, before or inside a stream, and every exchange leaves a record (package event).
// An exchange keeps the Config it began with.
package proxy

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/proxy/prose"
	"apex-ai-proxy/proxy/remedy"
	"apex-ai-proxy/proxy/thoughts"
)

// Server is the proxy. It can be started and stopped any number of times.
type Server struct {
	log  *slog.Logger
	bus  *event.Bus
	cfg  atomic.Pointer[Config]
	up   *upstream
	demo http.RoundTripper
	book *remedy.Book // what upstreams refused and what helped

	thoughts *thoughts.Cache

	handler http.Handler

	headTime    time.Duration                                   // longest wait for the head of a request
	bodySilence time.Duration                                   // longest silence inside a request's body
	aliveAfter  time.Duration                                   // how long a client's stream may be silent before it is sent something
	wait        func(ctx context.Context, d time.Duration) bool // between two tries; false when ctx ended first

	uncounted sync.Map // addresses that are known not to count tokens

	mu  sync.Mutex
	run *run // the last one, nil before the first start
}

// ListenError says that the address could not be listened on.
type ListenError struct {
	Addr   string
	Holder string // the process that holds the port, as in "nginx (pid 812)"; "" when unknown
	Err    error
}

func (e *ListenError) Error() string {
	if e.Holder != "" {
		return fmt.Sprintf("listen on %s: the port is in use by %s", e.Addr, e.Holder)
	}
	return fmt.Sprintf("listen on %s: %v", e.Addr, e.Err)
}

// Unwrap is the reason the system gave.
func (e *ListenError) Unwrap() error { return e.Err }

// Reserved tells whether the port is taken by nobody, but kept by the system. Only Windows
// does that.
func (e *ListenError) Reserved() bool { return e.Holder == "" && reserved(e.Err) }

// ErrRunning is returned by Start while the server runs.
var ErrRunning = prose.Errorf("the proxy is running already")

// errStopping is why exchanges end that outlast a stop.
var errStopping = errors.New("the proxy is stopping")

// New returns a server that publishes its records on bus. It does not listen yet.
func New(log *slog.Logger, bus *event.Bus) *Server {
	s := &Server{log: log, bus: bus, headTime: headTime, bodySilence: bodySilence, aliveAfter: keepAliveAfter, wait: lasts, book: remedy.NewBook(time.Now), thoughts: thoughts.New(time.Now)}
	s.cfg.Store(&Config{})
	s.up = newUpstream(s.owns)
	s.demo = newDemo()
	s.handler = s.routes()
	return s
}

// Start listens on addr and serves in the background until Stop. A port that is taken is
// a *ListenError.
func (s *Server) Start(ctx context.Context, addr string, cfg Config) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.run != nil && !s.run.ended() {
		return ErrRunning
	}
	listeners, err := listen(ctx, addr)
	if err != nil {
		return err
	}
	s.Apply(cfg)
	s.up.open()
	s.run = serve(listeners, s.handler, s.headTime, s.log)
	s.log.Info("listening", "addr", s.run.addr)
	return nil
}

// Apply makes new exchanges use cfg. Running ones keep theirs.
func (s *Server) Apply(cfg Config) {
	cfg.gateway = cfg.GatewayURL + "/" + url.PathEscape(cfg.Account) + "/" + url.PathEscape(cfg.Gateway)
	cfg.bearer = []string{"Bearer " + cfg.GatewayToken}
	cfg.secrets, cfg.accepted = secretsOf(&cfg), acceptedBy(&cfg)
	s.cfg.Store(&cfg)
}

// Addr is the address that is listened on, "" when the server is stopped.
func (s *Server) Addr() string {
	if r := s.current(); r != nil && !r.stopping() {
		return r.addr
	}
	return ""
}

// Active is how many exchanges are running.
func (s *Server) Active() int {
	if r := s.current(); r != nil {
		return r.active()
	}
	return 0
}

// Done is closed when serving has ended, also unexpectedly; it is closed before the first start.
func (s *Server) Done() <-chan struct{} {
	if r := s.current(); r != nil {
		return r.done
	}
	return closed
}

// Err is why serving ended: nil after Stop and while it goes on.
func (s *Server) Err() error {
	if r := s.current(); r != nil && r.ended() {
		return r.err
	}
	return nil
}

// Stop stops listening at once and waits for the running exchanges until ctx ends; what
// still runs then is ended with an error in the client's protocol.
func (s *Server) Stop(ctx context.Context) error {
	r := s.current()
	if r == nil {
		return nil
	}
	err := r.stop(ctx)
	s.leave(r)
	s.thoughts.Clear()
	s.log.Info("stopped", "addr", r.addr)
	return err
}

// leave ends what leads to upstreams, unless another run needs it.
func (s *Server) leave(r *run) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.run == r {
		s.up.close()
	}
}

// DropIdle closes the connections to upstreams that no exchange uses. After the computer
// has slept or changed its network they lead nowhere, which the next request would only
// find out by waiting.
func (s *Server) DropIdle() { s.up.transport.Load().CloseIdleConnections() }

func (s *Server) current() *run {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.run
}

// owns tells whether a connection between the two addresses leads back to this server.
func (s *Server) owns(local, remote net.Addr) bool {
	r := s.current()
	if r == nil || r.ended() {
		return false
	}
	from, ok1 := local.(*net.TCPAddr)
	to, ok2 := remote.(*net.TCPAddr)
	if !ok1 || !ok2 || !from.IP.Equal(to.IP) {
		return false
	}
	for _, ln := range r.listeners {
		if own, ok := ln.Addr().(*net.TCPAddr); ok && own.Port == to.Port && (own.IP.IsUnspecified() || own.IP.Equal(to.IP)) {
			return true
		}
	}
	return false
}

var closed = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// newID is a request id, as both vendors' look.
func newID() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails
	var out [28]byte
	copy(out[:], "req_")
	hex.Encode(out[4:], b[:])
	return string(out[:])
}

// headTime bounds how long a client may take to send the head of a request.
const headTime = 20 * time.Second

// bodySilence bounds how long a client may pause in the middle of a request's body.
const bodySilence = time.Minute
