//go:build !linux

package ui

import "context"

// TrayHost tells whether somebody shows tray icons. This system always does.
func TrayHost(context.Context) bool { return true }
