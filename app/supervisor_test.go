package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"apex-ai-proxy/proxy"
)

// network is a made-up one: which addresses are listened on, and by whom.
type network struct {
	mu    sync.Mutex
	held  map[string]*fakeServer
	all   []*fakeServer
	fail  error // of the next Start
	limit int   // Starts that still find an address taken after it was given up
}

func newNetwork() *network { return &network{held: make(map[string]*fakeServer)} }

func (n *network) server() server {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := &fakeServer{net: n, done: make(chan struct{}), drained: make(chan struct{}), stopping: make(chan struct{})}
	n.all = append(n.all, s)
	return s
}

// fakeServer drains when the test lets it.
type fakeServer struct {
	net      *network
	addr     string
	done     chan struct{}
	drained  chan struct{}
	stopping chan struct{}
	once     sync.Once

	mu   sync.Mutex
	cfgs []string // accounts of the configurations seen
	err  error
	busy int

	dropped int // times that idle connections were
}

func (s *fakeServer) Start(_ context.Context, addr string, cfg proxy.Config) error {
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	if err := s.net.fail; err != nil {
		s.net.fail = nil
		return err
	}
	_, port, _ := net.SplitHostPort(addr)
	if s.net.held[port] != nil || s.net.limit > 0 {
		s.net.limit--
		return &proxy.ListenError{Addr: addr, Holder: "somebody", Err: errTaken}
	}
	s.net.held[port] = s
	s.addr = addr
	s.Apply(cfg)
	return nil
}

func (s *fakeServer) Apply(cfg proxy.Config) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cfgs = append(s.cfgs, cfg.Account)
}

func (s *fakeServer) last() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cfgs[len(s.cfgs)-1]
}

func (s *fakeServer) Addr() string { return s.addr }

func (s *fakeServer) DropIdle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropped++
}

func (s *fakeServer) release() {
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	_, port, _ := net.SplitHostPort(s.addr)
	delete(s.net.held, port)
}

func (s *fakeServer) Stop(ctx context.Context) error {
	s.release()
	close(s.stopping)
	defer s.once.Do(func() { close(s.done) })
	select {
	case <-s.drained:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *fakeServer) Done() <-chan struct{} { return s.done }
func (s *fakeServer) Err() error            { return s.err }
func (s *fakeServer) Active() int           { return s.busy }

// crash ends serving as nobody wanted it.
func (s *fakeServer) crash(err error) {
	s.release()
	s.err = err
	s.once.Do(func() { close(s.done) })
}

// trail collects statuses and waits for one.
type trail struct {
	c chan Status
}

func follow(s *supervisor) *trail {
	t := &trail{c: make(chan Status, 100)}
	s.Watch(func(st Status) { t.c <- st })
	return t
}

func (tr *trail) want(t *testing.T, states ...State) Status {
	t.Helper()
	var st Status
	for i, want := range states {
		select {
		case st = <-tr.c:
		case <-time.After(waits):
			t.Fatalf("no status %v", want)
		}
		if st.State != want {
			t.Fatalf("status %d is %v (%v), want %v", i, st.State, st.Err, want)
		}
	}
	return st
}

func (tr *trail) wantNoMore(t *testing.T, s *supervisor) {
	t.Helper()
	s.news.close() // delivers what there is
	if len(tr.c) > 0 {
		t.Errorf("one more status: %+v", <-tr.c)
	}
}

const addrA, addrB = "127.0.0.1:1001", "127.0.0.1:1002"

func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func open(t *testing.T) (*supervisor, *network, *trail) {
	t.Helper()
	n := newNetwork()
	s := newSupervisor(n.server, addrA)
	return s, n, follow(s)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestStartAndStop(t *testing.T) {
	ctx := context.Background()
	s, n, tr := open(t)
	tr.want(t, Stopped)
	must(t, s.Start(ctx, addrA))
	if st := tr.want(t, Starting, Running); st.Addr != addrA {
		t.Errorf("running on %s", st.Addr)
	}
	must(t, s.Start(ctx, addrA)) // runs already
	n.all[0].busy = 3
	if s.Active() != 3 {
		t.Errorf("%d active", s.Active())
	}
	close(n.all[0].drained)
	must(t, s.Stop(ctx))
	tr.want(t, Stopping, Stopped)
	must(t, s.Start(ctx, addrB))
	tr.want(t, Starting, Running)
	if err := s.Stop(ended()); !errors.Is(err, context.Canceled) {
		t.Errorf("a cut stop returned %v", err)
	}
	tr.want(t, Stopping, Stopped)
	if len(n.held) != 0 {
		t.Error("something is still listened on")
	}
	s.watching.Wait()
	tr.wantNoMore(t, s)
}

func TestPortBusy(t *testing.T) {
	ctx := context.Background()
	s, n, tr := open(t)
	n.held["1001"] = &fakeServer{}
	err := s.Start(ctx, addrA)
	var busy *proxy.ListenError
	if !errors.As(err, &busy) || !addressTaken(err) {
		t.Fatalf("got %v", err)
	}
	if st := tr.want(t, Stopped, Starting, Failed); !errors.Is(st.Err, err) || st.Addr != addrA {
		t.Errorf("status %+v", st)
	}
	delete(n.held, "1001")
	must(t, s.Start(ctx, addrA))
	if st := tr.want(t, Starting, Running); st.Err != nil {
		t.Errorf("still %v", st.Err)
	}
}

func TestUnexpectedEnd(t *testing.T) {
	ctx := context.Background()
	for _, reason := range []error{errors.New("accept: too many open files"), nil} {
		s, n, tr := open(t)
		must(t, s.Start(ctx, addrA))
		n.all[0].crash(reason)
		st := tr.want(t, Stopped, Starting, Running, Failed)
		if st.Err == nil || reason != nil && !errors.Is(st.Err, reason) {
			t.Errorf("status %+v", st)
		}
		must(t, s.Start(ctx, addrA))
		tr.want(t, Starting, Running)
	}
}

func TestConfigurationReachesEveryServer(t *testing.T) {
	ctx := context.Background()
	s, n, _ := open(t)
	s.Apply(proxy.Config{Account: "before"})
	must(t, s.Start(ctx, addrA))
	if got := n.all[0].last(); got != "before" {
		t.Errorf("got %q", got)
	}
	s.Apply(proxy.Config{Account: "while it runs"})
	if got := n.all[0].last(); got != "while it runs" {
		t.Errorf("got %q", got)
	}
	must(t, s.Change(ctx, addrB, func() error { return nil }))
	if got := n.all[1].last(); got != "while it runs" {
		t.Errorf("got %q", got)
	}
}

// moved is a supervisor whose first server still drains after a move to addr.
func moved(t *testing.T, addr string) (*supervisor, *network, *trail) {
	t.Helper()
	ctx := context.Background()
	s, n, tr := open(t)
	must(t, s.Start(ctx, addrA))
	tr.want(t, Stopped, Starting, Running)
	n.all[0].busy = 1
	committed := false
	must(t, s.Change(ctx, addr, func() error {
		committed = true
		return nil
	}))
	if !committed {
		t.Fatal("the change was not committed")
	}
	<-n.all[0].stopping
	return s, n, tr
}

func TestMoveListensFirstAndKeepsStreams(t *testing.T) {
	s, n, tr := moved(t, addrB)
	if st := tr.want(t, Running); st.Addr != addrB {
		t.Errorf("running on %s", st.Addr)
	}
	if len(n.held) != 1 || n.held["1002"] == nil {
		t.Errorf("listened on: %v", n.held)
	}
	if s.Active() != 1 {
		t.Errorf("%d active, want the one of the old server", s.Active())
	}
	close(n.all[0].drained)
	close(n.all[1].drained)
	must(t, s.Stop(context.Background()))
	tr.want(t, Stopping, Stopped)
	s.Close()
	tr.wantNoMore(t, s)
}

func TestStopCutsWhatStillDrains(t *testing.T) {
	s, n, _ := moved(t, addrB)
	close(n.all[1].drained)
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- s.Stop(ctx) }()
	<-n.all[1].done // the old one is what it waits for now
	cancel()
	if err := <-stopped; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	<-n.all[0].done
	s.Close()
}

func TestMoveToABusyPortChangesNothing(t *testing.T) {
	ctx := context.Background()
	s, n, tr := open(t)
	must(t, s.Start(ctx, addrA))
	n.held["1002"] = &fakeServer{}
	err := s.Change(ctx, addrB, func() error {
		t.Error("committed")
		return nil
	})
	if !addressTaken(err) {
		t.Errorf("got %v", err)
	}
	if st := tr.want(t, Stopped, Starting, Running); st.Addr != addrA {
		t.Errorf("running on %s", st.Addr)
	}
	tr.wantNoMore(t, s)
}

func TestMoveThatCannotBeCommittedIsUndone(t *testing.T) {
	ctx := context.Background()
	full := errors.New("disk full")
	for _, addr := range []string{addrB, "0.0.0.0:1001"} {
		s, n, _ := open(t)
		must(t, s.Start(ctx, addrA))
		drainAll(n)
		if err := s.Change(ctx, addr, func() error { drainAll(n); return full }); !errors.Is(err, full) {
			t.Errorf("%s: got %v", addr, err)
		}
		if st := s.Status(); st.State != Running || st.Addr != addrA {
			t.Errorf("%s: status %+v", addr, st)
		}
		if len(n.held) != 1 || n.held["1001"] == nil {
			t.Errorf("%s: listened on: %v", addr, n.held)
		}
	}
}

func drainAll(n *network) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range n.all {
		select {
		case <-s.drained:
		default:
			close(s.drained)
		}
	}
}

// The old listener is in the way of the new address, and takes a moment to go.
func TestMoveOverTheSamePort(t *testing.T) {
	ctx := context.Background()
	s, n, tr := open(t)
	must(t, s.Start(ctx, addrA))
	n.limit = 2
	must(t, s.Change(ctx, "0.0.0.0:1001", func() error { return nil }))
	if st := tr.want(t, Stopped, Starting, Running, Starting, Running); st.Addr != "0.0.0.0:1001" {
		t.Errorf("running on %s", st.Addr)
	}
}

func TestMoveOverGoesBack(t *testing.T) {
	ctx := context.Background()
	s, n, _ := open(t)
	must(t, s.Start(ctx, addrA))
	n.mu.Lock()
	n.fail = errors.New("cannot assign requested address")
	n.mu.Unlock()
	err := s.Change(ctx, "192.0.2.1:1001", func() error {
		t.Error("committed")
		return nil
	})
	if err == nil {
		t.Error("no error")
	}
	if st := s.Status(); st.State != Running || st.Addr != addrA {
		t.Errorf("status %+v", st)
	}
}

func TestRestart(t *testing.T) {
	ctx := context.Background()
	s, n, tr := open(t)
	must(t, s.Restart(ctx, addrA))
	tr.want(t, Stopped, Starting, Running)
	must(t, s.Restart(ctx, addrA))
	tr.want(t, Starting, Running)
	if len(n.all) < 2 || n.held["1001"] != n.all[len(n.all)-1] {
		t.Error("the old server still listens")
	}
}

func TestOperationsWaitForTheirTurn(t *testing.T) {
	ctx := context.Background()
	s, n, tr := open(t)
	must(t, s.Start(ctx, addrA))
	tr.want(t, Stopped, Starting, Running)
	stopped := make(chan error, 1)
	go func() { stopped <- s.Stop(ctx) }()
	<-n.all[0].stopping
	tr.want(t, Stopping)
	if err := s.Start(ended(), addrA); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if st := s.Status(); st.State != Stopping {
		t.Errorf("status %v while the stop drains", st.State)
	}
	started := make(chan error, 1)
	go func() { started <- s.Start(ctx, addrA) }()
	close(n.all[0].drained)
	must(t, <-stopped)
	must(t, <-started)
	tr.want(t, Stopped, Starting, Running)
}

// A watcher may call the supervisor, and sees nothing any more once it has left.
func TestWatch(t *testing.T) {
	ctx := context.Background()
	s, n, _ := open(t)
	var seen []State
	var stop func()
	left := make(chan struct{})
	stop = s.Watch(func(st Status) {
		seen = append(seen, st.State)
		if st.State == Running {
			drainAll(n)
			if err := s.Stop(ctx); err != nil {
				t.Error(err)
			}
			stop()
			close(left)
		}
	})
	must(t, s.Start(ctx, addrA))
	<-left
	late := follow(s)
	must(t, s.Start(ctx, addrA))
	late.want(t, Stopped, Starting, Running)
	s.news.close()
	if !slices.Equal(seen, []State{Stopped, Starting, Running}) {
		t.Errorf("seen %v", seen)
	}
}

func TestWant(t *testing.T) {
	s, _, tr := open(t)
	s.Want(addrB)
	s.Want(addrB)
	if st := tr.want(t, Stopped, Stopped); st.Addr != addrB {
		t.Errorf("wanted %s", st.Addr)
	}
	must(t, s.Start(context.Background(), addrA))
	s.Want(addrB)
	tr.want(t, Starting, Running)
	tr.wantNoMore(t, s)
}

func TestStateWords(t *testing.T) {
	if got := fmt.Sprint(Stopped, Starting, Running, Stopping, Failed); got != "stopped starting running stopping failed" {
		t.Error(got)
	}
}

func TestReviveListensWhereAServerWasLost(t *testing.T) {
	ctx := context.Background()
	s, n, tr := open(t)
	must(t, s.Revive(ctx)) // nothing is missing
	must(t, s.Start(ctx, addrA))
	tr.want(t, Stopped, Starting, Running)
	n.all[0].crash(errors.New("the network went away"))
	tr.want(t, Failed)
	n.mu.Lock()
	n.limit = 1 // not yet
	n.mu.Unlock()
	if s.Revive(ctx) == nil {
		t.Error("it listens on an address that cannot be had")
	}
	must(t, s.Revive(ctx))
	if st := tr.want(t, Running); st.Addr != addrA {
		t.Errorf("running on %s", st.Addr)
	}
	must(t, s.Revive(ctx))
	tr.wantNoMore(t, s)
}

// What was stopped, or could not be started, is left to the user.
func TestReviveLeavesOtherFailuresAlone(t *testing.T) {
	ctx := context.Background()
	s, n, tr := open(t)
	n.fail = errors.New("taken")
	if s.Start(ctx, addrA) == nil {
		t.Fatal("it starts")
	}
	must(t, s.Revive(ctx))
	tr.want(t, Stopped, Starting, Failed)
	must(t, s.Start(ctx, addrA))
	tr.want(t, Starting, Running)
	n.all[1].crash(errors.New("gone"))
	tr.want(t, Failed)
	must(t, s.Stop(ctx))
	must(t, s.Revive(ctx))
	tr.want(t, Stopped)
	tr.wantNoMore(t, s)
}

func TestReopen(t *testing.T) {
	ctx := context.Background()
	s, n, tr := open(t)
	must(t, s.Start(ctx, addrA))
	tr.want(t, Stopped, Starting, Running)
	must(t, s.Reopen(ctx, addrB)) // is not the current one's
	must(t, s.Reopen(ctx, addrA))
	if st := tr.want(t, Starting, Running); st.Addr != addrA {
		t.Errorf("running on %s", st.Addr)
	}
	<-n.all[0].stopping
	close(n.all[0].drained)
	n.mu.Lock()
	n.limit = 1 << 20
	n.mu.Unlock()
	short, cancel := context.WithCancel(ctx)
	defer cancel()
	reopened := make(chan error, 1)
	go func() { reopened <- s.Reopen(short, addrA) }()
	tr.want(t, Starting)
	cancel()
	if <-reopened == nil {
		t.Fatal("it listens on an address that cannot be had")
	}
	tr.want(t, Failed)
	n.mu.Lock()
	n.limit = 0
	n.mu.Unlock()
	must(t, s.Revive(ctx))
	tr.want(t, Running)
}

func (s *fakeServer) drops() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dropped
}
