package ui

import (
	"errors"
	"runtime"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"apex-ai-proxy/ui/presenter"
	"apex-ai-proxy/ui/words"
)

// guideField is one field of the settings' form.
type guideField struct {
	g     *guide
	name  presenter.Field
	entry *entry
	note  *paragraph
	wrong string // the problem that the entry shows
}

func (g *guide) field(name presenter.Field, example string) *guideField {
	f := &guideField{g: g, name: name, entry: newEntry(g.w), note: newParagraph("").note()}
	f.entry.SetPlaceHolder(example)
	f.entry.AlwaysShowValidationError = true
	f.entry.OnChanged = func(s string) {
		if s != g.form().Text(name) {
			f.entry.edit(g.form(), name)
			g.w.settings.changed()
			g.refresh()
		}
	}
	f.entry.OnSubmitted = func(string) { g.goOn() }
	f.entry.left = g.settle
	return f
}

func (f *guideField) refresh() {
	form := f.g.form()
	reason, fixed := form.Fixed(f.name)
	enable(f.entry, !fixed)
	if text := form.Text(f.name); f.entry.Text != text {
		f.entry.SetText(text)
	}
	note, tone := reason, widget.LowImportance
	problem := or(form.Problem(f.name), f.g.blame(f.name))
	if problem != "" {
		note, tone = problem, widget.DangerImportance
	}
	f.note.set(note, tone)
	f.note.Hidden = note == ""
	if f.wrong == problem {
		return
	}
	f.wrong = problem
	if problem == "" {
		f.entry.SetValidationError(nil)
		return
	}
	f.entry.SetValidationError(errors.New(problem))
}

func (g *guide) accountStep() *fyne.Container {
	g.account = g.field(presenter.FieldAccount, strings.Repeat("0123456789abcdef", 2))
	try := newButton(words.T("Try it without an account"), g.showDemo)
	why := newParagraph(words.T("No account yet? A built-in demo answers without one.")).note()
	return stack(gapBlock, named(words.T("Account ID"), g.account.entry, g.account.note),
		stack(gapWide, widget.NewSeparator(), container.NewBorder(nil, nil, nil, try, padded(0, 0, 0, gapWide, middle(why)))))
}

func (g *guide) gatewayStep() *fyne.Container {
	g.gateway = g.field(presenter.FieldGateway, "my-gateway")
	return stack(gap, named(words.T("Gateway name"), g.gateway.entry, g.gateway.note))
}

// named is a field below its name and above its note.
func named(name string, field fyne.CanvasObject, note *paragraph) fyne.CanvasObject {
	return stack(gapTight+2, newLine(name, faceStrong), field, padded(0, 0, 2, 0, note))
}

func (g *guide) tokenStep() *fyne.Container {
	g.token = newSecretField(g.w, presenter.GatewayToken, words.T("Paste the token here"), g.stored)
	g.token.strip()
	g.token.failed = func() {
		g.moving, g.leaving = false, false
		g.tell(words.T("Skip goes on without it. The token can be stored later in Settings, or be given as GATEWAY_TOKEN in the environment."))
		g.refreshFooter()
	}
	g.token.entry.OnChanged = func(string) { g.token.show(); g.refreshFooter() }
	g.token.entry.OnSubmitted = func(string) { g.goOn() }
	g.without = newParagraph(words.T("You can go on without the token. Only the demo models answer until the keychain gives it.")).note()
	return stack(gapTight+2, newLine(words.T("Gateway token"), faceStrong), g.token.content, padded(0, 0, 2, 0, g.without))
}

// keysStep names the ways besides keys at Cloudflare.
func (g *guide) keysStep() *fyne.Container {
	return stack(gap,
		newLine(words.T("Or, for each provider in Settings"), faceStrong),
		newParagraph(words.T("My own key: kept in this computer's keychain and sent with each request.")).note(),
		newParagraph(words.T("Cloudflare billing: no key is needed. Requests are charged to your Cloudflare credits.")).note())
}

func (g *guide) testStep() *fyne.Container {
	g.test = newConnection(g.w, g.w.u.core.Settings, func() string { return "" }, g.tested)
	g.mend = newButton(words.T("Go back and correct it"), func() {
		if step, ok := presenter.GuideStepOf(g.test.verdict.Field); ok {
			g.turn(step)
		}
	})
	g.mend.Hide()
	return stack(gapWide, g.test.content, inRow(0, padded(0, 0, markWidth, 0, g.mend)))
}

func (g *guide) clientStep() *fyne.Container {
	rows := stack(gap)
	var row *fyne.Container
	for i, r := range g.w.u.clients.First() {
		if i%2 == 0 {
			row = container.New(evenLayout(2))
			rows.Add(row)
		}
		b := newButton(r.Text, func() { g.choose(r.ID) })
		b.Alignment = widget.ButtonAlignLeading
		g.clients = append(g.clients, b)
		row.Add(b)
	}
	return rows
}

// demoWay shows how to ask the built-in models.
func (g *guide) demoWay() *fyne.Container {
	mono := face{size: sizeNote, color: theme.ColorNameForeground, style: fyne.TextStyle{Monospace: true}}
	lines := stack(2)
	for i := range g.try {
		g.try[i] = newCutLine("", mono, 160)
		lines.Add(g.try[i])
	}
	u := g.w.u
	send := u.newCopy(func() string {
		return strings.Join(presenter.TryCommand(runtime.GOOS, u.status.Addr, u.core.LocalKey()), "\n")
	})
	return stack(gapWide, container.NewStack(newGround(colorWell, 6), padded(gap+4, gap+4, gapWide, gap+4, lines)),
		container.NewBorder(nil, nil, container.NewCenter(sized(112, send)), nil, padded(0, 0, gap, 0, middle(keyHint()))))
}

// showTry shows the lines of a command, for which there may be more room.
func showTry(lines []*line, command []string) {
	for i, l := range lines {
		show(l, i < len(command))
		if i < len(command) {
			l.set(command[i])
		}
	}
}

// keyHint says what stands for the local key in a command.
func keyHint() *paragraph {
	return newParagraph(words.T("LOCAL_KEY stands for your local key. What you copy holds the key itself.")).note()
}
