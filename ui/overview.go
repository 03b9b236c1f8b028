package ui

import (
	"runtime"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"apex-ai-proxy/ui/presenter"
	"apex-ai-proxy/ui/words"
)

// textWidth is the widest that pages of text become.
const textWidth = 760

// overview says in words how the program is, and gives what a client needs.
type overview struct {
	w       *window
	content fyne.CanvasObject

	dot       *dot
	headline  *paragraph
	detail    *paragraph
	power     *button
	other     *button // another port
	moving    *paragraph
	elsewhere *fyne.Container
	trayless  *fyne.Container
	known     *button // that there is no tray
	action    presenter.Action

	notices           *notices
	openAI, anthropic *line
	key               *paragraph        // which is longer than there is room for in one line
	keyNote           fyne.CanvasObject // says that the key is for this run
	reveal            *button
	revealed          bool
	clients           *button

	gaps    *fyne.Container
	gapList *fyne.Container
	shown   []presenter.Gap

	plots    [4]*plot
	activity *fyne.Container

	troubles    *fyne.Container
	troubleList *fyne.Container
	told        []presenter.Trouble

	try     [presenter.TryLines]*line
	tryArea *fyne.Container
}

func newOverview(w *window) *overview {
	o := &overview{w: w}
	o.notices = newNotices(w, func() bool { return true })
	body := stack(gapMargin, o.state(), o.noTray(), o.notices.box, o.missing(), o.lastHour(), o.trouble(), o.connect(), o.tryIt())
	o.content = newScroll(padded(gapMargin, gapMargin, gapMargin, gapMargin, limited(textWidth, body)))
	return o
}

func (o *overview) state() fyne.CanvasObject {
	o.dot = newDot(14)
	o.headline = newParagraph("")
	o.headline.headline()
	o.detail = newParagraph("")
	o.power = newButton(words.T("Start"), func() { o.w.u.act(o.action) })
	o.power.Importance = widget.HighImportance
	return stack(gap,
		container.NewBorder(nil, nil, nil, container.NewCenter(sized(112, o.power)),
			padded(0, 0, 0, gapWide, middle(marked(o.dot, o.headline, sizeHeadline)))),
		padded(0, 0, markWidth, 0, o.detail),
		o.anotherPort(),
	)
}

// anotherPort offers another port when the proxy's own is taken.
func (o *overview) anotherPort() fyne.CanvasObject {
	o.other = newButton("", o.w.u.usePort)
	o.moving = newParagraph("").note()
	o.elsewhere = padded(0, 0, markWidth, 0,
		container.NewBorder(nil, nil, container.NewCenter(sized(112, o.other)), nil, padded(0, 0, gapWide, 0, middle(o.moving))))
	return o.elsewhere
}

// noTray says, until the user has taken note, that the program has no icon here.
func (o *overview) noTray() fyne.CanvasObject {
	text := newParagraph(words.T("This desktop shows no tray icons, so closing the window ends the program. On GNOME the extension AppIndicator adds them.")).note()
	o.known = newButton(words.T("Got it"), func() {
		o.w.u.app.Preferences().SetBool(keyTrayless, true)
		o.refresh()
	})
	o.trayless = container.NewBorder(nil, nil, nil, container.NewCenter(sized(96, o.known)), padded(0, 0, markWidth, gapWide, middle(text)))
	return o.trayless
}

func (o *overview) refreshHints() {
	u := o.w.u
	o.trayless.Hidden = !u.hostless || u.app.Preferences().Bool(keyTrayless)
	o.elsewhere.Hidden = u.offer.addr == ""
	if !o.elsewhere.Hidden {
		text := u.offer.text()
		o.other.SetText(text.Button)
		o.moving.set(text.Text, widget.LowImportance)
	}
}

func (o *overview) connect() fyne.CanvasObject {
	o.openAI, o.anthropic = newCutLine("", faceMono, 120), newCutLine("", faceMono, 120)
	o.key = newParagraph("")
	o.key.mono = true
	fleeting := newParagraph(words.T("Valid for this run only, as the keychain cannot be used.")).note()
	o.keyNote = padded(0, 0, endpointName+gapTight, 0, fleeting)
	o.reveal = newIconButton(words.T("Show"), theme.VisibilityIcon(), o.toggleKey)
	o.clients = newButton(words.T("How to set up your client"), func() { o.w.open(pageClients) })
	u := o.w.u
	return section(words.T("Connect a client"),
		o.endpoint(words.T("OpenAI base URL"), o.openAI, u.newCopy(func() string { return o.openAI.text })),
		o.endpoint(words.T("Anthropic base URL"), o.anthropic, u.newCopy(func() string { return o.anthropic.text })),
		o.endpoint(words.T("Local key"), o.key, o.reveal, u.newCopy(u.core.LocalKey)),
		o.keyNote,
		inRow(0, o.clients),
	)
}

// endpointName is the width of what a client needs' names. It leaves a local key one line in
// a wide window.
const endpointName = 144

func (o *overview) endpoint(name string, value fyne.CanvasObject, buttons ...fyne.CanvasObject) fyne.CanvasObject {
	for i, b := range buttons {
		buttons[i] = sized(96, b)
	}
	return container.NewBorder(nil, nil, sized(endpointName, middle(newLine(name, faceMuted))),
		container.NewCenter(inRow(gap, buttons...)), padded(0, 0, 0, gap, middle(value)))
}

func (o *overview) missing() fyne.CanvasObject {
	o.gapList = stack(gap)
	o.gaps = section(words.T("Before the first real request"), o.gapList)
	return o.gaps
}

// lastHour shows what went on. It is not there before anything did.
func (o *overview) lastHour() fyne.CanvasObject {
	tiles := container.New(evenLayout(len(o.plots)))
	for i := range o.plots {
		o.plots[i] = newPlot()
		tiles.Add(o.plots[i].content)
	}
	o.activity = section(words.T("The last hour"), tiles)
	return o.activity
}

// follow shows what has just happened.
func (o *overview) follow() {
	if o.w.visible && o.w.current == pageOverview {
		o.refreshActivity()
		o.refreshTroubles()
	}
}

func (o *overview) refreshActivity() {
	a := o.w.u.log.Activity(time.Now())
	for i, p := range []presenter.Plot{a.Requests, a.Errors, a.Tokens, a.Latency} {
		o.plots[i].set(p)
	}
	if o.activity.Hidden != a.Requests.Empty {
		o.activity.Hidden = a.Requests.Empty
		o.content.Refresh() // or the part, which was never drawn, waits for something else to change
	}
}

// trouble lists what failed last, with what can be done about it.
func (o *overview) trouble() fyne.CanvasObject {
	o.troubleList = stack(gapWide)
	o.troubles = section(words.T("What went wrong"), o.troubleList)
	return o.troubles
}

// troubleCount is how many failures are shown.
const troubleCount = 3

func (o *overview) refreshTroubles() {
	list := o.w.u.log.Troubles(time.Now(), troubleCount)
	if slices.Equal(list, o.told) && o.troubles.Hidden == (len(list) == 0) {
		return
	}
	o.told = list
	o.troubleList.RemoveAll()
	for _, t := range list {
		d := newDot(10)
		d.set(presenter.ToneBad)
		said := stack(2, newParagraph(t.Text))
		if t.Cure != "" {
			said.Add(newParagraph(t.Cure).note())
		}
		b := newButton(words.T("Show"), func() { o.w.openRequest(t.ID) })
		o.troubleList.Add(container.NewBorder(nil, nil, nil, container.NewCenter(sized(96, b)), padded(0, 0, 0, gapWide, middle(marked(d, said, sizeText)))))
	}
	o.troubles.Hidden = len(list) == 0
	o.content.Refresh()
}

func (o *overview) tryIt() fyne.CanvasObject {
	mono := face{size: sizeNote, color: theme.ColorNameForeground, style: fyne.TextStyle{Monospace: true}}
	lines := stack(2)
	for i := range o.try {
		o.try[i] = newCutLine("", mono, 160)
		lines.Add(o.try[i])
	}
	why := newParagraph(words.T("The model echo#demo answers from inside the program, without an account. Paste this into a terminal:"))
	why.quiet()
	send := o.w.u.newCopy(func() string {
		return strings.Join(presenter.TryCommand(runtime.GOOS, o.w.u.status.Addr, o.w.u.core.LocalKey()), "\n")
	})
	well := container.NewStack(newGround(colorWell, 6), padded(gap+4, gap+4, gapWide, gap+4,
		container.NewBorder(nil, nil, nil, stack(0, sized(96, send)), lines)))
	o.tryArea = section(words.T("Try it"), stack(gap, why, well, keyHint()))
	return o.tryArea
}

// refreshTry shows the command with a stand-in for the key. It is copied with the key.
func (o *overview) refreshTry() {
	command := presenter.TryCommand(runtime.GOOS, o.w.u.status.Addr, "")
	showTry(o.try[:], command)
	o.tryArea.Hidden = len(command) == 0
}

// resume takes over from the page in another language.
func (o *overview) resume(old *overview) { o.revealed = old.revealed }

func (o *overview) toggleKey() {
	o.revealed = !o.revealed
	o.refresh()
}

func (o *overview) refresh() {
	u := o.w.u
	h := u.headline()
	o.dot.set(h.Tone)
	o.headline.set(h.Text, widget.MediumImportance)
	importance := widget.LowImportance
	if h.Tone == presenter.ToneBad {
		importance = widget.MediumImportance
	}
	o.detail.set(h.Detail, importance)
	o.detail.Hidden = h.Detail == ""
	o.refreshPower()
	o.refreshHints()
	urls := presenter.BaseURLs(u.status.Addr)
	o.openAI.set(or(urls.OpenAI, words.T("known once the proxy runs")))
	o.anthropic.set(or(urls.Anthropic, words.T("known once the proxy runs")))
	o.refreshKey()
	o.refreshGaps(presenter.Missing(u.settings, u.trusted()))
	o.refreshActivity()
	o.refreshTroubles()
	o.refreshTry()
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func (o *overview) refreshPower() {
	label, action, enabled := presenter.Switch(o.w.u.status.State)
	o.action = action
	o.power.Importance = widget.HighImportance
	if action == presenter.StopProxy {
		o.power.Importance = widget.MediumImportance
	}
	o.power.SetText(label)
	if enabled {
		o.power.Enable()
	} else {
		o.power.Disable()
	}
}

func (o *overview) refreshKey() {
	key := o.w.u.core.LocalKey()
	shown := strings.Repeat("•", 16)
	switch {
	case key == "":
		shown = words.T("made at the first start")
	case o.revealed:
		shown = key
	}
	if shown != o.key.text {
		o.key.set(shown, widget.MediumImportance)
		o.content.Refresh() // it may take more lines
	}
	show(o.keyNote, key != "" && !o.w.u.core.LocalKeyKept())
	text, icon := words.T("Show"), theme.VisibilityIcon()
	if o.revealed {
		text, icon = words.T("Hide"), theme.VisibilityOffIcon()
	}
	if o.reveal.Text != text {
		o.reveal.Icon = icon
		o.reveal.SetText(text)
	}
}

func (o *overview) refreshGaps(gaps []presenter.Gap) {
	if slices.Equal(gaps, o.shown) && o.gaps.Hidden == (len(gaps) == 0) {
		return
	}
	o.shown = gaps
	o.gapList.RemoveAll()
	for _, g := range gaps {
		b := newButton(g.Cure, func() { o.mend(g) })
		o.gapList.Add(container.NewBorder(nil, nil, nil, sized(96, b),
			padded(0, 0, 0, gapWide, middle(marked(newDot(10), newCutLine(g.Text, faceText, 120), sizeText)))))
	}
	o.gaps.Hidden = len(gaps) == 0
	o.content.Refresh()
}

// mend does what a gap needs.
func (o *overview) mend(g presenter.Gap) {
	if g.Ask {
		o.w.u.unlock()
		return
	}
	o.w.openSettings(g.Field)
}

// section is a titled part of a page.
func section(title string, rows ...fyne.CanvasObject) *fyne.Container {
	return titled(newLine(title, faceStrong), rows...)
}

// titled is a part of a page below a title with what else stands beside it.
func titled(title fyne.CanvasObject, rows ...fyne.CanvasObject) *fyne.Container {
	return stack(gapWide, title, stack(gap, rows...))
}
