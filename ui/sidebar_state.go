package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"apex-ai-proxy/ui/presenter"
)

// stateMark is the state of the program at the foot of the sidebar. A click on it opens the
// overview, which says more; Tab need not stop there, because the list above it does the same.
// That the proxy does not run because of an error stands out, with what the error is.
type stateMark struct {
	widget.BaseWidget
	dot    *dot
	word   *line
	why    *paragraph
	alarm  *ground
	tapped func()
}

var (
	_ fyne.Tappable      = (*stateMark)(nil)
	_ desktop.Cursorable = (*stateMark)(nil)
)

func newStateMark(tapped func()) *stateMark {
	m := &stateMark{
		dot: newDot(9), word: newCutLine("", faceNote, 40), why: newParagraph("").note(),
		alarm: newGround(colorAlarm, 6), tapped: tapped,
	}
	m.ExtendBaseWidget(m)
	return m
}

// set shows a state.
func (m *stateMark) set(h presenter.Headline) {
	bad := h.Tone == presenter.ToneBad
	m.dot.set(h.Tone)
	m.word.face.style.Bold = bad
	if bad {
		m.word.setColored(h.Word, toneColor(h.Tone))
	} else {
		m.word.setColored(h.Word, faceNote.color)
	}
	m.why.set(h.Text, widget.MediumImportance)
	m.alarm.Hidden = !bad
	m.why.Hidden = !bad || h.Text == h.Word
	m.Refresh()
}

// CreateRenderer implements fyne.Widget.
func (m *stateMark) CreateRenderer() fyne.WidgetRenderer {
	word := container.NewBorder(nil, nil, container.NewCenter(m.dot), nil, padded(0, 0, gap, 0, middle(m.word)))
	return widget.NewSimpleRenderer(container.NewStack(m.alarm, padded(gapTight+2, gapTight+2, gap, gap, stack(gapTight, word, m.why))))
}

// Tapped implements fyne.Tappable.
func (m *stateMark) Tapped(*fyne.PointEvent) { m.tapped() }

// Cursor implements desktop.Cursorable.
func (m *stateMark) Cursor() desktop.Cursor { return desktop.PointerCursor }
