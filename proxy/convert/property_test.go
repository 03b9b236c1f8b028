package convert_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"apex-ai-proxy/proxy/convert"
	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/demo/grammar"
	"apex-ai-proxy/proxy/sse"
)

// streams are all recorded streams of the golden files.
func streams(t testing.TB) map[string]goldenCase {
	t.Helper()
	files, err := filepath.Glob("testdata/stream-*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	cases := make(map[string]goldenCase)
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		tt, ok := t.(*testing.T)
		if !ok {
			tt = &testing.T{}
		}
		cases[strings.TrimSuffix(filepath.Base(file), ".txtar")] = parseCase(tt, a)
	}
	return cases
}

// Whatever the pieces a stream arrives in, the client sees the same.
func TestStreamSplitAnywhere(t *testing.T) {
	for name, c := range streams(t) {
		want := c.stream(c.in, nil)
		for i := range c.in {
			if got := c.stream(nil, [][]byte{c.in[:i], c.in[i:]}); !bytes.Equal(got, want) {
				t.Fatalf("%s: cut at byte %d:\n%s\nwant:\n%s", name, i, got, want)
			}
		}
		single := make([][]byte, len(c.in))
		for i := range c.in {
			single[i] = c.in[i : i+1]
		}
		if got := c.stream(nil, single); len(c.in) > 0 && !bytes.Equal(got, want) {
			t.Errorf("%s: byte by byte:\n%s\nwant:\n%s", name, got, want)
		}
	}
}

// The forms of the same stream that the standard allows read the same.
func TestStreamForms(t *testing.T) {
	forms := map[string]func(string) string{
		"CRLF":     func(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n") },
		"CR":       func(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r") },
		"BOM":      func(s string) string { return "\uFEFF" + s },
		"comments": func(s string) string { return ": hi\n\n" + strings.ReplaceAll(s, "\n\n", "\n: x\n\n: y\n") },
		"lines":    func(s string) string { return strings.ReplaceAll(s, "data: {", "data: {\ndata:  ") },
		"no end":   func(s string) string { return strings.TrimRight(s, "\r\n") },
		"ids":      func(s string) string { return strings.ReplaceAll(s, "data: {", "id: 7\nretry: 3\ndata:{") },
	}
	for name, c := range streams(t) {
		if len(c.in) == 0 {
			continue
		}
		want := c.stream(c.in, nil)
		for form, change := range forms {
			if got := c.stream([]byte(change(string(c.in))), nil); !bytes.Equal(got, want) {
				t.Errorf("%s as %s:\n%s\nwant:\n%s", name, form, got, want)
			}
		}
	}
}

// Chunks that differ in their text alone are read as the one before (rawjson.Template), those
// with spaces of their own never are. Whatever comes between them, the client sees the same.
func TestStreamSameChunks(t *testing.T) {
	chunk := func(delta, rest string) string {
		return `data: {"id":"c","choices":[{"index":0,"delta":{` + delta + `},"finish_reason":null` + rest + "\n\n"
	}
	const end, ending = `}]}`, "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"
	alphabet := []string{
		chunk(`"content":"a"`, end), chunk(`"content":"b\n\"c\""`, end), chunk(`"content":""`, end), chunk(`"content":null`, end),
		chunk(`"content":"\ud83d"`, end), chunk(`"content":"\ude00"`, end), chunk("\"content\":\"\xff\"", end),
		chunk(`"content":"d","reasoning":"e"`, end), chunk(`"reasoning":"f"`, end), chunk(`"content":"g","refusal":"h"`, end),
		chunk(`"content":"i","annotations":[{"type":"url_citation","url_citation":{"url":"https://a.example/"}}]`, end),
		chunk(`"tool_calls":[{"index":0,"id":"t","type":"function","function":{"name":"f","arguments":"{"}}]`, end),
		chunk(`"tool_calls":[{"index":0,"function":{"arguments":"}"}}]`, end),
		chunk(`"tool_calls":[{"index":0,"id":"u","function":{"arguments":"{"}}]`, end),
		chunk(`"content":"j"`, `}],"usage":{"prompt_tokens":1,"completion_tokens":2}}`),
		chunk(`"content":null`, `}],"usage":{"prompt_tokens":3,"completion_tokens":4}}`),
		`data: {"id":"c","choices":[{"index":0,"delta":{"content":"k"},"finish_reason":"stop"}]}` + "\n\n",
		`data: {"id":"c","choices":[{"index":1,"delta":{"content":"l"},"finish_reason":null}]}` + "\n\n",
		"event: error\n" + chunk(`"content":"m"`, end), "event: x\n" + chunk(`"content":"n"`, end),
		chunk(`"content":"\x"`, end), chunk(`"content":"o`, end), "data: {}\n\n",
	}
	pick := rand.New(rand.NewPCG(1, 2))
	c := goldenCase{from: convert.For(ir.OpenAIChat), to: convert.For(ir.AnthropicMessages), reply: ir.Reply{Model: "m", ID: "x", Created: 1}}
	for range 10000 {
		var same, spaced strings.Builder
		for i := range 12 {
			next := alphabet[pick.IntN(len(alphabet))]
			if pick.IntN(2) == 0 {
				next = alphabet[pick.IntN(3)]
			}
			same.WriteString(next)
			spaced.WriteString(strings.Replace(next, "{", "{"+strings.Repeat(" ", i+1), 1))
		}
		same.WriteString(ending)
		spaced.WriteString(ending)
		if got, want := c.stream([]byte(same.String()), nil), c.stream([]byte(spaced.String()), nil); !bytes.Equal(got, want) {
			t.Fatalf("%s\nbecame:\n%s\nwant:\n%s", same.String(), got, want)
		}
	}
}

// Cut behind any frame, by an end of file or a broken connection, a stream still ends as
// its protocol demands, only a whole answer looks like one, and what came is passed on.
func TestStreamCutAfterEveryFrame(t *testing.T) {
	for name, c := range streams(t) {
		frames := framesOf(c.in)
		for n := range frames {
			part := bytes.Join(frames[:n], nil)
			whole := c.stream(part, nil)
			checkGrammar(t, name, &c, whole)
			if !finished(part) && !c.target.Dialect.LenientEOF && !failed(&c, whole) {
				t.Errorf("%s: cut after %d frames it looks whole:\n%s", name, n, whole)
			}
			out, ended := c.broken(part, errors.New("connection reset"))
			checkGrammar(t, name, &c, out)
			if !ended && !failed(&c, out) {
				t.Errorf("%s: a broken connection after %d frames was told as an end:\n%s", name, n, out)
			}
			if came, told := speech(t, part), speech(t, out); !strings.HasPrefix(told, came) {
				t.Errorf("%s: cut after %d frames %q came and %q was passed on", name, n, came, told)
			}
		}
	}
}

// framesOf cuts a stream behind each of its events.
func framesOf(stream []byte) [][]byte {
	return bytes.SplitAfter(bytes.ReplaceAll(stream, []byte("\r\n"), []byte("\n")), []byte("\n\n"))
}

// An error of the upstream behind any frame ends the stream in an error of the client's
// protocol, and a line of garbage between two frames changes nothing.
func TestStreamFaultBetweenFrames(t *testing.T) {
	for name, c := range streams(t) {
		frames := framesOf(c.in)
		want := c.stream(bytes.Join(frames, nil), nil)
		for n := 1; n < len(frames); n++ {
			before, behind := bytes.Join(frames[:n], nil), bytes.Join(frames[n:], nil)
			if _, ended := c.broken(before, nil); ended {
				break
			}
			for _, fault := range []string{
				"data: {\"error\":{\"message\":\"it broke\",\"type\":\"server_error\"}}\n\n",
				"event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"it broke\"}}\n\n",
				"event: error\ndata: {\"type\":\"error\",\"code\":null,\"message\":\"it broke\"}\n\n",
			} {
				out := c.stream(slices.Concat(before, []byte(fault), behind), nil)
				checkGrammar(t, name, &c, out)
				if !failed(&c, out) || !bytes.Contains(out, []byte("it broke")) {
					t.Errorf("%s: the error %q after %d frames was not told:\n%s", name, fault, n, out)
				}
			}
			for _, noise := range []string{"data: {garbage\n\n", ": data\n\n", "data:\n\n", "data: null\n\n", "\n\n"} {
				if out := c.stream(slices.Concat(before, []byte(noise), behind), nil); !bytes.Equal(out, want) {
					t.Errorf("%s: %q after %d frames changed the stream:\n%s", name, noise, n, out)
				}
			}
		}
	}
}

// A client may be sent a sign of life between any two events.
func TestStreamKeptAlive(t *testing.T) {
	for name, c := range streams(t) {
		dec, enc := c.from.NewStreamDecoder(c.source), c.to.NewStreamEncoder(c.reply)
		restore := ir.Restorer{Customs: c.restore.Customs}
		out := enc.AppendKeepAlive(nil)
		emit := func(ev *ir.Event) {
			restore.Event(ev, func(ev *ir.Event) { out = enc.Append(out, ev) })
			if ev.Kind != ir.End && ev.Kind != ir.Failure {
				out = enc.AppendKeepAlive(out)
			}
		}
		var p sse.Parser
		frame := func(f sse.Frame) { dec.Decode(f, emit) }
		if err := p.Feed(c.in, frame); err != nil {
			t.Fatal(err)
		}
		p.Close(frame)
		dec.Close(nil, emit)
		checkGrammar(t, name, &c, out)
	}
}

// broken converts a stream that ends with cause; ended tells that it was whole before.
func (c *goldenCase) broken(in []byte, cause error) (out []byte, ended bool) {
	dec, enc := c.from.NewStreamDecoder(c.source), c.to.NewStreamEncoder(c.reply)
	restore := ir.Restorer{Customs: c.restore.Customs}
	emit := func(ev *ir.Event) {
		restore.Event(ev, func(ev *ir.Event) { out = enc.Append(out, ev) })
	}
	var p sse.Parser
	_ = p.Feed(in, func(f sse.Frame) { dec.Decode(f, emit) })
	ended = dec.Done()
	dec.Close(cause, emit)
	return out, ended
}

// speech is the text in the deltas of a stream of any protocol, thinking apart, with the
// halves of the character that the streams cut put together.
func speech(t *testing.T, stream []byte) string {
	t.Helper()
	var text strings.Builder
	var p sse.Parser
	p.Feed(stream, func(f sse.Frame) {
		var e struct {
			Type    string
			Delta   any
			Choices []struct {
				Index int
				Delta struct{ Content any }
			}
		}
		if json.Unmarshal(f.Data, &e) != nil {
			return
		}
		switch d := e.Delta.(type) {
		case string:
			if e.Type == "response.output_text.delta" {
				text.WriteString(d)
			}
		case map[string]any:
			if d["type"] == "text_delta" {
				text.WriteString(d["text"].(string))
			}
		}
		for _, c := range e.Choices {
			if s, ok := c.Delta.Content.(string); ok && c.Index == 0 {
				text.WriteString(s)
			}
		}
	})
	return strings.TrimRight(strings.ReplaceAll(text.String(), "\uFFFD\uFFFD", "😀"), "\uFFFD")
}

// finished tells whether an upstream told the end of its answer, whatever its protocol.
func finished(stream []byte) bool {
	for _, mark := range []string{`"finish_reason":"`, `"finish_reason": "`, "[DONE]", `"stop_reason":"`, `"response.completed"`, `"response.incomplete"`} {
		if bytes.Contains(stream, []byte(mark)) {
			return true
		}
	}
	return false
}

// failed tells whether the client was told of an error.
func failed(c *goldenCase, out []byte) bool {
	switch c.to {
	case convert.For(ir.AnthropicMessages):
		return bytes.Contains(out, []byte("event: error\n"))
	case convert.For(ir.OpenAIResponses):
		return bytes.Contains(out, []byte("event: response.failed\n"))
	default:
		return bytes.Contains(out, []byte(`data: {"error":{`))
	}
}

func checkGrammar(t *testing.T, name string, c *goldenCase, out []byte) {
	t.Helper()
	var err error
	switch c.to {
	case convert.For(ir.AnthropicMessages):
		err = grammar.Messages(out)
	case convert.For(ir.OpenAIResponses):
		err = grammar.Responses(out)
	default:
		err = grammar.Chat(out, c.reply.IncludeUsage)
	}
	var told *grammar.StreamError // a correct stream that reports an error
	if err != nil && !errors.As(err, &told) && !excused(c, err) {
		t.Errorf("%s: %v\n%s", name, err, out)
	}
}
