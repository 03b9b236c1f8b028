package fakegateway

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"apex-ai-proxy/proxy/demo"
	"apex-ai-proxy/proxy/rawjson"
)

// validate checks the body by the provider's rules.
func (p *provider) validate(in *Request, c *call) *fault {
	var r *demo.Refusal
	switch c.demoPath {
	case demoChat:
		r = p.rules.Validate(in.Body)
	case demoResponses:
		r = demo.ValidateResponses(in.Body)
	case demoEmbeddings:
		r = demo.ValidateEmbeddings(in.Body)
	default:
		return validateMessages(in, c)
	}
	if r != nil {
		return p.fault(r)
	}
	if p.refuse == nil || c.demoPath != demoChat {
		return nil
	}
	if r := p.refuse(in.Body); r != nil {
		return p.fault(&demo.Refusal{Status: http.StatusBadRequest, Type: "invalid_request_error", Param: r.param, Message: r.message})
	}
	return nil
}

func (p *provider) fault(r *demo.Refusal) *fault {
	status, body := r.Status, string(r.AppendChat(nil))
	if p.envelope != nil {
		status, body = p.envelope(r)
	}
	return &fault{why: r.Error(), status: status, body: body}
}

// validateMessages checks what Anthropic expects besides the body's rules.
func validateMessages(in *Request, c *call) *fault {
	var r *demo.Refusal
	version, beta := in.Header.Get("Anthropic-Version"), in.Header.Get("Anthropic-Beta")
	body := rawjson.Value(in.Body)
	if c.thread != nil {
		body, _ = json.Marshal(c.thread) // it was JSON before
	}
	switch {
	case version == "":
		r = messagesRefusal("anthropic-version: header is required")
	case version != "2023-06-01" && version != "2026-10-21":
		r = messagesRefusal("anthropic-version: \"" + version + "\" is not a valid version")
	case body.Get("context_management").Present() && !strings.Contains(beta, "context-management-"):
		r = messagesRefusal("context_management: Extra inputs are not permitted")
	case c.demoPath == demoMessages:
		r = demo.ValidateMessages(body)
	}
	if r == nil && version == "2026-10-21" {
		for _, field := range []string{"temperature", "top_p", "top_k"} {
			if body.Get(field) != nil {
				r = messagesRefusal(field + ": Extra inputs are not permitted")
			}
		}
	}
	if r == nil {
		return nil
	}
	return &fault{why: r.Error(), status: r.Status, body: string(r.AppendMessages(nil, "req_fake"))}
}

func messagesRefusal(message string) *demo.Refusal {
	return &demo.Refusal{Status: http.StatusBadRequest, Type: "invalid_request_error", Message: message}
}

// hasAny refuses the first of the fields that is there.
func hasAny(body rawjson.Value, message string, fields ...string) *refusal {
	for _, f := range fields {
		if body.Get(f) != nil {
			return &refusal{f, fmt.Sprintf(message, f)}
		}
	}
	return nil
}

// each calls f for the elements of an array until one is refused.
func each(v rawjson.Value, f func(i int, e rawjson.Value) *refusal) *refusal {
	var found *refusal
	r := rawjson.NewReader(v)
	r.Array(func(i int) {
		if e := r.Value(); found == nil {
			found = f(i, e)
		}
	})
	return found
}

// openaiRefuses: some models are served by the Responses API alone.
func openaiRefuses(body rawjson.Value) *refusal {
	for _, family := range []string{"gpt-5-pro", "gpt-5-codex", "codex-mini", "o1-pro", "o3-pro"} {
		if strings.HasPrefix(body.Get("model").Str(), family) {
			return &refusal{"model", "This model is only supported in v1/responses and not in v1/chat/completions."}
		}
	}
	return nil
}

func groqRefuses(body rawjson.Value) *refusal {
	if r := hasAny(body, "property '%s' is unsupported", "store", "metadata", "logprobs", "top_logprobs", "logit_bias", "safety_identifier", "prompt_cache_key", "verbosity"); r != nil {
		return r
	}
	return each(body.Get("messages"), func(i int, m rawjson.Value) *refusal {
		if m.Get("name") != nil {
			return &refusal{"messages", fmt.Sprintf("'messages.%d' : property 'name' is unsupported", i)}
		}
		return nil
	})
}

var mistralFields = []string{
	"model", "messages", "temperature", "top_p", "max_tokens", "stream", "stop", "random_seed", "response_format", "tools", "tool_choice",
	"presence_penalty", "frequency_penalty", "n", "prediction", "parallel_tool_calls", "prompt_mode", "safe_prompt", "reasoning_effort",
}

func mistralRefuses(body rawjson.Value) *refusal {
	var unknown *refusal
	r := rawjson.NewReader(body)
	r.Object(func(key []byte) {
		if unknown == nil && !contains(mistralFields, string(key)) {
			unknown = &refusal{string(key), "Extra inputs are not permitted"}
		}
	})
	if unknown != nil {
		return unknown
	}
	return each(body.Get("messages"), func(_ int, m rawjson.Value) *refusal {
		if m.Get("role").Str() == "developer" {
			return &refusal{"messages", "Input tag 'developer' found using 'role' does not match any of the expected tags"}
		}
		if r := nineChars(m.Get("tool_call_id")); r != nil {
			return r
		}
		return each(m.Get("tool_calls"), func(_ int, c rawjson.Value) *refusal { return nineChars(c.Get("id")) })
	})
}

// nineChars checks Mistral's form of a tool call id.
func nineChars(id rawjson.Value) *refusal {
	if id == nil {
		return nil
	}
	s := id.Str()
	ok := len(s) == 9
	for _, c := range s {
		ok = ok && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9')
	}
	if ok {
		return nil
	}
	return &refusal{"messages", "Tool call id was " + s + " but must be a-z, A-Z, 0-9, with a length of 9."}
}

func grokRefuses(body rawjson.Value) *refusal {
	model := body.Get("model").Str()
	if strings.HasPrefix(model, "grok-4") || strings.HasPrefix(model, "grok-code") {
		return hasAny(body, "Argument not supported on this model: %s", "stop", "presence_penalty", "frequency_penalty", "reasoning_effort")
	}
	return nil
}

func deepseekRefuses(body rawjson.Value) *refusal {
	// It would be ignored, and the answer cut at another length than the user asked for.
	if r := hasAny(body, "unknown field `%s`", "max_completion_tokens"); r != nil {
		return r
	}
	return each(body.Get("messages"), func(i int, m rawjson.Value) *refusal {
		return each(m.Get("content"), func(_ int, part rawjson.Value) *refusal {
			if kind := part.Get("type").Str(); kind != "text" {
				return &refusal{"messages", fmt.Sprintf("Failed to deserialize the JSON body into the target type: messages[%d]: unknown variant `%s`, expected `text`", i, kind)}
			}
			return nil
		})
	})
}

func cerebrasRefuses(body rawjson.Value) *refusal {
	return hasAny(body, "%s is not supported", "frequency_penalty", "presence_penalty", "logit_bias", "store", "metadata", "safety_identifier", "prompt_cache_key")
}

func perplexityRefuses(body rawjson.Value) *refusal {
	if r := hasAny(body, "%s is not supported for this model", "tools", "tool_choice", "parallel_tool_calls"); r != nil {
		return r
	}
	before, last := "system", ""
	r := each(body.Get("messages"), func(_ int, m rawjson.Value) *refusal {
		last = m.Get("role").Str()
		wrong := last == before && last != "system" || last == "system" && before != "system" || last == "assistant" && before == "system"
		before = last
		if wrong {
			return &refusal{"messages", "After the (optional) system message(s), user or tool message(s) should alternate with assistant message(s)."}
		}
		return nil
	})
	if r == nil && last != "user" && last != "tool" {
		return &refusal{"messages", "Last message must have role `user` or `tool`."}
	}
	return r
}

func workersRefuses(body rawjson.Value) *refusal {
	return hasAny(body, "AiError: Bad input: %s is not allowed", "store", "metadata", "safety_identifier", "service_tier")
}

func openRouterRefuses(body rawjson.Value) *refusal {
	if r := body.Get("reasoning"); r.Get("effort") != nil && r.Get("max_tokens") != nil {
		return &refusal{"reasoning", "Only one of \"reasoning.effort\" and \"reasoning.max_tokens\" can be specified"}
	}
	return nil
}

// googleKeywords are keywords of JSON Schema that Gemini's schemas do not have.
var googleKeywords = []string{"$schema", "$id", "additionalProperties", "title", "examples", "exclusiveMinimum", "exclusiveMaximum", "patternProperties"}

func googleRefuses(body rawjson.Value) *refusal {
	if r := hasAny(body, "Invalid JSON payload received. Unknown name \"%s\": Cannot find field.", "store", "metadata", "safety_identifier", "prompt_cache_key", "logit_bias"); r != nil {
		return r
	}
	return each(body.Get("tools"), func(i int, t rawjson.Value) *refusal {
		if keyword := googleKeyword(t.Get("function").Get("parameters")); keyword != "" {
			return &refusal{"tools", fmt.Sprintf("Invalid JSON payload received. Unknown name %q at 'tools[0].function_declarations[%d].parameters': Cannot find field.", keyword, i)}
		}
		return nil
	})
}

// googleKeyword is the first keyword of a schema that Gemini does not know.
func googleKeyword(schema rawjson.Value) string {
	if schema.Kind() != rawjson.Object {
		return ""
	}
	for _, k := range googleKeywords {
		if schema.Get(k) != nil {
			return k
		}
	}
	found := ""
	if properties := schema.Get("properties"); properties.Kind() == rawjson.Object {
		r := rawjson.NewReader(properties)
		r.Object(func([]byte) {
			if v := r.Value(); found == "" {
				found = googleKeyword(v)
			}
		})
	}
	if found == "" {
		found = googleKeyword(schema.Get("items"))
	}
	return found
}

// The envelopes of providers that have their own.

func googleEnvelope(r *demo.Refusal) (int, string) {
	return r.Status, fmt.Sprintf(`[{"error":{"code":%d,"message":%q,"status":"INVALID_ARGUMENT"}}]`, r.Status, r.Message)
}

func mistralEnvelope(r *demo.Refusal) (int, string) {
	return http.StatusUnprocessableEntity, fmt.Sprintf(
		`{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body",%q],"msg":%q,"input":null}]},"type":"invalid_request_error","param":null,"code":null}`, r.Param, r.Message)
}

func grokEnvelope(r *demo.Refusal) (int, string) {
	return r.Status, fmt.Sprintf(`{"code":"Client specified an invalid argument","error":%q}`, r.Message)
}

func cerebrasEnvelope(r *demo.Refusal) (int, string) {
	return r.Status, fmt.Sprintf(`{"message":%q,"type":"invalid_request_error","param":%q,"code":"wrong_api_format"}`, r.Message, r.Param)
}

func workersEnvelope(r *demo.Refusal) (int, string) {
	return r.Status, fmt.Sprintf(`{"errors":[{"message":%q,"code":5006}],"success":false,"result":{},"messages":[]}`, r.Message)
}
