package secret

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/zalando/go-keyring"

	"apex-ai-proxy/proxy/prose"
)

const service = "apex-ai-proxy"

// ring is the part of a system's keychain that is used.
type ring interface {
	Get(service, user string) (string, error)
	Set(service, user, value string) error
	Delete(service, user string) error
}

type systemRing struct{}

func (systemRing) Get(service, user string) (string, error) { return keyring.Get(service, user) }
func (systemRing) Set(service, user, value string) error    { return keyring.Set(service, user, value) }
func (systemRing) Delete(service, user string) error        { return keyring.Delete(service, user) }

// Keychain keeps secrets in the system's keychain: Secret Service on Linux, Keychain on
// macOS, Credential Manager on Windows.
//
// The system may show a dialog and answer only when the user has, so a call that runs
// into the end of its context returns ErrBusy while the system's call goes on; a later
// call for the same secret joins it rather than opening another dialog. What was read
// once is remembered, so the keychain is not asked for every request.
type Keychain struct {
	ring  ring
	open  func() error // before each call; an error of it is the call's
	ready func(context.Context) bool
	turn  chan struct{} // held by the one call that may show a dialog

	mu    sync.Mutex
	known map[string]string
	calls map[string]*call // running, by name
}

type call struct {
	read  bool
	done  chan struct{} // closed when value and err are set
	value string
	err   error
}

// NewKeychain returns the keychain of this system.
func NewKeychain() *Keychain {
	k := newKeychain(systemRing{}, open)
	k.ready = unlocked
	return k
}

// Ready tells whether the keychain answers now without asking the user for anything.
// Where the system does not tell, it is false.
func (k *Keychain) Ready(ctx context.Context) bool { return k.ready(ctx) }

func newKeychain(r ring, open func() error) *Keychain {
	return &Keychain{
		ring:  r,
		open:  open,
		ready: func(context.Context) bool { return false },
		turn:  make(chan struct{}, 1),
		known: make(map[string]string),
		calls: make(map[string]*call),
	}
}

// Get reads a secret.
func (k *Keychain) Get(ctx context.Context, name string) (string, error) {
	return k.do(ctx, name, true, func() (string, error) {
		v, err := k.ring.Get(service, name)
		if v = strings.TrimSpace(v); v == "" && err == nil {
			return "", keyring.ErrNotFound // emptied by another program
		}
		return v, err
	})
}

// Set stores a secret.
func (k *Keychain) Set(ctx context.Context, name, value string) error {
	value, err := Clean(value)
	if err != nil {
		return err
	}
	_, err = k.do(ctx, name, false, func() (string, error) {
		return value, k.ring.Set(service, name, value)
	})
	return err
}

// Delete removes a secret.
func (k *Keychain) Delete(ctx context.Context, name string) error {
	_, err := k.do(ctx, name, false, func() (string, error) {
		return "", k.ring.Delete(service, name)
	})
	return err
}

// do runs f, after a call for the same name that is already running. A read shares the
// result of a running read.
func (k *Keychain) do(ctx context.Context, name string, read bool, f func() (string, error)) (string, error) {
	for {
		k.mu.Lock()
		if v, ok := k.known[name]; ok && read {
			k.mu.Unlock()
			return v, nil
		}
		if ctx.Err() != nil {
			k.mu.Unlock()
			return "", ErrBusy
		}
		c, running := k.calls[name]
		if !running {
			c = &call{read: read, done: make(chan struct{})}
			k.calls[name] = c
			go k.run(c, name, f)
		}
		k.mu.Unlock()

		select {
		case <-c.done:
		case <-ctx.Done():
			return "", ErrBusy
		}
		if !running || read && c.read {
			return c.value, c.err
		}
	}
}

// run ends when the system answers; nothing can end it before.
func (k *Keychain) run(c *call, name string, f func() (string, error)) {
	k.turn <- struct{}{}
	value, err := k.ask(f)
	<-k.turn

	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.calls, name)
	if err == nil && value != "" {
		k.known[name] = value
	} else if err == nil || errors.Is(err, ErrMissing) {
		delete(k.known, name)
	}
	c.value, c.err = value, err
	close(c.done)
}

// ask turns what the system says into the named states, and a panic over an answer the
// library did not expect from a keychain into an error: the proxy must survive it.
func (k *Keychain) ask(f func() (string, error)) (value string, err error) {
	defer func() {
		if p := recover(); p != nil {
			value, err = "", prose.Errorf("the keychain gave an answer that makes no sense: %v", p)
		}
	}()
	if err = k.open(); err == nil {
		value, err = f()
	}
	switch {
	case err == nil:
		return value, nil
	case errors.Is(err, ErrLocked), errors.Is(err, ErrNoService):
		return "", err
	case errors.Is(err, keyring.ErrNotFound):
		return "", ErrMissing
	case errors.Is(err, keyring.ErrSetDataTooBig):
		return "", ErrTooLarge
	case errors.Is(err, keyring.ErrUnsupportedPlatform):
		return "", ErrNoService
	}
	if state := classify(err); state != nil {
		return "", prose.Errorf("%v (%v)", state, err)
	}
	return "", prose.Errorf("ask the keychain: %v", err)
}
