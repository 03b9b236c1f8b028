//go:build !windows

package app

import (
	"errors"
	"syscall"
)

// addressTaken tells whether err says that the port is in use.
func addressTaken(err error) bool { return errors.Is(err, syscall.EADDRINUSE) }
