package ui

import (
	"context"
	"net/url"
	"runtime"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/ui/presenter"
	"apex-ai-proxy/ui/words"
)

// guideWidth is the width of the guide's column.
const guideWidth = 560

// guide leads a new user from the account to the first client, one thing at a time. It
// takes the place of the pages. What is typed is in the form of the settings page, so it is
// never lost; each step saves what is right.
type guide struct {
	w       *window
	content *fyne.Container
	shown   bool
	step    presenter.GuideStep
	demo    bool // the way without an account is shown
	leaving bool // what was typed is being stored on the way out
	moving  bool // the same, on the way to the next step

	count *line
	bars  []*ground
	place *fyne.Container // how far it is, in words and bars
	title *paragraph
	text  *paragraph
	link  *button
	steps []*fyne.Container // what is to be done, by step
	trial *fyne.Container   // the way without an account
	try   [presenter.TryLines]*line
	say   *paragraph // what went wrong

	account, gateway *guideField
	token            *secretField
	without          *paragraph // says what works without the token
	test             *connection
	tried            settings.Gateway // what was tested last
	mend             *button
	clients          []*button

	skip, back, next *button
	scroll           *scroll
}

func newGuide(w *window) *guide {
	g := &guide{w: w}
	g.count = newLine("", faceNote)
	bars := container.New(layout.NewGridLayoutWithColumns(presenter.GuideSteps))
	for range presenter.GuideSteps {
		bar := newGround(theme.ColorNameSeparator, 2)
		g.bars = append(g.bars, bar)
		bars.Add(container.New(heightLayout(4), bar))
	}
	g.title, g.text, g.say = newParagraph(""), newParagraph(""), newParagraph("")
	g.title.headline()
	g.link = newButton("", g.openLink)
	g.steps = []*fyne.Container{
		presenter.GuideAccount: g.accountStep(), presenter.GuideGateway: g.gatewayStep(), presenter.GuideToken: g.tokenStep(),
		presenter.GuideKeys: g.keysStep(), presenter.GuideTest: g.testStep(), presenter.GuideClient: g.clientStep(),
	}
	g.trial = g.demoWay()
	g.place = stack(gap, g.count, bars)
	body := stack(gapBlock, g.place, stack(gap+4, g.title, g.text, inRow(0, g.link)))
	for _, s := range g.steps {
		body.Add(s)
	}
	body.Add(g.trial)
	body.Add(g.say)
	g.scroll = newScroll(container.New(columnLayout(guideWidth), padded(gapMargin, gapMargin, 0, 0, body)))
	g.content = container.New(footLayout{}, g.scroll, g.footer())
	g.content.Hide()
	return g
}

func (g *guide) footer() fyne.CanvasObject {
	g.skip = newButton(words.T("Skip"), g.leave)
	g.skip.Importance = widget.LowImportance
	g.back = newButton(words.T("Back"), g.goBack)
	g.next = newButton("", g.goOn)
	g.next.Importance = widget.HighImportance
	row := container.NewBorder(nil, nil, g.skip, inRow(gap, sized(96, g.back), sized(112, g.next)))
	return stack(0, widget.NewSeparator(), padded(gap+4, gap+4, 0, 0, container.New(columnLayout(guideWidth), row)))
}

func (g *guide) form() *presenter.Form { return g.w.settings.form }

// show opens the guide at its first step.
func (g *guide) show() {
	g.shown, g.demo, g.leaving, g.moving = true, false, false, false
	g.w.unfocus()
	g.w.pane.Hide()
	g.content.Show()
	g.turn(presenter.GuideAccount)
}

// hide gives the window back to the pages.
func (g *guide) hide() {
	if !g.shown {
		return
	}
	g.shown = false
	g.w.unfocus()
	if typed := g.token.entry.Text; typed != "" { // it is not stored, so it waits in the settings
		g.w.settings.token.entry.SetText(typed)
		g.token.entry.SetText("")
	}
	g.content.Hide()
	g.w.pane.Show()
	g.w.win.Content().Refresh()
}

// turn shows a step, with the cursor where it is needed.
func (g *guide) turn(step presenter.GuideStep) {
	g.w.unfocus()
	g.step, g.demo, g.moving = step, false, false
	g.tell("")
	if step == presenter.GuideToken {
		g.tell(g.blame(presenter.FieldToken))
	}
	for i, s := range g.steps {
		s.Hidden = presenter.GuideStep(i) != step
	}
	g.trial.Hide()
	g.refresh()
	g.scroll.ScrollToTop()
	g.w.win.Content().Refresh()
	if step == presenter.GuideTest {
		g.mend.Hide()
		g.test.test()
	}
	g.focus()
}

func (g *guide) focus() {
	focus := fyne.Focusable(g.next)
	switch {
	case g.demo, g.step == presenter.GuideTest:
	case g.step == presenter.GuideAccount && !g.account.entry.Disabled():
		focus = g.account.entry
	case g.step == presenter.GuideGateway && !g.gateway.entry.Disabled():
		focus = g.gateway.entry
	case g.step == presenter.GuideToken && !g.token.editing.Hidden:
		focus = g.token.entry
	}
	g.w.win.Canvas().Focus(focus)
}

// showDemo shows the way without an account.
func (g *guide) showDemo() {
	g.w.unfocus()
	g.demo = true
	g.tell("")
	for _, s := range g.steps {
		s.Hide()
	}
	g.trial.Show()
	g.refresh()
	g.w.win.Content().Refresh()
	g.focus()
}

// refresh shows the step of now.
func (g *guide) refresh() {
	if !g.shown {
		return
	}
	page := presenter.Guide(g.step, g.form().Settings())
	if g.demo {
		page = presenter.GuidePage{
			Title: words.T("Try it without an account"),
			Text:  words.T("The model echo#demo answers from inside the program. Paste this into a terminal, or give a client that model. The account can be added at any time in Settings."),
		}
	}
	g.count.set(words.F("Step {{.Step}} of {{.Steps}}", words.V{"Step": int(g.step) + 1, "Steps": presenter.GuideSteps}))
	for i, bar := range g.bars {
		color := theme.ColorNameSeparator
		if i <= int(g.step) {
			color = theme.ColorNamePrimary
		}
		if bar.color != color {
			bar.color = color
			bar.Refresh()
		}
	}
	g.place.Hidden = g.demo
	g.title.set(page.Title, widget.MediumImportance)
	g.text.set(page.Text, widget.MediumImportance)
	g.link.Hidden = page.Link == ""
	if g.link.Text != page.Link {
		g.link.SetText(page.Link)
	}
	g.account.refresh()
	g.gateway.refresh()
	g.token.refresh(g.w.u.token)
	g.without.Hidden = !g.w.u.token.Shut()
	command := presenter.TryCommand(runtime.GOOS, g.w.u.status.Addr, "")
	showTry(g.try[:], command)
	g.trial.Hidden = !g.demo || len(command) == 0
	g.refreshFooter()
}

func (g *guide) refreshFooter() {
	text := words.T("Next")
	switch {
	case g.demo:
		text = words.T("Overview")
	case g.step == presenter.GuideClient:
		text = words.T("Finish")
	case g.step == presenter.GuideToken && g.token.wrong != "":
		text = words.T("Try again")
	}
	if g.next.Text != text {
		g.next.SetText(text)
	}
	enable(g.next, g.ready() && !g.moving)
	enable(g.back, g.demo || g.step > 0)
	g.skip.Hidden = g.demo || g.step == presenter.GuideClient
}

// ready tells whether the step is done, as far as was told.
func (g *guide) ready() bool {
	if g.demo {
		return true
	}
	switch g.step {
	case presenter.GuideAccount, presenter.GuideGateway:
		field := presenter.Guide(g.step, settings.Settings{}).Field
		return strings.TrimSpace(g.form().Text(field)) != "" && g.form().Problem(field) == ""
	case presenter.GuideToken:
		if g.token.entry.Text != "" {
			return g.token.doubt() == ""
		}
		return g.w.u.token.Usable() || g.w.u.token.Shut()
	default:
		return true
	}
}

// openLink opens the dashboard in the browser.
func (g *guide) openLink() {
	u, err := url.Parse(presenter.Guide(g.step, g.form().Settings()).URL)
	if err != nil || u.Scheme != "https" {
		return
	}
	if err := g.w.u.opts.OpenURL(u); err != nil {
		g.tell(words.F("The browser could not be opened. Open this address yourself: {{.URL}}", words.V{"URL": u}))
	}
}

// tell says what went wrong, or nothing.
func (g *guide) tell(sentence string) {
	g.say.set(sentence, widget.DangerImportance)
	g.say.Hidden = sentence == ""
}

func (g *guide) goBack() {
	switch {
	case g.demo:
		g.turn(g.step)
	case g.step > 0:
		g.turn(g.step - 1)
	}
}

// settle takes an address apart that was typed, and shows what is wrong, as soon as a field
// is left.
func (g *guide) settle() {
	g.form().Settle()
	g.refresh()
}

// goOn saves the step and shows the next one.
func (g *guide) goOn() {
	g.settle() // and what is wrong is told at the latest now
	switch {
	case !g.ready() || g.moving:
	case g.demo || g.step == presenter.GuideClient:
		g.finish(pageOverview)
	case g.step == presenter.GuideToken && g.token.entry.Text != "":
		g.moving, g.leaving = true, false
		g.refreshFooter()
		g.tell("")
		g.token.put() // which calls stored
		if g.token.busy == "" {
			g.moving = false
			g.refreshFooter()
		}
	default:
		g.moving = true
		g.refreshFooter()
		g.save(false, func(err error) {
			g.moving = false
			if err != nil {
				g.refresh()
				g.tell(words.F("Not saved. {{.Why}}", words.V{"Why": g.form().Reject(err)}))
				return
			}
			g.turn(g.step + 1)
		})
	}
}

// stored is called when the token was stored.
func (g *guide) stored() {
	g.w.u.tokenChanged()
	switch {
	case g.leaving:
		g.finish(pageOverview)
	case g.moving:
		g.turn(g.step + 1)
	}
}

// save writes what the guide has asked for and is right, to what is saved already.
func (g *guide) save(guided bool, then func(error)) {
	u := g.w.u
	s, typed := u.core.Settings(), g.form().Settings()
	if g.form().Right(presenter.FieldAccount) {
		s.Gateway.Account = typed.Gateway.Account
	}
	if g.form().Right(presenter.FieldGateway) {
		s.Gateway.ID = typed.Gateway.ID
	}
	s.App.Guided = s.App.Guided || guided
	u.run(saveLimit, func(ctx context.Context) error { return u.core.SaveSettings(ctx, s) }, func(err error) {
		if err == nil {
			u.setSettings()
		}
		then(err)
	})
}

// leave skips the rest. A token that was typed is stored before, unless that was refused.
func (g *guide) leave() {
	if g.token.entry.Text != "" && g.token.wrong == "" && !g.leaving && g.token.busy == "" {
		g.leaving = true
		g.token.put()
		if g.token.busy != "" {
			return // stored finishes it
		}
	}
	g.finish(pageOverview)
}

// finish opens a page and does not show the guide again.
func (g *guide) finish(page int) {
	g.save(true, func(err error) {
		if err != nil {
			g.w.tell(presenter.Tell(err))
		}
	})
	g.w.open(page)
}

// choose finishes with the page of a client.
func (g *guide) choose(id string) {
	u := g.w.u
	u.clients.Search("")
	u.clients.Choose(id)
	g.finish(pageClients)
}

// blame is what the last test found wrong with a field, as long as it tells of what is filled
// in.
func (g *guide) blame(field presenter.Field) string {
	if g.form().Settings().Gateway != g.tried {
		return ""
	}
	return g.test.verdict.Blame(field)
}

// tested offers the way to what is wrong.
func (g *guide) tested() {
	g.tried = g.w.u.core.Settings().Gateway
	_, ok := presenter.GuideStepOf(g.test.verdict.Field)
	g.mend.Hidden = !ok
	g.content.Refresh()
}

// resume takes over from the guide in another language.
func (g *guide) resume(old *guide) {
	if !old.shown {
		return
	}
	g.show()
	g.token.resume(old.token)
	g.turn(old.step)
	if old.demo {
		g.showDemo()
	}
}
