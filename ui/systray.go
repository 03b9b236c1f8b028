package ui

import (
	"runtime"

	"fyne.io/systray"
)

// Fyne has no way to name the tray icon, to give it a tooltip or to change its menu without
// making it anew. What is here only changes the state of the package that Fyne uses itself,
// except that it begins the icon's life where Fyne need not.

// beginsTray tells whether the program puts the icon into the tray itself. Fyne makes a window
// for that, which is never shown but has all of the graphics library loaded and set up, most
// of the memory of a program that only lives in the tray. On Linux the tray is reached
// over a bus, which needs none; elsewhere it belongs to the same event loop as the window.
func beginsTray() bool { return runtime.GOOS == "linux" }

// beginTray puts the icon into the tray, as it has been set before.
func beginTray() {
	begin, _ := systray.RunWithExternalLoop(nil, nil) // the icon ends with the program
	begin()
}

// name gives the icon a stable identity, by which a desktop remembers whether it is shown
// or hidden. It must be called before the application runs.
// On a Mac it would write the name into the menu bar.
func name(s string) {
	if runtime.GOOS != "darwin" {
		systray.SetTitle(s)
	}
}

// tapped sets what a left click does. It must be called before the application runs.
func tapped(f func()) { systray.SetOnTapped(f) }

// tooltip sets the text that is shown when the pointer is over the icon.
func tooltip(s string) { systray.SetTooltip(s) }

// systemBar is the tray that Fyne has put there, whose menu is made here.
type systemBar struct{}

var (
	_ trayBar  = systemBar{}
	_ trayLine = (*systray.MenuItem)(nil)
)

func (systemBar) reset() { systray.ResetMenu() }

func (systemBar) separate() { systray.AddSeparator() }

func (systemBar) line(parent trayLine, toggle bool, clicked func()) trayLine {
	m := added(parent, toggle)
	go func() {
		for range m.ClickedCh { // closed with the line
			clicked()
		}
	}()
	return m
}

// added is a line of the kind that was asked for. On Linux only some can be ticked.
func added(parent trayLine, toggle bool) *systray.MenuItem {
	within, ok := parent.(*systray.MenuItem)
	switch {
	case ok && toggle:
		return within.AddSubMenuItemCheckbox("", "", false)
	case ok:
		return within.AddSubMenuItem("", "")
	case toggle:
		return systray.AddMenuItemCheckbox("", "", false)
	default:
		return systray.AddMenuItem("", "")
	}
}
