//go:build !windows && !darwin

package autostart

import (
	"os"
	"path/filepath"

	"apex-ai-proxy/proxy/prose"
)

// place is the entry's file, by the autostart specification of freedesktop.org.
func (e Entry) place() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", prose.Errorf("find the folder of login items: %v", err)
	}
	return filepath.Join(dir, "autostart", e.ID+".desktop"), nil
}

func (e Entry) state() (State, error) {
	path, err := e.place()
	if err != nil {
		return Off, err
	}
	text, there, err := read(path)
	switch {
	case err != nil || !there:
		return Off, err
	case blockedEntry(text):
		return Blocked, nil
	default:
		return On, nil
	}
}

func (e Entry) add(program string) error {
	path, err := e.place()
	if err != nil {
		return err
	}
	return write(path, e.desktopEntry(program))
}

func (e Entry) remove() error {
	path, err := e.place()
	if err != nil {
		return err
	}
	return remove(path)
}
