//go:build !headless

package desktop

import (
	"testing"
	"testing/synctest"
	"time"
)

// inMain is onMain's other side for a test.
func inMain(t *testing.T) {
	old := calls
	calls = make(chan func())
	mine := calls
	go func() {
		for f := range mine {
			f()
		}
	}()
	t.Cleanup(func() { close(mine); calls = old })
}

func TestLoopEnds(t *testing.T) {
	for name, c := range map[string]struct {
		run   func(told, test chan struct{})
		quits bool
		takes time.Duration
	}{
		"by itself":          {func(_, _ chan struct{}) {}, false, 0},
		"when told":          {func(told, _ chan struct{}) { <-told }, true, 0},
		"a little later":     {func(told, _ chan struct{}) { <-told; time.Sleep(time.Second) }, true, time.Second},
		"never":              {func(_, test chan struct{}) { <-test }, true, endLimit},
		"with a fault":       {func(told, _ chan struct{}) { <-told; panic("no watcher") }, true, 0},
		"long after a start": {func(told, _ chan struct{}) { time.Sleep(time.Hour) }, false, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				inMain(t)
				told, test := make(chan struct{}), make(chan struct{})
				defer close(test)
				if c.quits {
					close(told)
				}
				start := time.Now()
				loop(func() { c.run(told, test) }, told, endLimit)
				if took := time.Since(start); took != c.takes {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

func TestOnMainWaits(t *testing.T) {
	inMain(t)
	ran := false
	onMain(func() { ran = true })
	if !ran {
		t.Error("it did not run")
	}
}
