package openaichat

import (
	"strconv"
	"strings"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
)

const idPrefix = "chatcmpl-"

// answerID is the id of an answer with the prefix clients of the protocol expect.
func answerID(upstream, fallback string) string {
	if upstream == "" {
		upstream = fallback
	}
	if strings.HasPrefix(upstream, idPrefix) {
		return upstream
	}
	return idPrefix + upstream
}

// callID is a call's id. A call without one gets one made from the answer's.
func callID(id string, rep ir.Reply, n int) string {
	if id == "" {
		return "call_" + rep.ID + strconv.Itoa(n)
	}
	return id
}

func created(upstream int64, rep ir.Reply) int64 {
	if upstream != 0 {
		return upstream
	}
	return rep.Created
}

// finishWord is the protocol's word for the end of an answer.
func finishWord(s ir.Stop) string {
	switch s.Reason {
	case ir.StopTools:
		return "tool_calls"
	case ir.StopLength, ir.StopContext:
		return "length"
	case ir.StopRefusal:
		return "content_filter"
	default:
		return "stop"
	}
}

// EncodeResponse writes a chat.completion object.
func (Codec) EncodeResponse(res *ir.Response, rep ir.Reply) ([]byte, error) {
	w := rawjson.Writer{Buf: make([]byte, 0, 1024)}
	w.Open('{')
	w.Str("id", answerID(res.ID, rep.ID))
	w.Str("object", "chat.completion")
	w.Int("created", created(res.Created, rep))
	w.Str("model", rep.Model)
	w.OpenKey("choices", '[')
	w.Open('{')
	w.Int("index", 0)
	w.OpenKey("message", '{')
	encodeMessage(&w, res, rep)
	w.Close('}')
	w.Null("logprobs")
	w.Str("finish_reason", finishWord(res.Stop))
	w.Close('}')
	w.Close(']')
	if res.HasUsage {
		w.Key("usage")
		appendUsage(&w, res.Usage)
	}
	w.TextIf("system_fingerprint", res.Fingerprint)
	w.TextIf("service_tier", res.Tier)
	w.Close('}')
	return w.Buf, nil
}

// encodeMessage writes the members of the answer's message. The protocol has one text
// and one list of calls, so parts of a kind are joined in their order.
func encodeMessage(w *rawjson.Writer, res *ir.Response, rep ir.Reply) {
	var text, thinking, refusal rawjson.Escaped
	var signed, calls []ir.Part
	for _, p := range res.Parts {
		switch p.Kind {
		case ir.Text:
			text = append(text, p.Text...)
		case ir.Thinking:
			if len(thinking) > 0 && len(p.Text) > 0 {
				thinking = append(thinking, `\n\n`...)
			}
			thinking = append(thinking, p.Text...)
			if len(p.Signature) > 0 {
				signed = append(signed, p)
			}
		case ir.RedactedThinking:
			signed = append(signed, p)
		case ir.Refusal:
			refusal = append(refusal, p.Text...)
		case ir.ToolCall:
			calls = append(calls, p)
		default:
		}
	}
	if refusal == nil && res.Stop.Reason == ir.StopRefusal {
		refusal = res.Stop.Explanation
	}
	w.Str("role", "assistant")
	if text == nil && (len(calls) > 0 || refusal != nil) {
		w.Null("content")
	} else {
		w.Text("content", text)
	}
	if refusal != nil {
		w.Text("refusal", refusal)
	} else {
		w.Null("refusal")
	}
	if len(thinking) > 0 {
		w.Text("reasoning_content", thinking)
	}
	if len(signed) > 0 {
		w.OpenKey("reasoning_details", '[')
		for i := range signed {
			appendDetail(w, &signed[i], i)
		}
		w.Close(']')
	}
	if len(calls) > 0 {
		w.OpenKey("tool_calls", '[')
		for i := range calls {
			calls[i].Call.ID = callID(calls[i].Call.ID, rep, i)
			appendCall(w, &calls[i])
		}
		w.Close(']')
	}
}

// appendDetail writes thinking with its proof of origin, so that a client that sends it
// back lets the model go on from it.
func appendDetail(w *rawjson.Writer, p *ir.Part, index int) {
	w.Open('{')
	if p.Kind == ir.RedactedThinking {
		w.Str("type", "reasoning.encrypted")
		w.Text("data", p.Signature)
	} else {
		w.Str("type", "reasoning.text")
		w.Text("text", p.Text)
		w.Text("signature", p.Signature)
	}
	w.Str("format", "anthropic-claude-v1")
	w.Int("index", int64(index))
	w.Close('}')
}

func appendCall(w *rawjson.Writer, p *ir.Part) {
	w.Open('{')
	w.Str("id", p.Call.ID)
	if p.Call.Custom {
		w.Str("type", "custom")
		w.OpenKey("custom", '{')
		w.Str("name", p.Call.Name)
		w.Text("input", p.Call.Input)
	} else {
		w.Str("type", "function")
		w.OpenKey("function", '{')
		w.Str("name", p.Call.Name)
		w.Key("arguments")
		w.Buf = rawjson.AppendQuote(w.Buf, []byte(p.Call.Args))
	}
	w.Close('}')
	w.Close('}')
}

func appendUsage(w *rawjson.Writer, u ir.Usage) {
	w.Open('{')
	w.Int("prompt_tokens", u.Prompt())
	w.Int("completion_tokens", u.Output)
	w.Int("total_tokens", u.Prompt()+u.Output)
	w.OpenKey("prompt_tokens_details", '{')
	w.Int("cached_tokens", u.CacheRead)
	w.Int("cache_write_tokens", u.CacheWrite)
	w.Close('}')
	w.OpenKey("completion_tokens_details", '{')
	w.Int("reasoning_tokens", u.Reasoning)
	w.Close('}')
	w.Close('}')
}
