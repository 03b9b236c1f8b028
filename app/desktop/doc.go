// Package desktop is the program with a tray icon and a window. It makes the Fyne
// application, sees to it that only one copy runs, and joins package app, which is the
// program, to package ui, which shows it.
//
// Built with the tag headless it has neither, and needs no C compiler and no display.
package desktop

import "slices"

// hiddenFlag starts the program in the tray without opening the window, as a login item
// does.
const hiddenFlag = "--hidden"

// Arguments takes out of args what is meant for the window.
func Arguments(args []string) (rest []string, hidden bool) {
	rest = slices.DeleteFunc(slices.Clone(args), func(a string) bool { return a == hiddenFlag })
	return rest, len(rest) < len(args)
}
