package secret

import (
	"context"
	"errors"
	"io/fs"
	"os/exec"
)

// open leaves it to the system to open the keychain when it is asked for a secret.
func open() error { return nil }

// unlocked is not known without a dialog.
func unlocked(context.Context) bool { return false }

// classify reads the exit code of the system's security tool: the last byte of the
// Security framework's status.
func classify(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNoService
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return nil
	}
	switch exit.ExitCode() {
	case 36: // errSecInteractionNotAllowed, -25308: locked, and no dialog may be shown
		return ErrLocked
	case 37, 50: // errSecNoDefaultKeychain, -25307; errSecNoSuchKeychain, -25294
		return ErrNoService
	case 44: // errSecItemNotFound, -25300
		return ErrMissing
	case 51, 128: // errSecAuthFailed, -25293; errSecUserCanceled, -128
		return ErrDenied
	}
	return nil
}
