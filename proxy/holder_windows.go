package proxy

import (
	"context"
	"encoding/csv"
	"errors"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Windows' own numbers for a port that is taken, or reserved by another program.
const (
	wsaEAddrInUse = syscall.Errno(10048)
	wsaEAccess    = syscall.Errno(10013)
)

// busy tells whether err means that somebody else holds the port.
func busy(err error) bool { return errors.Is(err, wsaEAddrInUse) || errors.Is(err, wsaEAccess) }

// holder names the process that listens on the port, "" when the system does not tell.
func holder(ctx context.Context, port string) string {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	out, err := hidden(exec.CommandContext(ctx, "netstat", "-ano")).Output() // -p would leave out one of the families
	if err != nil {
		return ""
	}
	pid := listenerOf(string(out), port)
	if pid == "" {
		return ""
	}
	return processName(ctx, pid)
}

func processName(ctx context.Context, pid string) string {
	out, err := hidden(exec.CommandContext(ctx, "tasklist", "/FI", "PID eq "+pid, "/FO", "CSV", "/NH")).Output()
	if err != nil {
		return "pid " + pid
	}
	row, err := csv.NewReader(strings.NewReader(string(out))).Read()
	if err != nil || len(row) < 2 {
		return "pid " + pid
	}
	return row[0] + " (pid " + pid + ")"
}

// hidden keeps a console window from flashing up.
func hidden(c *exec.Cmd) *exec.Cmd {
	c.SysProcAttr = &syscall.SysProcAttr{HideWindow: true}
	return c
}

// reserved tells whether the system keeps the port for itself.
func reserved(err error) bool { return errors.Is(err, wsaEAccess) }
