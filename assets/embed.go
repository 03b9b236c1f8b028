// Package assets holds the pictures that the program draws: its own icon and the icons of
// the tray's states. The drawings are the SVG files; the PNG files are rendered from them.
package assets

import _ "embed"

// AppIcon is the program's icon, a PNG of 512 pixels.
//
//go:embed icon.png
var AppIcon []byte

// Mark is the sign of the program in one colour, for use inside the window.
//
//go:embed icons/mark.svg
var Mark []byte

// The states of the tray icon. They differ in shape as well as in colour: an outline, a
// solid peak, a solid peak with a notch, and a solid peak with a dotted line.
var (
	//go:embed icons/tray-stopped.svg
	TrayStopped []byte
	//go:embed icons/tray-running.svg
	TrayRunning []byte
	//go:embed icons/tray-attention.svg
	TrayAttention []byte
	//go:embed icons/tray-busy.svg
	TrayBusy []byte
)
