//go:build headless

package desktop

import (
	"os"

	"apex-ai-proxy/app"
)

// Run is nil: this build has no window, which app.Main says in a sentence before it
// serves without one.
func Run(bool) func(*app.App) int { return nil }

// Main ends the process with what program returns.
func Main(program func() int) { os.Exit(program()) }
