package app

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/windows"
)

// leaveBehind makes what a copy that crashed leaves.
func leaveBehind(t *testing.T, dir string) {
	must(t, os.WriteFile(filepath.Join(dir, pointerName), []byte(pipePrefix+"gone"), 0o600))
}

// TestInstanceIsTheUsersOwn: nobody else can connect, and the name is new each time.
func TestInstanceIsTheUsersOwn(t *testing.T) {
	dir := t.TempDir()
	names := map[string]bool{}
	for range 2 {
		i, err := AcquireInstance(t.Context(), dir, nil)
		must(t, err)
		name, err := os.ReadFile(filepath.Join(dir, pointerName))
		must(t, err)
		names[string(name)] = true
		must(t, i.Close())
		if _, err := os.Stat(filepath.Join(dir, pointerName)); err == nil {
			t.Error("the pipe's name is left behind")
		}
	}
	if len(names) != 2 {
		t.Errorf("the pipes are called %v", names)
	}
	access, err := onlyTheUser()
	must(t, err)
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	must(t, err)
	if s := access.SecurityDescriptor.String(); strings.Count(s, "(") != 1 || !strings.Contains(s, ";;;"+user.User.Sid.String()+")") {
		t.Errorf("open to %s", s)
	}
}

// TestInstanceIsNotMisled: a file that names no pipe of ours opens nothing.
func TestInstanceIsNotMisled(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, pointerName), []byte(`\\server\share\file`), 0o600))
	if c, err := knock(t.Context(), dir); err == nil {
		_ = c.Close()
		t.Error("it was opened")
	}
}

// TestInstanceOutlivesACallerThatSaysNothing: neither side waits longer than it may.
func TestInstanceOutlivesACallerThatSaysNothing(t *testing.T) {
	dir := t.TempDir()
	i, err := AcquireInstance(t.Context(), dir, nil)
	must(t, err)
	c, err := knock(t.Context(), dir)
	must(t, err)
	must(t, c.SetDeadline(time.Now()))
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("no deadline: %v", err)
	}
	must(t, c.Close())
	must(t, i.Close())
}
