package convert_test

import (
	"testing"

	"apex-ai-proxy/proxy/convert"
	"apex-ai-proxy/proxy/convert/ir"
)

// FuzzStream feeds arbitrary bytes as an upstream's stream: whatever comes, the client
// gets a stream its protocol allows.
func FuzzStream(f *testing.F) {
	for _, c := range streams(f) {
		f.Add(c.in)
	}
	chat, messages, responses := convert.For(ir.OpenAIChat), convert.For(ir.AnthropicMessages), convert.For(ir.OpenAIResponses)
	f.Fuzz(func(t *testing.T, in []byte) {
		for _, c := range []goldenCase{
			{from: chat, to: messages, reply: ir.Reply{Model: "m", ID: "x"}},
			{from: messages, to: chat, reply: ir.Reply{Model: "m", ID: "x", Created: 1, IncludeUsage: true}},
			{from: chat, to: responses, reply: ir.Reply{Model: "m", ID: "x"}},
			{from: messages, to: responses, reply: ir.Reply{Model: "m", ID: "x"}},
			{from: responses, to: messages, reply: ir.Reply{Model: "m", ID: "x"}},
			{from: responses, to: chat, reply: ir.Reply{Model: "m", ID: "x"}},
		} {
			checkGrammar(t, "fuzz", &c, c.stream(in, nil))
		}
	})
}
