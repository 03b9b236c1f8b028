//go:build !headless

package desktop

import (
	"runtime"
	"time"

	"github.com/go-gl/glfw/v3.4/glfw"

	"apex-ai-proxy/ui"
)

// slice is for how long Fyne's event loop may rest at a time while nothing can be seen.
// On a Mac it serves the menu bar too, so it must not.
func slice() time.Duration {
	if runtime.GOOS == "darwin" {
		return 0
	}
	return 250 * time.Millisecond
}

// doze has the library below Fyne wait for the window system. Fyne has it polled, and it does
// the same with what has come in both.
func doze() ui.Doze {
	return ui.Doze{
		Wait:  func(limit time.Duration) { glfw.WaitEventsTimeout(limit.Seconds()) },
		Rouse: glfw.PostEmptyEvent,
		Limit: dozeLimit(),
	}
}

// dozeLimit is for how long the loop may wait at a time. A Mac sees to some things, such as
// being told to quit, without saying that it has.
func dozeLimit() time.Duration {
	if runtime.GOOS == "darwin" {
		return time.Second
	}
	return time.Minute
}
