//go:build !windows

package app

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// leaveBehind makes what a copy that crashed leaves.
func leaveBehind(t *testing.T, dir string) { must(t, os.WriteFile(socketPath(dir), nil, 0o600)) }

// TestInstanceIsTheUsersOwn: whatever new files are open to by habit, nobody else can take
// the lock or connect.
func TestInstanceIsTheUsersOwn(t *testing.T) {
	for name, dir := range map[string]string{
		"short": filepath.Join(t.TempDir(), "new"),
		"long":  filepath.Join(t.TempDir(), strings.Repeat("long", 30)),
	} {
		t.Run(name, func(t *testing.T) {
			defer syscall.Umask(syscall.Umask(0))
			i, err := AcquireInstance(t.Context(), dir, nil)
			must(t, err)
			socket := socketPath(dir)
			for path, want := range map[string]fs.FileMode{
				dir: fs.ModeDir | 0o700, filepath.Join(dir, "instance.lock"): 0o600,
				filepath.Dir(socket): fs.ModeDir | 0o700, socket: fs.ModeSocket | 0o600,
			} {
				if f, err := os.Lstat(path); err != nil || f.Mode() != want {
					t.Errorf("%s is %v, want %v: %v", path, f.Mode(), want, err)
				}
			}
			if path := filepath.Join(dir, pointerName); name == "long" {
				if f, err := os.Lstat(path); err != nil || f.Mode() != 0o600 {
					t.Errorf("%s: %v", path, err)
				}
			}
			must(t, i.Close())
			if _, err := os.Lstat(socket); err == nil {
				t.Error("the socket is left behind")
			}
			if _, err := os.Lstat(filepath.Dir(socket)); name == "long" && err == nil {
				t.Error("the socket's folder is left behind")
			}
		})
	}
}

// TestInstanceOfALongPathIsNotBlocked: names in the folder that all users share are not
// known before, and what a crashed copy left is taken away.
func TestInstanceOfALongPathIsNotBlocked(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	dir := filepath.Join(t.TempDir(), strings.Repeat("long", 30))
	first, err := AcquireInstance(t.Context(), dir, nil)
	must(t, err)
	was := first.door.(*socketDoor)
	room := was.room
	pointer, err := os.ReadFile(was.pointer)
	must(t, err)
	must(t, first.Close())

	must(t, os.Mkdir(room, 0o777)) // as if it had crashed, or somebody had seen the name
	must(t, os.WriteFile(filepath.Join(room, socketName), nil, 0o666))
	must(t, os.WriteFile(was.pointer, pointer, 0o600))
	next, err := AcquireInstance(t.Context(), dir, nil)
	must(t, err)
	if next.door.(*socketDoor).room == room {
		t.Error("a folder is used that was there before")
	}
	if _, err := os.Lstat(room); err == nil {
		t.Error("what a crash left is still there")
	}
	must(t, next.Close())
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}
