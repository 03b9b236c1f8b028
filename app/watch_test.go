package app

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// attended is a proxy on a made-up network that is watched over.
type attended struct {
	net     *network
	app     *App
	slept   atomic.Int64 // what the clock on the wall is ahead
	addrs   atomic.Value
	dead    atomic.Bool // the listener does not answer
	woken   chan struct{}
	changes atomic.Int32
}

func attend(t *testing.T) *attended {
	n := newNetwork()
	a := &attended{net: n, woken: make(chan struct{}), app: &App{log: slog.New(slog.DiscardHandler), sup: newSupervisor(n.server, addrA)}}
	a.addrs.Store("192.0.2.1")
	must(t, a.app.sup.Start(t.Context(), addrA))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		watch{
			wall:  func() time.Time { return time.Now().Add(time.Duration(a.slept.Load())) },
			addrs: func() string { return a.addrs.Load().(string) },
			alive: func(context.Context, string) bool { return !a.dead.Load() },
			woken: a.woken,
			app:   a.app,
		}.run(ctx, func() { a.changes.Add(1) })
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		for _, s := range n.all {
			s.once.Do(func() { close(s.done) })
		}
		_ = a.app.sup.Stop(t.Context())
		a.app.sup.Close()
	})
	time.Sleep(time.Minute) // an ordinary one
	synctest.Wait()
	return a
}

func (a *attended) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestAttendNoticesSleepAndNetworks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := attend(t)
		srv := a.net.all[0]
		if srv.drops() != 0 || a.changes.Load() != 0 {
			t.Fatal("something was noticed although nothing happened")
		}
		a.slept.Store(int64(time.Hour))
		a.wait(lookEvery)
		if srv.drops() != 1 || a.changes.Load() != 1 {
			t.Errorf("after sleep: dropped %d times, told %d times", srv.drops(), a.changes.Load())
		}
		a.slept.Add(int64(time.Hour))
		a.woken <- struct{}{}
		synctest.Wait()
		if srv.drops() != 2 || a.changes.Load() != 2 {
			t.Errorf("when the system says so: dropped %d times, told %d times", srv.drops(), a.changes.Load())
		}
		a.addrs.Store("198.51.100.7")
		a.wait(lookEvery)
		a.wait(time.Minute)
		if srv.drops() != 3 || a.changes.Load() != 3 {
			t.Errorf("in another network: dropped %d times, told %d times", srv.drops(), a.changes.Load())
		}
		if len(a.net.all) != 1 || a.app.Status().State != Running {
			t.Error("a listener that answers was replaced")
		}
	})
}

// TestAttendKnowsItsOwnWaitFromSleep: a proxy that drains keeps the watch waiting, as it does
// while the program quits.
func TestAttendKnowsItsOwnWaitFromSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := attend(t)
		must(t, a.app.sup.begin(t.Context()))
		a.wait(time.Minute)
		a.app.sup.end()
		a.wait(time.Minute)
		if srv := a.net.all[0]; srv.drops() != 0 || a.changes.Load() != 0 {
			t.Errorf("a wait passes for sleep: dropped %d times, told %d times", srv.drops(), a.changes.Load())
		}
	})
}

func TestAttendReplacesAListenerThatDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := attend(t)
		close(a.net.all[0].drained)
		a.dead.Store(true)
		a.slept.Store(int64(time.Hour))
		a.wait(lookEvery + freeWait)
		if st := a.app.Status(); len(a.net.all) < 2 || st.State != Running || st.Addr != addrA {
			t.Errorf("%d servers, %+v", len(a.net.all), st)
		}
	})
}

func TestAttendRevivesALostListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := attend(t)
		a.net.mu.Lock()
		a.net.limit = 1 // it cannot be had at once
		a.net.mu.Unlock()
		a.net.all[0].crash(errors.New("the network went away"))
		synctest.Wait()
		if st := a.app.Status(); st.State != Failed {
			t.Fatalf("%+v", st)
		}
		a.wait(lookEvery)
		if st := a.app.Status(); st.State != Running || st.Addr != addrA {
			t.Errorf("%+v", st)
		}
	})
}

func TestNextAddress(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer ln.Close()
	a, _ := openedFile(t, "[server]\nlisten = \""+ln.Addr().String()+"\"\n")
	if a.Start(t.Context()) == nil {
		t.Fatal("it listens on a port that is taken")
	}
	next, err := a.NextAddress(t.Context(), ln.Addr().String())
	must(t, err)
	if next == ln.Addr().String() {
		t.Fatal("the port that is taken is offered")
	}
	s := a.Settings()
	s.Server.Listen = next
	must(t, a.SaveSettings(t.Context(), s))
	if st := a.Status(); st.State != Running || st.Addr != next || !answers(t.Context(), next) {
		t.Errorf("%+v, want it to run on %s", st, next)
	}
}

func TestAnswers(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	addr := ln.Addr().String()
	if !answers(t.Context(), addr) {
		t.Error("somebody listens, and it is not seen")
	}
	must(t, ln.Close())
	if answers(t.Context(), addr) {
		t.Error("nobody listens, and somebody is seen")
	}
}
