package app

import (
	"errors"
	"syscall"
)

// addressTaken tells whether err says that the port is in use (WSAEADDRINUSE) or
// reserved for somebody else (WSAEACCES).
func addressTaken(err error) bool {
	return errors.Is(err, syscall.Errno(10048)) || errors.Is(err, syscall.Errno(10013))
}
