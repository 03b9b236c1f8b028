package autostart

import (
	"os"
	"path/filepath"

	"apex-ai-proxy/proxy/prose"
)

// place is the entry's file. The system reads it at login.
func (e Entry) place() (string, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return "", prose.Errorf("find the folder of login items: %v", err)
	}
	return filepath.Join(home, "Library", "LaunchAgents", e.ID+".plist"), nil
}

func (e Entry) state() (State, error) {
	path, err := e.place()
	if err != nil {
		return Off, err
	}
	_, there, err := read(path)
	if err != nil || !there {
		return Off, err
	}
	return On, nil
}

func (e Entry) add(program string) error {
	path, err := e.place()
	if err != nil {
		return err
	}
	return write(path, e.launchAgent(program))
}

func (e Entry) remove() error {
	path, err := e.place()
	if err != nil {
		return err
	}
	return remove(path)
}
