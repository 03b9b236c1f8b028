package app

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"apex-ai-proxy/app/secret"
	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/proxy/probe"
)

// TestConnection asks the gateway of s, which need not be saved, whether requests would get
// through. It uses the given token, or the stored one when it is "". Nothing it does costs
// money. It ends with ctx, and soon after probe.Limit at the latest.
func (a *App) TestConnection(ctx context.Context, s settings.Settings, token string) probe.Finding {
	s = s.Normalized()
	if f, wrong := invalid(s); wrong {
		return f
	}
	ctx, cancel := context.WithTimeout(ctx, probe.Limit) // the keychain is waited for as well
	defer cancel()
	if token == "" {
		stored, err := a.secret(ctx, secret.GatewayToken)
		if err != nil && !errors.Is(err, secret.ErrMissing) && !errors.Is(err, secret.ErrNoService) {
			return probe.Finding{Cause: probe.TokenLocked, Said: err.Error()}
		}
		token = stored
	}
	return probe.Test(ctx, probe.Gateway{
		URL: s.Gateway.URL, Account: s.Gateway.Account, Name: s.Gateway.ID, Token: token,
		Keys: a.probeKeys(ctx, s), Version: a.version,
	})
}

// secret is the one in force, or the one that the keychain has.
func (a *App) secret(ctx context.Context, name string) (string, error) {
	a.mu.Lock()
	value := a.values[name]
	a.mu.Unlock()
	if value != "" {
		return value, nil
	}
	return a.secrets.Get(ctx, name)
}

// invalid finds what cannot be right about the gateway without asking it.
func invalid(s settings.Settings) (probe.Finding, bool) {
	var v *settings.ValidationError
	if !errors.As(s.Validate(providers()), &v) {
		return probe.Finding{}, false
	}
	for _, field := range []string{settings.FieldAccount, settings.FieldGateway, settings.FieldGatewayURL} {
		if why := v.Field(field); why != "" {
			return probe.Finding{Cause: probe.Invalid, Setting: field, Said: why}, true
		}
	}
	return probe.Finding{}, false
}

// probeKeys are the keys that are not stored at Cloudflare.
func (a *App) probeKeys(ctx context.Context, s settings.Settings) map[string]probe.Key {
	keys := map[string]probe.Key{}
	for name, p := range s.Providers {
		switch p.Key {
		case settings.KeyOwn:
			value, _ := a.secret(ctx, secret.ProviderKey(name)) // without one, that is what is found
			keys[name] = probe.Key{Own: value}
		case settings.KeyUnified:
			keys[name] = probe.Key{Unified: true}
		case settings.KeyStored:
		}
	}
	return keys
}

// doctor tests the connection and tells how it went.
func (c *cli) doctor(ctx context.Context, line commandLine) int {
	a, err := c.openApp(ctx, line)
	if err != nil {
		return c.fail(err, nil)
	}
	defer func() { _ = a.Close(ctx) }() // nothing has been started
	if err := a.FileError(); err != nil {
		c.fail(err, nil)
		return exitUsage
	}
	if err := a.validate(a.Settings()); err != nil {
		return c.fail(err, a)
	}
	done := make(chan probe.Finding, 1)
	go func() { done <- a.TestConnection(ctx, a.Settings(), "") }()
	var f probe.Finding
	select {
	case f = <-done:
	case <-c.signals:
		return c.fail(errInterrupted, nil)
	}
	fmt.Fprint(c.stdout, report(f))
	if f.Cause != probe.OK {
		return exitFailure
	}
	return exitOK
}

// report is a finding in lines.
func report(f probe.Finding) string {
	var b strings.Builder
	fmt.Fprintln(&b, f.Says())
	if f.Said != "" {
		fmt.Fprintln(&b, "  said:   ", f.Said)
	}
	if f.LogID != "" {
		fmt.Fprintln(&b, "  log:    ", f.LogID)
	}
	if f.Cure() != "" {
		fmt.Fprintln(&b, "  to do:  ", f.Cure())
	}
	if field := f.Field(); field == "token" {
		fmt.Fprintf(&b, "  look at:  the gateway token (%s token set, or %s)\n", program, secret.Variable(secret.GatewayToken))
	} else if field != "" {
		fmt.Fprintln(&b, "  look at: ", withFlags([]string{field}))
	}
	if len(f.Gateways) > 0 {
		fmt.Fprintln(&b, "  gateways:", strings.Join(f.Gateways, ", "))
	}
	for _, p := range f.Providers {
		fmt.Fprintf(&b, "  %s: %s\n", p.Title, keyStates[p.State])
	}
	return b.String()
}

var keyStates = map[probe.KeyState]string{
	probe.Ready:      "ready",
	probe.KeyMissing: "no key",
	probe.KeyRefused: "the key is refused",
	probe.Unknown:    "did not say",
}
