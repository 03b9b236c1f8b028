package ui

import (
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"apex-ai-proxy/ui/presenter"
	"apex-ai-proxy/ui/words"
)

// The width of one fact, and of its name.
const (
	factWidth = 340
	factName  = 88
)

// summary is everything that is known about an exchange without its bytes.
type summary struct {
	content *scroll

	facts    *fyne.Container
	fields   []*fact
	long     *fyne.Container // the facts that are too long to stand beside others
	error    *paragraph
	cure     *paragraph
	warnings *paragraph
	notes    *fyne.Container
	data     presenter.Detail
}

func newSummary() *summary {
	d := &summary{}
	d.facts = container.New(&gridLayout{width: factWidth, height: 22})
	d.error, d.cure, d.warnings = newParagraph(""), newParagraph(""), newParagraph("")
	d.notes = stack(gap)
	d.long = stack(gapTight)
	d.content = newScroll(padded(gap, gapWide, rowInset, rowInset, stack(gap+4, d.notes, stack(gapTight, d.long, d.facts))))
	return d
}

// set shows an exchange.
func (d *summary) set(data presenter.Detail) {
	other := d.data.ID != data.ID
	if !slices.Equal(d.data.Facts, data.Facts) {
		d.setFacts(data.Facts)
	}
	d.setNotes(data)
	d.data = data
	if other {
		d.content.ScrollToTop()
	}
}

func (d *summary) setFacts(all []presenter.Fact) {
	d.long.RemoveAll()
	var facts []presenter.Fact
	for _, f := range all {
		if fits(f.Value) {
			facts = append(facts, f)
		} else {
			d.long.Add(newLongFact(f))
		}
	}
	d.long.Hidden = len(d.long.Objects) == 0
	for len(d.fields) < len(facts) {
		f := newFact()
		d.fields = append(d.fields, f)
		d.facts.Add(f.box)
	}
	for i, f := range d.fields {
		f.box.Hidden = i >= len(facts)
		if i < len(facts) {
			f.set(facts[i])
		}
	}
	d.facts.Refresh()
}

// setNotes shows the error and what the conversion lost, which come before the facts.
func (d *summary) setNotes(data presenter.Detail) {
	if d.data.ID == data.ID && d.data.Error == data.Error && slices.Equal(d.data.Warnings, data.Warnings) {
		return
	}
	d.notes.RemoveAll()
	if data.Error != "" {
		d.error.set(data.Error, widget.DangerImportance)
		d.cure.set(data.Cure, widget.MediumImportance)
		show(d.cure, data.Cure != "")
		d.notes.Add(stack(gapTight, d.error, d.cure))
	}
	if len(data.Warnings) > 0 {
		d.warnings.set(words.F("Not carried over:\n• {{.List}}", words.V{"List": strings.Join(data.Warnings, "\n• ")}), widget.WarningImportance)
		d.notes.Add(d.warnings)
	}
	d.notes.Hidden = len(d.notes.Objects) == 0
	d.notes.Refresh()
}

// fits tells whether a fact is short enough to stand beside others.
func fits(value string) bool {
	size := fyne.CurrentApp().Settings().Theme().Size(sizeNote)
	return len(value) < 8 || fyne.MeasureText(value, size, fyne.TextStyle{Monospace: true}).Width <= factWidth-factName-gapWide
}

// newLongFact is a fact that takes as many lines as it needs.
func newLongFact(f presenter.Fact) fyne.CanvasObject {
	value := newParagraph(f.Value)
	value.size, value.mono = sizeNote, true
	return container.New(besideLayout{}, sized(factName+gapTight, padded(1, 0, 0, 0, stack(0, newLine(f.Name, faceNote)))), value)
}

// fact is a name with its value.
type fact struct {
	box         *fyne.Container
	name, value *line
}

func newFact() *fact {
	mono := face{size: sizeNote, color: theme.ColorNameForeground, style: fyne.TextStyle{Monospace: true}}
	f := &fact{name: newLine("", faceNote), value: newCutLine("", mono, 40)}
	f.box = container.NewBorder(nil, nil, sized(factName, middle(f.name)), nil, padded(0, 0, 0, gapWide, middle(f.value)))
	return f
}

func (f *fact) set(v presenter.Fact) {
	f.name.set(v.Name)
	f.value.set(v.Value)
}
