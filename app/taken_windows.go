package app

import (
	"errors"

	"golang.org/x/sys/windows"
)

// What the system says of a port that is in use, or reserved for somebody else.
const (
	errTaken    = windows.WSAEADDRINUSE
	errReserved = windows.WSAEACCES
)

// addressTaken tells whether err says that the port is not to be had.
func addressTaken(err error) bool {
	return errors.Is(err, errTaken) || errors.Is(err, errReserved)
}
