package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"
)

// A pipe and not a socket: those do not work in every folder that a user's settings can be
// in, such as one on a server, and the other side of a pipe can be told to come to the front.

// pipePrefix is where the system keeps pipes, and how ours begin.
const pipePrefix = `\\.\pipe\apex-ai-proxy-`

// pointerName is the file beside the lock that says what the pipe is called.
const pointerName = "show.pipe"

// pipeBuffer is the size of a pipe's buffers, in bytes. Messages are shorter.
const pipeBuffer = 512

// pipeDoor is a pipe with a name that cannot be known before, so that no other user can
// have made it first. A file in the folder of the settings tells it to later copies.
type pipeDoor struct {
	name    string
	pointer string
	access  *windows.SecurityAttributes
	next    windows.Handle // not connected yet
	closed  windows.Handle // an event
	gone    chan struct{}  // closed when nobody waits for a caller any more
}

func openDoor(dir string) (door, error) {
	access, err := onlyTheUser()
	if err != nil {
		return nil, err
	}
	d := &pipeDoor{name: pipePrefix + rand.Text(), pointer: filepath.Join(dir, pointerName), access: access, gone: make(chan struct{})}
	if d.next, err = d.instance(windows.FILE_FLAG_FIRST_PIPE_INSTANCE); err != nil {
		return nil, err
	}
	if d.closed, err = windows.CreateEvent(nil, 1, 0, nil); err != nil {
		return nil, errors.Join(err, windows.CloseHandle(d.next))
	}
	if err := os.WriteFile(d.pointer, []byte(d.name), 0o600); err != nil {
		return nil, errors.Join(err, windows.CloseHandle(d.next), windows.CloseHandle(d.closed))
	}
	return d, nil
}

// onlyTheUser lets nobody connect but this user.
func onlyTheUser() (*windows.SecurityAttributes, error) {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return nil, err
	}
	sd, err := windows.SecurityDescriptorFromString("D:P(A;;GA;;;" + user.User.Sid.String() + ")")
	if err != nil {
		return nil, err
	}
	a := &windows.SecurityAttributes{SecurityDescriptor: sd}
	a.Length = uint32(unsafe.Sizeof(*a))
	return a, nil
}

// instance makes an end of the pipe for one caller.
func (d *pipeDoor) instance(flags uint32) (windows.Handle, error) {
	name, err := windows.UTF16PtrFromString(d.name)
	if err != nil {
		return 0, err
	}
	h, err := windows.CreateNamedPipe(name, windows.PIPE_ACCESS_DUPLEX|windows.FILE_FLAG_OVERLAPPED|flags,
		windows.PIPE_TYPE_BYTE|windows.PIPE_REJECT_REMOTE_CLIENTS, windows.PIPE_UNLIMITED_INSTANCES, pipeBuffer, pipeBuffer, 0, d.access)
	if err != nil {
		return 0, fmt.Errorf("make a pipe: %w", err)
	}
	return h, nil
}

// Accept implements door. It is called by one goroutine.
func (d *pipeDoor) Accept() (caller, error) {
	h, err := d.accept()
	if errors.Is(err, net.ErrClosed) {
		if d.next != 0 {
			_ = windows.CloseHandle(d.next)
		}
		close(d.gone)
	}
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(h), d.name), nil
}

func (d *pipeDoor) accept() (h windows.Handle, err error) {
	if d.isClosed() {
		return 0, net.ErrClosed
	}
	if d.next == 0 { // there was no room for another
		if d.next, err = d.instance(0); err != nil {
			return 0, err
		}
	}
	if err := d.connected(); err != nil {
		return 0, err
	}
	h = d.next
	d.next, _ = d.instance(0) // before this caller has an answer, so that there is always one
	return h, nil
}

// connected waits until somebody has connected to the next end, or for Close.
func (d *pipeDoor) connected() error {
	event, err := windows.CreateEvent(nil, 1, 0, nil)
	if err != nil {
		return err
	}
	defer func() { _ = windows.CloseHandle(event) }()
	o := &windows.Overlapped{HEvent: event}
	switch err := windows.ConnectNamedPipe(d.next, o); {
	case err == nil, errors.Is(err, windows.ERROR_PIPE_CONNECTED), errors.Is(err, windows.ERROR_NO_DATA): // or has gone again
		return nil
	case !errors.Is(err, windows.ERROR_IO_PENDING):
		return err
	}
	which, err := windows.WaitForMultipleObjects([]windows.Handle{d.closed, event}, false, windows.INFINITE)
	if err == nil && which == windows.WAIT_OBJECT_0+1 {
		return nil
	}
	_ = windows.CancelIoEx(d.next, o)
	var n uint32
	_ = windows.GetOverlappedResult(d.next, o, &n, true) // o is the system's until then
	return errors.Join(err, net.ErrClosed)
}

func (d *pipeDoor) isClosed() bool {
	which, _ := windows.WaitForSingleObject(d.closed, 0)
	return which == windows.WAIT_OBJECT_0
}

// Close implements door. It may be called once, while somebody is in Accept or goes back to it.
func (d *pipeDoor) Close() error {
	err := windows.SetEvent(d.closed)
	<-d.gone
	return errors.Join(err, windows.CloseHandle(d.closed), os.Remove(d.pointer))
}

var (
	user32                    = windows.NewLazySystemDLL("user32.dll")
	procAllowSetForegroundWin = user32.NewProc("AllowSetForegroundWindow")
)

// knock connects to the copy that runs, and lets it come to the front: the system allows
// that only to the program that the user has just used, which is this one.
func knock(_ context.Context, dir string) (caller, error) {
	name, err := os.ReadFile(filepath.Join(dir, pointerName))
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(string(name), pipePrefix) {
		return nil, fmt.Errorf("%q is no pipe of this program", name)
	}
	path, err := windows.UTF16PtrFromString(string(name))
	if err != nil {
		return nil, err
	}
	h, err := windows.CreateFile(path, windows.GENERIC_READ|windows.GENERIC_WRITE, 0, nil, windows.OPEN_EXISTING,
		windows.FILE_FLAG_OVERLAPPED|windows.SECURITY_SQOS_PRESENT|windows.SECURITY_IDENTIFICATION, 0)
	if err != nil {
		return nil, fmt.Errorf("open the pipe: %w", err)
	}
	var pid uint32
	if windows.GetNamedPipeServerProcessId(h, &pid) == nil {
		_, _, _ = procAllowSetForegroundWin.Call(uintptr(pid))
	}
	return os.NewFile(uintptr(h), string(name)), nil
}
