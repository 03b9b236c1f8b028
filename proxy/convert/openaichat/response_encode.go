package openaichat

import (
	"strconv"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
)

const idPrefix = "chatcmpl-"

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

// serviceTier is the word for a tier, "" for one that the protocol has not.
func serviceTier(word string) string {
	switch word {
	case "auto", "default", "flex", "scale", "priority":
		return word
	default:
		return ""
	}
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
	w.Str("id", ir.AnswerID(idPrefix, res.ID, rep.ID))
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
	if tier := serviceTier(res.Tier); tier != "" {
		w.Str("service_tier", tier)
	}
	w.Close('}')
	return w.Buf, nil
}

// encodeMessage writes the members of the answer's message. The protocol has one text
// and one list of calls, so parts of a kind are joined in their order.
func encodeMessage(w *rawjson.Writer, res *ir.Response, rep ir.Reply) {
	var text, thinking, refusal rawjson.Escaped
	var signed, calls []ir.Part
	var links []ir.Link
	for _, p := range res.Parts {
		switch p.Kind {
		case ir.Text:
			links = append(links, placed(p.Links, text.Runes(), p.Text.Runes())...)
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
	if len(links) > 0 {
		w.OpenKey("annotations", '[')
		for i := range links {
			appendLink(w, &links[i])
		}
		w.Close(']')
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
			appendCall(w, &calls[i], rep)
		}
		w.Close(']')
	}
}

// placed are links of a part with so many characters before it and in it.
func placed(links []ir.Link, before, length int) []ir.Link {
	out := make([]ir.Link, 0, len(links))
	for _, l := range links {
		if l.End == 0 {
			l.Start, l.End = 0, length
		}
		l.Start, l.End = l.Start+before, l.End+before
		out = append(out, l)
	}
	return out
}

func appendLink(w *rawjson.Writer, l *ir.Link) {
	w.Open('{')
	w.Str("type", "url_citation")
	w.OpenKey("url_citation", '{')
	w.Int("start_index", int64(l.Start))
	w.Int("end_index", int64(l.End))
	w.Text("url", l.URL)
	w.Text("title", l.Title)
	w.Close('}')
	w.Close('}')
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

// flatCustom tells whether the client declared a custom tool in a way that is not this
// protocol's. Such a client, Cursor, knows no calls of custom tools in an answer: it takes
// the free text as the arguments of a function.
func flatCustom(rep ir.Reply, name string) bool {
	if rep.Request == nil {
		return false
	}
	for i := range rep.Request.Tools {
		if t := &rep.Request.Tools[i]; t.Kind == ir.CustomTool && t.Name == name {
			return !t.Nested
		}
	}
	return false
}

func appendCall(w *rawjson.Writer, p *ir.Part, rep ir.Reply) {
	w.Open('{')
	w.Str("id", p.Call.ID)
	switch {
	case p.Call.Custom && flatCustom(rep, p.Call.Name):
		w.Str("type", "function")
		w.OpenKey("function", '{')
		w.Str("name", p.Call.Name)
		w.Text("arguments", p.Call.Input)
	case p.Call.Custom:
		w.Str("type", "custom")
		w.OpenKey("custom", '{')
		w.Str("name", p.Call.Name)
		w.Text("input", p.Call.Input)
	default:
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
