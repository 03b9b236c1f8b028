package ui

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// trayClass is the class of the window that the library of the tray has messages sent to.
const trayClass = "SystrayClass"

const (
	wmEndSession = 0x0016
	gwlpWndProc  = ^uintptr(3) // -4
)

var (
	user32           = windows.NewLazySystemDLL("user32.dll")
	findWindowEx     = user32.NewProc("FindWindowExW")
	setWindowLongPtr = user32.NewProc("SetWindowLongPtrW")
	callWindowProc   = user32.NewProc("CallWindowProcW")
)

// attendLogoff has this program's window of a class tell when the session ends: ends is
// called, on the goroutine that made the window, and the system waits for it for a few
// seconds and ends the process then.
//
// A logoff that was called off, because another program had something to save, is told with
// the same message; the library of the tray, which removes its icon, does not get that one.
// It must be called on the goroutine that made the window.
func attendLogoff(class string, ends func()) {
	w := ownWindow(class)
	if w == 0 || setWindowLongPtr.Find() != nil {
		return
	}
	var before uintptr
	before, _, _ = setWindowLongPtr.Call(uintptr(w), gwlpWndProc, windows.NewCallback(func(w, message, wParam, lParam uintptr) uintptr {
		switch {
		case uint32(message) != wmEndSession:
		case wParam == 0:
			return 0
		default:
			ends()
		}
		result, _, _ := callWindowProc.Call(before, w, message, wParam, lParam)
		return result
	}))
}

// ownWindow is this process's window of a class, 0 if it has none.
func ownWindow(class string) windows.HWND {
	name, err := windows.UTF16PtrFromString(class)
	if err != nil {
		return 0
	}
	for w := uintptr(0); ; {
		w, _, _ = findWindowEx.Call(0, w, uintptr(unsafe.Pointer(name)), 0)
		var process uint32
		if w == 0 {
			return 0
		}
		if _, err := windows.GetWindowThreadProcessId(windows.HWND(w), &process); err == nil && process == windows.GetCurrentProcessId() {
			return windows.HWND(w)
		}
	}
}
