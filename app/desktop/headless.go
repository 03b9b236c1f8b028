//go:build headless

package desktop

import (
	"context"

	"apex-ai-proxy/app"
)

// Run is nil: this build has no window, which app.Main says in a sentence before it
// serves without one.
func Run(bool) func(context.Context, *app.App) int { return nil }

// Main calls exit with what program returns.
func Main(program func() int, exit func(code int)) { exit(program()) }
