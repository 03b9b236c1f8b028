package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"apex-ai-proxy/ui/presenter"
	"apex-ai-proxy/ui/words"
)

// column is one column of the list of requests.
type column struct {
	title func() string
	width float32 // 0 for the one that takes what is left
	right bool
	text  func(presenter.Row) string
	color func(presenter.Row) fyne.ThemeColorName // nil for the foreground
	drop  int                                     // the lowest goes first when the window is narrow; 0 stays
}

// elastic is the least width of the column that takes what is left.
const elastic = 168

const (
	colTime = iota
	colClient
	colModel
	colProvider
	colVia
	colState
	colFirst
	colDuration
	colCached
	colTokens
	columnCount
)

var columns = [columnCount]column{
	colTime:     {title: func() string { return words.T("Time") }, width: 66, text: func(r presenter.Row) string { return r.Time }, color: muted},
	colClient:   {title: func() string { return words.T("Client") }, width: 96, text: func(r presenter.Row) string { return r.Client }, drop: 4},
	colModel:    {title: func() string { return words.T("Model") }, text: func(r presenter.Row) string { return r.Model }},
	colProvider: {title: func() string { return words.T("Provider") }, width: 118, text: func(r presenter.Row) string { return r.Provider }, drop: 6},
	colVia:      {title: func() string { return words.T("Protocol") }, width: 94, text: func(r presenter.Row) string { return r.Via }, color: viaColor, drop: 3},
	colState:    {title: func() string { return words.T("State") }, width: 134, text: func(r presenter.Row) string { return r.State }, color: stateColor},
	colFirst:    {title: func() string { return words.T("First byte") }, width: 72, right: true, text: func(r presenter.Row) string { return r.First }, drop: 2, color: muted},
	colDuration: {title: func() string { return words.T("Duration") }, width: 76, right: true, text: func(r presenter.Row) string { return r.Duration }},
	colCached:   {title: func() string { return words.T("Cached") }, width: 54, right: true, text: func(r presenter.Row) string { return r.Cached }, drop: 1, color: muted},
	colTokens:   {title: func() string { return words.T("Tokens") }, width: 120, right: true, text: func(r presenter.Row) string { return r.Tokens }, drop: 5},
}

func muted(presenter.Row) fyne.ThemeColorName { return colorMuted }

func stateColor(r presenter.Row) fyne.ThemeColorName {
	if r.Tone == presenter.ToneGood {
		return theme.ColorNameForeground
	}
	return toneColor(r.Tone)
}

func viaColor(r presenter.Row) fyne.ThemeColorName {
	if r.Lossy {
		return theme.ColorNameWarning
	}
	return colorMuted
}

// leastError is the least width in which an error says something.
const leastError = 200

// errorCell is where a failed row says what went wrong: in the place of the figures, which
// it hardly has, and of the words of the state where that is too narrow.
func errorCell(cells [columnCount]cell, width float32) (c cell, wordless bool) {
	state, end := cells[colState], width-rowInset
	x := state.x + state.width + columnGap
	if wordless = end-x < leastError; wordless {
		x = state.x + dotSpace + codeWidth
	}
	return cell{x: x, width: end - x, shown: true}, wordless
}

const (
	columnGap = 12
	codeWidth = 32        // of the code of a state, with a gap
	rowInset  = gapMargin // space at the left and right of a row
	dotSpace  = 16        // before the state, for its shape
)

// cell is where a column lies in a row.
type cell struct {
	x, width float32
	shown    bool
}

// place lays the columns out in a width. Columns that do not fit are left out, the least
// important first.
func place(width float32) (cells [columnCount]cell) {
	for i := range cells {
		cells[i].shown = true
	}
	for rest(cells, width) < elastic {
		last := -1
		for i, c := range columns {
			if c.drop > 0 && cells[i].shown && (last < 0 || c.drop < columns[last].drop) {
				last = i
			}
		}
		if last < 0 {
			break
		}
		cells[last].shown = false
	}
	x := float32(rowInset)
	for i, c := range columns {
		if !cells[i].shown {
			continue
		}
		cells[i].x, cells[i].width = x, c.width
		if c.width == 0 {
			cells[i].width = max(rest(cells, width), 40)
		}
		x += cells[i].width + columnGap
	}
	return cells
}

// rest is what the shown columns leave to the one without a width.
func rest(cells [columnCount]cell, width float32) float32 {
	width -= 2 * rowInset
	for i, c := range columns {
		if cells[i].shown {
			width -= c.width + columnGap
		}
	}
	return width + columnGap
}
