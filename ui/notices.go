package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"apex-ai-proxy/ui/presenter"
)

// notices tell what is the matter with the settings file.
type notices struct {
	w     *window
	shown func() bool // whether they are shown now
	box   *fyne.Container
}

func newNotices(w *window, shown func() bool) *notices {
	n := &notices{w: w, shown: shown, box: stack(gap)}
	n.look()
	return n
}

// look takes over what there is to tell, which may have changed when settings were saved.
func (n *notices) look() {
	n.box.RemoveAll()
	if n.shown() {
		for _, text := range n.w.u.core.Notices() {
			d := newDot(10)
			d.set(presenter.ToneWarn)
			p := newParagraph(text)
			p.importance = widget.WarningImportance
			n.box.Add(container.NewBorder(nil, nil, sized(14, d), nil, padded(0, 0, gapWide, 0, p)))
		}
	}
	show(n.box, len(n.box.Objects) > 0)
}
