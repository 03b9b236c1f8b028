//go:build !headless && !linux

package desktop

import "context"

// outliveDisplay does nothing: on other systems a display does not go before the program.
func outliveDisplay(context.Context) {}
