// Package autostart enters the program among those that the system starts at login, and
// tells whether it is there. The system's own entry is the only memory of that: who
// removes it there has switched it off.
package autostart

import (
	"encoding/xml"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"apex-ai-proxy/proxy/prose"
)

// State is whether the system starts the program at login.
type State uint8

// The states.
const (
	Off State = iota
	On
	Blocked // the entry is there, but switched off in the system's settings
	Other   // the entry is there, but for a copy of the program that is elsewhere
)

// Entry is the program's entry.
type Entry struct {
	ID   string   // reverse domain name, which names files
	Name string   // as people see it
	Args []string // behind the program's own path
}

// item is an entry as the system has it.
type item struct {
	text    string // "" when there is none
	blocked bool   // it does not count
}

// running is where the running program is; another place in tests.
var running = os.Executable

// Executable is the path that the system is to start: of the running program, or of the
// AppImage that it came from. A program that merely was started from one, as from the
// terminal of an editor, finds the same variables.
func Executable() (string, error) {
	path, err := running()
	image, mounted := os.Getenv("APPIMAGE"), os.Getenv("APPDIR")
	if err == nil && image != "" && mounted != "" && within(path, mounted) {
		return image, nil
	}
	return path, err
}

// within tells whether path is in a folder.
func within(path, folder string) bool {
	real, err := filepath.EvalSymlinks(folder)
	if err != nil {
		real = folder
	}
	for _, f := range []string{folder, real} {
		if rel, err := filepath.Rel(f, path); err == nil && filepath.IsLocal(rel) {
			return true
		}
	}
	return false
}

// State is what the system would do at the next login.
func (e Entry) State() (State, error) {
	it, err := e.find()
	switch {
	case err != nil || it.text == "":
		return Off, err
	case it.blocked:
		return Blocked, nil
	}
	now, err := Executable()
	if path, ours := e.program(it.text); err == nil && ours && !same(path, now) {
		return Other, nil
	}
	return On, nil
}

// same tells whether two paths lead to one program.
func same(a, b string) bool {
	if a == b {
		return true
	}
	x, err1 := os.Stat(a)
	y, err2 := os.Stat(b)
	return err1 == nil && err2 == nil && os.SameFile(x, y)
}

// Set enters the program, with the path that it has now, or removes it. The system's own
// setting may still block it; see State.
func (e Entry) Set(on bool) error {
	if !on {
		return e.remove()
	}
	path, err := Executable()
	if err != nil {
		return err
	}
	if e.fleeting(path) {
		return prose.Errorf("the program cannot be launched at login from %s, which is not there to stay; put it into a folder of its own, start it there and try again", filepath.Dir(path))
	}
	return e.add(path)
}

// Renew enters the path that the program has now where the entry names one at which there
// is no program any more: it was moved, or another version was put elsewhere. An entry that
// is switched off, or that is not as this program writes it, is left as it is.
func (e Entry) Renew() error {
	it, err := e.find()
	if err != nil || it.blocked {
		return err
	}
	path, ours := e.program(it.text)
	if !ours {
		return nil
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	now, err := Executable()
	if err != nil || e.fleeting(now) {
		return err
	}
	return e.add(now)
}

// fleeting tells whether a path will not be there at the next login: what is started out of
// an archive or a disk image, and what a Mac started from a place of its own, because it has
// not been moved since it was loaded down.
func (e Entry) fleeting(path string) bool {
	return within(path, os.TempDir()) || strings.Contains(path, "/AppTranslocation/") || strings.HasPrefix(path, "/Volumes/"+e.Name)
}

// program is the path in the text of an entry. An entry that is in any way not as this
// program writes it is somebody else's.
func (e Entry) program(text string) (path string, ours bool) {
	const mark = "@"
	before, after, _ := strings.Cut(e.form(mark), mark)
	if !strings.HasPrefix(text, before) || !strings.HasSuffix(text[len(before):], after) {
		return "", false
	}
	path, err := unescape(text[len(before) : len(text)-len(after)])
	return path, err == nil && path != "" && e.form(path) == text
}

// desktopEntry is the text of a file in ~/.config/autostart, by the desktop entry
// specification of freedesktop.org.
func (e Entry) desktopEntry(path string) string {
	words := make([]string, 0, 1+len(e.Args))
	for _, w := range append([]string{path}, e.Args...) {
		words = append(words, execWord(w))
	}
	return "[Desktop Entry]\nType=Application\nName=" + e.Name + "\nExec=" + strings.Join(words, " ") +
		"\nTerminal=false\nX-GNOME-Autostart-enabled=true\n"
}

// execWord quotes a word of an Exec key, whose value is unescaped twice: as a string of
// the file and as a command.
func execWord(w string) string {
	var b strings.Builder
	for _, r := range w {
		switch r {
		case '"', '`', '$':
			b.WriteString(`\\`)
		case '\\':
			b.WriteString(`\\\`)
		case '%':
			b.WriteByte('%')
		}
		b.WriteRune(r)
	}
	return `"` + b.String() + `"`
}

// execPath reads what execWord wrote, without the quotes.
func execPath(s string) (string, error) {
	s = strings.ReplaceAll(s, `\\`, `\`)
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if (s[i] == '\\' || s[i] == '%') && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String(), nil
}

// blockedEntry tells whether a desktop entry is there but does not count.
func blockedEntry(text string) bool {
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		value = strings.ToLower(strings.TrimSpace(value))
		switch strings.TrimSpace(key) {
		case "Hidden":
			if value == "true" {
				return true
			}
		case "X-GNOME-Autostart-enabled", "X-MATE-Autostart-enabled":
			if value == "false" {
				return true
			}
		}
	}
	return false
}

// launchAgent is the text of a file in ~/Library/LaunchAgents.
func (e Entry) launchAgent(path string) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>Label</key>
	<string>`)
	escape(&b, e.ID)
	b.WriteString("</string>\n\t<key>ProgramArguments</key>\n\t<array>\n")
	for _, w := range append([]string{path}, e.Args...) {
		b.WriteString("\t\t<string>")
		escape(&b, w)
		b.WriteString("</string>\n")
	}
	b.WriteString("\t</array>\n\t<key>RunAtLoad</key>\n\t<true/>\n\t<key>ProcessType</key>\n\t<string>Interactive</string>\n</dict>\n</plist>\n")
	return b.String()
}

func escape(b *strings.Builder, s string) { _ = xml.EscapeText(b, []byte(s)) }

// plistText reads what escape wrote.
func plistText(s string) (string, error) {
	var text string
	err := xml.Unmarshal([]byte("<string>"+s+"</string>"), &text)
	return text, err
}

// disabledAgent tells whether a list of launchctl print-disabled has an agent among those
// that launchd does not start. Systems before macOS 13 call that true.
func disabledAgent(list, label string) bool {
	for line := range strings.Lines(list) {
		name, state, _ := strings.Cut(strings.TrimSpace(line), " => ")
		if name == `"`+label+`"` {
			return state == "disabled" || state == "true"
		}
	}
	return false
}

// runCommand is the value of an entry in the registry's Run key.
func (e Entry) runCommand(path string) string {
	words := []string{`"` + path + `"`} // a path on Windows holds no quotes
	return strings.Join(append(words, e.Args...), " ")
}
