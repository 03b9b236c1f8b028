package ui

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/proxy/capture"
	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/proxy/probe"
	"apex-ai-proxy/proxy/prose"
	"apex-ai-proxy/ui/presenter"
)

// fakeCore is a program whose answers the test decides.
type fakeCore struct {
	mu       sync.Mutex
	status   presenter.Status
	watch    []func(presenter.Status)
	settings settings.Settings
	over     map[string]string
	secrets  map[presenter.SecretName]string
	states   map[presenter.SecretName]presenter.SecretState
	key      string
	notices  []prose.Text
	broken   bool // the settings file
	fleeting bool // the local key
	bus      *event.Bus
	bytes    *capture.Store
	replays  []presenter.Replay
	tried    []string

	finding                               probe.Finding // of a test of the connection
	tested                                []settings.Settings
	login                                 presenter.LoginState
	loginErr                              error
	replayErr                             error
	trials                                map[string]error // what models answer that do not say OK
	startErr, stopErr, saveErr, secretErr error
	saved                                 []settings.Settings
	active                                int
	stop                                  func(context.Context) // what stopping waits for
	next                                  string                // the address that is free
	edited                                func(*fakeCore)       // what an edit of the settings file changes, nil for none
}

// sceneLanguage is what new programs speak, whatever the system does.
var sceneLanguage = "en"

func newFakeCore() *fakeCore {
	s := settings.Default()
	s.App.Language, s.App.Guided = sceneLanguage, true
	return &fakeCore{
		status:   presenter.Status{State: presenter.Stopped, Addr: "127.0.0.1:8787"},
		settings: s,
		over:     map[string]string{},
		secrets:  map[presenter.SecretName]string{},
		states:   map[presenter.SecretName]presenter.SecretState{},
		key:      "apx-local-key-for-tests",
		login:    presenter.LoginOff,
		bus:      event.NewBus(500),
		bytes:    capture.NewStore(capture.DefaultLimits(), nil),
	}
}

func (c *fakeCore) Status() presenter.Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.status
}

func (c *fakeCore) Watch(f func(presenter.Status)) (stop func()) {
	c.mu.Lock()
	c.watch = append(c.watch, f)
	s := c.status
	c.mu.Unlock()
	f(s)
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.watch = nil
	}
}

func (c *fakeCore) set(s presenter.Status) {
	c.mu.Lock()
	c.status = s
	watch := c.watch
	c.mu.Unlock()
	for _, f := range watch {
		f(s)
	}
}

func (c *fakeCore) Start(context.Context) error {
	addr := c.Settings().Server.Listen
	if c.startErr != nil {
		c.set(presenter.Status{State: presenter.Failed, Addr: addr, Err: c.startErr})
		return c.startErr
	}
	c.set(presenter.Status{State: presenter.Running, Addr: addr})
	return nil
}

func (c *fakeCore) Stop(ctx context.Context) error {
	if c.stop != nil {
		c.stop(ctx)
	}
	c.set(presenter.Status{State: presenter.Stopped, Addr: c.Settings().Server.Listen})
	return c.stopErr
}

func (c *fakeCore) Active() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.active
}

func (c *fakeCore) NextAddress(context.Context, string) (string, error) {
	if c.next == "" {
		return "", errors.New("no port is free")
	}
	return c.next, nil
}

func (c *fakeCore) Settings() settings.Settings {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.settings
}

func (c *fakeCore) SaveSettings(_ context.Context, s settings.Settings) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.saveErr != nil {
		return c.saveErr
	}
	c.settings = s
	c.saved = append(c.saved, s)
	return nil
}

func (c *fakeCore) CheckSettings(s settings.Settings) error {
	invalid := &settings.ValidationError{}
	if errors.As(s.Validate(append(c.Providers(), slices.Collect(maps.Keys(s.Providers))...)), &invalid) {
		return invalid
	}
	for name, models := range s.AliasTargets() {
		for _, m := range models {
			if strings.HasSuffix(m, "#nobody") {
				invalid.Problems = append(invalid.Problems, settings.Problem{Field: settings.FieldAlias(name), Text: prose.New("the provider %q is not known", "nobody")})
				return invalid
			}
		}
	}
	return nil
}

func (c *fakeCore) Overridden() map[string]string { return c.over }
func (c *fakeCore) Unreadable() bool              { return c.broken }
func (c *fakeCore) SettingsFile() string          { return "/home/me/.config/apex-ai-proxy/settings.toml" }
func (c *fakeCore) LocalKeyKept() bool            { return !c.fleeting }
func (c *fakeCore) Notices() (out []string) {
	for _, n := range c.notices {
		out = append(out, presenter.Say(n))
	}
	return out
}

func (c *fakeCore) Bus() *event.Bus     { return c.bus }
func (c *fakeCore) Version() string     { return "0.1.0" }
func (c *fakeCore) Providers() []string { return []string{"openai", "anthropic", "groq"} }

// Reload finds what the test put into the file.
func (c *fakeCore) Reload(context.Context) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.edited == nil {
		return false
	}
	c.edited(c)
	c.edited = nil
	return true
}

func (c *fakeCore) Models() []string {
	return []string{"gpt-5#openai", "gpt-5-mini#openai", "claude-sonnet-4-5#anthropic", "@cf/meta/llama-3.3-70b-instruct-fp8-fast#workers-ai", "echo#demo"}
}

func (c *fakeCore) LoginState(context.Context) presenter.LoginState {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.login
}

func (c *fakeCore) SetLogin(_ context.Context, on bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.loginErr != nil {
		return c.loginErr
	}
	c.login = presenter.LoginOff
	if on {
		c.login = presenter.LoginOn
	}
	return nil
}

func (c *fakeCore) TestConnection(_ context.Context, s settings.Settings, _ string) probe.Finding {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tested = append(c.tested, s)
	return c.finding
}

func (c *fakeCore) Captures() *capture.Store { return c.bytes }

func (c *fakeCore) Replay(_ context.Context, r presenter.Replay) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.replays = append(c.replays, r)
	return c.replayErr
}

// sent is how many requests were sent again.
func (c *fakeCore) sent() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.replays)
}

func (c *fakeCore) Try(_ context.Context, model string) (presenter.Trial, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tried = append(c.tried, model)
	if err := c.trials[model]; err != nil {
		return presenter.Trial{}, err
	}
	answered := model
	if t := c.settings.AliasTargets()[model]; t != nil {
		answered = t[0]
	}
	answered, _, _ = strings.Cut(answered, "#")
	return presenter.Trial{Model: answered, First: 640 * time.Millisecond, Took: 900 * time.Millisecond}, nil
}

func (c *fakeCore) LocalKey() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.key
}

func (c *fakeCore) SecretState(_ context.Context, name presenter.SecretName) presenter.SecretState {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s, ok := c.states[name]; ok {
		return s
	}
	if c.secrets[name] != "" {
		return presenter.SecretPresent
	}
	return presenter.SecretMissing
}

func (c *fakeCore) SetSecret(_ context.Context, name presenter.SecretName, value string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.secretErr != nil {
		return c.secretErr
	}
	c.secrets[name] = value
	return nil
}

func (c *fakeCore) DeleteSecret(_ context.Context, name presenter.SecretName) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.secretErr != nil {
		return c.secretErr
	}
	delete(c.secrets, name)
	return nil
}

func (c *fakeCore) secret(name presenter.SecretName) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.secrets[name]
}

// stage is a user interface whose goroutine is the test's: what other goroutines want done
// waits until the test asks for it.
type stage struct {
	panel fakeBar
	*UI
	t      *testing.T
	core   *fakeCore
	queue  chan func()
	timers []func()
	quits  int
	told   chan string // notifications
	hosted bool
	blind  bool // no window can be drawn
	shown  bool // whether the window is open, as was last said
	early  bool // that was said before there was one
}

func newStage(t *testing.T, core *fakeCore) *stage {
	t.Helper()
	s := &stage{t: t, core: core, queue: make(chan func(), 1000), told: make(chan string, 10), hosted: true}
	s.UI = New(test.NewTempApp(t), core, Options{
		Name:     "Apex AI Proxy",
		TrayHost: func(context.Context) bool { return s.hosted },
		Do:       func(f func()) { s.queue <- f },
		After:    func(_ time.Duration, f func()) { s.timers = append(s.timers, f) },
		Quit:     func() { s.quits++ },
		Drawable: func() bool { return !s.blind },
		Seen:     func(seen bool) { s.shown, s.early = seen, s.early || seen && s.UI.window == nil },
		Notify:   func(_, text string) { s.told <- text },
	})
	s.UI.bar, s.panel.clicked = &s.panel, s.settle
	t.Cleanup(func() {
		s.Close()
		if s.window != nil {
			s.window.win.Close()
		}
	})
	return s
}

// start shows the window and waits until it has seen the program.
func (s *stage) start() {
	s.t.Helper()
	s.Start(false)
	s.until("the token's state", func() bool { return s.token != presenter.SecretChecking })
}

// until does what other goroutines want done until cond holds.
func (s *stage) until(what string, cond func() bool) {
	s.t.Helper()
	limit := time.After(time.Minute)
	for !cond() {
		select {
		case f := <-s.queue:
			f()
		case <-limit:
			s.t.Fatalf("waited in vain for %s", what)
		}
	}
}

// settle does what waits to be done now.
func (s *stage) settle() {
	for {
		select {
		case f := <-s.queue:
			f()
		default:
			return
		}
	}
}

// pass lets the time of all timers pass.
func (s *stage) pass() {
	timers := s.timers
	s.timers = nil
	for _, f := range timers {
		f()
	}
	s.settle()
}

func (s *stage) publish(x event.Exchange) {
	s.t.Helper()
	s.core.bus.Publish(x)
	s.until(fmt.Sprintf("row %s at revision %d", x.ID, x.Revision), func() bool {
		for i := range s.log.Len() {
			if s.log.Row(i, x.Start).ID == x.ID {
				return s.revision(x.ID) >= x.Revision
			}
		}
		return false
	})
}

func (s *stage) revision(id string) int { return s.log.Revision(id) }

func size(w, h float32) fyne.Size { return fyne.NewSize(w, h) }
