//go:build !headless

package desktop

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
)

// busVariable names the session bus.
const busVariable = "DBUS_SESSION_BUS_ADDRESS"

// knownBus names the session bus of this session, or that there is none. Left to itself,
// the library that everything here uses would start one, which outlives the program and
// which nobody else knows of.
func knownBus() {
	switch runtime.GOOS {
	case "darwin", "windows":
		return
	}
	if a := os.Getenv(busVariable); a == "" || a == "autolaunch:" {
		_ = os.Setenv(busVariable, busIn(os.Getenv("XDG_RUNTIME_DIR"), filepath.Join("/run/user", strconv.Itoa(os.Getuid()))))
	}
}

// busIn is the address of the bus in the first of the folders that has one.
func busIn(folders ...string) string {
	for _, dir := range folders {
		path := filepath.Join(dir, "bus")
		if _, err := os.Stat(path); dir != "" && err == nil {
			return "unix:path=" + path
		}
	}
	return "disabled:"
}
