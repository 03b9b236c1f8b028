// Package settings holds what the user may change, and the file it is kept in. It knows
// no secrets: tokens and keys live in the keychain (package secret).
//
// The file is never half written and never thrown away: it is replaced in one step, a
// broken one is left for its owner to mend and copied before it is replaced, one of a newer
// program is left alone.
package settings

import (
	"time"

	"apex-ai-proxy/proxy/prose"
)

// Settings is everything the user may change. Zero values are not the defaults; start
// from Default.
type Settings struct {
	Version int `toml:"version"` // of the file's format

	Gateway   Gateway             `toml:"gateway"`
	Azure     Azure               `toml:"azure"`
	Server    Server              `toml:"server"`
	Providers map[string]Provider `toml:"providers,omitempty"`
	App       App                 `toml:"app"`
	Captures  Captures            `toml:"captures"`

	Notifications Notifications `toml:"notifications"`

	// Aliases are names of the user's own for models: a name, which may hold *, and the
	// model it stands for, or a list of models that are tried in order. See AliasTargets.
	Aliases map[string]any `toml:"aliases,omitempty"`

	// Claude is what stands for each tier of Claude Code's models: a model or a list, as in
	// Aliases. See TierTargets and WithTier.
	Claude map[Tier]any `toml:"claude,omitempty"`
}

// Gateway is the Cloudflare AI Gateway that requests go to.
type Gateway struct {
	Account string `toml:"account"` // 32 characters, 0-9 and a-f
	ID      string `toml:"id"`      // up to 64 of a-z, 0-9, - and _
	URL     string `toml:"url"`     // base URL, /{account}/{gateway}/… follows it
}

// Azure completes URLs of the provider azure-openai.
type Azure struct {
	Resource   string `toml:"resource"`
	APIVersion string `toml:"api_version"`
}

// Server is the local endpoint.
type Server struct {
	Listen            string   `toml:"listen"`              // address:port, port 0 picks one
	UpstreamTimeout   Duration `toml:"upstream_timeout"`    // longest wait for an upstream's first byte
	StreamIdleTimeout Duration `toml:"stream_idle_timeout"` // longest silence inside a stream
	Retries           int      `toml:"retries"`             // how often a request that was not begun is sent again
	Origins           []string `toml:"origins"`             // web origins allowed besides the built-in ones; "*" for all
	Debug             bool     `toml:"debug"`
}

// KeyMode is where the key for a provider comes from.
type KeyMode string

// The key modes.
const (
	KeyStored  KeyMode = "stored"  // stored at Cloudflare (BYOK); the default
	KeyOwn     KeyMode = "own"     // the user's key in the keychain
	KeyUnified KeyMode = "unified" // Cloudflare's unified billing, which costs credits
)

// Provider is what is set per provider.
type Provider struct {
	Key KeyMode `toml:"key"`
}

// App is how the desktop program behaves.
type App struct {
	StartProxy  bool `toml:"start_proxy"`  // start the proxy with the program
	KeepRunning bool `toml:"keep_running"` // closing the window leaves the program in the tray

	Guided bool `toml:"guided"` // the guide of the first start was finished or skipped

	Language string `toml:"language"` // one of Languages, "" for the system's
	Theme    Theme  `toml:"theme"`
}

// Duration is a time.Duration written as in "5m" or "90s".
type Duration time.Duration

// MarshalText writes the duration.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String is the duration as people write it: 5m rather than 5m0s.
func (d Duration) String() string { return prose.Span(time.Duration(d)) }

// durationForm is how a duration is written.
func durationForm() prose.Text { return prose.New(`write it as in "5m" or "90s"`) }

// UnmarshalText reads the duration.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil {
		return prose.Errorf("%q is not a time; %s", Masked(string(b)), durationForm())
	}
	*d = Duration(v)
	return nil
}

// Default is what a new user starts with.
func Default() Settings {
	return Settings{
		Version: 1,
		Gateway: Gateway{URL: "https://gateway.ai.cloudflare.com/v1"},
		Azure:   Azure{APIVersion: "2024-02-01"},
		Server: Server{
			Listen:            "127.0.0.1:8787",
			UpstreamTimeout:   Duration(10 * time.Minute),
			StreamIdleTimeout: Duration(5 * time.Minute),
			Retries:           2,
		},
		App:      App{StartProxy: true, KeepRunning: true, Theme: ThemeSystem},
		Captures: defaultCaptures(),

		Notifications: Notifications{FailedStart: true, Stopped: true, Token: true},
	}
}
