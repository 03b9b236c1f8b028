package proxy

import (
	"encoding/json"
	"strings"
	"testing"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/proxy/provider"
)

// renames makes an exchange that was asked for one model and sent another one.
func renames(client ir.Protocol, asked string) *exchange {
	return &exchange{client: client, rec: event.Exchange{ModelAsked: asked}, route: provider.Route{Model: "m"}}
}

const (
	toolWithModel = `{"type":"tool_use","input":{"model":"T","response":{"model":"T"},"message":{"model":"T"}}}`
	asText        = `"say \"model\":\"T\" and {\"message\":{\"model\":\"T\"}} \\"`
)

func TestRename(t *testing.T) {
	const asked = "a\"lias\u00e9#x"
	name, err := json.Marshal(asked)
	if err != nil {
		t.Fatal(err)
	}
	sse := func(lines ...string) string { return strings.Join(lines, "\n") + "\n\n" }
	// In what goes in, § is the name to be replaced; every other name stays.
	for label, c := range map[string]struct {
		client ir.Protocol
		stream bool
		in     string
	}{
		"chat":                     {ir.OpenAIChat, false, `{"id":"model","object":"model","model":§,"choices":[{"model":"T","message":` + asText + `}]}`},
		"spaces":                   {ir.OpenAIChat, false, "\ufeff {\r\n \"model\" \t: § ,\n\"model_x\":\"T\"}"},
		"at the end":               {ir.OpenAIChat, false, `{"data":[{"embedding":[1,2,{"model":"T"}]}],"x":{"model":"T"},"model":§}`},
		"none":                     {ir.OpenAIChat, false, `{"object":"list","data":[],"x":"model"}`},
		"null":                     {ir.OpenAIChat, false, `{"model":null,"x":["model","T"]}`},
		"an object":                {ir.OpenAIChat, false, `{"model":{"model":"T"}}`},
		"no object":                {ir.OpenAIChat, false, `[{"model":"T"}]`},
		"key with an escape":       {ir.OpenAIChat, false, `{"model\\":"T","\"model":"T","model":§}`},
		"long key":                 {ir.OpenAIChat, false, `{"modelmodelmodel":"T","model":§}`},
		"name with escapes":        {ir.OpenAIChat, false, `{"model":§,"a":"\\"}`},
		"message":                  {ir.AnthropicMessages, false, `{"content":[` + toolWithModel + `],"model":§,"type":"message"}`},
		"response":                 {ir.OpenAIResponses, false, `{"instructions":` + asText + `,"tools":[{"model":"T"}],"model":§,"output":[` + toolWithModel + `]}`},
		"chat stream":              {ir.OpenAIChat, true, sse(`data: {"id":"a","model":§,"choices":[{"delta":{"content":`+asText+`}}]}`) + sse(`data:{"model":§}`) + sse(": model", "data: [DONE]")},
		"chat stream, CRLF":        {ir.OpenAIChat, true, strings.ReplaceAll(sse(`data: {"id":"a","model":§}`)+sse(`data: {"choices":[],"model":§}`), "\n", "\r\n")},
		"chat stream, CR":          {ir.OpenAIChat, true, strings.ReplaceAll(sse(`data: {"id":"a","model":§}`)+sse(`data: {"model":§}`), "\n", "\r")},
		"data in lines":            {ir.OpenAIChat, true, sse(`data: {"id":"a",`, `data: "model"`, `event: x`, `data: :§,`, `data: "x":{"model":"T"}}`) + sse(`data: {"model":§}`)},
		"other fields":             {ir.OpenAIChat, true, sse(`event: {"model":"T"}`, `dat: {"model":"T"}`, `data`, `data: {"model":§}`, `database: {"model":"T"}`)},
		"an event that is cut":     {ir.OpenAIChat, true, sse(`data: {"id":"a","choices":[{"x`) + sse(`data: {"model":§}`)},
		"messages stream":          {ir.AnthropicMessages, true, sse(`event: message_start`, `data: {"type":"message_start","message":{"id":"i","content":[],"model":§},"model":"T"}`) + sse(`data: {"type":"content_block_start","content_block":`+toolWithModel+`}`) + sse(`data: {"message":{"model":"T"}}`)},
		"messages stream, tool":    {ir.AnthropicMessages, true, sse(`data: {"type":"x","content_block":`+toolWithModel+`}`) + sse(`data: {"message":{"content":[`+toolWithModel+`],"model":§}}`)},
		"responses stream":         {ir.OpenAIResponses, true, sse(`data: {"type":"response.created","response":{"tools":[`+toolWithModel+`],"model":§,"output":[]}}`) + sse(`data: {"type":"response.output_item.done","item":`+toolWithModel+`}`) + sse(`data: {"response":{"output":[`+toolWithModel+`],"model":§},"model":"T"}`)},
		"messages stream in lines": {ir.AnthropicMessages, true, sse(`event: message_start`, `data: {"message":`, `data: {"id":"i",`, `data: "model":§}}`) + sse(`data: {"model":"T"}`)},
		"responses in lines":       {ir.OpenAIResponses, true, sse(`data: {"response":{"id":"i",`, `data: "model":§}}`) + sse(`data: {"model":"T"}`)},
		"byte order mark":          {ir.OpenAIChat, true, "\ufeff" + sse(`data: {"model":§}`) + sse(`data: {"model":§}`)},
		"responses stream, no one": {ir.OpenAIResponses, true, sse(`data: {"type":"response.output_text.delta","delta":`+asText+`}`) + sse(`data: {"response":"model","model":"T"}`)},
	} {
		t.Run(label, func(t *testing.T) {
			in := strings.ReplaceAll(c.in, "§", `"ve\"n\\"`)
			want := strings.ReplaceAll(c.in, "§", string(name))
			for i := range len(in) + 1 {
				r := renames(c.client, asked).renamer(c.stream)
				got := string(r.rename([]byte(in[:i])))
				got += string(r.rename([]byte(in[i:])))
				if got != want {
					t.Fatalf("cut at %d:\n%s\nwant\n%s", i, got, want)
				}
			}
			r := renames(c.client, asked).renamer(c.stream)
			var got string
			for i := range len(in) {
				got += string(r.rename([]byte(in[i : i+1])))
			}
			if got != want {
				t.Errorf("byte by byte:\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestNothingToRename: an answer to a request that went up as it was comes back as it is.
func TestNothingToRename(t *testing.T) {
	if r := renames(ir.OpenAIChat, "m").renamer(true); r != nil || !r.settled() {
		t.Error("the same name is replaced")
	}
	b := []byte(`{"model":"m-2026-01-01"}`)
	var none *renamer
	if got := none.rename(b); &got[0] != &b[0] {
		t.Error("the bytes were copied")
	}
}

func TestRenameAllocates(t *testing.T) {
	chunk := []byte("data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m-2026\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hello\"},\"finish_reason\":null}]}\n\n")
	r := renames(ir.OpenAIChat, "m#openai").renamer(true)
	r.rename(chunk)
	if n := testing.AllocsPerRun(100, func() { r.rename(chunk) }); n != 0 {
		t.Errorf("%v allocations per event", n)
	}
}

func FuzzRename(f *testing.F) {
	f.Add(`data: {"a":{"model":"T"},"model":"x"}`+"\n\n", 5, true)
	f.Add(`{"x":["\\",{"}":1}],"model":"x"}`, 9, false)
	f.Fuzz(func(t *testing.T, in string, cut int, stream bool) {
		cut = min(max(0, cut), len(in))
		for _, p := range []ir.Protocol{ir.OpenAIChat, ir.AnthropicMessages, ir.OpenAIResponses} {
			x := renames(p, "N")
			whole := string(x.renamer(stream).rename([]byte(in)))
			r := x.renamer(stream)
			parts := string(r.rename([]byte(in[:cut])))
			parts += string(r.rename([]byte(in[cut:])))
			if whole != parts {
				t.Fatalf("cut at %d: %q, at once: %q", cut, parts, whole)
			}
			var was, is map[string]any
			if stream || json.Unmarshal([]byte(in), &was) != nil || json.Unmarshal([]byte(whole), &is) != nil {
				continue
			}
			delete(was, "model")
			delete(is, "model")
			a, _ := json.Marshal(was)
			b, _ := json.Marshal(is)
			if string(a) != string(b) {
				t.Fatalf("%s became %s", a, b)
			}
		}
	})
}

func BenchmarkRename(b *testing.B) {
	event := `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m-2026","choices":[{"index":0,"delta":{"content":"hello"},"finish_reason":null}]}` + "\n\n"
	for name, n := range map[string]int{"one event": 1, "a full buffer": bufferSize / len(event)} {
		b.Run(name, func(b *testing.B) {
			chunk := []byte(strings.Repeat(event, n))
			r := renames(ir.OpenAIChat, "m#openai").renamer(true)
			b.SetBytes(int64(len(chunk)))
			b.ReportAllocs()
			for b.Loop() {
				r.rename(chunk)
			}
		})
	}
}
