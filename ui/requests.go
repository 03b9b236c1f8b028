package ui

import (
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"apex-ai-proxy/ui/presenter"
	"apex-ai-proxy/ui/words"
)

// requests is the live list of exchanges, oldest first, which follows its end until the
// user scrolls away from it, with the inspector below it when one is selected. Where there is
// too little room for both, the inspector takes the place of the list.
type requests struct {
	w       *window
	content *fyne.Container

	head   *fyne.Container
	count  *line
	counts *fyne.Container // around it
	newest *button
	pause  *button
	clear  *button
	saves  *button
	find   *entry
	errors *check
	conv   *check
	from   *selection // a client
	to     *selection // a provider
	bar    *fyne.Container

	list      *rows
	vacancies map[presenter.Vacancy]*fyne.Container // what is in the place of the list
	inspector *inspector
	split     *container.Split
	table     *fyne.Container
	above     *fyne.Container // the title and the filter

	follow  bool    // the list shows its end
	offset  float32 // where the list was left, to see whether the user has scrolled
	known   int     // rows at the last refresh
	gone    int     // rows dropped above those that are seen since then
	ours    bool    // what the program does to the list, not the user
	awaited string  // the exchange that is being sent again
}

func newRequests(w *window) *requests {
	r := &requests{w: w, follow: true}
	r.count = newLine("", faceMuted)
	r.counts = container.New(wholeLayout{}, r.count)
	r.newest = newIconButton(words.T("Newest"), theme.MoveDownIcon(), r.jump)
	r.pause = newIconButton(words.T("Pause"), theme.MediaPauseIcon(), r.togglePause)
	r.saves = newIconButton(words.T("Save…"), saveIcon(), r.saveAll)
	r.clear = newIconButton(words.T("Clear"), theme.ContentClearIcon(), r.forget)
	r.list = newRows(w.u.log, r.selected)
	r.inspector = newInspector(w, r.leave, r.list.step)
	r.list.escape, r.list.enter, r.list.turn = r.escape, r.enter, r.inspector.turn
	r.list.pause = r.togglePause
	r.list.pass = w.pass
	r.list.snap, r.list.moved, r.list.resized = rowHeight, r.scrolled, r.resized
	r.list.copy = r.copy
	r.vacancies = map[presenter.Vacancy]*fyne.Container{
		presenter.Untouched: r.emptyState(), presenter.Unmatched: r.noMatch(),
		presenter.Cleared: vacant(words.T("The list was cleared"), words.T("New requests appear here.")),
		presenter.Halted:  vacant(words.T("The list is paused"), words.T("New requests appear when it goes on.")),
	}
	r.filterBar()
	r.head = container.NewBorder(nil, nil, newLine(words.T("Requests"), faceHeadline), inRow(gap, r.newest, r.pause, r.saves, r.clear),
		padded(0, 0, gapWide, gap, middle(r.counts)))
	place := container.NewStack(inRows(rowHeight, container.NewThemeOverride(r.list, part{padding: 0, inner: -1})))
	for _, o := range r.vacancies {
		place.Add(o)
	}
	r.table = container.NewBorder(stack(0, newHead(), widget.NewSeparator()), nil, nil, nil, place)
	r.split = container.NewVSplit(r.table, r.inspector.content)
	r.split.Offset = min(max(w.u.app.Preferences().FloatWithFallback(keySplit, usualSplit), 0.1), 0.9)
	r.above = stack(gap, padded(gapBlock, 0, rowInset, rowInset-4, r.head), padded(0, 0, rowInset, rowInset-4, r.bar))
	r.content = container.New(dividedLayout{r}, r.above, r.split)
	return r
}

// vacant says why there is nothing to see: a title, a sentence or "", and what can be done.
func vacant(title, text string, do ...fyne.CanvasObject) *fyne.Container {
	center := func(f face) face { f.align = fyne.TextAlignCenter; return f }
	lines := stack(gap, newLine(title, center(faceStrong)))
	if text != "" {
		lines.Add(newLine(text, center(faceMuted)))
	}
	for _, o := range do {
		lines.Add(container.NewCenter(o))
	}
	return container.NewCenter(lines)
}

// togglePause keeps the list as it is, or lets it go on.
func (r *requests) togglePause() {
	r.w.u.log.Pause(!r.w.u.log.Paused())
	r.refresh()
}

func (r *requests) refreshPause() {
	text, icon := words.T("Pause"), theme.MediaPauseIcon()
	if r.w.u.log.Paused() {
		text, icon = words.T("Go on"), theme.MediaPlayIcon()
	}
	if r.pause.Text != text {
		r.pause.Icon = icon
		r.pause.SetText(text)
	}
}

// resume takes over from the page in another language.
func (r *requests) resume(old *requests) {
	r.follow, r.known, r.awaited = old.follow, old.known, old.awaited
	r.split.Offset = old.split.Offset
	r.inspector.resume(old.inspector)
	r.list.ScrollToOffset(old.list.GetScrollOffset())
	r.offset = r.list.GetScrollOffset()
}

func (r *requests) emptyState() *fyne.Container {
	how := newButton(words.T("How to connect a client"), func() { r.w.open(pageClients) })
	return vacant(words.T("No requests yet"), words.T("They appear here the moment a client sends one."), padded(gap, 0, 0, 0, how))
}

// focus lets the arrow keys work on the list at once.
func (r *requests) focus() {
	if c := r.w.win.Canvas(); c != nil && r.w.u.log.Len() > 0 {
		c.Focus(r.list)
	}
}

// showList shows the list when it has rows. The arrow keys work on the first one at once
// when they have nothing else to work on.
func (r *requests) showList(some bool) {
	appears := some && r.list.Hidden
	r.list.Hidden = !some
	if c := r.w.win.Canvas(); appears && c.Focused() == nil {
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
	if r.awaited != "" && log.SelectReplay(r.awaited) {
		r.awaited, r.follow = "", true
	}
	why := log.Vacancy()
	for v, o := range r.vacancies {
		o.Hidden = v != why
	}
	r.showList(why == presenter.Occupied)
	r.showTools(log.Total() > 0 || log.Paused()) // which a button among them ends
	r.choices(log.Filter())
	r.refreshPause()
	if text := r.counted(); text != r.count.text {
		r.count.set(text)
		r.counts.Refresh()
	}
	r.arrange()
	r.offerNewest()
	r.inspect()
	r.known = log.Len()
}

// arrange shows the rows of now where they belong.
func (r *requests) arrange() {
	r.ours = true
	defer func() { r.ours = false }()
	r.list.Refresh()
	r.reselect()
	r.scroll()
}

// scrolled is called when the list was moved, by the user unless the program does.
func (r *requests) scrolled() {
	if r.ours {
		return
	}
	r.look()
	r.offset = r.list.GetScrollOffset()
	r.offerNewest()
}

// resized keeps in sight, in a list that was so high, what was read there: the selected row,
// or the end.
func (r *requests) resized(height, offset float32) {
	r.w.note() // the division may have been moved
	ours := r.ours
	r.ours = true
	defer func() { r.ours = ours }()
	i := r.w.u.log.Selected()
	switch y := float32(i) * rowHeight; {
	case i >= 0 && y >= offset && y+rowHeight <= offset+height:
		r.list.ScrollTo(i)
	case r.follow:
		r.list.ScrollToBottom()
	}
	r.offset = r.list.GetScrollOffset()
}

// offerNewest shows the way to the end of the list while the list does not follow it.
func (r *requests) offerNewest() {
	if on := !r.follow && r.w.u.log.Len() > 0; on != r.newest.Visible() {
		show(r.newest, on)
		r.head.Refresh()
	}
}

// showTools shows what works on requests where there are any. The page is laid out again at
// once: the list is about to be scrolled to its end, which depends on the room it has.
func (r *requests) showTools(any bool) {
	if r.bar.Visible() == any {
		return
	}
	for _, o := range []fyne.CanvasObject{r.bar, r.clear, r.saves, r.pause} {
		show(o, any)
	}
	r.content.Refresh()
}

// inspect shows the selected exchange, or nothing but the list.
func (r *requests) inspect() {
	if record, ok := r.w.u.log.Exchange(); ok {
		d, _ := r.w.u.log.Detail(time.Now())
		r.inspector.set(d, record)
	}
	if r.divide(r.content.Size().Height) {
		r.content.Refresh()
		r.split.Refresh()
	}
}

// The division of the page between the list and the inspector.
const (
	usualSplit  = 0.42 // the part of the list, until the user moves the division
	roomForBoth = 560  // the height below which only one of them is shown
)

// divide shows the list, the inspector, or both in a height, and tells whether that is a change.
func (r *requests) divide(height float32) bool {
	_, open := r.w.u.log.Exchange()
	alone := open && height < roomForBoth
	if r.inspector.content.Visible() == open && r.table.Visible() != alone {
		return false
	}
	r.inspector.content.Hidden, r.table.Hidden, r.above.Hidden = !open, alone, alone
	r.inspector.stand(alone)
	return true
}

// dividedLayout lays out the page: what is above the list, and the rest.
type dividedLayout struct{ r *requests }

// Layout implements fyne.Layout.
func (l dividedLayout) Layout(o []fyne.CanvasObject, s fyne.Size) {
	if l.r.divide(s.Height) {
		o[1].Refresh()
	}
	top := float32(0)
	if o[0].Visible() {
		o[0].Move(fyne.NewPos(0, 0))
		o[0].Resize(fyne.NewSize(s.Width, o[0].MinSize().Height))
		top = o[0].Size().Height + gapTight
	}
	o[1].Move(fyne.NewPos(0, top))
	o[1].Resize(fyne.NewSize(s.Width, s.Height-top))
}

// MinSize implements fyne.Layout. The list and the inspector need not both have room.
func (l dividedLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	above, table, open := o[0].MinSize(), l.r.table.MinSize(), l.r.inspector.content.MinSize()
	return fyne.NewSize(max(above.Width, table.Width, open.Width), max(above.Height+gapTight+table.Height, open.Height))
}

// enter goes on to the inspector, which shows the row that the keys start from.
func (r *requests) enter() {
	if r.w.u.log.Selected() < 0 {
		r.list.Select(r.list.cursor())
		return
	}
	r.w.win.Canvas().Focus(r.inspector.tabs.buttons[r.inspector.tabs.chosen])
}

// copy copies the lines that are selected in the inspector, or the request that is looked at, or
// else the one whose row is marked.
func (r *requests) copy() {
	in, log := r.inspector, r.w.u.log
	switch {
	case !in.content.Hidden && !r.list.focused && in.copySelected():
	case !in.content.Hidden:
		in.copy(&in.record, in.data)
	case r.list.focused && log.Len() > 0:
		x, data := log.At(r.list.cursor(), time.Now())
		in.copy(&x, data)
	}
}

// escape unselects the selected lines, or goes back to the list. What is said for a while goes
// before that.
func (r *requests) escape() {
	if !r.inspector.unselect() && !r.w.toast.dismiss() {
		r.leave()
	}
}

// leave goes back to the list.
func (r *requests) leave() {
	if _, open := r.w.u.log.Exchange(); !open {
		return
	}
	alone := r.table.Hidden
	r.unselect()
	if alone { // the list was not seen while other rows were gone to
		r.reveal(r.w.u.log.Last())
	}
	r.focus()
}

// look sees whether the user has scrolled since the last refresh, to the end or away from
// it. A window that changed its size is not a user who scrolled.
func (r *requests) look() {
	if at := r.list.GetScrollOffset(); at != r.offset {
		end := float32(r.known)*rowHeight - r.list.Size().Height
		r.follow = at >= end-rowHeight
	}
}

// lose notes which rows went: the list stays with those that are being read.
func (r *requests) lose(rows []int) {
	above, _ := slices.BinarySearch(rows, int(r.list.GetScrollOffset()/rowHeight)-r.gone)
	r.gone += above
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
	if log.Total() == 0 {
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

// forget clears the list, here and in the memory of the proxy. The figures of the last hour stay.
func (r *requests) forget() {
	r.w.u.core.Bus().Clear()
	r.w.u.log.Clear(time.Now())
	r.refresh()
}

// selected is a click or a key on a row.
func (r *requests) selected(i widget.ListItemID) {
	if r.ours {
		return
	}
	r.w.u.log.Select(i)
	r.inspect()
	// Whoever picks a row wants to read it: it stays in sight while newer ones come.
	r.follow = i == r.w.u.log.Len()-1
	r.list.ScrollTo(i)
	r.offset = r.list.GetScrollOffset()
	r.offerNewest()
}

func (r *requests) unselect() {
	r.w.u.log.Select(-1)
	r.list.UnselectAll()
	r.refresh()
}

// reveal scrolls to a row, if it is shown.
func (r *requests) reveal(i int) {
	if i >= 0 {
		r.list.ScrollTo(i)
		r.offset = r.list.GetScrollOffset()
	}
}

// reselect moves the highlight to where the selected exchange is now.
func (r *requests) reselect() {
	i := r.w.u.log.Selected()
	if i < 0 {
		r.list.UnselectAll()
		return
	}
	offset := r.list.GetScrollOffset()
	r.list.Select(i)
	r.list.ScrollToOffset(offset) // selecting scrolls to the row, which the user did not ask for
}
