package ui

import (
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
		p := newParking(func(f func()) { f() }, time.Second)
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
