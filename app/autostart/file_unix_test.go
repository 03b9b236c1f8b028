//go:build !windows

package autostart

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestWriteAfterACrash: what a killed program was writing does not stay, nor in the entry.
func TestWriteAfterACrash(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "dev.apex.test.desktop")
	if err := os.WriteFile(temporary(path), []byte(strings.Repeat("half", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := write(path, "whole"); err != nil {
		t.Fatal(err)
	}
	if text, err := read(path); text != "whole" || err != nil {
		t.Errorf("%.20q %v", text, err)
	}
	list, err := os.ReadDir(dir)
	if err != nil || len(list) != 1 {
		t.Errorf("%v %v", list, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}

// TestRenewLeavesTheUsersOwn: what was edited, or switched off, stays as it is.
func TestRenewLeavesTheUsersOwn(t *testing.T) {
	programs := home(t)
	program(t, programs, "apex")
	path, err := entry.place()
	succeed(t, err)
	was := entry.form(filepath.Join(programs, "gone"))
	for name, text := range map[string]string{
		"edited":   strings.Replace(was, "--hidden", "--hidden --debug", 1),
		"added to": was + "X-GNOME-Autostart-Delay=10\n",
		"off":      was + "Hidden=true\n",
	} {
		succeed(t, write(path, text))
		before, err := entry.State()
		succeed(t, err)
		succeed(t, entry.Renew())
		state(t, before)
		if now, err := read(path); now != text || err != nil {
			t.Errorf("%s: it became %q, %v", name, now, err)
		}
	}
}
