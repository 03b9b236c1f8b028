//go:build !windows

package app

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
)

// The socket's name, and that of the file beside the lock that says where the socket is
// when it is elsewhere.
const (
	socketName  = "show.sock"
	pointerName = "show.path"
	roomPattern = "apex-ai-proxy-*"
)

// socketLimit is how long the path of a socket may be, in bytes, on the strictest system.
const socketLimit = 100

// socketPath is where the copy that runs listens.
func socketPath(dir string) string {
	p := filepath.Join(dir, socketName)
	if len(p) <= socketLimit {
		return p
	}
	room, err := os.ReadFile(filepath.Join(dir, pointerName))
	if err != nil {
		return p // which fails, as it should
	}
	return filepath.Join(string(room), socketName)
}

// socketDoor is a socket in the folder of the settings.
type socketDoor struct {
	net.Listener
	room    string // the folder made for the socket, "" when that is beside the lock
	pointer string // the file that names it
}

// openDoor listens in dir or, where the path would be too long for a socket, in a new folder
// among the temporary ones. That folder is nobody else's, and its name cannot be known
// before, so that no other user can connect or be there first; a file in dir tells it to
// later copies.
func openDoor(dir string) (door, error) {
	path := filepath.Join(dir, socketName)
	if len(path) <= socketLimit {
		ln, err := listenAt(path)
		if err != nil {
			return nil, err
		}
		return &socketDoor{Listener: ln}, nil
	}
	pointer := filepath.Join(dir, pointerName)
	if old, err := os.ReadFile(pointer); err == nil && filepath.IsAbs(string(old)) { // of a copy that crashed
		_ = os.Remove(filepath.Join(string(old), socketName))
		_ = os.Remove(string(old))
	}
	room, err := os.MkdirTemp("", roomPattern)
	if err != nil {
		return nil, err
	}
	ln, err := listenAt(filepath.Join(room, socketName))
	if err == nil {
		err = os.WriteFile(pointer, []byte(room), 0o600)
		if err != nil {
			err = errors.Join(err, ln.Close())
		}
	}
	if err != nil {
		return nil, errors.Join(err, os.Remove(room))
	}
	return &socketDoor{Listener: ln, room: room, pointer: pointer}, nil
}

func listenAt(path string) (net.Listener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) { // of a copy that crashed
		return nil, err
	}
	ln, err := new(net.ListenConfig).Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	return ln, nil
}

// Accept implements door.
func (d *socketDoor) Accept() (caller, error) { return d.Listener.Accept() }

// Close implements door.
func (d *socketDoor) Close() error {
	err := d.Listener.Close()
	if d.room != "" {
		err = errors.Join(err, os.Remove(d.pointer), os.Remove(d.room))
	}
	return err
}

// knock connects to the copy that runs.
func knock(ctx context.Context, dir string) (caller, error) {
	ctx, cancel := context.WithTimeout(ctx, showLimit)
	defer cancel()
	return new(net.Dialer).DialContext(ctx, "unix", socketPath(dir))
}
