package autostart

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

var entry = Entry{ID: "dev.apex.test", Name: "Apex Test", Args: []string{"--hidden"}}

// nasty is a path with everything that must be escaped somewhere.
const nasty = `/opt/a b/$HOME/"q"/back\slash/100%/` + "`x`/<&>/ü"

// unescape reads an Exec value as a desktop does: as a string, then as a command.
func unescape(t *testing.T, exec string) (words []string) {
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
	if got := unescape(t, exec); len(got) != 2 || got[0] != nasty || got[1] != "--hidden" {
		t.Errorf("%q from\n%s", got, text)
	}
	if blockedEntry(text) {
		t.Error("a new entry is blocked")
	}
	for _, line := range []string{"Hidden=true", "Hidden = True", "X-GNOME-Autostart-enabled=false"} {
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

func TestSet(t *testing.T) {
	home := t.TempDir()
	for _, name := range []string{"HOME", "XDG_CONFIG_HOME", "APPIMAGE"} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", home)
	for _, step := range []struct {
		set  bool
		want State
	}{{true, On}, {true, On}, {false, Off}, {false, Off}} {
		if err := entry.Set(step.set); err != nil {
			t.Fatal(err)
		}
		if s, err := entry.State(); err != nil || s != step.want {
			t.Errorf("after %t: %d, %v", step.set, s, err)
		}
	}
	t.Setenv("APPIMAGE", "/opt/apex.AppImage")
	if p, err := Executable(); err != nil || p != "/opt/apex.AppImage" {
		t.Errorf("%s %v", p, err)
	}
}
