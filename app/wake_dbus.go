//go:build !darwin && !windows

package app

import (
	"context"

	"github.com/godbus/dbus/v5"
)

const login1 = "org.freedesktop.login1"

// wakes tells, until ctx ends, of each time that the computer has woken, as systemd says
// it on the system bus. Where there is no such bus it never does.
func wakes(ctx context.Context) <-chan struct{} {
	woken := make(chan struct{}, 1)
	go func() {
		c, err := dbus.ConnectSystemBus(dbus.WithContext(ctx)) // closed with ctx
		if err != nil {
			return
		}
		defer c.Close()
		signals := make(chan *dbus.Signal, 4)
		c.Signal(signals)
		err = c.AddMatchSignal(dbus.WithMatchSender(login1), dbus.WithMatchObjectPath("/org/freedesktop/login1"),
			dbus.WithMatchInterface(login1+".Manager"), dbus.WithMatchMember("PrepareForSleep"))
		if err != nil {
			return
		}
		for s := range signals {
			if s.Name != login1+".Manager.PrepareForSleep" || len(s.Body) != 1 || s.Body[0] != false {
				continue // it is about to sleep
			}
			select {
			case woken <- struct{}{}:
			default:
			}
		}
	}()
	return woken
}
