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

const (
	secretService    = "org.freedesktop.secrets"
	secretInterface  = "org.freedesktop.Secret.Service"
	promptInterface  = "org.freedesktop.Secret.Prompt"
	ownerChanged     = "NameOwnerChanged"
	noPrompt         = dbus.ObjectPath("/")
	secretServiceAt  = dbus.ObjectPath("/org/freedesktop/secrets")
	promptsAtOnce    = 16 // signals that may wait to be looked at
	getProperty      = "org.freedesktop.DBus.Properties.Get"
	collectionLocked = "Locked"
)

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
	_, locked, err := collection(ctx, c, dbus.FlagNoAutoStart)
	return err == nil && !locked
}

// collection is the one that secrets are in.
func collection(ctx context.Context, c *dbus.Conn, flags dbus.Flags) (path dbus.ObjectPath, locked bool, err error) {
	for _, path := range collections {
		var v dbus.Variant
		err = c.Object(secretService, path).CallWithContext(ctx, getProperty, flags, "org.freedesktop.Secret.Collection", collectionLocked).Store(&v)
		if is, known := v.Value().(bool); err == nil && known {
			return path, is, nil
		}
	}
	return "", false, errors.Join(err, ErrMissing)
}

// open opens the keychain, for which the system may ask the user; it returns when they have
// answered. The library would do so too, but takes whatever comes over its connection,
// which is the one of the tray as well, for the answer.
func open() error {
	if err := available(); err != nil {
		return err
	}
	c, err := dbus.ConnectSessionBus() // of its own
	if err != nil {
		return nil // the library finds out the same, and says it
	}
	defer c.Close()
	path, locked, err := collection(context.Background(), c, 0)
	if err != nil || !locked {
		return nil // nothing to be opened: the library knows what to do
	}
	var done []dbus.ObjectPath
	var prompt dbus.ObjectPath
	err = c.Object(secretService, secretServiceAt).Call(secretInterface+".Unlock", 0, []dbus.ObjectPath{path}).Store(&done, &prompt)
	if err != nil || prompt == noPrompt {
		return err
	}
	return answered(c, prompt)
}

// answered shows a dialog of the Secret Service and waits until the user has answered it.
func answered(c *dbus.Conn, prompt dbus.ObjectPath) error {
	signals := make(chan *dbus.Signal, promptsAtOnce)
	c.Signal(signals)
	err := errors.Join(
		c.AddMatchSignal(dbus.WithMatchObjectPath(prompt), dbus.WithMatchInterface(promptInterface)),
		c.AddMatchSignal(dbus.WithMatchSender("org.freedesktop.DBus"), dbus.WithMatchMember(ownerChanged), dbus.WithMatchArg(0, secretService)),
		c.Object(secretService, prompt).Call(promptInterface+".Prompt", 0, "").Err)
	if err != nil {
		return err
	}
	for s := range signals {
		switch {
		case s.Path == prompt && s.Name == promptInterface+".Completed" && len(s.Body) > 0:
			if s.Body[0] == true { // dismissed
				return ErrLocked
			}
			return nil
		case s.Name == "org.freedesktop.DBus."+ownerChanged:
			return ErrNoService
		}
	}
	return ErrNoService
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
