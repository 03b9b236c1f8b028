package autostart

import (
	"path/filepath"
	"testing"

	"golang.org/x/sys/windows/registry"
)

// TestRenewLeavesTheUsersOwn: what was edited, or switched off in the Task Manager, stays as
// it is.
func TestRenewLeavesTheUsersOwn(t *testing.T) {
	programs := home(t)
	program(t, programs, "apex")
	was := entry.form(filepath.Join(programs, "gone"))
	approved, _, err := registry.CreateKey(registry.CURRENT_USER, approvedKey, registry.ALL_ACCESS)
	succeed(t, err)
	defer approved.Close()
	run, _, err := registry.CreateKey(registry.CURRENT_USER, runKey, registry.ALL_ACCESS)
	succeed(t, err)
	defer run.Close()
	unchanged := func(text string, want State) {
		t.Helper()
		succeed(t, run.SetStringValue(entry.Name, text))
		state(t, want)
		succeed(t, entry.Renew())
		state(t, want)
		if now, _, err := run.GetStringValue(entry.Name); now != text || err != nil {
			t.Errorf("it became %q, %v", now, err)
		}
	}
	unchanged(was+" --debug", On)
	defer func() { _ = approved.DeleteValue(entry.Name) }()
	for _, first := range []byte{3, 7} {
		succeed(t, approved.SetBinaryValue(entry.Name, []byte{first, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8}))
		unchanged(was, Blocked)
	}
	succeed(t, approved.SetBinaryValue(entry.Name, append([]byte{6}, make([]byte, 11)...)))
	state(t, Other)
	succeed(t, entry.Renew())
	state(t, On)
}
