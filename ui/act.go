package ui

import (
	"context"

	"apex-ai-proxy/ui/presenter"
)

// act does what a click asks for.
func (u *UI) act(a presenter.Action) {
	urls := presenter.BaseURLs(u.status.Addr)
	switch a {
	case presenter.StartProxy:
		u.control(presenter.Starting, u.core.Start)
	case presenter.StopProxy:
		u.control(presenter.Stopping, u.core.Stop)
	case presenter.CopyOpenAI:
		u.app.Clipboard().SetContent(urls.OpenAI)
	case presenter.CopyAnthropic:
		u.app.Clipboard().SetContent(urls.Anthropic)
	case presenter.CopyKey:
		u.app.Clipboard().SetContent(u.core.LocalKey())
	case presenter.OpenWindow:
		u.show()
	case presenter.OpenSettings:
		u.showWith(func(w *window) { w.open(pageSettings) })
	case presenter.OpenModels:
		u.showWith(func(w *window) {
			w.open(pageModels)
			w.models.focusDefault()
		})
	case presenter.Quit:
		u.quit()
	case presenter.NoAction, presenter.ChooseModel, presenter.ShowRequest, presenter.ToggleLogin: // all but the first are do's
	}
}

// do does what an item of the tray's menu asks for.
func (u *UI) do(it presenter.TrayItem) {
	switch it.Action {
	case presenter.ChooseModel:
		s := presenter.WithDefaultModel(u.core.Settings(), it.Arg)
		u.run(saveLimit, func(ctx context.Context) error { return u.core.SaveSettings(ctx, s) }, u.saved)
	case presenter.ShowRequest:
		u.showWith(func(w *window) { w.openRequest(it.Arg) })
	case presenter.ToggleLogin:
		u.setLogin(!it.Checked)
	default:
		u.act(it.Action)
	}
}

// saved takes over settings that were saved elsewhere than on their page. What went wrong
// is said in the window.
func (u *UI) saved(err error) {
	if err != nil {
		u.showWith(func(w *window) { w.tell(presenter.Tell(err)) })
		return
	}
	u.setSettings()
}

// checkLogin asks whether the system starts the program at login.
func (u *UI) checkLogin() {
	state := presenter.LoginUnknown
	u.run(saveLimit, func(ctx context.Context) error {
		state = u.core.LoginState(ctx)
		return nil
	}, func(error) {
		u.login = state
		u.refresh()
	})
}

// setLogin has the system start the program at login, or not any more.
func (u *UI) setLogin(on bool) {
	u.run(saveLimit, func(ctx context.Context) error { return u.core.SetLogin(ctx, on) }, func(err error) {
		if err != nil {
			u.showWith(func(w *window) { w.tell(presenter.Tell(err)) })
		}
		u.checkLogin()
	})
}

// control starts or stops the proxy. What comes of it is seen through Watch; the state
// meanwhile is shown at once, so that a click is never without an answer.
func (u *UI) control(meanwhile presenter.State, work func(context.Context) error) {
	u.setStatus(presenter.Status{State: meanwhile, Addr: u.status.Addr})
	u.run(controlLimit, work, func(error) { u.setStatus(u.core.Status()) })
}
