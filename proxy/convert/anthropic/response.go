package anthropic

import (
	"strings"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
)

// DecodeResponse reads a message object.
func (Codec) DecodeResponse(body []byte) (*ir.Response, error) {
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
				res.Tier = v.Get("service_tier").Text()
				res.HasUsage = true
			}
		case "error":
			failure = r.Value()
		}
	})
	if err := r.Close(); err != nil {
		return nil, &ir.Error{Kind: ir.BadGateway, Message: "the upstream's answer is not valid JSON: " + err.Error()}
	}
	if kind == "error" || failure.Present() && content.Kind() != rawjson.Array {
		return nil, errorOf(failure)
	}
	if content.Kind() != rawjson.Array {
		return nil, &ir.Error{Kind: ir.BadGateway, Message: "the upstream's answer holds no content"}
	}
	if err := decodeAnswer(&res, content); err != nil {
		return nil, err
	}
	res.Stop = stopOf(word, sequence, details)
	return &res, nil
}

func errorOf(v rawjson.Value) *ir.Error {
	if v.Kind() == rawjson.String {
		return ir.UpstreamError(0, "", "", v.Str())
	}
	return ir.UpstreamError(0, v.Get("type").Str(), v.Get("code").Str(), v.Get("message").Str())
}

func decodeAnswer(res *ir.Response, content rawjson.Value) error {
	var failure error
	r := rawjson.NewReader(content)
	r.Array(func(int) {
		v := r.Value()
		b, err := readBlock(v)
		if err != nil {
			failure = &ir.Error{Kind: ir.BadGateway, Message: "the upstream's answer cannot be read: " + err.Error()}
			return
		}
		switch b.kind {
		case "text":
			res.Parts = append(res.Parts, ir.Part{Kind: ir.Text, Text: b.text, Citations: b.citations})
		case "thinking":
			res.Parts = append(res.Parts, ir.Part{Kind: ir.Thinking, Text: b.thinking, Signature: b.signature})
		case "redacted_thinking":
			res.Parts = append(res.Parts, ir.Part{Kind: ir.RedactedThinking, Signature: b.data})
		case "tool_use":
			args, bad := ir.ArgsOf(b.input)
			if b.name.Str() == "" {
				failure = ir.Nameless()
			}
			if bad {
				failure = &ir.Error{Kind: ir.BadGateway, Message: "the upstream returned invalid tool arguments"}
			}
			res.Parts = append(res.Parts, ir.Part{Kind: ir.ToolCall, Call: ir.Call{ID: b.id.Str(), Name: b.name.Str(), Args: args}})
		default:
			res.Parts = append(res.Parts, ir.Part{Kind: ir.Opaque, Type: b.kind, Raw: v})
		}
	})
	return failure
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
	r := rawjson.NewReader(v)
	num := func(dst *int64) {
		if n, ok := r.Value().Int(); ok {
			*dst = n
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

// answerID is the id of an answer with the prefix clients of the protocol expect.
func answerID(upstream, fallback string) string {
	if upstream == "" {
		upstream = fallback
	}
	if strings.HasPrefix(upstream, idPrefix) {
		return upstream
	}
	return idPrefix + strings.TrimPrefix(upstream, "chatcmpl-")
}

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

// appendStop writes stop_reason, stop_sequence and stop_details.
func appendStop(w *rawjson.Writer, s ir.Stop) {
	w.Str("stop_reason", stopWord(s))
	if s.Sequence != nil {
		w.Text("stop_sequence", s.Sequence)
	} else {
		w.Null("stop_sequence")
	}
	if s.Reason != ir.StopRefusal {
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

func appendUsage(w *rawjson.Writer, u ir.Usage) {
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
	w.Close('}')
}

// EncodeResponse writes a message object.
func (Codec) EncodeResponse(res *ir.Response, rep ir.Reply) ([]byte, error) {
	w := rawjson.Writer{Buf: make([]byte, 0, 1024)}
	w.Open('{')
	w.Str("id", answerID(res.ID, rep.ID))
	w.Str("type", "message")
	w.Str("role", "assistant")
	w.Str("model", rep.Model)
	w.OpenKey("content", '[')
	for i := range res.Parts {
		appendPart(&w, &res.Parts[i], i, rep)
	}
	w.Close(']')
	appendStop(&w, res.Stop)
	usage := res.Usage
	if !res.HasUsage {
		usage.Input = rep.InputEstimate
	}
	w.Key("usage")
	appendUsage(&w, usage)
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
		w.Raw("input", p.Call.Args)
	default:
		return
	}
	w.Close('}')
}
