package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"
)

// ErrAlreadyRunning means that another copy of the desktop program runs, and that it has
// been asked to show its window.
var ErrAlreadyRunning = errors.New("the program is already running; its window is shown")

// Instance is the right to be the one desktop program of a settings folder. It is tied
// to a lock that the system releases with the process, so no crash can leave it behind.
type Instance struct {
	lock *flock.Flock
	ln   net.Listener
	done chan struct{}

	room    string // the folder made for the socket, "" when that is beside the lock
	pointer string // the file that names it

	mu    sync.Mutex
	show  func() bool
	asked bool // to show before there was something that shows
}

// One message is enough: a later copy wants the window of the first to be shown.
const (
	showMessage = "show\n"
	showAnswer  = "ok\n"
	endsAnswer  = "no\n" // it is ending; wait for that
	showLimit   = 3 * time.Second
)

// showPause is how long a copy waits before it tries again.
const showPause = 50 * time.Millisecond

// AcquireInstance makes this process the desktop program for the folder dir. When
// another one is, that one shows its window, and ErrAlreadyRunning is returned. One that
// is ending is waited for.
func AcquireInstance(dir string) (*Instance, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("guard against a second copy: %w", err)
	}
	lock := flock.New(filepath.Join(dir, "instance.lock"), flock.SetPermissions(0o600))
	for limit := time.Now().Add(showLimit); ; {
		got, err := lock.TryLock()
		if err != nil {
			return nil, fmt.Errorf("guard against a second copy: %w", err)
		}
		if got {
			break
		}
		shown, err := askToShow(dir)
		switch {
		case shown:
			return nil, ErrAlreadyRunning
		case err == nil: // it is ending, and well
			limit = time.Now().Add(showLimit)
		case time.Now().After(limit):
			return nil, fmt.Errorf("the program is already running, but does not respond: %w", err)
		}
		time.Sleep(showPause)
	}
	i := &Instance{lock: lock, done: make(chan struct{})}
	if err := i.open(dir); err != nil {
		return nil, errors.Join(fmt.Errorf("guard against a second copy: %w", err), lock.Close())
	}
	return i, nil
}

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

// open listens in dir or, where the path would be too long for a socket, in a new folder
// among the temporary ones. That folder is nobody else's, and its name cannot be known
// before, so that no other user can connect or be there first; a file in dir tells it to
// later copies.
func (i *Instance) open(dir string) error {
	path := filepath.Join(dir, socketName)
	if len(path) <= socketLimit {
		return i.listen(path)
	}
	i.pointer = filepath.Join(dir, pointerName)
	if old, err := os.ReadFile(i.pointer); err == nil && filepath.IsAbs(string(old)) { // of a copy that crashed
		_ = os.Remove(filepath.Join(string(old), socketName))
		_ = os.Remove(string(old))
	}
	room, err := os.MkdirTemp("", roomPattern)
	if err != nil {
		return err
	}
	i.room = room
	err = i.listen(filepath.Join(room, socketName))
	if err == nil {
		err = os.WriteFile(i.pointer, []byte(room), 0o600)
		if err != nil {
			err = errors.Join(err, i.ln.Close())
		}
	}
	if err != nil {
		return errors.Join(err, os.Remove(room))
	}
	return nil
}

func (i *Instance) listen(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) { // of a copy that crashed
		return err
	}
	ln, err := new(net.ListenConfig).Listen(context.Background(), "unix", path)
	if err != nil {
		return err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return errors.Join(err, ln.Close())
	}
	i.ln = ln
	go i.serve()
	return nil
}

// serve answers one copy after the other until Close.
func (i *Instance) serve() {
	defer close(i.done)
	for {
		conn, err := i.ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // out of files, as a rule: not for long
			<-time.After(100 * time.Millisecond)
			continue
		}
		i.answer(conn)
	}
}

func (i *Instance) answer(conn net.Conn) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(showLimit))
	buf := make([]byte, len(showMessage))
	if _, err := io.ReadFull(conn, buf); err != nil || string(buf) != showMessage {
		return
	}
	i.mu.Lock()
	show := i.show
	i.asked = show == nil
	i.mu.Unlock()
	answer := showAnswer
	if show != nil && !show() {
		answer = endsAnswer
	}
	_, _ = conn.Write([]byte(answer)) // the other side may have lost patience
}

// OnShow sets what shows the window, or tells that the program is ending, so that there is
// no window to show. It is called from a goroutine of its own, at once when a copy asked
// for it before.
func (i *Instance) OnShow(show func() bool) {
	i.mu.Lock()
	i.show = show
	asked := i.asked
	i.asked = false
	i.mu.Unlock()
	if asked {
		go show()
	}
}

// Close lets another copy be the desktop program.
func (i *Instance) Close() error {
	err := i.ln.Close()
	<-i.done
	if i.room != "" {
		err = errors.Join(err, os.Remove(i.pointer), os.Remove(i.room))
	}
	return errors.Join(err, i.lock.Close())
}

// askToShow tells the copy that runs to show its window. It answers that it does, or that
// it is ending. One that is just starting does not listen yet.
func askToShow(dir string) (shown bool, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), showLimit)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "unix", socketPath(dir))
	if err != nil {
		return false, err
	}
	defer conn.Close()
	if limit, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(limit)
	}
	if _, err := conn.Write([]byte(showMessage)); err != nil {
		return false, err
	}
	buf := make([]byte, len(showAnswer))
	if _, err := io.ReadFull(conn, buf); err != nil {
		return false, err
	}
	return string(buf) == showAnswer, nil
}
