package proxy

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// keepAliveAfter is how long a client's stream may usually be silent before it is sent something.
const keepAliveAfter = 15 * time.Second

// watch notices when the head of an answer does not come, and when a stream falls silent.
// Marking the arrival of bytes costs one atomic store; the timer, one for an exchange, looks at
// the mark only when it fires. One that fires too early is set again.
type watch struct {
	start time.Time
	last  atomic.Int64 // when bytes last came, since start

	due    time.Time // when the head of an answer is late
	onLate func()

	idle    time.Duration // silence that ends the stream, 0 for none
	onIdle  func(error)   // with errStreamIdle, or with errClientSlow
	rc      *http.ResponseController
	reading atomic.Bool // bytes are waited for; else the client is, to take those that came
	slow    int64       // when the client was last seen to be waited for, since start
	cut     bool        // the client is sent away, as it takes nothing

	alive   time.Duration // the upstream's silence after which onAlive is called, 0 for never
	onAlive func()
	pinged  int64 // when onAlive was last called, or would have been
	sending bool  // onAlive has not come back: the client is waited for since pinged
	took    int64 // when onAlive last came back

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
		return
	}
	wait := w.idle / looks
	if end := start.Add(now + wait); w.fires.IsZero() || end.Before(w.fires) {
		w.set(wait, end)
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

// reset makes a watch that was stopped fit for another stream, to the client behind rc.
func (w *watch) reset(idle time.Duration, onIdle func(error), rc *http.ResponseController) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.idle, w.onIdle, w.rc = idle, onIdle, rc
	w.alive, w.onAlive, w.pinged, w.took, w.slow, w.cut = 0, nil, 0, 0, 0, false
	w.state, w.onLate = resting, nil
}

// keepAlive makes the watch call f whenever the stream was silent for that long. f may take as
// long as the client does; it may still run, or begin, while the watch is stopped.
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
	b.w.reading.Store(true)
	n, err := b.ReadCloser.Read(p)
	b.w.reading.Store(false)
	b.w.touch()
	return n, err
}

// looks is how often silence is looked at before it ends a stream. What a client that was slow
// left of it counts from the next look on.
const looks = 8

// next is how long nothing need be looked at.
func (w *watch) next(now int64) time.Duration {
	last := w.last.Load()
	wait := time.Duration(-1)
	if w.idle > 0 {
		wait = min(w.idle/looks, w.idle-time.Duration(now-max(last, w.slow)))
	}
	if w.alive > 0 && !w.sending {
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
	if w.idle > 0 {
		if err := w.silence(now, last); err != nil {
			w.onIdle(err)
			if errors.Is(err, errClientSlow) {
				w.cutOff()
				return
			}
			w.slow = now // the client is to hear of it, and may take its time
		}
	}
	if w.alive > 0 && !w.sending && time.Duration(now-max(last, w.pinged)) >= w.alive {
		w.pinged = now
		if w.reading.Load() { // else something is on its way to the client, and waits for it
			w.ping(now)
			return
		}
	}
	w.again(now)
}

// ping calls onAlive. The watch goes on meanwhile: a client that takes nothing holds it up.
func (w *watch) ping(now int64) {
	w.sending = true
	if w.idle > 0 {
		w.again(now)
	}
	f := w.onAlive
	w.mu.Unlock()
	f()
	w.mu.Lock()
	w.sending = false
	w.took = int64(time.Since(w.start))
	if w.state == watching {
		w.again(w.took)
	}
}

// cutOff ends what is being written to a client that takes nothing, in as much time again: one
// that comes back until then is told why its stream ends. The server takes the deadline back.
func (w *watch) cutOff() {
	w.cut = true
	if w.rc != nil {
		_ = w.rc.SetWriteDeadline(time.Now().Add(w.idle)) // where there is no connection, nobody is slow
	}
}

// sentAway tells whether the client was cut off, whatever ended the exchange first.
func (w *watch) sentAway() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cut
}

// silence tells who has been silent for too long: the upstream, or a client that does not take
// what came, or what keeps its stream alive.
func (w *watch) silence(now, last int64) error {
	since := max(last, w.took)
	if w.sending {
		since = w.pinged
	} else if w.reading.Load() {
		if time.Duration(now-max(last, w.slow)) >= w.idle {
			return errStreamIdle
		}
		return nil
	}
	if time.Duration(now-since) >= w.idle {
		return errClientSlow
	}
	w.slow = now + int64(w.idle/looks) // it may be over any moment before the next look
	return nil
}

// again sets the timer for the next look, if there is anything to look at.
func (w *watch) again(now int64) {
	if w.idle > 0 || w.alive > 0 {
		wait := w.next(now)
		w.set(wait, w.start.Add(time.Duration(now)+wait))
	}
}

// stop ends the watch. After it returns no callback runs but onAlive.
func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state = stopped
	w.unset()
}
