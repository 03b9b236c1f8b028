package openairesponses

import (
	"strconv"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
)

// StreamEncoder writes a stream of Responses events. Each event is numbered; the last one
// holds the whole answer.
type StreamEncoder struct {
	rep    ir.Reply
	obj    *object
	silent bool // build the object only, write no events
	seq    int64
	done   bool

	open  bool
	item  item
	index int  // of the open or next item
	late  bool // a cut call waits for the reason the answer ended
}

// item is the open output item.
type item struct {
	kind      ir.PartKind
	id        string
	text      rawjson.Escaped // text, thinking, refusal or arguments so far
	signature rawjson.Escaped
	call      ir.Call
	tool      *ir.Tool // as the client declared it, nil when it did not
	status    string
}

// NewStreamEncoder returns an encoder for one answer.
func NewStreamEncoder(rep ir.Reply) *StreamEncoder { return &StreamEncoder{rep: rep} }

// AppendKeepAlive appends a comment, which clients skip.
func (e *StreamEncoder) AppendKeepAlive(dst []byte) []byte { return append(dst, ": keep-alive\n\n"...) }

// EncodeResponse writes a whole response object.
func (Codec) EncodeResponse(res *ir.Response, rep ir.Reply) ([]byte, error) {
	e := StreamEncoder{rep: rep, silent: true}
	ir.Replay(res, func(ev *ir.Event) { e.Append(nil, ev) })
	var w rawjson.Writer
	e.obj.write(&w)
	return w.Buf, nil
}

// Append appends the events that tell ev.
func (e *StreamEncoder) Append(dst []byte, ev *ir.Event) []byte {
	if e.done {
		return dst
	}
	if e.obj == nil {
		if ev.Kind == ir.Failure { // the failure is all there is to tell
			e.obj = newObject("", 0, e.rep)
			return e.fail(dst, ev.Err)
		}
		dst = e.start(dst, ev)
	}
	if e.late && ev.Kind != ir.Finish && ev.Kind != ir.Failure && ev.Kind != ir.UsageEvent && ev.Kind != ir.Ping {
		dst = e.itemDone(dst, "incomplete")
	}
	switch ev.Kind {
	case ir.PartOpen:
		return e.openItem(dst, ev)
	case ir.Delta:
		return e.delta(dst, ev.Text)
	case ir.SignatureEv:
		e.item.signature = append(e.item.signature, ev.Text...)
	case ir.PartClose:
		return e.closeItem(dst)
	case ir.UsageEvent:
		e.obj.usage, e.obj.hasUsage = ev.Usage, true
	case ir.Finish:
		return e.finish(dst, ev.Stop)
	case ir.Ping:
		if !e.silent {
			return e.AppendKeepAlive(dst)
		}
	case ir.End:
		return e.end(dst)
	case ir.Failure:
		return e.fail(dst, ev.Err)
	default:
	}
	return dst
}

// event begins an event; endEvent completes it.
func (e *StreamEncoder) event(dst []byte, name string) rawjson.Writer {
	w := rawjson.Writer{Buf: append(dst, "event: "...)}
	w.Buf = append(w.Buf, name...)
	w.Buf = append(w.Buf, "\ndata: "...)
	w.Open('{')
	w.Str("type", name)
	w.Int("sequence_number", e.seq)
	e.seq++
	return w
}

func endEvent(w rawjson.Writer) []byte { return append(w.Buf, "}\n\n"...) }

// snapshot writes an event with the response object as it is now.
func (e *StreamEncoder) snapshot(dst []byte, name string) []byte {
	if e.silent {
		return dst
	}
	w := e.event(dst, name)
	w.Key("response")
	e.obj.write(&w)
	return endEvent(w)
}

func (e *StreamEncoder) start(dst []byte, ev *ir.Event) []byte {
	id, created := "", int64(0)
	if ev.Kind == ir.Start {
		id, created = ev.ID, ev.Created
	}
	e.obj = newObject(id, created, e.rep)
	dst = e.snapshot(dst, "response.created")
	return e.snapshot(dst, "response.in_progress")
}

func (e *StreamEncoder) openItem(dst []byte, ev *ir.Event) []byte {
	e.open = true
	e.item = item{kind: ev.Part, status: "in_progress", text: rawjson.Escaped{}}
	it := &e.item
	switch ev.Part {
	case ir.Thinking, ir.RedactedThinking:
		it.id, it.signature = e.itemID("rs_"), append(rawjson.Escaped{}, ev.Text...)
	case ir.ToolCall:
		it.call = ir.Call{ID: ev.ID, Name: ev.Name, Custom: ev.Custom}
		it.tool = e.declared(ev.Name)
		it.id = e.itemID(it.prefix())
		if it.call.ID == "" {
			it.call.ID = "call_" + it.id
		}
	default:
		it.id = e.itemID("msg_")
	}
	if e.silent {
		return dst
	}
	w := e.event(dst, "response.output_item.added")
	w.Int("output_index", int64(e.index))
	w.Key("item")
	it.write(&w)
	dst = endEvent(w)
	switch ev.Part {
	case ir.Text, ir.Refusal:
		w := e.event(dst, "response.content_part.added")
		e.place(&w, "content_index")
		w.Key("part")
		it.writePart(&w)
		dst = endEvent(w)
	case ir.Thinking:
		w := e.event(dst, "response.reasoning_summary_part.added")
		e.place(&w, "summary_index")
		w.Raw("part", rawjson.Value(`{"type":"summary_text","text":""}`))
		dst = endEvent(w)
	default:
	}
	return dst
}

func (e *StreamEncoder) itemID(prefix string) string {
	return prefix + e.obj.stem + "_" + strconv.Itoa(e.index)
}

func (e *StreamEncoder) declared(name string) *ir.Tool {
	if e.rep.Request == nil {
		return nil
	}
	for i := range e.rep.Request.Tools {
		if t := &e.rep.Request.Tools[i]; t.Name == name && t.Kind != ir.BuiltinTool {
			return t
		}
	}
	return nil
}

// place writes where a delta belongs.
func (e *StreamEncoder) place(w *rawjson.Writer, inner string) {
	w.Str("item_id", e.item.id)
	w.Int("output_index", int64(e.index))
	if inner != "" {
		w.Int(inner, 0)
	}
}

func (e *StreamEncoder) delta(dst []byte, text rawjson.Escaped) []byte {
	if !e.open || len(text) == 0 {
		return dst
	}
	e.item.text = append(e.item.text, text...)
	if e.silent {
		return dst
	}
	name, inner, logprobs := "response.output_text.delta", "content_index", true
	switch e.item.kind {
	case ir.Refusal:
		name, logprobs = "response.refusal.delta", false
	case ir.Thinking:
		name, inner, logprobs = "response.reasoning_summary_text.delta", "summary_index", false
	case ir.ToolCall:
		name, inner, logprobs = "response.function_call_arguments.delta", "", false
		switch {
		case e.item.builtin() != "":
			return dst
		case e.item.call.Custom:
			name = "response.custom_tool_call_input.delta"
		}
	case ir.RedactedThinking:
		return dst
	default:
	}
	w := e.event(dst, name)
	e.place(&w, inner)
	w.Text("delta", text)
	if logprobs {
		w.Raw("logprobs", rawjson.Value("[]"))
	}
	return endEvent(w)
}

// closeItem ends the open item. A call whose arguments are cut off waits: only the reason
// the answer ended tells whether it may be executed.
func (e *StreamEncoder) closeItem(dst []byte) []byte {
	if !e.open {
		return dst
	}
	it := &e.item
	if it.kind == ir.ToolCall && !it.call.Custom {
		text := it.text.Append(nil)
		if len(text) == 0 {
			text = []byte("{}")
			dst = e.delta(dst, rawjson.Escaped("{}"))
		}
		it.call.Args = text
		if rawjson.Valid(text) != nil {
			e.late = true
			return dst
		}
	}
	return e.itemDone(dst, "completed")
}

func (e *StreamEncoder) itemDone(dst []byte, status string) []byte {
	e.open, e.late = false, false
	it := &e.item
	it.status = status
	if !e.silent {
		dst = e.partDone(dst)
		w := e.event(dst, "response.output_item.done")
		w.Int("output_index", int64(e.index))
		w.Key("item")
		it.write(&w)
		dst = endEvent(w)
	}
	w := rawjson.Writer{Buf: e.obj.output}
	if len(w.Buf) > 0 {
		w.Buf = append(w.Buf, ',')
	}
	it.write(&w)
	e.obj.output = w.Buf
	e.index++
	return dst
}

// partDone writes the events that repeat the whole of what the deltas told.
func (e *StreamEncoder) partDone(dst []byte) []byte {
	it := &e.item
	switch it.kind {
	case ir.Text, ir.Refusal:
		name, member := "response.output_text.done", "text"
		if it.kind == ir.Refusal {
			name, member = "response.refusal.done", "refusal"
		}
		w := e.event(dst, name)
		e.place(&w, "content_index")
		w.Text(member, it.text)
		if it.kind == ir.Text {
			w.Raw("logprobs", rawjson.Value("[]"))
		}
		w = e.event(endEvent(w), "response.content_part.done")
		e.place(&w, "content_index")
		w.Key("part")
		it.writePart(&w)
		return endEvent(w)
	case ir.Thinking:
		w := e.event(dst, "response.reasoning_summary_text.done")
		e.place(&w, "summary_index")
		w.Text("text", it.text)
		w = e.event(endEvent(w), "response.reasoning_summary_part.done")
		e.place(&w, "summary_index")
		w.Key("part")
		it.writeSummary(&w)
		return endEvent(w)
	case ir.ToolCall:
		return e.callDone(dst)
	default:
		return dst
	}
}

func (e *StreamEncoder) callDone(dst []byte) []byte {
	it := &e.item
	if it.builtin() != "" {
		return dst
	}
	if it.call.Custom {
		w := e.event(dst, "response.custom_tool_call_input.done")
		e.place(&w, "")
		w.Text("input", it.text)
		return endEvent(w)
	}
	w := e.event(dst, "response.function_call_arguments.done")
	e.place(&w, "")
	w.Str("name", it.name())
	w.Text("arguments", it.text)
	return endEvent(w)
}

func (e *StreamEncoder) finish(dst []byte, s ir.Stop) []byte {
	status := "completed"
	switch s.Reason {
	case ir.StopLength, ir.StopContext:
		status, e.obj.incomplete = "incomplete", "max_output_tokens"
	case ir.StopRefusal:
		if e.item.kind != ir.Refusal && len(s.Explanation) > 0 {
			dst = e.openItem(dst, &ir.Event{Kind: ir.PartOpen, Part: ir.Refusal})
			dst = e.delta(dst, s.Explanation)
			dst = e.itemDone(dst, "completed")
		}
		status, e.obj.incomplete = "incomplete", "content_filter"
	default:
	}
	if e.late {
		dst = e.itemDone(dst, "incomplete")
	}
	e.obj.status = status
	return dst
}

func (e *StreamEncoder) end(dst []byte) []byte {
	e.done = true
	if !e.obj.hasUsage {
		e.obj.hasUsage = true
		e.obj.usage.Input = e.rep.InputEstimate
	}
	if e.obj.status == "incomplete" {
		return e.snapshot(dst, "response.incomplete")
	}
	return e.snapshot(dst, "response.completed")
}

// fail ends the answer with what there is of it; an open item is told as incomplete.
func (e *StreamEncoder) fail(dst []byte, err *ir.Error) []byte {
	if e.open {
		e.item.status = "incomplete"
		w := rawjson.Writer{Buf: e.obj.output}
		if len(w.Buf) > 0 {
			w.Buf = append(w.Buf, ',')
		}
		e.item.write(&w)
		e.obj.output = w.Buf
	}
	e.done = true
	e.obj.status, e.obj.failure = "failed", err
	return e.snapshot(dst, "response.failed")
}
