package app

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

const openBus = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path=%s/bus</listen>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`

// systemBus is a system bus for this test.
func systemBus(t *testing.T) *dbus.Conn {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "apex") // short: the path of a socket has a limit
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	config := filepath.Join(dir, "bus.conf")
	must(t, os.WriteFile(config, fmt.Appendf(nil, openBus, dir), 0o600))
	cmd := exec.CommandContext(t.Context(), "dbus-daemon", "--nofork", "--print-address=1", "--config-file="+config)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	must(t, err)
	if err := cmd.Start(); err != nil {
		t.Fatalf("dbus-daemon is needed to test against a bus: install the package dbus: %v", err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	address, err := bufio.NewReader(out).ReadString('\n')
	must(t, err)
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", strings.TrimSpace(address))
	c, err := dbus.Connect(strings.TrimSpace(address))
	must(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// TestWakesAsSystemdSays: the moment before the sleep is none, and nobody but systemd is
// believed.
func TestWakesAsSystemdSays(t *testing.T) {
	systemd := systemBus(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	woken := wakes(ctx)
	say := func(sleeps bool) {
		t.Helper()
		must(t, systemd.Emit("/org/freedesktop/login1", "org.freedesktop.login1.Manager.PrepareForSleep", sleeps))
	}
	heard := func(wait time.Duration) bool {
		select {
		case <-woken:
			return true
		case <-time.After(wait):
			return false
		}
	}
	_, err := systemd.RequestName(login1, dbus.NameFlagDoNotQueue)
	must(t, err)
	until(t, "the end of the sleep to be heard", func() bool { // as soon as it listens
		say(false)
		return heard(time.Second) // rather than to be said twice, and heard late
	})
	for heard(time.Second) {
		continue // what was said more than once
	}
	say(true)
	if heard(200 * time.Millisecond) {
		t.Error("the beginning of the sleep passes for its end")
	}
	say(false)
	if !heard(waits) {
		t.Error("the end of the sleep is not heard")
	}
	_, err = systemd.ReleaseName(login1)
	must(t, err)
	say(false)
	if heard(200 * time.Millisecond) {
		t.Error("somebody who is not systemd is believed")
	}
}
