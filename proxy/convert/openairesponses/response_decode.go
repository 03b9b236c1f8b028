package openairesponses

import (
	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
)

// DecodeResponse reads a response object.
func (Codec) DecodeResponse(body []byte) (*ir.Response, error) {
	if err := rawjson.Valid(body); err != nil {
		return nil, &ir.Error{Kind: ir.BadGateway, Message: "the upstream's answer is not valid JSON: " + err.Error()}
	}
	a := readAnswer(body)
	if a.status == "failed" || a.status == "cancelled" || a.failure.Present() {
		return nil, a.error()
	}
	if a.output.Kind() != rawjson.Array {
		return nil, &ir.Error{Kind: ir.BadGateway, Message: "the upstream's answer holds no output"}
	}
	res := &ir.Response{ID: a.id, Model: a.model, Created: a.created, Usage: a.usage, HasUsage: a.hasUsage}
	var failure error
	r := rawjson.NewReader(a.output)
	r.Array(func(int) {
		parts, err := answerItem(r.Value())
		if err != nil && a.status != "incomplete" {
			failure = err
		}
		res.Parts = append(res.Parts, parts...)
	})
	if failure != nil {
		return nil, failure
	}
	res.Stop = a.stop(res.Parts)
	return res, nil
}

// answer is a response object with its members spanned.
type answer struct {
	id, model, status string
	created           int64
	output, failure   rawjson.Value
	reason            string // of an incomplete answer
	usage             ir.Usage
	hasUsage          bool
}

func readAnswer(v rawjson.Value) answer {
	var a answer
	v.Each(func(k []byte, value rawjson.Value) {
		switch string(k) {
		case "id":
			a.id = value.Str()
		case "model":
			a.model = value.Str()
		case "status":
			a.status = value.Str()
		case "created_at":
			a.created, _ = value.Int()
		case "output":
			a.output = value
		case "error":
			a.failure = value
		case "incomplete_details":
			a.reason = value.Get("reason").Str()
		case "usage":
			if value.Present() {
				a.usage, a.hasUsage = decodeUsage(value), true
			}
		}
	})
	return a
}

func (a *answer) error() *ir.Error {
	if !a.failure.Present() {
		return &ir.Error{Kind: ir.Internal, Message: "the upstream ended the answer without a reason"}
	}
	return errorOf(a.failure)
}

func errorOf(v rawjson.Value) *ir.Error {
	e := ir.UpstreamError(0, v.Get("type").Str(), v.Get("code").Str(), v.Get("message").Str())
	switch e.Code {
	case "server_is_overloaded", "slow_down":
		e.Kind = ir.Overloaded
	case "invalid_prompt":
		e.Kind = ir.InvalidRequest
	}
	return e
}

// stop tells why the answer ended.
func (a *answer) stop(parts []ir.Part) ir.Stop {
	s := ir.Stop{Raw: a.status, Reason: ir.StopEnd}
	for i := range parts {
		switch parts[i].Kind {
		case ir.ToolCall:
			s.Reason = ir.StopTools
		case ir.Refusal:
			s.Reason = ir.StopRefusal
		default:
		}
	}
	if a.status == "incomplete" {
		s.Raw, s.Reason = a.reason, ir.StopLength
		if a.reason == "content_filter" {
			s.Reason = ir.StopRefusal
		}
	}
	return s
}

func decodeUsage(v rawjson.Value) ir.Usage {
	var input int64
	var u ir.Usage
	v.Each(func(k []byte, value rawjson.Value) {
		n, _ := value.Int()
		switch string(k) {
		case "input_tokens":
			input = n
		case "output_tokens":
			u.Output = n
		case "input_tokens_details":
			u.CacheRead, _ = value.Get("cached_tokens").Int()
			u.CacheWrite, _ = value.Get("cache_write_tokens").Int()
		case "output_tokens_details":
			u.Reasoning, _ = value.Get("reasoning_tokens").Int()
		}
	})
	u.Input = max(0, input-u.CacheRead-u.CacheWrite)
	return u
}

// answerItem reads one item of an answer.
func answerItem(v rawjson.Value) ([]ir.Part, error) {
	switch v.Get("type").Str() {
	case "message":
		return messageParts(v.Get("content")), nil
	case "reasoning":
		return []ir.Part{reasoningPart(v)}, nil
	case "function_call", "custom_tool_call":
		return answerCall(v)
	default:
		return nil, nil // a tool that ran at the upstream: its text counts
	}
}

func answerCall(v rawjson.Value) ([]ir.Part, error) {
	if v.Get("name").Str() == "" {
		return nil, ir.Nameless()
	}
	switch v.Get("type").Str() {
	case "function_call":
		args, bad := ir.ArgsOf(v.Get("arguments").Text().Append(nil))
		c := ir.Call{ID: v.Get("call_id").Str(), Name: v.Get("name").Str(), Args: args, BadArgs: bad}
		if bad {
			return []ir.Part{{Kind: ir.ToolCall, Call: c}}, &ir.Error{Kind: ir.BadGateway, Message: "the upstream returned invalid tool arguments"}
		}
		return []ir.Part{{Kind: ir.ToolCall, Call: c}}, nil
	default:
		c := ir.Call{ID: v.Get("call_id").Str(), Name: v.Get("name").Str(), Custom: true, Input: v.Get("input").Text()}
		return []ir.Part{{Kind: ir.ToolCall, Call: c}}, nil
	}
}

func messageParts(content rawjson.Value) []ir.Part {
	var parts []ir.Part
	if content.Kind() != rawjson.Array {
		return nil
	}
	r := rawjson.NewReader(content)
	r.Array(func(int) {
		p := r.Value()
		if text := p.Get("text").Text(); len(text) > 0 {
			parts = append(parts, ir.Part{Kind: ir.Text, Text: text})
		}
		if text := p.Get("refusal").Text(); len(text) > 0 {
			parts = append(parts, ir.Part{Kind: ir.Refusal, Text: text})
		}
	})
	return parts
}

// reasoningPart is a reasoning item as thinking; its signature holds the whole item, so
// that the model can go on from it.
func reasoningPart(v rawjson.Value) ir.Part {
	text := summaryText(v.Get("summary"))
	if len(text) == 0 && v.Get("encrypted_content").Present() {
		return ir.Part{Kind: ir.RedactedThinking, Signature: ir.WrapItem(v)}
	}
	p := ir.Part{Kind: ir.Thinking, Text: text}
	if p.Text == nil {
		p.Text = rawjson.Escaped{}
	}
	if v.Get("encrypted_content").Present() {
		p.Signature = ir.WrapItem(v)
	}
	return p
}
