package proxy

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestBeat: the beat goes on while exchanges begin, rests when none has for a while, begins
// anew with the next one, and ends with the run.
func TestBeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRun()
		beats := func() bool {
			synctest.Wait()
			r.mu.Lock()
			defer r.mu.Unlock()
			return r.since >= 0
		}
		exchange := func() { r.begin(); r.end() }
		if beats() {
			t.Error("it beats before the first exchange")
		}
		for range 20 {
			exchange()
			time.Sleep(beatEvery / 3)
			if !beats() {
				t.Fatal("it does not beat while exchanges begin")
			}
		}
		time.Sleep(2 * beatEvery)
		if beats() {
			t.Error("it beats although nothing happens")
		}
		exchange()
		if !beats() {
			t.Error("it does not begin anew")
		}
		r.halt()
		if r.beat.Stop() {
			t.Error("it goes on when the run halts")
		}
	})
}
