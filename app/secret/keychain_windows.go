package secret

import (
	"context"
	"errors"
	"syscall"
)

// open leaves it to the system to open the keychain when it is asked for a secret.
func open() error { return nil }

// unlocked is not known without a dialog.
func unlocked(context.Context) bool { return false }

// classify reads the error numbers of Credential Manager.
func classify(err error) error {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return nil
	}
	switch errno {
	case 5: // ERROR_ACCESS_DENIED
		return ErrDenied
	case 1312, 1004: // ERROR_NO_SUCH_LOGON_SESSION, ERROR_INVALID_FLAGS of a session without a profile
		return ErrNoService
	case 1783: // RPC_X_BAD_STUB_DATA: a value over the limit
		return ErrTooLarge
	}
	return nil
}
