package proxy

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// busy tells whether err means that somebody else holds the port.
func busy(err error) bool { return errors.Is(err, syscall.EADDRINUSE) }

// holder names the process that listens on the port, "" when the system does not tell.
func holder(ctx context.Context, port string) string {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "/usr/sbin/lsof", "-nP", "-iTCP:"+port, "-sTCP:LISTEN", "-Fpc").Output()
	if err != nil {
		return ""
	}
	var pid, name string
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "p") && pid == "":
			pid = line[1:]
		case strings.HasPrefix(line, "c") && name == "":
			name = line[1:]
		}
	}
	if pid == "" {
		return ""
	}
	return name + " (pid " + pid + ")"
}

// reserved tells whether the system keeps the port for itself.
func reserved(error) bool { return false }
