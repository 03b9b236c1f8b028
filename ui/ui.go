// Package ui shows the program in the tray and in a window. It draws what package
// presenter says and passes clicks on; it decides nothing itself.
//
// Everything in this package runs on Fyne's goroutine, except for what is started with
// (*UI).run, whose result comes back there. Only this file changes goroutines.
package ui

import (
	"context"
	"net/url"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"fyne.io/fyne/v2"

	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/ui/presenter"
	"apex-ai-proxy/ui/words"
)

// Limits of what runs beside the user interface.
const (
	controlLimit = 90 * time.Second // starting and stopping, which drains
	saveLimit    = 15 * time.Second // writing settings
	askLimit     = 2 * time.Second  // a first look into the keychain
	waitLimit    = 5 * time.Minute  // while the system asks for a password
	hostLimit    = 2 * time.Second  // asking whether there is a tray
)

// A tray is asked for this often, and with this pause, before a program that was started
// hidden opens its window for want of one.
const (
	hostTries = 10
	hostPause = time.Second
)

// Options are what a UI needs besides its core.
type Options struct {
	Name string // of the program, for titles
	// TrayHost tells whether somebody shows tray icons. A nil TrayHost means yes.
	TrayHost func(ctx context.Context) bool
	// Do runs a function on Fyne's goroutine; nil means fyne.Do.
	Do func(func())
	// After calls a function, not on Fyne's goroutine, when a time has passed; nil means
	// time.AfterFunc.
	After func(time.Duration, func())
	// OpenURL opens a page in the browser; nil means the application's OpenURL.
	OpenURL func(*url.URL) error
	// Drawable tells whether a window can be drawn. It is asked, on Fyne's goroutine, before
	// the first window of an application that runs, which ends with the failure to make it;
	// nil means yes.
	Drawable func() bool
	// Seen is told whether the window is open, whenever that may have changed; nil is told
	// nothing.
	Seen func(bool)
	// Quit ends the program; nil means the application's Quit.
	Quit func()
	// Notify shows a notification, not on Fyne's goroutine; nil means the application's.
	Notify func(title, text string)
	// Slice is for how long Fyne's event loop may rest at a time while nothing can be
	// seen; 0 means never.
	Slice time.Duration
	// Doze is how it waits for the window system then, when nothing happens.
	Doze Doze
}

// UI is the tray and the window of one program.
type UI struct {
	app  fyne.App
	core presenter.Core
	opts Options

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	status   presenter.Status
	settings settings.Settings
	token    presenter.SecretState
	login    presenter.LoginState
	tokenRun int // counts looks at the token, so that only the last one counts
	log      *presenter.Log
	clients  *presenter.Clients
	quitting bool
	ending   atomic.Bool // as quitting, for other goroutines
	parking  *parking
	alerts   presenter.Alerts
	focused  bool // the window has the focus, if it can be seen
	refused  bool // the gateway did not take the token the last time
	hostless bool // nobody shows tray icons
	offer    portOffer

	bar    trayBar // where there is no system's tray, as in tests
	tray   *tray
	window *window
}

// New prepares a user interface. Nothing is shown before Start.
func New(app fyne.App, core presenter.Core, o Options) *UI {
	if o.TrayHost == nil {
		o.TrayHost = func(context.Context) bool { return true }
	}
	if o.Do == nil {
		o.Do = fyne.Do
	}
	if o.After == nil {
		o.After = func(d time.Duration, f func()) { time.AfterFunc(d, f) }
	}
	if o.OpenURL == nil {
		o.OpenURL = app.OpenURL
	}
	if o.Seen == nil {
		o.Seen = func(bool) {}
	}
	if o.Drawable == nil {
		o.Drawable = func() bool { return true }
	}
	if o.Quit == nil {
		o.Quit = app.Quit
	}
	if o.Notify == nil {
		o.Notify = notify(app)
	}
	parking := newParking(o.Do, o.Slice, o.Doze)
	o.Do = parking.Do
	quit := o.Quit
	o.Quit = func() {
		parking.ended()
		quit()
	}
	u := &UI{
		parking: parking,
		app:     app, core: core, opts: o,
		status: core.Status(), settings: core.Settings(),
		log:     presenter.NewLog(presenter.DefaultKeep),
		clients: presenter.NewClients(runtime.GOOS),
	}
	u.ctx, u.cancel = context.WithCancel(context.Background())
	u.speak()
	u.dress()
	return u
}

// speak makes the program speak the language of the settings. It tells whether texts that
// are shown have to be made again. A language that is not known becomes the system's.
func (u *UI) speak() (changed bool) {
	before := words.Tag()
	if words.Use(u.settings.App.Language) != nil {
		_ = words.Use("")
	}
	return words.Tag() != before
}

// dress gives the windows the look of the settings.
func (u *UI) dress() {
	if t := (Theme{Choice: u.settings.App.Theme}); u.app.Settings().Theme() != t {
		u.app.Settings().SetTheme(t)
	}
}

// Start puts the icon into the tray and begins to follow the program. With hidden the
// window stays closed, provided that the tray can open it.
func (u *UI) Start(hidden bool) {
	u.tray = newTray(u)
	stop := u.core.Watch(func(s presenter.Status) {
		u.opts.Do(func() {
			if !u.over(s) {
				u.setStatus(s)
			}
		})
	})
	context.AfterFunc(u.ctx, stop)
	u.goes(func() { presenter.NewFeed(u.core.Bus(), u.deliver).Run(u.ctx) })
	u.checkToken()
	u.checkLogin()
	u.follow()
	if u.opts.Slice > 0 || u.opts.Doze.Wait != nil {
		u.goes(func() { u.parking.run(u.ctx) })
	}
	if !hidden {
		u.show()
	}
	u.rest()
	u.awaitHost(hostTries)
}

// seen tells whether the window is open.
func (u *UI) seen() bool { return u.window != nil && u.window.visible }

// rest lets the event loop rest while nothing can be seen and the tray is as it should be.
func (u *UI) rest() {
	u.opts.Seen(u.seen())
	settling := u.parking.started.Load() && !u.tray.settled
	u.parking.set(!u.seen() && !u.ending.Load() && !settling)
}

// awaitHost gives a panel that starts at the same time as the program a while to appear,
// and opens the window, which says so, when there is none.
func (u *UI) awaitHost(tries int) {
	u.checkHost(func(hosted bool) {
		switch {
		case hosted && u.hostless:
			u.hostless = false
			u.refresh()
		case hosted:
		case tries <= 1:
			u.hostless = true
			if u.seen() {
				u.refresh()
			} else {
				u.show()
			}
		default:
			u.after(hostPause, func() { u.awaitHost(tries - 1) })
		}
	})
}

// Show opens the window, or raises it, unless the program is quitting. It says that flags,
// given by their names, with which the program was started once more have no effect. It may
// be called from any goroutine.
func (u *UI) Show(unused ...string) {
	u.opts.Do(func() {
		u.showWith(func(w *window) {
			if len(unused) > 0 {
				w.tellUnused(unused)
			}
		})
	})
}

// Recheck looks again at what may have changed while the computer slept, or outside of the
// program. It may be called from any goroutine.
func (u *UI) Recheck() {
	u.opts.Do(func() {
		u.takeUp()
		u.checkLogin()
	})
}

// takeUp shows settings that may have changed elsewhere than in the window, where what is
// being edited stays.
func (u *UI) takeUp() {
	changed := len(settings.Changes(u.settings, u.core.Settings())) > 0
	u.setSettings() // which looks at the token too
	if changed && u.window != nil {
		u.window.toast.plain(words.T("The settings file was changed. Its settings are in force now."))
	}
}

// entered is called when the user comes to the window, perhaps from an editor or a terminal.
func (u *UI) entered() {
	u.focused = true
	changed := false
	u.run(saveLimit, func(ctx context.Context) error {
		changed = u.core.Reload(ctx)
		return nil
	}, func(error) {
		switch {
		case changed:
			u.takeUp()
		case u.token == presenter.SecretMissing:
			u.checkToken()
		}
	})
}

// Stopped is called when the application has run. Nothing is shown any more from then on.
func (u *UI) Stopped() { u.parking.ended() }

// Close ends everything that Start began. It may be called from any goroutine but Fyne's.
func (u *UI) Close() {
	u.cancel()
	u.wg.Wait()
}

// run does work beside the user interface, for at most a time, and then calls then with
// its error on Fyne's goroutine.
func (u *UI) run(limit time.Duration, work func(ctx context.Context) error, then func(error)) {
	u.goes(func() {
		ctx, cancel := context.WithTimeout(u.ctx, limit)
		defer cancel()
		err := work(ctx)
		u.opts.Do(func() { then(err) })
	})
}

// after calls f on Fyne's goroutine when a time has passed.
func (u *UI) after(d time.Duration, f func()) {
	u.opts.After(d, func() {
		if u.ctx.Err() == nil {
			u.opts.Do(f)
		}
	})
}

func (u *UI) goes(f func()) { u.wg.Go(f) }

// deliver takes a batch of the feed to Fyne's goroutine.
func (u *UI) deliver(batch []event.Exchange, taken func()) {
	u.opts.Do(func() {
		defer taken()
		gone := u.log.Apply(batch)
		u.learn(batch)
		u.tray.refresh()
		if u.window != nil {
			u.window.requests.lose(gone)
			u.window.requests.refresh()
			u.window.overview.follow()
		}
	})
}

func (u *UI) headline() presenter.Headline {
	if u.quitting {
		return presenter.Quitting(u.core.Active())
	}
	return presenter.Describe(u.status, u.settings, u.trusted())
}

// trusted is the state of the token with what the gateway thinks of it.
func (u *UI) trusted() presenter.SecretState {
	if u.refused && u.token.Usable() {
		return presenter.SecretRefused
	}
	return u.token
}

// tokenChanged is called when there is another token: what a test of the connection found does not
// hold any more.
func (u *UI) tokenChanged() {
	u.refused = false
	if u.window != nil {
		u.window.settings.test.forget()
		u.window.guide.test.forget()
	}
	u.checkToken()
}

// over tells whether a state on the way to another comes late: what it led to is shown already,
// because who asked for it was told.
func (u *UI) over(s presenter.Status) bool {
	now := u.core.Status().State
	return (s.State == presenter.Starting || s.State == presenter.Stopping) && s.State != now && u.status.State == now
}

// setStatus takes over a new state of the proxy.
func (u *UI) setStatus(s presenter.Status) {
	if u.quitting && s.State == presenter.Stopped {
		return // the tray goes on saying that the program is quitting
	}
	before := u.status.State
	u.status = s
	u.judge(before)
	u.offerPort()
	u.refresh()
}

// setSettings takes over settings that were saved.
func (u *UI) setSettings() {
	if u.window != nil {
		u.window.settings.form.Reload(u.core.Settings(), u.core.Overridden()) // or the next save would undo it
		u.window.models.form.Reload(u.core.Settings(), u.core.Overridden())
		for _, n := range []*notices{u.window.overview.notices, u.window.models.notices, u.window.settings.notices} {
			n.look()
		}
	}
	u.settings = u.core.Settings()
	u.dress()
	if u.speak() && u.window != nil {
		u.window.build()
	}
	u.refresh()
	u.checkToken()
}

func (u *UI) refresh() {
	u.tray.refresh()
	if u.window != nil {
		u.window.refresh()
	}
}

// checkToken looks into the keychain. When the system asks for a password meanwhile, it
// says so and goes on waiting.
func (u *UI) checkToken() { u.askForToken(func() {}) }

// unlock has the system ask for what opens the keychain, as it does whenever a locked one is
// asked for a secret. What is still in the way then is told.
func (u *UI) unlock() {
	u.setToken(presenter.SecretWaiting)
	u.askForToken(func() {
		if text := presenter.StillShut(u.token); text != "" {
			u.window.tell(text)
		}
	})
}

// askForToken looks into the keychain, and calls then when that has answered.
func (u *UI) askForToken(then func()) {
	u.tokenRun++
	u.lookAtToken(u.tokenRun, askLimit, then)
}

func (u *UI) lookAtToken(run int, limit time.Duration, then func()) {
	var state presenter.SecretState
	u.run(limit, func(ctx context.Context) error {
		state = u.core.SecretState(ctx, presenter.GatewayToken)
		return nil
	}, func(error) {
		if run != u.tokenRun {
			return
		}
		u.setToken(state)
		if state == presenter.SecretWaiting && limit == askLimit {
			u.lookAtToken(run, waitLimit, then)
			return
		}
		then()
	})
}

func (u *UI) setToken(s presenter.SecretState) {
	u.token = s
	u.refresh()
}

// checkHost asks whether somebody shows tray icons.
func (u *UI) checkHost(then func(hosted bool)) {
	hosted := false
	u.run(hostLimit, func(ctx context.Context) error {
		hosted = u.opts.TrayHost(ctx)
		return nil
	}, func(error) { then(hosted) })
}

// checkTray asks again for a tray where there was none: its extension may have been switched
// on.
func (u *UI) checkTray() {
	if !u.hostless {
		return
	}
	u.checkHost(func(hosted bool) {
		u.hostless = !hosted
		u.refresh()
	})
}
