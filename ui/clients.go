package ui

import (
	"image/color"
	"slices"
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"apex-ai-proxy/ui/presenter"
	"apex-ai-proxy/ui/words"
)

// clientListWidth is the width of the list of clients.
const clientListWidth = 192

// clients is the page that tells how to set a client up: a list of them, and the card of
// the chosen one.
type clients struct {
	w       *window
	list    *clientList
	search  *entry
	nothing *line
	card    *clientCard
	content fyne.CanvasObject
}

func newClients(w *window) *clients {
	c := &clients{w: w, card: newClientCard(w)}
	c.list = newClientList(w.u.clients, c.refresh, func() { w.win.Canvas().Focus(c.search) })
	c.search = newEntry(w)
	c.search.SetPlaceHolder(words.T("Search"))
	c.search.SetText(w.u.clients.Query())
	c.search.OnChanged = func(s string) {
		w.u.clients.Search(s)
		c.refresh()
	}
	c.search.OnSubmitted = func(string) { w.win.Canvas().Focus(c.list) }
	c.search.escaped = func() { c.search.SetText("") }
	center := faceMuted
	center.align = fyne.TextAlignCenter
	c.nothing = newLine(words.T("No client found"), center)
	list := container.NewStack(container.NewThemeOverride(c.list, part{padding: 0, inner: -1}), padded(gapWide, 0, 0, 0, stack(0, c.nothing)))
	left := sized(clientListWidth, container.NewBorder(padded(gapBlock, gap, gapWide, gapWide, c.search), nil, nil, nil, padded(0, gap, gap, gap, list)))
	rule := sized(1, newGround(theme.ColorNameSeparator, 0))
	c.content = container.New(besideLayout{}, left, container.New(besideLayout{}, rule, c.card.content))
	return c
}

// focus lets the arrow keys work on the list at once.
func (c *clients) focus() {
	if cv := c.w.win.Canvas(); cv != nil {
		cv.Focus(c.list)
	}
}

// refresh shows the list and the card of now.
func (c *clients) refresh() {
	c.list.refresh()
	c.nothing.Hidden = len(c.list.rows) > 0
	c.nothing.Refresh()
	c.card.refresh()
}

// clientList is the list of clients below the headings of their kinds. Up and Down choose.
type clientList struct {
	list
	clients *presenter.Clients
	rows    []presenter.ClientRow
	chosen  func()
	leave   func() // on Escape
	ours    bool   // a selection that the program makes, not the user
}

func newClientList(clients *presenter.Clients, chosen, leave func()) *clientList {
	l := &clientList{clients: clients, chosen: chosen, leave: leave, rows: clients.Rows()}
	l.Length = func() int { return len(l.rows) }
	l.CreateItem = func() fyne.CanvasObject { return newClientRow() }
	l.UpdateItem = func(i widget.ListItemID, o fyne.CanvasObject) {
		if i < len(l.rows) {
			o.(*clientRow).set(l.rows[i], l.rows[i].ID == l.clients.Chosen())
		}
	}
	l.OnSelected = l.selected
	l.HideSeparators = true
	l.ExtendBaseWidget(l)
	return l
}

// selected is a click on a row. A heading cannot be chosen.
func (l *clientList) selected(i widget.ListItemID) {
	if l.ours || i >= len(l.rows) {
		return
	}
	if id := l.rows[i].ID; id != "" {
		l.clients.Choose(id)
	}
	l.chosen()
}

func (l *clientList) refresh() {
	if rows := l.clients.Rows(); !slices.Equal(rows, l.rows) {
		l.rows = rows
		l.ScrollToTop()
	}
	l.Refresh()
	i := slices.IndexFunc(l.rows, func(r presenter.ClientRow) bool { return r.ID != "" && r.ID == l.clients.Chosen() })
	l.ours = true
	defer func() { l.ours = false }()
	if i < 0 {
		l.UnselectAll()
		return
	}
	l.Select(i)
}

// page is how many clients PageUp and PageDown go.
const clientsPage = 8

// TypedKey implements fyne.Focusable.
func (l *clientList) TypedKey(e *fyne.KeyEvent) {
	all := len(l.rows)
	steps := map[fyne.KeyName]int{
		fyne.KeyUp: -1, fyne.KeyDown: 1, fyne.KeyPageUp: -clientsPage, fyne.KeyPageDown: clientsPage,
		fyne.KeyHome: -all, fyne.KeyEnd: all,
	}
	if e.Name == fyne.KeyEscape {
		l.leave()
		return
	}
	if n, ok := steps[e.Name]; ok {
		if i := l.clients.Step(n); i >= 0 {
			l.selected(i)
		}
	}
}

// clientRow is one row of the list: a client, or a heading.
type clientRow struct {
	widget.BaseWidget
	row    presenter.ClientRow
	chosen bool
}

func newClientRow() *clientRow {
	r := &clientRow{}
	r.ExtendBaseWidget(r)
	return r
}

func (r *clientRow) set(row presenter.ClientRow, chosen bool) {
	if r.row != row || r.chosen != chosen {
		r.row, r.chosen = row, chosen
		r.Refresh()
	}
}

// MinSize implements fyne.Widget.
func (r *clientRow) MinSize() fyne.Size { return fyne.NewSize(clientListWidth-2*gap, clientRowHeight) }

const clientRowHeight = 30

// CreateRenderer implements fyne.Widget.
func (r *clientRow) CreateRenderer() fyne.WidgetRenderer {
	rr := &clientRowRenderer{row: r, cover: canvas.NewRectangle(color.Transparent), text: newCutLine("", faceText, 40)}
	rr.Refresh()
	return rr
}

type clientRowRenderer struct {
	row   *clientRow
	cover *canvas.Rectangle // hides that the list marks a heading under the pointer
	text  *line
}

// Destroy implements fyne.WidgetRenderer.
func (r *clientRowRenderer) Destroy() {}

// MinSize implements fyne.WidgetRenderer.
func (r *clientRowRenderer) MinSize() fyne.Size { return r.row.MinSize() }

// Objects implements fyne.WidgetRenderer.
func (r *clientRowRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.cover, r.text}
}

// Layout implements fyne.WidgetRenderer. A heading stands close above its clients.
func (r *clientRowRenderer) Layout(s fyne.Size) {
	r.cover.Resize(s)
	h := r.text.MinSize().Height
	y := (s.Height - h) / 2
	if r.row.row.ID == "" {
		y = s.Height - h - gapTight
	}
	r.text.Move(fyne.NewPos(gap, y))
	r.text.Resize(fyne.NewSize(s.Width-2*gap, h))
}

// Refresh implements fyne.WidgetRenderer.
func (r *clientRowRenderer) Refresh() {
	r.cover.FillColor = color.Transparent
	r.text.text, r.text.face = r.row.row.Text, faceText
	switch {
	case r.row.row.ID == "":
		r.text.face = faceNote
		r.cover.FillColor = themed(r.row, theme.ColorNameBackground)
	case r.row.chosen:
		r.text.face = faceStrong
	}
	r.Layout(r.row.Size())
	r.cover.Refresh()
	r.text.Refresh()
}

// clientCard tells how to set one client up. What depends on the client is made anew when
// it changes, and only then.
type clientCard struct {
	w       *window
	content *fyne.Container
	scroll  *scroll
	body    *fyne.Container
	shown   *presenter.ClientCard

	model    *entry
	choose   *button
	modelRow fyne.CanvasObject
	copy     *button   // nil when there is no snippet
	copies   []*button // of the fields
	ways     []*button
	side     *sideScroll // around the snippet
}

func newClientCard(w *window) *clientCard {
	c := &clientCard{w: w, body: stack(gapBlock)}
	c.model = newEntry(w)
	c.model.SetText(w.u.clients.Model(w.u.settings))
	c.model.OnChanged = func(s string) {
		if s != w.u.clients.Model(w.u.settings) { // or the program has filled it in
			w.u.clients.SetModel(s)
			c.refresh()
		}
	}
	c.choose = newIconButton(words.T("Choose"), theme.MenuDropDownIcon(), c.offer)
	c.choose.IconPlacement = widget.ButtonIconTrailingText
	c.modelRow = stack(gapTight, newLine(words.T("Model"), faceNote),
		container.NewBorder(nil, nil, nil, padded(0, 0, gap, 0, sized(112, c.choose)), c.model))
	c.scroll = newScroll(padded(gapBlock, gapMargin, gapBlock, gapBlock, limited(textWidth, c.body)))
	c.content = container.NewStack(c.scroll)
	return c
}

// offer shows the models to choose from.
func (c *clientCard) offer() { c.w.offer(c.choose, c.models()) }

// models are the models by provider, as menus.
func (c *clientCard) models() []*fyne.MenuItem {
	return modelMenus(presenter.ModelGroups(c.w.u.core.Models(), c.w.u.settings), c.model.SetText)
}

// offer shows a menu below a button.
func (w *window) offer(below fyne.CanvasObject, items []*fyne.MenuItem) {
	if len(items) > 0 {
		widget.NewPopUpMenu(fyne.NewMenu("", items...), w.win.Canvas()).
			ShowAtRelativePosition(fyne.NewPos(0, below.Size().Height+gapTight), below)
	}
}

// modelMenus are models by provider, as menus.
func modelMenus(groups []presenter.ModelGroup, chosen func(model string)) []*fyne.MenuItem {
	var items []*fyne.MenuItem
	for _, g := range groups {
		var models []*fyne.MenuItem
		for _, m := range g.Models {
			models = append(models, fyne.NewMenuItem(m, func() { chosen(m) }))
		}
		item := fyne.NewMenuItem(g.Provider, nil)
		item.ChildMenu = fyne.NewMenu("", models...)
		items = append(items, item)
	}
	return items
}

func (c *clientCard) now() presenter.ClientCard {
	u := c.w.u
	return u.clients.Card(u.status, u.settings, u.core.LocalKey())
}

func (c *clientCard) refresh() {
	u := c.w.u
	if want := u.clients.Model(u.settings); c.w.win.Canvas() == nil || c.w.win.Canvas().Focused() != c.model {
		c.model.SetText(want)
	} else {
		c.model.SetPlaceHolder(want)
	}
	card := c.now()
	if c.shown != nil && sameCard(*c.shown, card) {
		return
	}
	other := c.shown == nil || c.shown.ID != card.ID
	c.shown = &card
	c.build(card)
	if other {
		c.scroll.ScrollToTop()
	}
}

func sameCard(a, b presenter.ClientCard) bool {
	return a.ID == b.ID && a.Name == b.Name && a.Note == b.Note && a.Problem == b.Problem && a.Start == b.Start &&
		a.Tiers == b.Tiers && a.Variant == b.Variant && slices.Equal(a.Variants, b.Variants) && slices.Equal(a.Lines, b.Lines) &&
		slices.Equal(a.Fields, b.Fields) && slices.Equal(a.Steps, b.Steps)
}

// build makes the card.
func (c *clientCard) build(card presenter.ClientCard) {
	c.copy, c.copies, c.ways = nil, nil, nil
	c.scroll.sideways = nil
	parts := []fyne.CanvasObject{c.head(card)}
	if card.Problem != "" {
		parts = append(parts, c.problem(card))
	}
	switch {
	case card.NeedModel && card.Tiers != "":
		parts = append(parts, stack(gapWide, c.modelRow, c.tiers(card)))
	case card.NeedModel:
		parts = append(parts, c.modelRow)
	}
	if len(card.Variants) > 1 {
		parts = append(parts, c.variants(card))
	}
	if len(card.Steps) > 0 {
		parts = append(parts, steps(card.Steps))
	}
	if what := c.values(card); len(what.Objects) > 0 {
		parts = append(parts, what)
	}
	c.body.Objects = parts
	c.body.Refresh()
	c.scroll.Refresh()
}

func (c *clientCard) head(card presenter.ClientCard) fyne.CanvasObject {
	name := stack(gapTight, newLine(card.Name, faceHeadline))
	if card.Protocols != "" {
		name.Add(newCutLine(card.Protocols, faceMuted, 120))
	}
	if card.Note == "" {
		return name
	}
	return stack(gapWide, name, remark(card.Note))
}

// remark is a sentence with the shape of a warning before it.
func remark(text string) fyne.CanvasObject {
	d := newDot(10)
	d.set(presenter.ToneWarn)
	p := newParagraph(text)
	p.quiet()
	return container.NewBorder(nil, nil, stack(0, padded(5, 0, 0, gap+2, d)), nil, p)
}

// problem says what has to be done before the client can connect.
func (c *clientCard) problem(card presenter.ClientCard) fyne.CanvasObject {
	text := remark(card.Problem)
	if !card.Start {
		return text
	}
	return c.w.u.startable(text)
}

// startable is a text with a button that starts the proxy.
func (u *UI) startable(text fyne.CanvasObject) fyne.CanvasObject {
	start := newButton(words.T("Start"), func() { u.act(presenter.StartProxy) })
	start.Importance = widget.HighImportance
	return container.NewBorder(nil, nil, nil, padded(0, 0, gapWide, 0, stack(0, sized(96, start))), middle(text))
}

// tiers says where the models of tiers are chosen.
func (c *clientCard) tiers(card presenter.ClientCard) fyne.CanvasObject {
	open := newButton(words.T("Open Models"), func() { c.w.open(pageModels) })
	return container.NewBorder(nil, nil, nil, padded(0, 0, gapWide, 0, stack(0, sized(112, open))), middle(newParagraph(card.Tiers).note()))
}

// variants are the ways to set the client up, of which one is chosen.
func (c *clientCard) variants(card presenter.ClientCard) fyne.CanvasObject {
	row := container.New(layout.NewRowWrapLayoutWithCustomPadding(gapTight, gapTight))
	for i, name := range card.Variants {
		b := newButton(name, func() {
			c.w.u.clients.ChooseVariant(i)
			c.refresh()
			c.w.win.Canvas().Focus(c.ways[i]) // the one that was pressed is gone
		})
		b.Importance = widget.LowImportance
		if i == card.Variant {
			b.Importance = widget.MediumImportance
		}
		c.ways = append(c.ways, b)
		row.Add(b)
	}
	return row
}

// steps are sentences below each other, numbered when they are several.
func steps(texts []string) fyne.CanvasObject {
	box := stack(gap)
	for i, s := range texts {
		if len(texts) == 1 {
			return newParagraph(s)
		}
		number := sized(24, newLine(strconv.Itoa(i+1)+".", faceMuted))
		box.Add(container.NewBorder(nil, nil, stack(0, number), nil, newParagraph(s)))
	}
	return box
}

// values are what goes into a file or a terminal, and what is typed.
func (c *clientCard) values(card presenter.ClientCard) *fyne.Container {
	box := stack(gapWide)
	u := c.w.u
	if card.File != "" {
		box.Add(c.value(words.T("File"), card.File, u.newCopy(func() string { return card.File })))
	}
	secret := newParagraph("").note()
	if card.HidesKey {
		secret.set(words.T("LOCAL_KEY stands for your local key. What you copy holds the key itself."), widget.LowImportance)
	}
	if len(card.Lines) > 0 {
		box.Add(c.well(card.Lines, secret))
	}
	for i, f := range card.Fields {
		b := u.newCopy(func() string { return u.clients.CopiedField(i, u.status, u.settings, u.core.LocalKey()) })
		c.copies = append(c.copies, b)
		box.Add(c.value(f.Name, f.Value, b))
	}
	if card.HidesKey && len(card.Lines) == 0 {
		box.Add(secret)
	}
	return box
}

// value is something to copy below its name.
func (c *clientCard) value(name, value string, button *button) fyne.CanvasObject {
	return stack(2, newLine(name, faceNote),
		container.NewBorder(nil, nil, nil, padded(0, 0, gap, 0, sized(96, button)), middle(newCutLine(value, faceMono, 80))))
}

// well shows the snippet below the button that copies it. It is as high as its lines and
// can be moved sideways.
func (c *clientCard) well(text []string, remark fyne.CanvasObject) fyne.CanvasObject {
	u := c.w.u
	c.copy = u.newCopy(func() string { return u.clients.Copied(u.status, u.settings, u.core.LocalKey()) })
	c.copy.Importance = widget.HighImportance
	mono := face{size: sizeNote, color: theme.ColorNameForeground, style: fyne.TextStyle{Monospace: true}}
	lines := stack(2)
	for _, s := range text {
		lines.Add(newLine(s, mono))
	}
	c.side = newSideScroll(padded(gap+4, gap+4, gapWide, gapWide, lines))
	c.scroll.sideways = c.side
	return stack(gap,
		container.NewBorder(nil, nil, nil, padded(0, 0, gap, 0, stack(0, sized(96, c.copy))), middle(remark)),
		container.NewStack(newGround(colorWell, 6), c.side))
}

// sideScroll scrolls sideways. It gets the wheel from the page that it is in.
type sideScroll struct{ container.Scroll }

func newSideScroll(o fyne.CanvasObject) *sideScroll {
	s := &sideScroll{}
	s.Content, s.Direction = o, container.ScrollHorizontalOnly
	s.ExtendBaseWidget(s)
	return s
}

// CreateRenderer implements fyne.Widget.
func (s *sideScroll) CreateRenderer() fyne.WidgetRenderer {
	return &flatRenderer{WidgetRenderer: s.Scroll.CreateRenderer()}
}
