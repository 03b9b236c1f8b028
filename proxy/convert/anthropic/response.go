package anthropic

import (
	"slices"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/prose"
	"apex-ai-proxy/proxy/rawjson"
)

// DecodeResponse reads a message object.
func (Codec) DecodeResponse(body []byte, from ir.Source) (*ir.Response, error) {
	body = ir.ValidUTF8(body)
	var res ir.Response
	var content, failure, details rawjson.Value
	var kind, word string
	var sequence rawjson.Escaped
	r := rawjson.NewReader(body)
	r.Object(func(k []byte) {
		switch string(k) {
		case "type":
			kind = r.Value().Str()
		case "id":
			res.ID = r.Value().Str()
		case "model":
			res.Model = r.Value().Str()
		case "content":
			content = r.Value()
		case "stop_reason":
			word = r.Value().Str()
		case "stop_sequence":
			sequence = r.Value().Text()
		case "stop_details":
			details = r.Value()
		case "usage":
			if v := r.Value(); v.Present() {
				mergeUsage(&res.Usage, v)
				res.Tier = tierOf(v)
				res.HasUsage = true
				if v.Get("server_tool_use").Present() {
					res.Losses = append(res.Losses, lostServerUsage)
				}
			}
		case "error":
			failure = r.Value()
		}
	})
	if err := r.Close(); err != nil {
		return nil, &ir.Error{Kind: ir.BadGateway, Message: prose.New("the provider's answer is not valid JSON: %v", err)}
	}
	if kind == "error" || failure.Present() && content.Kind() != rawjson.Array {
		return nil, errorOf(failure)
	}
	if content.Kind() != rawjson.Array {
		return nil, &ir.Error{Kind: ir.BadGateway, Message: prose.New("the provider's answer holds no content")}
	}
	if err := decodeAnswer(&res, content, from); err != nil {
		return nil, err
	}
	called := slices.ContainsFunc(res.Parts, func(p ir.Part) bool { return p.Kind == ir.ToolCall })
	res.Stop = stopOf(word, sequence, details).Fit(called, false)
	if res.Stop.Reason == ir.StopPause {
		res.Losses = append(res.Losses, lostPause)
	}
	return &res, nil
}

// What answers hold that only this protocol can say.
var (
	lostServerUsage = ir.Loss{Code: "server-tool-usage-dropped", Why: prose.New("the client's protocol cannot express what the provider's own tools were used for")}
	lostPause       = ir.Loss{Code: "pause-turn", Why: prose.New("the provider paused a long turn; the client's protocol cannot express this, so the turn looks finished")}
	lostCitation    = ir.Loss{Code: "citation-dropped", Why: prose.New("the client's protocol only supports citations of web pages")}
)

// tierOf is the service tier in OpenAI's words.
func tierOf(usage rawjson.Value) string {
	if tier := usage.Get("service_tier").Str(); tier != "standard" {
		return tier
	}
	return "default"
}

func errorOf(v rawjson.Value) *ir.Error {
	if v.Kind() == rawjson.String {
		return ir.UpstreamError(0, "", "", v.Str())
	}
	return ir.UpstreamError(0, v.Get("type").Str(), v.Get("code").Str(), v.Get("message").Str())
}

func decodeAnswer(res *ir.Response, content rawjson.Value, from ir.Source) error {
	var failure error
	r := rawjson.Within(content)
	r.Array(func(int) {
		v := r.Value()
		var b wireBlock
		if err := b.read(v); err != nil {
			failure = &ir.Error{Kind: ir.BadGateway, Message: prose.New("the provider's answer cannot be read: %v", err)}
			return
		}
		switch b.kind {
		case "text":
			res.Parts = append(res.Parts, textPart(res, &b))
		case "thinking":
			res.Parts = append(res.Parts, ir.Part{Kind: ir.Thinking, Text: b.thinking, Signature: b.signature})
		case "redacted_thinking":
			res.Parts = append(res.Parts, ir.Part{Kind: ir.RedactedThinking, Signature: b.data})
		case "tool_use":
			args, bad := ir.ArgsOf(b.input)
			if bad {
				failure = badInput()
			}
			name, err := from.ToolName(b.name.Str())
			if err != nil {
				failure = err
			}
			res.Parts = append(res.Parts, ir.Part{Kind: ir.ToolCall, Call: ir.Call{ID: b.id.Str(), Name: name, Args: args}})
		case "server_tool_use":
			if b.name.Str() == webSearch {
				res.Parts = append(res.Parts, ir.Part{Kind: ir.Search, Text: b.input.Get("query").Text()})
			}
		default:
			res.Parts = append(res.Parts, ir.Part{Kind: ir.Opaque, Type: b.kind, Raw: v})
		}
	})
	return failure
}

// webSearch is the name of the vendor's own tool that searches the web.
const webSearch = "web_search"

func badInput() *ir.Error {
	return &ir.Error{Kind: ir.BadGateway, Message: prose.New("the provider returned invalid tool arguments")}
}

func textPart(res *ir.Response, b *wireBlock) ir.Part {
	p := ir.Part{Kind: ir.Text, Text: b.text}
	if b.citations.Kind() != rawjson.Array {
		return p
	}
	r := rawjson.Within(b.citations)
	r.Array(func(int) {
		if l, ok := linkOf(r.Value()); ok {
			p.Links = append(p.Links, l)
		} else {
			res.Losses = append(res.Losses, lostCitation)
		}
	})
	return p
}

// linkOf is the page that a citation is of. Citations of documents have no counterpart.
func linkOf(citation rawjson.Value) (l ir.Link, ok bool) {
	if citation.Get("type").Str() != "web_search_result_location" {
		return l, false
	}
	return ir.Link{URL: citation.Get("url").Text(), Title: citation.Get("title").Text()}, true
}

// stopOf reads a stop reason.
func stopOf(word string, sequence rawjson.Escaped, details rawjson.Value) ir.Stop {
	s := ir.Stop{Raw: word, Sequence: sequence}
	switch word {
	case "end_turn", "", "compaction":
		s.Reason = ir.StopEnd
	case "stop_sequence":
		s.Reason = ir.StopSequence
	case "max_tokens":
		s.Reason = ir.StopLength
	case "model_context_window_exceeded":
		s.Reason = ir.StopContext
	case "tool_use":
		s.Reason = ir.StopTools
	case "pause_turn":
		s.Reason = ir.StopPause
	case "refusal":
		s.Reason = ir.StopRefusal
		if s.Explanation = details.Get("explanation").Text(); len(s.Explanation) == 0 {
			s.Explanation = rawjson.Escaped("The model refused to answer.")
		}
	}
	return s
}

// mergeUsage reads a usage object over what is known already: fields that are present
// replace earlier ones, because counts in a stream are totals.
func mergeUsage(u *ir.Usage, v rawjson.Value) {
	r := rawjson.Within(v)
	num := func(dst *int64) {
		if v := r.Value(); v.Kind() == rawjson.Number {
			*dst = ir.Count(v)
		}
	}
	r.Object(func(k []byte) {
		switch string(k) {
		case "input_tokens":
			num(&u.Input)
		case "output_tokens":
			num(&u.Output)
		case "cache_read_input_tokens":
			num(&u.CacheRead)
		case "cache_creation_input_tokens":
			num(&u.CacheWrite)
		case "output_tokens_details":
			r.Object(func(k []byte) {
				if string(k) == "thinking_tokens" {
					num(&u.Reasoning)
				}
			})
		}
	})
}

const idPrefix = "msg_"

// stopWord is the protocol's word for the end of an answer.
func stopWord(s ir.Stop) string {
	switch s.Reason {
	case ir.StopTools:
		return "tool_use"
	case ir.StopLength:
		return "max_tokens"
	case ir.StopContext:
		return "model_context_window_exceeded"
	case ir.StopRefusal:
		return "refusal"
	case ir.StopSequence:
		return "stop_sequence"
	case ir.StopPause:
		return "pause_turn"
	default:
		return "end_turn"
	}
}

// appendStop writes stop_reason, stop_sequence and stop_details; tools tells whether the
// answer calls any.
func appendStop(w *rawjson.Writer, s ir.Stop, tools bool) {
	w.Str("stop_reason", stopWord(s.Fit(tools, false)))
	if s.Sequence != nil {
		w.Text("stop_sequence", s.Sequence)
	} else {
		w.Null("stop_sequence")
	}
	if s.Reason != ir.StopRefusal {
		w.Null("stop_details")
		return
	}
	w.OpenKey("stop_details", '{')
	w.Str("type", "refusal")
	w.Null("category")
	if len(s.Explanation) > 0 {
		w.Text("explanation", s.Explanation)
	} else {
		w.Null("explanation")
	}
	w.Close('}')
}

func appendUsage(w *rawjson.Writer, u ir.Usage, tier string) {
	w.Open('{')
	w.Int("input_tokens", u.Input)
	w.Int("cache_creation_input_tokens", u.CacheWrite)
	w.Int("cache_read_input_tokens", u.CacheRead)
	w.Int("output_tokens", u.Output)
	if u.Reasoning > 0 {
		w.OpenKey("output_tokens_details", '{')
		w.Int("thinking_tokens", u.Reasoning)
		w.Close('}')
	}
	switch tier {
	case "default":
		w.Str("service_tier", "standard")
	case "priority", "batch":
		w.Str("service_tier", tier)
	}
	w.Close('}')
}

// EncodeResponse writes a message object.
func (Codec) EncodeResponse(res *ir.Response, rep ir.Reply) ([]byte, error) {
	w := rawjson.Writer{Buf: make([]byte, 0, 1024)}
	w.Open('{')
	w.Str("id", ir.AnswerID(idPrefix, res.ID, rep.ID))
	w.Str("type", "message")
	w.Str("role", "assistant")
	w.Str("model", rep.Model)
	w.OpenKey("content", '[')
	tools := false
	for i := range res.Parts {
		appendPart(&w, &res.Parts[i], i, rep)
		tools = tools || res.Parts[i].Kind == ir.ToolCall
	}
	w.Close(']')
	appendStop(&w, res.Stop, tools)
	w.Null("container")
	usage := res.Usage
	if !res.HasUsage {
		usage.Input = rep.InputEstimate
	}
	w.Key("usage")
	appendUsage(&w, usage, res.Tier)
	w.Close('}')
	return w.Buf, nil
}

func appendPart(w *rawjson.Writer, p *ir.Part, i int, rep ir.Reply) {
	switch p.Kind {
	case ir.Text, ir.Refusal:
		if len(p.Text) == 0 {
			return
		}
		w.Open('{')
		w.Str("type", "text")
		w.Text("text", p.Text)
	case ir.Thinking:
		signature := p.Signature
		if signature == nil {
			signature = rawjson.Escaped(ir.TextSignature)
		}
		w.Open('{')
		w.Str("type", "thinking")
		w.Text("thinking", p.Text)
		w.Text("signature", signature)
	case ir.RedactedThinking:
		w.Open('{')
		w.Str("type", "redacted_thinking")
		w.Text("data", p.Signature)
	case ir.ToolCall:
		w.Open('{')
		w.Str("type", "tool_use")
		w.Str("id", callID(p.Call.ID, rep, i))
		w.Str("name", p.Call.Name)
		if p.Call.Custom {
			w.Raw("input", ir.WrapInput(p.Call.Input))
		} else {
			w.Raw("input", p.Call.Args)
		}
	default:
		return
	}
	w.Close('}')
}
