package anthropic

import (
	"strconv"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
)

// StreamEncoder writes a stream of Messages events.
type StreamEncoder struct {
	rep ir.Reply

	started, done bool
	index         int // of the open or next block
	open          bool
	kind          ir.PartKind
	signed        bool
	argsSent      bool
	custom        bool // the open call takes free text, which is wrapped
	tools         bool // a tool was called

	// delta is the beginning of every delta event of the open block.
	delta []byte

	usage    ir.Usage
	hasUsage bool
	stop     ir.Stop
}

// NewStreamEncoder returns an encoder for one answer.
func NewStreamEncoder(rep ir.Reply) *StreamEncoder { return &StreamEncoder{rep: rep} }

const ping = "event: ping\ndata: {\"type\":\"ping\"}\n\n"

// AppendKeepAlive appends a ping event, or a comment in front of the message and behind it:
// clients refuse events there.
func (e *StreamEncoder) AppendKeepAlive(dst []byte) []byte {
	if !e.started || e.done {
		return append(dst, ": keep-alive\n\n"...)
	}
	return append(dst, ping...)
}

// Append appends the events that tell ev.
func (e *StreamEncoder) Append(dst []byte, ev *ir.Event) []byte {
	if e.done {
		return dst
	}
	if ev.Kind == ir.Failure {
		return e.failure(dst, ev.Err)
	}
	if !e.started {
		dst = e.start(dst, ev)
	}
	switch ev.Kind {
	case ir.PartOpen:
		return e.openBlock(dst, ev)
	case ir.Delta:
		return e.text(dst, ev.Text)
	case ir.SignatureEv:
		if e.open && e.kind == ir.Thinking && !e.signed {
			e.signed = true
			return e.write(dst, "signature_delta", "signature", ev.Text)
		}
	case ir.PartClose:
		return e.closeBlock(dst)
	case ir.UsageEvent:
		e.usage, e.hasUsage = ev.Usage, true
	case ir.Finish:
		e.stop = ev.Stop
	case ir.Ping:
		return append(dst, ping...)
	case ir.End:
		return e.end(dst)
	default:
	}
	return dst
}

func (e *StreamEncoder) failure(dst []byte, err *ir.Error) []byte {
	e.done = true
	w := rawjson.Writer{Buf: append(dst, "event: error\ndata: "...)}
	appendError(&w, err, "req_"+e.rep.ID)
	return append(w.Buf, '\n', '\n')
}

func (e *StreamEncoder) start(dst []byte, ev *ir.Event) []byte {
	e.started = true
	id, tier := "", ""
	if ev.Kind == ir.Start {
		id, tier = ev.ID, ev.Tier
	}
	w := rawjson.Writer{Buf: append(dst, "event: message_start\ndata: "...)}
	w.Open('{')
	w.Str("type", "message_start")
	w.OpenKey("message", '{')
	w.Str("id", ir.AnswerID(idPrefix, id, e.rep.ID))
	w.Str("type", "message")
	w.Str("role", "assistant")
	w.Str("model", e.rep.Model)
	w.Raw("content", rawjson.Value("[]"))
	w.Null("stop_reason")
	w.Null("stop_sequence")
	w.Null("stop_details")
	w.Null("container")
	w.Key("usage")
	appendUsage(&w, ir.Usage{Input: e.rep.InputEstimate}, tier)
	return append(w.Buf, "}}\n\n"...)
}

func (e *StreamEncoder) openBlock(dst []byte, ev *ir.Event) []byte {
	if ev.Part == ir.Search { // the client would look for the results
		return dst
	}
	e.open, e.kind, e.signed, e.argsSent, e.custom = true, ev.Part, false, false, ev.Custom
	w := rawjson.Writer{Buf: append(dst, "event: content_block_start\ndata: "...)}
	w.Open('{')
	w.Str("type", "content_block_start")
	w.Int("index", int64(e.index))
	w.OpenKey("content_block", '{')
	switch ev.Part {
	case ir.Thinking:
		w.Str("type", "thinking")
		w.Str("thinking", "")
		w.Str("signature", "")
	case ir.RedactedThinking:
		w.Str("type", "redacted_thinking")
		w.Text("data", ev.Text)
	case ir.ToolCall:
		e.tools = true
		w.Str("type", "tool_use")
		w.Str("id", callID(ev.ID, e.rep, e.index))
		w.Str("name", ev.Name)
		w.Raw("input", rawjson.Value("{}"))
	default:
		w.Str("type", "text")
		w.Str("text", "")
	}
	e.delta = append(e.delta[:0], "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":"...)
	e.delta = strconv.AppendInt(e.delta, int64(e.index), 10)
	e.delta = append(e.delta, `,"delta":{"type":"`...)
	dst = append(w.Buf, "}}\n\n"...)
	if e.custom {
		return e.args(dst, rawjson.Escaped(`{\"input\":\"`))
	}
	return dst
}

func (e *StreamEncoder) args(dst []byte, text rawjson.Escaped) []byte {
	e.argsSent = true
	return e.write(dst, "input_json_delta", "partial_json", text)
}

func (e *StreamEncoder) text(dst []byte, text rawjson.Escaped) []byte {
	if !e.open || len(text) == 0 {
		return dst
	}
	switch e.kind {
	case ir.Thinking:
		return e.write(dst, "thinking_delta", "thinking", text)
	case ir.ToolCall:
		if e.custom {
			text = rawjson.AppendEscape(nil, []byte(text))
		}
		return e.args(dst, text)
	case ir.RedactedThinking:
		return dst
	default:
		return e.write(dst, "text_delta", "text", text)
	}
}

func (e *StreamEncoder) write(dst []byte, kind, member string, text rawjson.Escaped) []byte {
	dst = append(dst, e.delta...)
	dst = append(dst, kind...)
	dst = append(dst, `","`...)
	dst = append(dst, member...)
	dst = append(dst, `":"`...)
	dst = append(dst, text...)
	return append(dst, "\"}}\n\n"...)
}

// closeBlock ends the open block. Thinking always carries a signature, ours when the
// upstream gave none.
func (e *StreamEncoder) closeBlock(dst []byte) []byte {
	if !e.open {
		return dst
	}
	if e.kind == ir.Thinking && !e.signed {
		dst = e.write(dst, "signature_delta", "signature", rawjson.Escaped(ir.TextSignature))
	}
	if e.kind == ir.ToolCall && !e.argsSent {
		dst = e.args(dst, rawjson.Escaped("{}"))
	}
	if e.kind == ir.ToolCall && e.custom {
		dst = e.args(dst, rawjson.Escaped(`\"}`))
	}
	e.open = false
	dst = append(dst, "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":"...)
	dst = strconv.AppendInt(dst, int64(e.index), 10)
	e.index++
	return append(dst, "}\n\n"...)
}

func (e *StreamEncoder) end(dst []byte) []byte {
	dst = e.closeBlock(dst)
	e.done = true
	usage := e.usage
	if !e.hasUsage {
		usage.Input = e.rep.InputEstimate
	}
	w := rawjson.Writer{Buf: append(dst, "event: message_delta\ndata: "...)}
	w.Open('{')
	w.Str("type", "message_delta")
	w.OpenKey("delta", '{')
	appendStop(&w, e.stop, e.tools)
	w.Close('}')
	w.Key("usage")
	appendUsage(&w, usage, "")
	return append(w.Buf, "}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"...)
}
