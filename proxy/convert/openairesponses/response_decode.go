package openairesponses

import (
	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/prose"
	"apex-ai-proxy/proxy/rawjson"
)

// DecodeResponse reads a response object.
func (Codec) DecodeResponse(body []byte, from ir.Source) (*ir.Response, error) {
	body = ir.ValidUTF8(body)
	if err := rawjson.Valid(body); err != nil {
		return nil, &ir.Error{Kind: ir.BadGateway, Message: prose.New("the provider's answer is not valid JSON: %v", err)}
	}
	a := readAnswer(body)
	if a.status == "failed" || a.status == "cancelled" || a.failure.Present() {
		return nil, a.error()
	}
	if a.status == "in_progress" || a.status == "queued" {
		return nil, &ir.Error{Kind: ir.BadGateway, Message: prose.New("the provider's answer is not finished: its status is %s", a.status)}
	}
	if a.output.Kind() != rawjson.Array {
		return nil, &ir.Error{Kind: ir.BadGateway, Message: prose.New("the provider's answer holds no output")}
	}
	res := &ir.Response{ID: a.id, Model: a.model, Created: a.created, Completed: a.completed, Tier: a.tier, Usage: a.usage, HasUsage: a.hasUsage}
	var failure error
	r := rawjson.Within(a.output)
	r.Array(func(int) {
		parts, err := answerItem(r.Value(), from)
		if err != nil && failure == nil {
			failure = err
		}
		res.Parts = append(res.Parts, parts...)
	})
	if failure != nil {
		return nil, failure
	}
	called, refused := false, false
	for i := range res.Parts {
		p := &res.Parts[i]
		called, refused = called || p.Kind == ir.ToolCall, refused || p.Kind == ir.Refusal
		if !p.Call.BadArgs {
			continue
		}
		if a.status != "incomplete" {
			return nil, &ir.Error{Kind: ir.BadGateway, Message: prose.New("the provider returned invalid tool arguments")}
		}
		res.Losses.Add("tool-arguments-cut", "", "the output limit was reached inside the arguments of a tool call; they were left out")
	}
	res.Stop = a.stop().Fit(called, refused)
	return res, nil
}

// answer is a response object with its members spanned.
type answer struct {
	id, model, status  string
	tier               string
	created, completed int64
	output, failure    rawjson.Value
	reason             string // of an incomplete answer
	usage              ir.Usage
	hasUsage           bool
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
		case "completed_at":
			a.completed, _ = value.Int()
		case "service_tier":
			if a.tier = value.Str(); a.tier == "auto" {
				a.tier = "" // not decided yet
			}
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
	if a.status == "" && a.reason != "" { // some servers leave the status away
		a.status = "incomplete"
	}
	return a
}

func (a *answer) error() *ir.Error {
	if !a.failure.Present() {
		return &ir.Error{Kind: ir.Internal, Message: prose.New("the provider ended the answer without a reason")}
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
func (a *answer) stop() ir.Stop {
	switch {
	case a.status != "incomplete":
		return ir.Stop{Raw: a.status, Reason: ir.StopEnd}
	case a.reason == "content_filter":
		return ir.Stop{Raw: a.reason, Reason: ir.StopRefusal}
	default:
		return ir.Stop{Raw: a.reason, Reason: ir.StopLength}
	}
}

func decodeUsage(v rawjson.Value) ir.Usage {
	var input int64
	var u ir.Usage
	v.Each(func(k []byte, value rawjson.Value) {
		switch string(k) {
		case "input_tokens":
			input = ir.Count(value)
		case "output_tokens":
			u.Output = ir.Count(value)
		case "input_tokens_details":
			u.CacheRead = ir.Count(value.Get("cached_tokens"))
			u.CacheWrite = ir.Count(value.Get("cache_write_tokens"))
		case "output_tokens_details":
			u.Reasoning = ir.Count(value.Get("reasoning_tokens"))
		}
	})
	u.Input = max(0, input-u.CacheRead-u.CacheWrite)
	return u
}

// answerItem reads one item of an answer.
func answerItem(v rawjson.Value, from ir.Source) ([]ir.Part, error) {
	switch v.Get("type").Str() {
	case "message":
		return messageParts(v.Get("content")), nil
	case "reasoning":
		return []ir.Part{reasoningPart(v)}, nil
	case "function_call", "custom_tool_call":
		return answerCall(v, from)
	default:
		return nil, nil // a tool that ran at the upstream: its text counts
	}
}

func answerCall(v rawjson.Value, from ir.Source) ([]ir.Part, error) {
	name, err := from.ToolName(v.Get("name").Str())
	if err != nil {
		return nil, err
	}
	c := ir.Call{ID: v.Get("call_id").Str(), Name: name}
	if v.Get("type").Str() == "custom_tool_call" {
		c.Custom, c.Input = true, v.Get("input").Text()
	} else {
		c.Args, c.BadArgs = ir.ArgsOf(v.Get("arguments").Text().Append(nil))
	}
	return []ir.Part{{Kind: ir.ToolCall, Call: c}}, nil
}

func messageParts(content rawjson.Value) []ir.Part {
	var parts []ir.Part
	eachOf(content, func(_ int, p rawjson.Value) {
		if text := p.Get("text").Text(); len(text) > 0 {
			part := ir.Part{Kind: ir.Text, Text: text}
			eachOf(p.Get("annotations"), func(_ int, a rawjson.Value) {
				if l, ok := linkOf(a); ok {
					part.Links = append(part.Links, l)
				}
			})
			parts = append(parts, part)
		}
		if text := p.Get("refusal").Text(); len(text) > 0 {
			parts = append(parts, ir.Part{Kind: ir.Refusal, Text: text})
		}
	})
	return parts
}

// linkOf is the page that an annotation cites.
func linkOf(v rawjson.Value) (l ir.Link, ok bool) {
	if v.Get("type").Str() != "url_citation" {
		return l, false
	}
	l = ir.Link{URL: v.Get("url").Text(), Title: v.Get("title").Text()}
	l.Start, l.End = int(ir.Count(v.Get("start_index"))), int(ir.Count(v.Get("end_index")))
	return l, true
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
