package app

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"apex-ai-proxy/app/secret"
	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/proxy/demo/fakegateway"
	"apex-ai-proxy/proxy/probe"
)

// TestConnectionOfSettings tests settings that are not saved, with a stored token and with
// one that was just typed.
func TestConnectionOfSettings(t *testing.T) {
	g := fakegateway.New(t, fakegateway.Options{Keys: map[string]string{"openai": "mine"}})
	right := settings.Default()
	right.Gateway = settings.Gateway{Account: " " + strings.ToUpper(fakegateway.Account), ID: fakegateway.Name, URL: g.URL + "/"}
	right.Providers = map[string]settings.Provider{"openai": {Key: settings.KeyOwn}, "grok": {Key: settings.KeyUnified}}
	for name, c := range map[string]struct {
		edit  func(*settings.Settings)
		store func(*secret.Memory)
		ring  secret.Store
		typed string
		want  probe.Cause
		field string
	}{
		"stored token":     {want: probe.OK},
		"typed token":      {typed: "wrong", want: probe.TokenRefused, field: "token"},
		"only typed":       {store: func(m *secret.Memory) { _ = m.Delete(context.Background(), secret.GatewayToken) }, typed: fakegateway.Token, want: probe.OK},
		"no token":         {store: func(m *secret.Memory) { _ = m.Delete(context.Background(), secret.GatewayToken) }, want: probe.TokenMissing, field: "token"},
		"no own key":       {store: func(m *secret.Memory) { _ = m.Delete(context.Background(), secret.ProviderKey("openai")) }, want: probe.OwnKey, field: "providers.openai.key"},
		"locked keychain":  {ring: &brokenKeychain{err: secret.ErrLocked}, want: probe.TokenLocked, field: "token"},
		"no keychain":      {ring: &brokenKeychain{err: secret.ErrNoService}, want: probe.TokenMissing, field: "token"},
		"no account":       {edit: func(s *settings.Settings) { s.Gateway.Account = "" }, want: probe.AccountMissing, field: settings.FieldAccount},
		"no such account":  {edit: func(s *settings.Settings) { s.Gateway.Account = "me@example.com" }, want: probe.Invalid, field: settings.FieldAccount},
		"no such name":     {edit: func(s *settings.Settings) { s.Gateway.ID = "My Gateway" }, want: probe.Invalid, field: settings.FieldGateway},
		"no such address":  {edit: func(s *settings.Settings) { s.Gateway.URL = "gateway" }, want: probe.Invalid, field: settings.FieldGatewayURL},
		"other field":      {edit: func(s *settings.Settings) { s.Server.Listen = "nonsense" }, want: probe.OK},
		"gateway is wrong": {edit: func(s *settings.Settings) { s.Gateway.ID = "other" }, want: probe.NoGateway, field: settings.FieldGateway},
	} {
		t.Run(name, func(t *testing.T) {
			var k secret.Memory
			_ = k.Set(t.Context(), secret.GatewayToken, fakegateway.Token)
			_ = k.Set(t.Context(), secret.ProviderKey("openai"), "mine")
			if c.store != nil {
				c.store(&k)
			}
			var ring secret.Store = &k
			if c.ring != nil {
				ring = c.ring
			}
			a, err := Open(t.Context(), Options{Env: given(t, nil), Keychain: ring})
			if err != nil {
				t.Fatal(err)
			}
			defer a.Close(t.Context())
			s := right
			if c.edit != nil {
				c.edit(&s)
			}
			f := a.TestConnection(t.Context(), s, c.typed)
			if f.Cause != c.want || f.Field() != c.field {
				t.Errorf("%+v on %q, want %s on %q", f, f.Field(), c.want, c.field)
			}
			if a.Settings().Gateway.Account != "" {
				t.Error("what was tested is in force")
			}
		})
	}
}

// TestDoctor prints what a test finds.
func TestDoctor(t *testing.T) {
	g := fakegateway.New(t, fakegateway.Options{NoKey: map[string]bool{"grok": true}})
	for name, c := range map[string]struct {
		args  []string
		token string
		code  int
		want  []string
	}{
		"well":        {[]string{"--gateway", fakegateway.Name}, fakegateway.Token, exitOK, []string{"takes the token", "OpenAI: ready", "xAI Grok: no key"}},
		"wrong token": {[]string{"--gateway", fakegateway.Name}, "wrong-token", exitFailure, []string{"refused the token", "Cloudflare 2009", "token set", "Create a new token", "log: "}},
		"wrong name":  {[]string{"--gateway", "other"}, fakegateway.Token, exitFailure, []string{"no such gateway", "gateway.id (--gateway)"}},
		"no gateway":  {nil, fakegateway.Token, exitFailure, []string{"No gateway is set.\n  to do:    Enter the name"}},
		"invalid":     {[]string{"--gateway", "No Name"}, fakegateway.Token, exitUsage, nil},
		"argument":    {[]string{"now"}, fakegateway.Token, exitUsage, nil},
	} {
		t.Run(name, func(t *testing.T) {
			console := newConsole(t, map[string]string{"GATEWAY_TOKEN": c.token, "ACCOUNT_ID": fakegateway.Account, "APEX_GATEWAY_URL": g.URL}, &secret.Memory{})
			console.start(append([]string{"doctor"}, c.args...)...)
			console.ends(t, c.code)
			for _, want := range c.want {
				if !strings.Contains(console.out.String(), want) {
					t.Errorf("no %q in\n%s", want, console.out.String())
				}
			}
			if strings.Contains(console.out.String()+console.err.String(), c.token) {
				t.Error("the token is printed")
			}
		})
	}
	if out := help(cmdDoctor); !strings.Contains(out, "--gateway") {
		t.Error(out)
	}
}

// TestDoctorTellsEverything, each with its cure, in the order in which it is best mended.
func TestDoctorTellsEverything(t *testing.T) {
	g := fakegateway.New(t, fakegateway.Options{})
	closed := "http://" + freeAddr(t)
	own := filepath.Join(t.TempDir(), "settings.toml")
	must(t, os.WriteFile(own, []byte("[providers.openai]\nkey = 'own'\n[providers.groq]\nkey = 'own'\n"), 0o600))
	const network, account, gateway, token = "The gateway cannot be reached.", "No account ID is set.", "No gateway is set.", "No gateway token is set."
	for name, c := range map[string]struct {
		env  map[string]string
		ring secret.Store
		want []string
	}{
		"nothing set":        {map[string]string{"APEX_GATEWAY_URL": g.URL}, nil, []string{account, gateway, token}},
		"nothing, offline":   {map[string]string{"APEX_GATEWAY_URL": closed}, nil, []string{network, account, gateway, token}},
		"no token, offline":  {map[string]string{"APEX_GATEWAY_URL": closed, "ACCOUNT_ID": fakegateway.Account, "GATEWAY_ID": "g"}, nil, []string{network, token}},
		"locked, no account": {map[string]string{"APEX_GATEWAY_URL": g.URL, "GATEWAY_ID": "g"}, &brokenKeychain{err: secret.ErrLocked}, []string{account, "The keychain does not give out the gateway token."}},
		"own keys": {map[string]string{"APEX_GATEWAY_URL": g.URL, "ACCOUNT_ID": fakegateway.Account, "GATEWAY_ID": fakegateway.Name, "APEX_CONFIG": own}, nil, []string{
			token, "A provider does not take your own key.\n  said:     no such secret is stored", "(apex-ai-proxy token set groq, or APEX_PROVIDER_KEY_GROQ in the environment)", "(apex-ai-proxy token set openai, ",
		}},
		"refused, own keys": {map[string]string{"APEX_GATEWAY_URL": g.URL, "ACCOUNT_ID": fakegateway.Account, "GATEWAY_ID": fakegateway.Name, "APEX_CONFIG": own, "GATEWAY_TOKEN": "wrong", "APEX_PROVIDER_KEY_OPENAI": "mine"}, nil, []string{
			"The gateway refused the token.", "token set groq",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			ring := c.ring
			if ring == nil {
				ring = &secret.Memory{}
			}
			console := newConsole(t, c.env, ring)
			console.start("doctor")
			console.ends(t, exitFailure)
			out, at := console.out.String(), 0
			for _, want := range c.want {
				i := strings.Index(out[at:], want)
				if i < 0 {
					t.Fatalf("%q is not said, or not in its place:\n%s", want, out)
				}
				at += i + len(want)
			}
			numbered := regexp.MustCompile(`(?m)^\d\. `).FindAllString(out, -1)
			if cures := strings.Count(out, "\n  to do: "); cures != len(numbered) || cures < 2 {
				t.Errorf("%d findings, %d cures:\n%s", len(numbered), cures, out)
			}
		})
	}
}

// TestDoctorEndsOnASignal has a gateway that never answers.
func TestDoctorEndsOnASignal(t *testing.T) {
	g := fakegateway.New(t, fakegateway.Options{})
	g.Script(fakegateway.Hang(make(chan struct{}), nil))
	c := newConsole(t, map[string]string{
		"GATEWAY_TOKEN": fakegateway.Token, "ACCOUNT_ID": fakegateway.Account, "APEX_GATEWAY_URL": g.URL, "GATEWAY_ID": fakegateway.Name,
		"APEX_CONFIG": filepath.Join(t.TempDir(), "settings.toml"),
	}, &secret.Memory{})
	c.start("doctor")
	if _, err := g.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.signals <- os.Interrupt
	c.ends(t, exitFailure)
}

// TestTokenInForceIsTested has a keychain that was locked after the token was read.
func TestTokenInForceIsTested(t *testing.T) {
	g := fakegateway.New(t, fakegateway.Options{})
	a, err := Open(t.Context(), Options{Env: given(t, nil), Keychain: &brokenKeychain{err: secret.ErrLocked}})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close(t.Context())
	a.learn(secret.GatewayToken, fakegateway.Token, true)
	s := settings.Default()
	s.Gateway = settings.Gateway{Account: fakegateway.Account, ID: fakegateway.Name, URL: g.URL}
	if f := a.TestConnection(t.Context(), s, ""); f.Cause != probe.OK {
		t.Errorf("%+v", f)
	}
}
