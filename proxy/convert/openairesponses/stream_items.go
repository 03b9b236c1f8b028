package openairesponses

import (
	"bytes"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
)

// streamItem is one item of the answer's output.
type streamItem struct {
	index    int64
	hasIndex bool
	id, kind string
	header   rawjson.Value // the item as it was added
	opened   bool          // its call was opened
	added    bool
	ended    bool
	parts    []*streamPart
	waiting  []event // what came of it while another item was told
	args     rawjson.Checker
}

// streamPart is a part of an item: a text of a message, a summary of thinking, arguments.
type streamPart struct {
	kind  ir.PartKind
	key   int64
	sent  ir.Sent
	cited bool
}

// advance goes on with the items that waited, up to one that has not ended.
func (d *StreamDecoder) advance(emit func(*ir.Event)) {
	for d.live < len(d.items) && d.items[d.live].ended && !d.done {
		if d.live++; d.live == len(d.items) {
			return
		}
		it := d.items[d.live]
		waiting := it.waiting
		it.waiting = nil
		for i := range waiting {
			if !it.ended && !d.done {
				d.apply(it, &waiting[i], emit)
			}
		}
	}
}

// apply takes an event about the live item.
func (d *StreamDecoder) apply(it *streamItem, e *event, emit func(*ir.Event)) {
	switch e.kind {
	case "response.output_item.added":
		it.added, it.kind, it.header = true, e.item.Get("type").Str(), bytes.Clone(e.item)
		if name := e.item.Get("name").Str(); name != "" && it.isCall() {
			d.openCall(it, e.item, emit)
		}
	case "response.output_item.done":
		d.itemDone(it, e.item, emit)
	case "response.output_text.delta":
		d.text(it, it.part(ir.Text, e.key), e.delta, emit)
	case "response.output_text.done":
		d.whole(it, it.part(ir.Text, e.key), e.text, emit)
	case "response.output_text.annotation.added":
		d.cite(it.part(ir.Text, e.key), e.annotation, emit)
	case "response.content_part.done":
		d.contentDone(it, e.key, e.part, emit)
	case "response.refusal.delta":
		d.text(it, it.part(ir.Refusal, e.key), e.delta, emit)
	case "response.refusal.done":
		d.whole(it, it.part(ir.Refusal, e.key), e.refusal, emit)
	case "response.reasoning_summary_text.delta":
		d.text(it, it.part(ir.Thinking, e.key), e.delta, emit)
	case "response.reasoning_summary_text.done":
		d.whole(it, it.part(ir.Thinking, e.key), e.text, emit)
	case "response.reasoning_text.delta":
		d.text(it, it.part(ir.Thinking, rawThought(e.key)), e.delta, emit)
	case "response.reasoning_text.done":
		d.whole(it, it.part(ir.Thinking, rawThought(e.key)), e.text, emit)
	case "response.function_call_arguments.delta", "response.custom_tool_call_input.delta":
		d.text(it, it.part(ir.ToolCall, 0), e.delta, emit)
	case "response.function_call_arguments.done":
		d.whole(it, it.part(ir.ToolCall, 0), e.args, emit)
	case "response.custom_tool_call_input.done":
		d.whole(it, it.part(ir.ToolCall, 0), e.input, emit)
	}
}

// rawThought is the key of a part of thinking itself, beside those of its summaries.
func rawThought(index int64) int64 { return -1 - index }

func (it *streamItem) isCall() bool {
	return it.kind == "function_call" || it.kind == "custom_tool_call"
}

func (it *streamItem) part(kind ir.PartKind, key int64) *streamPart {
	for _, p := range it.parts {
		if p.kind == kind && p.key == key {
			return p
		}
	}
	p := &streamPart{kind: kind, key: key}
	it.parts = append(it.parts, p)
	return p
}

func (d *StreamDecoder) openCall(it *streamItem, item rawjson.Value, emit func(*ir.Event)) {
	name, err := d.from.ToolName(item.Get("name").Str())
	if err != nil {
		d.fail(err, emit)
		return
	}
	it.opened, d.called = true, true
	d.openPart(&ir.Event{
		Kind: ir.PartOpen, Part: ir.ToolCall, ID: item.Get("call_id").Str(), Name: name,
		Custom: it.kind == "custom_tool_call",
	}, it.part(ir.ToolCall, 0), emit)
}

func (d *StreamDecoder) openPart(ev *ir.Event, p *streamPart, emit func(*ir.Event)) {
	d.closePart(emit)
	d.open, d.kind, d.part = true, ev.Part, p
	d.ev = *ev
	emit(&d.ev)
}

// text emits the next piece of a part.
func (d *StreamDecoder) text(it *streamItem, p *streamPart, text rawjson.Escaped, emit func(*ir.Event)) {
	if len(text) == 0 || d.done {
		return
	}
	switch {
	case d.open && d.part == p:
	case p.kind == ir.ToolCall && (it.opened || !it.isCall()):
		return
	case p.kind == ir.ToolCall:
		if it.header.Get("name").Str() == "" && d.from.OnlyTool == "" {
			return // whose arguments these are is told with the whole item
		}
		d.openCall(it, it.header, emit)
	case p.kind == ir.Thinking && d.open && d.kind == ir.Thinking: // the next of several summaries
		d.part = p
		d.piece(rawjson.Escaped(`\n\n`), emit)
	default:
		d.refused = d.refused || p.kind == ir.Refusal
		d.openPart(&ir.Event{Kind: ir.PartOpen, Part: p.kind}, p, emit)
	}
	text = d.piece(text, emit)
	p.sent.Add(text)
	if p.kind == ir.ToolCall {
		it.args.Feed(text.Append(nil))
	}
}

// piece emits text and returns what it emitted.
func (d *StreamDecoder) piece(text rawjson.Escaped, emit func(*ir.Event)) rawjson.Escaped {
	if text = d.halves.Join(text); len(text) > 0 {
		d.ev = ir.Event{Kind: ir.Delta, Text: text}
		emit(&d.ev)
	}
	return text
}

// whole emits what the whole text of a part has beyond its deltas.
func (d *StreamDecoder) whole(it *streamItem, p *streamPart, text rawjson.Escaped, emit func(*ir.Event)) {
	if missing := p.sent.Missing(text); len(missing) > 0 {
		if d.part == p {
			d.halves = ir.Halves{}
		}
		d.text(it, p, missing, emit)
	}
}

func (d *StreamDecoder) cite(p *streamPart, annotation rawjson.Value, emit func(*ir.Event)) {
	if l, ok := linkOf(annotation); ok && d.open && d.part == p {
		p.cited = true
		d.ev = ir.Event{Kind: ir.CitationEv, Link: l}
		emit(&d.ev)
	}
}

// contentDone completes a part of a message.
func (d *StreamDecoder) contentDone(it *streamItem, key int64, part rawjson.Value, emit func(*ir.Event)) {
	switch part.Get("type").Str() {
	case "output_text":
		p := it.part(ir.Text, key)
		d.whole(it, p, part.Get("text").Text(), emit)
		if list := part.Get("annotations"); list.Kind() == rawjson.Array && !p.cited {
			r := rawjson.NewReader(list)
			r.Array(func(int) { d.cite(p, r.Value(), emit) })
		}
	case "refusal":
		d.whole(it, it.part(ir.Refusal, key), part.Get("refusal").Text(), emit)
	}
}

func (d *StreamDecoder) closePart(emit func(*ir.Event)) {
	if !d.open || d.done {
		return
	}
	if rest := d.halves.Rest(); rest != nil {
		d.ev = ir.Event{Kind: ir.Delta, Text: rest}
		emit(&d.ev)
	}
	d.open, d.part = false, nil
	d.ev = ir.Event{Kind: ir.PartClose}
	emit(&d.ev)
}

// itemDone completes an item: what was never streamed of it, and the signature of
// thinking, which only the complete item can prove.
func (d *StreamDecoder) itemDone(it *streamItem, item rawjson.Value, emit func(*ir.Event)) {
	it.ended = true
	if kind := item.Get("type").Str(); kind != "" {
		it.kind = kind
	}
	switch it.kind {
	case "reasoning":
		d.reasoningDone(it, item, emit)
	case "function_call":
		d.callDone(it, item, item.Get("arguments").Text(), emit)
	case "custom_tool_call":
		d.callDone(it, item, item.Get("input").Text(), emit)
	case "message":
		eachOf(item.Get("content"), func(i int, part rawjson.Value) { d.contentDone(it, int64(i), part, emit) })
	default:
		return
	}
	d.closePart(emit)
}

func eachOf(list rawjson.Value, f func(i int, v rawjson.Value)) {
	if list.Kind() == rawjson.Array {
		r := rawjson.NewReader(list)
		r.Array(func(i int) { f(i, r.Value()) })
	}
}

func (d *StreamDecoder) callDone(it *streamItem, item rawjson.Value, whole rawjson.Escaped, emit func(*ir.Event)) {
	if !it.opened {
		if d.openCall(it, item, emit); d.done {
			return
		}
	}
	d.whole(it, it.part(ir.ToolCall, 0), whole, emit)
	if it.kind == "function_call" {
		d.badArgs = d.badArgs || it.args.First != 0 && (it.args.Bad || !it.args.Complete || it.args.First != '{')
	}
}

func (d *StreamDecoder) reasoningDone(it *streamItem, item rawjson.Value, emit func(*ir.Event)) {
	eachOf(item.Get("summary"), func(i int, s rawjson.Value) {
		d.whole(it, it.part(ir.Thinking, int64(i)), s.Get("text").Text(), emit)
	})
	eachOf(item.Get("content"), func(i int, s rawjson.Value) {
		d.whole(it, it.part(ir.Thinking, rawThought(int64(i))), s.Get("text").Text(), emit)
	})
	if !item.Get("encrypted_content").Present() {
		return
	}
	if signature := ir.WrapItem(item); d.open && d.kind == ir.Thinking {
		if rest := d.halves.Rest(); rest != nil {
			d.ev = ir.Event{Kind: ir.Delta, Text: rest}
			emit(&d.ev)
		}
		d.ev = ir.Event{Kind: ir.SignatureEv, Text: signature}
		emit(&d.ev)
	} else {
		d.openPart(&ir.Event{Kind: ir.PartOpen, Part: ir.RedactedThinking, Text: signature}, nil, emit)
	}
}
