// Package convert turns requests, answers and streams of one protocol into another.
//
// Each protocol has one codec, to and from the neutral form of package ir; a
// conversion is one codec's decoder behind another's encoder. It is never used when
// both sides speak the same protocol: then bytes pass through. The package and all
// below it are pure: no network, files, logs, clock or randomness, so that the same
// request always converts to the same bytes, which prompt caches depend on.
package convert

import (
	"apex-ai-proxy/proxy/convert/anthropic"
	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/convert/openaichat"
	"apex-ai-proxy/proxy/convert/openairesponses"
	"apex-ai-proxy/proxy/sse"
)

// Codec reads and writes one protocol. Errors are of type *ir.Error.
type Codec interface {
	// DecodeRequest reads a client's request.
	DecodeRequest(body []byte) (*ir.Request, ir.Losses, error)
	// EncodeRequest writes a request for an upstream. It never changes req.
	EncodeRequest(req *ir.Request, to ir.Target) (ir.Encoded, error)
	// DecodeResponse reads an upstream's whole answer.
	DecodeResponse(body []byte, from ir.Source) (*ir.Response, error)
	// EncodeResponse writes a whole answer for a client.
	EncodeResponse(res *ir.Response, rep ir.Reply) ([]byte, error)
	// NewStreamDecoder reads an upstream's stream.
	NewStreamDecoder(from ir.Source) StreamDecoder
	// NewStreamEncoder writes a stream for a client.
	NewStreamEncoder(rep ir.Reply) StreamEncoder
	// EncodeError writes an error for a client before anything else was written.
	EncodeError(e *ir.Error, requestID string) (status int, body []byte)
}

// StreamDecoder turns an upstream's frames into steps of the neutral form. It keeps
// the promises of ir.EventKind whatever the upstream does: events after the end are
// dropped, a broken stream ends in one Failure.
type StreamDecoder interface {
	// Decode reads a frame. The events are only valid during the call of emit.
	Decode(f sse.Frame, emit func(*ir.Event))
	// Close ends the stream: cause is nil after a clean end of the body.
	Close(cause error, emit func(*ir.Event))
	// Done tells whether End or Failure was emitted.
	Done() bool
}

// StreamEncoder turns steps of the neutral form into the bytes of a client's stream.
type StreamEncoder interface {
	// Append appends the bytes of the event, possibly none, to dst.
	Append(dst []byte, ev *ir.Event) []byte
	// AppendKeepAlive appends what may be sent while nothing happens.
	AppendKeepAlive(dst []byte) []byte
}

// For is the codec of a protocol, nil when there is none. That of embeddings serves to
// write errors only.
func For(p ir.Protocol) Codec {
	switch p {
	case ir.OpenAIChat, ir.OpenAIEmbeddings:
		return chatCodec{}
	case ir.AnthropicMessages:
		return anthropicCodec{}
	case ir.OpenAIResponses:
		return responsesCodec{}
	default:
		return nil
	}
}

type chatCodec struct{ openaichat.Codec }

func (chatCodec) NewStreamDecoder(from ir.Source) StreamDecoder {
	return openaichat.NewStreamDecoder(from)
}

func (chatCodec) NewStreamEncoder(rep ir.Reply) StreamEncoder {
	return openaichat.NewStreamEncoder(rep)
}

type anthropicCodec struct{ anthropic.Codec }

func (anthropicCodec) NewStreamDecoder(from ir.Source) StreamDecoder {
	return anthropic.NewStreamDecoder(from)
}

func (anthropicCodec) NewStreamEncoder(rep ir.Reply) StreamEncoder {
	return anthropic.NewStreamEncoder(rep)
}

type responsesCodec struct{ openairesponses.Codec }

func (responsesCodec) NewStreamDecoder(from ir.Source) StreamDecoder {
	return openairesponses.NewStreamDecoder(from)
}

func (responsesCodec) NewStreamEncoder(rep ir.Reply) StreamEncoder {
	return openairesponses.NewStreamEncoder(rep)
}
