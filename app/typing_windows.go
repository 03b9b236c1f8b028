package app

import (
	"os"

	"golang.org/x/sys/windows"
)

// isTerminal asks the system, because a console has no file's identity by which it differs
// from NUL.
func isTerminal(f *os.File) bool {
	var mode uint32
	return windows.GetConsoleMode(windows.Handle(f.Fd()), &mode) == nil
}

// hideTyping stops the console from showing what is typed; nil when it cannot. The result
// undoes it.
func hideTyping(console *os.File) (undo func()) {
	h := windows.Handle(console.Fd())
	var mode uint32
	if windows.GetConsoleMode(h, &mode) != nil || windows.SetConsoleMode(h, mode&^windows.ENABLE_ECHO_INPUT) != nil {
		return nil
	}
	return func() { _ = windows.SetConsoleMode(h, mode) }
}
