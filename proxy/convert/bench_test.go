package convert_test

import (
	"bytes"
	"fmt"
	"runtime"
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

// chunks are an upstream's stream: its beginning, and n frames that are alike but for a number.
func chunks(n int, first, each string) []byte {
	b := bytes.NewBufferString(first)
	for i := range n {
		fmt.Fprintf(b, each, i)
	}
	return b.Bytes()
}

func chatChunks(n int) []byte {
	return chunks(n,
		"",
		"data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"gpt-4o\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" word%d\"},\"finish_reason\":null}]}\n\n")
}

func responsesChunks(n int) []byte {
	return chunks(n,
		"event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_1\",\"model\":\"g\",\"status\":\"in_progress\",\"output\":[]}}\n\nevent: response.output_item.added\ndata: {\"type\":\"response.output_item.added\",\"output_index\":0,\"item\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[]}}\n\nevent: response.content_part.added\ndata: {\"type\":\"response.content_part.added\",\"item_id\":\"msg_1\",\"output_index\":0,\"content_index\":0,\"part\":{\"type\":\"output_text\",\"text\":\"\",\"annotations\":[]}}\n\n",
		"event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"item_id\":\"msg_1\",\"output_index\":0,\"content_index\":0,\"delta\":\" word%d\"}\n\n")
}

// argumentChunks are n pieces of a tool call's arguments.
func argumentChunks(n int) []byte {
	return chunks(n,
		"data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"g\",\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"call_1\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":\\\"\"}}]},\"finish_reason\":null}]}\n\n",
		"data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"g\",\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\" word%d\"}}]},\"finish_reason\":null}]}\n\n")
}

func messagesChunks(n int) []byte {
	return chunks(n,
		"event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"model\":\"c\",\"usage\":{\"input_tokens\":1,\"output_tokens\":1}}}\n\nevent: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
		"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\" word%d\"}}\n\n")
}

func streamOnce(from, to convert.Codec, in, out []byte) []byte {
	dec, enc := from.NewStreamDecoder(ir.Source{}), to.NewStreamEncoder(ir.Reply{Model: "m", ID: "x"})
	var p sse.Parser
	emit := func(ev *ir.Event) { out = enc.Append(out, ev) }
	_ = p.Feed(in, func(f sse.Frame) { dec.Decode(f, emit) })
	return out
}

// streamWays are the ways of a stream: every codec on both sides.
var streamWays = []struct {
	name     string
	from, to ir.Protocol
	in       func(n int) []byte
}{
	{"ChatToMessages", ir.OpenAIChat, ir.AnthropicMessages, chatChunks},
	{"ChatArgumentsToMessages", ir.OpenAIChat, ir.AnthropicMessages, argumentChunks},
	{"ChatToResponses", ir.OpenAIChat, ir.OpenAIResponses, chatChunks},
	{"MessagesToChat", ir.AnthropicMessages, ir.OpenAIChat, messagesChunks},
	{"ResponsesToMessages", ir.OpenAIResponses, ir.AnthropicMessages, responsesChunks},
}

// BenchmarkStream tells the cost of 1,000 chunks.
func BenchmarkStream(b *testing.B) {
	for _, c := range streamWays {
		b.Run(c.name, func(b *testing.B) {
			var out []byte
			in := c.in(1000)
			b.ReportAllocs()
			for b.Loop() {
				out = streamOnce(convert.For(c.from), convert.For(c.to), in, out[:0])
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/chunk")
		})
	}
}

// A chunk costs no allocation on its way: allocations do not depend on the machine, so this
// is a bound that can be tested. What a stream has said so far is kept where it is told again
// at the end, so a few remain.
func TestStreamAllocations(t *testing.T) {
	for _, c := range streamWays {
		out := make([]byte, 0, 1<<20)
		count := func(n int) float64 {
			in := c.in(n)
			return testing.AllocsPerRun(20, func() { streamOnce(convert.For(c.from), convert.For(c.to), in, out) })
		}
		if few, many := count(10), count(1010); many-few > 20 {
			t.Errorf("%s: 1,000 more chunks cost %.0f more allocations", c.name, many-few)
		}
	}
}

// requestWays and answers are the ways of a request and of a whole answer. The bounds are
// allocations, a little more than there are: for a turn of a conversation, which is a call of a
// tool and its result, and for an answer with a text and a call.
var requestWays = []struct {
	name         string
	from, to     ir.Protocol
	turn, answer float64
}{
	{"MessagesToChat", ir.AnthropicMessages, ir.OpenAIChat, 7, 22},
	{"MessagesToResponses", ir.AnthropicMessages, ir.OpenAIResponses, 9, 34},
	{"ChatToMessages", ir.OpenAIChat, ir.AnthropicMessages, 20, 22},
	{"ResponsesToChat", ir.OpenAIResponses, ir.OpenAIChat, 20, 66},
}

// requestOf is a conversation of the given number of turns in a protocol.
func requestOf(t testing.TB, p ir.Protocol, turns int) []byte {
	t.Helper()
	body := messagesRequest(turns)
	if p == ir.AnthropicMessages {
		return body
	}
	out, _, err := convertRequest(convert.For(ir.AnthropicMessages), convert.For(p), body, ir.Target{Model: "m"})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func BenchmarkRequest(b *testing.B) {
	for _, c := range requestWays {
		b.Run(c.name, func(b *testing.B) {
			body := requestOf(b, c.from, 8)
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := convertRequest(convert.For(c.from), convert.For(c.to), body, ir.Target{Model: "m"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestRequestAllocations: every turn of a conversation costs the same few allocations.
func TestRequestAllocations(t *testing.T) {
	for _, c := range requestWays {
		count := func(turns int) float64 {
			body := requestOf(t, c.from, turns)
			return testing.AllocsPerRun(10, func() {
				_, _, _ = convertRequest(convert.For(c.from), convert.For(c.to), body, ir.Target{Model: "m"})
			})
		}
		per := (count(110) - count(10)) / 100
		if per > c.turn {
			t.Errorf("%s: %.1f allocations for a turn, at most %.0f are expected", c.name, per, c.turn)
		}
	}
}

// TestLongRequestIsWrittenOnce: the place for a long request is made once, not grown into,
// whatever the protocol: then all of them cost about the same.
func TestLongRequestIsWrittenOnce(t *testing.T) {
	const most = 1_500_000 // bytes: four times what is written, most of it for the parts as they are sent
	body := messagesRequest(250)
	for _, to := range []ir.Protocol{ir.OpenAIChat, ir.OpenAIResponses, ir.AnthropicMessages} {
		req, _, err := convert.For(ir.AnthropicMessages).DecodeRequest(body)
		if err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err = convert.For(to).EncodeRequest(req, ir.Target{Model: "m"})
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; err != nil || n > most {
			t.Errorf("to %s: %d bytes allocated, want at most %d; %v", to, n, most, err)
		}
	}
}

var answers = map[ir.Protocol]string{
	ir.OpenAIChat:        `{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Reading.","tool_calls":[{"id":"call_1","type":"function","function":{"name":"tool_1","arguments":"{\"path\":\"a/b.go\"}"}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}}`,
	ir.AnthropicMessages: `{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"Reading."},{"type":"tool_use","id":"toolu_1","name":"tool_1","input":{"path":"a/b.go"}}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":10,"output_tokens":5}}`,
	ir.OpenAIResponses:   `{"id":"resp_1","object":"response","created_at":1,"status":"completed","model":"m","output":[{"id":"msg_1","type":"message","role":"assistant","status":"completed","content":[{"type":"output_text","text":"Reading.","annotations":[]}]},{"id":"fc_1","type":"function_call","status":"completed","call_id":"call_1","name":"tool_1","arguments":"{\"path\":\"a/b.go\"}"}],"usage":{"input_tokens":10,"output_tokens":5,"total_tokens":15}}`,
}

// answerOnce brings a whole answer from the upstream's protocol into the client's.
func answerOnce(t testing.TB, client, upstream ir.Protocol) {
	t.Helper()
	res, err := convert.For(upstream).DecodeResponse([]byte(answers[upstream]), ir.Source{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := convert.For(client).EncodeResponse(res, ir.Reply{Model: "m", ID: "x"}); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkAnswer(b *testing.B) {
	for _, c := range requestWays {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				answerOnce(b, c.from, c.to)
			}
		})
	}
}

// TestAnswerAllocations: a whole answer costs a few allocations.
func TestAnswerAllocations(t *testing.T) {
	for _, c := range requestWays {
		n := testing.AllocsPerRun(20, func() { answerOnce(t, c.from, c.to) })
		if n > c.answer {
			t.Errorf("%s: %.0f allocations, at most %.0f are expected", c.name, n, c.answer)
		}
	}
}
