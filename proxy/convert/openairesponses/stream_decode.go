package openairesponses

import (
	"bytes"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
	"apex-ai-proxy/proxy/sse"
)

// maxBadFrames is how many unreadable frames in a row are taken for noise.
const maxBadFrames = 3

// StreamDecoder reads a stream of Responses events. Items come one after the other; what
// a "done" event tells beyond the deltas is added, nothing is told twice.
type StreamDecoder struct {
	reader rawjson.Reader
	ev     ir.Event

	started, done bool
	open          bool
	kind          ir.PartKind
	item          string          // id of the item the open part belongs to
	sent          int             // bytes of the open part passed on
	seen          map[string]bool // items that were told
	parts         int             // summary parts of the open reasoning item
	bad, frames   int
	called        bool
	refused       bool
}

// NewStreamDecoder returns a decoder.
func NewStreamDecoder() *StreamDecoder { return &StreamDecoder{seen: make(map[string]bool)} }

// Done tells whether the end of the stream was told.
func (d *StreamDecoder) Done() bool { return d.done }

// event is one event with its members spanned.
type event struct {
	kind, itemID                      rawjson.Escaped
	response, item, part              rawjson.Value
	delta, text, refusal, args, input rawjson.Escaped
	failure, code, message            rawjson.Value
}

// Decode reads one frame.
func (d *StreamDecoder) Decode(f sse.Frame, emit func(*ir.Event)) {
	if d.done {
		return
	}
	data := bytes.TrimSpace(f.Data)
	if len(data) == 0 || string(data) == "null" || string(data) == "[DONE]" {
		return
	}
	d.frames++
	var e event
	r := &d.reader
	r.Reset(data)
	r.Object(func(k []byte) {
		switch string(k) {
		case "type":
			e.kind = r.Value().Text()
		case "item_id":
			e.itemID = r.Value().Text()
		case "response":
			e.response = r.Value()
		case "item":
			e.item = r.Value()
		case "part":
			e.part = r.Value()
		case "delta":
			e.delta = r.Value().Text()
		case "text":
			e.text = r.Value().Text()
		case "refusal":
			e.refusal = r.Value().Text()
		case "arguments":
			e.args = r.Value().Text()
		case "input":
			e.input = r.Value().Text()
		case "error":
			e.failure = r.Value()
		case "code":
			e.code = r.Value()
		case "message":
			e.message = r.Value()
		}
	})
	if r.Close() != nil || data[0] != '{' {
		d.bad++
		if d.frames == 1 || d.bad > maxBadFrames {
			d.fail(&ir.Error{Kind: ir.BadGateway, Message: "the upstream sent something that is no stream of this protocol"}, emit)
		}
		return
	}
	d.bad = 0
	d.event(&e, emit)
}

func (d *StreamDecoder) event(e *event, emit func(*ir.Event)) {
	switch string(e.kind) {
	case "response.created", "response.in_progress", "response.queued":
		d.start(e.response, emit)
	case "response.output_item.added":
		d.start(nil, emit)
		d.added(e.item, emit)
	case "response.output_text.delta":
		d.text(ir.Text, e.itemID, e.delta, emit)
	case "response.refusal.delta":
		d.text(ir.Refusal, e.itemID, e.delta, emit)
	case "response.reasoning_summary_text.delta", "response.reasoning_text.delta":
		d.text(ir.Thinking, e.itemID, e.delta, emit)
	case "response.reasoning_summary_part.added":
		if d.parts++; d.parts > 1 && d.open && d.kind == ir.Thinking {
			d.text(ir.Thinking, e.itemID, rawjson.Escaped(`\n\n`), emit)
		}
	case "response.function_call_arguments.delta", "response.custom_tool_call_input.delta":
		d.text(ir.ToolCall, e.itemID, e.delta, emit)
	case "response.output_text.done":
		d.suffix(ir.Text, e.itemID, e.text, emit)
	case "response.refusal.done":
		d.suffix(ir.Refusal, e.itemID, e.refusal, emit)
	case "response.function_call_arguments.done":
		d.suffix(ir.ToolCall, e.itemID, e.args, emit)
	case "response.custom_tool_call_input.done":
		d.suffix(ir.ToolCall, e.itemID, e.input, emit)
	case "response.output_item.done":
		d.itemDone(e.item, emit)
	case "response.completed", "response.incomplete":
		d.end(e.response, emit)
	case "response.failed", "response.cancelled":
		a := readAnswer(e.response)
		d.fail(a.error(), emit)
	case "error":
		if e.failure.Present() {
			d.fail(errorOf(e.failure), emit)
		} else {
			d.fail(ir.UpstreamError(0, "", e.code.Str(), e.message.Str()), emit)
		}
	default:
		if e.failure.Present() && e.kind == nil {
			d.fail(errorOf(e.failure), emit)
		}
	}
}

func (d *StreamDecoder) start(response rawjson.Value, emit func(*ir.Event)) {
	if d.started {
		return
	}
	d.started = true
	a := readAnswer(response)
	d.ev = ir.Event{Kind: ir.Start, ID: a.id, Model: a.model, Created: a.created}
	emit(&d.ev)
}

// added opens the part for a call; text and thinking open with their first delta, since
// an item may turn out to hold none.
func (d *StreamDecoder) added(item rawjson.Value, emit func(*ir.Event)) {
	d.parts = 0
	kind := item.Get("type").Str()
	if kind != "function_call" && kind != "custom_tool_call" {
		return
	}
	d.openCall(item, kind == "custom_tool_call", emit)
}

func (d *StreamDecoder) openCall(item rawjson.Value, custom bool, emit func(*ir.Event)) {
	id := item.Get("id").Str()
	if item.Get("name").Str() == "" {
		d.fail(ir.Nameless(), emit)
		return
	}
	d.openPart(&ir.Event{
		Kind: ir.PartOpen, Part: ir.ToolCall, ID: item.Get("call_id").Str(), Name: item.Get("name").Str(), Custom: custom,
	}, id, emit)
	d.called = true
}

func (d *StreamDecoder) openPart(ev *ir.Event, item string, emit func(*ir.Event)) {
	d.closePart(emit)
	d.open, d.kind, d.item, d.sent = true, ev.Part, item, 0
	d.seen[item] = true
	d.ev = *ev
	emit(&d.ev)
}

func (d *StreamDecoder) text(kind ir.PartKind, item, text rawjson.Escaped, emit func(*ir.Event)) {
	if len(text) == 0 {
		return
	}
	d.start(nil, emit)
	if !d.open || d.kind != kind {
		if kind == ir.ToolCall {
			return // arguments of a call that was never opened come whole with its item
		}
		d.refused = d.refused || kind == ir.Refusal
		d.openPart(&ir.Event{Kind: ir.PartOpen, Part: kind}, item.String(), emit)
	}
	d.sent += len(text)
	d.ev = ir.Event{Kind: ir.Delta, Text: text}
	emit(&d.ev)
}

// suffix emits what the whole text has beyond the deltas.
func (d *StreamDecoder) suffix(kind ir.PartKind, item, whole rawjson.Escaped, emit func(*ir.Event)) {
	sent := 0
	if d.open && d.kind == kind {
		sent = d.sent
	} else if d.seen[item.String()] {
		return
	}
	if sent < len(whole) {
		d.text(kind, item, whole[sent:], emit)
	}
}

func (d *StreamDecoder) closePart(emit func(*ir.Event)) {
	if !d.open {
		return
	}
	d.open = false
	d.ev = ir.Event{Kind: ir.PartClose}
	emit(&d.ev)
}

// itemDone completes an item: what was never streamed of it, and the signature of
// thinking, which only the complete item can prove.
func (d *StreamDecoder) itemDone(item rawjson.Value, emit func(*ir.Event)) {
	d.start(nil, emit)
	id := item.Get("id").Str()
	switch kind := item.Get("type").Str(); kind {
	case "reasoning":
		d.reasoningDone(item, id, emit)
	case "function_call", "custom_tool_call":
		whole := item.Get("arguments").Text()
		if kind == "custom_tool_call" {
			whole = item.Get("input").Text()
		}
		if !d.seen[id] {
			d.openCall(item, kind == "custom_tool_call", emit)
		}
		d.suffix(ir.ToolCall, rawjson.Escape(id), whole, emit)
	case "message":
		if !d.seen[id] {
			for _, p := range messageParts(item.Get("content")) {
				d.text(p.Kind, rawjson.Escape(id), p.Text, emit)
			}
		}
	default:
		return
	}
	d.closePart(emit)
}

func (d *StreamDecoder) reasoningDone(item rawjson.Value, id string, emit func(*ir.Event)) {
	p := reasoningPart(item)
	switch {
	case p.Kind == ir.RedactedThinking && !d.seen[id]:
		d.openPart(&ir.Event{Kind: ir.PartOpen, Part: ir.RedactedThinking, Text: p.Signature}, id, emit)
		return
	case !d.seen[id] && len(p.Text) > 0:
		d.text(ir.Thinking, rawjson.Escape(id), p.Text, emit)
	}
	if d.open && d.kind == ir.Thinking && len(p.Signature) > 0 {
		d.ev = ir.Event{Kind: ir.SignatureEv, Text: p.Signature}
		emit(&d.ev)
	}
}

// end completes the answer with what its final object holds beyond the stream.
func (d *StreamDecoder) end(response rawjson.Value, emit func(*ir.Event)) {
	d.start(response, emit)
	a := readAnswer(response)
	if a.output.Kind() == rawjson.Array {
		r := rawjson.NewReader(a.output)
		r.Array(func(int) {
			if item := r.Value(); !d.seen[item.Get("id").Str()] {
				d.itemDone(item, emit)
			}
		})
	}
	d.closePart(emit)
	d.done = true
	if a.hasUsage {
		d.ev = ir.Event{Kind: ir.UsageEvent, Usage: a.usage}
		emit(&d.ev)
	}
	var told []ir.Part
	if d.called {
		told = append(told, ir.Part{Kind: ir.ToolCall})
	}
	if d.refused {
		told = append(told, ir.Part{Kind: ir.Refusal})
	}
	d.ev = ir.Event{Kind: ir.Finish, Stop: a.stop(told)}
	emit(&d.ev)
	d.ev = ir.Event{Kind: ir.End}
	emit(&d.ev)
}

func (d *StreamDecoder) fail(err *ir.Error, emit func(*ir.Event)) {
	if d.done {
		return
	}
	d.done = true
	d.ev = ir.Event{Kind: ir.Failure, Err: err}
	emit(&d.ev)
}

// Close ends the stream. Without a terminal event it is broken, whatever came before.
func (d *StreamDecoder) Close(cause error, emit func(*ir.Event)) {
	if !d.done {
		d.fail(ir.Broken(cause), emit)
	}
}
