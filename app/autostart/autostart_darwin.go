package autostart

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"apex-ai-proxy/proxy/prose"
)

// place is the entry's file. The system reads it at login.
func (e Entry) place() (string, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return "", prose.Errorf("find the folder of login items: %v", err)
	}
	return filepath.Join(home, "Library", "LaunchAgents", e.ID+".plist"), nil
}

// form is the text of an entry.
func (e Entry) form(program string) string { return e.launchAgent(program) }

func unescape(s string) (string, error) { return plistText(s) }

func (e Entry) find() (item, error) {
	path, err := e.place()
	if err != nil {
		return item{}, err
	}
	text, err := read(path)
	return item{text: text, blocked: text != "" && e.disabled()}, err
}

// askLimit bounds the question to launchd.
const askLimit = 2 * time.Second

// disabled tells whether the user has told launchd not to start the agent.
func (e Entry) disabled() bool {
	ctx, cancel := context.WithTimeout(context.Background(), askLimit)
	defer cancel()
	list, err := exec.CommandContext(ctx, "/bin/launchctl", "print-disabled", "gui/"+strconv.Itoa(os.Getuid())).Output()
	return err == nil && disabledAgent(string(list), e.ID)
}

func (e Entry) add(program string) error {
	path, err := e.place()
	if err != nil {
		return err
	}
	return write(path, e.form(program))
}

func (e Entry) remove() error {
	path, err := e.place()
	if err != nil {
		return err
	}
	return remove(path)
}
