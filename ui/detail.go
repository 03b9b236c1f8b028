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

// The strip's height, and the width of one fact in it.
const (
	detailHeight = 216
	factWidth    = 340
)

// detail is the strip below the list with everything that is known about the selected
// exchange.
type detail struct {
	content *fyne.Container

	dot      *dot
	title    *line
	state    *line
	facts    *fyne.Container
	fields   []*fact
	error    *paragraph
	warnings *paragraph
	notes    *fyne.Container
	scroll   *container.Scroll
	data     presenter.Detail
}

func newDetail(u *UI, closed func()) *detail {
	d := &detail{dot: newDot(10)}
	d.title = newCutLine("", faceMono, 80)
	d.state = newLine("", faceMuted)
	d.facts = container.New(&gridLayout{width: factWidth, height: 22})
	d.error, d.warnings = newParagraph(""), newParagraph("")
	d.notes = stack(gap)
	shut := widget.NewButtonWithIcon("", theme.CancelIcon(), closed)
	shut.Importance = widget.LowImportance
	head := container.NewBorder(nil, nil, container.NewCenter(d.dot),
		inRow(gap, sized(96, u.newCopy(func() string { return d.data.Text() })), shut),
		container.NewBorder(nil, nil, nil, padded(0, 0, gap, gapWide, middle(d.state)),
			padded(0, 0, gap+2, 0, middle(d.title))))
	d.scroll = container.NewVScroll(padded(gap, gapWide, rowInset, rowInset, stack(gap+4, d.notes, d.facts)))
	d.scroll.SetMinSize(fyne.NewSize(0, detailHeight-52))
	d.content = container.NewStack(newGround(colorWell, 0), container.NewBorder(
		stack(0, widget.NewSeparator(), padded(gap, 0, rowInset, gapWide, head)), nil, nil, nil, d.scroll))
	d.content.Hide()
	return d
}

// set shows an exchange, or hides the strip.
func (d *detail) set(data presenter.Detail, shown bool) {
	if !shown {
		d.content.Hide()
		d.data = presenter.Detail{}
		return
	}
	other := d.data.ID != data.ID
	d.dot.set(data.Tone)
	d.title.set(data.Title)
	d.state.setColored(data.State, toneColor(data.Tone))
	if !slices.Equal(d.data.Facts, data.Facts) {
		d.setFacts(data.Facts)
	}
	d.setNotes(data)
	d.data = data
	if other {
		d.scroll.ScrollToTop()
	}
	if d.content.Hidden {
		d.content.Show()
	}
}

func (d *detail) setFacts(facts []presenter.Fact) {
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
func (d *detail) setNotes(data presenter.Detail) {
	if d.data.ID == data.ID && d.data.Error == data.Error && slices.Equal(d.data.Warnings, data.Warnings) {
		return
	}
	d.notes.RemoveAll()
	if data.Error != "" {
		d.error.set(data.Error, widget.DangerImportance)
		d.notes.Add(d.error.box)
	}
	if len(data.Warnings) > 0 {
		d.warnings.set(words.T("Not carried over")+":\n• "+strings.Join(data.Warnings, "\n• "), widget.WarningImportance)
		d.notes.Add(d.warnings.box)
	}
	d.notes.Hidden = len(d.notes.Objects) == 0
	d.notes.Refresh()
}

// fact is a name with its value.
type fact struct {
	box         *fyne.Container
	name, value *line
}

func newFact() *fact {
	mono := face{size: sizeNote, color: theme.ColorNameForeground, style: fyne.TextStyle{Monospace: true}}
	f := &fact{name: newLine("", faceNote), value: newCutLine("", mono, 40)}
	f.box = container.NewBorder(nil, nil, sized(88, middle(f.name)), nil, padded(0, 0, 0, gapWide, middle(f.value)))
	return f
}

func (f *fact) set(v presenter.Fact) {
	f.name.set(v.Name)
	f.value.set(v.Value)
}
