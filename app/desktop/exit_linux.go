//go:build !headless

package desktop

/*
#include <stdlib.h>

void apexExits(void);
*/
import "C"

import (
	"context"
	"os"
	"syscall"
)

// told ends when the program has been told to end.
var told context.Context

// outliveDisplay keeps the program alive when its display goes, as it does when a session
// ends: the library that talks to an X server exits then, in the middle of running requests.
// The program ends as with a signal instead, unless it was told to end before. Go's own exit
// does not come by here.
func outliveDisplay(ctx context.Context) {
	told = ctx
	C.atexit((*[0]byte)(C.apexExits))
}

// apexExits is called on the goroutine of the window, which is not needed any more.
//
//export apexExits
func apexExits() {
	if told.Err() == nil {
		_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
	}
	select {}
}
