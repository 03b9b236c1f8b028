package desktop

import "apex-ai-proxy/app"

// What the program tells the system about itself. FyneApp.toml says the same for the
// packaging tools.
const (
	ID      = "dev.apexaiproxy.desktop"
	Name    = "Apex AI Proxy"
	Version = app.Version
	Build   = 1
)
