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
	"apex-ai-proxy/ui/words"
)

// tray is the icon in the tray with its menu.
//
// Where the program does not do so itself, Fyne puts both there, with a menu in which there is
// next to nothing. The real one then takes that one's place: Fyne makes a menu anew at every
// change, and this one is changed in place.
type tray struct {
	u     *UI
	desk  desktop.App
	bar   trayBar // nil where there is no tray
	first *fyne.Menu
	menu  trayMenu             // nil until it is made
	shown []presenter.TrayItem // what the menu says
	icon  presenter.Icon
	tip   string

	settled bool // Fyne has put its first icon into the tray, or is not to
}

func newTray(u *UI) *tray {
	quit := fyne.NewMenuItem(words.T("Quit"), func() { u.act(presenter.Quit) })
	quit.IsQuit = true // or Fyne adds its own
	t := &tray{u: u, bar: u.bar, first: fyne.NewMenu(u.opts.Name, quit)}
	quit.Shortcut = built(t.built)
	t.shown = t.items()
	t.icon = u.headline().Icon
	desk, ok := u.app.(desktop.App)
	if !ok {
		t.make()
		return t
	}
	t.desk, t.bar = desk, systemBar{}
	name(u.opts.Name)
	if opensOnClick() {
		tapped(func() { u.Show() })
	}
	if beginsTray() {
		t.tip = presenter.Tooltip(u.opts.Name, u.headline())
		t.settle()
		beginTray()
		return t
	}
	desk.SetSystemTrayIcon(trayIcon(t.icon))
	desk.SetSystemTrayMenu(t.first)
	attendLogoff(trayClass, u.sessionEnds)
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

// make puts the menu into the tray.
func (t *tray) make() {
	if t.bar == nil {
		return
	}
	t.menu = newTrayMenu(t.bar, t.shown, t.choose)
	t.menu.say(t.shown)
}

// choose does what a line stood for when it was clicked. It may be called from any goroutine.
func (t *tray) choose(it presenter.TrayItem) {
	t.u.opts.Do(func() { t.u.do(it) })
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

// refresh shows the state of now, the picture and the tooltip before the menu: whoever reads
// its new words finds what goes with them.
func (t *tray) refresh() {
	h := t.u.headline()
	if h.Icon != t.icon {
		t.icon = h.Icon
		if t.desk != nil {
			t.desk.SetSystemTrayIcon(trayIcon(t.icon))
		}
	}
	if tip := presenter.Tooltip(t.u.opts.Name, h); tip != t.tip {
		t.tip = tip
		tooltip(tip)
	}
	t.shown = t.items()
	if t.menu != nil {
		t.menu.say(t.shown)
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

// built is called when Fyne makes its menu, which is no longer ours then.
func (t *tray) built() {
	if t.u.parking.started.Load() {
		t.u.opts.Do(t.u.settleTray) // once it is made
	}
}

// settleLimit is how long Fyne may take for its first icon.
const settleLimit = 2 * time.Second

// Started is called on Fyne's goroutine when the application has begun to run. Fyne then
// puts the icon it had found at the start into the tray, from another goroutine, and makes
// its menu once more; by then there may be a newer icon, which that one has replaced.
func (u *UI) Started() {
	u.parking.started.Store(true)
	u.rest()
	u.after(settleLimit, func() {
		if !u.tray.settled {
			u.settleTray()
		}
	})
}

// settleTray is called when Fyne has done what it does to the tray.
func (u *UI) settleTray() {
	u.tray.settle()
	u.rest()
}

// settle has the menu, the icon and the tooltip of now in the tray, whatever Fyne did.
func (t *tray) settle() {
	t.settled = true
	if t.desk != nil {
		t.desk.SetSystemTrayIcon(trayIcon(t.icon))
		tooltip(t.tip)
	}
	t.make()
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
