package convert_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"apex-ai-proxy/proxy/convert"
	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/sse"
)

// messagesRequest is a request as agents send it: instructions, tools and a conversation
// of the given number of turns.
func messagesRequest(turns int) []byte {
	var b strings.Builder
	b.WriteString(`{"model":"gpt-4o#openai","max_tokens":1000,"system":[{"type":"text","text":"` + strings.Repeat("You are careful. ", 100) + `"}],"tools":[`)
	for i := range 12 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"name":"tool_%d","description":"%s","input_schema":{"type":"object","properties":{"path":{"type":"string","description":"Where"},"count":{"type":"integer"}},"required":["path"]}}`, i, strings.Repeat("Does a thing. ", 20))
	}
	b.WriteString(`],"messages":[{"role":"user","content":"go"}`)
	for i := range turns {
		fmt.Fprintf(&b, `,{"role":"assistant","content":[{"type":"text","text":"Reading."},{"type":"tool_use","id":"toolu_%d","name":"tool_1","input":{"path":"a/b.go","count":%d}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_%d","content":"%s"}]}`, i, i, i, strings.Repeat(`line of code\n`, 80))
	}
	b.WriteString(`]}`)
	return []byte(b.String())
}

func BenchmarkRequestMessagesToChat(b *testing.B) {
	from, to := convert.For(ir.AnthropicMessages), convert.For(ir.OpenAIChat)
	for name, body := range map[string][]byte{
		"18KB": messagesRequest(8), "300KB": messagesRequest(250),
		"10MBimage": []byte(`{"model":"m","max_tokens":1,"messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"` + strings.Repeat("iVBORw0KGgoAAAAN", 10<<16) + `"}}]}]}`),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := convertRequest(from, to, body, ir.Target{Model: "gpt-4o"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// chunks are n frames of an upstream's stream.
func chatChunks(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"gpt-4o\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" word%d\"},\"finish_reason\":null}]}\n\n", i)
	}
	return b.Bytes()
}

func messagesChunks(n int) []byte {
	var b bytes.Buffer
	b.WriteString("event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"model\":\"c\",\"usage\":{\"input_tokens\":1,\"output_tokens\":1}}}\n\nevent: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n")
	for i := range n {
		fmt.Fprintf(&b, "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\" word%d\"}}\n\n", i)
	}
	return b.Bytes()
}

func streamOnce(from, to convert.Codec, in, out []byte) []byte {
	dec, enc := from.NewStreamDecoder(ir.Source{}), to.NewStreamEncoder(ir.Reply{Model: "m", ID: "x"})
	var p sse.Parser
	emit := func(ev *ir.Event) { out = enc.Append(out, ev) }
	_ = p.Feed(in, func(f sse.Frame) { dec.Decode(f, emit) })
	return out
}

// BenchmarkStream tells the cost of 1,000 chunks.
func BenchmarkStream(b *testing.B) {
	chat, messages := convert.For(ir.OpenAIChat), convert.For(ir.AnthropicMessages)
	for _, c := range []struct {
		name     string
		from, to convert.Codec
		in       []byte
	}{
		{"ChatToMessages", chat, messages, chatChunks(1000)},
		{"MessagesToChat", messages, chat, messagesChunks(1000)},
	} {
		b.Run(c.name, func(b *testing.B) {
			var out []byte
			b.ReportAllocs()
			for b.Loop() {
				out = streamOnce(c.from, c.to, c.in, out[:0])
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/chunk")
		})
	}
}

// A chunk of text costs no allocation on its way: allocations do not depend on the
// machine, so this is a bound that can be tested.
func TestStreamAllocations(t *testing.T) {
	chat, messages := convert.For(ir.OpenAIChat), convert.For(ir.AnthropicMessages)
	for _, c := range []struct {
		name     string
		from, to convert.Codec
		in       func(int) []byte
	}{{"chat to messages", chat, messages, chatChunks}, {"messages to chat", messages, chat, messagesChunks}} {
		out := make([]byte, 0, 1<<20)
		count := func(n int) float64 {
			in := c.in(n)
			return testing.AllocsPerRun(20, func() { streamOnce(c.from, c.to, in, out) })
		}
		if few, many := count(10), count(1010); many-few > 10 {
			t.Errorf("%s: 1,000 more chunks cost %.0f more allocations", c.name, many-few)
		}
	}
}
