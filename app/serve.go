package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"syscall"
	"time"

	"apex-ai-proxy/app/secret"
)

// serve runs the proxy until a signal ends it.
func (c *cli) serve(ctx context.Context, line commandLine) int {
	defer c.outliveReaders()()
	a, err := c.openApp(ctx, line)
	if err != nil {
		return c.fail(err, nil)
	}
	defer func() {
		ended, cancel := context.WithCancel(ctx)
		cancel() // it has been stopped, or never ran
		_ = a.Close(ended)
	}()
	if err := a.FileError(); err != nil {
		c.fail(err, nil)
		return exitUsage
	}
	failed := make(chan error, 1)
	if err := a.Start(ctx); err != nil {
		return c.fail(err, a)
	}
	addr := a.Status().Addr
	fmt.Fprintf(c.stdout, "listening on http://%s\n", reachable(addr))
	stop := a.Watch(func(s Status) {
		if s.State == Running && s.Addr != addr { // the settings file was edited
			addr = s.Addr
			fmt.Fprintf(c.stdout, "listening on http://%s\n", reachable(addr))
		}
		if s.State == Failed {
			select {
			case failed <- s.Err:
			default:
			}
		}
	})
	defer stop()
	defer followed(ctx, a)()
	return c.wait(ctx, a, failed)
}

// followed takes up what changes outside of the program until stop is called.
func followed(ctx context.Context, a *App) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.Follow(ctx)
	}()
	return func() {
		cancel()
		<-done
	}
}

// reachable is an address at which a program on this computer reaches a listener: where
// that is on every address, the one that leads back here.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	switch ip, err := netip.ParseAddr(host); {
	case host == "" || err == nil && ip.IsUnspecified() && ip.Is4():
		return net.JoinHostPort("127.0.0.1", port)
	case err != nil || !ip.IsUnspecified():
		return addr
	default:
		return net.JoinHostPort("::1", port)
	}
}

// outliveReaders keeps the program alive when what reads its output has gone, and has it
// drained when its terminal is closed, unless it was started not to care (nohup).
func (c *cli) outliveReaders() (release func()) {
	// Taken rather than ignored: programs that this one starts would inherit the latter.
	// What could not be written is lost, and nobody has to hear of it.
	broken := make(chan os.Signal, 1)
	signal.Notify(broken, syscall.SIGPIPE)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(c.signals, syscall.SIGHUP)
	}
	return func() {
		signal.Stop(broken)
		signal.Stop(c.signals)
	}
}

// wait shows the local key when nobody else can, and ends with a signal or with the
// proxy.
func (c *cli) wait(ctx context.Context, a *App, failed <-chan error) int {
	key := a.keyReady
	for {
		select {
		case <-key:
			key = nil
			c.tellKey(a)
		case err := <-failed:
			return c.fail(err, a)
		case s := <-c.signals:
			return c.drain(ctx, a, s)
		case <-ctx.Done():
			return c.drain(ctx, a, os.Interrupt)
		}
	}
}

// tellKey says where people find the key that clients must send.
func (c *cli) tellKey(a *App) {
	switch {
	case !a.LocalKeyKept():
		fmt.Fprintf(c.stdout, "local key (this run): %s\n", a.LocalKey())
	case a.SecretPlace(secret.LocalKey) == secret.InEnvironment:
		fmt.Fprintf(c.stderr, "%s: clients must send the key in %s as their API key\n", program, secret.Variable(secret.LocalKey))
	default:
		fmt.Fprintf(c.stderr, "%s: clients must send the local key as their API key; \"%s key\" prints it\n", program, program)
	}
}

// drain stops the proxy; a second signal cuts what is left at once.
func (c *cli) drain(ctx context.Context, a *App, s os.Signal) int {
	n, limit := a.Active(), c.patience(s)
	a.log.Info("stopping", "signal", s.String(), "running", n)
	if n > 0 {
		fmt.Fprintf(c.stderr, "%s: requests still running: %d; waiting up to %v, press Ctrl-C again to stop at once\n", program, n, limit)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	stopped := make(chan error, 1)
	go func() { stopped <- a.Stop(ctx) }()
	for {
		select {
		case <-c.signals:
			cancel()
		case err := <-stopped:
			if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
				fmt.Fprintf(c.stderr, "%s: requests that were still running were cut off\n", program)
				return exitCut
			}
			if err != nil {
				return c.fail(err, a)
			}
			return exitOK
		}
	}
}

// patience is how long running requests may take to end after a signal. What Windows tells
// as SIGTERM is the end of the console or of the session.
func (c *cli) patience(s os.Signal) time.Duration {
	if c.goos == "windows" && s == syscall.SIGTERM {
		return min(c.limit, closedLimit)
	}
	return c.limit
}

// A keychain that asks its user for a password answers when that is typed.
const (
	keychainLimit = 2 * time.Minute
	keychainSlow  = 2 * time.Second
)

// keychainCall runs f, which asks the keychain, and says so when that takes long. A
// signal ends it.
func (c *cli) keychainCall(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, keychainLimit)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	slow := time.NewTimer(keychainSlow)
	defer slow.Stop()
	for {
		select {
		case err := <-done:
			return err
		case <-slow.C:
			fmt.Fprintln(c.stderr, "Waiting for the system keychain; you may have to unlock it.")
		case <-c.signals:
			return errInterrupted
		}
	}
}

var errInterrupted = errors.New("interrupted")
