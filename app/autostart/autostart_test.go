package autostart

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

var entry = Entry{ID: "dev.apex.test", Name: "Apex Test", Args: []string{"--hidden"}}

// nasty is a path with everything that must be escaped somewhere.
const nasty = `/opt/a b/$HOME/"q"/back\slash/100%/` + "`x`/<&>/ü"

// asDesktop reads an Exec value as a desktop does: as a string, then as a command.
func asDesktop(t *testing.T, exec string) (words []string) {
	t.Helper()
	exec = strings.ReplaceAll(exec, `\\`, `\`)
	for exec != "" {
		if exec[0] != '"' {
			t.Fatalf("a word is not quoted: %s", exec)
		}
		var w strings.Builder
		i := 1
		for ; exec[i] != '"'; i++ {
			if exec[i] == '\\' {
				i++
			}
			if exec[i] == '%' {
				i++
			}
			w.WriteByte(exec[i])
		}
		words = append(words, w.String())
		exec = strings.TrimPrefix(exec[i+1:], " ")
	}
	return words
}

func TestDesktopEntry(t *testing.T) {
	text := entry.desktopEntry(nasty)
	_, exec, _ := strings.Cut(text, "\nExec=")
	exec, _, _ = strings.Cut(exec, "\n")
	if got := asDesktop(t, exec); len(got) != 2 || got[0] != nasty || got[1] != "--hidden" {
		t.Errorf("%q from\n%s", got, text)
	}
	if blockedEntry(text) {
		t.Error("a new entry is blocked")
	}
	for _, line := range []string{"Hidden=true", "Hidden = True", "X-GNOME-Autostart-enabled=false", "X-MATE-Autostart-enabled=false"} {
		if !blockedEntry(text + line + "\n") {
			t.Errorf("%s does not block", line)
		}
	}
}

func TestLaunchAgent(t *testing.T) {
	d := xml.NewDecoder(strings.NewReader(entry.launchAgent(nasty)))
	var texts []string
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if c, ok := tok.(xml.CharData); ok && strings.TrimSpace(string(c)) != "" {
			texts = append(texts, string(c))
		}
	}
	want := []string{"Label", entry.ID, "ProgramArguments", nasty, "--hidden", "RunAtLoad", "ProcessType", "Interactive"}
	if strings.Join(texts, "|") != strings.Join(want, "|") {
		t.Errorf("%q", texts)
	}
}

func TestRunCommand(t *testing.T) {
	if got := entry.runCommand(`C:\Program Files\Apex\apex.exe`); got != `"C:\Program Files\Apex\apex.exe" --hidden` {
		t.Errorf("%s", got)
	}
}

// TestProgram: the path of an entry is read only from one that is as it was written.
func TestProgram(t *testing.T) {
	for _, path := range []string{"/usr/bin/apex", `C:\Program Files\Apex\apex.exe`, nasty, "/opt/@/x", "/opt/100%"} {
		if runtime.GOOS == "windows" {
			path = strings.ReplaceAll(path, `"`, "") // which no path has there
		}
		if got, ours := entry.program(entry.form(path)); !ours || got != path {
			t.Errorf("%s: %q %t", path, got, ours)
		}
		quoted := execWord(path)
		if got, err := execPath(quoted[1 : len(quoted)-1]); err != nil || got != path {
			t.Errorf("from %s: %q %v", quoted, got, err)
		}
		var b strings.Builder
		escape(&b, path)
		if got, err := plistText(b.String()); err != nil || got != path {
			t.Errorf("from %s: %q %v", &b, got, err)
		}
		for _, text := range []string{"", entry.form(path) + "#", "# " + entry.form(path), strings.Replace(entry.form(path), "hidden", "shown", 1), Entry{Name: "x", ID: "y"}.form(path), behind(t, path)} {
			if got, ours := entry.program(text); ours {
				t.Errorf("%q is ours, and names %q", text, got)
			}
		}
	}
}

// behind is an entry that a user has changed to start the program by way of another.
func behind(t *testing.T, path string) string {
	t.Helper()
	before, after, ok := strings.Cut(entry.form("@"), "@")
	if !ok {
		t.Fatal(before)
	}
	return before + `/usr/bin/env" "` + path + after
}

func TestDisabledAgent(t *testing.T) {
	for list, want := range map[string]bool{
		"": false,
		"disabled services = {\n\t\"dev.apex.test\" => disabled\n\t\"com.example\" => enabled\n}\n":       true,
		"disabled services = {\n\t\"dev.apex.test\" => true\n}\n":                                         true,
		"disabled services = {\n\t\"dev.apex.test\" => enabled\n\t\"dev.apex.test.two\" => disabled\n}\n": false,
		"disabled services = {\n\t\"dev.apex.test\" => false\n}\n":                                        false,
	} {
		if got := disabledAgent(list, "dev.apex.test"); got != want {
			t.Errorf("%q: %t", list, got)
		}
	}
}

func TestFleeting(t *testing.T) {
	for path, want := range map[string]bool{
		filepath.Join(os.TempDir(), "unpacked", "apex"):                        true,
		"/private/var/folders/x/AppTranslocation/1-2/d/Apex.app/Contents/apex": true,
		"/Volumes/Apex Test/Apex Test.app/Contents/MacOS/apex":                 true,
		"/Volumes/Disk/Apex Test.app/Contents/MacOS/apex":                      false,
		"/usr/bin/apex": false,
	} {
		if got := entry.fleeting(path); got != want {
			t.Errorf("%s: %t", path, got)
		}
	}
}

// TestExecutable: an AppImage is only the program's own if the program runs from within.
func TestExecutable(t *testing.T) {
	mounted := t.TempDir()
	path := filepath.Join(mounted, "usr", "bin", "apex")
	at(t, path)
	t.Setenv("APPIMAGE", "/opt/some.AppImage")
	for dir, want := range map[string]string{mounted: "/opt/some.AppImage", t.TempDir(): path, "": path} {
		t.Setenv("APPDIR", dir)
		if p, err := Executable(); err != nil || p != want {
			t.Errorf("mounted at %q: %s %v", dir, p, err)
		}
	}
}

// at puts the running program elsewhere.
func at(t *testing.T, path string) {
	before := running
	running = func() (string, error) { return path, nil }
	t.Cleanup(func() { running = before })
}

// home is a user with nothing, and a folder for programs of theirs that is not a temporary one.
func home(t *testing.T) (programs string) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"HOME", "XDG_CONFIG_HOME", "APPIMAGE", "APPDIR"} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", dir)
	temporaryIn(t, filepath.Join(dir, "tmp"))
	t.Cleanup(func() { succeed(t, entry.Set(false)) }) // a registry is not the test's own
	programs = filepath.Join(dir, "programs with ü")
	if err := os.Mkdir(programs, 0o700); err != nil {
		t.Fatal(err)
	}
	return programs
}

func temporaryIn(t *testing.T, folder string) {
	for _, name := range []string{"TMPDIR", "TMP", "TEMP"} {
		t.Setenv(name, folder)
	}
}

// program puts a program into a folder, and runs it.
func program(t *testing.T, folder, name string) (path string) {
	t.Helper()
	path = filepath.Join(folder, name)
	if err := os.WriteFile(path, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	at(t, path)
	return path
}

func state(t *testing.T, want State) {
	t.Helper()
	if s, err := entry.State(); err != nil || s != want {
		t.Errorf("state %d, %v; want %d", s, err, want)
	}
}

func succeed(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestSet(t *testing.T) {
	program(t, home(t), "apex")
	for _, step := range []struct {
		set  bool
		want State
	}{{true, On}, {true, On}, {false, Off}, {false, Off}} {
		succeed(t, entry.Set(step.set))
		state(t, step.want)
	}
	program(t, t.TempDir(), "apex")
	temporaryIn(t, filepath.Dir(t.TempDir()))
	if err := entry.Set(true); err == nil {
		t.Error("a program that is not there to stay is entered")
	}
	state(t, Off)
}

// TestRenew: the entry follows the program where the old one has gone, and only there.
func TestRenew(t *testing.T) {
	programs := home(t)
	old := program(t, programs, "apex-1")
	succeed(t, entry.Renew())
	state(t, Off)
	succeed(t, entry.Set(true))

	now := program(t, programs, "apex-2")
	succeed(t, entry.Renew())
	state(t, Other)
	succeed(t, os.Remove(old))
	state(t, Other)
	succeed(t, entry.Renew())
	state(t, On)
	it, err := entry.find()
	if path, ours := entry.program(it.text); err != nil || !ours || path != now {
		t.Errorf("it names %q, %t, %v", path, ours, err)
	}

	link := filepath.Join(programs, "apex")
	succeed(t, os.Link(now, link))
	at(t, link)
	state(t, On)

	succeed(t, os.Remove(now))
	at(t, filepath.Join(os.TempDir(), "apex-3"))
	succeed(t, entry.Renew())
	if again, err := entry.find(); err != nil || again != it {
		t.Errorf("it became %+v, %v", again, err)
	}
}
