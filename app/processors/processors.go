// Package processors has the program run on one processor for as long as that is enough.
//
// What a proxy does for a request takes microseconds, most of them waiting for the network. On
// several processors the runtime wakes a second thread for each of these moments, which looks
// for work, finds that it is done already, and goes back to sleep: at more cost than the work.
// One processor is enough for thousands of requests a second. When it is used up, a window is
// drawn, or so many requests run that their moments fall together and would wait for one another,
// there are all again. On a busy machine other programs take their part of it; that too little is
// left shows in how much waits for it.
package processors

import (
	"os"
	"runtime"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"time"
)

// How the use of processors is looked at, while anything is done.
const (
	lookEvery = 100 * time.Millisecond
	fullAfter = 2  // looks in a row at which one processor is too little, until there are all
	calmAfter = 20 // looks in a row at which half of one would do, until there is one again
	restAfter = 10 // looks in a row at which nothing was done, until there are no more looks
)

// Of one processor, how much is used.
const (
	full = 0.9
	calm = 0.5
	none = 0.01
)

// crowd is how many goroutines wait for a processor when there is too little of it.
const crowd = 32

// many is how many requests run when they often do something at the same moment.
const many = 32

// Governor decides how many processors the program uses. A nil *Governor leaves it to the runtime.
type Governor struct {
	used    func() (time.Duration, error) // processor time of the program so far
	waiting func() int                    // goroutines that wait for a processor
	limit   func(all bool)                // sets how many processors are used
	running func() int                    // requests, nil before it is known

	busy atomic.Bool // something was done since the last look

	setting sync.Mutex // held while they are set, which waits until a garbage collection ends

	mu     sync.Mutex // never held for long; taken after setting
	timer  *time.Timer
	awake  bool // the timer runs
	closed bool
	seen   bool // a window is
	all    bool // processors are in use

	at, spent       time.Duration // when the last look was, and what had been used by then
	start           time.Time
	hot, cool, idle int // looks in a row
}

// Govern takes the program down to one processor. It returns nil where nothing is to be governed:
// the user has said how many there are to be (GOMAXPROCS), or there is only one.
func Govern() *Governor {
	if os.Getenv("GOMAXPROCS") != "" || runtime.GOMAXPROCS(0) == 1 {
		return nil
	}
	if _, err := processorTime(); err != nil {
		return nil
	}
	return New(processorTime, runnable(), func(all bool) {
		if all {
			runtime.SetDefaultGOMAXPROCS()
		} else {
			runtime.GOMAXPROCS(1)
		}
	})
}

// runnable counts the goroutines that wait for a processor; one call at a time.
func runnable() func() int {
	s := []metrics.Sample{{Name: "/sched/goroutines/runnable:goroutines"}}
	return func() int {
		metrics.Read(s)
		if s[0].Value.Kind() != metrics.KindUint64 {
			return 0
		}
		return int(s[0].Value.Uint64())
	}
}

// New takes a program down to one processor, with limit. used is the processor time that it has
// taken so far; after an error there are all processors for good. waiting is how many goroutines
// wait for a processor.
func New(used func() (time.Duration, error), waiting func() int, limit func(all bool)) *Governor {
	g := &Governor{used: used, waiting: waiting, limit: limit, start: time.Now()}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.timer = time.AfterFunc(lookEvery, g.look)
	g.timer.Stop() // until something is done
	g.limit(false)
	return g
}

// Busy says that something is being done. It costs next to nothing, and may be called from any
// goroutine.
func (g *Governor) Busy() {
	if g == nil || g.busy.Load() {
		return
	}
	g.busy.Store(true)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.wake(lookEvery)
}

// Serves tells how many requests run. It must be called before anything is done.
func (g *Governor) Serves(running func() int) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running = running
}

// Seen says whether a window is, which is drawn on all processors. It does not wait for them.
func (g *Governor) Seen(seen bool) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.seen != seen {
		g.seen = seen
		g.wake(0)
	}
}

// wake has the governor look again, from a time from now on. g.mu is held.
func (g *Governor) wake(after time.Duration) {
	if g.closed || g.awake && after > 0 {
		return
	}
	if !g.awake {
		g.awake, g.hot, g.cool = true, 0, 0
		g.at = time.Since(g.start)
		g.spent, _ = g.used()
	}
	g.idle = 0
	g.timer.Reset(after)
}

// Close gives the program all processors again.
func (g *Governor) Close() {
	if g == nil {
		return
	}
	g.settle(func() {
		g.timer.Stop()
		g.all, g.closed = true, true
	})
}

// look decides, and looks again later if there is reason to.
func (g *Governor) look() { g.settle(g.decide) }

// settle has as many processors used as are decided on.
func (g *Governor) settle(decide func()) {
	g.setting.Lock()
	defer g.setting.Unlock()
	g.mu.Lock()
	before := g.all
	decide()
	all := g.all
	g.mu.Unlock()
	if all != before {
		g.limit(all)
	}
}

// decide decides by what was used since the last look. g.mu is held.
func (g *Governor) decide() {
	if g.closed {
		return
	}
	busy := g.busy.Swap(false) // with g.mu held: who is busy from now on sees what is decided
	now := time.Since(g.start)
	spent, err := g.used()
	if err != nil { // it was known once
		g.all, g.closed = true, true
		return
	}
	share := float64(spent-g.spent) / float64(max(now-g.at, 1))
	g.at, g.spent = now, spent
	crowded := g.waiting() >= crowd || g.running != nil && g.running() >= many
	count(&g.hot, share >= full || crowded)
	count(&g.cool, share < calm && !crowded)
	count(&g.idle, share < none && !busy)
	switch {
	case g.seen || g.hot >= fullAfter:
		g.all = true
	case g.cool >= calmAfter:
		g.all = false
	}
	if g.idle >= restAfter && (g.seen || !g.all) {
		g.awake = false
		return
	}
	g.timer.Reset(lookEvery)
}

// count counts how many times in a row something was so.
func count(n *int, so bool) {
	if so {
		*n++
	} else {
		*n = 0
	}
}
