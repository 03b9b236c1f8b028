package ui

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"apex-ai-proxy/ui/words"
)

// requests is the live list of exchanges, oldest first, which follows its end until the
// user scrolls away from it.
type requests struct {
	w       *window
	content *fyne.Container

	count  *line
	newest *widget.Button
	clear  *widget.Button
	list   *rows
	empty  *fyne.Container
	detail *detail

	follow bool    // the list shows its end
	offset float32 // where the list was left, to see whether the user has scrolled
	known  int     // rows at the last refresh
	gone   int     // rows dropped at the top since then
	ours   bool    // a selection that the program makes, not the user
}

func newRequests(w *window) *requests {
	r := &requests{w: w, follow: true}
	r.count = newLine("", faceMuted)
	r.newest = widget.NewButtonWithIcon(words.T("Newest"), theme.MoveDownIcon(), r.jump)
	r.clear = widget.NewButtonWithIcon(words.T("Clear"), theme.ContentClearIcon(), r.forget)
	r.list = newRows(w.u.log, r.selected, r.unselect)
	r.detail = newDetail(w.u, r.unselect)
	r.empty = r.emptyState()
	head := container.NewBorder(nil, nil,
		inRow(gapWide, newLine(words.T("Requests"), faceHeadline), r.count), inRow(gap, r.newest, r.clear))
	r.content = container.NewBorder(
		stack(gap, padded(gapBlock, 0, rowInset, rowInset-4, head), newHead(), widget.NewSeparator()),
		r.detail.content, nil, nil,
		container.NewStack(container.NewThemeOverride(r.list, part{padding: 0, inner: -1}), r.empty))
	return r
}

func (r *requests) emptyState() *fyne.Container {
	center := func(f face) face { f.align = fyne.TextAlignCenter; return f }
	return container.NewCenter(stack(gap,
		newLine(words.T("No requests yet"), center(faceStrong)),
		newLine(words.T("They appear here the moment a client sends one."), center(faceMuted)),
		container.New(layout.NewCustomPaddedLayout(gap, 0, 0, 0), container.NewCenter(
			widget.NewButton(words.T("How to connect a client"), func() { r.w.open(pageOverview) }))),
	))
}

// focus lets the arrow keys work on the list at once.
func (r *requests) focus() {
	if c := r.w.win.Canvas(); c != nil && r.w.u.log.Len() > 0 {
		c.Focus(r.list)
	}
}

// refresh shows the log of now. It does nothing while the page cannot be seen.
func (r *requests) refresh() {
	if !r.w.visible || r.w.current != pageRequests {
		return
	}
	log := r.w.u.log
	r.look()
	r.empty.Hidden = log.Len() > 0
	r.list.Hidden = log.Len() == 0
	r.clear.Hidden = log.Len() == 0
	r.count.set(r.counted())
	r.list.Refresh()
	r.reselect()
	r.scroll()
	r.newest.Hidden = r.follow || log.Len() == 0
	d, ok := log.Detail(time.Now())
	r.detail.set(d, ok)
	r.known = log.Len()
}

// look sees whether the user has scrolled since the last refresh, to the end or away from
// it. A window that changed its size is not a user who scrolled.
func (r *requests) look() {
	if at := r.list.GetScrollOffset(); at != r.offset {
		end := float32(r.known)*rowHeight - r.list.Size().Height
		r.follow = at >= end-rowHeight
	}
}

// scroll goes to the end, or stays with the rows that are being read.
func (r *requests) scroll() {
	switch {
	case r.follow:
		r.list.ScrollToBottom()
	case r.gone > 0:
		r.list.ScrollToOffset(r.list.GetScrollOffset() - float32(r.gone)*rowHeight)
	}
	r.gone = 0
	r.offset = r.list.GetScrollOffset()
}

func (r *requests) counted() string {
	log := r.w.u.log
	if log.Len() == 0 {
		return ""
	}
	return log.Summary()
}

// jump goes to the newest row and follows again.
func (r *requests) jump() {
	r.follow = true
	r.offset = r.list.GetScrollOffset()
	r.refresh()
}

// forget clears the list, here and in the memory of the proxy.
func (r *requests) forget() {
	r.w.u.core.Bus().Clear()
	r.w.u.log.Clear()
	r.refresh()
}

// selected is a click or a key on a row.
func (r *requests) selected(i widget.ListItemID) {
	if r.ours {
		return
	}
	r.w.u.log.Select(i)
	d, ok := r.w.u.log.Detail(time.Now())
	r.detail.set(d, ok)
}

func (r *requests) unselect() {
	r.w.u.log.Select(-1)
	r.list.UnselectAll()
	r.refresh()
}

// reselect moves the highlight to where the selected exchange is now.
func (r *requests) reselect() {
	i := r.w.u.log.Selected()
	r.ours = true
	defer func() { r.ours = false }()
	if i < 0 {
		r.list.UnselectAll()
		return
	}
	offset := r.list.GetScrollOffset()
	r.list.Select(i)
	r.list.ScrollToOffset(offset) // selecting scrolls to the row, which the user did not ask for
}
