package ui

import (
	"time"

	"fyne.io/fyne/v2"

	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/ui/presenter"
	"apex-ai-proxy/ui/words"
)

// settleFor is how long a proxy that stopped by itself gets to come back before the user
// is told.
const settleFor = 5 * time.Second

// follow notes whether the user is at the window, and what was done elsewhere meanwhile.
func (u *UI) follow() {
	life := u.app.Lifecycle()
	life.SetOnEnteredForeground(func() { u.opts.Do(u.entered) })
	life.SetOnExitedForeground(func() { u.opts.Do(func() { u.focused = false }) })
}

// judge tells the user when a change of the proxy's state needs to be known.
func (u *UI) judge(before presenter.State) {
	switch alert := presenter.AlertOf(before, u.status.State); alert {
	case presenter.ProxyStopped:
		u.after(settleFor, func() {
			if u.status.State == presenter.Failed {
				u.alert(alert)
			}
		})
	case presenter.StartFailed:
		u.alert(alert)
	case presenter.NoAlert, presenter.TokenRefused:
	}
}

// learn finds out from exchanges whether the gateway takes the token.
func (u *UI) learn(batch []event.Exchange) {
	refused, known := presenter.TokenVerdict(batch)
	if !known || refused == u.refused {
		return
	}
	u.refused = refused
	if refused {
		u.alert(presenter.TokenRefused)
	}
	u.refresh()
}

// alert shows a notification, unless the user looks at the window, which says it too.
func (u *UI) alert(a presenter.Alert) {
	if u.quitting || u.seen() && u.focused || !u.alerts.Due(a, u.settings.Notifications, time.Now()) {
		return
	}
	u.notify(a.Text(u.status))
}

// sayUndrawn answers who wants to see the window where none can be drawn.
func (u *UI) sayUndrawn() {
	u.notify(words.T("The window cannot be shown, because this display draws no OpenGL. The proxy is not affected."))
}

// notify shows a notification. It is not among those that Close waits for: a desktop that shows
// notifications may hang.
func (u *UI) notify(text string) { go u.opts.Notify(u.opts.Name, text) }

// notify shows a notification of the system.
func notify(app fyne.App) func(title, text string) {
	return func(title, text string) {
		if canNotify() {
			app.SendNotification(fyne.NewNotification(title, text))
		}
	}
}
