package ui

import (
	"context"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/ui/presenter"
	"apex-ai-proxy/ui/words"
)

// The inspector's tabs.
const (
	tabSummary = iota
	tabRequest
	tabAnswer
)

// lookLimit bounds how long a body may take to be prepared.
const lookLimit = 30 * time.Second

// inspector shows the selected exchange below the list: what is known about it, and its
// request and answer on both sides of the proxy.
type inspector struct {
	w       *window
	content *fyne.Container

	dot     *dot
	title   *line
	state   *line
	tabs    *segments
	again   *button
	more    *button
	back    *button         // to the list, while that is not shown
	shut    *button         // while it is
	steps   *fyne.Container // to the requests before and after, while the list is not shown
	ground  *ground
	edge    *fyne.Container // between it and what is above: the list, or nothing
	headers *check
	raw     *check
	tools   *fyne.Container

	summary *summary
	bytes   *comparison
	why     *paragraph
	nothing *fyne.Container

	data    presenter.Detail
	record  event.Exchange
	seen    presenter.Inspection // what is shown of the bytes
	form    presenter.BodyForm   // in which it is shown
	looking bool                 // it is being prepared
	stale   bool                 // and will have to be prepared anew
}

// newInspector makes an inspector. closed is called to go back to the list, and step to show
// another request.
func newInspector(w *window, closed func(), step func(by int)) *inspector {
	in := &inspector{w: w, dot: newDot(10)}
	in.title = newCutLine("", faceMono, 80)
	in.state = newLine("", faceMuted)
	in.tabs = newSegments([]string{words.T("Summary"), words.T("Request"), words.T("Answer")}, func(int) { in.show() })
	in.again = newIconButton(words.T("Send again"), theme.MediaReplayIcon(), func() { in.replay(presenter.Replay{ID: in.data.ID}) })
	in.more = newIconButton(words.T("More"), theme.MoreVerticalIcon(), in.menu)
	in.headers = newCheck(words.T("Headers"), func(bool) { in.fill(true) })
	in.raw = newCheck(words.T("As sent"), func(bool) { in.look() })
	in.tools = inRow(gap, in.headers, in.raw)
	quiet := func(icon fyne.Resource, tapped func()) *button {
		b := newIconButton("", icon, tapped)
		b.Importance = widget.LowImportance
		return b
	}
	in.shut, in.back = quiet(theme.CancelIcon(), closed), newIconButton("", theme.NavigateBackIcon(), closed)
	in.steps = inRow(0, quiet(theme.MoveUpIcon(), func() { step(-1) }), quiet(theme.MoveDownIcon(), func() { step(1) }))
	in.back.Hidden, in.steps.Hidden = true, true
	in.summary = newSummary()
	in.bytes = newComparison(w.u)
	in.wire()
	in.why = newParagraph("")
	in.why.quiet()
	in.nothing = padded(gapBlock, 0, rowInset, rowInset, limited(textWidth, in.why))

	head := container.NewBorder(nil, nil, inRow(gap+gapTight, in.back, container.NewCenter(in.dot)), inRow(gap, in.again, in.more, in.shut),
		container.NewBorder(nil, nil, nil, padded(0, 0, gap, gapWide, middle(in.state)), padded(0, 0, gap+2, 0, middle(in.title))))
	bar := container.NewBorder(nil, nil, in.tabs.content, inRow(gap, in.tools, in.steps))
	in.ground, in.edge = newGround(colorWell, 0), container.NewStack(widget.NewSeparator())
	in.content = container.NewStack(in.ground, container.NewBorder(
		stack(0, in.edge, padded(gap, gapTight, rowInset, gapWide, stack(gapTight, head, padded(0, 0, -gap, 0, bar)))),
		nil, nil, nil, container.NewStack(in.summary.content, in.bytes.content, in.nothing)))
	in.show()
	return in
}

// stand shows the way back to the list, and to its other rows, where the inspector stands alone
// and is the page.
func (in *inspector) stand(alone bool) {
	in.back.Hidden, in.steps.Hidden, in.shut.Hidden = !alone, !alone, alone
	in.ground.color, in.edge.Layout = colorWell, layout.NewStackLayout()
	if alone {
		in.ground.color, in.edge.Layout = theme.ColorNameBackground, heightLayout(gapWide-gap)
	}
	in.edge.Objects[0].(*widget.Separator).Hidden = alone
	in.content.Refresh()
}

// turn chooses the tab so many further, as far as there is one. The cursor goes along when it is in
// the inspector, where it may be in what only the other tab has.
func (in *inspector) turn(by int) {
	in.tabs.choose(min(max(in.tabs.chosen+by, 0), len(in.tabs.buttons)-1))
	cv := in.w.win.Canvas()
	if o, ok := cv.Focused().(fyne.CanvasObject); ok {
		if _, within := scrollOf(in.content, o); within {
			cv.Focus(in.tabs.buttons[in.tabs.chosen])
		}
	}
}

// resume takes over from the inspector in another language.
func (in *inspector) resume(old *inspector) {
	in.headers.Checked, in.raw.Checked = old.headers.Checked, old.raw.Checked
	in.tabs.choose(old.tabs.chosen)
}

// set shows an exchange.
func (in *inspector) set(data presenter.Detail, record event.Exchange) {
	other := in.data.ID != data.ID
	in.data, in.record = data, record
	in.dot.set(data.Tone)
	in.title.set(data.Title)
	in.state.setColored(data.State, toneColor(data.Tone))
	in.summary.set(data)
	enable(in.again, in.unrepeatable() == "")
	if other {
		in.seen = presenter.Inspection{}
		in.show()
		return
	}
	in.follow()
}

// show shows the chosen tab.
func (in *inspector) show() {
	in.unselect()
	summary := in.tabs.chosen == tabSummary
	show(in.summary.content, summary)
	in.tools.Hidden = summary
	if summary {
		in.bytes.content.Hide()
		in.nothing.Hide()
		in.content.Refresh()
		return
	}
	in.fill(true)
	in.follow()
}

// show shows or hides an object.
func show(o fyne.CanvasObject, on bool) {
	switch {
	case on && !o.Visible():
		o.Show()
	case !on && o.Visible():
		o.Hide()
	}
}

// follow prepares the bytes anew when there are more of them than what is shown.
func (in *inspector) follow() {
	if in.tabs.chosen == tabSummary || in.data.ID == "" {
		return
	}
	revision := in.w.u.core.Captures().Revision(in.data.ID)
	if in.seen.ID != in.data.ID || in.seen.Revision != revision || in.form != in.chosenForm() {
		in.look()
	}
}

func (in *inspector) chosenForm() presenter.BodyForm {
	if in.raw.Checked {
		return presenter.AsSent
	}
	return presenter.Pretty
}

// look prepares the bytes beside the user interface.
func (in *inspector) look() {
	if in.data.ID == "" {
		return
	}
	if in.looking {
		in.stale = true
		return
	}
	in.looking, in.stale = true, false
	store, record, form := in.w.u.core.Captures(), in.record, in.chosenForm()
	var seen presenter.Inspection
	in.w.u.run(lookLimit, func(context.Context) error {
		snap, kept := store.Get(record.ID)
		seen = presenter.Inspect(&record, &snap, kept, store.Limits(), form)
		return nil
	}, func(error) {
		in.looking = false
		if seen.ID == in.data.ID {
			top := in.seen.ID != seen.ID || in.form != form
			in.seen, in.form = seen, form
			in.fill(top)
		}
		if in.stale || seen.ID != in.data.ID {
			in.look()
		}
	})
}

// fill shows what was prepared.
func (in *inspector) fill(top bool) {
	if in.tabs.chosen == tabSummary {
		return
	}
	known := in.seen.ID == in.data.ID && in.seen.ID != ""
	in.nothing.Hidden = !known || in.seen.Why == ""
	in.bytes.content.Hidden = !known || in.seen.Why != ""
	switch {
	case !known:
	case in.seen.Why != "":
		in.why.set(in.seen.Why, widget.LowImportance)
	case in.tabs.chosen == tabRequest:
		in.bytes.set(in.seen.Request, in.headers.Checked, top)
	default:
		in.bytes.set(in.seen.Answer, in.headers.Checked, top)
	}
	in.content.Refresh()
}

// comparison is the same thing on both sides of the proxy, beside each other.
type comparison struct {
	content     *fyne.Container
	note        *line
	left, right *pane
}

func newComparison(u *UI) *comparison {
	c := &comparison{note: newCutLine("", faceNote, 80), left: newPane(u), right: newPane(u)}
	split := container.NewHSplit(c.left.content, c.right.content)
	c.content = container.NewBorder(nil, padded(2, gapTight, rowInset, gapWide, c.note), nil, nil, padded(0, 0, rowInset-gap, gapWide, split))
	return c
}

func (c *comparison) set(p presenter.Pair, headers, top bool) {
	c.note.set(p.Note)
	c.left.set(p.Left, headers, top)
	c.right.set(p.Right, headers, top)
}

// pane is one side.
type pane struct {
	content           *fyne.Container
	title, head, note *line
	text              *lines
	copy              *button
	data              presenter.Pane
}

func newPane(u *UI) *pane {
	mono := face{size: sizeNote, color: colorMuted, style: fyne.TextStyle{Monospace: true}}
	p := &pane{title: newCutLine("", faceStrong, 40), head: newCutLine("", mono, 40), note: newLine("", faceNote), text: newLines()}
	p.copy = u.newCopy(func() string { return string(p.data.Raw) })
	p.copy.Disable()
	top := container.NewBorder(nil, nil, nil, p.copy, stack(2, p.title, container.New(behindLayout{}, p.head, p.note)))
	frame := newGround(theme.ColorNamePrimary, gapTight)
	frame.line, frame.Hidden = 1, true
	p.text.held = func(on bool) { show(frame, on) }
	p.content = container.NewBorder(padded(gapTight, gapTight, gap, gap, top), nil, nil, nil,
		container.NewStack(container.NewThemeOverride(p.text, part{padding: 0, inner: -1}), frame))
	return p
}

// behindLayout puts a note right behind a text, which is cut where there is no room for both.
type behindLayout struct{}

// Layout implements fyne.Layout.
func (behindLayout) Layout(o []fyne.CanvasObject, s fyne.Size) {
	text, at := o[0].(*line), float32(0)
	if text.text != "" {
		whole := fyne.MeasureText(text.text, text.Theme().Size(text.face.size), text.face.style).Width
		at = max(0, min(whole, s.Width-o[1].MinSize().Width-gap))
	}
	text.Move(fyne.NewPos(0, 0))
	text.Resize(fyne.NewSize(at, s.Height))
	if at > 0 {
		at += gap
	}
	o[1].Move(fyne.NewPos(at, 0))
	o[1].Resize(fyne.NewSize(s.Width-at, s.Height))
}

// MinSize implements fyne.Layout.
func (behindLayout) MinSize(o []fyne.CanvasObject) fyne.Size { return largest(o) }

func (p *pane) set(data presenter.Pane, headers, top bool) {
	p.data = data
	p.title.set(data.Title)
	p.head.set(data.Head)
	p.note.set(data.Note)
	enable(p.copy, len(data.Raw) > 0)
	heads := data.Headers
	if !headers {
		heads = nil
	}
	p.text.set(heads, data.Lines, top)
}
