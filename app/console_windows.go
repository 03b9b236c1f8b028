package app

import (
	"io"
	"os"
	"strings"

	"golang.org/x/sys/windows"
)

// A program with a window is built so that Windows opens no console for it. What it prints
// would then be read by nobody, not even in the console that it was started from.

var (
	kernel32          = windows.NewLazySystemDLL("kernel32.dll")
	procAttachConsole = kernel32.NewProc("AttachConsole")
)

// parentProcess stands for the process that started this one.
const parentProcess = ^uintptr(0)

// openConsole lets the command line args (without the program's name) write to the console
// it was typed into. The window does without: it would end with that console, and with a
// Ctrl-C that is meant for something else. Where there is no console, what goes wrong is
// kept, and done, which is called with the exit code, shows it.
func openConsole(args []string) (done func(code int)) {
	if usable(windows.STD_ERROR_HANDLE) {
		return func(int) {}
	}
	if line, err := parse(args); (err != nil || line.command != "") && join() {
		return func(int) {}
	}
	return keepErrors()
}

// usable tells whether a standard handle leads anywhere.
func usable(which uint32) bool {
	h, err := windows.GetStdHandle(which)
	if err != nil || h == 0 || h == windows.InvalidHandle {
		return false
	}
	_, err = windows.GetFileType(h)
	return err == nil
}

// join puts the console of the process that started this one in the place of those standard
// handles that lead nowhere. Others are a pipe or a file that the user has asked for.
func join() bool {
	in, out := usable(windows.STD_INPUT_HANDLE), usable(windows.STD_OUTPUT_HANDLE)
	if ok, _, _ := procAttachConsole.Call(parentProcess); ok == 0 {
		return false
	}
	screen, err := os.OpenFile("CONOUT$", os.O_RDWR, 0)
	if err != nil {
		return false
	}
	os.Stderr = screen
	if !out {
		os.Stdout = screen
	}
	if keys, err := os.OpenFile("CONIN$", os.O_RDWR, 0); err == nil && !in {
		os.Stdin = keys
	}
	return true
}

// keepErrors collects what the program says on its standard error.
func keepErrors() (done func(code int)) {
	r, w, err := os.Pipe()
	if err != nil {
		return func(int) {}
	}
	os.Stderr = w
	said := make(chan string, 1)
	go func() {
		var last tail
		_, _ = io.Copy(&last, r)
		said <- last.String()
	}()
	return func(code int) {
		_ = w.Close()
		if text := <-said; showsErrors(code) && text != "" {
			box(text)
		}
	}
}

// box shows text until the user has closed it.
func box(text string) {
	t, err := windows.UTF16PtrFromString(strings.ReplaceAll(text, "\x00", ""))
	if err != nil {
		return
	}
	_, _ = windows.MessageBox(0, t, windows.StringToUTF16Ptr("Apex AI Proxy"), windows.MB_OK|windows.MB_ICONERROR|windows.MB_SETFOREGROUND)
}
