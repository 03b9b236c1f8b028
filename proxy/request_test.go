package proxy_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// TestBodiesPassUntouched: between the same protocols only the model's name changes, with
// every oddity around it, and beta features keep both their header and their fields.
func TestBodiesPassUntouched(t *testing.T) {
	u := newUpstream(t, vendor)
	f := start(t, u)
	odd := `"seed": 9007199254740993,"x":1,  "x":2, "b":"<\u0041\u003c&\/>` + "\u2028" + `",` + "\n\t" +
		`"z":{"b":1.0,"a":1e2},"tools":[{"input_schema":{"type":"object","title":"T","items":[{},{}]}}],"container":{"id":"c"},`
	for path, c := range map[string]struct{ model, rest string }{
		"/v1/messages":         {"claude-opus-4-8#anthropic", `"messages":[{"role":"user","content":[{"text":"","type":"text"}]}]`},
		"/v1/chat/completions": {"gpt-4o#openai", `"messages":[{"role":"developer","content":[]}]`},
		"/v1/responses":        {"gpt-5#openai", `"input":[{"type":"item_reference","id":"x"}],"previous_response_id":"resp_1"`},
	} {
		body := `{ ` + odd + `"model" :  "` + c.model + `" ,` + c.rest + " }\n"
		got := f.post(path, body, withHeader("Anthropic-Beta", "files-api-2025-04-14"))
		if got.status != 200 {
			t.Fatalf("%s: %d %s", path, got.status, got.body)
		}
		model, _, _ := strings.Cut(c.model, "#")
		in := u.last(t)
		if want := strings.Replace(body, c.model, model, 1); in.body != want {
			t.Errorf("%s: %q\nreached the upstream as\n%q", path, want, in.body)
		}
		beta := ""
		if path == "/v1/messages" {
			beta = "files-api-2025-04-14"
		}
		if h := in.header.Get("Anthropic-Beta"); h != beta {
			t.Errorf("%s: the beta header is %q", path, h)
		}
	}
}

// TestWrongEscapes: what is wrong inside a nested string is the upstream's to judge where the
// bytes pass, with whatever else is edited, and the proxy's where they are converted.
func TestWrongEscapes(t *testing.T) {
	u := newUpstream(t, vendor)
	f := start(t, u)
	for model, want := range map[string]string{
		"gpt-4o#openai":    `{"messages":[{"role":"user","content":"\x"}],"user":"u","model":"gpt-4o"}`,
		"gpt-4o#mistral":   `{"messages":[{"role":"user","content":"\x"}],"model":"gpt-4o"}`,
		"claude#anthropic": "",
	} {
		seen := u.count()
		got := f.post("/v1/chat/completions", `{"messages":[{"role":"user","content":"\x"}],"user":"u","model":"`+model+`"}`)
		switch {
		case want == "" && (got.status != 400 || u.count() != seen):
			t.Errorf("%s: %d %s", model, got.status, got.body)
		case want != "" && (u.count() == seen || u.last(t).body != want):
			t.Errorf("%s: %s reached the upstream, want %s", model, u.last(t).body, want)
		}
	}
}

// TestProvidersGetWhatTheyTake: one rich request of Claude Code's kind, as each provider
// takes it.
func TestProvidersGetWhatTheyTake(t *testing.T) {
	const more = `"stream":true,"top_k":5,"metadata":{"user_id":"u1"},"stop_sequences":["1","2","3","4","5"],"service_tier":"auto",` +
		`"tool_choice":{"type":"auto","disable_parallel_tool_use":true},"system":[{"type":"text","text":"S","cache_control":{"type":"ephemeral"}}],` +
		`"tools":[{"name":"f","input_schema":{"type":"object","properties":{"title":{"type":"string","title":"T"}}}}],`
	common := []string{"model", "stream", "stop", "messages"}
	calls := []string{"tools", "tool_choice"}
	for model, want := range map[string]struct {
		fields       []string // beside the common ones
		stops        int
		text, schema bool // instructions as one text; the schema's title is kept
		marks        bool
	}{
		"gpt-4o#openai":                          {slices.Concat(calls, []string{"max_completion_tokens", "stream_options", "parallel_tool_calls", "safety_identifier", "service_tier"}), 4, false, true, false},
		"my-gpt-4o#azure-openai":                 {slices.Concat(calls, []string{"max_completion_tokens", "stream_options", "parallel_tool_calls", "user"}), 4, false, true, false},
		"gemini-2.5-pro#google-ai-studio":        {slices.Concat(calls, []string{"max_tokens", "stream_options"}), 5, false, false, false},
		"llama-3.3-70b-versatile#groq":           {slices.Concat(calls, []string{"max_completion_tokens", "stream_options", "parallel_tool_calls", "user"}), 4, false, true, false},
		"mistral-large-latest#mistral":           {slices.Concat(calls, []string{"max_tokens", "parallel_tool_calls"}), 4, false, true, false},
		"grok-3#grok":                            {slices.Concat(calls, []string{"max_completion_tokens", "stream_options", "parallel_tool_calls", "user"}), 4, false, true, false},
		"deepseek-chat#deepseek":                 {slices.Concat(calls, []string{"max_tokens", "stream_options"}), 5, false, true, false},
		"llama-3.3-70b#cerebras":                 {slices.Concat(calls, []string{"max_completion_tokens", "stream_options", "parallel_tool_calls", "user"}), 4, true, true, false},
		"command-a-03-2025#cohere":               {slices.Concat(calls, []string{"max_tokens", "stream_options"}), 5, false, true, false},
		"@cf/meta/llama-3.3-70b#workers-ai":      {slices.Concat(calls, []string{"max_tokens", "stream_options"}), 4, true, true, false},
		"anthropic/claude-sonnet-4.5#openrouter": {slices.Concat(calls, []string{"max_tokens", "stream_options", "parallel_tool_calls", "user", "top_k"}), 4, false, true, true},
	} {
		t.Run(model, func(t *testing.T) {
			u := newUpstream(t, sseAnswer(chatFrames...))
			f := start(t, u)
			if got := f.post("/v1/messages", messages(model, more)); got.status != 200 {
				t.Fatalf("%d %s", got.status, got.body)
			}
			var sent struct {
				Stop     []string
				Messages []struct{ Content json.RawMessage }
				Tools    json.RawMessage
			}
			var fields map[string]json.RawMessage
			body := []byte(u.last(t).body)
			if json.Unmarshal(body, &sent) != nil || json.Unmarshal(body, &fields) != nil {
				t.Fatalf("not JSON: %s", body)
			}
			allowed := slices.Concat(common, want.fields)
			for name := range fields {
				if !slices.Contains(allowed, name) {
					t.Errorf("%s was sent", name)
				}
			}
			for _, name := range allowed {
				if fields[name] == nil {
					t.Errorf("%s is missing", name)
				}
			}
			if len(sent.Stop) != want.stops {
				t.Errorf("stop sequences %q", sent.Stop)
			}
			if text := sent.Messages[0].Content[0] == '"'; text != want.text {
				t.Errorf("instructions are %s", sent.Messages[0].Content)
			}
			if kept := strings.Contains(string(sent.Tools), `"title":"T"`); kept != want.schema {
				t.Errorf("tools are %s", sent.Tools)
			}
			if marks := strings.Contains(string(body), "cache_control"); marks != want.marks {
				t.Errorf("cache marks: %s", body)
			}
		})
	}
}

// TestPerplexityHasNoTools: a model that cannot call tools is not asked to.
func TestPerplexityHasNoTools(t *testing.T) {
	u := newUpstream(t, vendor)
	f := start(t, u)
	got := f.post("/v1/messages", messages("sonar#perplexity-ai", `"tools":[{"name":"f","input_schema":{"type":"object"}}],`))
	if got.status != 400 || !strings.Contains(got.body, "perplexity-ai") || u.count() != 0 {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// TestQuirksOfForeignShapes: what a Chat client wrote in another vendor's shape is freed
// from what the provider refuses, as its other requests are.
func TestQuirksOfForeignShapes(t *testing.T) {
	u := newUpstream(t, vendor)
	f := start(t, u)
	got := f.post("/v1/chat/completions", chat("mistral-large-latest#mistral",
		`"seed":1,"store":true,"metadata":{"a":"b"},"user":"u","tools":[{"name":"f","input_schema":{"type":"object","properties":{}}}],`))
	in := u.last(t)
	if got.status != 200 || !strings.Contains(in.body, `"random_seed":1`) || strings.Contains(in.body, `"seed":`) ||
		strings.Contains(in.body, "store") || strings.Contains(in.body, "metadata") || strings.Contains(in.body, `"user":"u"`) {
		t.Errorf("%d, sent %s", got.status, in.body)
	}
}

// TestUnknownSDK: a library that hides behind the name of another program is known by what
// it tells of itself.
func TestUnknownSDK(t *testing.T) {
	f := start(t, newUpstream(t, vendor))
	for want, edits := range map[string][]edit{
		"OpenAI SDK":    {withHeader("X-Stainless-Lang", "js")},
		"Anthropic SDK": {withHeader("X-Stainless-Lang", "js"), withHeader("Anthropic-Version", "2023-06-01")},
		"my-app/1.0":    nil,
	} {
		got := f.post("/v1/chat/completions", chat("gpt-4o#openai", ""), append(edits, withHeader("User-Agent", "my-app/1.0 (x)"))...)
		if x := f.final(got.header.Get("X-Apex-Request-Id")); x.Client != want {
			t.Errorf("%q, want %q", x.Client, want)
		}
	}
}
