package ui

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// parking lets Fyne's event loop rest while nothing can be seen. The loop polls sixty
// times a second for as long as the program runs; a function on it that waits keeps it
// from that. Each waits for a slice of time only, so that what does not come through Do,
// such as a click in the tray, is late by no more than that. When nothing has happened for
// a while, it waits for the window system instead, which comes to the same without slices.
//
// The slices are queued from a goroutine of their own and not by one another: a loop that
// is about to end must not be kept by them.
type parking struct {
	do    func(func()) // on Fyne's goroutine
	slice time.Duration
	doze  Doze
	idle  atomic.Bool   // nothing can be seen
	turn  chan struct{} // idle has changed
	wake  chan struct{} // something is to be done

	mu     sync.Mutex
	dozing bool      // the window system is waited for, and nobody has called Rouse yet
	last   time.Time // when something happened

	started atomic.Bool   // the loop runs, or has run
	over    chan struct{} // closed when it has ended
	end     sync.Once
}

// Doze is how Fyne's event loop waits for the window system.
type Doze struct {
	// Wait sees to what the window system tells, as the loop itself would, and returns
	// when it has told something, when Rouse is called, or when limit has passed. It is
	// called on Fyne's goroutine. A nil Wait means that there is no such way.
	Wait func(limit time.Duration)
	// Rouse ends the Wait that goes on, or else the next one. It is called from any
	// goroutine, but only while Fyne's loop runs.
	Rouse func()
	// Limit is how late what nobody tells may be, such as what Fyne queues for itself.
	Limit time.Duration
}

// dozeAfter is for how long nothing must have happened before the loop dozes. It then goes on
// in slices, because one thing leads to another, and because Rouse costs a little memory for
// good on Wayland.
const dozeAfter = 5 * time.Second

func newParking(do func(func()), slice time.Duration, doze Doze) *parking {
	return &parking{
		do: do, slice: slice, doze: doze, last: time.Now(),
		turn: make(chan struct{}, 1), wake: make(chan struct{}, 1), over: make(chan struct{}),
	}
}

// Do runs f on Fyne's goroutine, which does not finish its slice first.
//
// A loop that is ending runs f on the goroutine that asks, beside others who ask, for which
// nothing in a user interface is made. What is asked for by then is dropped: f waits until
// its asking has returned, and on the asking goroutine it never does. That is rare, because
// nothing is asked of a loop any more once it is told to end; so the wait may be long.
func (p *parking) Do(f func()) {
	defer p.rouse()
	if !p.started.Load() {
		p.do(f)
		return
	}
	select {
	case <-p.over:
		return
	default:
	}
	asked := make(chan struct{})
	p.do(func() {
		if p.onLoop(asked) {
			f()
		}
	})
	close(asked)
}

// onLoop tells whether it is called on the loop, by a function that was asked for there. When
// it was, asked is closed.
func (p *parking) onLoop(asked <-chan struct{}) bool {
	select {
	case <-asked:
		return true
	case <-p.over:
	case <-time.After(askLimitOfLoop):
	}
	return false
}

// askLimitOfLoop bounds the wait, for what the end of the loop itself waits for.
const askLimitOfLoop = 2 * time.Second

// ended says that the loop has ended, or is about to. It may be called more than once.
func (p *parking) ended() {
	p.end.Do(func() { close(p.over) })
	p.rouse()
}

// set says whether there is nothing to be seen. It may be called from any goroutine.
func (p *parking) set(idle bool) {
	if p.idle.Swap(idle) == idle {
		return
	}
	signal(p.turn)
	p.rouse()
}

// rouse ends the slice or the doze of now. What it is called for must have been said before.
func (p *parking) rouse() {
	signal(p.wake)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = time.Now()
	if p.dozing {
		p.dozing = false
		p.doze.Rouse()
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// run parks the loop whenever there is nothing to be seen, until ctx ends.
func (p *parking) run(ctx context.Context) {
	for ctx.Err() == nil {
		if !p.idle.Load() {
			select {
			case <-p.turn:
				continue
			case <-ctx.Done():
				return
			}
		}
		if p.slice == 0 && p.pause(ctx) {
			continue
		}
		asked, over := make(chan struct{}), make(chan struct{})
		p.do(func() {
			defer close(over)
			if p.onLoop(asked) { // or the window system, of which nothing may be left, would be asked beside it
				p.wait(ctx)
			}
		})
		close(asked)
		select {
		case <-over:
		case <-ctx.Done(): // a loop that has ended does not run it any more
			return
		}
	}
}

// pause leaves the loop running for as long as it may not doze yet, where it may not rest in
// slices. It tells whether it has.
func (p *parking) pause(ctx context.Context) bool {
	left := p.sleepless()
	if left <= 0 {
		return false
	}
	select {
	case <-p.turn:
	case <-time.After(left):
	case <-ctx.Done():
	}
	return true
}

// sleepless is for how long the loop may not doze yet.
func (p *parking) sleepless() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return dozeAfter - time.Since(p.last)
}

// wait is one slice, or one doze.
func (p *parking) wait(ctx context.Context) {
	if !p.idle.Load() {
		return
	}
	if p.doze.Wait != nil && p.sleepless() <= 0 {
		p.sleep()
		return
	}
	slice := time.NewTimer(p.slice)
	defer slice.Stop()
	select {
	case <-p.wake:
	case <-slice.C:
	case <-ctx.Done():
	}
}

// sleep is one doze, unless something was asked for before it began. Whoever asks then sees
// that it has begun, or is seen by it.
func (p *parking) sleep() {
	p.mu.Lock()
	p.dozing = true
	p.mu.Unlock()
	told := false
	select {
	case <-p.wake:
	case <-p.over:
	default:
		begin := time.Now()
		p.doze.Wait(p.doze.Limit)
		told = time.Since(begin) < p.doze.Limit*9/10 // clocks differ
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dozing = false
	if told {
		p.last = time.Now()
	}
}
