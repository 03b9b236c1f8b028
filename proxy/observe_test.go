package proxy

import (
	"bytes"
	"strings"
	"testing"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/event"
)

func TestObserver(t *testing.T) {
	for _, tc := range []struct {
		name          string
		proto         ir.Protocol
		stream        string
		tokens        event.Tokens
		ended, closed bool
		failed        bool
	}{
		{"usage null", ir.OpenAIChat, `data: {"choices":[{"finish_reason":null}],"usage":null}` + "\n\n", event.Tokens{}, false, false, false},
		{"finish", ir.OpenAIChat, `data: {"choices":[{"finish_reason" : "stop"}]}` + "\n\n", event.Tokens{}, true, false, false},
		{"done", ir.OpenAIChat, "data:[DONE]\n\n", event.Tokens{}, true, true, false},
		{"done in a text", ir.OpenAIChat, `data: {"choices":[{"delta":{"content":"data: [DONE]"}}]}` + "\n\n", event.Tokens{}, false, false, false},
		{"marks in a text", ir.OpenAIChat, `data: {"choices":[{"delta":{"content":"\"usage\":{\"prompt_tokens\":5}, \"error\":{}, \"finish_reason\":\"stop\""}}]}` + "\n\n", event.Tokens{}, false, false, false},
		{"error null", ir.OpenAIChat, `data: {"error":null}` + "\n\n", event.Tokens{}, false, false, false},
		{"error", ir.OpenAIChat, `data: {"error":{"message":"m"}}` + "\n\n", event.Tokens{}, true, true, true},
		{"broken usage", ir.OpenAIChat, `data: {"usage":{"prompt_tokens":5,`, event.Tokens{}, false, false, false},
		{
			"messages", ir.AnthropicMessages,
			`data: {"type":"message_start","message":{"stop_reason":null,"usage":{"input_tokens":5,"cache_creation_input_tokens":2,"cache_read_input_tokens":3,"output_tokens":1}}}` + "\n\n" +
				`data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":9}}` + "\n\n",
			event.Tokens{Input: 10, CacheRead: 3, CacheWrite: 2, Output: 9, Known: true},
			true, false, false,
		},
		{
			"later details", ir.OpenAIChat,
			`data: {"usage":{"prompt_tokens":5,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens":1,"completion_tokens_details":{"reasoning_tokens":1}}}` + "\n\n" +
				`data: {"usage":{"completion_tokens_details":null,"prompt_tokens_details":{"audio_tokens":0},"prompt_tokens":5,"completion_tokens":3}}` + "\n\n",
			event.Tokens{Input: 5, Output: 3, Known: true},
			false, false, false,
		},
		{"error in a choice", ir.OpenAIChat, `data: {"choices":[{"error":{"message":"m"},"finish_reason":"error"}]}` + "\n\n", event.Tokens{}, true, true, true},
		{"error as text", ir.OpenAIChat, `data: {"error":"m"}` + "\n\n", event.Tokens{}, true, true, true},
		{"error of messages", ir.AnthropicMessages, "event: error\r\n" + `data: {"type":"error","error":{"message":"m"}}` + "\r\n\r\n", event.Tokens{}, true, true, true},
		{
			"echo in a response", ir.OpenAIResponses,
			`data: {"type":"response.created","response":{"error":null,"tools":[{"parameters":{"properties":{"error":{"type":"string"},"type":"response.completed","usage":{"input_tokens":5}}}}]}}` + "\n\n",
			event.Tokens{},
			false, false, false,
		},
		{"echo in a call", ir.AnthropicMessages, `data: {"type":"content_block_start","content_block":{"input":{"error":"x","stop_reason":"end_turn","usage":{"input_tokens":5},"type":"message_stop"}}}` + "\n\n", event.Tokens{}, false, false, false},
		{"response", ir.OpenAIResponses, `data: {"response":{"usage":{"input_tokens":5,"output_tokens":1}},"type":"response.completed"}` + "\n\n", event.Tokens{Input: 5, Output: 1, Known: true}, true, true, false},
		{"failed response", ir.OpenAIResponses, `data: {"type":"response.failed","response":{"error":{"message":"m"}}}` + "\n\n", event.Tokens{}, true, true, true},
		{"flat error", ir.OpenAIResponses, `data: {"type":"error","message":"m"}` + "\n\n", event.Tokens{}, true, true, true},
		{"stop", ir.AnthropicMessages, `data: {"type":"message_stop"}` + "\n\n", event.Tokens{}, true, true, false},
	} {
		o := observer{proto: tc.proto}
		o.stream([]byte(tc.stream))
		if o.tokens != tc.tokens || o.ended != tc.ended || o.closed != tc.closed || o.isErr != tc.failed {
			t.Errorf("%s: %+v", tc.name, o)
		}
		if tc.failed && o.failed != "m" {
			t.Errorf("%s: the reason is %q", tc.name, o.failed)
		}
	}
}

// TestObserverOfPieces: an event larger than the buffer comes in pieces.
func TestObserverOfPieces(t *testing.T) {
	const long = `data: {"type":"response.completed","response":{"tools":[{"error":{"message":"m"}}],"usage":{"input_tokens":5,"output_tokens":1}}}` + "\n\n"
	for cut := 40; cut < len(long); cut++ {
		o := observer{proto: ir.OpenAIResponses}
		o.stream([]byte(long[:cut]))
		if !o.mid {
			t.Fatalf("cut at %d: not in the middle of an event", cut)
		}
		o.stream([]byte(long[cut:]))
		if !o.ended || o.isErr || o.mid {
			t.Errorf("cut at %d: %+v", cut, o)
		}
		o.stream([]byte(`data: {"error":{"message":"m"}}` + "\n\n"))
		if !o.isErr {
			t.Errorf("cut at %d: the error behind it is missed", cut)
		}
	}
}

// TestNewsIsMissedNowhere: what is looked at of a line that is like the one before is enough,
// wherever the two differ.
func TestNewsIsMissedNowhere(t *testing.T) {
	for _, c := range []struct {
		proto ir.Protocol
		told  string
	}{
		{ir.OpenAIChat, `"finish_reason"   :` + strings.Repeat(" ", 40) + `"stop"`},
		{ir.OpenAIChat, `"usage" : {"prompt_tokens":1}`},
		{ir.OpenAIChat, `"error":{}`},
		{ir.OpenAIChat, `[DONE]`},
		{ir.AnthropicMessages, `"stop_reason":"end_turn"`},
		{ir.AnthropicMessages, `"type":"message_stop"`},
		{ir.OpenAIResponses, `"type":"response.incomplete"`},
	} {
		for _, around := range []int{0, 3, 20, 200} {
			line := "data: " + strings.Repeat("a", around) + c.told + strings.Repeat("b", around) + "\n"
			for at := len("data: "); at < len(line)-1; at++ {
				for n := range min(30, len(line)-1-at) {
					for _, with := range []string{"", "x", strings.Repeat("y", n), `null`} {
						other := line[:at] + with + line[at+n:]
						o, plain := observer{proto: c.proto}, observer{proto: c.proto}
						o.news([]byte(other))
						if o.news([]byte(line)) != plain.tells([]byte(line)) {
							t.Fatalf("missed behind %q: %q", other, line)
						}
					}
				}
			}
		}
	}
}

func FuzzNews(f *testing.F) {
	f.Add([]byte(`data: {"choices":[{"finish_reason":null}],"usage":null}`+"\n\n"+`data: {"choices":[{"finish_reason":"stop"}],"usage":null}`), uint8(0))
	f.Add([]byte("data: {\"usage\":null}\ndata: {\"usage\":  {}}\n"), uint8(1))
	f.Add([]byte("data: {\"type\":\"response.\"}\ndata: {\"type\":\"response.failed\"}\n"), uint8(2))
	f.Fuzz(func(t *testing.T, b []byte, p uint8) {
		protos := []ir.Protocol{ir.OpenAIChat, ir.AnthropicMessages, ir.OpenAIResponses}
		o := observer{proto: protos[int(p)%len(protos)]}
		for line := range bytes.Lines(b) {
			if got, want := o.news(line), o.tells(line); got != want {
				t.Fatalf("%q: %t behind %q", line, got, o.silent)
			}
		}
	})
}

func FuzzObserver(f *testing.F) {
	f.Add([]byte(`data: {"usage":{"prompt_tokens":1}}`))
	f.Add([]byte("\"usage\"\"usage\":{\"error\":{data: [DONE]"))
	f.Fuzz(func(_ *testing.T, b []byte) {
		for _, p := range []ir.Protocol{ir.OpenAIChat, ir.AnthropicMessages, ir.OpenAIResponses} {
			o := observer{proto: p}
			o.stream(b)
			o.unary(b)
			if n := lastEvent(b); n < 0 || n > len(b) {
				panic("an event ends outside of its bytes")
			}
			if (firstEvent(b) == 0) != (lastEvent(b) == 0) || firstEvent(b) > lastEvent(b) {
				panic("the first event ends behind the last one")
			}
		}
	})
}

func TestLastEvent(t *testing.T) {
	for in, want := range map[string]int{
		"": 0, "data: x": 0, "data: x\n": 0, "\n": 0, "data: x\n\n": 9, "data: x\r\n\r\n": 11, "data: x\r\r": 9,
		"a\n\nb\n\nc\n": 6, "a\r\n\r\nb\r\n": 5, "a\n\r\nb": 4, "a\r\n": 0,
	} {
		if got := lastEvent([]byte(in)); got != want {
			t.Errorf("%q: %d, want %d", in, got, want)
		}
	}
}

var chunk = []byte(`data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"content":"token"},"logprobs":null,"finish_reason":null}],"usage":null}` + "\n\n")

func BenchmarkObserver(b *testing.B) {
	o := observer{proto: ir.OpenAIChat}
	b.ReportAllocs()
	for b.Loop() {
		o.stream(chunk)
	}
}

// TestStreamCostsNoAllocation: what looks at every piece of a stream that passes through
// allocates nothing, and of a piece with one event that tells something only that is parsed.
func TestStreamCostsNoAllocation(t *testing.T) {
	o := observer{proto: ir.OpenAIChat}
	r := renames(ir.OpenAIChat, "m#openai").renamer(true)
	many := bytes.Repeat(chunk, 100)
	last := append(bytes.Clone(many), `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`+"\n\n"...)
	for name, c := range map[string]struct {
		max float64
		f   func()
	}{
		"observer":  {0, func() { o.stream(many) }},
		"the end":   {20, func() { o.stream(last) }},
		"renamer":   {0, func() { r.rename(many) }},
		"lastEvent": {0, func() { lastEvent(many) }},
	} {
		if n := testing.AllocsPerRun(20, c.f); n > c.max {
			t.Errorf("%s: %.0f allocations, at most %.0f are expected", name, n, c.max)
		}
	}
}

func BenchmarkLastEvent(b *testing.B) {
	long := []byte(strings.Repeat(string(chunk), 20) + string(chunk[:100]))
	b.ReportAllocs()
	for b.Loop() {
		if lastEvent(long) == 0 {
			b.Fatal("no event")
		}
	}
}
