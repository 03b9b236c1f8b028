package ui

import (
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"

	"apex-ai-proxy/ui/presenter"
	"apex-ai-proxy/ui/words"
)

// filterBar makes what the list is filtered with.
func (r *requests) filterBar() {
	f := r.w.u.log.Filter()
	r.find = newEntry(r.w)
	r.find.PlaceHolder = words.T("Filter by model, error, status, …")
	r.find.Icon = theme.SearchIcon()
	r.find.SetText(f.Text)
	r.find.OnChanged = func(string) { r.filter() }
	r.find.escaped = func() {
		r.find.SetText("")
		r.focus()
	}
	r.errors = newCheck(words.T("Errors"), nil)
	r.conv = newCheck(words.T("Converted"), nil)
	r.errors.Checked, r.conv.Checked = f.Errors, f.Converted
	r.from = newSelection(nil, nil)
	r.to = newSelection(nil, nil)
	r.choices(f)
	r.errors.OnChanged = func(bool) { r.filter() }
	r.conv.OnChanged = func(bool) { r.filter() }
	r.from.OnChanged = func(string) { r.filter() }
	r.to.OnChanged = func(string) { r.filter() }
	r.bar = container.New(barLayout{}, r.find, inRow(gap, r.errors, r.conv), inRow(gap, sized(132, r.from), sized(132, r.to)))
}

// choices offers the clients and providers that there are.
func (r *requests) choices(f presenter.Filter) {
	offer := func(s *selection, all string, names []string, chosen string) {
		options := append([]string{all}, names...)
		if !slices.Equal(s.Options, options) {
			s.Options = options
			s.Refresh()
		}
		if chosen == "" {
			chosen = all
		}
		if s.Selected != chosen {
			s.Selected = chosen
			s.Refresh()
		}
	}
	offer(r.from, words.T("All clients"), r.w.u.log.Clients(), f.Client)
	offer(r.to, words.T("All providers"), r.w.u.log.Providers(), f.Provider)
}

// search puts the cursor into the filter, which the inspector may be in the place of.
func (r *requests) search() {
	if r.above.Hidden {
		r.unselect()
	}
	r.w.win.Canvas().Focus(r.find)
}

// filter applies what the bar says.
func (r *requests) filter() {
	chosen := func(s *selection) string {
		if s.SelectedIndex() <= 0 {
			return ""
		}
		return s.Selected
	}
	r.w.u.log.SetFilter(presenter.Filter{
		Text: strings.TrimSpace(r.find.Text), Errors: r.errors.Checked, Converted: r.conv.Checked,
		Client: chosen(r.from), Provider: chosen(r.to),
	})
	r.refresh()
}

// unfilter shows all rows.
func (r *requests) unfilter() {
	r.find.Text = ""
	r.find.Refresh()
	r.errors.Checked, r.conv.Checked = false, false
	r.errors.Refresh()
	r.conv.Refresh()
	r.w.u.log.SetFilter(presenter.Filter{})
	r.refresh()
}

func (r *requests) noMatch() *fyne.Container {
	return vacant(words.T("No requests match the filter"), "", newButton(words.T("Show all"), r.unfilter))
}

// barLayout lays out the filter bar: a field that takes what is left, what stands beside
// it, and what is left out where there is too little room for it. Typing finds the same.
type barLayout struct{}

// leastField is the width below which the field is too narrow to be typed into.
const leastField = 200

// Layout implements fyne.Layout.
func (barLayout) Layout(o []fyne.CanvasObject, s fyne.Size) {
	right := s.Width
	for _, part := range []fyne.CanvasObject{o[2], o[1]} {
		m := part.MinSize()
		fits := part == o[1] || s.Width-o[1].MinSize().Width-m.Width-2*gapWide >= leastField
		show(part, fits)
		if fits {
			right -= m.Width
			part.Move(fyne.NewPos(right, (s.Height-m.Height)/2))
			part.Resize(m)
			right -= gapWide
		}
	}
	o[0].Move(fyne.NewPos(0, 0))
	o[0].Resize(fyne.NewSize(right, s.Height))
}

// MinSize implements fyne.Layout.
func (barLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	a, b := o[0].MinSize(), o[1].MinSize()
	return fyne.NewSize(leastField/2+gapWide+b.Width, max(a.Height, b.Height))
}
