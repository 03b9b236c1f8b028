package openaichat

import (
	"strings"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
)

// DecodeResponse reads a chat.completion object.
func (Codec) DecodeResponse(body []byte) (*ir.Response, error) {
	var res ir.Response
	var choice, failure rawjson.Value
	r := rawjson.NewReader(body)
	r.Object(func(k []byte) {
		switch string(k) {
		case "id":
			res.ID = r.Value().Str()
		case "model":
			res.Model = r.Value().Str()
		case "created":
			res.Created, _ = r.Value().Int()
		case "choices":
			r.Array(func(i int) {
				if v := r.Value(); i == 0 {
					choice = v
				}
			})
		case "usage":
			if v := r.Value(); v.Present() {
				res.Usage, res.HasUsage = decodeUsage(v), true
			}
		case "system_fingerprint":
			res.Fingerprint = r.Value().Text()
		case "service_tier":
			res.Tier = r.Value().Text()
		case "error":
			failure = r.Value()
		}
	})
	if err := r.Close(); err != nil {
		return nil, &ir.Error{Kind: ir.BadGateway, Message: "the upstream's answer is not valid JSON: " + err.Error()}
	}
	if failure.Present() && !choice.Present() {
		return nil, errorOf(failure)
	}
	if !choice.Present() {
		return nil, &ir.Error{Kind: ir.BadGateway, Message: "the upstream's answer holds no choices"}
	}
	message := choice.Get("message")
	finish := choice.Get("finish_reason").Str()
	if err := decodeMessage(&res, message, finish); err != nil {
		return nil, err
	}
	res.Stop = stopOf(finish, hasCall(res.Parts), false)
	return &res, nil
}

func hasCall(parts []ir.Part) bool {
	for i := range parts {
		if parts[i].Kind == ir.ToolCall {
			return true
		}
	}
	return false
}

// errorOf reads an error object, or the bare message some servers send.
func errorOf(v rawjson.Value) *ir.Error {
	if v.Kind() == rawjson.String {
		return ir.UpstreamError(0, "", "", v.Str())
	}
	code := v.Get("code")
	status := 0
	if n, ok := code.Int(); ok && n >= 400 && n < 600 {
		status = int(n)
	}
	return ir.UpstreamError(status, v.Get("type").Str(), code.Str(), v.Get("message").Str())
}

// decodeMessage reads an answer's message in the order in which a reader should see it:
// thinking, text, refusal, tool calls.
func decodeMessage(res *ir.Response, m rawjson.Value, finish string) error {
	res.Parts = append(res.Parts, answerReasoning(m)...)
	content := m.Get("content")
	switch content.Kind() {
	case rawjson.String:
		if text := content.Text(); len(text) > 0 {
			res.Parts = append(res.Parts, ir.Part{Kind: ir.Text, Text: text})
		}
	case rawjson.Array:
		r := rawjson.NewReader(content)
		r.Array(func(int) {
			kind, text := contentPart(r.Value())
			if len(text) > 0 {
				res.Parts = append(res.Parts, ir.Part{Kind: kind, Text: text})
			}
		})
	default:
	}
	if text := m.Get("refusal").Text(); len(text) > 0 {
		res.Parts = append(res.Parts, ir.Part{Kind: ir.Refusal, Text: text})
	}
	return decodeCalls(res, m, finish)
}

func decodeCalls(res *ir.Response, m rawjson.Value, finish string) error {
	var failure error
	add := func(id string, function rawjson.Value) {
		raw := function.Get("arguments")
		text := []byte(raw)
		if raw.Kind() == rawjson.String {
			text = raw.Text().Append(nil)
		} else if raw.Kind() == rawjson.Null {
			text = nil
		}
		args, bad := ir.ArgsOf(text)
		if bad && !strings.EqualFold(finish, "length") && failure == nil {
			failure = &ir.Error{Kind: ir.BadGateway, Message: "the upstream returned invalid tool arguments"}
		}
		name := function.Get("name").Str()
		if name == "" && failure == nil {
			failure = ir.Nameless()
		}
		res.Parts = append(res.Parts, ir.Part{Kind: ir.ToolCall, Call: ir.Call{ID: id, Name: name, Args: args, BadArgs: bad}})
	}
	calls := m.Get("tool_calls")
	if calls.Kind() == rawjson.Array {
		r := rawjson.NewReader(calls)
		r.Array(func(int) {
			v := r.Value()
			add(v.Get("id").Str(), v.Get("function"))
		})
	}
	if f := m.Get("function_call"); f.Kind() == rawjson.Object && !hasCall(res.Parts) {
		add("", f)
	}
	return failure
}

// contentPart reads a part of content that is a list, as Mistral sends it.
func contentPart(v rawjson.Value) (ir.PartKind, rawjson.Escaped) {
	if v.Get("type").Str() != "thinking" {
		return ir.Text, v.Get("text").Text()
	}
	inner := v.Get("thinking")
	if inner.Kind() == rawjson.String {
		return ir.Thinking, inner.Text()
	}
	var text rawjson.Escaped
	r := rawjson.NewReader(inner)
	r.Array(func(int) { text = append(text, r.Value().Get("text").Text()...) })
	return ir.Thinking, text
}

func answerReasoning(m rawjson.Value) []ir.Part {
	for _, key := range []string{"reasoning_content", "reasoning", "thinking"} {
		if text := m.Get(key).Text(); len(text) > 0 {
			return []ir.Part{{Kind: ir.Thinking, Text: text}}
		}
	}
	if text := detailTexts(m.Get("reasoning_details")); len(text) > 0 {
		return []ir.Part{{Kind: ir.Thinking, Text: text}}
	}
	return nil
}

func detailTexts(details rawjson.Value) rawjson.Escaped {
	if details.Kind() != rawjson.Array {
		return nil
	}
	var text rawjson.Escaped
	r := rawjson.NewReader(details)
	r.Array(func(int) {
		v := r.Value()
		text = append(text, v.Get("text").Text()...)
		text = append(text, v.Get("summary").Text()...)
	})
	return text
}

// stopOf tells why the model stopped. Many servers say "stop" although they called a
// tool, or the reverse, so what was sent decides.
func stopOf(word string, called, refused bool) ir.Stop {
	s := ir.Stop{Raw: word}
	switch strings.ToLower(word) {
	case "stop", "eos", "end_turn", "":
		s.Reason = ir.StopEnd
	case "tool_calls", "function_call", "tool_use":
		s.Reason = ir.StopTools
	case "length", "max_tokens":
		s.Reason = ir.StopLength
	case "content_filter", "safety", "recitation", "prohibited_content", "blocklist":
		s.Reason = ir.StopRefusal
	case "stop_sequence":
		s.Reason = ir.StopSequence
	}
	switch {
	case called && (s.Reason == ir.StopEnd || s.Reason == ir.StopOther):
		s.Reason = ir.StopTools
	case !called && s.Reason == ir.StopTools:
		s.Reason = ir.StopEnd
	case refused && s.Reason == ir.StopEnd:
		s.Reason = ir.StopRefusal
	}
	return s
}

// decodeUsage reads a usage object of OpenAI or of the servers modelled on it. OpenAI's
// prompt total includes what was read from and written to a cache.
func decodeUsage(v rawjson.Value) ir.Usage {
	var prompt, completion, total int64
	var u ir.Usage
	num := func(r *rawjson.Reader) int64 {
		n, _ := r.Value().Int()
		return n
	}
	r := rawjson.NewReader(v)
	r.Object(func(k []byte) {
		switch string(k) {
		case "prompt_tokens", "input_tokens":
			prompt = num(r)
		case "completion_tokens", "output_tokens":
			completion = num(r)
		case "total_tokens":
			total = num(r)
		case "cache_read_input_tokens", "prompt_cache_hit_tokens":
			u.CacheRead = max(u.CacheRead, num(r))
		case "cache_creation_input_tokens":
			u.CacheWrite = max(u.CacheWrite, num(r))
		case "prompt_tokens_details", "completion_tokens_details":
			r.Object(func(k []byte) {
				switch string(k) {
				case "cached_tokens":
					u.CacheRead = max(u.CacheRead, num(r))
				case "cache_write_tokens":
					u.CacheWrite = max(u.CacheWrite, num(r))
				case "reasoning_tokens":
					u.Reasoning = num(r)
				}
			})
		}
	})
	u.Input = max(0, prompt-u.CacheRead-u.CacheWrite)
	u.Output = completion
	if u.Reasoning > 0 && total == prompt+completion+u.Reasoning {
		u.Output += u.Reasoning // xAI counts reasoning beside the completion
	}
	return u
}
