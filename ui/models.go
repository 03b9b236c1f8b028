package ui

import (
	"context"
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"

	"apex-ai-proxy/ui/presenter"
	"apex-ai-proxy/ui/words"
)

// tryLimit is how long a model may take to answer.
const tryLimit = time.Minute

// modelsPage edits the names that stand for models, tries them, and lists the models worth
// offering.
type modelsPage struct {
	w       *window
	form    *presenter.Models
	content fyne.CanvasObject
	scroll  *scroll
	saveBar

	notices   *notices
	usable    fyne.CanvasObject // says what Try does
	stopped   fyne.CanvasObject // says that nothing can be tried
	startable fyne.CanvasObject // the same, with a button that helps
	tiers     *nameRows
	own       *nameRows
	empty     fyne.CanvasObject // in the place of names that are not there
	add       *button
	catalogue *catalogue
}

func newModelsPage(w *window) *modelsPage {
	p := &modelsPage{w: w}
	core := w.u.core
	if old := w.models; old != nil {
		p.form = old.form
		p.form.Recheck()
	} else {
		p.form = presenter.NewModels(core.Settings(), core.Overridden(), core.CheckSettings, core.Models())
	}
	p.stopped = middle(remark(words.T("Models can be tried while the proxy runs.")))
	p.startable = w.u.startable(remark(words.T("Models can be tried while the proxy runs.")))
	p.tiers, p.own = newNameRows(p), newNameRows(p)
	p.empty = newParagraph(words.T("An alias is a short name for a model. You can change the model here without changing your clients.")).note()
	p.add = newIconButton(words.T("Add an alias"), theme.ContentAddIcon(), p.addName)
	p.catalogue = newCatalogue(p)
	p.notices = newNotices(w, w.u.core.Unreadable)
	body := stack(gapMargin,
		stack(gap, newLine(words.T("Models"), faceHeadline), p.trying()),
		p.notices.box,
		section("Claude Code",
			intro(words.T("Claude Code asks for models by tier. Choose a model for each; leave a field empty to use Anthropic's own.")),
			p.tiers.box),
		titled(container.NewBorder(nil, nil, nil, p.add, middle(newLine(words.T("Aliases"), faceStrong))),
			intro(words.T("Write each model as model#provider. Separate several with commas: if one does not answer, the next is tried.")),
			p.own.box, p.empty),
		p.catalogue.content,
	)
	p.scroll = newScroll(padded(gapMargin, gapMargin, gapMargin, gapMargin, limited(textWidth, body)))
	p.saveBar = newSaveBar(p.keep, p.drop)
	p.content = container.New(footLayout{}, p.scroll, p.foot)
	return p
}

// trying says what Try does, or that it cannot be used now, without moving what is below.
func (p *modelsPage) trying() fyne.CanvasObject {
	p.usable = middle(newParagraph(words.T("Try sends one short request through the proxy, which costs a few tokens.")).note())
	return container.NewStack(container.New(heightLayout(buttonHeight)), p.usable, p.stopped, p.startable)
}

// buttonHeight is the height of a button.
const buttonHeight = 36

// intro is a sentence below the title of a section.
func intro(text string) fyne.CanvasObject {
	return padded(0, gapTight, 0, 0, newParagraph(text).note())
}

// resume takes over from the page in another language, which has the same form.
func (p *modelsPage) resume(old *modelsPage) { p.scroll.ScrollToOffset(old.scroll.Offset) }

// refresh shows the names of now.
func (p *modelsPage) refresh() {
	p.refreshStopped()
	p.tiers.refresh(p.form.Tiers())
	own := p.form.Own()
	p.own.refresh(own)
	show(p.empty, len(own) == 1)
	p.catalogue.refresh()
	wrong := func(r presenter.NameRow) bool { return r.Problem != "" && !r.Mild }
	p.show(p.form.Dirty(), p.form.Valid(), slices.ContainsFunc(p.form.Tiers(), wrong) || slices.ContainsFunc(own, wrong))
}

// running tells whether models can be tried.
func (p *modelsPage) running() bool { return p.w.u.status.State == presenter.Running }

func (p *modelsPage) refreshStopped() {
	_, action, enabled := presenter.Switch(p.w.u.status.State)
	helps := action == presenter.StartProxy && enabled
	show(p.startable, !p.running() && helps)
	show(p.stopped, !p.running() && !helps)
	show(p.usable, p.running())
}

// changed is called after each edit.
func (p *modelsPage) changed() {
	p.said, p.bad = "", false
	p.refresh()
}

// addName adds a row with the cursor in it.
func (p *modelsPage) addName() {
	id := p.form.Add()
	p.changed()
	if f := p.own.field(id); f != nil {
		p.focus(f.name)
	}
}

// focusDefault puts the cursor where the model is typed that the tray sets.
func (p *modelsPage) focusDefault() {
	if f := p.own.at(0); f != nil {
		p.focus(f.models)
	}
}

// focus puts the cursor into a field that may be out of sight.
func (p *modelsPage) focus(e *entry) {
	p.scroll.Refresh() // so that the row has its place before it is brought into sight
	p.w.win.Canvas().Focus(e)
}

// try asks the models of a row for a word.
func (p *modelsPage) try(id int) {
	ask, run, ok := p.form.Try(id)
	p.refresh()
	if !ok {
		return
	}
	w := p.w
	var got presenter.Trial
	w.u.run(tryLimit, func(ctx context.Context) (err error) {
		got, err = w.u.core.Try(ctx, ask)
		return err
	}, func(err error) {
		p.form.Answered(id, run, got, err)
		w.refresh()
	})
}

// keep saves the names.
func (p *modelsPage) keep() { p.store(func(bool) {}) }

// store saves the names, leaves what was changed elsewhere as it is there, and tells
// whether that worked.
func (p *modelsPage) store(then func(saved bool)) {
	if p.saving || !p.form.Dirty() || !p.form.Valid() {
		then(false)
		return
	}
	core := p.w.u.core
	p.form.Reload(core.Settings(), core.Overridden())
	if !p.form.Valid() {
		p.refresh()
		then(false)
		return
	}
	s := p.form.Settings()
	p.saving = true
	p.refresh()
	p.w.u.run(saveLimit, func(ctx context.Context) error { return core.SaveSettings(ctx, s) }, func(err error) {
		p.kept(err)
		then(err == nil)
	})
}

func (p *modelsPage) kept(err error) {
	p = p.w.models // which is another page now in another language
	p.saving = false
	if err != nil {
		p.said, p.bad = words.F("Not saved. {{.Why}}", words.V{"Why": p.form.Reject(err)}), true
		p.refresh()
		return
	}
	p.said, p.bad = words.T("Saved."), false
	p.w.u.setSettings()
}

// drop reverts the names.
func (p *modelsPage) drop() {
	p.form.Revert()
	p.changed()
}

// nameRows are names below each other.
type nameRows struct {
	p    *modelsPage
	box  *fyne.Container
	rows []*nameField
}

func newNameRows(p *modelsPage) *nameRows { return &nameRows{p: p, box: stack(gap)} }

// at is the row at a place, or the last one, nil while there is none.
func (n *nameRows) at(i int) *nameField {
	if len(n.rows) == 0 {
		return nil
	}
	return n.rows[min(i, len(n.rows)-1)]
}

func (n *nameRows) field(id int) *nameField {
	for _, f := range n.rows {
		if f.id == id {
			return f
		}
	}
	return nil
}

// refresh shows rows. Those that were there stay, with the cursor in them.
func (n *nameRows) refresh(rows []presenter.NameRow) {
	same := slices.EqualFunc(n.rows, rows, func(f *nameField, r presenter.NameRow) bool { return f.id == r.ID })
	if !same {
		fields := make([]*nameField, len(rows))
		n.box.RemoveAll()
		for i, r := range rows {
			if fields[i] = n.field(r.ID); fields[i] == nil {
				fields[i] = newNameField(n.p, r)
			}
			n.box.Add(fields[i].content)
		}
		n.rows = fields
	}
	for i, r := range rows {
		n.rows[i].refresh(r)
	}
}
