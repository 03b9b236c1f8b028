//go:build !headless

package desktop

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"apex-ai-proxy/app"
	"apex-ai-proxy/app/secret"
	"apex-ai-proxy/proxy"
	"apex-ai-proxy/ui/presenter"
)

func TestArguments(t *testing.T) {
	for _, c := range []struct {
		args, rest []string
		hidden     bool
	}{
		{[]string{"apex"}, []string{"apex"}, false},
		{[]string{"apex", "--hidden"}, []string{"apex"}, true},
		{[]string{"apex", "--listen", "x", "--hidden"}, []string{"apex", "--listen", "x"}, true},
		{[]string{"apex", "serve"}, []string{"apex", "serve"}, false},
	} {
		given := slices.Clone(c.args)
		rest, hidden := Arguments(c.args)
		if !slices.Equal(rest, c.rest) || hidden != c.hidden || !slices.Equal(c.args, given) {
			t.Errorf("%q: %q, %v; the arguments became %q", given, rest, hidden, c.args)
		}
	}
}

func TestErrorsBecomeStates(t *testing.T) {
	seen := map[presenter.SecretState]bool{}
	for _, err := range []error{
		secret.ErrMissing, secret.ErrLocked, secret.ErrBusy, secret.ErrNoService, secret.ErrDenied,
		secret.ErrTooLarge, secret.ErrReadOnly, errors.New("anything else"),
	} {
		state := stateOf(fmt.Errorf("read the token: %w", err))
		if seen[state] {
			t.Errorf("%v has the state of another error: %v", err, state)
		}
		seen[state] = true
	}
	if err := secretError(secret.ErrInvalid); !errors.Is(err, secret.ErrInvalid) || errors.As(err, new(*presenter.SecretError)) {
		t.Errorf("what is wrong with a value became a state of the keychain: %v", err)
	}
	if secretError(nil) != nil {
		t.Error("no error became one")
	}
}

func TestStatus(t *testing.T) {
	for from, want := range map[app.State]presenter.State{
		app.Stopped: presenter.Stopped, app.Starting: presenter.Starting, app.Running: presenter.Running,
		app.Stopping: presenter.Stopping, app.Failed: presenter.Failed,
	} {
		if got := status(app.Status{State: from}).State; got != want {
			t.Errorf("%v became %v", from, got)
		}
	}
	busy := fmt.Errorf("start: %w", &proxy.ListenError{Addr: "127.0.0.1:1", Holder: "nginx (pid 12)", Err: errors.New("in use")})
	var port *presenter.PortError
	if err := status(app.Status{State: app.Failed, Err: busy}).Err; !errors.As(err, &port) || port.Holder != "nginx (pid 12)" {
		t.Errorf("the port's error became %v", err)
	}
}

// A port that a flag has set is told with the flag, which alone can change it.
func TestStatusOfAFixedPort(t *testing.T) {
	a, err := app.Open(t.Context(), app.Options{
		Flags: map[string]string{"config": filepath.Join(t.TempDir(), "settings.toml"), "listen": "127.0.0.1:1"}, Keychain: &secret.Memory{},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close(t.Context())
	busy := &proxy.ListenError{Addr: "127.0.0.1:1", Err: errors.New("in use")}
	var port *presenter.PortError
	if err := newCore(a).status(app.Status{State: app.Failed, Err: busy}).Err; !errors.As(err, &port) || port.Source != "flag --listen" {
		t.Errorf("it became %#v", err)
	}
}

// TestRunEndsWhileItWaits: a copy that waits for the one before it to end does as it is told
// at once, and shows nothing.
func TestRunEndsWhileItWaits(t *testing.T) {
	a, err := app.Open(t.Context(), app.Options{
		Flags: map[string]string{"config": filepath.Join(t.TempDir(), "settings.toml")}, Keychain: &secret.Memory{},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close(t.Context())
	first, err := app.AcquireInstance(t.Context(), a.Dir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	ctx, cancel := context.WithCancel(t.Context())
	first.OnShow(func([]string) bool { // it is ending
		cancel()
		return false
	})
	if code := run(ctx, a, false); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
