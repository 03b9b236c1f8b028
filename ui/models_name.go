package ui

import (
	"errors"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"apex-ai-proxy/ui/presenter"
	"apex-ai-proxy/ui/words"
)

// nameLayout gives a name with the arrow behind it a part of the width, and its models the
// rest.
type nameLayout struct{}

const leastName, mostName = 156, 208

// Layout implements fyne.Layout.
func (nameLayout) Layout(o []fyne.CanvasObject, s fyne.Size) {
	name := max(leastName, min(s.Width*0.28, mostName))
	o[0].Move(fyne.NewPos(0, 0))
	o[0].Resize(fyne.NewSize(name, s.Height))
	o[1].Move(fyne.NewPos(name, 0))
	o[1].Resize(fyne.NewSize(s.Width-name, s.Height))
}

// MinSize implements fyne.Layout.
func (nameLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	m := o[1].MinSize()
	return fyne.NewSize(leastName+m.Width, max(o[0].MinSize().Height, m.Height))
}

// nameField is one name with the models that it stands for, a button that tries them, and
// a line that says what the name is for, what is wrong with it, or what came of trying it.
type nameField struct {
	p       *modelsPage
	id      int
	name    *entry // nil when the name cannot be changed
	models  *entry
	choose  *button
	try     *button
	remove  *button
	note    *brief
	dot     *dot
	tried   *brief
	offers  *fyne.Container // models that begin like what is being typed
	offered []string
	outcome fyne.CanvasObject
	content fyne.CanvasObject
	row     presenter.NameRow // as it was shown last
	marked  string            // the problem that the field shows
}

func newNameField(p *modelsPage, row presenter.NameRow) *nameField {
	f := &nameField{p: p, id: row.ID, dot: newDot(10), offers: inRow(gapWide)}
	title := func() string { return f.row.Name }
	f.note, f.tried = newBrief(p.w, title), newBrief(p.w, title)
	f.choose = newIconButton("", theme.MenuDropDownIcon(), f.list)
	f.choose.Importance = widget.LowImportance
	f.models = f.typed(words.T("model#provider"), f.choose, func() string { return f.row.Models }, p.form.SetModels)
	f.models.down = f.takeOffer
	f.try = newButton(words.T("Try"), func() { p.try(f.id) })
	f.remove = newIconButton("", theme.ContentClearIcon(), f.drop)
	f.remove.Importance = widget.LowImportance
	var name fyne.CanvasObject = middle(newCutLine(row.Name, faceText, 60))
	if !row.Fixed {
		f.name = f.typed(words.T("Name"), nil, func() string { return f.row.Name }, p.form.SetName)
		name = f.name
		f.remove.Icon = theme.DeleteIcon()
	}
	arrow := padded(0, 0, gap, gap+gapTight, middle(newLine("→", faceMuted)))
	head := container.New(nameLayout{}, // which leaves the order in which Tab goes
		container.NewBorder(nil, nil, nil, arrow, name),
		container.NewBorder(nil, nil, nil, inRow(gapTight, padded(0, 0, gap, 0, sized(72, f.try)), f.remove), f.models))
	f.outcome = container.NewBorder(nil, nil, stack(0, padded(4, 0, 0, gap, f.dot)), nil, f.tried.content)
	// One line, whatever it says, so that the rows below stay where they are.
	f.content = stack(gapTight, head, padded(0, gapTight, 0, 0, container.New(nameLayout{}, container.NewWithoutLayout(), padded(0, 0, 2, 0, container.NewStack(f.note.content, f.outcome, f.offers)))))
	return f
}

// typed is an entry of the row, with what stands at its end or nil.
func (f *nameField) typed(placeholder string, end fyne.CanvasObject, now func() string, set func(id int, text string)) *entry {
	e := newEntry(f.p.w)
	e.AlwaysShowValidationError = true
	e.PlaceHolder, e.ActionItem = placeholder, end
	e.OnChanged = func(s string) {
		if s != now() { // or the program has filled it in
			set(f.id, s)
			f.p.changed()
		}
	}
	e.OnSubmitted = func(string) { f.p.keep() }
	return e
}

// offer shows models that fit what is being typed. The first is also taken with Down.
func (f *nameField) offer(models []string) {
	if slices.Equal(models, f.offered) {
		return
	}
	f.offered = models
	f.offers.RemoveAll()
	if len(models) > 0 {
		f.offers.Add(newLine("↓", faceNote))
	}
	for _, m := range models {
		f.offers.Add(newLink(m, func() {
			f.complete(m)
			f.p.w.win.Canvas().Focus(f.models)
		}))
	}
}

// takeOffer takes the first model that is offered, and tells whether there is one.
func (f *nameField) takeOffer() bool {
	if len(f.offered) == 0 {
		return false
	}
	f.complete(f.offered[0])
	return true
}

func (f *nameField) complete(model string) {
	f.p.form.Complete(f.id, model)
	f.p.changed()
	f.models.CursorColumn = len([]rune(f.models.Text))
	f.models.Refresh()
}

// list shows the models to choose from.
func (f *nameField) list() {
	f.p.w.offer(f.choose, modelMenus(f.p.form.All(), f.chose))
}

// chose puts a model of the menu into the row.
func (f *nameField) chose(model string) {
	f.p.form.Choose(f.id, model)
	f.p.changed()
}

// drop removes the row, or empties it. The cursor goes to the row in its place.
func (f *nameField) drop() {
	at := slices.Index(f.p.own.rows, f)
	f.p.form.Remove(f.id)
	f.p.changed()
	next := f
	if f.name != nil {
		next = f.p.own.at(at)
	}
	f.p.w.win.Canvas().Focus(next.models)
}

func (f *nameField) refresh(r presenter.NameRow) {
	f.row = r
	if f.name != nil {
		setText(f.name, r.Name)
		enable(f.name, !r.Locked)
	}
	setText(f.models, r.Models)
	enable(f.models, !r.Locked)
	enable(f.choose, !r.Locked)
	enable(f.remove, !r.Locked && (!r.Fixed || !r.Vacant))
	enable(f.try, f.p.running() && !r.Busy && !r.Vacant && r.Problem == "")
	switch {
	case r.Problem != "" && !r.Mild:
		f.note.set(r.Problem, widget.DangerImportance)
	case r.Problem != "":
		f.note.set(r.Problem, widget.LowImportance)
	default:
		f.note.set(r.Hint, widget.LowImportance)
	}
	f.dot.set(r.Tone)
	f.tried.set(r.Tried, outcomeColor(r.Tone))
	tried := r.Tried != "" && r.Problem == ""
	show(f.outcome, tried)
	f.offer(r.Offers)
	show(f.offers, len(r.Offers) > 0)
	show(f.note.content, !tried && len(r.Offers) == 0)
	problem := r.Problem
	if r.Mild {
		problem = ""
	}
	f.mark(problem)
}

// setText sets a text that is not there already, so that the cursor stays where it is.
func setText(e *entry, text string) {
	if e.Text != text {
		e.SetText(text)
	}
}

func outcomeColor(t presenter.Tone) widget.Importance {
	if t == presenter.ToneBad {
		return widget.DangerImportance
	}
	return widget.LowImportance
}

// mark puts the red border around a field that is wrong, or takes it away.
func (f *nameField) mark(problem string) {
	if f.marked == problem {
		return
	}
	f.marked = problem
	var err error
	if problem != "" {
		err = errors.New(problem)
	}
	f.models.SetValidationError(err)
}
