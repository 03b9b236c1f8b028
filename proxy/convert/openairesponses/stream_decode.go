package openairesponses

import (
	"bytes"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/prose"
	"apex-ai-proxy/proxy/rawjson"
	"apex-ai-proxy/proxy/sse"
)

// maxBadFrames is how many unreadable frames in a row are taken for noise.
const maxBadFrames = 3

// StreamDecoder reads a stream of Responses events. Items are told one after the other:
// should an upstream mix them, those behind the first wait. What a "done" event tells
// beyond the deltas is added, nothing is told twice.
type StreamDecoder struct {
	from   ir.Source
	reader rawjson.Reader
	names  names
	ev     ir.Event

	started, done bool
	items         []*streamItem // in the order they appeared
	live          int           // of items: the first that has not ended
	open          bool          // a part is open
	kind          ir.PartKind   // of the open part
	part          *streamPart   // the open part, nil for redacted thinking
	halves        ir.Halves
	bad, frames   int
	called        bool
	refused       bool
	badArgs       bool // a call's arguments are no object, which only a cut answer excuses
}

// NewStreamDecoder returns a decoder.
func NewStreamDecoder(from ir.Source) *StreamDecoder { return &StreamDecoder{from: from} }

// Done tells whether the end of the stream was told.
func (d *StreamDecoder) Done() bool { return d.done }

// event is one event with its members spanned.
type event struct {
	kind                              string
	itemID                            string
	index                             int64 // of the item
	hasIndex                          bool
	key                               int64 // of the part in the item
	response, item, part, annotation  rawjson.Value
	delta, text, refusal, args, input rawjson.Escaped
	failure, code, message            rawjson.Value
}

// copied is the event in memory of its own.
func (e event) copied() event {
	for _, v := range []*rawjson.Value{&e.item, &e.part, &e.annotation} {
		*v = bytes.Clone(*v)
	}
	for _, t := range []*rawjson.Escaped{&e.delta, &e.text, &e.refusal, &e.args, &e.input} {
		*t = bytes.Clone(*t)
	}
	return e
}

// Decode reads one frame.
func (d *StreamDecoder) Decode(f sse.Frame, emit func(*ir.Event)) {
	if d.done {
		return
	}
	data := ir.ValidUTF8(bytes.TrimSpace(f.Data))
	switch string(data) {
	case "", "null", "[DONE]":
		return
	}
	d.frames++
	var e event
	r := &d.reader
	r.Reset(data)
	e.read(r, &d.names)
	if r.Close() != nil || data[0] != '{' {
		d.bad++
		if d.frames == 1 || d.bad > maxBadFrames {
			d.fail(&ir.Error{Kind: ir.BadGateway, Message: prose.New("the provider sent something that is no stream of this protocol")}, emit)
		}
		return
	}
	d.bad = 0
	if e.kind == "" && string(f.Event) == "error" {
		e.kind = "error"
	}
	if !e.response.Present() { // some servers leave the wrapper away
		e.response = data
	}
	d.event(&e, emit)
}

// names are texts of the last event. Most events have the same ones, which costs no copy then.
type names struct{ kind, itemID string }

// same is the text of a value, and last itself when that is the same.
func same(v rawjson.Value, last string) string {
	if v.Text().Is(last) {
		return last
	}
	return v.Str()
}

func (e *event) read(r *rawjson.Reader, last *names) {
	r.Object(func(k []byte) {
		switch string(k) {
		case "type":
			e.kind = same(r.Value(), last.kind)
			last.kind = e.kind
		case "item_id":
			e.itemID = same(r.Value(), last.itemID)
			last.itemID = e.itemID
		case "output_index":
			e.index, e.hasIndex = r.Value().Int()
		case "content_index", "summary_index":
			e.key, _ = r.Value().Int()
		case "response":
			e.response = r.Value()
		case "item":
			e.item = r.Value()
		case "part":
			e.part = r.Value()
		case "annotation":
			e.annotation = r.Value()
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
}

func (d *StreamDecoder) event(e *event, emit func(*ir.Event)) {
	switch e.kind {
	case "response.created", "response.in_progress", "response.queued":
		d.start(e.response, emit)
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
	case "response.output_item.added", "response.output_item.done",
		"response.output_text.delta", "response.output_text.done", "response.output_text.annotation.added",
		"response.refusal.delta", "response.refusal.done", "response.content_part.done",
		"response.reasoning_summary_text.delta", "response.reasoning_summary_text.done",
		"response.reasoning_text.delta", "response.reasoning_text.done",
		"response.function_call_arguments.delta", "response.function_call_arguments.done",
		"response.custom_tool_call_input.delta", "response.custom_tool_call_input.done":
		d.start(nil, emit)
		d.itemEvent(e, emit)
	case "":
		if e.failure.Present() {
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
	d.ev = ir.Event{Kind: ir.Start, ID: a.id, Model: a.model, Created: a.created, Tier: a.tier}
	emit(&d.ev)
}

// itemEvent takes an event about an item, now or when the items in front of it have ended.
func (d *StreamDecoder) itemEvent(e *event, emit func(*ir.Event)) {
	if e.item.Present() {
		e.itemID = e.item.Get("id").Str()
	}
	it := d.find(e)
	switch {
	case it.ended:
	case it != d.items[d.live]:
		it.waiting = append(it.waiting, e.copied())
	default:
		d.apply(it, e, emit)
		d.advance(emit)
	}
}

// find is the item an event is about. The index decides; where a server leaves it away,
// the id does, and where there is neither, the last item is meant.
func (d *StreamDecoder) find(e *event) *streamItem {
	begins := e.kind == "response.output_item.added"
	for i := len(d.items) - 1; i >= 0; i-- {
		it := d.items[i]
		switch {
		case e.hasIndex && it.hasIndex:
			if it.index == e.index && !(begins && it.added) {
				return it
			}
		case e.itemID != "":
			if it.id == e.itemID {
				return it
			}
		case !begins && !it.ended:
			return it
		}
	}
	it := &streamItem{index: e.index, hasIndex: e.hasIndex, id: e.itemID}
	d.items = append(d.items, it)
	return it
}

// end completes the answer with what its final object holds beyond the stream.
func (d *StreamDecoder) end(response rawjson.Value, emit func(*ir.Event)) {
	d.start(response, emit)
	a := readAnswer(response)
	told := make(map[*streamItem]rawjson.Value)
	var untold []rawjson.Value
	eachOf(a.output, func(i int, item rawjson.Value) {
		if it := d.told(i, item.Get("id").Str()); it != nil {
			told[it] = item
		} else {
			untold = append(untold, item)
		}
	})
	for d.live < len(d.items) && !d.done {
		it := d.items[d.live]
		if d.itemDone(it, told[it], emit); d.open {
			d.closePart(emit)
		}
		d.advance(emit)
	}
	for _, item := range untold {
		if !d.done {
			it := &streamItem{}
			d.itemDone(it, item, emit)
		}
	}
	if d.done {
		return
	}
	if d.badArgs && a.status != "incomplete" {
		d.fail(&ir.Error{Kind: ir.BadGateway, Message: prose.New("the provider returned invalid tool arguments")}, emit)
		return
	}
	d.finish(&a, emit)
}

// told is the item of the stream that the final object repeats at a place.
func (d *StreamDecoder) told(place int, id string) *streamItem {
	for _, it := range d.items {
		if it.id != "" && it.id == id {
			return it
		}
	}
	for i, it := range d.items {
		if it.hasIndex && it.index == int64(place) || !it.hasIndex && (it.id == "" || id == "") && i == place {
			return it
		}
	}
	return nil
}

func (d *StreamDecoder) finish(a *answer, emit func(*ir.Event)) {
	d.done = true
	if a.hasUsage {
		d.ev = ir.Event{Kind: ir.UsageEvent, Usage: a.usage}
		emit(&d.ev)
	}
	d.ev = ir.Event{Kind: ir.Finish, Stop: a.stop().Fit(d.called, d.refused)}
	emit(&d.ev)
	d.ev = ir.Event{Kind: ir.End, Created: a.completed}
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
