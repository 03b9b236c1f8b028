package proxy

import (
	"net/http"

	"apex-ai-proxy/proxy/demo"
)

// newDemo is the way to the built-in provider: the same code as for any other, without
// a network.
func newDemo() http.RoundTripper { return inProcess{demo.New()} }
