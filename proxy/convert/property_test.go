package convert_test

import (
	"bytes"
	"errors"
	"path/filepath"
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

// Cut behind any frame, by an end of file or a broken connection, a stream still ends as
// its protocol demands, and only a whole answer looks like one.
func TestStreamCutAfterEveryFrame(t *testing.T) {
	for name, c := range streams(t) {
		frames := bytes.SplitAfter(c.in, []byte("\n\n"))
		for n := range frames {
			part := bytes.Join(frames[:n], nil)
			whole := c.stream(part, nil)
			checkGrammar(t, name, &c, whole)
			if !finished(part) && !c.target.Dialect.LenientEOF && !failed(&c, whole) {
				t.Errorf("%s: cut after %d frames it looks whole:\n%s", name, n, whole)
			}

			dec, enc := c.from.NewStreamDecoder(ir.Source{}), c.to.NewStreamEncoder(c.reply)
			var out []byte
			var last ir.EventKind
			emit := func(ev *ir.Event) { out, last = enc.Append(out, ev), ev.Kind }
			var p sse.Parser
			if err := p.Feed(part, func(f sse.Frame) { dec.Decode(f, emit) }); err != nil {
				t.Fatal(err)
			}
			ended := dec.Done()
			dec.Close(errors.New("connection reset"), emit)
			if !ended && last != ir.Failure {
				t.Errorf("%s: a broken connection after %d frames was told as event %d", name, n, last)
			}
			checkGrammar(t, name, &c, out)
		}
	}
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
