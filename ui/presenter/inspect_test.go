package presenter

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"apex-ai-proxy/proxy/capture"
	"apex-ai-proxy/proxy/event"
)

// captured is a snapshot of an exchange with these bodies; "" for a side that was not reached.
func captured(t *testing.T, perBody int, sides ...string) *capture.Snapshot {
	t.Helper()
	s := capture.NewStore(capture.Limits{Exchanges: 1, PerBody: perBody, Total: 1 << 20}, nil)
	r := s.Open("req_1")
	for i, body := range sides {
		h := http.Header{"Content-Type": {"application/json"}, "X-Api-Key": {"secret"}}
		if strings.HasPrefix(body, "data:") {
			h.Set("Content-Type", "text/event-stream; charset=utf-8")
		}
		switch side := capture.Side(i); {
		case body == "":
		case side <= capture.UpstreamRequest:
			r.Request(side, "POST", "/v1/messages", h, []byte(body))
		default:
			r.Answer(side, 200, h)
			r.Write(side, []byte(body))
		}
	}
	r.End(false)
	snap, _ := s.Get("req_1")
	return &snap
}

func marks(lines []Line) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString([]string{" ", "-", "+"}[l.Mark] + l.Text + "\n")
	}
	return b.String()
}

func TestInspect(t *testing.T) {
	snap := captured(t, 1<<20, `{"model":"a","max_tokens":5,"messages":[]}`, `{"model":"b","messages":[]}`, `{"x":1}`, `{"x":1}`)
	in := Inspect(&event.Exchange{ID: "req_1"}, snap, true, capture.DefaultLimits(), Pretty)
	if in.Why != "" || in.Revision != snap.Revision {
		t.Errorf("%+v", in)
	}
	want := " {\n-  \"model\": \"a\",\n-  \"max_tokens\": 5,\n   \"messages\": []\n }\n"
	if got := marks(in.Request.Left.Lines); got != want {
		t.Errorf("left:\n%s", got)
	}
	if got := marks(in.Request.Right.Lines); got != " {\n+  \"model\": \"b\",\n   \"messages\": []\n }\n" {
		t.Errorf("right:\n%s", got)
	}
	if in.Request.Left.Head != "POST /v1/messages" || in.Answer.Right.Head != "200 OK" {
		t.Errorf("heads %q %q", in.Request.Left.Head, in.Answer.Right.Head)
	}
	if in.Request.Note != "Lines that differ: 2 only on the left, 1 only on the right." || !strings.Contains(in.Answer.Note, "same") {
		t.Errorf("notes %q %q", in.Request.Note, in.Answer.Note)
	}
	if h := fmt.Sprint(in.Request.Left.Headers); strings.Contains(h, "secret") || !strings.Contains(h, "Content-Type") {
		t.Errorf("headers %s", h)
	}
}

// TestInspectNamesTheDemo: its address is for nobody to see.
func TestInspectNamesTheDemo(t *testing.T) {
	captures := capture.NewStore(capture.DefaultLimits(), nil)
	r := captures.Open("req_1")
	r.Request(capture.UpstreamRequest, "POST", "http://built-in-demo.invalid/v1/messages", http.Header{}, []byte("{}"))
	r.End(false)
	snap, _ := captures.Get("req_1")
	in := Inspect(&event.Exchange{ID: "req_1", Provider: demoProvider}, &snap, true, capture.DefaultLimits(), Pretty)
	if p := in.Request.Right; p.Title != "To the built-in demo" || p.Head != "POST /v1/messages" || in.Answer.Left.Title != "From the built-in demo" {
		t.Errorf("%q, %q, %q", p.Title, p.Head, in.Answer.Left.Title)
	}
}

func TestInspectForms(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		form BodyForm
		want string
	}{
		"json pretty":    {`{"a":[1,2]}`, Pretty, "{\n  \"a\": [\n    1,\n    2\n  ]\n}"},
		"json as sent":   {`{"a":[1,2]}`, AsSent, `{"a":[1,2]}`},
		"stream":         {"data: {\"a\":1}\r\n\r\ndata: [DONE]\n\n", Pretty, "data: {\"a\":1}\n\ndata: [DONE]"},
		"not json":       {"{half", Pretty, "{half"},
		"big integers":   {`{"n":12345678901234567890}`, Pretty, "{\n  \"n\": 12345678901234567890\n}"},
		"control, bidi":  {"a\x1b[31m\tb\u202ec\xff", AsSent, "a\uFFFD[31m b\uFFFDc\uFFFD"},
		"duplicate keys": {`{"a":1,"a":2}`, Pretty, "{\n  \"a\": 1,\n  \"a\": 2\n}"},
	} {
		var got []string
		for _, l := range linesOf([]byte(c.body), c.form) {
			got = append(got, l.Text)
		}
		if s := strings.Join(got, "\n"); s != c.want {
			t.Errorf("%s: %q, want %q", name, s, c.want)
		}
	}
}

func TestInspectNotes(t *testing.T) {
	x := &event.Exchange{ID: "req_1"}
	in := Inspect(x, captured(t, 4, "123456", ""), true, capture.DefaultLimits(), Pretty)
	if n := in.Request.Left.Note; n != "The first 4 B of 6 B." {
		t.Errorf("cut: %q", n)
	}
	if in.Request.Right.Note != "Not sent." || in.Answer.Left.Note != "Nothing received yet." || in.Request.Note != "" {
		t.Errorf("%+v", in)
	}
	refused := &event.Exchange{ID: "req_1", Phase: event.Failed}
	in = Inspect(refused, captured(t, 100, "", "", "", `{"error":{}}`), true, capture.DefaultLimits(), Pretty)
	if in.Request.Left.Note != "Not read." || in.Request.Right.Note != "Not sent." || in.Answer.Left.Note != "No answer." ||
		in.Answer.Right.Head != "200 OK" || in.Answer.Note != "" {
		t.Errorf("refused: %+v", in)
	}
	if in = Inspect(x, captured(t, 100, "", "", "", ""), true, capture.DefaultLimits(), Pretty); in.Request.Left.Note != "Not sent." {
		t.Errorf("a request that is being read: %+v", in)
	}
	in = Inspect(x, captured(t, 100, "a", "b", "data: 1", "data: 2"), true, capture.DefaultLimits(), Pretty)
	if in.Answer.Note != "Passed through event by event." {
		t.Errorf("streams: %q", in.Answer.Note)
	}
	converted := &event.Exchange{ID: "req_1", ClientProtocol: "anthropic-messages", UpstreamProtocol: "openai-chat"}
	in = Inspect(converted, captured(t, 100, "a", "b", "data: 1", "data: 2"), true, capture.DefaultLimits(), Pretty)
	if in.Answer.Note != "Converted event by event." {
		t.Errorf("converted streams: %q", in.Answer.Note)
	}
	in = Inspect(converted, captured(t, 100, "a", "b", "data: 1", "data: 2"), true, capture.DefaultLimits(), AsSent)
	if in.Answer.Note != "Converted event by event." { // nothing would be marked in the other form
		t.Errorf("converted streams as sent: %q", in.Answer.Note)
	}
	long := strings.Repeat("x\n", comparable)
	in = Inspect(x, captured(t, 1<<20, long, long+"y"), true, capture.DefaultLimits(), Pretty)
	if in.Request.Note != "Too long to compare." {
		t.Errorf("long: %q", in.Request.Note)
	}
}

func TestWhyNothing(t *testing.T) {
	l := capture.DefaultLimits()
	with := func(m capture.Mode) capture.Limits { l := l; l.Mode = m; return l }
	for name, c := range map[string]struct {
		x    event.Exchange
		l    capture.Limits
		want string
	}{
		"no body":       {event.Exchange{}, l, "answered by the proxy itself"},
		"refused":       {event.Exchange{Phase: event.Failed}, l, "not being kept when"},
		"was off":       {event.Exchange{ClientProtocol: "openai-chat"}, l, "not being kept when"},
		"only failures": {event.Exchange{ClientProtocol: "openai-chat", Captured: true, Phase: event.Done}, with(capture.Errors), "Only failed"},
		"off now":       {event.Exchange{ClientProtocol: "openai-chat", Captured: true}, with(capture.Off), "no longer kept"},
		"made room":     {event.Exchange{ClientProtocol: "openai-chat", Captured: true}, l, "the last 100 requests"},
	} {
		if in := Inspect(&c.x, nil, false, c.l, Pretty); !strings.Contains(in.Why, c.want) {
			t.Errorf("%s: %q", name, in.Why)
		}
	}
}

// What a person looks for is what is not on the other side: not what stands elsewhere there, in
// another order, deeper, or with another comma.
func TestMarksOnlyWhatIsNotThere(t *testing.T) {
	for name, c := range map[string]struct{ left, right, gone, added string }{
		"order":       {`{"a":1,"b":{"c":2},"d":3}`, `{"d":3,"b":{"c":2},"a":1}`, "", ""},
		"last comma":  {`{"a":1,"b":[1]}`, `{"b":[1],"a":1}`, "", ""},
		"depth":       {`{"tools":[{"name":"Read","input_schema":{"type":"object"}}]}`, `{"tools":[{"type":"function","function":{"name":"Read","parameters":{"type":"object"}}}]}`, `"input_schema": {`, `"type": "function",|"function": {|"parameters": {`},
		"value":       {`{"model":"a","n":1}`, `{"model":"b","n":1}`, `"model": "a",`, `"model": "b",`},
		"brackets":    {`{"a":[{"x":1}]}`, `{"a":{"x":1}}`, `"a": [`, `"a": {`},
		"how often":   {`["x","x","y"]`, `["x","y"]`, `"x",`, ""},
		"as numbers":  {`{"text":"\u4f60\u597d \ud83c\udf89"}`, `{"text":"你好 🎉"}`, "", ""},
		"not hidden":  {`{"text":"\u0000\\u4f60\ud83c"}`, `{"text":"\u0000\\你\ud83c"}`, `"text": "\u0000\\u4f60\ud83c"`, `"text": "\u0000\\你\ud83c"`},
		"quotes stay": {`{"text":"\u0022\u005c"}`, `{"text":"\"\\"}`, `"text": "\u0022\u005c"`, `"text": "\"\\"`},
	} {
		left, right := linesOf([]byte(c.left), Pretty), linesOf([]byte(c.right), Pretty)
		gone, added, _ := mark(left, right)
		l, r := marked(left), marked(right)
		if strings.Join(l, "|") != c.gone || strings.Join(r, "|") != c.added || len(l) != gone || len(r) != added {
			t.Errorf("%s: %q and %q, %d and %d\n%s\n%s", name, l, r, gone, added, marks(left), marks(right))
		}
	}
}

// TestInspectTellsWhatMoved: nothing is marked where two messages have changed places, or their
// roles have, but the two sides are not told to be the same.
func TestInspectTellsWhatMoved(t *testing.T) {
	const asked = `{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}`
	for body, want := range map[string]string{
		`{"messages":[{"role":"assistant","content":"a"},{"role":"user","content":"b"}]}`:                "0 only on the left, 0 only on the right, 2 at another place.",
		`{"messages":[{"role":"assistant","content":"b"},{"role":"user","content":"a"}]}`:                "0 only on the left, 0 only on the right, 2 at another place.",
		`{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}],"stream":false}`: "0 only on the left, 1 only on the right.",
		`{"messages": [{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}`:               "0 only on the left, 0 only on the right.",
	} {
		in := Inspect(&event.Exchange{ID: "req_1"}, captured(t, 1<<20, asked, body), true, capture.DefaultLimits(), Pretty)
		if !strings.HasSuffix(in.Request.Note, ": "+want) {
			t.Errorf("%s: %q", body, in.Request.Note)
		}
	}
}

func marked(lines []Line) (out []string) {
	for _, l := range lines {
		if l.Mark != Same {
			out = append(out, strings.TrimSpace(l.Text))
		}
	}
	return out
}

// TestMarks compares random texts: what is not marked must be there as often on both sides, and
// nothing that is marked on one may be marked on the other.
func TestMarks(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	text := func() []Line {
		out := make([]Line, rng.IntN(30))
		for i := range out {
			out[i].Text = strings.Repeat(" ", rng.IntN(3)) + string(rune('a'+rng.IntN(4)))
			if rng.IntN(3) == 0 {
				out[i].Text += ","
			}
		}
		return out
	}
	counts := func(lines []Line) (same, differ [4]int) {
		for _, l := range lines {
			c := strings.Trim(l.Text, " ,")[0] - 'a'
			if l.Mark == Same {
				same[c]++
			} else {
				differ[c]++
			}
		}
		return same, differ
	}
	for range 2000 {
		left, right := text(), text()
		gone, added, _ := mark(left, right)
		sameLeft, onlyLeft := counts(left)
		sameRight, onlyRight := counts(right)
		if sameLeft != sameRight || len(marked(left)) != gone || len(marked(right)) != added {
			t.Fatalf("%d and %d\n%s\n%s", gone, added, marks(left), marks(right))
		}
		for c := range onlyLeft {
			if onlyLeft[c] > 0 && onlyRight[c] > 0 {
				t.Fatalf("marked on both sides\n%s\n%s", marks(left), marks(right))
			}
		}
	}
}

func BenchmarkInspect(b *testing.B) {
	for name, n := range map[string]int{"200KB": 200 << 10, "5MB": 5 << 20} {
		b.Run(name, func(b *testing.B) {
			body := []byte(`{"messages":[` + strings.Repeat(`{"role":"user","content":"`+strings.Repeat("text ", 40)+`"},`, n/240) + `{}]}`)
			s := capture.NewStore(capture.Limits{Exchanges: 1, PerBody: 8 << 20, Total: 1 << 30}, nil)
			r := s.Open("x")
			r.Request(capture.ClientRequest, "POST", "/", nil, body)
			r.Request(capture.UpstreamRequest, "POST", "/", nil, append([]byte(`{"model":"x",`), body[1:]...))
			snap, _ := s.Get("x")
			b.ReportAllocs()
			for b.Loop() {
				Inspect(&event.Exchange{}, &snap, true, capture.DefaultLimits(), Pretty)
			}
		})
	}
}

// A backslash that stands before a u is no number of a character.
func TestBackslashesStay(t *testing.T) {
	lines := linesOf([]byte(`"\\u0041 \u00e9 \\u00e9"`), Pretty)
	if want := `"\\u0041 é \\u00e9"`; lines[0].Text != want {
		t.Errorf("%s is shown, want %s", lines[0].Text, want)
	}
}
