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
// such as a click in the tray, is late by no more than that.
//
// The slices are queued from a goroutine of their own and not by one another: a loop that
// is about to end must not be kept by them.
type parking struct {
	do    func(func()) // on Fyne's goroutine
	slice time.Duration
	idle  atomic.Bool   // nothing can be seen
	turn  chan struct{} // idle has changed
	wake  chan struct{} // something is to be done

	started atomic.Bool   // the loop runs, or has run
	over    chan struct{} // closed when it has ended
	end     sync.Once
}

func newParking(do func(func()), slice time.Duration) *parking {
	return &parking{do: do, slice: slice, turn: make(chan struct{}, 1), wake: make(chan struct{}, 1), over: make(chan struct{})}
}

// Do runs f on Fyne's goroutine, which does not finish its slice first.
//
// A loop that is ending runs f on the goroutine that asks, beside others who ask, for which
// nothing in a user interface is made. What is asked for by then is dropped: f waits until
// its asking has returned, and on the asking goroutine it never does. That is rare, because
// nothing is asked of a loop any more once it is told to end; so the wait may be long.
func (p *parking) Do(f func()) {
	defer signal(p.wake)
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
		select {
		case <-asked:
			f()
		case <-p.over:
		case <-time.After(askLimitOfLoop):
		}
	})
	close(asked)
}

// askLimitOfLoop bounds the wait, for what the end of the loop itself waits for.
const askLimitOfLoop = 2 * time.Second

// ended says that the loop has ended, or is about to. It may be called more than once.
func (p *parking) ended() { p.end.Do(func() { close(p.over) }) }

// set says whether there is nothing to be seen. It may be called from any goroutine.
func (p *parking) set(idle bool) {
	if p.idle.Swap(idle) == idle {
		return
	}
	signal(p.turn)
	signal(p.wake)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// run parks the loop whenever there is nothing to be seen, until ctx ends.
func (p *parking) run(ctx context.Context) {
	for {
		if !p.idle.Load() {
			select {
			case <-p.turn:
				continue
			case <-ctx.Done():
				return
			}
		}
		over := make(chan struct{})
		p.do(func() {
			defer close(over)
			p.wait(ctx)
		})
		select {
		case <-over:
		case <-ctx.Done(): // a loop that has ended does not run it any more
			return
		}
	}
}

// wait is one slice.
func (p *parking) wait(ctx context.Context) {
	if !p.idle.Load() {
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
