package ui

import (
	"runtime"

	"apex-ai-proxy/ui/presenter"
)

// trayBar is the system's side of the tray menu. It makes lines and never unmakes one: Windows
// tells which line was clicked in 16 bits, which a menu that is made anew at every change uses
// up within days.
type trayBar interface {
	// reset takes everything out of the menu.
	reset()
	// line adds a line at the end, of the menu within parent unless that is nil.
	line(parent trayLine, toggle bool, chosen func()) trayLine
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
// one of both that is not wanted is hidden, and so is what the menu within has too many of.
type trayPlace struct {
	plain, holder *trayText
	within        []*trayText
}

// newTrayMenu puts a menu with the places of items into the tray, without texts. What was
// chosen is told by its place, and by its place in the menu within.
func newTrayMenu(bar trayBar, items []presenter.TrayItem, chosen func(place, within int)) trayMenu {
	bar.reset()
	menu := make(trayMenu, len(items))
	for i, it := range items {
		p := &trayPlace{}
		menu[i] = p
		if it.Separator {
			bar.separate()
			continue
		}
		line := func(parent trayLine, toggle bool, within int) *trayText {
			return &trayText{line: bar.line(parent, toggle, func() { chosen(i, within) })}
		}
		p.plain = line(nil, it.Toggle, -1)
		if it.Most == 0 {
			continue
		}
		p.holder = line(nil, false, -1)
		for j := range it.Most {
			p.within = append(p.within, line(p.holder.line, true, j))
		}
	}
	return menu
}

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
	for j, t := range p.within {
		if j < len(it.Children) {
			t.say(it.Children[j])
		} else {
			t.hide()
		}
	}
	p.plain.hide()
	p.holder.say(it)
}

// trayText is a line and what it says. Only what differs is told to the system, because
// each word to it makes the desktop look at the menu.
type trayText struct {
	line trayLine
	said presenter.TrayItem
	told bool // it says something
	gone bool // it is hidden
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
}

func (t *trayText) hide() {
	if t == nil || t.gone {
		return
	}
	t.gone = true
	t.line.Hide()
}
