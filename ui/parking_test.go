package ui

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestNothingRunsBesideAnEndingLoop: a loop that is ending runs what it is asked for on
// the goroutine that asks.
func TestNothingRunsBesideAnEndingLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newParking(func(f func()) { f() }, time.Second, Doze{})
		ran := false
		p.Do(func() { ran = true }) // before the start, on the goroutine that will be the loop's
		if !ran {
			t.Fatal("nothing runs before the start")
		}
		p.started.Store(true)
		var beside atomic.Int32
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() { p.Do(func() { beside.Add(1) }) })
		}
		time.Sleep(time.Second)
		p.ended()
		p.ended()
		wg.Wait()
		p.Do(func() { beside.Add(1) })
		if n := beside.Load(); n > 0 {
			t.Errorf("%d functions ran beside each other", n)
		}
	})
}

// parkedLoop is an event loop that runs what it is asked for, with a window system that says
// nothing.
type parkedLoop struct {
	*parking
	asked  chan func()
	tells  chan struct{} // what Rouse tells
	dozed  atomic.Int32  // how often it has begun to
	roused atomic.Int32
}

const (
	testSlice = 250 * time.Millisecond
	dozeLimit = time.Minute
)

func newParkedLoop(t *testing.T, slice time.Duration) *parkedLoop {
	l := &parkedLoop{asked: make(chan func(), 16), tells: make(chan struct{}, 1)}
	l.parking = newParking(func(f func()) { l.asked <- f }, slice, Doze{
		Limit: dozeLimit,
		Wait: func(limit time.Duration) {
			l.dozed.Add(1)
			select {
			case <-l.tells:
			case <-time.After(limit):
			}
		},
		Rouse: func() {
			l.roused.Add(1)
			signal(l.tells)
		},
	})
	l.started.Store(true)
	l.set(true)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for {
			select {
			case f := <-l.asked:
				f()
			case <-ctx.Done():
				return
			}
		}
	}()
	go l.run(ctx)
	t.Cleanup(func() {
		l.ended()
		cancel()
	})
	return l
}

// TestLoopDozesWhenNothingHappens: and what is asked for meanwhile is done at once.
func TestLoopDozesWhenNothingHappens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newParkedLoop(t, testSlice)
		time.Sleep(dozeAfter - time.Millisecond)
		if n := l.dozed.Load(); n != 0 {
			t.Fatalf("it has dozed %d times, too early", n)
		}
		time.Sleep(time.Second)
		if n := l.dozed.Load(); n != 1 {
			t.Fatalf("it dozes %d times", n)
		}
		for _, pause := range []time.Duration{0, time.Second, 0, dozeAfter + testSlice, 2 * dozeLimit, dozeAfter + testSlice} {
			time.Sleep(pause)
			begin, done := time.Now(), make(chan time.Duration, 1)
			l.Do(func() { done <- time.Since(begin) })
			if late := <-done; late > 0 {
				t.Errorf("what is asked for after %v is done %v late", pause, late)
			}
		}
		if n := l.roused.Load(); n != 4 { // else it was in slices
			t.Errorf("it was roused %d times", n)
		}
		time.Sleep(dozeAfter + testSlice)
		n := l.dozed.Load()
		time.Sleep(10 * dozeLimit)
		if n = l.dozed.Load() - n; n != 10 {
			t.Errorf("it dozes %d times in the time of 10", n)
		}
	})
}

// TestNothingIsLostBesideADoze: the loop may begin to doze at the moment when something is
// asked for.
func TestNothingIsLostBesideADoze(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newParkedLoop(t, testSlice)
		for range 200 {
			time.Sleep(dozeAfter)
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					begin, done := time.Now(), make(chan struct{})
					l.Do(func() { close(done) })
					<-done
					if late := time.Since(begin); late > 0 {
						t.Errorf("%v late", late)
					}
				})
			}
			wg.Wait()
		}
	})
}

// TestSeenLoopIsRoused: a window that is shown has its loop at once, and so has the end.
func TestSeenLoopIsRoused(t *testing.T) {
	for name, tell := range map[string]func(*parkedLoop){
		"seen":  func(l *parkedLoop) { l.set(false) },
		"ended": func(l *parkedLoop) { l.ended() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newParkedLoop(t, testSlice)
				time.Sleep(2 * dozeAfter)
				tell(l)
				begin, free := time.Now(), make(chan struct{})
				l.asked <- func() { close(free) }
				<-free
				if late := time.Since(begin); late > 0 || l.roused.Load() != 1 {
					t.Errorf("%v late, roused %d times", late, l.roused.Load())
				}
			})
		})
	}
}

// TestWindowSystemIsLeftAloneAtTheEnd: a loop that has ended runs what it is asked for on the
// goroutine that asks, where the window system must not be waited for.
func TestWindowSystemIsLeftAloneAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asks := 0
		p := newParking(func(f func()) { asks++; f() }, testSlice, Doze{
			Limit: dozeLimit,
			Wait:  func(time.Duration) { t.Error("it is waited for") },
			Rouse: func() { t.Error("it is told something") },
		})
		p.started.Store(true)
		time.Sleep(2 * dozeAfter)
		p.idle.Store(true)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		p.run(ctx)
		if asks == 0 {
			t.Error("it was never asked")
		}
	})
}

// TestLoopWithoutSlices: where the loop may not rest in slices, it is left alone until it
// may doze.
func TestLoopWithoutSlices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newParkedLoop(t, 0)
		var free []bool
		for range 3 {
			time.Sleep(dozeAfter / 2)
			free = append(free, l.dozed.Load() == 0)
			l.Do(func() {})
		}
		time.Sleep(dozeAfter + time.Millisecond)
		if dozes := l.dozed.Load() > 0; slices.Contains(free, false) || !dozes {
			t.Errorf("free %v, then dozing %v", free, dozes)
		}
		if len(l.asked) > 1 {
			t.Errorf("%d slices wait", len(l.asked))
		}
	})
}

// TestWindowSystemIsToldOnce: and only while it is waited for, since telling it costs.
func TestWindowSystemIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newParkedLoop(t, testSlice)
		for round := range int32(50) {
			time.Sleep(dozeAfter + 2*testSlice)
			if n := l.dozed.Load(); n != 2*round+1 {
				t.Fatalf("it has dozed %d times in round %d", n, round)
			}
			for range 4 {
				l.Do(func() {})
			}
			if n := l.roused.Load(); n != round+1 {
				t.Fatalf("it was roused %d times in round %d", n, round)
			}
			time.Sleep(dozeAfter + 2*testSlice)
			signal(l.tells) // the doze ends by itself
			synctest.Wait()
			l.Do(func() {})
			if n := l.roused.Load(); n != round+1 {
				t.Fatalf("it was roused %d times, once where it did not doze", n)
			}
		}
	})
}

// TestNoRestBegins: where something has happened since the rest was asked for.
func TestNoRestBegins(t *testing.T) {
	for name, happens := range map[string]func(*parking){
		"asked": func(p *parking) { signal(p.wake) },
		"ended": func(p *parking) { close(p.over) },
		"seen":  func(p *parking) { p.idle.Store(false) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newParking(func(func()) {}, testSlice, Doze{
					Limit: dozeLimit,
					Wait:  func(limit time.Duration) { t.Errorf("it waits for %v", limit) },
				})
				p.idle.Store(true)
				time.Sleep(2 * dozeAfter)
				happens(p)
				p.wait(t.Context())
			})
		})
	}
}
