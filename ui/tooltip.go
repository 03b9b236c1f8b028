package ui

import (
	"runtime"

	"fyne.io/systray"
)

// Fyne owns the tray icon's life but has no way to name it or to give it a tooltip. These
// setters only change the state of the package that Fyne uses itself.

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
