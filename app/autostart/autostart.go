// Package autostart enters the program among those that the system starts at login, and
// tells whether it is there. The system's own entry is the only memory of that: who
// removes it there has switched it off.
package autostart

import (
	"encoding/xml"
	"os"
	"strings"
)

// State is whether the system starts the program at login.
type State uint8

// The states.
const (
	Off State = iota
	On
	Blocked // the entry is there, but switched off in the system's settings
)

// Entry is the program's entry.
type Entry struct {
	ID   string   // reverse domain name, which names files
	Name string   // as people see it
	Args []string // behind the program's own path
}

// Executable is the path that the system is to start: of the running program, or of the
// AppImage that it came from.
func Executable() (string, error) {
	if image := os.Getenv("APPIMAGE"); image != "" {
		return image, nil
	}
	return os.Executable()
}

// State is what the system would do at the next login.
func (e Entry) State() (State, error) { return e.state() }

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
	return e.add(path)
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
		case "X-GNOME-Autostart-enabled":
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

// runCommand is the value of an entry in the registry's Run key.
func (e Entry) runCommand(path string) string {
	words := []string{`"` + path + `"`} // a path on Windows holds no quotes
	return strings.Join(append(words, e.Args...), " ")
}
