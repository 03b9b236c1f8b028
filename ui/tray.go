package ui

import (
	"runtime"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"

	"apex-ai-proxy/assets"
	"apex-ai-proxy/ui/presenter"
)

// tray is the icon in the tray with its menu. The menu keeps its items for the life of the
// program; they are changed in place, and only when something really changed, because
// each refresh rebuilds the menu on the other side.
type tray struct {
	u     *UI
	desk  desktop.App
	menu  *fyne.Menu
	shown []presenter.TrayItem // what the menu says
	icon  presenter.Icon
	tip   string

	refreshing bool // the menu is being made anew by us
	settled    bool // Fyne has put its first icon into the tray
}

func newTray(u *UI) *tray {
	t := &tray{u: u, menu: fyne.NewMenu(u.opts.Name)}
	t.shown = t.items()
	for i := range t.shown {
		t.menu.Items = append(t.menu.Items, t.line(i))
	}
	t.menu.Items[0].Shortcut = built(t.built)
	desk, ok := u.app.(desktop.App)
	if !ok {
		return t
	}
	t.desk = desk
	h := u.headline()
	t.icon = h.Icon
	name(u.opts.Name)
	if opensOnClick() {
		tapped(func() { u.Show() })
	}
	desk.SetSystemTrayIcon(trayIcon(t.icon))
	desk.SetSystemTrayMenu(t.menu)
	return t
}

// opensOnClick tells whether a left click on the icon opens the window. On a Mac it opens
// the menu, as everywhere there.
func opensOnClick() bool { return runtime.GOOS != "darwin" }

func (t *tray) items() []presenter.TrayItem {
	u := t.u
	model := presenter.DefaultModel(u.settings)
	p := presenter.Tray{
		Headline: u.headline(), Quitting: u.quitting, Status: u.status, Key: u.core.LocalKey(),
		Model: model, Models: u.log.Choices(model), Login: u.login,
	}
	if list := u.log.Troubles(time.Now(), 1); len(list) > 0 {
		p.Trouble = &list[0]
	}
	return p.Menu()
}

// line is the item at a place of the menu. It does what its line stands for when it is
// chosen, so that what only that concerns needs no new menu.
func (t *tray) line(i int) *fyne.MenuItem {
	m := t.item(t.shown[i])
	if !m.IsSeparator {
		m.Action = func() { t.u.do(t.shown[i]) }
	}
	return m
}

func (t *tray) item(it presenter.TrayItem) *fyne.MenuItem {
	if it.Separator {
		return fyne.NewMenuItemSeparator()
	}
	m := fyne.NewMenuItem(menuLabel(runtime.GOOS, it.Label), func() { t.u.do(it) })
	m.Disabled = !it.Enabled
	m.Checked = it.Checked
	if len(it.Children) > 0 {
		m.ChildMenu = fyne.NewMenu("")
		for _, child := range it.Children {
			m.ChildMenu.Items = append(m.ChildMenu.Items, t.item(child))
		}
	}
	m.IsQuit = it.Action == presenter.Quit
	return m
}

// menuLabel is text as the system's menus show it in full. Windows and the desktops of Linux
// each take a character for the mark of the key that chooses the item; doubled, it is itself.
func menuLabel(goos, text string) string {
	switch goos {
	case "darwin":
		return text
	case "windows":
		return strings.ReplaceAll(text, "&", "&&")
	default:
		return strings.ReplaceAll(text, "_", "__")
	}
}

// refresh shows the state of now, the picture before the words: whoever reads the new
// words finds the picture that goes with them.
func (t *tray) refresh() {
	h := t.u.headline()
	changed := false
	for i, it := range t.items() {
		looks := it.Looks(t.shown[i])
		t.shown[i] = it
		if looks {
			continue
		}
		shortcut := t.menu.Items[i].Shortcut
		*t.menu.Items[i] = *t.line(i)
		t.menu.Items[i].Shortcut = shortcut
		changed = true
	}
	if h.Icon != t.icon {
		t.icon = h.Icon
		if t.desk != nil {
			t.desk.SetSystemTrayIcon(trayIcon(t.icon))
		}
	}
	if changed {
		t.refreshing = true
		t.menu.Refresh()
		t.refreshing = false
	}
	if tip := presenter.Tooltip(t.u.opts.Name, h); tip != t.tip {
		t.tip = tip
		tooltip(tip)
	}
}

// built is a shortcut without a key, so it is neither shown nor heard. Fyne asks for its
// key, on its own goroutine, when it makes the menu of the tray.
type built func()

// ShortcutName implements fyne.Shortcut.
func (built) ShortcutName() string { return "" }

// Key implements fyne.KeyboardShortcut.
func (f built) Key() fyne.KeyName {
	f()
	return ""
}

// Mod implements fyne.KeyboardShortcut.
func (built) Mod() fyne.KeyModifier { return 0 }

// built is called when the menu is made.
func (t *tray) built() {
	if t.u.parking.started.Load() && !t.refreshing {
		t.settle()
	}
}

// settleLimit is how long Fyne may take for its first icon.
const settleLimit = 2 * time.Second

// Started is called on Fyne's goroutine when the application has begun to run. Fyne then
// puts the icon it had found at the start into the tray, from another goroutine, and makes
// the menu once more; by then there may be a newer icon, which that one has replaced.
func (u *UI) Started() {
	u.parking.started.Store(true)
	u.rest()
	u.after(settleLimit, u.tray.settle)
}

// settle has the icon and the tooltip of now in the tray, whatever Fyne did at the start.
func (t *tray) settle() {
	if t.settled {
		return
	}
	t.settled = true
	if t.desk != nil {
		t.desk.SetSystemTrayIcon(trayIcon(t.icon))
		tooltip(t.tip)
	}
	t.u.rest()
}

// trayIcon is the picture for a state. A Mac recolours it for its menu bar, for which it
// must be a themed resource.
func trayIcon(i presenter.Icon) fyne.Resource {
	var r fyne.Resource
	switch i {
	case presenter.IconRunning:
		r = fyne.NewStaticResource("tray-running.svg", assets.TrayRunning)
	case presenter.IconAttention:
		r = fyne.NewStaticResource("tray-attention.svg", assets.TrayAttention)
	case presenter.IconBusy:
		r = fyne.NewStaticResource("tray-busy.svg", assets.TrayBusy)
	default:
		r = fyne.NewStaticResource("tray-stopped.svg", assets.TrayStopped)
	}
	if runtime.GOOS == "darwin" {
		return theme.NewThemedResource(r)
	}
	return r
}
