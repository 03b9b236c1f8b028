//go:build !headless

package desktop

import (
	"context"
	"errors"

	"apex-ai-proxy/app"
	"apex-ai-proxy/app/autostart"
	"apex-ai-proxy/app/secret"
	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/proxy"
	"apex-ai-proxy/proxy/capture"
	builtin "apex-ai-proxy/proxy/demo"
	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/proxy/probe"
	"apex-ai-proxy/proxy/provider"
	"apex-ai-proxy/ui/presenter"
)

// core is the program as the user interface knows it. It only translates: the user
// interface depends neither on package app nor on the proxy.
type core struct{ app *app.App }

var _ presenter.Core = core{}

func newCore(a *app.App) core { return core{a} }

// Status implements presenter.Control.
func (c core) Status() presenter.Status { return c.status(c.app.Status()) }

// Watch implements presenter.Control.
func (c core) Watch(f func(presenter.Status)) (stop func()) {
	return c.app.Watch(func(s app.Status) { f(c.status(s)) })
}

// Start implements presenter.Control.
func (c core) Start(ctx context.Context) error { return portError(c.app.Start(ctx)) }

// Stop implements presenter.Control.
func (c core) Stop(ctx context.Context) error { return c.app.Stop(ctx) }

// Active implements presenter.Control.
func (c core) Active() int { return c.app.Active() }

// NextAddress implements presenter.Control.
func (c core) NextAddress(ctx context.Context, taken string) (string, error) {
	return c.app.NextAddress(ctx, taken)
}

// Settings implements presenter.Configuration.
func (c core) Settings() settings.Settings { return c.app.Settings() }

// SaveSettings implements presenter.Configuration.
func (c core) SaveSettings(ctx context.Context, s settings.Settings) error {
	return portError(c.app.SaveSettings(ctx, s))
}

// CheckSettings implements presenter.Configuration.
func (c core) CheckSettings(s settings.Settings) error { return c.app.CheckSettings(s) }

// Overridden implements presenter.Configuration.
func (c core) Overridden() map[string]string { return c.app.Overridden() }

// Notices implements presenter.Configuration.
func (c core) Notices() []string {
	var out []string
	if err := c.app.FileError(); err != nil {
		out = append(out, presenter.Tell(err))
	}
	for _, n := range c.app.Notices() {
		out = append(out, presenter.Say(n.Told()))
	}
	return out
}

// Unreadable implements presenter.Configuration.
func (c core) Unreadable() bool { return c.app.FileUnused() }

// SettingsFile implements presenter.Configuration.
func (c core) SettingsFile() string { return c.app.Path() }

// Reload implements presenter.Configuration.
func (c core) Reload(ctx context.Context) bool { return c.app.Reload(ctx) }

// Providers implements presenter.Configuration.
func (c core) Providers() []string {
	var names []string
	for _, p := range provider.All() {
		if p.Slug != demo {
			names = append(names, p.Slug)
		}
	}
	return names
}

// Models implements presenter.Configuration.
func (c core) Models() []string {
	var names []string
	for _, p := range provider.All() {
		models := p.Models
		if p.Slug == demo {
			models = builtin.Models()
		}
		for _, m := range models {
			names = append(names, m+"#"+p.Slug)
		}
	}
	return names
}

// demo answers from inside the program and needs no key.
const demo = "demo"

// Bus implements presenter.Core.
func (c core) Bus() *event.Bus { return c.app.Bus() }

// loginItem is the program's entry: it starts in the tray.
var loginItem = autostart.Entry{ID: ID, Name: Name, Args: []string{hiddenFlag}}

// LoginState implements presenter.Login.
func (c core) LoginState(context.Context) presenter.LoginState {
	switch s, err := loginItem.State(); {
	case err != nil:
		return presenter.LoginUnknown
	case s == autostart.On:
		return presenter.LoginOn
	case s == autostart.Blocked:
		return presenter.LoginBlocked
	case s == autostart.Other:
		return presenter.LoginOther
	default:
		return presenter.LoginOff
	}
}

// SetLogin implements presenter.Login.
func (c core) SetLogin(_ context.Context, on bool) error { return loginItem.Set(on) }

// TestConnection implements presenter.Testing.
func (c core) TestConnection(ctx context.Context, s settings.Settings, token string) probe.Finding {
	return c.app.TestConnection(ctx, s, token)
}

// Captures implements presenter.Inspecting.
func (c core) Captures() *capture.Store { return c.app.Captures() }

// Replay implements presenter.Inspecting.
func (c core) Replay(ctx context.Context, r presenter.Replay) error {
	err := c.app.Replay(ctx, app.Replay{ID: r.ID, Model: r.Model, Body: r.Body})
	switch {
	case errors.Is(err, app.ErrNotKept):
		return presenter.ErrNotKept
	case errors.Is(err, app.ErrNotRunning):
		return presenter.ErrNotRunning
	default:
		return err
	}
}

// Try implements presenter.Trying.
func (c core) Try(ctx context.Context, model string) (presenter.Trial, error) {
	t, err := c.app.Try(ctx, model)
	if errors.Is(err, app.ErrNotRunning) {
		err = presenter.ErrNotRunning
	}
	return presenter.Trial{Model: t.Model, First: t.First, Took: t.Took}, err
}

// Version implements presenter.Core.
func (c core) Version() string { return c.app.Version() }

// LocalKey implements presenter.Secrets.
func (c core) LocalKey() string { return c.app.LocalKey() }

// LocalKeyKept implements presenter.Secrets.
func (c core) LocalKeyKept() bool { return c.app.LocalKeyKept() }

// SecretState implements presenter.Secrets.
func (c core) SecretState(ctx context.Context, name presenter.SecretName) presenter.SecretState {
	if err := c.app.SecretState(ctx, string(name)); err != nil {
		return stateOf(err)
	}
	switch c.app.SecretPlace(string(name)) {
	case secret.InEnvironment:
		return presenter.SecretFromEnvironment
	case secret.InMemory:
		return presenter.SecretInMemory
	default:
		return presenter.SecretPresent
	}
}

// SetSecret implements presenter.Secrets.
func (c core) SetSecret(ctx context.Context, name presenter.SecretName, value string) error {
	return secretError(c.app.SetSecret(ctx, string(name), value))
}

// DeleteSecret implements presenter.Secrets.
func (c core) DeleteSecret(ctx context.Context, name presenter.SecretName) error {
	return secretError(c.app.DeleteSecret(ctx, string(name)))
}

var states = map[app.State]presenter.State{
	app.Stopped: presenter.Stopped, app.Starting: presenter.Starting, app.Running: presenter.Running,
	app.Stopping: presenter.Stopping, app.Failed: presenter.Failed,
}

// status tells of settings that are wrong, and of an address, also where they are from.
func (c core) status(s app.Status) presenter.Status {
	out := status(s)
	var wrong *settings.ValidationError
	var port *presenter.PortError
	switch {
	case errors.As(s.Err, &wrong):
		out.Err = &presenter.SettingsError{Problems: wrong.Problems, Sources: c.app.Overridden(), Err: s.Err}
	case errors.As(out.Err, &port):
		port.Source = c.app.Overridden()[settings.FieldListen]
	}
	return out
}

func status(s app.Status) presenter.Status {
	return presenter.Status{State: states[s.State], Addr: s.Addr, Err: portError(s.Err)}
}

// portError makes the proxy's error about its address the user interface's.
func portError(err error) error {
	var l *proxy.ListenError
	if errors.As(err, &l) {
		return &presenter.PortError{Addr: l.Addr, Holder: l.Holder, Reserved: l.Reserved(), Err: l.Err}
	}
	return err
}

// secretError names the state that a failure of the keychain means. Errors about the
// value itself stay as they are.
func secretError(err error) error {
	if err == nil || errors.Is(err, secret.ErrInvalid) || errors.Is(err, secret.ErrEmpty) {
		return err
	}
	return &presenter.SecretError{State: stateOf(err), Err: err}
}

func stateOf(err error) presenter.SecretState {
	for _, s := range []struct {
		err   error
		state presenter.SecretState
	}{
		{secret.ErrMissing, presenter.SecretMissing},
		{secret.ErrLocked, presenter.SecretLocked},
		{secret.ErrBusy, presenter.SecretWaiting},
		{secret.ErrNoService, presenter.SecretNoService},
		{secret.ErrDenied, presenter.SecretDenied},
		{secret.ErrTooLarge, presenter.SecretTooLarge},
		{secret.ErrReadOnly, presenter.SecretFromEnvironment},
	} {
		if errors.Is(err, s.err) {
			return s.state
		}
	}
	return presenter.SecretUnreadable
}
