package app

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"apex-ai-proxy/proxy/prose"
)

// ErrAlreadyRunning means that another copy of the desktop program runs, and that it has
// been asked to show its window.
var ErrAlreadyRunning = prose.Errorf("the program is already running; its window is shown")

// Instance is the right to be the one desktop program of a settings folder. It is tied
// to a lock that the system releases with the process, so no crash can leave it behind.
type Instance struct {
	lock *flock.Flock
	door door
	done chan struct{}

	mu     sync.Mutex
	show   func(unused []string) bool
	asked  bool     // to show before there was something that shows
	unused []string // what was said then
}

// door is where later copies knock, which nobody but the user can.
type door interface {
	Accept() (caller, error) // net.ErrClosed after Close
	Close() error
}

// caller is the other side of a connection between two copies.
type caller interface {
	io.ReadWriteCloser
	SetDeadline(t time.Time) error
}

// One message is enough: a later copy wants the window of the first to be shown. The flags
// that it was started with follow on the same line, by their names: they have no effect.
const (
	showMessage  = "show"
	messageLimit = 1 << 10 // bytes
	showAnswer   = "ok\n"
	endsAnswer   = "no\n" // it is ending; wait for that
	showLimit    = 3 * time.Second
)

// showPause is how long a copy waits before it tries again.
const showPause = 50 * time.Millisecond

// AcquireInstance makes this process the desktop program for the folder dir. When
// another one is, that one shows its window, and ErrAlreadyRunning is returned; it is told
// which flags of this one, given by name, have no effect. One that is ending is waited for
// until ctx ends; waits, which may be nil, is called once before that.
func AcquireInstance(ctx context.Context, dir string, waits func(), flags ...string) (*Instance, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, prose.Errorf("guard against a second copy: %v", err)
	}
	lock := flock.New(filepath.Join(dir, "instance.lock"), flock.SetPermissions(0o600))
	for limit := time.Now().Add(showLimit); ; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		got, err := lock.TryLock()
		if err != nil {
			return nil, prose.Errorf("guard against a second copy: %v", err)
		}
		if got {
			break
		}
		shown, err := askToShow(ctx, dir, flags)
		switch {
		case shown:
			return nil, ErrAlreadyRunning
		case err == nil: // it is ending, and well
			limit = time.Now().Add(showLimit)
			if waits != nil {
				waits()
				waits = nil
			}
		case time.Now().After(limit):
			return nil, prose.Errorf("the program is already running, but does not respond: %v", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(showPause):
		}
	}
	d, err := openDoor(dir)
	if err != nil {
		return nil, errors.Join(prose.Errorf("guard against a second copy: %v", err), lock.Close())
	}
	i := &Instance{lock: lock, door: d, done: make(chan struct{})}
	go i.serve()
	return i, nil
}

// serve answers one copy after the other until Close.
func (i *Instance) serve() {
	defer close(i.done)
	for {
		conn, err := i.door.Accept()
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

func (i *Instance) answer(conn caller) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(showLimit))
	line, err := bufio.NewReader(io.LimitReader(conn, messageLimit)).ReadString('\n')
	parts := strings.Fields(line)
	if err != nil || len(parts) == 0 || parts[0] != showMessage {
		return
	}
	unused := knownFlags(parts[1:])
	i.mu.Lock()
	show := i.show
	i.asked, i.unused = show == nil, unused
	i.mu.Unlock()
	answer := showAnswer
	if show != nil && !show(unused) {
		answer = endsAnswer
	}
	_, _ = conn.Write([]byte(answer)) // the other side may have lost patience
}

// knownFlags are those of the names that are flags, so that nobody can put other words into
// the window.
func knownFlags(names []string) (out []string) {
	for _, name := range names {
		if name == configFlag || slices.ContainsFunc(options, func(o option) bool { return o.flag == name }) {
			out = append(out, name)
		}
	}
	return out
}

// OnShow sets what shows the window, or tells that the program is ending, so that there is
// no window to show. It is given the names of the flags of the copy that asked, which have
// no effect. It is called from a goroutine of its own, at once when a copy asked for it
// before.
func (i *Instance) OnShow(show func(unused []string) bool) {
	i.mu.Lock()
	i.show = show
	asked, unused := i.asked, i.unused
	i.asked = false
	i.mu.Unlock()
	if asked {
		go show(unused)
	}
}

// Close lets another copy be the desktop program.
func (i *Instance) Close() error {
	err := i.door.Close()
	<-i.done
	return errors.Join(err, i.lock.Close())
}

// askToShow tells the copy that runs to show its window. It answers that it does, or that
// it is ending. One that is just starting does not listen yet.
func askToShow(ctx context.Context, dir string, flags []string) (shown bool, err error) {
	conn, err := knock(ctx, dir)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(showLimit))
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })()
	if _, err := conn.Write([]byte(strings.Join(append([]string{showMessage}, flags...), " ") + "\n")); err != nil {
		return false, err
	}
	buf := make([]byte, len(showAnswer))
	if _, err := io.ReadFull(conn, buf); err != nil {
		return false, err
	}
	return string(buf) == showAnswer, nil
}
