package settings

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"golang.org/x/sys/windows"
)

// hold opens a file for this program alone, as a virus scanner does.
func hold(t *testing.T, path string) (release func()) {
	t.Helper()
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		t.Fatal(err)
	}
	h, err := windows.CreateFile(name, windows.GENERIC_READ, 0, nil, windows.OPEN_EXISTING, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	return func() { _ = windows.CloseHandle(h) }
}

// TestSaveWaitsForOthers: a file that another program has open for a moment is waited for;
// one that it keeps stays as it is.
func TestSaveWaitsForOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "settings.toml")
	if err := Save(path, Default()); err != nil {
		t.Fatal(err)
	}
	release := hold(t, path)
	if err := Save(path, full()); !errors.Is(err, windows.ERROR_SHARING_VIOLATION) && !errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		t.Errorf("a file that is kept open: %v", err)
	}
	if list, err := os.ReadDir(filepath.Dir(path)); err != nil || len(list) != 1 {
		t.Errorf("left behind: %v %v", list, err)
	}
	time.AfterFunc(heldLimit/4, release)
	if err := Save(path, full()); err != nil {
		t.Fatal(err)
	}
	if got, _, err := Load(path); err != nil || !reflect.DeepEqual(got, full()) {
		t.Errorf("got %+v, %v", got, err)
	}
}
