//go:build !windows

package ui

const trayClass = ""

func surviveLogoff(string) {}
