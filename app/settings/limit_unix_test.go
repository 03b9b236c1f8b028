//go:build !windows

package settings

import (
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// limitFiles makes every file that grows larger than so many bytes a full disk.
func limitFiles(bytes string) error {
	if bytes == "" {
		return nil
	}
	n, err := strconv.ParseUint(bytes, 10, 32)
	if err != nil {
		return err
	}
	return unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: n, Max: n})
}

// TestFullDisk: what cannot be written leaves what is there, and nothing beside it.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "settings.toml")
	if err := Save(path, full()); err != nil {
		t.Fatal(err)
	}
	before, _, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	cmd := writer(t, path, limitVariable+"=2048")
	out, _ := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != 2 || !strings.Contains(string(out), "save settings: ") || !strings.Contains(string(out), "file too large") {
		t.Errorf("it ended with %v: %s", cmd.ProcessState, out)
	}
	got, notices, err := Load(path)
	if err != nil || len(notices) > 0 || !reflect.DeepEqual(got, before) {
		t.Errorf("%v %v %+v", notices, err, got)
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 1 {
		t.Errorf("something is left beside it: %v %v", list, err)
	}
}
