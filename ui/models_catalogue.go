package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"apex-ai-proxy/ui/words"
)

// catalogue lists the models worth offering by provider. Its rows are made when it is
// first shown.
type catalogue struct {
	p       *modelsPage
	search  *entry
	nothing *paragraph
	groups  *fyne.Container
	room    *canvas.Rectangle // as high as all rows, so that nothing jumps in a search
	heads   map[string]*fyne.Container
	rows    map[string]*modelRow
	content fyne.CanvasObject
}

// modelRow is a model with what can be done with its name.
type modelRow struct {
	box    *fyne.Container
	copy   *button
	choose *button
	chosen *line // in the place of the button
}

func newCatalogue(p *modelsPage) *catalogue {
	c := &catalogue{p: p, groups: stack(gapWide), room: canvas.NewRectangle(color.Transparent), heads: map[string]*fyne.Container{}, rows: map[string]*modelRow{}}
	c.search = newEntry(p.w)
	c.search.SetPlaceHolder(words.T("Search"))
	c.search.SetText(p.form.Query())
	c.search.OnChanged = func(s string) {
		p.form.Search(s)
		c.refresh()
	}
	c.search.escaped = func() { c.search.SetText("") }
	c.nothing = newParagraph(words.T("No model found. You can use any other model ID too, as model#provider.")).note()
	c.content = section(words.T("Catalogue"),
		intro(words.T("Well-known models, by the names to use in requests. Any other model ID works too.")),
		c.search, c.nothing, container.NewStack(c.room, stack(0, padded(gap, 0, 0, 0, c.groups))))
	return c
}

// build makes the rows.
func (c *catalogue) build() {
	for _, g := range c.p.form.All() {
		box := stack(gapTight, newLine(g.Provider, faceStrong))
		for _, m := range g.Models {
			r := c.newRow(m)
			c.rows[m] = r
			box.Add(r.box)
		}
		c.heads[g.Provider] = box
		c.groups.Add(box)
	}
	c.room.SetMinSize(fyne.NewSize(0, c.groups.MinSize().Height+gap))
}

func (c *catalogue) newRow(model string) *modelRow {
	r := &modelRow{copy: c.p.w.u.newCopy(func() string { return model })}
	r.copy.Importance = widget.LowImportance
	r.choose = newButton(words.T("Use as default"), func() {
		c.p.form.SetDefault(model)
		c.p.changed()
	})
	r.choose.Importance = widget.LowImportance
	center := faceMuted
	center.align = fyne.TextAlignCenter
	r.chosen = newLine(words.T("Default"), center)
	r.box = container.NewBorder(nil, nil, nil,
		inRow(gapTight, sized(128, container.NewStack(r.choose, middle(r.chosen))), sized(96, r.copy)),
		padded(0, 0, 0, gap, middle(newCutLine(model, faceMono, 120))))
	return r
}

// refresh shows the models that are searched for.
func (c *catalogue) refresh() {
	if len(c.rows) == 0 {
		c.build()
	}
	setText(c.search, c.p.form.Query())
	found := c.p.form.Catalogue()
	shown := map[string]bool{}
	for _, g := range found {
		shown[g.Provider] = true
		for _, m := range g.Models {
			shown[m] = true
		}
	}
	chosen := c.p.form.Default()
	for provider, box := range c.heads {
		show(box, shown[provider])
	}
	for model, r := range c.rows {
		show(r.box, shown[model])
		show(r.choose, model != chosen)
		show(r.chosen, model == chosen)
	}
	show(c.nothing, len(found) == 0)
}
