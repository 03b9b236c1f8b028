//go:build darwin || windows

package app

import "context"

// wakes never tells: the clock does.
func wakes(context.Context) <-chan struct{} { return nil }
