package proxy

import (
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// keepAliveAfter is how long a client's stream may be silent before it is sent something.
const keepAliveAfter = 15 * time.Second

// watch notices when a stream falls silent. Marking the arrival of bytes costs one
// atomic store; the timer looks at the mark only when it fires.
type watch struct {
	start time.Time
	last  atomic.Int64 // when bytes last came, since start

	idle   time.Duration // silence that ends the stream, 0 for none
	onIdle func()

	alive   time.Duration // silence after which onAlive is called, 0 for never
	onAlive func()
	pinged  int64 // when onAlive was last called

	mu      sync.Mutex
	timer   *time.Timer
	stopped bool
}

// begin starts watching; rest or stop must follow.
func (w *watch) begin(start time.Time) {
	w.start = start
	w.last.Store(int64(time.Since(start)))
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.idle > 0 {
		w.timer = time.AfterFunc(w.idle, w.look)
	}
}

// rest ends watching until the next begin, while nothing can come: the wait for the head of
// an answer has a limit of its own.
func (w *watch) rest() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil {
		w.timer.Stop()
		w.timer = nil
	}
}

// reset makes a watch that was stopped fit for another stream.
func (w *watch) reset(idle time.Duration, onIdle func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.idle, w.onIdle = idle, onIdle
	w.alive, w.onAlive, w.pinged = 0, nil, 0
	w.timer, w.stopped = nil, false
}

// keepAlive makes the watch call f whenever the stream was silent for that long.
func (w *watch) keepAlive(after time.Duration, f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.alive, w.onAlive = after, f
	now := int64(time.Since(w.start))
	w.pinged = now
	if w.timer == nil {
		w.timer = time.AfterFunc(after, w.look)
		return
	}
	w.timer.Reset(w.next(now))
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
	if w.stopped || w.timer == nil {
		return
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
	w.timer.Reset(w.next(now))
}

// stop ends the watch. After it returns no callback runs.
func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = true
	if w.timer != nil {
		w.timer.Stop()
	}
}
