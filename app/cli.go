package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"apex-ai-proxy/app/processors"
	"apex-ai-proxy/app/secret"
	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/assets/licenses"
)

// The exit codes, as the help lists them.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2 // also settings that are not valid
	exitTaken   = 3 // the address is in use
	exitCut     = 4 // stopped, but requests had to be cut
)

// How long running requests may take to end when the program is asked to stop; the help
// says so too.
const drainLimit = 10 * time.Second

// How long they may when Windows ends the program, which it does five seconds after a
// console was closed or its user has logged off.
const closedLimit = 2 * time.Second

// Main is the program: args as in os.Args, desktop opens the window and the tray and
// returns when the user quits or its context, which a signal ends, is done; nil when the
// program was built without. The result is the
// exit code.
func Main(args []string, desktop func(context.Context, *App) int) int {
	leaveSlack()
	closeConsole := openConsole(args[1:])
	c, release := system()
	defer release()
	c.desktop, c.processors = desktop, processors.Govern()
	defer c.processors.Close()
	code := c.run(context.Background(), args[1:])
	closeConsole(code)
	return code
}

// system is the command line of this process.
func system() (c *cli, release func()) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	return &cli{
		getenv: os.Getenv, environ: os.Environ, goos: runtime.GOOS, signals: signals,
		stdin: os.Stdin, stdout: terminal{os.Stdout}, stderr: terminal{os.Stderr},
		limit: drainLimit,
	}, func() { signal.Stop(signals) }
}

// cli is one run of the program, with everything it takes from outside.
type cli struct {
	getenv         func(string) string
	environ        func() []string // "NAME=value"; nil for none
	goos           string
	signals        chan os.Signal
	stdin          io.Reader
	stdout, stderr io.Writer
	keychain       secret.Store  // the system's when nil
	limit          time.Duration // how long running requests may take to end
	desktop        func(context.Context, *App) int
	processors     *processors.Governor
}

// run does what args (without the program's name) ask for.
func (c *cli) run(ctx context.Context, args []string) int {
	line, err := parse(args)
	if err != nil {
		fmt.Fprintf(c.stderr, "%s: %v\n", program, err)
		return exitUsage
	}
	switch line.command {
	case cmdHelp:
		fmt.Fprint(c.stdout, help(line.topic()))
	case cmdVersion:
		fmt.Fprintln(c.stdout, versionLine())
	case cmdLicenses:
		fmt.Fprint(c.stdout, licenses.Text)
	case cmdServe:
		return c.serve(ctx, line)
	case cmdDoctor:
		return c.doctor(ctx, line)
	case cmdToken:
		return c.token(ctx, line)
	case cmdKey:
		return c.key(ctx)
	default:
		return c.open(ctx, line)
	}
	return exitOK
}

// open is the program without a command: the window where there is a display.
func (c *cli) open(ctx context.Context, line commandLine) int {
	if c.desktop == nil || !c.hasDisplay() {
		why := "no display found"
		if c.desktop == nil {
			why = "built without a window"
		}
		fmt.Fprintf(c.stderr, "%s: %s; running without a window, as \"%s serve\" does\n", program, why, program)
		return c.serve(ctx, line)
	}
	a, err := c.openApp(ctx, line)
	if err != nil {
		return c.fail(err, nil)
	}
	if err := a.FileError(); err != nil { // the window says so too
		c.fail(err, nil)
	}
	if !signal.Ignored(syscall.SIGHUP) { // a terminal that is closed ends the program gently
		signal.Notify(c.signals, syscall.SIGHUP)
	}
	window, over := c.untilSignal(ctx)
	code := c.desktop(window, a)
	if s := over(); s != nil && code == exitOK {
		code = c.drain(ctx, a, s)
	}
	c.close(ctx, a)
	return code
}

// untilSignal is a context that the first signal ends, also one that came before. over ends
// it too, and returns the signal, nil if there was none. Later ones stay where they are.
func (c *cli) untilSignal(ctx context.Context) (until context.Context, over func() os.Signal) {
	until, cancel := context.WithCancel(ctx)
	first := make(chan os.Signal, 1)
	go func() {
		defer close(first)
		defer cancel()
		select {
		case s := <-c.signals:
			first <- s
			return
		case <-until.Done():
		}
		select {
		case s := <-c.signals: // came at the same time, and ended the window by itself
			first <- s
		default:
		}
	}()
	return until, func() os.Signal {
		cancel()
		return <-first
	}
}

// close ends the program after the user has quit. Running requests may take their time,
// unless a signal says that they may not.
func (c *cli) close(ctx context.Context, a *App) {
	ctx, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	closed := make(chan error, 1)
	go func() { closed <- a.Close(ctx) }()
	for {
		select {
		case <-c.signals:
			cancel()
		case err := <-closed:
			if err != nil {
				a.log.Warn("running requests were cut", "error", err)
			}
			return
		}
	}
}

func (c *cli) hasDisplay() bool {
	switch c.goos {
	case "darwin", "windows":
		return true
	}
	return c.getenv("DISPLAY") != "" || c.getenv("WAYLAND_DISPLAY") != ""
}

func (c *cli) openApp(ctx context.Context, line commandLine) (*App, error) {
	c.warnOfAbsentFile(line)
	level := new(slog.LevelVar)
	a, err := Open(ctx, Options{
		Flags:    line.flags,
		Env:      c.getenv,
		EnvNames: c.names(),
		Keychain: c.keychain,
		Log:      slog.New(slog.NewTextHandler(c.stderr, &slog.HandlerOptions{Level: level})),
		LogLevel: level,

		Processors: c.processors,
	})
	if err != nil {
		return nil, err
	}
	for _, n := range a.unknownKeys() {
		fmt.Fprintf(c.stderr, "%s: %s: %s\n", program, place(a.path, n.Line), n.Text)
	}
	return a, nil
}

// place is a line of a file, as editors and terminals know it.
func place(path string, line int) string {
	if line == 0 {
		return path
	}
	return fmt.Sprintf("%s:%d", path, line)
}

// names are the variables of the environment.
func (c *cli) names() (out []string) {
	if c.environ == nil {
		return nil
	}
	for _, pair := range c.environ() {
		name, _, _ := strings.Cut(pair, "=")
		out = append(out, name)
	}
	return out
}

// warnOfAbsentFile speaks up for a name that may be mistyped. It is no error: saving makes
// the file.
func (c *cli) warnOfAbsentFile(line commandLine) {
	path := namedPath(line.flags, c.getenv)
	if path == "" {
		return
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(c.stderr, "%s: there is no settings file at %s; using the defaults\n", program, path)
	}
}

// fail tells people why the program ends, and the system by the exit code. Settings of a,
// which may be nil, are named with where they are from.
func (c *cli) fail(err error, a *App) int {
	var invalid *settings.ValidationError
	var override *OverrideError
	var newer *settings.NewerError
	var syntax *settings.SyntaxError
	switch {
	case errors.As(err, &invalid):
		fmt.Fprintf(c.stderr, "%s: the settings are not valid\n", program)
		for _, line := range problems(invalid.Problems, a) {
			fmt.Fprintf(c.stderr, "  %s\n", line)
		}
		return exitUsage
	case errors.As(err, &syntax):
		fmt.Fprintf(c.stderr, "%s: the settings file is not valid TOML\n  %s:%d:%d: %s\n    %s\n    %*s\n", program,
			syntax.Path, syntax.Line, syntax.Column, syntax.Why, syntax.Text, syntax.Column, "^")
		return exitUsage
	case errors.As(err, &override), errors.As(err, &newer):
		fmt.Fprintf(c.stderr, "%s: %v\n", program, err)
		return exitUsage
	case addressTaken(err):
		fmt.Fprintf(c.stderr, "%s: %v\nStop the other program, or choose another address with --listen.\n", program, err)
		return exitTaken
	}
	fmt.Fprintf(c.stderr, "%s: %v\n", program, err)
	return exitFailure
}

// problems are what is wrong with settings, each with where it is from: first flags and
// variables, then the file from its beginning.
func problems(list []settings.Problem, a *App) []string {
	var from map[string]string
	var lines settings.Lines
	if a != nil {
		from, lines = a.Overridden(), settings.FileLines(a.path)
	}
	line := func(p settings.Problem) int {
		if a == nil || from[p.Field] != "" {
			return -1
		}
		return lines.Of(p.Field)
	}
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(p, q settings.Problem) int { return line(p) - line(q) })
	out := make([]string, len(list))
	for i, p := range list {
		switch n := line(p); {
		case n >= 0:
			out[i] = fmt.Sprintf("%s: %s: %s", place(a.path, n), p.Name(), p.Text)
		case from[p.Field] != "":
			out[i] = fmt.Sprintf("%s (%s): %s", p.Name(), from[p.Field], p.Text)
		default:
			out[i] = p.Name() + ": " + p.Text.String()
		}
	}
	return out
}

func versionLine() string {
	commit := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 7 {
				commit = s.Value[:7] + ", "
			}
		}
	}
	return fmt.Sprintf("%s %s (%s%s, %s/%s)", program, Version, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
