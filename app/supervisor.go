package app

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"apex-ai-proxy/proxy"
	"apex-ai-proxy/proxy/prose"
)

// server is what the supervisor needs of a proxy.Server.
type server interface {
	Start(ctx context.Context, addr string, cfg proxy.Config) error
	Apply(cfg proxy.Config)
	Addr() string
	Stop(ctx context.Context) error
	Done() <-chan struct{}
	Err() error
	Active() int
	DropIdle()
}

// supervisor owns the proxy's goroutines. Its operations run one after another; every
// start gets a server of its own, so that an old one can drain while its successor
// listens already.
type supervisor struct {
	newServer func() server
	news      *news
	turn      chan struct{} // held by the operation that runs
	watching  sync.WaitGroup

	mu     sync.Mutex
	status Status
	cfg    proxy.Config
	cur    server
	lostAt string // where a server listened that ended by itself, until that is settled
	old    map[*drain]struct{}
}

// drain is a server that listens no more and waits for its last exchanges.
type drain struct {
	srv  server
	cut  context.CancelFunc
	done chan struct{}
}

func newSupervisor(newServer func() server, addr string) *supervisor {
	return &supervisor{
		newServer: newServer,
		news:      newNews(),
		turn:      make(chan struct{}, 1),
		status:    Status{Addr: addr},
		old:       make(map[*drain]struct{}),
	}
}

// Status is the status now.
func (s *supervisor) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}

// Watch calls f with the status now and with each later one, in order and never two at
// a time, until stop is called.
func (s *supervisor) Watch(f func(Status)) (stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.news.subscribe(f, s.status)
}

func (s *supervisor) set(st Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = st
	s.news.publish(st)
}

// Announce tells the watchers the status again, because something they show with it
// has changed.
func (s *supervisor) Announce() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.news.publish(s.status)
}

// Apply makes new exchanges use cfg, now and after later starts.
func (s *supervisor) Apply(cfg proxy.Config) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cfg = cfg
	if s.cur != nil {
		s.cur.Apply(cfg)
	}
}

// Want changes the address that the status names while nothing is listened on.
func (s *supervisor) Want(addr string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cur == nil && s.status.State == Stopped && s.status.Addr != addr {
		s.status.Addr = addr
		s.news.publish(s.status)
	}
}

// Active is how many exchanges run, also on servers that are draining.
func (s *supervisor) Active() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	if s.cur != nil {
		n = s.cur.Active()
	}
	for d := range s.old {
		n += d.srv.Active()
	}
	return n
}

// begin waits for the turn. One that is free is taken even when ctx has ended: it means
// that a stop must not wait for anything.
func (s *supervisor) begin(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		return nil
	default:
	}
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return prose.Errorf("wait for the proxy's last change to end: %v", ctx.Err())
	}
}

func (s *supervisor) end() { <-s.turn }

func (s *supervisor) current() server {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cur
}

// Start listens on addr. It does nothing when the proxy runs.
func (s *supervisor) Start(ctx context.Context, addr string) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	defer s.end()
	if s.current() != nil {
		return nil
	}
	return s.start(ctx, addr)
}

// Fail records why the proxy cannot even be started.
func (s *supervisor) Fail(ctx context.Context, addr string, cause error) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	defer s.end()
	if s.current() == nil {
		s.set(Status{State: Failed, Addr: addr, Err: cause})
	}
	return cause
}

// Stop stops listening at once and drains until ctx ends; what runs then is cut. The
// error tells that something had to be cut.
func (s *supervisor) Stop(ctx context.Context) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	defer s.end()
	srv, addr := s.current(), s.Status().Addr
	s.missing("")
	if srv == nil {
		s.set(Status{State: Stopped, Addr: addr})
		return s.drainOld(ctx)
	}
	s.set(Status{State: Stopping, Addr: addr})
	err := srv.Stop(ctx)
	err = errors.Join(err, s.drainOld(ctx))
	s.adopt(nil)
	s.set(Status{State: Stopped, Addr: addr})
	return err
}

// Restart gives the proxy a new listener. Running exchanges end on the old server.
func (s *supervisor) Restart(ctx context.Context, addr string) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	defer s.end()
	if s.current() == nil {
		return s.start(ctx, addr)
	}
	return s.move(ctx, addr, func() error { return nil })
}

// Change commits a change of what the proxy should do. A running proxy moves to addr
// unless it is "", with the old listener open until the new one is; when that cannot be
// opened nothing is committed and everything stays as it was.
func (s *supervisor) Change(ctx context.Context, addr string, commit func() error) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	defer s.end()
	if s.current() == nil || addr == "" {
		return commit()
	}
	return s.move(ctx, addr, commit)
}

func (s *supervisor) start(ctx context.Context, addr string) error {
	s.missing("") // what is wanted now is another matter
	s.set(Status{State: Starting, Addr: addr})
	srv, err := s.listen(ctx, addr)
	if err != nil {
		s.set(Status{State: Failed, Addr: addr, Err: err})
		return err
	}
	s.adopt(srv)
	s.set(Status{State: Running, Addr: srv.Addr()})
	return nil
}

func (s *supervisor) listen(ctx context.Context, addr string) (server, error) {
	s.mu.Lock()
	cfg := s.cfg
	s.mu.Unlock()
	srv := s.newServer()
	return srv, srv.Start(ctx, addr, cfg)
}

// adopt makes srv the current server and watches for its end.
func (s *supervisor) adopt(srv server) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cur = srv
	if srv == nil {
		return
	}
	s.lostAt = ""
	srv.Apply(s.cfg) // it may have changed since the start began
	s.watching.Go(func() {
		<-srv.Done()
		s.lost(srv)
	})
}

// lost turns the end of a server that nobody stopped into a failure.
func (s *supervisor) lost(srv server) {
	s.turn <- struct{}{}
	defer s.end()
	if s.current() != srv {
		return
	}
	err := srv.Err()
	if err == nil {
		err = prose.Errorf("the proxy stopped serving")
	}
	s.adopt(nil)
	addr := s.Status().Addr
	s.missing(addr)
	s.set(Status{State: Failed, Addr: addr, Err: err})
}

// missing notes where a listener is missing that should be there, "" for nowhere.
func (s *supervisor) missing(addr string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lostAt = addr
}

// Revive listens again where a server ended by itself, if one did. Until that works the
// status stays as it is.
func (s *supervisor) Revive(ctx context.Context) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	defer s.end()
	s.mu.Lock()
	addr := s.lostAt
	s.mu.Unlock()
	if addr == "" {
		return nil
	}
	srv, err := s.listen(ctx, addr)
	if err != nil {
		return err
	}
	s.replace(srv)
	return nil
}

// Reopen replaces the listener on addr, if it is the current one's, which does not answer
// any more. Running exchanges end on the old one. Where that fails, Revive tries again.
func (s *supervisor) Reopen(ctx context.Context, addr string) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	defer s.end()
	if srv := s.current(); srv == nil || srv.Addr() != addr {
		return nil
	}
	err := s.move(ctx, addr, func() error { return nil })
	if s.current() == nil {
		s.missing(addr)
	}
	return err
}

// DropIdle closes connections that no exchange uses.
func (s *supervisor) DropIdle() {
	if srv := s.current(); srv != nil {
		srv.DropIdle()
	}
}

// move replaces the current server by one that listens on addr.
func (s *supervisor) move(ctx context.Context, addr string, commit func() error) error {
	if samePort(s.current().Addr(), addr) {
		return s.moveOver(ctx, addr, commit)
	}
	srv, err := s.listen(ctx, addr)
	if err != nil {
		return err
	}
	if err := commit(); err != nil {
		return errors.Join(err, srv.Stop(ctx))
	}
	s.replace(srv)
	return nil
}

// moveOver moves to an address that the old listener is in the way of, so that one has
// to be closed first. What fails is undone by listening on the old address again.
func (s *supervisor) moveOver(ctx context.Context, addr string, commit func() error) error {
	before := s.Status().Addr
	s.set(Status{State: Starting, Addr: addr})
	s.replace(nil)
	srv, err := s.listenOnceFree(ctx, addr)
	if err == nil {
		if err = commit(); err == nil {
			s.replace(srv)
			return nil
		}
		err = errors.Join(err, srv.Stop(ctx))
	}
	back, backErr := s.listenOnceFree(context.WithoutCancel(ctx), before)
	if backErr != nil {
		s.set(Status{State: Failed, Addr: before, Err: backErr})
		return errors.Join(err, backErr)
	}
	s.replace(back)
	return err
}

// replace makes srv the current server and lets the one before it drain.
func (s *supervisor) replace(srv server) {
	before := s.current()
	s.adopt(srv)
	if before != nil {
		s.retire(before)
	}
	if srv != nil {
		s.set(Status{State: Running, Addr: srv.Addr()})
	}
}

// How long a port may take to become free after its listener was told to close.
const (
	freeWait = 3 * time.Second
	freePoll = 20 * time.Millisecond
)

func (s *supervisor) listenOnceFree(ctx context.Context, addr string) (server, error) {
	limit := time.NewTimer(freeWait)
	defer limit.Stop()
	for {
		srv, err := s.listen(ctx, addr)
		if err == nil || !addressTaken(err) {
			return srv, err
		}
		select {
		case <-time.After(freePoll):
		case <-limit.C:
			return nil, err
		case <-ctx.Done():
			return nil, err
		}
	}
}

// retire drains a server in the background, for as long as its exchanges take or until
// the proxy is stopped.
func (s *supervisor) retire(srv server) {
	ctx, cut := context.WithCancel(context.Background())
	d := &drain{srv: srv, cut: cut, done: make(chan struct{})}
	s.mu.Lock()
	s.old[d] = struct{}{}
	s.mu.Unlock()
	go func() {
		defer close(d.done)
		defer cut()
		_ = srv.Stop(ctx) // that exchanges were cut is said by who cut them
		s.mu.Lock()
		delete(s.old, d)
		s.mu.Unlock()
	}()
}

// drainOld waits for the servers that drain, and cuts them when ctx ends.
func (s *supervisor) drainOld(ctx context.Context) error {
	s.mu.Lock()
	var old []*drain
	for d := range s.old {
		old = append(old, d)
	}
	s.mu.Unlock()
	var err error
	for _, d := range old {
		select {
		case <-d.done:
		case <-ctx.Done():
			err = ctx.Err()
			d.cut()
			<-d.done
		}
	}
	return err
}

// Close ends the supervisor's goroutines. Stop comes first.
func (s *supervisor) Close() {
	s.watching.Wait()
	s.news.close()
}

func samePort(a, b string) bool {
	_, p, err1 := net.SplitHostPort(a)
	_, q, err2 := net.SplitHostPort(b)
	return err1 == nil && err2 == nil && p == q
}
