package ui

import (
	"runtime"
	"slices"
	"testing"
	"unsafe"

	"golang.org/x/sys/windows"
)

// TestLogoff sends a window what it gets when a session ends, and when it does not end after
// all.
func TestLogoff(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const class = "ApexLogoffTest"
	var got []string
	w := testWindow(t, class, func(message, wParam uintptr) {
		if message == wmEndSession {
			got = append(got, []string{"stays", "ends"}[wParam])
		}
	})
	send := func(wParam uintptr) { user32.NewProc("SendMessageW").Call(w, wmEndSession, wParam, 0) }
	send(0)
	attendLogoff(class, func() { got = append(got, "attended") })
	send(0)
	send(1)
	if !slices.Equal(got, []string{"stays", "attended", "ends"}) {
		t.Errorf("it was told %v", got)
	}
	attendLogoff("a class that is not there", func() { t.Error("another window was heard") })
}

// testWindow is a window that is not shown.
func testWindow(t *testing.T, class string, told func(message, wParam uintptr)) uintptr {
	t.Helper()
	name, err := windows.UTF16PtrFromString(class)
	if err != nil {
		t.Fatal(err)
	}
	fallback := user32.NewProc("DefWindowProcW")
	wc := struct {
		size, style                        uint32
		proc                               uintptr
		extra, windowExtra                 int32
		instance, icon, cursor, background windows.Handle
		menu, class                        *uint16
		small                              windows.Handle
	}{class: name, proc: windows.NewCallback(func(w, message, wParam, lParam uintptr) uintptr {
		told(message, wParam)
		result, _, _ := fallback.Call(w, message, wParam, lParam)
		return result
	})}
	wc.size = uint32(unsafe.Sizeof(wc))
	if r, _, err := user32.NewProc("RegisterClassExW").Call(uintptr(unsafe.Pointer(&wc))); r == 0 {
		t.Fatal(err)
	}
	w, _, err := user32.NewProc("CreateWindowExW").Call(0, uintptr(unsafe.Pointer(name)), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	if w == 0 {
		t.Fatal(err)
	}
	t.Cleanup(func() { user32.NewProc("DestroyWindow").Call(w) })
	return w
}
