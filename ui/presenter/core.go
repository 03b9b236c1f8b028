// Package presenter decides what the tray and the window show and what a click means. It
// turns states, settings and records into words and rows, and it knows no widgets, so all
// of it is tested without a display.
//
// Core is all that the user interface needs of the program. Types that have no lock are
// for one goroutine: the one of the user interface.
package presenter

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/proxy/capture"
	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/proxy/probe"
	"apex-ai-proxy/ui/words"
)

// Core is the program as the user interface sees it.
type Core interface {
	Control
	Configuration
	Secrets
	Inspecting
	Trying
	Login
	Testing

	// Bus delivers the records of the exchanges.
	Bus() *event.Bus
	// Version is the program's version.
	Version() string
}

// Control starts and stops the proxy. The methods may block until their context ends.
type Control interface {
	Status() Status
	// Watch calls f on each change of the status, and once at once, from any goroutine.
	Watch(f func(Status)) (stop func())
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
	// Active is how many requests are running.
	Active() int
	// NextAddress is where the proxy could listen when the port of an address is taken.
	NextAddress(ctx context.Context, taken string) (string, error)
}

// Configuration reads and changes the settings.
type Configuration interface {
	Settings() settings.Settings
	// SaveSettings validates, writes and applies s. What is wrong with single fields
	// comes back as a settings.ValidationError.
	SaveSettings(ctx context.Context, s settings.Settings) error
	// CheckSettings is what SaveSettings would find wrong with s, at once.
	CheckSettings(s settings.Settings) error
	// Overridden maps a field to what beats the settings file: "flag --listen".
	Overridden() map[string]string
	// Notices is what the user should know about the settings file, in sentences.
	Notices() []string
	// Unreadable tells whether the settings file could not be used, so that other settings
	// are in force and saving replaces the file.
	Unreadable() bool
	// SettingsFile is the path of the settings file.
	SettingsFile() string
	// Reload takes up the settings file if somebody has changed it. It tells whether Settings
	// or Notices are others now.
	Reload(ctx context.Context) (changed bool)
	// Providers are the names of the providers whose key mode can be chosen.
	Providers() []string
	// Models are models worth offering, by the names that requests use. Any other works too.
	Models() []string
}

// Secrets reads the state of secrets and changes them. Only the local key, which is made
// to be copied, can be read. The methods may block until their context ends, because the
// system may be asking the user for a password.
type Secrets interface {
	SecretState(ctx context.Context, name SecretName) SecretState
	// SetSecret stores a secret. A refusal of the keychain is a *SecretError.
	SetSecret(ctx context.Context, name SecretName, value string) error
	DeleteSecret(ctx context.Context, name SecretName) error
	// LocalKey is the key that clients send.
	LocalKey() string
	// LocalKeyKept tells whether the local key will be the same at the next start.
	LocalKeyKept() bool
}

// Login is the program's entry among those that the system starts at login. The methods
// may block for as long as a file or the registry takes.
type Login interface {
	LoginState(ctx context.Context) LoginState
	SetLogin(ctx context.Context, on bool) error
}

// Testing asks the gateway whether requests would get through.
type Testing interface {
	// TestConnection tests the gateway of s, which need not be saved, with a token or, when
	// that is "", with the stored one. It costs nothing and takes at most probe.Limit or so.
	TestConnection(ctx context.Context, s settings.Settings, token string) probe.Finding
}

// Inspecting looks at what was sent and what came back.
type Inspecting interface {
	// Captures is what is kept of the bytes of the last exchanges.
	Captures() *capture.Store
	// Replay sends a captured request once more, and waits until it is answered. The
	// answer is an exchange of its own. The errors are ErrNotKept, ErrNotRunning, and what
	// is wrong with the body.
	Replay(ctx context.Context, r Replay) error
}

// Trying asks models for a word.
type Trying interface {
	// Try sends a small request to a model, by any name that requests may use, and waits for
	// its answer. It costs what a few words cost. The errors are ErrNotRunning and sentences
	// that say what went wrong.
	Try(ctx context.Context, model string) (Trial, error)
}

// Trial is how a model answered.
type Trial struct {
	Model string        // the one that answered, as its provider calls it
	First time.Duration // until the first words, 0 when there were none
	Took  time.Duration // until the end
}

// Replay is a request to be sent again.
type Replay struct {
	ID    string // of the exchange
	Model string // another model, "" for the same
	Body  []byte // another body, nil for the same
}

// The reasons why a request cannot be sent again.
var (
	ErrNotKept    = errors.New("the request is not kept any more, or only its beginning")
	ErrNotRunning = errors.New("the proxy is not running")
)

// State is how far the proxy is.
type State uint8

// The states of the proxy.
const (
	Stopped State = iota
	Starting
	Running
	Stopping
	Failed
)

// Status is the state of the proxy with its address.
type Status struct {
	State State
	Addr  string // the bound address when Running, the wanted one otherwise
	Err   error  // why it is Failed; a *PortError when the port is taken
}

// SettingsError says that the proxy cannot start with the settings.
type SettingsError struct {
	Problems []settings.Problem
	Sources  map[string]string // as of Configuration.Overridden
	Err      error
}

// Error is the reason in a sentence.
func (e *SettingsError) Error() string { return e.Err.Error() }

// Unwrap is the reason.
func (e *SettingsError) Unwrap() error { return e.Err }

// sentences are the problems with where they are from, one on a line.
func (e *SettingsError) sentences() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		by, overridden := e.Sources[p.Field]
		if !overridden {
			lines[i] = words.F("{{.Name}}: {{.Problem}}", words.V{"Name": p.Name(), "Problem": told(p)})
			continue
		}
		lines[i] = Sentence(words.F("{{.Name}}: {{.Problem}}", words.V{"Name": source(by), "Problem": told(p)}))
	}
	return strings.Join(lines, "\n")
}

// PortError says that the proxy could not listen on its address.
type PortError struct {
	Addr   string
	Holder string // "nginx (pid 12)", "" when the system does not tell
	// Reserved means that no program has the port, but the system keeps it for itself.
	Reserved bool
	Source   string // what beats the settings about the address, as of Configuration.Overridden; "" for nothing
	Err      error
}

// Error is the reason in a sentence.
func (e *PortError) Error() string {
	if e.Holder != "" {
		return fmt.Sprintf("listen on %s: in use by %s", e.Addr, e.Holder)
	}
	return fmt.Sprintf("listen on %s: %v", e.Addr, e.Err)
}

// Unwrap is the system's error.
func (e *PortError) Unwrap() error { return e.Err }
