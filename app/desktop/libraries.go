//go:build !headless

package desktop

import (
	"context"
	"io"
	"log"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
)

// libraries is what the libraries below the window print. Most of it is of interest only to
// who looks for a fault: that there is no tray, or that a folder is made at the first start.
type libraries struct {
	log       *slog.Logger
	told      slog.Level  // of the last line
	displayed atomic.Bool // false once the display cannot be used
}

var _ io.Writer = (*libraries)(nil)

// listen has the libraries write to l for the rest of the program's life.
func listen(l *slog.Logger) *libraries {
	out := &libraries{log: l}
	out.displayed.Store(true)
	log.SetFlags(0)
	log.SetOutput(out)
	return out
}

// survive keeps what Fyne runs into without a display from being told with a stack, after
// it has been told in words. It is to be deferred.
func (l *libraries) survive() {
	if !l.displayed.Load() {
		_ = recover()
	}
}

// What is always told: that the display cannot be used, and that the program does not do
// as Fyne wants.
var (
	noDisplay = []string{"Fyne error:  window creation error", "Fyne error:  failed to initialise GLFW"}
	ourFault  = []string{"*** Error in Fyne call thread"}
)

const noWindow = "the window cannot be shown here; the command serve runs the proxy without one"

// drawn tells whether a window can be drawn, which err says, and logs it if none can.
func (l *libraries) drawn(err error) bool {
	if err != nil {
		l.log.Error(noWindow, "why", err)
	}
	return err == nil
}

// Write implements io.Writer. It gets one line at a time; those that are indented belong
// to the one before.
func (l *libraries) Write(p []byte) (int, error) {
	line := string(p)
	begins := func(s string) bool { return strings.HasPrefix(line, s) }
	switch {
	case slices.ContainsFunc(noDisplay, begins):
		if l.displayed.Swap(false) {
			l.log.Error(noWindow)
		}
		l.told = slog.LevelError
	case slices.ContainsFunc(ourFault, begins):
		l.told = slog.LevelError
	case !begins("  "):
		l.told = slog.LevelDebug
	}
	l.log.Log(context.Background(), l.told, "window", "said", strings.Join(strings.Fields(line), " "))
	return len(p), nil
}
