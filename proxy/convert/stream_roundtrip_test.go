package convert_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"apex-ai-proxy/proxy/convert"
	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/prose"
	"apex-ai-proxy/proxy/sse"
)

// collect is the whole answer that a stream of a protocol tells.
func collect(codec convert.Codec, stream []byte, from ir.Source) (*ir.Response, error) {
	var c ir.Collector
	dec := codec.NewStreamDecoder(from)
	var p sse.Parser
	feed := func(f sse.Frame) { dec.Decode(f, c.Add) }
	if err := p.Feed(stream, feed); err != nil {
		dec.Close(err, c.Add)
	}
	p.Close(feed)
	dec.Close(nil, c.Add)
	return c.Result()
}

// meaning is what an answer says in every protocol: text, thinking and refusal in a row,
// calls, why it stopped and what it cost. Texts of a kind are joined, as Chat does it.
func meaning(res *ir.Response) string {
	var text, thinking, refusal, calls strings.Builder
	for i := range res.Parts {
		switch p := &res.Parts[i]; p.Kind {
		case ir.Text:
			text.WriteString(p.Text.String())
		case ir.Thinking:
			thinking.WriteString(strings.ReplaceAll(p.Text.String(), "\n\n", ""))
		case ir.Refusal:
			refusal.WriteString(p.Text.String())
		case ir.ToolCall:
			fmt.Fprintf(&calls, "\n%s(%s%s)", p.Call.Name, p.Call.Args, p.Call.Input.String())
		default:
		}
	}
	if res.Stop.Reason == ir.StopRefusal && refusal.Len() == 0 {
		refusal.WriteString(res.Stop.Explanation.String())
	}
	return fmt.Sprintf("text %q\nthinking %q\nrefusal %q%s\nstop %d\nusage %+v", &text, &thinking, &refusal, &calls, likeChat(res.Stop.Reason), res.Usage)
}

// likeChat is a reason to stop as far as Chat can tell it.
func likeChat(r ir.Reason) ir.Reason {
	switch r {
	case ir.StopOther, ir.StopSequence, ir.StopPause:
		return ir.StopEnd
	case ir.StopContext:
		return ir.StopLength
	default:
		return r
	}
}

// A stream written in any protocol, its own or another, and read again says the same.
func TestStreamRoundTrip(t *testing.T) {
	for name, c := range streams(t) {
		want, err := collect(c.from, c.in, c.source)
		if err != nil || !finishedCalls(want) {
			continue
		}
		want.HasUsage = true // every protocol writes one
		for _, to := range protocols {
			c.to, c.restore = convert.For(to), ir.Restorer{}
			c.reply.IncludeUsage, c.reply.Request = true, nil
			got, err := collect(c.to, c.stream(c.in, nil), ir.Source{})
			if err != nil {
				t.Errorf("%s through %s: %v", name, to, err)
				continue
			}
			wanted := meaning(want)
			if to == ir.AnthropicMessages { // it has no refusals beside the text, and no custom calls
				wanted = asMessages(want)
			}
			if meaning(got) != wanted {
				t.Errorf("%s through %s:\n%s\nwant:\n%s", name, to, meaning(got), wanted)
			}
		}
	}
}

// finishedCalls tells whether an answer that is whole has whole calls. Some protocols
// refuse others.
func finishedCalls(res *ir.Response) bool {
	return res.Stop.Reason == ir.StopLength || !slices.ContainsFunc(res.Parts, func(p ir.Part) bool { return p.Call.BadArgs })
}

func asMessages(res *ir.Response) string {
	changed := *res
	changed.Parts = slices.Clone(res.Parts)
	for i := range changed.Parts {
		switch p := &changed.Parts[i]; {
		case p.Kind == ir.Refusal:
			p.Kind = ir.Text
			changed.Stop.Explanation = []byte("The model refused to answer.")
		case p.Kind == ir.ToolCall && p.Call.Custom:
			p.Call.Args, p.Call.Input = ir.WrapInput(p.Call.Input), nil
		}
	}
	if changed.Stop.Reason == ir.StopRefusal && changed.Stop.Explanation == nil {
		changed.Stop.Explanation = []byte("The model refused to answer.")
	}
	return meaning(&changed)
}

// A whole answer says the same as the stream that tells it.
func TestWholeAnswerAsStream(t *testing.T) {
	for name, c := range streams(t) {
		res, err := collect(c.from, c.in, c.source)
		if err != nil {
			continue
		}
		c.reply.Request = nil
		for _, to := range protocols {
			codec := convert.For(to)
			body, err := codec.EncodeResponse(res, c.reply)
			if err != nil {
				t.Fatal(err)
			}
			whole, err := codec.DecodeResponse(body, ir.Source{})
			if err != nil {
				t.Errorf("%s as %s: %v\n%s", name, to, err, body)
				continue
			}
			enc := codec.NewStreamEncoder(ir.Reply{Model: "m", ID: "x", IncludeUsage: true})
			var out []byte
			ir.Replay(res, func(ev *ir.Event) { out = enc.Append(out, ev) })
			streamed, err := collect(codec, out, ir.Source{})
			if err != nil {
				t.Errorf("%s as a stream of %s: %v\n%s", name, to, err, out)
				continue
			}
			if meaning(whole) != meaning(streamed) {
				t.Errorf("%s as %s:\n%s\nstreamed:\n%s", name, to, meaning(whole), meaning(streamed))
			}
		}
	}
}

// event writes an event of an upstream's stream.
func event(kind, members string) string {
	return "event: " + kind + "\ndata: {\"type\":\"" + kind + "\"," + members + "}\n\n"
}

// growing are streams of each protocol that say the same piece again and again: what comes
// first, the piece, and the end.
var growing = map[string]struct {
	from               ir.Protocol
	begin, piece, rest string
}{
	"chat text": {
		ir.OpenAIChat, `data: {"id":"c","choices":[{"delta":{"role":"assistant","content":""}}]}` + "\n\n",
		`data: {"choices":[{"delta":{"content":"%s"}}]}` + "\n\n", `data: {"choices":[{"delta":{},"finish_reason":"stop"}]}` + "\n\n",
	},
	"chat arguments": {
		ir.OpenAIChat, `data: {"id":"c","choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":\""}}]}}]}` + "\n\n",
		`data: {"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"%s"}}]}}]}` + "\n\n",
		`data: {"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\"}"}}]},"finish_reason":"tool_calls"}]}` + "\n\n",
	},
	"messages text": {
		ir.AnthropicMessages, event("message_start", `"message":{"id":"m"}`) + event("content_block_start", `"index":0,"content_block":{"type":"text","text":""}`),
		event("content_block_delta", `"index":0,"delta":{"type":"text_delta","text":"%s"}`),
		event("content_block_stop", `"index":0`) + event("message_delta", `"delta":{"stop_reason":"end_turn"}`) + event("message_stop", `"x":0`),
	},
	"messages arguments": {
		ir.AnthropicMessages, event("message_start", `"message":{"id":"m"}`) + event("content_block_start", `"index":0,"content_block":{"type":"tool_use","id":"a","name":"f","input":{}}`) +
			event("content_block_delta", `"index":0,"delta":{"type":"input_json_delta","partial_json":"{\"x\":\""}`),
		event("content_block_delta", `"index":0,"delta":{"type":"input_json_delta","partial_json":"%s"}`),
		event("content_block_delta", `"index":0,"delta":{"type":"input_json_delta","partial_json":"\"}"}`) +
			event("content_block_stop", `"index":0`) + event("message_delta", `"delta":{"stop_reason":"tool_use"}`) + event("message_stop", `"x":0`),
	},
	"responses text": {
		ir.OpenAIResponses, event("response.created", `"response":{"id":"r"}`) + event("response.output_item.added", `"output_index":0,"item":{"type":"message","id":"m"}`),
		event("response.output_text.delta", `"output_index":0,"content_index":0,"item_id":"m","delta":"%s"`),
		event("response.completed", `"response":{"id":"r","status":"completed","output":[]}`),
	},
	"responses arguments": {
		ir.OpenAIResponses, event("response.created", `"response":{"id":"r"}`) + event("response.output_item.added", `"output_index":0,"item":{"type":"function_call","id":"fc","call_id":"a","name":"f"}`) +
			event("response.function_call_arguments.delta", `"output_index":0,"item_id":"fc","delta":"{\"x\":\""`),
		event("response.function_call_arguments.delta", `"output_index":0,"item_id":"fc","delta":"%s"`),
		event("response.function_call_arguments.delta", `"output_index":0,"item_id":"fc","delta":"\"}"`) +
			event("response.completed", `"response":{"id":"r","status":"completed","output":[]}`),
	},
}

// grown are the ways from a growing stream to each protocol, calls of wrapped custom tools
// too.
func grown(t *testing.T, f func(name string, c *goldenCase, begin, piece, rest string)) {
	t.Helper()
	for name, g := range growing {
		for _, to := range protocols {
			for _, custom := range []bool{false, true} {
				c := goldenCase{from: convert.For(g.from), to: convert.For(to), reply: ir.Reply{Model: "m", ID: "x"}}
				begin := g.begin
				if custom {
					if !strings.Contains(name, "arguments") {
						continue
					}
					c.restore.Customs = map[string]bool{"f": true}
					begin = strings.Replace(begin, `\"x\"`, `\"input\"`, 1)
				}
				f(fmt.Sprintf("%s to %s, custom %t", name, to, custom), &c, begin, g.piece, g.rest)
			}
		}
	}
}

// What a piece of text or arguments says is told before the next piece has come.
func TestPiecesAreToldAtOnce(t *testing.T) {
	grown(t, func(name string, c *goldenCase, begin, piece, rest string) {
		before := len(c.told(begin))
		for n := 1; n < 4; n++ {
			in := begin
			for i := range n {
				in += fmt.Sprintf(piece, fmt.Sprintf("word%d ", i))
			}
			out := c.told(in)
			if !bytes.Contains(out[before:], fmt.Appendf(nil, "word%d ", n-1)) {
				t.Errorf("%s: piece %d was held back:\n%s", name, n, out)
			}
		}
		checkGrammar(t, name, c, c.stream([]byte(begin+rest), nil))
	})
}

// told is what a stream has told so far.
func (c *goldenCase) told(in string) (out []byte) {
	dec, enc := c.from.NewStreamDecoder(c.source), c.to.NewStreamEncoder(c.reply)
	restore := ir.Restorer{Customs: c.restore.Customs}
	var p sse.Parser
	_ = p.Feed([]byte(in), func(f sse.Frame) {
		dec.Decode(f, func(ev *ir.Event) {
			restore.Event(ev, func(ev *ir.Event) { out = enc.Append(out, ev) })
		})
	})
	return out
}

// One piece of 100 KiB and bytes that are no text come through every conversion.
func TestLargeAndBrokenPieces(t *testing.T) {
	large := strings.Repeat("0123456789abcdef", 100<<10/16)
	grown(t, func(name string, c *goldenCase, begin, piece, rest string) {
		out := c.stream([]byte(begin+strings.ReplaceAll(piece, "%s", large)+rest), nil)
		checkGrammar(t, name, c, out)
		if !bytes.Contains(out, []byte(large)) {
			t.Errorf("%s: the large piece is lost", name)
		}
		out = c.stream([]byte(begin+strings.ReplaceAll(piece, "%s", "a\xff\xc3b")+rest), nil)
		checkGrammar(t, name, c, out)
		if !bytes.Contains(out, []byte("a\uFFFDb")) {
			t.Errorf("%s: %s", name, out)
		}
	})
}

// The memory that a stream takes grows with its length, not with its square.
func TestStreamMemory(t *testing.T) {
	allocated := func(c *goldenCase, in []byte) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		c.stream(in, nil)
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	grown(t, func(name string, c *goldenCase, begin, piece, rest string) {
		const pieces = 2000
		stream := func(n int) []byte {
			return []byte(begin + strings.Repeat(strings.ReplaceAll(piece, "%s", "word"), n) + rest)
		}
		short, long := allocated(c, stream(pieces)), allocated(c, stream(4*pieces))
		if long > 8*short {
			t.Errorf("%s: %d bytes for %d pieces, %d for %d", name, short, pieces, long, 4*pieces)
		}
	})
}

// The words with which upstreams end an answer, in what a client of each protocol reads.
func TestReasonsToStop(t *testing.T) {
	type row struct{ word, chat, messages, responses string }
	text, call := `"content":"hi"`, `"content":"hi","tool_calls":[{"id":"a","function":{"name":"f","arguments":"{}"}}]`
	const length, filter = "incomplete max_output_tokens", "incomplete content_filter"
	whole := func(from ir.Protocol, body string, r row) {
		t.Helper()
		res, err := convert.For(from).DecodeResponse([]byte(body), ir.Source{})
		for to, want := range map[ir.Protocol]string{ir.OpenAIChat: r.chat, ir.AnthropicMessages: r.messages, ir.OpenAIResponses: r.responses} {
			if want == "error" {
				if err == nil {
					t.Errorf("%s %s: no error", from, r.word)
				}
				continue
			}
			if err != nil {
				t.Fatalf("%s %s: %v", from, r.word, err)
			}
			out, err := convert.For(to).EncodeResponse(res, ir.Reply{Model: "m", ID: "x"})
			if err != nil {
				t.Fatal(err)
			}
			if got := stopIn(t, out); got != want {
				t.Errorf("%s %s is %q in %s, not %q", from, r.word, got, to, want)
			}
		}
	}
	for _, r := range []row{
		{"stop", "stop", "end_turn", "completed"},
		{"STOP", "stop", "end_turn", "completed"},
		{"eos", "stop", "end_turn", "completed"},
		{"end_turn", "stop", "end_turn", "completed"},
		{"unheard_of", "stop", "end_turn", "completed"},
		{"tool_calls", "stop", "end_turn", "completed"},
		{"function_call", "stop", "end_turn", "completed"},
		{"length", "length", "max_tokens", length},
		{"MAX_TOKENS", "length", "max_tokens", length},
		{"max_tokens", "length", "max_tokens", length},
		{"content_filter", "content_filter", "refusal", filter},
		{"SAFETY", "content_filter", "refusal", filter},
		{"RECITATION", "content_filter", "refusal", filter},
		{"PROHIBITED_CONTENT", "content_filter", "refusal", filter},
		{"BLOCKLIST", "content_filter", "refusal", filter},
		{"error", "error", "error", "error"},
		{"MALFORMED_FUNCTION_CALL", "error", "error", "error"},
	} {
		whole(ir.OpenAIChat, `{"choices":[{"message":{`+text+`},"finish_reason":"`+r.word+`"}]}`, r)
	}
	whole(ir.OpenAIChat, `{"choices":[{"message":{`+text+`},"finish_reason":null}]}`, row{"null", "stop", "end_turn", "completed"})
	for _, word := range []string{"stop", "eos", "tool_calls", "tool_use", "function_call", "unheard_of"} {
		whole(ir.OpenAIChat, `{"choices":[{"message":{`+call+`},"finish_reason":"`+word+`"}]}`, row{word + " with a call", "tool_calls", "tool_use", "completed"})
	}
	for _, r := range []row{
		{"end_turn", "stop", "end_turn", "completed"},
		{"stop_sequence", "stop", "stop_sequence", "completed"},
		{"max_tokens", "length", "max_tokens", length},
		{"model_context_window_exceeded", "length", "model_context_window_exceeded", length},
		{"refusal", "content_filter", "refusal", filter},
		{"pause_turn", "stop", "pause_turn", "completed"},
		{"compaction", "stop", "end_turn", "completed"},
		{"unheard_of", "stop", "end_turn", "completed"},
	} {
		whole(ir.AnthropicMessages, `{"type":"message","content":[{"type":"text","text":"hi"}],"stop_reason":"`+r.word+`"}`, r)
	}
	whole(ir.AnthropicMessages, `{"type":"message","content":[{"type":"tool_use","id":"a","name":"f","input":{}}],"stop_reason":"tool_use"}`, row{"tool_use", "tool_calls", "tool_use", "completed"})
	message := `[{"type":"message","content":[{"type":"output_text","text":"hi"}]}]`
	for status, r := range map[string]row{
		`"completed"`: {"completed", "stop", "end_turn", "completed"},
		`"incomplete","incomplete_details":{"reason":"max_output_tokens"}`: {"max_output_tokens", "length", "max_tokens", length},
		`"incomplete","incomplete_details":{"reason":"content_filter"}`:    {"content_filter", "content_filter", "refusal", filter},
		`"failed","error":{"code":"server_error","message":"x"}`:           {"failed", "error", "error", "error"},
		`"cancelled"`: {"cancelled", "error", "error", "error"},
	} {
		whole(ir.OpenAIResponses, `{"status":`+status+`,"output":`+message+`}`, r)
	}
	for _, kind := range []string{"function_call", "custom_tool_call"} {
		whole(ir.OpenAIResponses, `{"status":"completed","output":[{"type":"`+kind+`","call_id":"a","name":"f","arguments":"{}","input":"x"}]}`, row{kind, "tool_calls", "tool_use", "completed"})
	}
}

// stopIn is why an answer of any protocol says it ended.
func stopIn(t *testing.T, body []byte) string {
	t.Helper()
	var v struct {
		Status     string
		Incomplete struct{ Reason string } `json:"incomplete_details"`
		Stop       string                  `json:"stop_reason"`
		Choices    []struct {
			Finish string `json:"finish_reason"`
		}
	}
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Choices) > 0 {
		return v.Choices[0].Finish
	}
	return strings.TrimSpace(v.Stop + v.Status + " " + v.Incomplete.Reason)
}

// TestNothingBehindTheEnd: an answer that has ended, or failed, says no more, whatever else
// an upstream sends.
func TestNothingBehindTheEnd(t *testing.T) {
	failure := ir.Event{Kind: ir.Failure, Err: &ir.Error{Kind: ir.Internal, Message: prose.Verbatim("m")}}
	for _, p := range protocols {
		for _, last := range []ir.Event{{Kind: ir.End}, failure} {
			e := convert.For(p).NewStreamEncoder(ir.Reply{Model: "m", ID: "i"})
			for _, ev := range []ir.Event{{Kind: ir.Start}, {Kind: ir.Finish}, last} {
				e.Append(nil, &ev)
			}
			for _, ev := range []ir.Event{{Kind: ir.Ping}, {Kind: ir.PartOpen}, {Kind: ir.Finish}, {Kind: ir.End}, failure} {
				if more := e.Append(nil, &ev); len(more) > 0 {
					t.Errorf("%s after %d: %s", p, last.Kind, more)
				}
			}
			if alive := e.AppendKeepAlive(nil); len(alive) > 0 && alive[0] != ':' {
				t.Errorf("%s after %d: %s", p, last.Kind, alive)
			}
		}
	}
}

// TestTextInTheMiddleOfACall: what a model says before the arguments of a call are whole waits for
// their end, and is still what it said, although the memory that it was read from is used again.
func TestTextInTheMiddleOfACall(t *testing.T) {
	const call, text = `{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":%q}}]}}`, `{"index":0,"delta":{"content":%q}}`
	var in bytes.Buffer
	for _, choice := range []string{
		fmt.Sprintf(call, `{"x":`), fmt.Sprintf(text, "mean"), fmt.Sprintf(text, "while"), fmt.Sprintf(call, "1}"), `{"index":0,"delta":{},"finish_reason":"tool_calls"}`,
	} {
		fmt.Fprintf(&in, "data: {\"id\":\"c\",\"choices\":[%s]}\n\n", choice)
	}
	in.WriteString("data: [DONE]\n\n")
	for _, to := range protocols {
		c := goldenCase{from: convert.For(ir.OpenAIChat), to: convert.For(to), reply: ir.Reply{Model: "m", ID: "i"}}
		out := c.stream(in.Bytes(), nil)
		got, err := collect(c.to, out, ir.Source{})
		if err != nil {
			t.Fatalf("%s: %v\n%s", to, err, out)
		}
		if said := meaning(got); !strings.Contains(said, `text "meanwhile"`) || !strings.Contains(said, `f({"x":1}`) {
			t.Errorf("%s: %s\n%s", to, said, out)
		}
	}
}
