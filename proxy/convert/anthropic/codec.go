// Package anthropic reads and writes Anthropic's Messages API: requests, answers,
// streams and errors.
package anthropic

// Codec is the codec of the protocol. It has no state.
type Codec struct{}
