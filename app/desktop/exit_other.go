//go:build !headless && !linux

package desktop

import "context"

// outliveDisplay does nothing: on other systems a display does not go before the program.
func outliveDisplay(context.Context) {}

// attendDisplay does nothing: Fyne's window for the tray is told.
func attendDisplay(func()) {}

// drawable tells that a window can be drawn: Fyne's for the tray was.
func drawable() error { return nil }
