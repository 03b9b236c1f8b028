//go:build !windows

package ui

const trayClass = ""

// attendLogoff does nothing: other systems tell with a signal, or as if the user had quit.
func attendLogoff(string, func()) {}
