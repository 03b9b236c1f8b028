//go:build !linux && !darwin && !windows

package proxy

import (
	"context"
	"errors"
	"syscall"
)

// busy tells whether err means that somebody else holds the port.
func busy(err error) bool { return errors.Is(err, syscall.EADDRINUSE) }

// holder is not known on this system.
func holder(context.Context, string) string { return "" }

// reserved tells whether the system keeps the port for itself.
func reserved(error) bool { return false }
