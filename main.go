// Command apex-ai-proxy is a local endpoint for AI clients in front of a Cloudflare AI
// Gateway: a tray icon with a window, and a command line.
package main

import (
	"os"

	"apex-ai-proxy/app"
	"apex-ai-proxy/app/desktop"
)

func main() {
	args, hidden := desktop.Arguments(os.Args)
	desktop.Main(func() int { return app.Main(args, desktop.Run(hidden)) }, os.Exit)
}
