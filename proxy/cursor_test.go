package proxy_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestForeignShapesOnTheChatPath: what Cursor writes as other protocols have it reaches a
// Chat upstream as Chat, and is answered as Chat.
func TestForeignShapesOnTheChatPath(t *testing.T) {
	for name, c := range map[string]struct{ more, messages, want string }{
		"flat function": {
			`"tools":[{"type":"function","name":"f","parameters":{"type":"object","properties":{}}}],`, `[{"role":"user","content":"hi"}]`,
			`"tools":[{"type":"function","function":{"name":"f"`,
		},
		"flat custom tool": {
			`"tools":[{"type":"custom","name":"ApplyPatch","format":{"type":"text"}}],`, `[{"role":"user","content":"hi"}]`,
			`"tools":[{"type":"function","function":{"name":"ApplyPatch"`,
		},
		"anthropic tool": {
			`"tools":[{"name":"f","input_schema":{"type":"object","properties":{}}}],"tool_choice":{"type":"auto"},`, `[{"role":"user","content":"hi"}]`,
			`"tool_choice":"auto"`,
		},
		"anthropic parts": {
			"", `[{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"f","input":{"a":1}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"done"}]}]`,
			`{"role":"tool","tool_call_id":"t1","content":"done"}`,
		},
		"anthropic parts and an empty list": {
			"", `[{"role":"user","content":"hi"},{"role":"assistant","content":[],"tool_calls":[{"id":"t1","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"done"}]}]`,
			`"tool_calls":[{"id":"t1"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			u := newUpstream(t, vendor)
			f := start(t, u)
			got := f.post("/v1/chat/completions", `{"model":"gpt-4o#openai",`+c.more+`"messages":`+c.messages+`}`)
			if got.status != 200 || !strings.Contains(got.body, `"object":"chat.completion"`) {
				t.Fatalf("%d %s", got.status, got.body)
			}
			if in := u.last(t); in.path != "/v1/acc/gw/openai/chat/completions" || !strings.Contains(in.body, c.want) {
				t.Errorf("%s got %s without %s", in.path, in.body, c.want)
			}
		})
	}
	// What is Chat already passes byte for byte, whatever it talks about.
	u := newUpstream(t, vendor)
	f := start(t, u)
	plain := `{ "model":"gpt-4o#openai","tools":[{"type":"function","function":{"name":"tool_use"}}, {"type":"custom","custom":{"name":"c"}}],"messages":[{"role":"user","content":[{"type":"text","text":"tool_result"}]}]}`
	f.post("/v1/chat/completions", plain)
	if in := u.last(t); in.body != strings.Replace(plain, "#openai", "", 1) {
		t.Errorf("changed to %s", in.body)
	}
}

// TestFlatCustomTool: Cursor takes the text for its patch tool as the arguments of a
// function, and sends it back so.
func TestFlatCustomTool(t *testing.T) {
	const patch = `*** Begin\n+x`
	call := `{"index":0,"id":"t1","type":"function","function":{"name":"ApplyPatch","arguments":"{\"input\":\"*** Begin\\n+x\"}"}}`
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/messages") {
			jsonAnswer(200, `{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"tool_use","id":"t1","name":"ApplyPatch","input":{"input":"`+patch+`"}}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}`)(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, `data: {"id":"c","choices":[{"index":0,"delta":{"role":"assistant","tool_calls":[`+call+`]},"finish_reason":null}]}`+"\n\n"+
			`data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}`+"\n\ndata: [DONE]\n\n")
	})
	f := start(t, u)
	flat, nested := `{"type":"custom","name":"ApplyPatch"}`, `{"type":"custom","custom":{"name":"ApplyPatch"}}`
	const asFunction, asCustom = `"type":"function","function":{"name":"ApplyPatch","arguments":"`, `"type":"custom","custom":{"name":"ApplyPatch","input":"`
	for _, c := range []struct{ model, more, tool, want string }{
		{"claude-x#anthropic", "", flat, asFunction + patch + `"`},
		{"claude-x#anthropic", "", nested, asCustom + patch + `"`},
		{"gpt-4o#openai", `"stream":true,`, flat, asFunction},
		{"gpt-4o#openai", `"stream":true,`, flat, `"function":{"arguments":"` + patch + `"}`},
	} {
		got := f.post("/v1/chat/completions", chat(c.model, c.more+`"tools":[`+c.tool+`],`))
		if got.status != 200 || !strings.Contains(got.body, c.want) || c.tool == flat && strings.Contains(got.body, `"custom"`) {
			t.Errorf("%s %s: %d %s", c.model, c.tool, got.status, got.body)
		}
	}
	back := func(tool string) reply {
		return f.post("/v1/chat/completions", `{"model":"claude-x#anthropic","tools":[`+tool+`],"messages":[{"role":"user","content":"hi"},`+
			`{"role":"assistant","tool_calls":[{"id":"t1","type":"function","function":{"name":"ApplyPatch","arguments":"`+patch+`"}}]},{"role":"tool","tool_call_id":"t1","content":"done"}]}`)
	}
	if got := back(flat); got.status != 200 || !strings.Contains(u.last(t).body, `"input":{"input":"`+patch+`"}`) || strings.Contains(got.header.Get("X-Conversion-Warnings"), "invalid-tool-arguments") {
		t.Errorf("sent back: %d %v, the upstream got %s", got.status, got.header, u.last(t).body)
	}
	if got := back(nested); !strings.Contains(got.header.Get("X-Conversion-Warnings"), "invalid-tool-arguments") {
		t.Errorf("no text of a function is free: %v", got.header)
	}
}
