// Package openaichat reads and writes OpenAI's Chat Completions API and the many APIs
// that are modelled on it: requests, answers, streams and errors.
package openaichat

import (
	"apex-ai-proxy/proxy/convert/internal/openaierror"
	"apex-ai-proxy/proxy/convert/ir"
)

// Codec is the codec of the protocol. It has no state.
type Codec struct{}

// EncodeError writes an error body and tells its status.
func (Codec) EncodeError(e *ir.Error, _ string) (status int, body []byte) {
	return openaierror.Encode(e)
}
