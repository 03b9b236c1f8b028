package ui

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"apex-ai-proxy/ui/presenter"
)

// choiceWidth is the width of what is chosen from a list.
const choiceWidth = 220

// choiceField is one field that is chosen from a list.
type choiceField struct {
	p       *settingsPage
	name    presenter.Field
	options []presenter.Choice
	choose  *selection
	note    *paragraph
}

func (p *settingsPage) choice(name presenter.Field, label string) fyne.CanvasObject {
	f := &choiceField{p: p, name: name, options: presenter.Choices(name), note: newParagraph("").note()}
	texts := make([]string, len(f.options))
	for i, c := range f.options {
		texts[i] = c.Text
	}
	f.choose = newSelection(texts, nil)
	f.refresh()
	f.choose.OnChanged = func(string) {
		if i := f.choose.SelectedIndex(); i >= 0 && f.options[i].Value != p.form.Text(name) {
			p.form.SetText(name, f.options[i].Value)
			p.changed()
		}
	}
	p.choices = append(p.choices, f)
	return formRow(label, stack(gapTight, sized(choiceWidth, f.choose), padded(0, 0, 2, 0, f.note)))
}

func (f *choiceField) refresh() {
	value := f.p.form.Text(f.name)
	i := slices.IndexFunc(f.options, func(c presenter.Choice) bool { return c.Value == value })
	if f.choose.SelectedIndex() != i {
		if i < 0 {
			f.choose.ClearSelected()
		} else {
			f.choose.SetSelectedIndex(i)
		}
	}
	problem := f.p.form.Problem(f.name)
	f.note.set(problem, widget.DangerImportance)
	f.note.Hidden = problem == ""
}
