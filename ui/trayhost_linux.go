package ui

import (
	"context"
	"os"
	"path/filepath"

	"github.com/godbus/dbus/v5"
)

const (
	watcherName = "org.kde.StatusNotifierWatcher"
	watcherPath = "/StatusNotifierWatcher"
)

// TrayHost tells whether somebody shows tray icons. GNOME does not without an extension,
// and small window managers often do not; a program that hides its window there could not
// be reached again.
func TrayHost(ctx context.Context) bool {
	if !sessionBus() {
		return false
	}
	// A connection of its own, because the tray closes the shared one when it ends.
	c, err := dbus.ConnectSessionBus(dbus.WithContext(ctx))
	if err != nil {
		return false
	}
	defer c.Close()
	var owned bool
	err = c.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.NameHasOwner", 0, watcherName).Store(&owned)
	if err != nil || !owned {
		return false
	}
	var v dbus.Variant
	err = c.Object(watcherName, watcherPath).CallWithContext(ctx,
		"org.freedesktop.DBus.Properties.Get", 0, watcherName, "IsStatusNotifierHostRegistered").Store(&v)
	hosted, _ := v.Value().(bool)
	return err == nil && hosted
}

// canNotify tells whether there is a way to notifications.
func canNotify() bool { return sessionBus() }

// sessionBus tells whether there is a session bus to connect to. Without one the library
// would start a bus of its own, which outlives the program.
func sessionBus() bool {
	switch os.Getenv("DBUS_SESSION_BUS_ADDRESS") {
	case "":
	case "disabled:":
		return false
	default:
		return true
	}
	dir := os.Getenv("XDG_RUNTIME_DIR")
	if dir == "" {
		return false
	}
	_, err := os.Stat(filepath.Join(dir, "bus"))
	return err == nil
}
