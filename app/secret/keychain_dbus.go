//go:build !darwin && !windows

package secret

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/godbus/dbus/v5"
)

// available tells whether there is a session bus to ask. Without one the D-Bus library
// would start a bus of its own, which outlives the program and has an empty keychain.
func available() error {
	return busAt(os.Getenv("DBUS_SESSION_BUS_ADDRESS"), filepath.Join("/run/user", strconv.Itoa(os.Getuid())))
}

// busAt looks where the library looks.
func busAt(address, runtimeDir string) error {
	switch address {
	case "", "autolaunch:":
	case "disabled:": // what a session without a bus calls it
		return ErrNoService
	default:
		return nil
	}
	for _, name := range []string{"bus", "dbus-session"} {
		if _, err := os.Stat(filepath.Join(runtimeDir, name)); err == nil {
			return nil
		}
	}
	return ErrNoService
}

// The collections that the library keeps secrets in, the one it prefers first.
var collections = []dbus.ObjectPath{"/org/freedesktop/secrets/collection/login", "/org/freedesktop/secrets/aliases/default"}

// unlocked tells whether there is a Secret Service with its keychain open. It starts none.
func unlocked(ctx context.Context) bool {
	if available() != nil {
		return false
	}
	c, err := dbus.ConnectSessionBus(dbus.WithContext(ctx))
	if err != nil {
		return false
	}
	defer c.Close()
	for _, path := range collections {
		var locked dbus.Variant
		err := c.Object("org.freedesktop.secrets", path).CallWithContext(ctx, "org.freedesktop.DBus.Properties.Get",
			dbus.FlagNoAutoStart, "org.freedesktop.Secret.Collection", "Locked").Store(&locked)
		if is, known := locked.Value().(bool); err == nil && known {
			return !is
		}
	}
	return false
}

// classify names the state that an error of the Secret Service or the bus stands for,
// nil when none does.
func classify(err error) error {
	var unreachable *net.OpError
	if errors.As(err, &unreachable) {
		return ErrNoService
	}
	var onBus dbus.Error
	if errors.As(err, &onBus) {
		return classifyName(onBus.Name)
	}
	// The library has no error value for a dialog that was dismissed or could not be shown.
	if strings.Contains(err.Error(), "failed to unlock") {
		return ErrLocked
	}
	return nil
}

func classifyName(name string) error {
	switch name {
	case "org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner",
		"org.freedesktop.DBus.Error.NoServer", "org.freedesktop.DBus.Error.Disconnected":
		return ErrNoService
	case "org.freedesktop.DBus.Error.AccessDenied", "org.freedesktop.DBus.Error.AuthFailed":
		return ErrDenied
	case "org.freedesktop.DBus.Error.NoReply", "org.freedesktop.DBus.Error.TimedOut", "org.freedesktop.DBus.Error.Timeout":
		return ErrBusy
	case "org.freedesktop.Secret.Error.IsLocked":
		return ErrLocked
	}
	if strings.HasPrefix(name, "org.freedesktop.DBus.Error.Spawn.") {
		return ErrNoService
	}
	return nil
}
