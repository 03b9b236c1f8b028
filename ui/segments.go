package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/widget"
)

// segments are a few choices beside each other, of which one holds.
type segments struct {
	content *fyne.Container
	buttons []*button
	chosen  int
	changed func(int)
}

func newSegments(names []string, changed func(int)) *segments {
	s := &segments{changed: changed, content: container.New(layout.NewCustomPaddedHBoxLayout(gapTight))}
	for i, name := range names {
		b := newButton(name, func() { s.choose(i) })
		s.buttons = append(s.buttons, b)
		s.content.Add(b)
	}
	s.mark()
	return s
}

// choose chooses, and tells if that is a change.
func (s *segments) choose(i int) {
	if i == s.chosen {
		return
	}
	s.chosen = i
	s.mark()
	s.changed(i)
}

func (s *segments) mark() {
	for i, b := range s.buttons {
		want := widget.LowImportance
		if i == s.chosen {
			want = widget.MediumImportance
		}
		if b.Importance != want {
			b.Importance = want
			b.Refresh()
		}
	}
}
