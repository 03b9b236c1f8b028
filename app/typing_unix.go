//go:build !windows

package app

import (
	"context"
	"os"
	"os/exec"
)

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull) // nobody types there
	return err != nil || !os.SameFile(info, null)
}

// hideTyping stops the terminal from showing what is typed, where the system's stty can;
// nil when it cannot. The result undoes it.
func hideTyping(terminal *os.File) (undo func()) {
	stty := func(arg string) error {
		cmd := exec.CommandContext(context.Background(), "stty", arg) // it must be undone whatever ends the command
		cmd.Stdin = terminal
		return cmd.Run()
	}
	if stty("-echo") != nil {
		return nil
	}
	return func() { _ = stty("echo") }
}
