//go:build !windows

package autostart

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"apex-ai-proxy/proxy/prose"
)

// read is the text of the entry's file, "" when there is none.
func read(path string) (string, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", prose.Errorf("look for the login item: %v", err)
	}
	return string(b), nil
}

// write puts the entry's file in its place in one step. What it writes first always has
// the same name, so that what a killed program left is used up by the next.
func write(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return prose.Errorf("make the login item: %v", err)
	}
	f, err := os.OpenFile(temporary(path), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return prose.Errorf("make the login item: %v", err)
	}
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return prose.Errorf("make the login item: %v", err)
	}
	return nil
}

func temporary(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".new")
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return prose.Errorf("remove the login item: %v", err)
	}
	return nil
}
