package proxy_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"apex-ai-proxy/proxy/event"
)

// refusing refuses the first requests with the bodies in turn, and then answers.
func refusing(status int, bodies ...string) (answer http.HandlerFunc) {
	n := 0
	return func(w http.ResponseWriter, r *http.Request) {
		if n++; n <= len(bodies) {
			jsonAnswer(status, bodies[n-1])(w, r)
			return
		}
		vendor(w, r)
	}
}

func openaiError(message, param string) string {
	return fmt.Sprintf(`{"error":{"message":%q,"type":"invalid_request_error","param":%q,"code":"unsupported_parameter"}}`, message, param)
}

func anthropicError(message string) string {
	return fmt.Sprintf(`{"type":"error","error":{"type":"invalid_request_error","message":%q}}`, message)
}

const (
	signedTurn     = `{"role":"assistant","content":null,"reasoning_details":[{"type":"reasoning.text","text":"t","signature":"SIG"}],"tool_calls":[{"id":"toolu_1","type":"function","function":{"name":"read","arguments":"{}"}}]},{"role":"tool","tool_call_id":"toolu_1","content":"1"}`
	signedChat     = `{"model":"MODEL","reasoning_effort":"high",` + chatTools + `"messages":[{"role":"user","content":"a"},` + signedTurn + `]}`
	ownThought     = `{"type":"thinking","thinking":"t","signature":"apx1.oai-r.eyJ0eXBlIjoicmVhc29uaW5nIiwiaWQiOiJyc18xIn0"}`
	ownMessages    = `{"model":"MODEL","max_tokens":90,"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[` + ownThought + `,{"type":"text","text":"b"}]},{"role":"user","content":"c"}]}`
	calledMessages = `{"model":"MODEL","max_tokens":90,` + messagesTools + `"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"read","input":{}},{"type":"tool_use","id":"t2","name":"read","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"1"},{"type":"tool_result","tool_use_id":"t2","content":"2"}]}]}`
	midMessages    = `{"model":"MODEL","max_tokens":90,"messages":[{"role":"user","content":"a"},{"role":"system","content":"mid"},{"role":"user","content":"c"}]}`
	midChat        = `{"model":"MODEL","messages":[{"role":"user","content":"a"},{"role":"system","content":"mid"},{"role":"user","content":"c"}]}`
	schemaChat     = `"output_config":{"format":{"type":"json_schema","schema":{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}}},`
)

// remedies are the refusals that are understood, as the providers put them: what the
// first request holds, and the second one instead. A remedy that lasts is right at once in
// the next request.
var remedies = []struct {
	name, model string
	path        string // of the client; messages by default
	request     string // "" for a short one with more in it
	more        string
	status      int
	refusal     string
	before      string // in the first request only
	after       string // in the second request only, may be ""
	once        bool   // nothing is learned for the next request
	warning     string
}{
	{
		name: "limit under its new name", model: "m#deepseek",
		refusal: openaiError("Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.", "max_tokens"),
		before:  `"max_tokens":64`, after: `"max_completion_tokens":64`,
	},
	{
		name: "limit under its old name", model: "old#azure-openai",
		refusal: openaiError("Unrecognized request argument supplied: max_completion_tokens", ""),
		before:  `"max_completion_tokens":64`, after: `"max_tokens":64`,
	},
	{
		name: "limit too high for OpenAI", model: "gpt-4o#openai", more: `"temperature":0.5,`,
		refusal: openaiError("max_tokens is too large: 64. This model supports at most 32 completion tokens, whereas you provided 64.", "max_tokens"),
		before:  `"max_completion_tokens":64`, after: `"max_completion_tokens":32`, warning: "max-tokens-clamped;path=max_tokens",
	},
	{
		name: "limit too high for Anthropic", model: "claude-sonnet-4-5#anthropic", path: "/v1/chat/completions", more: `"max_tokens":60000,`,
		refusal: anthropicError("max_tokens: 60000 > 8192, which is the maximum allowed number of output tokens for claude-sonnet-4-5"),
		before:  `"max_tokens":60000`, after: `"max_tokens":8192`, warning: "max-tokens-clamped;path=max_tokens",
	},
	{
		name: "limit too high that nobody asked for", model: "claude-sonnet-4-5#anthropic", path: "/v1/chat/completions",
		refusal: anthropicError("max_tokens: 64000 > 8192, which is the maximum allowed number of output tokens for claude-sonnet-4-5"),
		before:  `"max_tokens":64000`, after: `"max_tokens":8192`,
	},
	{
		name: "temperature", model: "m#groq", more: `"temperature":0.5,`,
		refusal: openaiError("Unsupported parameter: 'temperature' is not supported with this model.", "temperature"),
		before:  `"temperature":0.5`, warning: "field-refused;path=temperature",
	},
	{
		name: "value of temperature", model: "m#azure-openai", more: `"temperature":0.5,`,
		refusal: openaiError("Unsupported value: 'temperature' does not support 0.5 with this model. Only the default (1) value is supported.", "temperature"),
		before:  `"temperature":0.5`, warning: "field-refused;path=temperature",
	},
	{
		name: "top_p", model: "m#groq", more: `"top_p":0.5,`,
		refusal: openaiError("Unsupported parameter: 'top_p' is not supported with this model.", "top_p"),
		before:  `"top_p":0.5`, warning: "field-refused;path=top_p",
	},
	{
		name: "two fields at once", model: "claude-sonnet-4-5#anthropic", path: "/v1/chat/completions", more: `"temperature":0.5,"top_k":5,`,
		refusal: anthropicError("temperature: Extra inputs are not permitted; top_k: Extra inputs are not permitted"),
		before:  `"temperature":0.5`, warning: "field-refused;path=top_k",
	},
	{
		name: "temperature with top_p", model: "claude-sonnet-4#anthropic", path: "/v1/chat/completions", more: `"temperature":0.5,"top_p":0.9,`,
		refusal: anthropicError("`temperature` and `top_p` cannot both be specified for this model. Please use only one."),
		before:  `"top_p":0.9`, warning: "field-refused;path=top_p",
	},
	{
		name: "stop", model: "gpt-4o#azure-openai", more: `"stop_sequences":["x"],`,
		refusal: openaiError("Unsupported parameter: 'stop' is not supported with this model.", "stop"),
		before:  `"stop":["x"]`, warning: "field-refused;path=stop",
	},
	{
		name: "stop of xAI", model: "new#grok", more: `"stop_sequences":["x"],`,
		refusal: `{"code":"Client specified an invalid argument","error":"Argument not supported on this model: stop"}`,
		before:  `"stop":["x"]`, warning: "field-refused;path=stop",
	},
	{
		name: "parallel_tool_calls", model: "gpt-4o#azure-openai", more: messagesTools + `"tool_choice":{"type":"auto","disable_parallel_tool_use":true},`,
		refusal: openaiError("Unsupported parameter: 'parallel_tool_calls' is not supported with this model.", "parallel_tool_calls"),
		before:  `"parallel_tool_calls":false`, warning: "field-refused;path=parallel_tool_calls",
	},
	{
		name: "temperature of Google", model: "command-x#cohere", more: `"temperature":0.5,`,
		refusal: `[{"error":{"code":400,"message":"Invalid JSON payload received. Unknown name \"temperature\": Cannot find field.","status":"INVALID_ARGUMENT"}}]`,
		before:  `"temperature":0.5`, warning: "field-refused;path=temperature",
	},
	{
		name: "reasoning_effort", model: "gpt-x#azure-openai", more: `"thinking":{"type":"adaptive"},`,
		refusal: openaiError("Unsupported parameter: 'reasoning_effort' is not supported with this model.", "reasoning_effort"),
		before:  `"reasoning_effort":"high"`, warning: "field-refused;path=reasoning",
	},
	{
		name: "effort of a model", model: "gpt-5.1#azure-openai", more: `"thinking":{"type":"adaptive"},"output_config":{"effort":"low"},`,
		refusal: openaiError("Unsupported value: 'low' is not supported with the 'gpt-5.1' model. Supported values are: 'medium', 'high', and 'xhigh'.", "reasoning_effort"),
		before:  `"reasoning_effort":"low"`, after: `"reasoning_effort":"medium"`,
	},
	{
		name: "stream_options", model: "m#cerebras", more: `"stream":true,`, status: 422,
		refusal: `{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"Extra inputs are not permitted","input":{"include_usage":true}}]}`,
		before:  `"stream_options":{"include_usage":true}`,
	},
	{
		name: "service_tier", model: "gpt-4o#openai", more: `"service_tier":"auto",`,
		refusal: openaiError("Unknown parameter: 'service_tier'.", "service_tier"),
		before:  `"service_tier":"auto"`, warning: "field-refused;path=service_tier",
	},
	{
		name: "user", model: "m#groq", more: `"metadata":{"user_id":"me"},`,
		refusal: `{"error":{"message":"json: unknown field \"user\"","type":"invalid_request_error"}}`,
		before:  `"user":"me"`,
	},
	{
		name: "a named field", model: "m#groq", more: `"top_p":0.5,`,
		refusal: `{"error":{"message":"Extra inputs are not permitted, field: 'top_p', value: 0.5","type":"invalid_request_error"}}`,
		before:  `"top_p":0.5`, warning: "field-refused;path=top_p",
	},
	{
		name: "reasoning_content", model: "m#deepseek",
		request: `{"model":"MODEL","max_tokens":90,` + messagesTools + `"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"apx1.txt."},{"type":"tool_use","id":"t1","name":"read","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"1"}]}]}`,
		refusal: `{"error":{"message":"'messages.1' : for 'role:assistant' the following must be satisfied[('messages.1' : property 'reasoning_content' is unsupported)]","type":"invalid_request_error"}}`,
		before:  `"reasoning_content":"hm"`,
	},
	{
		name: "cache_control", model: "claude-sonnet-4-5#anthropic", path: "/v1/chat/completions",
		request: `{"model":"MODEL","messages":[{"role":"user","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral"}}]}]}`,
		refusal: anthropicError("messages.0.content.0.text.cache_control: Extra inputs are not permitted"),
		before:  `"cache_control":{"type":"ephemeral"}`,
	},
	{
		name: "thinking with a bad signature", model: "claude-sonnet-4-5#anthropic", path: "/v1/chat/completions", request: signedChat,
		refusal: anthropicError("messages.1.content.0: Invalid `signature` in `thinking` block"),
		before:  `"signature":"SIG"`, after: `"thinking":{"type":"disabled"}`, once: true, warning: "thinking-dropped;path=messages",
	},
	{
		name: "thinking that was changed", model: "claude-opus-4-7#anthropic", path: "/v1/chat/completions", request: signedChat,
		refusal: anthropicError("messages.1.content.0: `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified. These blocks must remain as they were in the original response."),
		before:  `"signature":"SIG"`, after: `"thinking":{"type":"disabled"}`, once: true, warning: "thinking-dropped;path=messages",
	},
	{
		name: "call without thinking", model: "claude-opus-4-7#anthropic", path: "/v1/chat/completions",
		request: strings.Replace(signedChat, `"reasoning_details":[{"type":"reasoning.text","text":"t","signature":"SIG"}],`, "", 1),
		refusal: anthropicError("messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`."),
		before:  `"thinking":{"type":"adaptive"`, after: `"thinking":{"type":"disabled"}`, once: true,
	},
	{
		name: "must start with thinking", model: "claude-opus-4-7#anthropic", path: "/v1/chat/completions", request: signedChat,
		refusal: anthropicError("a final `assistant` message must start with a thinking block"),
		before:  `"signature":"SIG"`, after: `"thinking":{"type":"disabled"}`, once: true,
	},
	{
		name: "thought signature", model: "claude-opus-4-7#anthropic", path: "/v1/chat/completions", request: signedChat,
		refusal: anthropicError("Thought signature is not valid"),
		before:  `"signature":"SIG"`, after: `"thinking":{"type":"disabled"}`, once: true,
	},
	{
		name: "call without a proof", model: "gemini-3-pro#google", request: calledMessages,
		refusal: `[{"error":{"code":400,"message":"Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, and missing thought_signature may lead to degraded model performance.","status":"INVALID_ARGUMENT"}}]`,
		after:   `"arguments":"{}"},"extra_content":{"google":{"thought_signature":"skip_thought_signature_validator"}}},{"id":"t2","type":"function","function":{"name":"read","arguments":"{}"}}]`,
	},
	{
		name: "reasoning of another model", model: "gpt-5#openai", request: ownMessages,
		refusal: openaiError("The encrypted content gAAAAABo could not be verified. Reason: Encrypted content could not be decrypted or parsed.", "input"),
		before:  `"type":"reasoning"`, once: true, warning: "thinking-dropped;path=messages",
	},
	{
		name: "reasoning without what followed", model: "gpt-5#openai", request: ownMessages,
		refusal: openaiError("Item 'rs_1' of type 'reasoning' was provided without its required following item.", "input"),
		before:  `"type":"reasoning"`, once: true, warning: "thinking-dropped;path=messages",
	},
	{
		name: "no reasoning at all", model: "brand-new#openai", more: `"thinking":{"type":"adaptive"},`,
		refusal: openaiError("Encrypted content is not supported with this model.", "include"),
		before:  `"include":["reasoning.encrypted_content"]`, warning: "reasoning-dropped;path=thinking",
	},
	{
		name: "summaries", model: "gpt-5#openai", more: `"thinking":{"type":"adaptive"},`,
		refusal: openaiError("Your organization must be verified to generate reasoning summaries. Please go to: https://platform.openai.com/settings/organization/general and click on Verify Organization.", "reasoning.summary"),
		before:  `"summary":"auto"`,
	},
	{
		name: "budget too small", model: "claude-sonnet-4-5#anthropic", path: "/v1/chat/completions", more: `"reasoning_effort":"low",`,
		refusal: anthropicError("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"),
		before:  `"thinking":{"type":"enabled"`, once: true, warning: "field-refused;path=reasoning",
	},
	{
		name: "budget too large", model: "claude-sonnet-4-5#anthropic", path: "/v1/chat/completions", more: `"reasoning_effort":"low",`,
		refusal: anthropicError("`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation"),
		before:  `"thinking":{"type":"enabled"`, once: true, warning: "field-refused;path=reasoning",
	},
	{
		name: "adaptive only", model: "claude-sonnet-4-5#anthropic", path: "/v1/chat/completions", more: `"reasoning_effort":"low",`,
		refusal: anthropicError("\"thinking.type.enabled\" is not supported for this model. Use \"thinking.type.adaptive\" and \"output_config.effort\" to control thinking behavior."),
		before:  `"thinking":{"type":"enabled"`, after: `"thinking":{"type":"adaptive"},"output_config":{"effort":"low"}`,
	},
	{
		name: "budget only", model: "claude-opus-4-7#anthropic", path: "/v1/chat/completions", more: `"reasoning_effort":"low",`,
		refusal: anthropicError("adaptive thinking is not supported on this model"),
		before:  `"thinking":{"type":"adaptive"}`, after: `"thinking":{"type":"enabled","budget_tokens":2048}`,
	},
	{
		name: "schema keyword", model: "google/x#openrouter", more: `"tools":[{"name":"f","input_schema":{"type":"object","properties":{"a":{"const":1}}}}],`,
		refusal: `{"error":{"code":400,"message":"Invalid JSON payload received. Unknown name \"const\" at 'tools[0].function_declarations[0].parameters.properties[0].value': Cannot find field.","status":"INVALID_ARGUMENT"}}`,
		before:  `"const":1`, after: `"enum":["1"]`,
	},
	{
		name: "no schema for answers", model: "llama-3#groq", more: schemaChat,
		refusal: openaiError("This model does not support response format `json_schema`. See supported models at https://console.groq.com/docs/structured-outputs#supported-models", "response_format"),
		before:  `"type":"json_schema"`, after: `"type":"json_object"`,
	},
	{
		name: "system inside, Chat", model: "m#openrouter", request: midMessages,
		refusal: `{"base_resp":{"status_code":2013,"status_msg":"invalid params, invalid message role: system (2013)"}}`,
		before:  `{"role":"user","content":"a"},{"role":"system"`, after: `"messages":[{"role":"system"`, warning: "system-merged;path=messages[1]",
	},
	{
		name: "system inside, Messages", model: "claude-opus-4-8#anthropic", path: "/v1/chat/completions", request: midChat,
		refusal: anthropicError("messages.1.role: role 'system' is not supported on this model"),
		before:  `{"role":"system"`, after: `"system":[{"type":"text","text":"mid"}]`, warning: "system-hoisted;path=messages[1]",
	},
	{
		name: "system at the beginning", model: "m#openrouter", request: midMessages,
		refusal: openaiError("System message must be at the beginning.", "messages"),
		before:  `{"role":"user","content":"a"},{"role":"system"`, after: `"messages":[{"role":"system"`, warning: "system-merged;path=messages[1]",
	},
}

func TestRefusedRequestsAreChangedOnce(t *testing.T) {
	for _, c := range remedies {
		t.Run(c.name, func(t *testing.T) {
			path, request, status := c.path, c.request, c.status
			if path == "" {
				path = "/v1/messages"
			}
			switch {
			case request != "":
				request = strings.Replace(request, "MODEL", c.model, 1)
			case path == "/v1/messages":
				request = messages(c.model, c.more)
			default:
				request = chat(c.model, c.more)
			}
			if status == 0 {
				status = 400
			}
			u := newUpstream(t, refusing(status, c.refusal))
			f := start(t, u)
			got := f.post(path, request)
			if got.status != 200 || u.count() != 2 {
				t.Fatalf("%d after %d requests: %s\nsent %s", got.status, u.count(), got.body, u.last(t).body)
			}
			check := func(i int, has, hasNot string) {
				t.Helper()
				if has != "" && !strings.Contains(u.seen[i].body, has) {
					t.Errorf("request %d has no %s: %s", i, has, u.seen[i].body)
				}
				if hasNot != "" && strings.Contains(u.seen[i].body, hasNot) {
					t.Errorf("request %d has %s: %s", i, hasNot, u.seen[i].body)
				}
			}
			check(0, c.before, c.after)
			check(1, c.after, c.before)
			warnings := got.header.Get("X-Conversion-Warnings")
			record := f.final(got.header.Get("X-Apex-Request-Id"))
			codes := ""
			for _, w := range record.Warnings {
				codes += w.Code + " "
			}
			if !strings.Contains(warnings, "repaired") || !strings.Contains(warnings, c.warning) || !strings.Contains(codes, event.Repaired) || record.Status != 200 || record.Error != "" {
				t.Errorf("the warnings are %q, the record %+v", warnings, record)
			}
			// The next request is right at once, where anything could be learned.
			if got = f.post(path, request); got.status != 200 || u.count() != 3 {
				t.Fatalf("the next request: %d after %d requests: %s", got.status, u.count(), got.body)
			}
			warnings = got.header.Get("X-Conversion-Warnings")
			if strings.Contains(warnings, "repaired") || !c.once && !strings.Contains(warnings, c.warning) {
				t.Errorf("the next warnings are %q", warnings)
			}
			if c.once {
				check(2, c.before, c.after)
			} else {
				check(2, c.after, c.before)
			}
		})
	}
}

// TestWhatIsLearnedBelongsToOneModel: nothing is changed for another model.
func TestWhatIsLearnedBelongsToOneModel(t *testing.T) {
	u := newUpstream(t, refusing(400, openaiError("Unsupported parameter: 'temperature' is not supported with this model.", "temperature")))
	f := start(t, u)
	for i, c := range []struct {
		model, path string
		kept        bool
	}{
		{"one#groq", "/v1/messages", false},
		{"one#groq", "/v1/messages", false},
		{"two#groq", "/v1/messages", true},
		{"one#cerebras", "/v1/messages", true},
		{"one#groq", "/v1/chat/completions", true},
	} {
		body := messages(c.model, `"temperature":0.5,`)
		if c.path != "/v1/messages" {
			body = chat(c.model, `"temperature":0.5,`)
		}
		if got := f.post(c.path, body); got.status != 200 {
			t.Fatal(got.status, got.body)
		}
		if has := strings.Contains(u.last(t).body, "temperature"); has != c.kept {
			t.Errorf("request %d to %s was %s", i, c.model, u.last(t).body)
		}
	}
}

// TestNoSecondChange: what is refused again, or for no reason that is known, or is not
// converted, reaches the client.
func TestNoSecondChange(t *testing.T) {
	const temperature = "Unsupported parameter: 'temperature' is not supported with this model."
	refused := openaiError(temperature, "temperature")
	again := openaiError("Unsupported parameter: 'top_p' is not supported with this model.", "top_p")
	for _, c := range []struct {
		name, path, request string
		status              int
		refusals            []string
		requests            int
		told                string
	}{
		{"refused again", "/v1/messages", messages("m#groq", `"temperature":0.5,"top_p":0.5,`), 400, []string{refused, again}, 2, "'top_p'"},
		{"nothing to change", "/v1/messages", messages("m#groq", ""), 400, []string{refused}, 1, "'temperature'"},
		{"unknown reason", "/v1/messages", messages("m#groq", `"temperature":0.5,`), 400, []string{openaiError("I am not in the mood.", "")}, 1, "mood"},
		{"a field nobody knows", "/v1/messages", messages("m#groq", `"temperature":0.5,`), 400, []string{openaiError("Unknown parameter: 'mood'.", "mood")}, 1, "mood"},
		{"another status", "/v1/messages", messages("m#groq", `"temperature":0.5,`), 404, []string{refused}, 1, "temperature"},
		{"pass-through, Chat", "/v1/chat/completions", chat("m#groq", `"temperature":0.5,`), 400, []string{refused}, 1, "temperature"},
		{"pass-through, Messages", "/v1/messages", messages("claude-opus-4-8#anthropic", `"temperature":0.5,`), 400, []string{anthropicError("temperature: Extra inputs are not permitted")}, 1, "temperature"},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := newUpstream(t, refusing(c.status, c.refusals...))
			f := start(t, u)
			got := f.post(c.path, c.request)
			if got.status != c.status || u.count() != c.requests || !strings.Contains(got.body, c.told) {
				t.Errorf("%d after %d requests: %s", got.status, u.count(), got.body)
			}
			if record := f.final(got.header.Get("X-Apex-Request-Id")); record.Error == "" {
				t.Errorf("the record is %+v", record)
			}
			// Nothing was learned from what did not help.
			if got = f.post(c.path, c.request); got.status != 200 || strings.Contains(got.header.Get("X-Conversion-Warnings"), "field-refused") {
				t.Errorf("the next request: %d %v", got.status, got.header)
			}
		})
	}
}

// TestGoneClientsAreNotRepaired: when the client goes while the upstream refuses, nothing
// is sent again.
func TestGoneClientsAreNotRepaired(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(400)
		_, _ = io.WriteString(w, openaiError("Unsupported parameter: 'temperature' is not supported with this model.", "temperature"))
		w.(http.Flusher).Flush()
		cancel()
		select {
		case <-r.Context().Done():
		case <-time.After(patience):
			t.Error("the upstream request was not cancelled")
		}
	})
	f := start(t, u)
	resp, err := client.Do(f.request(ctx, http.MethodPost, "/v1/messages", messages("m#groq", `"temperature":0.5,`)))
	if err == nil {
		resp.Body.Close()
		t.Fatal("the client was answered")
	}
	until(t, "the end of the exchange", func() bool { return f.Active() == 0 })
	if u.count() != 1 {
		t.Errorf("%d requests were sent", u.count())
	}
}
