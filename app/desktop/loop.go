//go:build !headless

package desktop

import (
	"fmt"
	"os"
	"runtime/debug"
	"time"
)

// endLimit is how long the toolkit's event loop may take to end once it is told to.
//
// It can fail to: what it queues for itself at the end is lost when that comes a moment
// too late, and is then waited for without end.
const endLimit = 3 * time.Second

// calls are the functions to be run on the main goroutine.
var calls = make(chan func())

// Main calls exit with what program returns. The program runs beside the main
// goroutine, which is left to the user interface: it must be the one that a window belongs
// to, and it must not be the one whose end the program depends on.
func Main(program func() int, exit func(code int)) {
	go func() { exit(program()) }()
	for f := range calls {
		f()
	}
}

// onMain runs f on the main goroutine.
func onMain(f func()) {
	done := make(chan struct{})
	calls <- func() {
		defer close(done)
		f()
	}
	<-done
}

// loop runs an event loop on the main goroutine until it returns, or until it was told to
// end and has not done so for a time.
func loop(run func(), told <-chan struct{}, limit time.Duration) {
	over := make(chan struct{})
	calls <- func() {
		defer close(over)
		defer survive(told)
		run()
	}
	select {
	case <-over:
		return
	case <-told:
	}
	select {
	case <-over:
	case <-time.After(limit): // going on without it
	}
}

// survive keeps a fault of the toolkit that shows as it ends from cutting the requests
// that still run.
func survive(told <-chan struct{}) {
	select {
	case <-told:
		if fault := recover(); fault != nil {
			fmt.Fprintf(os.Stderr, "%s: the window ended with a fault: %v\n%s", Name, fault, debug.Stack())
		}
	default:
	}
}
