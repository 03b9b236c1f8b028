package proxy

import (
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// keepAliveAfter is how long a client's stream may be silent before it is sent something.
const keepAliveAfter = 15 * time.Second

// watch notices when the head of an answer does not come, and when a stream falls silent.
// Marking the arrival of bytes costs one atomic store; the timer, one for an exchange, looks at
// the mark only when it fires. One that fires too early is set again.
type watch struct {
	start time.Time
	last  atomic.Int64 // when bytes last came, since start

	due    time.Time // when the head of an answer is late
	onLate func()

	idle   time.Duration // silence that ends the stream, 0 for none
	onIdle func()

	alive   time.Duration // silence after which onAlive is called, 0 for never
	onAlive func()
	pinged  int64 // when onAlive was last called

	mu    sync.Mutex
	state watchState
	timer *time.Timer
	fires time.Time // when the timer fires, zero when it does not
}

// watchState is what a watch looks at.
type watchState uint8

const (
	resting watchState = iota
	awaiting
	watching
	stopped
)

// await watches for the head of an answer, which must come within limit; rest, begin or stop
// must follow.
func (w *watch) await(limit time.Duration, onLate func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state, w.onLate, w.due = awaiting, onLate, time.Now().Add(limit)
	w.set(limit, w.due)
}

// begin watches for silence; rest or stop must follow.
func (w *watch) begin(start time.Time) {
	w.start = start
	now := time.Since(start)
	w.last.Store(int64(now))
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state = watching
	if w.idle <= 0 {
		w.unset()
	} else if end := start.Add(now + w.idle); w.fires.IsZero() || end.Before(w.fires) {
		w.set(w.idle, end)
	}
}

// rest ends watching until the next await or begin, while nothing can come.
func (w *watch) rest() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state = resting
	w.unset()
}

// set makes the timer fire after d, which is at a time.
func (w *watch) set(d time.Duration, at time.Time) {
	w.fires = at
	if w.timer == nil {
		w.timer = time.AfterFunc(d, w.look)
	} else {
		w.timer.Reset(d)
	}
}

func (w *watch) unset() {
	w.fires = time.Time{}
	if w.timer != nil {
		w.timer.Stop()
	}
}

// reset makes a watch that was stopped fit for another stream.
func (w *watch) reset(idle time.Duration, onIdle func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.idle, w.onIdle = idle, onIdle
	w.alive, w.onAlive, w.pinged = 0, nil, 0
	w.state, w.onLate = resting, nil
}

// keepAlive makes the watch call f whenever the stream was silent for that long.
func (w *watch) keepAlive(after time.Duration, f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.alive, w.onAlive = after, f
	now := int64(time.Since(w.start))
	w.pinged = now
	w.again(now)
}

// touch marks that bytes came.
func (w *watch) touch() { w.last.Store(int64(time.Since(w.start))) }

// sinceStart is when bytes last came.
func (w *watch) sinceStart() time.Duration { return time.Duration(w.last.Load()) }

// watched marks the watch with every read.
type watched struct {
	io.ReadCloser
	w *watch
}

func (b *watched) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.w.touch()
	return n, err
}

// next is how long nothing need be looked at.
func (w *watch) next(now int64) time.Duration {
	last := w.last.Load()
	wait := time.Duration(-1)
	if w.idle > 0 {
		wait = w.idle - time.Duration(now-last)
	}
	if w.alive > 0 {
		if a := w.alive - time.Duration(now-max(last, w.pinged)); wait < 0 || a < wait {
			wait = a
		}
	}
	return max(wait, time.Millisecond)
}

func (w *watch) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fires = time.Time{}
	switch w.state {
	case resting, stopped:
		return
	case awaiting:
		if left := time.Until(w.due); left > 0 {
			w.set(left, w.due)
		} else {
			w.onLate()
		}
		return
	case watching:
	}
	now := int64(time.Since(w.start))
	last := w.last.Load()
	if w.idle > 0 && time.Duration(now-last) >= w.idle {
		w.onIdle()
		return
	}
	if w.alive > 0 && time.Duration(now-max(last, w.pinged)) >= w.alive {
		w.pinged = now
		w.onAlive()
	}
	w.again(now)
}

// again sets the timer for the next look, if there is anything to look at.
func (w *watch) again(now int64) {
	if w.idle > 0 || w.alive > 0 {
		wait := w.next(now)
		w.set(wait, w.start.Add(time.Duration(now)+wait))
	}
}

// stop ends the watch. After it returns no callback runs.
func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state = stopped
	w.unset()
}
