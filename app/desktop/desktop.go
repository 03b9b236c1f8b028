//go:build !headless

package desktop

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
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
func Run(hidden bool) func(*app.App) int {
	return func(a *app.App) int { return run(a, hidden) }
}

func run(a *app.App, hidden bool) int {
	instance, err := app.AcquireInstance(a.Dir())
	if errors.Is(err, app.ErrAlreadyRunning) {
		fmt.Fprintln(os.Stderr, Name+":", err)
		return 0
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, Name+":", err)
		return 1
	}
	defer instance.Close()
	knownLocale()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	f := application()
	face := ui.New(f, newCore(a), ui.Options{Name: Name, TrayHost: ui.TrayHost})
	defer face.Close()
	instance.OnShow(face.Show)
	// Once it runs, Fyne ends itself on these signals; before that they would be lost.
	f.Lifecycle().SetOnStarted(func() {
		if ctx.Err() != nil {
			f.Quit()
		}
	})
	started := begin(ctx, a)
	face.Start(hidden)
	f.Run()
	stop()
	<-started
	return 0
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
		_ = a.Start(ctx)
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
