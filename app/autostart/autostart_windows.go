package autostart

import (
	"errors"
	"strings"

	"golang.org/x/sys/windows/registry"

	"apex-ai-proxy/proxy/prose"
)

// Where Windows keeps the programs that it starts at login, and what the Task Manager has
// switched off of them.
const (
	runKey      = `Software\Microsoft\Windows\CurrentVersion\Run`
	approvedKey = `Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run`
)

// form is the text of an entry.
func (e Entry) form(program string) string { return e.runCommand(program) }

// unescape reads a path, which has no quotes: with some, it is several words.
func unescape(s string) (string, error) {
	if strings.Contains(s, `"`) {
		return "", errors.New("not a path")
	}
	return s, nil
}

func (e Entry) find() (item, error) {
	run, err := registry.OpenKey(registry.CURRENT_USER, runKey, registry.QUERY_VALUE)
	if errors.Is(err, registry.ErrNotExist) {
		return item{}, nil
	}
	if err != nil {
		return item{}, prose.Errorf("look for the login item: %v", err)
	}
	defer run.Close()
	text, _, err := run.GetStringValue(e.Name)
	if errors.Is(err, registry.ErrNotExist) {
		return item{}, nil
	}
	if err != nil {
		return item{}, prose.Errorf("look for the login item: %v", err)
	}
	return item{text: text, blocked: blocked(e.Name)}, nil
}

// blocked tells whether the user has switched the entry off in the Task Manager: the
// first byte of its value is then odd.
func blocked(name string) bool {
	approved, err := registry.OpenKey(registry.CURRENT_USER, approvedKey, registry.QUERY_VALUE)
	if err != nil {
		return false
	}
	defer approved.Close()
	v, _, err := approved.GetBinaryValue(name)
	return err == nil && len(v) > 0 && v[0]&1 == 1
}

func (e Entry) add(program string) error {
	run, _, err := registry.CreateKey(registry.CURRENT_USER, runKey, registry.SET_VALUE)
	if err != nil {
		return prose.Errorf("make the login item: %v", err)
	}
	defer run.Close()
	if err := run.SetStringValue(e.Name, e.form(program)); err != nil {
		return prose.Errorf("make the login item: %v", err)
	}
	return nil
}

func (e Entry) remove() error {
	run, err := registry.OpenKey(registry.CURRENT_USER, runKey, registry.SET_VALUE)
	if errors.Is(err, registry.ErrNotExist) {
		return nil
	}
	if err != nil {
		return prose.Errorf("remove the login item: %v", err)
	}
	defer run.Close()
	if err := run.DeleteValue(e.Name); err != nil && !errors.Is(err, registry.ErrNotExist) {
		return prose.Errorf("remove the login item: %v", err)
	}
	return nil
}
