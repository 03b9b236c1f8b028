// Package app puts the program together and owns its life: settings, secrets, the proxy
// and its supervisor, the command line, the guard against a second copy.
//
// An App is opened, used by the window or by the command line, and closed. The proxy
// starts without waiting for the keychain: secrets are read beside the start and applied
// when they arrive, and until the local key is known clients are refused with 503
// rather than kept waiting. Settings come from the file, environment variables beat the
// file, flags beat both; what is beaten is never written back to the file.
package app

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"apex-ai-proxy/app/processors"
	"apex-ai-proxy/app/secret"
	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/proxy"
	"apex-ai-proxy/proxy/capture"
	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/proxy/prose"
	"apex-ai-proxy/proxy/provider"
)

// remembered is how many exchanges the bus keeps.
const remembered = 1000

// Options is what an App is opened with. The zero Options are those of a user who only
// starts the program.
type Options struct {
	Flags    map[string]string   // values of flags by name, without dashes
	Env      func(string) string // os.Getenv when nil
	EnvNames []string            // the variables there are, to notice mistyped ones
	Keychain secret.Store        // the system's when nil
	Log      *slog.Logger        // discarded when nil
	LogLevel *slog.LevelVar      // set to debug or info as the settings say; may be nil
	Version  string              // Version when ""

	Processors *processors.Governor // how many the program uses; may be nil
}

// App is the program without a face.
type App struct {
	flags   []string // the names of those that were given
	log     *slog.Logger
	level   *slog.LevelVar
	version string
	path    string
	bus     *event.Bus
	bytes   *capture.Store
	cpus    *processors.Governor
	watched atomic.Bool // somebody looks at what is captured
	sup     *supervisor
	secrets *secret.Chain

	overrides []override

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	loads  sync.WaitGroup

	saving sync.Mutex // held while settings change
	seen   fileSeen   // the file when it was read last; saving is held
	apply  sync.Mutex // held from making a proxy.Config until it is applied

	mu       sync.Mutex
	file     settings.Settings  // as in the file
	fileErr  error              // why the file could not be used
	misfits  []settings.Problem // values in the file that could not be used
	stale    bool               // the settings in force are from before the file became as it is
	notices  []settings.Notice  // what else in the file could not be
	kept     string             // the copy of a file that could not be read in full
	values   map[string]string  // secrets known so far
	former   []string           // those that were in force before in this run, the oldest first
	loading  map[string]bool
	refused  map[string]bool // secrets that the keychain did not give when it was asked
	missing  map[string]bool // secrets that it said it does not have
	asked    time.Time       // when the keychain was asked for secrets that a request lacked
	noRing   sync.Once       // what is missing for want of a keychain is told once
	keyReady chan struct{}   // closed when the local key is known
	keyKept  bool            // the local key will be the same at the next start
}

// Open reads settings and environment. It starts nothing and asks no keychain. A
// settings file that cannot be used is no error here, so that a window can show it: see
// FileError.
func Open(ctx context.Context, o Options) (*App, error) {
	if o.Env == nil {
		o.Env = os.Getenv
	}
	if o.Keychain == nil {
		o.Keychain = secret.NewKeychain()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.LogLevel == nil {
		o.LogLevel = new(slog.LevelVar)
	}
	if o.Version == "" {
		o.Version = Version
	}
	overrides, err := readOverrides(o.Flags, o.Env)
	if err != nil {
		return nil, err
	}
	env := secret.NewEnvironment(o.Env)
	for _, name := range []string{secret.GatewayToken, secret.LocalKey} {
		if _, err := env.Get(ctx, name); err != nil && !errors.Is(err, secret.ErrMissing) {
			return nil, &OverrideError{Source: "environment " + secret.Variable(name), Err: errors.Unwrap(err)}
		}
	}
	a := &App{
		flags: slices.Sorted(maps.Keys(o.Flags)),
		log:   o.Log, level: o.LogLevel, version: o.Version,
		path:      settingsPath(o.Flags, o.Env),
		bus:       event.NewBus(remembered),
		secrets:   secret.NewChain(o.Env, o.Keychain),
		overrides: overrides,
		values:    make(map[string]string),
		loading:   make(map[string]bool),
		refused:   make(map[string]bool),
		missing:   make(map[string]bool),
		keyReady:  make(chan struct{}),
	}
	a.cpus = o.Processors
	a.bus.Tap(a.cpus.Busy)
	a.bytes = capture.NewStore(capture.Limits{Mode: capture.Off}, a.known)
	a.ctx, a.cancel = context.WithCancel(context.WithoutCancel(ctx))
	a.readFile()
	unclear := doubts(o.Env, o.EnvNames, a.Settings())
	for _, name := range slices.Sorted(maps.Keys(unclear)) {
		a.log.Warn("environment variable", "name", name, "why", unclear[name])
	}
	a.sup = newSupervisor(func() server { return proxy.New(a.log, a.bus) }, a.Settings().Server.Listen)
	a.cpus.Serves(a.Active)
	return a, nil
}

func settingsPath(flags map[string]string, getenv func(string) string) string {
	if p := namedPath(flags, getenv); p != "" {
		return p
	}
	return settings.Path()
}

// What names the settings file.
const (
	configVariable = "APEX_CONFIG"
	configFlag     = "config"
)

// namedPath is the settings file that the user named, "" for the usual one.
func namedPath(flags map[string]string, getenv func(string) string) string {
	if p := flags[configFlag]; p != "" {
		return p
	}
	return getenv(configVariable)
}

// readFile leaves it to who opened the App to report what keeps the file from being used.
func (a *App) readFile() {
	var invalid *settings.ValidationError
	settings.Tidy(a.path)
	a.seen = fileAt(a.path)
	a.file, a.notices, a.fileErr = settings.Load(a.path)
	if errors.As(a.fileErr, &invalid) {
		a.misfits, a.fileErr = invalid.Problems, nil
	}
	a.setLevel()
}

// validate tells what is wrong with s, which is in force, and with the file's values that
// could not be read and that nothing overrides.
func (a *App) validate(s settings.Settings) error {
	e := &settings.ValidationError{Problems: a.notOverridden(a.unread())}
	err := check(s)
	var invalid *settings.ValidationError
	if errors.As(err, &invalid) {
		e.Problems = append(e.Problems, invalid.Problems...)
	}
	if len(e.Problems) == 0 {
		return err
	}
	return e
}

// unread are the values of the file that could not be read, so that defaults are in force.
func (a *App) unread() []settings.Problem {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stale {
		return nil
	}
	return a.misfits
}

func (a *App) setLevel() {
	level := slog.LevelInfo
	if a.Settings().Server.Debug {
		level = slog.LevelDebug
	}
	a.level.Set(level)
}

// Status is the state of the proxy.
func (a *App) Status() Status { return a.sup.Status() }

// Watch calls f with the status now and whenever it, or the local key, has changed: in
// order, one call at a time, from a goroutine of its own, until stop is called.
func (a *App) Watch(f func(Status)) (stop func()) { return a.sup.Watch(f) }

// Bus is where the proxy publishes its records.
func (a *App) Bus() *event.Bus { return a.bus }

// Captures is what is kept of the bytes of the last exchanges. Until the first call,
// nothing is: without a window nobody would look at it.
func (a *App) Captures() *capture.Store {
	if !a.watched.Swap(true) {
		a.configure()
	}
	return a.bytes
}

// Seen says whether a window is, which takes more processors than requests do.
func (a *App) Seen(seen bool) { a.cpus.Seen(seen) }

// Log is where the program says what it does.
func (a *App) Log() *slog.Logger { return a.log }

// Version is the version of the program.
func (a *App) Version() string { return a.version }

// Active is how many requests are running.
func (a *App) Active() int { return a.sup.Active() }

// Dir is the folder of the settings file, for what is to be kept beside it.
func (a *App) Dir() string { return filepath.Dir(a.path) }

// Notices is what the user should know about the settings file, the most important first:
// values that cannot be used and what that means, where a copy of the file is kept, and keys
// that are not known. See also FileError, which comes before all of it.
func (a *App) Notices() []settings.Notice {
	a.mu.Lock()
	misfits, stale, fileErr := a.misfits, a.stale, a.fileErr
	a.mu.Unlock()
	out := misfitting(misfits, a.path)
	broken := errors.As(fileErr, new(*settings.SyntaxError))
	switch {
	case stale && fileErr != nil && !broken:
		out = append(out, settings.Notice{Text: prose.New("until then the program keeps the settings it had before")})
	case stale:
		out = append(out, settings.Notice{Text: prose.New("until you correct the file, the program keeps the settings it had before; if you save settings, it first copies the file to a new name")})
	case broken:
		out = append(out, settings.Notice{Text: prose.New("until you correct the file, the program uses the defaults; if you save settings, it first copies the file to a new name")})
	}
	if kept := a.keptAside(); kept != "" {
		out = append(out, settings.Notice{Text: prose.New("parts of the old settings file could not be used; a copy is kept as %s", kept)})
	}
	return append(out, a.unknownKeys()...)
}

// misfitting are the notices about values that cannot be used, with their places in the file.
func misfitting(misfits []settings.Problem, path string) (out []settings.Notice) {
	if len(misfits) == 0 {
		return nil
	}
	lines := settings.FileLines(path)
	for _, p := range misfits {
		out = append(out, settings.Notice{Line: lines.Of(p.Field), Text: prose.New("%s cannot be used: %s", p.Name(), p.Text)})
	}
	return out
}

// unknownKeys are the notices about keys that are not known.
func (a *App) unknownKeys() []settings.Notice {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.notices)
}

func (a *App) keptAside() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.kept
}

// FileError is why the settings file could not be used, so that the defaults are in force:
// it is not TOML (a *settings.SyntaxError), of a newer version, or cannot be read. Only in
// the first case can settings be saved; the file is kept under another name then. A file
// that became so while the program runs leaves the settings as they were.
func (a *App) FileError() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.fileErr
}

// FileUnused tells whether what is in the settings file is not in force, as it cannot be
// used: see FileError and Notices.
func (a *App) FileUnused() bool { return a.FileError() != nil || a.isStale() }

// Flags are the names of the flags that the program was started with, without dashes.
func (a *App) Flags() []string { return a.flags }

// Path is where the settings file is, or would be.
func (a *App) Path() string { return a.path }

// Settings is what is in force: the file's values, with environment and flags over them.
func (a *App) Settings() settings.Settings {
	a.mu.Lock()
	defer a.mu.Unlock()
	return overlay(a.file, a.overrides)
}

// Overridden names the fields whose value in the file is beaten, and by what: "flag
// --listen", "environment APEX_LISTEN".
func (a *App) Overridden() map[string]string {
	out := make(map[string]string, len(a.overrides))
	for _, o := range a.overrides {
		out[o.option.field] = o.source
	}
	return out
}

// Start listens, unless the proxy runs already.
func (a *App) Start(ctx context.Context) error {
	s := a.Settings()
	if err := a.validate(s); err != nil {
		return a.sup.Fail(ctx, s.Server.Listen, err)
	}
	a.prepare(s)
	return a.sup.Start(ctx, s.Server.Listen)
}

// Restart gives a running proxy a new listener, or starts it. Running requests end on
// the old one.
func (a *App) Restart(ctx context.Context) error {
	s := a.Settings()
	if err := a.validate(s); err != nil {
		return a.sup.Fail(ctx, s.Server.Listen, err)
	}
	a.prepare(s)
	return a.sup.Restart(ctx, s.Server.Listen)
}

// Stop stops listening at once and waits for running requests until ctx ends; those
// left are ended with an error, which Stop returns.
func (a *App) Stop(ctx context.Context) error { return a.sup.Stop(ctx) }

// prepare makes the proxy's configuration and starts to read the secrets it lacks.
func (a *App) prepare(s settings.Settings) {
	for _, w := range s.Warnings() {
		a.log.Warn("risky setting", "field", w.Field, "why", w.Text.String())
	}
	if missing := s.Missing(); len(missing) > 0 {
		a.log.Warn("only the built-in demo models work until these are set", "missing", withFlags(missing))
	}
	a.load(wanted(s)...)
	a.configure()
}

// SaveSettings checks s, writes it to the file and puts it in force: new requests use it
// at once, and a new address is listened on before the old one is given up, with running
// requests kept. What flags and environment override is left as it is in the file. An
// error means that nothing was changed; a *settings.ValidationError names the fields
// that are wrong.
func (a *App) SaveSettings(ctx context.Context, s settings.Settings) error {
	a.saving.Lock()
	defer a.saving.Unlock()
	onDisk, broken, err := a.onDisk()
	if err != nil {
		return err
	}
	before := a.Settings()
	file := settings.Merge(a.file, underlay(s, a.file, a.overrides), onDisk)
	after := overlay(file, a.overrides)
	if err := check(after); err != nil {
		return err
	}
	if err := a.sup.Change(ctx, newAddress(before, after), func() error { return a.commit(file, broken) }); err != nil {
		return err
	}
	a.putInForce(ctx, after)
	return nil
}

// putInForce has the proxy use settings that have just become the App's.
func (a *App) putInForce(ctx context.Context, s settings.Settings) {
	a.setLevel()
	a.prepare(s)
	a.sup.Want(s.Server.Listen)
	if a.Status().State == Failed {
		// The user has probably mended what kept it from running. If not, Status says so.
		_ = a.sup.Start(ctx, s.Server.Listen)
	}
}

// onDisk is what the file holds now: somebody may have edited it since it was read, or
// mended it. broken tells that it holds more than could be read. An error means that it
// must not be written over.
func (a *App) onDisk() (now settings.Settings, broken bool, err error) {
	if _, err := os.Stat(a.path); errors.Is(err, fs.ErrNotExist) {
		return a.file, false, nil
	}
	now, notices, err := settings.Load(a.path)
	switch {
	case a.isStale() && a.unfit(now, err):
		return a.file, true, nil
	case errors.As(err, new(*settings.SyntaxError)):
		return a.file, true, nil
	case errors.As(err, new(*settings.ValidationError)):
		return now, true, nil
	default:
		return now, len(notices) > 0, err
	}
}

// unfit tells whether settings that were loaded from the file have values that cannot be
// used.
func (a *App) unfit(now settings.Settings, err error) bool {
	return errors.As(err, new(*settings.ValidationError)) || err == nil && check(overlay(now, a.overrides)) != nil
}

// isStale tells whether the file holds something else than the settings in force, which
// could not be used.
func (a *App) isStale() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.stale
}

// commit writes the file. What would be lost with that of the old one, which is broken or
// written by hand, is kept under another name.
func (a *App) commit(file settings.Settings, broken bool) error {
	kept := ""
	var err error
	switch {
	case broken:
		kept, err = settings.CopyAside(a.path, settings.Broken)
	case settings.Edited(a.path):
		_, err = settings.CopyAside(a.path, settings.Old)
	}
	if err != nil {
		return err
	}
	if err := settings.Save(a.path, file); err != nil {
		return err
	}
	a.seen = fileSeen{} // somebody may write it just now
	a.mu.Lock()
	defer a.mu.Unlock()
	a.file, a.fileErr, a.misfits, a.notices, a.stale = file, nil, nil, nil, false
	if kept != "" {
		a.kept = kept
	}
	return nil
}

// Close stops the proxy as Stop does, and everything else.
func (a *App) Close(ctx context.Context) error {
	err := a.sup.Stop(ctx)
	a.mu.Lock() // so that nothing begins to be read while it is waited for
	a.cancel()
	a.mu.Unlock()
	a.loads.Wait()
	a.sup.Close()
	if err != nil {
		return prose.Errorf("stop the proxy: %v", err)
	}
	return nil
}

// Providers is the names of the providers whose key can be chosen: all but those that
// answer inside the program.
func (a *App) Providers() []string { return providers() }

func providers() []string {
	var names []string
	for _, p := range provider.All() {
		if !p.Local {
			names = append(names, p.Slug)
		}
	}
	return names
}
