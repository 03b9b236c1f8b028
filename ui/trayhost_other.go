//go:build !linux

package ui

import "context"

// TrayHost tells whether somebody shows tray icons. This system always does.
func TrayHost(context.Context) bool { return true }

// canNotify tells whether there is a way to notifications.
func canNotify() bool { return true }
