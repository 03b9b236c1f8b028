package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"apex-ai-proxy/ui/words"
)

// saveBar is the foot of a page whose changes are saved or reverted together.
type saveBar struct {
	foot    fyne.CanvasObject
	save    *button
	revert  *button
	message *line
	saving  bool
	said    string // about the last attempt to save
	bad     bool
}

func newSaveBar(keep, drop func()) saveBar {
	b := saveBar{message: newCutLine("", faceMuted, 80)}
	b.revert = newButton(words.T("Revert"), drop)
	b.save = newButton(words.T("Save"), keep)
	b.save.Importance = widget.HighImportance
	b.foot = container.NewStack(newGround(theme.ColorNameBackground, 0), stack(0, widget.NewSeparator(),
		padded(gap+4, gap+4, gapMargin, gapMargin, container.NewBorder(nil, nil, nil,
			inRow(gap, sized(96, b.revert), sized(96, b.save)), padded(0, 0, 0, gapWide, middle(b.message))))))
	return b
}

// show tells whether there is something to save, and what came of saving. What is wrong is
// pointed at when it is marked as wrong; before, it is only not typed to its end.
func (b *saveBar) show(dirty, valid, marked bool) {
	enable(b.save, dirty && valid && !b.saving)
	enable(b.revert, dirty && !b.saving)
	switch {
	case b.saving:
		b.message.setColored(words.T("Saving…"), colorMuted)
	case b.bad:
		b.message.setColored(b.said, theme.ColorNameError)
	case dirty && !valid && marked:
		b.message.setColored(words.T("Something above needs to be corrected first."), theme.ColorNameWarning)
	case dirty:
		b.message.setColored(words.T("There are changes that are not saved."), colorMuted)
	default:
		b.message.setColored(b.said, colorMuted)
	}
}

func enable(b fyne.Disableable, on bool) {
	switch {
	case on && b.Disabled():
		b.Enable()
	case !on && !b.Disabled():
		b.Disable()
	}
}
