// Package openairesponses reads and writes OpenAI's Responses API: requests, answers,
// streams and errors. Nothing is stored: what refers to stored state is refused.
package openairesponses

import (
	"apex-ai-proxy/proxy/convert/internal/openaierror"
	"apex-ai-proxy/proxy/convert/ir"
)

// Codec is the codec of the protocol. It has no state.
type Codec struct{}

// EncodeError writes an error body and tells its status.
func (Codec) EncodeError(e *ir.Error, _ string) (status int, body []byte) {
	if e.Kind == ir.Overloaded { // Codex waits when it reads this code
		own := *e
		own.Status, own.Code = 0, "server_is_overloaded"
		e = &own
	}
	return openaierror.Encode(e)
}
