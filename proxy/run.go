package proxy

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"
)

// run is one time of serving, from Start to Stop.
type run struct {
	addr      string
	listeners []net.Listener
	http      *http.Server
	cut       context.CancelCauseFunc // ends every exchange
	done      chan struct{}
	err       error // valid once done is closed

	mu       sync.Mutex
	n        int
	beat     *time.Timer // see pace
	since    int         // exchanges that began since it last fired, -1 while it rests
	halting  bool
	drained  chan struct{} // closed when halting and n is 0
	stopOnce sync.Once
}

type runKey struct{}

// listen opens the address and says who is in the way when that does not work.
func listen(ctx context.Context, addr string) ([]net.Listener, error) {
	listeners, err := openPort(ctx, addr)
	if err == nil {
		return listeners, nil
	}
	e := &ListenError{Addr: addr, Err: err}
	if _, port, err := net.SplitHostPort(addr); err == nil && busy(e.Err) {
		e.Holder = holder(ctx, port)
	}
	return nil, e
}

// openPort opens the address, and for a loopback address its twin in the other family with
// the same port when that is free.
func openPort(ctx context.Context, addr string) ([]net.Listener, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	var lc net.ListenConfig
	first, err := lc.Listen(ctx, family(host), net.JoinHostPort(host, port))
	if err != nil {
		return nil, err
	}
	out := []net.Listener{first}
	if host == "127.0.0.1" {
		own := first.Addr().(*net.TCPAddr).Port
		if twin, err := lc.Listen(ctx, "tcp6", net.JoinHostPort("::1", strconv.Itoa(own))); err == nil {
			out = append(out, twin)
		}
	}
	return out, nil
}

// How many ports are tried for one that is free, and from where when none is near.
const (
	nearPorts = 50
	usualPort = 8787
)

// NextFree is addr with the next port that can be listened on: one above its own, or else
// one of those that the program usually has, or else any. Nothing keeps it free.
func NextFree(ctx context.Context, addr string) (string, error) {
	host, text, err := net.SplitHostPort(addr)
	if err != nil {
		return "", &ListenError{Addr: addr, Err: err}
	}
	own, err := strconv.Atoi(text)
	if err != nil {
		return "", &ListenError{Addr: addr, Err: err}
	}
	var ports []int
	for i := 1; i <= nearPorts && own+i <= math.MaxUint16; i++ {
		ports = append(ports, own+i)
	}
	for i := range nearPorts {
		ports = append(ports, usualPort+i)
	}
	ports = append(ports, 0)
	for _, port := range ports {
		var found []net.Listener
		if found, err = openPort(ctx, net.JoinHostPort(host, strconv.Itoa(port))); err != nil {
			continue
		}
		port = found[0].Addr().(*net.TCPAddr).Port
		for _, ln := range found {
			_ = ln.Close()
		}
		return net.JoinHostPort(host, strconv.Itoa(port)), nil
	}
	return "", err
}

// family is the network to listen on for a host: an address means its own family only.
func family(host string) string {
	ip, err := netip.ParseAddr(host)
	switch {
	case err != nil:
		return "tcp"
	case ip.Is4():
		return "tcp4"
	default:
		return "tcp6"
	}
}

func newRun(listeners ...net.Listener) *run {
	r := &run{listeners: listeners, done: make(chan struct{}), drained: make(chan struct{}), since: -1}
	r.beat = time.AfterFunc(time.Hour, r.pace)
	r.beat.Stop() // until the first exchange
	if len(listeners) > 0 {
		r.addr = listeners[0].Addr().String()
	}
	return r
}

// serve serves on the listeners until stop. headTime is how long the head of a request may
// take.
func serve(listeners []net.Listener, h http.Handler, headTime time.Duration, log *slog.Logger) *run {
	base, cut := context.WithCancelCause(context.Background())
	r := newRun(listeners...)
	r.cut = cut
	base = context.WithValue(base, runKey{}, r)
	r.http = &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headTime,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    256 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		BaseContext:       func(net.Listener) context.Context { return base },
		ConnContext:       func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) },
		// Or "OPTIONS *" would be answered past the guard.
		DisableGeneralOptionsHandler: true,
	}
	results := make(chan error, len(listeners))
	for _, ln := range listeners {
		go func() { results <- r.http.Serve(ln) }()
	}
	go func() {
		defer close(r.done)
		for i := range listeners {
			err := <-results
			if i == 0 && !errors.Is(err, http.ErrServerClosed) {
				r.err = err // one listener broke: end the others too
				r.cut(errStopping)
				_ = r.http.Close()
			}
		}
		r.halt()
	}()
	return r
}

func (r *run) ended() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

func (r *run) stopping() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.halting
}

func (r *run) active() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.n
}

// begin counts an exchange; end must follow.
func (r *run) begin() {
	r.mu.Lock()
	r.n++
	if r.since++; r.since == 0 && !r.halting {
		r.beat.Reset(beatEvery)
	}
	r.mu.Unlock()
}

// beatEvery is shorter than any time limit that an exchange usually sets.
const beatEvery = 10 * time.Second

// pace goes on as long as exchanges begin. Every exchange sets limits to what it waits for.
// Were one of them the next time for which anything is to be done, the thread that waits for
// the network would have to be woken, only to learn that it may sleep less long; with every
// exchange, that costs more than all that the proxy does itself. As long as there is a beat,
// it comes first.
func (r *run) pace() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.since == 0 || r.halting {
		r.since = -1
		return
	}
	r.since = 0
	r.beat.Reset(beatEvery)
}

func (r *run) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.n--
	r.signal()
}

func (r *run) halt() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.halting = true
	r.beat.Stop()
	r.signal()
}

func (r *run) signal() {
	if r.halting && r.n == 0 {
		r.stopOnce.Do(func() { close(r.drained) })
	}
}

// The last words of a cut exchange, and of connections that are about to be closed.
const (
	cutGrace   = 2 * time.Second
	closeGrace = 500 * time.Millisecond
)

// stop stops listening, drains until ctx ends and cuts what is left.
func (r *run) stop(ctx context.Context) error {
	r.halt()
	quiet, cancel := context.WithCancel(context.Background())
	defer cancel()
	shut := make(chan struct{})
	go func() {
		defer close(shut)
		_ = r.http.Shutdown(quiet) // closes the listeners first; the error is that of quiet
	}()
	var err error
	select {
	case <-r.drained:
	case <-ctx.Done():
		if r.active() > 0 { // or both came true at the same time
			err = ctx.Err()
		}
		r.cut(errStopping)
		waitFor(r.drained, cutGrace)
	}
	select {
	case <-shut: // every connection has sent its last byte and is closed
	case <-time.After(closeGrace):
		cancel()
		<-shut
	}
	_ = r.http.Close()
	r.cut(errStopping)
	<-r.done
	return err
}

func waitFor(c <-chan struct{}, limit time.Duration) {
	select {
	case <-c:
	case <-time.After(limit):
	}
}
