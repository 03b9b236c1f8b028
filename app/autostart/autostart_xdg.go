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

// form is the text of an entry.
func (e Entry) form(program string) string { return e.desktopEntry(program) }

func unescape(s string) (string, error) { return execPath(s) }

func (e Entry) find() (item, error) {
	path, err := e.place()
	if err != nil {
		return item{}, err
	}
	text, err := read(path)
	return item{text: text, blocked: blockedEntry(text)}, err
}

func (e Entry) add(program string) error {
	path, err := e.place()
	if err != nil {
		return err
	}
	return write(path, e.form(program))
}

func (e Entry) remove() error {
	path, err := e.place()
	if err != nil {
		return err
	}
	return remove(path)
}
