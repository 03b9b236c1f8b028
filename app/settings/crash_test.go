package settings

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
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
// ones.
func TestKilledWhileSaving(t *testing.T) {
	path := filepath.Join(t.TempDir(), "settings.toml")
	if err := Save(path, version(0)); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for i := range 40 {
		cmd := writer(t, path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		_, _ = out.Read(make([]byte, 8)) // it is at it
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
	if err := Save(path, full()); err != nil {
		t.Errorf("saving afterwards: %v", err)
	}
}
