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
	if text, there, err := read(path); text != "whole" || !there || err != nil {
		t.Errorf("%.20q %t %v", text, there, err)
	}
	list, err := os.ReadDir(dir)
	if err != nil || len(list) != 1 {
		t.Errorf("%v %v", list, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}
