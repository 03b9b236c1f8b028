// Package openaichat reads and writes OpenAI's Chat Completions API and the many APIs
// that are modelled on it: requests, answers, streams and errors.
package openaichat

import (
	"errors"

	"apex-ai-proxy/proxy/convert/internal/openaierror"
	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
)

// Codec is the codec of the protocol. It has no state.
type Codec struct{}

// invalid turns an error of reading JSON into one for the client.
func invalid(err error) error {
	var typ *rawjson.TypeError
	if errors.As(err, &typ) {
		return ir.Invalid(typ.Path, "%s", typ)
	}
	var own *ir.Error
	if errors.As(err, &own) {
		return own
	}
	return ir.Invalid("", "the body is not valid JSON: %v", err)
}

// EncodeError writes an error body and tells its status.
func (Codec) EncodeError(e *ir.Error, _ string) (status int, body []byte) {
	return openaierror.Encode(e)
}
