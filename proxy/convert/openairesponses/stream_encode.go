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

	open     bool // an item is open: a message until something else begins
	speaking bool // its last part of content is open
	item     item
	index    int  // of the open or next item
	late     bool // a cut call waits for the reason the answer ended
	refused  bool // a refusal was told
}

// NewStreamEncoder returns an encoder for one answer.
func NewStreamEncoder(rep ir.Reply) *StreamEncoder {
	return &StreamEncoder{rep: rep, seq: rep.Sequence}
}

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
			e.obj = newObject(nil, e.rep)
			return e.fail(dst, ev.Err)
		}
		dst = e.start(dst, ev)
	}
	switch ev.Kind {
	case ir.PartOpen:
		return e.openPart(dst, ev)
	case ir.Delta:
		return e.delta(dst, ev.Text)
	case ir.SignatureEv:
		e.item.signature = append(e.item.signature, ev.Text...)
	case ir.CitationEv:
		if e.speaking {
			c := e.last()
			l := ev.Link
			l.URL, l.Title = append(rawjson.Escaped{}, l.URL...), append(rawjson.Escaped{}, l.Title...)
			c.links = append(c.links, l)
		}
	case ir.PartClose:
		return e.closePart(dst, ev.Cut)
	case ir.UsageEvent:
		e.obj.usage, e.obj.hasUsage = ev.Usage, true
	case ir.Finish:
		return e.finish(dst, ev.Stop)
	case ir.Ping:
		if !e.silent {
			return e.AppendKeepAlive(dst)
		}
	case ir.End:
		return e.end(dst, ev)
	case ir.Failure:
		return e.fail(dst, ev.Err)
	default:
	}
	return dst
}

// last is the open part of the open message.
func (e *StreamEncoder) last() *contentPart { return &e.item.parts[len(e.item.parts)-1] }

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
	var start *ir.Event
	if ev.Kind == ir.Start {
		start = ev
	}
	e.obj = newObject(start, e.rep)
	dst = e.snapshot(dst, "response.created")
	return e.snapshot(dst, "response.in_progress")
}

// openPart begins a part: in the open message, when it belongs there, or in an item of its
// own.
func (e *StreamEncoder) openPart(dst []byte, ev *ir.Event) []byte {
	e.refused = e.refused || ev.Part == ir.Refusal
	if isMessage(ev.Part) && e.open && isMessage(e.item.kind) {
		return e.openContent(e.closeContent(dst), ev.Part)
	}
	dst = e.openItem(e.closeItem(dst, "completed"), ev)
	switch {
	case isMessage(ev.Part):
		return e.openContent(dst, ev.Part)
	case e.silent:
	case ev.Part == ir.Thinking:
		w := e.event(dst, "response.reasoning_summary_part.added")
		e.place(&w, "summary_index")
		w.Raw("part", rawjson.Value(`{"type":"summary_text","text":""}`))
		return endEvent(w)
	case ev.Part == ir.Search:
		for _, state := range []string{"in_progress", "searching", "completed"} {
			w := e.event(dst, "response.web_search_call."+state)
			e.place(&w, "")
			dst = endEvent(w)
		}
	}
	return dst
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
	case ir.Search:
		it.id, it.text = e.itemID("ws_"), append(it.text, ev.Text...)
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
	return endEvent(w)
}

func (e *StreamEncoder) openContent(dst []byte, kind ir.PartKind) []byte {
	e.item.parts = append(e.item.parts, contentPart{kind: kind, text: rawjson.Escaped{}})
	e.speaking = true
	if e.silent {
		return dst
	}
	w := e.event(dst, "response.content_part.added")
	e.place(&w, "content_index")
	w.Key("part")
	e.last().write(&w)
	return endEvent(w)
}

// closeContent ends the open part of a message with the events that repeat it.
func (e *StreamEncoder) closeContent(dst []byte) []byte {
	if !e.speaking {
		return dst
	}
	e.speaking = false
	if e.silent {
		return dst
	}
	c := e.last()
	for i := range c.links {
		w := e.event(dst, "response.output_text.annotation.added")
		e.place(&w, "content_index")
		w.Int("annotation_index", int64(i))
		w.Key("annotation")
		c.annotation(&w, i)
		dst = endEvent(w)
	}
	name, member := "response.output_text.done", "text"
	if c.kind == ir.Refusal {
		name, member = "response.refusal.done", "refusal"
	}
	w := e.event(dst, name)
	e.place(&w, "content_index")
	w.Text(member, c.text)
	if c.kind == ir.Text {
		w.Raw("logprobs", rawjson.Value("[]"))
	}
	w = e.event(endEvent(w), "response.content_part.done")
	e.place(&w, "content_index")
	w.Key("part")
	c.write(&w)
	return endEvent(w)
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
		w.Int(inner, int64(max(0, len(e.item.parts)-1)))
	}
}

func (e *StreamEncoder) delta(dst []byte, text rawjson.Escaped) []byte {
	if !e.open || len(text) == 0 {
		return dst
	}
	it := &e.item
	var name, inner string
	kind := it.kind
	switch {
	case e.speaking:
		c := e.last()
		c.text = append(c.text, text...)
		kind, name, inner = c.kind, "response.output_text.delta", "content_index"
		if kind == ir.Refusal {
			name = "response.refusal.delta"
		}
	case kind == ir.Thinking:
		it.text = append(it.text, text...)
		name, inner = "response.reasoning_summary_text.delta", "summary_index"
	case kind == ir.ToolCall:
		it.text = append(it.text, text...)
		name = "response.function_call_arguments.delta"
		if it.call.Custom {
			name = "response.custom_tool_call_input.delta"
		}
		if it.builtin() != "" {
			return dst
		}
	default:
		return dst
	}
	if e.silent {
		return dst
	}
	w := e.event(dst, name)
	e.place(&w, inner)
	w.Text("delta", text)
	if kind == ir.Text {
		w.Raw("logprobs", rawjson.Value("[]"))
	}
	return endEvent(w)
}

// closePart ends the open part. A message stays open for what may follow. A call whose
// arguments are cut off waits: only the reason the answer ended tells whether it may be
// executed.
func (e *StreamEncoder) closePart(dst []byte, cut bool) []byte {
	it := &e.item
	switch {
	case !e.open:
		return dst
	case isMessage(it.kind):
		return e.closeContent(dst)
	case it.kind == ir.ToolCall && !it.call.Custom:
		text := it.text.Append(nil)
		if len(text) == 0 {
			text = []byte("{}")
			dst = e.delta(dst, rawjson.Escaped("{}"))
		}
		it.call.Args = text
		cut = cut || rawjson.Valid(text) != nil
	}
	if e.late = cut; cut {
		return dst
	}
	return e.closeItem(dst, "completed")
}

// closeItem ends the open item, if there is one.
func (e *StreamEncoder) closeItem(dst []byte, status string) []byte {
	if !e.open {
		return dst
	}
	dst = e.closeContent(dst)
	if e.late {
		status = "incomplete"
	}
	e.open, e.late = false, false
	it := &e.item
	it.status = status
	if !e.silent {
		dst = e.itemDone(dst)
		w := e.event(dst, "response.output_item.done")
		w.Int("output_index", int64(e.index))
		w.Key("item")
		it.write(&w)
		dst = endEvent(w)
	}
	e.keep()
	e.index++
	return dst
}

// keep adds the open item to the answer.
func (e *StreamEncoder) keep() {
	w := rawjson.Writer{Buf: e.obj.output}
	if len(w.Buf) > 0 {
		w.Buf = append(w.Buf, ',')
	}
	e.item.write(&w)
	e.obj.output = w.Buf
}

// itemDone writes the events that repeat the whole of what the deltas told.
func (e *StreamEncoder) itemDone(dst []byte) []byte {
	switch it := &e.item; it.kind {
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
		if !e.refused && len(s.Explanation) > 0 {
			dst = e.openPart(dst, &ir.Event{Kind: ir.PartOpen, Part: ir.Refusal})
			dst = e.delta(dst, s.Explanation)
		}
		status, e.obj.incomplete = "incomplete", "content_filter"
	default:
	}
	e.obj.status = status
	return e.closeItem(dst, status)
}

func (e *StreamEncoder) end(dst []byte, ev *ir.Event) []byte {
	dst = e.closeItem(dst, "completed")
	e.done = true
	e.obj.completed = ev.Created
	if !e.obj.hasUsage {
		e.obj.hasUsage = true
		e.obj.usage.Input = e.rep.InputEstimate
	}
	if e.obj.status == "incomplete" {
		return e.snapshot(dst, "response.incomplete")
	}
	e.obj.status = "completed"
	return e.snapshot(dst, "response.completed")
}

// fail ends the answer with what there is of it; an open item is told as incomplete.
func (e *StreamEncoder) fail(dst []byte, err *ir.Error) []byte {
	if e.open {
		e.item.status = "incomplete"
		e.keep()
	}
	e.done = true
	e.obj.status, e.obj.failure = "failed", err
	return e.snapshot(dst, "response.failed")
}
