//go:build !windows

package app

import (
	"errors"
	"syscall"
)

// errTaken is what the system says of a port that is in use.
const errTaken = syscall.EADDRINUSE

// addressTaken tells whether err says that the port is in use.
func addressTaken(err error) bool { return errors.Is(err, errTaken) }
