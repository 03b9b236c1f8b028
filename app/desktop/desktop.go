//go:build !headless

package desktop

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"fyne.io/fyne/v2"
	fyneapp "fyne.io/fyne/v2/app"

	"apex-ai-proxy/app"
	"apex-ai-proxy/assets"
	"apex-ai-proxy/ui"
)

// startLimit bounds the start of the proxy with the program.
const startLimit = 30 * time.Second

// Run returns what shows the program until the user quits. With hidden only the tray is
// shown, if there is one.
func Run(hidden bool) func(context.Context, *app.App) int {
	return func(ctx context.Context, a *app.App) int { return run(ctx, a, hidden) }
}

func run(ctx context.Context, a *app.App, hidden bool) int {
	instance, err := app.AcquireInstance(ctx, a.Dir(), sayWaiting, a.Flags()...)
	switch {
	case errors.Is(err, app.ErrAlreadyRunning):
		return second(err, a.Flags())
	case err != nil && ctx.Err() != nil: // told to end before it began
		return 0
	case err != nil:
		fmt.Fprintln(os.Stderr, Name+":", err)
		return 1
	}
	defer instance.Close()
	libraries := listen(a.Log())
	knownBus()
	if err := loginItem.Renew(); err != nil {
		a.Log().Warn("the login item may not start this program", "why", err)
	}
	a.Captures() // from the first request on, also before anybody looks
	knownLocale()

	ctx, stop := context.WithCancel(ctx)
	defer stop()
	told, tell := context.WithCancel(ctx)
	defer tell()
	outliveDisplay(told)

	var f fyne.App
	var face *ui.UI
	onMain(func() {
		f = application()
		face = ui.New(f, newCore(a), ui.Options{
			Name: Name, TrayHost: ui.TrayHost, Slice: slice(), Doze: doze(),
			Quit:     func() { tell(); f.Quit() },
			Drawable: func() bool { return libraries.drawn(drawable()) },
			Seen:     a.Seen,
		})
	})
	defer face.Close()
	instance.OnShow(func(unused []string) bool {
		if face.Ending() {
			return false
		}
		face.Show(unused...)
		return true
	})
	// Fyne ends itself on two of these signals, but only once it runs. Requests that run are
	// waited for by package app then.
	f.Lifecycle().SetOnStarted(func() {
		attendDisplay(face.Leave)
		face.Started()
		if ctx.Err() != nil {
			f.Quit()
		}
	})
	unpark := context.AfterFunc(ctx, face.Unpark)
	hangup := onHangup(face.Leave)
	started := begin(ctx, a)
	attended := attend(ctx, a, face)
	loop(func() {
		defer libraries.survive() // Fyne goes on after it has said that there is no display
		face.Start(hidden)
		f.Run()
	}, told.Done(), endLimit)
	face.Stopped()
	hangup()
	unpark()
	stop()
	<-started
	<-attended
	if !libraries.displayed.Load() {
		return 1
	}
	return 0
}

// sayWaiting tells who starts the program while it ends why nothing is to be seen yet.
func sayWaiting() {
	fmt.Fprintln(os.Stderr, Name+": the program is quitting; this one starts when it has ended")
}

// second ends a copy whose predecessor runs: err says so. Flags that it was given have no
// effect then, which is a failure.
func second(err error, flags []string) (code int) {
	if len(flags) == 0 {
		fmt.Fprintln(os.Stderr, Name+":", err)
		return 0
	}
	fmt.Fprintf(os.Stderr, "%s: %v. Flags have no effect on it: --%s. Quit it first, or change its settings in the window.\n",
		Name, err, strings.Join(flags, ", --"))
	return 1
}

// onHangup calls f when the terminal is closed, until stop is called. The other signals
// are left to Fyne: two that end it at the same time would be one too many.
func onHangup(f func()) (stop func()) {
	c := make(chan os.Signal, 1)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(c, syscall.SIGHUP)
	}
	done := make(chan struct{})
	go func() {
		select {
		case <-c:
			f()
		case <-done:
		}
	}()
	return func() {
		signal.Stop(c)
		close(done)
	}
}

// attend keeps the proxy right while the world around it changes.
func attend(ctx context.Context, a *app.App, face *ui.UI) (done <-chan struct{}) {
	c := make(chan struct{})
	go func() {
		defer close(c)
		a.Attend(ctx, face.Recheck)
	}()
	return c
}

// application is the Fyne application with its identity, which does not depend on where
// the program lies or from where it is started.
func application() fyne.App {
	icon := fyne.NewStaticResource("icon.png", assets.AppIcon)
	fyneapp.SetMetadata(fyne.AppMetadata{
		ID: ID, Name: Name, Version: Version, Build: Build, Icon: icon,
		Migrations: map[string]bool{"fyneDo": true},
	})
	f := fyneapp.NewWithID(ID)
	f.SetIcon(icon)
	return f
}

// begin starts the proxy if the settings say so. How that went is the proxy's status,
// which the window shows.
func begin(ctx context.Context, a *app.App) (done <-chan struct{}) {
	c := make(chan struct{})
	go func() {
		defer close(c)
		if !a.Settings().App.StartProxy {
			return
		}
		ctx, cancel := context.WithTimeout(ctx, startLimit)
		defer cancel()
		if err := a.Start(ctx); err != nil {
			a.Log().Error("the proxy does not run", "why", err)
		}
	}()
	return c
}

// knownLocale replaces the locale "C", which Fyne cannot read, by the one it means.
func knownLocale() {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		switch os.Getenv(name) {
		case "C", "POSIX", "C.UTF-8":
			_ = os.Setenv(name, "en_US.UTF-8")
		}
	}
}
