//go:build !headless

package desktop

/*
#include <stdlib.h>

void apexExits(void);
*/
import "C"

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"

	"github.com/go-gl/glfw/v3.4/glfw"
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

// attendDisplay calls f when the display asks the program to end, as a Wayland compositor does
// that ends itself: each window is told, so there must always be one. This one has nothing to
// draw with. It must be called on Fyne's goroutine while its loop runs.
func attendDisplay(f func()) {
	glfw.DefaultWindowHints()
	defer glfw.DefaultWindowHints()
	glfw.WindowHint(glfw.ClientAPI, glfw.NoAPI)
	glfw.WindowHint(glfw.Visible, glfw.False)
	if w, err := glfw.CreateWindow(1, 1, Name, nil, nil); err == nil && w != nil {
		w.SetCloseCallback(func(*glfw.Window) { f() })
	}
}

var errNoDrawing = errors.New("the display makes no window")

// drawable tells why the display can draw no window, nil if it can, by making one like Fyne's.
// Fyne ends the program when it fails to make its own, in the middle of running requests, and
// while only the icon is to be seen nothing has been tried yet. It must be called on Fyne's
// goroutine.
func drawable() (err error) {
	defer func() {
		if fault := recover(); fault != nil { // it returns some failures, and panics with the others
			err = fmt.Errorf("%v", fault)
		}
	}()
	glfw.DefaultWindowHints()
	defer glfw.DefaultWindowHints()
	glfw.WindowHint(glfw.Visible, glfw.False)
	glfw.WindowHint(glfw.ContextVersionMajor, 2)
	if strings.HasPrefix(runtime.GOARCH, "arm") { // as Fyne chooses
		glfw.WindowHint(glfw.ClientAPI, glfw.OpenGLESAPI)
	} else {
		glfw.WindowHint(glfw.ContextVersionMinor, 1)
	}
	w, err := glfw.CreateWindow(1, 1, Name, nil, nil)
	switch {
	case err != nil:
		return err
	case w == nil: // the library has said why
		return errNoDrawing
	}
	w.Destroy()
	return nil
}
