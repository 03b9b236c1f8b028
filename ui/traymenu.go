package ui

import (
	"runtime"
	"slices"
	"sync/atomic"

	"apex-ai-proxy/ui/presenter"
)

// trayBar is the system's side of the tray menu. It makes lines and never unmakes one: Windows
// tells which line was clicked in 16 bits, which a menu that is made anew at every change uses
// up within days.
type trayBar interface {
	// reset takes everything out of the menu.
	reset()
	// line adds a line at the end, of the menu within parent unless that is nil. clicked is
	// called at each click, from any goroutine.
	line(parent trayLine, toggle bool, clicked func()) trayLine
	separate()
}

// trayLine is a line of the menu. A line that is hidden must be shown after it was changed.
type trayLine interface {
	SetTitle(text string)
	Enable()
	Disable()
	Check()
	Uncheck()
	Show()
	Hide()
}

// trayMenu is the menu as it was put into the tray.
type trayMenu []*trayPlace

// trayPlace is a place of the menu: a line, and at some a second one that holds a menu. The
// one of both that is not wanted is hidden.
type trayPlace struct {
	plain, holder *trayText
	shown, spare  []*trayText // the lines of the menu within; spare are the hidden ones, the longest hidden first
}

// newTrayMenu puts a menu with the places of items into the tray, without texts. chosen is
// told, from any goroutine, what a line stood for when it was clicked: by the time that is
// seen to, it may say something else.
func newTrayMenu(bar trayBar, items []presenter.TrayItem, chosen func(presenter.TrayItem)) trayMenu {
	bar.reset()
	line := func(parent trayLine, toggle bool) *trayText {
		t := &trayText{}
		t.line = bar.line(parent, toggle, func() {
			if it := t.stands.Load(); it != nil {
				chosen(*it)
			}
		})
		return t
	}
	menu := make(trayMenu, len(items))
	for i, it := range items {
		p := &trayPlace{}
		menu[i] = p
		if it.Separator {
			bar.separate()
			continue
		}
		p.plain = line(nil, it.Toggle)
		if it.Most == 0 {
			continue
		}
		p.holder = line(nil, false)
		for range spares * it.Most {
			p.spare = append(p.spare, line(p.holder.line, true))
		}
	}
	return menu
}

// spares is how many lines a menu within has for each that it can show.
const spares = 2

// say has the menu say what items say.
func (m trayMenu) say(items []presenter.TrayItem) {
	for i, it := range items {
		if !it.Separator {
			m[i].say(it)
		}
	}
}

func (p *trayPlace) say(it presenter.TrayItem) {
	if len(it.Children) == 0 {
		p.holder.hide()
		p.plain.say(it)
		return
	}
	p.sayWithin(it.Children)
	p.plain.hide()
	p.holder.say(it)
}

// sayWithin shows the lines of the menu within. What is offered keeps its line for as long as
// it is, and that line then stays hidden for as long as possible: menus do not change under
// the eyes of who reads them, on some systems not at all while they are open, and a click
// must not choose what has come into the place of the name that was read.
func (p *trayPlace) sayWithin(items []presenter.TrayItem) {
	offered := func(t *trayText) bool {
		return slices.ContainsFunc(items, func(it presenter.TrayItem) bool { return it.Arg == t.said.Arg })
	}
	for _, t := range p.shown {
		if !offered(t) {
			t.hide()
			p.spare = append(p.spare, t)
		}
	}
	p.shown = slices.DeleteFunc(p.shown, func(t *trayText) bool { return !offered(t) })
	for _, it := range items {
		p.within(it.Arg).say(it)
	}
	for _, t := range p.spare {
		t.hide()
	}
}

// within is the line that arg has, or gets.
func (p *trayPlace) within(arg string) *trayText {
	has := func(t *trayText) bool { return t.told && t.said.Arg == arg }
	if i := slices.IndexFunc(p.shown, has); i >= 0 {
		return p.shown[i]
	}
	i := max(slices.IndexFunc(p.spare, has), 0)
	t := p.spare[i]
	p.spare = slices.Delete(p.spare, i, i+1)
	p.shown = append(p.shown, t)
	return t
}

// trayText is a line and what it says. Only what differs is told to the system, because
// each word to it makes the desktop look at the menu.
type trayText struct {
	line trayLine
	said presenter.TrayItem
	told bool // it says something
	gone bool // it is hidden

	stands atomic.Pointer[presenter.TrayItem] // what a click means; nil for nothing
}

func (t *trayText) say(it presenter.TrayItem) {
	if !t.told || it.Label != t.said.Label {
		t.line.SetTitle(menuLabel(runtime.GOOS, it.Label))
	}
	if !t.told || it.Enabled != t.said.Enabled {
		if it.Enabled {
			t.line.Enable()
		} else {
			t.line.Disable()
		}
	}
	if it.Checked != t.said.Checked {
		if it.Checked {
			t.line.Check()
		} else {
			t.line.Uncheck()
		}
	}
	if t.gone {
		t.line.Show()
	}
	t.said, t.told, t.gone = it, true, false
	t.stands.Store(&it)
}

func (t *trayText) hide() {
	if t == nil || t.gone {
		return
	}
	t.gone = true
	t.stands.Store(nil)
	t.line.Hide()
}
