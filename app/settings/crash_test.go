package settings

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// These tests run this test binary once more, as a program that writes settings.

const (
	writerVariable = "APEX_TEST_WRITER" // the file that it writes, again and again
	limitVariable  = "APEX_TEST_LIMIT"  // the largest file that it may write, in bytes
)

func TestMain(m *testing.M) {
	path := os.Getenv(writerVariable)
	if path == "" {
		os.Exit(m.Run())
	}
	if err := limitFiles(os.Getenv(limitVariable)); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("ready")
	for i := 0; ; i++ {
		if err := Save(path, version(i)); err != nil {
			fmt.Println(err)
			os.Exit(2)
		}
		fmt.Println("saved")
	}
}

// version is settings of which every one has a length of its own.
func version(i int) Settings {
	s := full()
	s.Aliases = map[string]any{"number": fmt.Sprintf("model-%d#openai", i%7), "padding": strings.Repeat("x", 2000*(1+i%7)) + "#openai"}
	return s
}

func writer(t *testing.T, path string, env ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), writerVariable+"="+path, "TMPDIR="+t.TempDir()), env...)
	return cmd
}

// TestKilledWhileSaving: whenever the program is killed, the settings are the old or the new
// ones, and what it was writing is removed later.
func TestKilledWhileSaving(t *testing.T) {
	dir, temp := t.TempDir(), t.TempDir()
	path := filepath.Join(dir, "settings.toml")
	if err := Save(path, version(0)); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for i := range 40 {
		cmd := writer(t, path)
		cmd.Env = append(cmd.Env, "TMPDIR="+temp)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(out)
		for range 1 + i%4 { // it is at it, and has saved up to three times, however long that takes
			_, _ = lines.ReadString('\n')
		}
		time.Sleep(time.Duration(i*173) * time.Microsecond)
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed
		s, notices, err := Load(path)
		if err != nil || len(notices) > 0 {
			t.Fatalf("after %d kills: %v %v", i+1, notices, err)
		}
		name, _ := s.Aliases["number"].(string)
		seen[name] = true
		var n int
		_, _ = fmt.Sscanf(name, "model-%d#openai", &n)
		if want := version(n); !reflect.DeepEqual(s, want) {
			t.Fatalf("after %d kills the settings are mixed: %+v", i+1, s)
		}
	}
	if len(seen) < 2 {
		t.Errorf("nothing was written: %v", seen)
	}
	if list := names(t, temp); len(list) > 0 {
		t.Errorf("it writes where nobody looks for what it left: %v", list)
	}
	write(t, filepath.Join(dir, ".settings.toml1"), "version = ") // if all kills missed
	for _, name := range names(t, dir) {
		if name != "settings.toml" {
			makeOld(t, filepath.Join(dir, name))
		}
	}
	if err := Save(path, full()); err != nil {
		t.Errorf("saving afterwards: %v", err)
	}
	if left := names(t, dir); len(left) != 1 {
		t.Errorf("still there after the next save: %v", left)
	}
}

// TestTidy: only what a save has left is removed, and only when no save can be at it.
func TestTidy(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "settings.toml")
	for _, name := range []string{
		"settings.toml", ".settings.toml1", ".settings.toml987654321", ".settings.toml", ".settings.toml.swp", ".settings.toml12~",
		"settings.toml.old-20260101-000000", ".settings2.toml1", "settings.toml1", "1",
	} {
		write(t, filepath.Join(dir, name), "x")
		makeOld(t, filepath.Join(dir, name))
	}
	write(t, filepath.Join(dir, ".settings.toml3"), "of another process")
	if err := os.Mkdir(filepath.Join(dir, ".settings.toml4"), 0o700); err != nil {
		t.Fatal(err)
	}
	makeOld(t, filepath.Join(dir, ".settings.toml4"))
	Tidy(path)
	want := []string{
		".settings.toml", ".settings.toml.swp", ".settings.toml12~", ".settings.toml3", ".settings.toml4", ".settings2.toml1",
		"1", "settings.toml", "settings.toml.old-20260101-000000", "settings.toml1",
	}
	if got := names(t, dir); !slices.Equal(got, want) {
		t.Errorf("there are\n%q, want\n%q", got, want)
	}
	Tidy(filepath.Join(dir, "none", "settings.toml")) // there may be nothing yet
}

func names(t *testing.T, dir string) (names []string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

func makeOld(t *testing.T, path string) {
	t.Helper()
	old := time.Now().Add(-2 * staleAge)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
}
