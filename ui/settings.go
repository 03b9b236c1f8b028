package ui

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"apex-ai-proxy/app/secret/pasted"
	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/ui/presenter"
	"apex-ai-proxy/ui/words"
)

// settingsPage edits the settings. What is typed stays until it is saved or reverted.
// Secrets are stored at once and apart from the rest, because they live in the keychain.
type settingsPage struct {
	w       *window
	form    *presenter.Form
	content *fyne.Container
	scroll  *scroll

	fields  []*textField
	flags   []*flagField
	choices []*choiceField
	free    *freePort
	token   *secretField
	keys    *providerKeys
	login   *loginField
	test    *connection
	guide   *button
	notices *notices
	saveBar
}

func newSettingsPage(w *window) *settingsPage {
	p := &settingsPage{w: w}
	if old := w.settings; old != nil {
		p.form = old.form
		p.form.Recheck()
	} else {
		core := w.u.core
		p.form = presenter.NewForm(core.Settings(), core.Overridden(), core.Providers())
	}
	p.token = newSecretField(w, presenter.GatewayToken, words.T("Paste the token here"), p.tokenStored)
	p.test = newConnection(w, p.form.Settings, func() string { return pasted.Secret(p.token.entry.Text) }, func() {})
	p.test.button.OnTapped = p.testNow
	p.guide = newButton(words.T("Guide…"), func() { w.guide.show() })
	p.keys = newProviderKeys(p)
	p.login = newLoginField(w)
	p.notices = newNotices(w, w.u.core.Unreadable)
	body := stack(gapMargin,
		container.NewBorder(nil, nil, nil, inRow(gap,
			p.guide,
			newButton(words.T("Import…"), p.chooseImport),
			newButton(words.T("Export…"), p.export),
		), middle(newLine(words.T("Settings"), faceHeadline))),
		p.notices.box,
		section(words.T("Cloudflare AI Gateway"),
			p.text(presenter.FieldAccount, words.T("Account ID"), words.T("32 characters, 0-9 and a-f. Or paste the address of your dashboard.")),
			p.text(presenter.FieldGateway, words.T("Gateway name"), words.T("As it is listed under AI > AI Gateway. Or paste the address of its page.")),
			formRow(words.T("Gateway token"), p.token.content),
			p.text(presenter.FieldGatewayURL, words.T("Gateway URL"), words.T("Change it only for a gateway at another address.")),
			formRow("", p.test.content),
		),
		section(words.T("This computer"),
			p.address(words.T("Listen on"), words.T("Address and port for your clients. Running streams are kept when it changes.")),
			p.text(presenter.FieldOrigins, words.T("Web pages"), words.T("Origins of pages that may call the proxy, as in https://app.example. Pages on this computer and editors may already.")),
			p.login.content,
			p.flag(presenter.FieldStartProxy, words.T("Start the proxy with the program")),
			p.flag(presenter.FieldKeepRunning, words.T("Keep running in the tray when the window closes")),
		),
		section(words.T("Requests"),
			p.choice(presenter.FieldBodies, words.T("Keep bodies")),
			p.text(presenter.FieldExchanges, words.T("Number of requests"), words.T("How many of the latest requests keep their bodies, in memory only.")),
			p.text(presenter.FieldMemory, words.T("Memory in MiB"), words.T("When they need more, the oldest go.")),
		),
		section(words.T("Appearance"),
			p.choice(presenter.FieldLanguage, words.T("Language")),
			p.choice(presenter.FieldTheme, words.T("Theme")),
		),
		section(words.T("Notifications"),
			p.flag(presenter.FieldNotifyFailedStart, words.T("When the proxy cannot start")),
			p.flag(presenter.FieldNotifyStopped, words.T("When the proxy stops unexpectedly")),
			p.flag(presenter.FieldNotifyToken, words.T("When the gateway refuses the token")),
		),
		section(words.T("Azure OpenAI"),
			p.text(presenter.FieldAzureResource, words.T("Resource"), words.T("Needed for models of azure-openai only.")),
			p.text(presenter.FieldAzureAPIVersion, words.T("API version"), words.T("For example 2024-02-01.")),
		),
		section(words.T("Provider keys"), p.keys.content),
		section(words.T("Timeouts and diagnosis"),
			p.text(presenter.FieldUpstreamTimeout, words.T("First byte within"), words.T("The longest wait for a provider to begin its answer.")),
			p.text(presenter.FieldStreamIdleTimeout, words.T("Longest pause"), words.T("The longest pause inside a streamed answer.")),
			p.text(presenter.FieldRetries, words.T("Retries"), words.T("How often a request is sent again when the provider was too busy or could not be reached. Use 0 if your gateway retries by itself.")),
			p.flag(presenter.FieldDebug, words.T("Write a detailed log, without request contents")),
		),
	)
	p.scroll = newScroll(padded(gapMargin, gapMargin, gapMargin, gapMargin, limited(textWidth, body)))
	p.saveBar = newSaveBar(p.keep, p.drop)
	p.content = container.New(footLayout{}, p.scroll, p.foot)
	return p
}

// refresh shows the form of now.
func (p *settingsPage) refresh() {
	for _, f := range p.fields {
		f.refresh()
	}
	for _, f := range p.flags {
		f.refresh()
	}
	for _, f := range p.choices {
		f.refresh()
	}
	p.free.refresh()
	p.token.refresh(p.w.u.token)
	p.keys.refresh()
	p.login.refresh()
	p.refreshFooter()
}

func (p *settingsPage) refreshFooter() {
	marked := p.form.Marked() // what is wrong and not marked yet is marked when Save is pressed
	p.show(p.form.Dirty(), !marked, marked)
}

// changed is called after each edit.
func (p *settingsPage) changed() {
	p.said, p.bad = "", false
	p.test.forget()
	p.refresh()
}

// settle takes an address apart that was typed, and shows what is wrong, as soon as a field
// is left.
func (p *settingsPage) settle() {
	p.form.Settle()
	p.refresh()
}

// testNow tests what the form holds, and puts the cursor where something is wrong.
func (p *settingsPage) testNow() {
	p.test.found = func() {
		p.reveal(p.test.content)
		p.focusField(p.test.verdict.Field)
	}
	p.test.test()
}

// testQuietly tests what has just become complete.
func (p *settingsPage) testQuietly() {
	p.test.found = func() {}
	p.test.test()
}

// tokenStored looks at the token that was stored or removed, and tests it when nothing
// else is missing.
func (p *settingsPage) tokenStored() {
	was := p.w.u.token
	p.w.u.tokenChanged()
	if len(p.w.u.settings.Missing()) == 0 && was == presenter.SecretMissing {
		p.testQuietly()
	}
}

// keep saves the form, or shows what keeps it from being saved.
func (p *settingsPage) keep() {
	p.settle()
	p.store(func(bool) {})
}

// store saves the form and tells whether that worked.
func (p *settingsPage) store(then func(saved bool)) {
	if p.saving || !p.form.Dirty() || !p.form.Valid() {
		then(false)
		return
	}
	s := p.form.Settings()
	p.saving = true
	p.refreshFooter()
	core := p.w.u.core
	p.w.u.run(saveLimit, func(ctx context.Context) error { return core.SaveSettings(ctx, s) }, func(err error) {
		p.kept(err)
		then(err == nil)
	})
}

func (p *settingsPage) kept(err error) {
	p.saving = false
	if err != nil {
		p.said, p.bad = words.F("Not saved. {{.Why}}", words.V{"Why": p.form.Reject(err)}), true
		p.free.look(err)
		p.refresh()
		return
	}
	u := p.w.u
	first := len(u.settings.Missing()) > 0
	p.form.Reload(u.core.Settings(), u.core.Overridden())
	u.setSettings()
	p = p.w.settings // which is another page now in another language
	p.said, p.bad = words.T("Saved."), false
	p.refresh()
	if first && len(presenter.Missing(u.settings, u.token)) == 0 {
		p.testQuietly()
	}
}

// resume takes over from the page in another language, which has the same form.
func (p *settingsPage) resume(old *settingsPage) {
	p.scroll.ScrollToOffset(old.scroll.Offset)
	p.token.resume(old.token)
	p.keys.resume(old.keys)
	p.test.resume(old.test)
}

// drop reverts the form.
func (p *settingsPage) drop() {
	p.form.Revert()
	p.changed()
}

// focusMissing puts the cursor into the first field that has to be filled in.
func (p *settingsPage) focusMissing() {
	p.w.u.checkLogin() // the system's settings may have changed it
	p.w.u.checkTray()
	if gaps := presenter.Missing(p.w.u.settings, p.w.u.token); len(gaps) > 0 && !p.form.Dirty() {
		p.focusField(gaps[0].Field)
	}
}

// focusField puts the cursor into a field and scrolls to it.
func (p *settingsPage) focusField(name string) {
	if name == presenter.FieldToken {
		p.reveal(p.token.content)
		p.token.edit()
		return
	}
	for _, f := range p.fields {
		if f.name == name {
			p.reveal(f.content)
			p.w.win.Canvas().Focus(f.entry)
		}
	}
	for _, r := range p.keys.rows {
		if settings.FieldProvider(r.name) == name {
			p.reveal(r.secret.content)
			r.secret.edit()
		}
	}
}

func (p *settingsPage) reveal(o fyne.CanvasObject) {
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(o)
	top := fyne.CurrentApp().Driver().AbsolutePositionForObject(p.scroll)
	y := at.Y - top.Y + p.scroll.Offset.Y
	if y < p.scroll.Offset.Y || y+o.Size().Height > p.scroll.Offset.Y+p.scroll.Size().Height {
		p.scroll.ScrollToOffset(fyne.NewPos(0, max(0, y-gapMargin)))
	}
}
