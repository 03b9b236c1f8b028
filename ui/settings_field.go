package ui

import (
	"errors"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"apex-ai-proxy/ui/presenter"
	"apex-ai-proxy/ui/words"
)

// labelWidth is the width of the names in forms.
const labelWidth = 152

// formRow is a name with what it names.
func formRow(name string, o fyne.CanvasObject) fyne.CanvasObject {
	label := stack(0, padded(gap, 0, 0, gap, newCutLine(name, faceText, 60)))
	return container.NewBorder(nil, nil, sized(labelWidth, label), nil, o)
}

// textField is one field that is typed, with a note below it that says what it is for or
// what is wrong with it.
type textField struct {
	p       *settingsPage
	name    presenter.Field
	hint    string
	entry   *entry
	note    *paragraph
	content fyne.CanvasObject
	below   *fyne.Container // the entry, its note and what else there is
	marked  string          // the problem that the entry shows
}

func (p *settingsPage) text(name presenter.Field, label, hint string) fyne.CanvasObject {
	f := &textField{p: p, name: name, hint: hint, entry: newEntry(p.w), note: newParagraph(hint).note()}
	f.entry.AlwaysShowValidationError = true
	f.entry.SetText(p.form.Text(name))
	f.entry.OnChanged = func(s string) {
		if s != p.form.Text(name) {
			f.entry.edit(p.form, name)
			p.changed()
		}
	}
	f.entry.OnSubmitted = func(string) { p.keep() }
	f.entry.left = p.settle
	f.below = stack(gapTight, f.entry, padded(0, gapTight, 2, 0, f.note))
	f.content = formRow(label, f.below)
	p.fields = append(p.fields, f)
	return f.content
}

func (f *textField) refresh() {
	form := f.p.form
	reason, fixed := form.Fixed(f.name)
	enable(f.entry, !fixed)
	if text := form.Text(f.name); f.entry.Text != text {
		f.entry.SetText(text)
	}
	problem, warning := form.Problem(f.name), form.Warning(f.name)
	switch {
	case problem != "":
		f.note.set(problem, widget.DangerImportance)
	case fixed:
		f.note.set(reason, widget.LowImportance)
	case warning != "":
		f.note.set(warning, widget.WarningImportance)
	default:
		f.note.set(f.hint, widget.LowImportance)
	}
	f.mark(problem)
}

// mark puts the red border around a field that is wrong, or takes it away.
func (f *textField) mark(problem string) {
	if f.marked == problem {
		return
	}
	f.marked = problem
	if problem == "" {
		f.entry.SetValidationError(nil)
		return
	}
	f.entry.SetValidationError(errors.New(problem))
}

// edit takes over what stands in the entry of a field.
func (e *entry) edit(form *presenter.Form, name presenter.Field) {
	if e.held {
		form.Type(name, e.Text)
		return
	}
	form.SetText(name, e.Text)
}

// flagField is one field that is on or off.
type flagField struct {
	p     *settingsPage
	name  presenter.Field
	check *check
	note  *paragraph
}

func (p *settingsPage) flag(name presenter.Field, label string) fyne.CanvasObject {
	f := &flagField{p: p, name: name, note: newParagraph("").note()}
	f.check = newCheck(label, nil)
	f.check.Checked = p.form.Flag(name)
	f.check.OnChanged = func(on bool) {
		if on != p.form.Flag(name) {
			p.form.SetFlag(name, on)
			p.changed()
		}
	}
	p.flags = append(p.flags, f)
	return padded(0, 0, labelWidth-gapTight+1, 0, stack(0, f.check, padded(0, 0, gapMargin, 0, f.note)))
}

func (f *flagField) refresh() {
	reason, fixed := f.p.form.Fixed(f.name)
	on := f.p.form.Flag(f.name)
	if f.name == presenter.FieldKeepRunning && f.p.w.u.hostless { // whatever was chosen
		reason, fixed, on = words.T("This desktop shows no tray icons, so closing the window ends the program."), true, false
	}
	enable(f.check, !fixed)
	if f.check.Checked != on {
		f.check.Checked = on // which is no choice of the user's
		f.check.Refresh()
	}
	f.note.set(reason, widget.LowImportance)
	f.note.Hidden = !fixed
}
