package ir

import (
	"bytes"

	"apex-ai-proxy/proxy/rawjson"
)

// Marks of thinking that did not come from Anthropic. Its API refuses signatures it did
// not make, so ours are recognisable: they are stripped before a request goes there.
const (
	foreignMark = "apx1."
	// TextSignature signs thinking of upstreams that sign nothing.
	TextSignature = foreignMark + "txt."
)

// Foreign tells whether a signature was made by the proxy.
func Foreign(signature rawjson.Escaped) bool {
	return bytes.HasPrefix(signature, []byte(foreignMark))
}
