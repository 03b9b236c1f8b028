package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"apex-ai-proxy/app/secret"
	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/proxy/probe"
	"apex-ai-proxy/proxy/prose"
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
			return probe.Finding{Cause: probe.TokenLocked, Said: err.Error(), Told: prose.Of(err)}
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
		if why := v.Of(field); !why.Empty() {
			return probe.Finding{Cause: probe.Invalid, Setting: field, Said: why.String(), Told: why}, true
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
	done := make(chan []probe.Finding, 1)
	go func() { done <- a.diagnose(ctx, a.Settings()) }()
	var found []probe.Finding
	select {
	case found = <-done:
	case <-c.signals:
		return c.fail(errInterrupted, nil)
	}
	fmt.Fprint(c.stdout, report(found))
	if found[0].Cause != probe.OK {
		return exitFailure
	}
	return exitOK
}

// diagnose is everything that is in the way, in the order in which it is best mended; one
// finding that all is well when nothing is. A test of the connection alone ends with the
// first.
func (a *App) diagnose(ctx context.Context, s settings.Settings) []probe.Finding {
	tested := a.TestConnection(ctx, s, "")
	ctx, cancel := context.WithTimeout(ctx, probe.Limit)
	defer cancel()
	var found []probe.Finding
	switch tested.Cause {
	case probe.OK, probe.TokenMissing:
	case probe.AccountMissing, probe.GatewayMissing, probe.TokenLocked: // found without asking the gateway
		if f := probe.Reach(ctx, probe.Gateway{URL: s.Gateway.URL, Version: a.version}); f.Cause != probe.OK {
			found = append(found, f)
		}
	default:
		found = append(found, tested)
	}
	if s.Gateway.Account == "" {
		found = append(found, probe.Finding{Cause: probe.AccountMissing})
	}
	if s.Gateway.ID == "" {
		found = append(found, probe.Finding{Cause: probe.GatewayMissing})
	}
	switch {
	case tested.Cause == probe.TokenLocked: // and so are the others
		return append(found, tested)
	case tested.Cause == probe.TokenMissing:
		found = append(found, tested)
	default:
		found = append(found, a.tokenFinding(ctx)...)
	}
	found = append(found, a.ownKeyFindings(ctx, s, tested)...)
	if len(found) == 0 {
		return []probe.Finding{tested}
	}
	return found
}

// tokenFinding tells when there is no gateway token.
func (a *App) tokenFinding(ctx context.Context) []probe.Finding {
	switch _, err := a.secret(ctx, secret.GatewayToken); {
	case err == nil:
		return nil
	case errors.Is(err, secret.ErrMissing), errors.Is(err, secret.ErrNoService):
		return []probe.Finding{{Cause: probe.TokenMissing}}
	default:
		return []probe.Finding{{Cause: probe.TokenLocked, Said: err.Error(), Told: prose.Of(err)}}
	}
}

// ownKeyFindings tells of the user's own keys that are chosen and not stored, but for the
// one that the test found.
func (a *App) ownKeyFindings(ctx context.Context, s settings.Settings, tested probe.Finding) (found []probe.Finding) {
	for _, name := range slices.Sorted(maps.Keys(s.Providers)) {
		if s.Providers[name].Key != settings.KeyOwn || tested.Cause == probe.OwnKey && tested.Provider == name {
			continue
		}
		if _, err := a.secret(ctx, secret.ProviderKey(name)); err != nil {
			found = append(found, probe.Finding{Cause: probe.OwnKey, Provider: name, Said: err.Error(), Told: prose.Of(err)})
		}
	}
	return found
}

// report is what was found, in lines: the findings numbered when there are several, then
// the state of the providers' keys.
func report(found []probe.Finding) string {
	var b strings.Builder
	if len(found) > 1 {
		fmt.Fprintf(&b, "%d problems found. Fix the first one first.\n", len(found))
	}
	var providers []probe.Provider
	for i, f := range found {
		if len(found) > 1 {
			fmt.Fprintf(&b, "\n%d. ", i+1)
		}
		b.WriteString(reportOf(f))
		if len(f.Providers) > 0 {
			providers = f.Providers
		}
	}
	for _, p := range providers {
		fmt.Fprintf(&b, "  %s: %s\n", p.Title, keyStates[p.State])
	}
	return b.String()
}

func reportOf(f probe.Finding) string {
	var b strings.Builder
	fmt.Fprintln(&b, f.Says())
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(&b, "  %-9s %s\n", name+":", text)
		}
	}
	line("said", f.Said)
	line("log", f.LogID)
	line("to do", f.Cure())
	line("look at", lookAt(f))
	line("gateways", strings.Join(f.Gateways, ", "))
	return b.String()
}

// lookAt is the setting to change, and what changes it.
func lookAt(f probe.Finding) string {
	store := func(name string, args ...string) string {
		return fmt.Sprintf("%s, or %s in the environment", strings.Join(append([]string{program, cmdToken, "set"}, args...), " "), secret.Variable(name))
	}
	switch field := f.Field(); {
	case field == "":
		return ""
	case field == "token":
		return "the gateway token (" + store(secret.GatewayToken) + ")"
	case f.Cause == probe.OwnKey:
		return field + " (" + store(secret.ProviderKey(f.Provider), f.Provider) + ")"
	default:
		return withFlags([]string{field})
	}
}

var keyStates = map[probe.KeyState]string{
	probe.Ready:      "ready",
	probe.KeyMissing: "no key",
	probe.KeyRefused: "the key is refused",
	probe.Unknown:    "did not say",
}
