// Package anthropic reads and writes Anthropic's Messages API: requests, answers,
// streams and errors.
package anthropic

import (
	"errors"

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
