package anthropic

import (
	"bytes"
	"slices"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/prose"
	"apex-ai-proxy/proxy/rawjson"
	"apex-ai-proxy/proxy/sse"
)

// maxBadFrames is how many unreadable frames in a row are taken for noise.
const maxBadFrames = 3

// StreamDecoder reads a stream of Messages events. Unknown events and deltas are
// skipped: new ones may appear any time.
type StreamDecoder struct {
	from   ir.Source
	reader rawjson.Reader
	ev     ir.Event

	started, done bool
	open          bool // a part is open
	kind          ir.PartKind
	halves        ir.Halves
	called        bool            // a tool was called
	search        []byte          // arguments of the open search, nil when none is open
	live          bool            // a block has begun and not stopped, sent on or skipped
	index         int64           // of that block
	waiting       []*heldBlock    // blocks that began meanwhile
	input         rawjson.Escaped // arguments that came with the opening of a call
	deltas        bool            // the open part had deltas
	bad, frames   int

	usage    ir.Usage
	hasUsage bool
	stop     ir.Stop
	stopped  bool // a stop reason was told
	losses   ir.Losses
}

// NewStreamDecoder returns a decoder.
func NewStreamDecoder(from ir.Source) *StreamDecoder { return &StreamDecoder{from: from} }

// Done tells whether the end of the stream was told.
func (d *StreamDecoder) Done() bool { return d.done }

// event is one event with its members spanned.
type event struct {
	kind                               rawjson.Escaped
	message, block, delta, usage, fail rawjson.Value
	failed                             bool // the frame is named as an error
	code                               rawjson.Value
	index                              int64
}

// heldBlock is a block that began before the one in front of it had stopped.
type heldBlock struct {
	index   int64
	block   rawjson.Value
	deltas  []rawjson.Value
	stopped bool
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
	e := event{failed: string(f.Event) == "error"}
	r := &d.reader
	r.Reset(data)
	r.Object(func(k []byte) {
		switch string(k) {
		case "type":
			e.kind = r.Value().Text()
		case "message":
			e.message = r.Value()
		case "index":
			e.index, _ = r.Value().Int()
		case "content_block":
			e.block = r.Value()
		case "delta":
			e.delta = r.Value()
		case "usage":
			e.usage = r.Value()
		case "error":
			e.fail = r.Value()
		case "code":
			e.code = r.Value()
		}
	})
	if r.Close() != nil || data[0] != '{' {
		d.bad++
		if d.frames == 1 || d.bad > maxBadFrames {
			d.fail(&ir.Error{Kind: ir.BadGateway, Message: prose.New("the provider sent something that is no stream of this protocol")}, emit)
		}
		return
	}
	d.bad = 0
	d.event(&e, emit)
}

func (d *StreamDecoder) event(e *event, emit func(*ir.Event)) {
	kind := e.kind
	if e.fail.Present() && string(kind) != "message_start" {
		d.fail(errorOf(e.fail), emit)
		return
	}
	if e.failed || string(kind) == "error" { // without the object that should tell of it
		d.fail(ir.UpstreamError(0, "", e.code.Str(), e.message.Str()), emit)
		return
	}
	switch string(kind) {
	case "message_start":
		d.start(e.message, emit)
	case "content_block_start":
		d.blockBegins(e.index, e.block, emit)
	case "content_block_delta":
		d.blockGrows(e.index, e.delta, emit)
	case "content_block_stop":
		d.blockStops(e.index, emit)
	case "message_delta":
		d.messageDelta(e)
	case "message_stop":
		d.end(emit)
	case "ping":
		if d.started {
			d.ev = ir.Event{Kind: ir.Ping}
			emit(&d.ev)
		}
	}
}

func (d *StreamDecoder) start(message rawjson.Value, emit func(*ir.Event)) {
	if d.started {
		return
	}
	d.started = true
	u := message.Get("usage")
	if u.Present() {
		mergeUsage(&d.usage, u)
		d.hasUsage = true
	}
	d.ev = ir.Event{Kind: ir.Start, ID: message.Get("id").Str(), Model: message.Get("model").Str(), Tier: tierOf(u)}
	emit(&d.ev)
	if d.hasUsage {
		d.ev = ir.Event{Kind: ir.UsageEvent, Usage: d.usage}
		emit(&d.ev)
	}
}

// Blocks come one after the other. Should an upstream mix them all the same, those
// behind the first wait for their turn.

func (d *StreamDecoder) blockBegins(index int64, block rawjson.Value, emit func(*ir.Event)) {
	if d.live && index != d.index {
		d.waiting = append(d.waiting, &heldBlock{index: index, block: bytes.Clone(block)})
		return
	}
	d.live, d.index = true, index
	d.blockStart(block, emit)
}

func (d *StreamDecoder) blockGrows(index int64, delta rawjson.Value, emit func(*ir.Event)) {
	if d.live && index != d.index {
		for _, b := range d.waiting {
			if b.index == index {
				b.deltas = append(b.deltas, bytes.Clone(delta))
			}
		}
		return
	}
	if !d.live { // a delta without its beginning: the text still counts
		if delta.Get("type").Str() != "text_delta" {
			return
		}
		d.blockBegins(index, rawjson.Value(`{"type":"text","text":""}`), emit)
	}
	d.delta(delta, emit)
}

func (d *StreamDecoder) blockStops(index int64, emit func(*ir.Event)) {
	if d.live && index != d.index {
		for _, b := range d.waiting {
			b.stopped = b.stopped || b.index == index
		}
		return
	}
	d.closePart(emit)
	d.live = false
	d.next(emit)
}

// next sends on the blocks that waited, up to one that has not stopped.
func (d *StreamDecoder) next(emit func(*ir.Event)) {
	for !d.live && len(d.waiting) > 0 && !d.done {
		b := d.waiting[0]
		d.waiting = d.waiting[1:]
		d.live, d.index = true, b.index
		d.blockStart(b.block, emit)
		for _, delta := range b.deltas {
			d.delta(delta, emit)
		}
		if b.stopped {
			d.closePart(emit)
			d.live = false
		}
	}
}

// blockStart opens a part. Blocks that only Anthropic's clients understand are skipped.
func (d *StreamDecoder) blockStart(v rawjson.Value, emit func(*ir.Event)) {
	if !d.started {
		d.start(nil, emit)
	}
	d.closePart(emit)
	var b wireBlock
	err := b.read(v)
	if err != nil {
		d.fail(&ir.Error{Kind: ir.BadGateway, Message: prose.New("the provider's stream cannot be read: %v", err)}, emit)
		return
	}
	d.ev = ir.Event{Kind: ir.PartOpen}
	text := b.text
	switch b.kind {
	case "text":
		d.ev.Part = ir.Text
	case "thinking":
		d.ev.Part, text = ir.Thinking, b.thinking
	case "redacted_thinking":
		d.ev.Part, d.ev.Text = ir.RedactedThinking, b.data
	case "tool_use":
		name, err := d.from.ToolName(b.name.Str())
		if err == nil && b.input.Present() && b.input.Kind() != rawjson.Object {
			err = badInput()
		}
		if err != nil {
			d.fail(err, emit)
			return
		}
		d.ev.Part, d.ev.ID, d.ev.Name = ir.ToolCall, b.id.Str(), name
		d.called = true
		if !b.input.Empty() {
			d.input = rawjson.AppendEscape(nil, rawjson.AppendCompact(nil, b.input))
		}
	case "server_tool_use":
		if b.name.Str() == webSearch {
			d.search = append([]byte{}, b.input...)
		}
		return
	default:
		return
	}
	d.open, d.kind, d.deltas = true, d.ev.Part, false
	emit(&d.ev)
	d.piece(text, emit)
	if len(b.signature) > 0 {
		d.ev = ir.Event{Kind: ir.SignatureEv, Text: b.signature}
		emit(&d.ev)
	}
}

// piece emits the next piece of the open part.
func (d *StreamDecoder) piece(text rawjson.Escaped, emit func(*ir.Event)) {
	if text = d.halves.Join(text); len(text) > 0 {
		d.ev = ir.Event{Kind: ir.Delta, Text: text}
		emit(&d.ev)
	}
}

func (d *StreamDecoder) delta(v rawjson.Value, emit func(*ir.Event)) {
	if !d.open && d.search == nil {
		return
	}
	var kind, text, thinking, args, signature rawjson.Escaped
	var citation rawjson.Value
	r := &d.reader
	r.Reset(v)
	r.Object(func(k []byte) {
		switch string(k) {
		case "type":
			kind = r.Value().Text()
		case "text":
			text = r.Value().Text()
		case "thinking":
			thinking = r.Value().Text()
		case "partial_json":
			args = r.Value().Text()
		case "signature":
			signature = r.Value().Text()
		case "citation":
			citation = r.Value()
		}
	})
	switch {
	case d.search != nil:
		if string(d.search) == "{}" {
			d.search = d.search[:0]
		}
		d.search = args.Append(d.search)
	case string(kind) == "text_delta" && d.kind == ir.Text:
		d.piece(text, emit)
	case string(kind) == "thinking_delta" && d.kind == ir.Thinking:
		d.piece(thinking, emit)
	case string(kind) == "input_json_delta" && d.kind == ir.ToolCall:
		d.deltas = d.deltas || len(args) > 0
		d.piece(args, emit)
	case string(kind) == "signature_delta" && d.kind == ir.Thinking && len(signature) > 0:
		d.rest(emit)
		d.ev = ir.Event{Kind: ir.SignatureEv, Text: signature}
		emit(&d.ev)
	case string(kind) == "citations_delta" && d.kind == ir.Text:
		l, ok := linkOf(citation)
		if !ok {
			d.losses = append(d.losses, lostCitation)
			return
		}
		d.ev = ir.Event{Kind: ir.CitationEv, Link: l}
		emit(&d.ev)
	}
}

// rest emits what stands for half a character whose other half never came.
func (d *StreamDecoder) rest(emit func(*ir.Event)) {
	if rest := d.halves.Rest(); rest != nil {
		d.ev = ir.Event{Kind: ir.Delta, Text: rest}
		emit(&d.ev)
	}
}

func (d *StreamDecoder) closePart(emit func(*ir.Event)) {
	if d.search != nil {
		d.ev = ir.Event{Kind: ir.PartOpen, Part: ir.Search, Text: rawjson.Value(d.search).Get("query").Text()}
		d.search = nil
		emit(&d.ev)
		d.ev = ir.Event{Kind: ir.PartClose}
		emit(&d.ev)
	}
	if !d.open {
		return
	}
	d.rest(emit)
	if d.input != nil && !d.deltas { // the arguments came whole, with the opening
		d.ev = ir.Event{Kind: ir.Delta, Text: d.input}
		emit(&d.ev)
	}
	d.input = nil
	d.open = false
	d.ev = ir.Event{Kind: ir.PartClose}
	emit(&d.ev)
}

func (d *StreamDecoder) messageDelta(e *event) {
	if e.usage.Present() {
		mergeUsage(&d.usage, e.usage)
		d.hasUsage = true
		if e.usage.Get("server_tool_use").Present() && !slices.ContainsFunc(d.losses, func(l ir.Loss) bool { return l.Code == lostServerUsage.Code }) {
			d.losses = append(d.losses, lostServerUsage)
		}
	}
	if word := e.delta.Get("stop_reason").Text(); len(word) > 0 && !d.stopped {
		d.stopped = true
		d.stop = stopOf(word.String(), copyText(e.delta.Get("stop_sequence").Text()), e.delta.Get("stop_details"))
		d.stop.Explanation = copyText(d.stop.Explanation)
	}
}

// copyText keeps text beyond the life of its frame.
func copyText(e rawjson.Escaped) rawjson.Escaped {
	if e == nil {
		return nil
	}
	return append(rawjson.Escaped{}, e...)
}

func (d *StreamDecoder) end(emit func(*ir.Event)) {
	if !d.started {
		d.fail(&ir.Error{Kind: ir.BadGateway, Message: prose.New("the provider sent an empty stream")}, emit)
		return
	}
	for d.closePart(emit); d.live; d.closePart(emit) {
		d.live = false
		d.next(emit)
	}
	if d.done { // one of the blocks that waited cannot be read
		return
	}
	d.done = true
	stop := d.stop.Fit(d.called, false)
	if stop.Reason == ir.StopPause {
		d.losses = append(d.losses, lostPause)
	}
	for _, l := range d.losses {
		d.ev = ir.Event{Kind: ir.Lost, Loss: l}
		emit(&d.ev)
	}
	if d.hasUsage {
		d.ev = ir.Event{Kind: ir.UsageEvent, Usage: d.usage}
		emit(&d.ev)
	}
	d.ev = ir.Event{Kind: ir.Finish, Stop: stop}
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

// Close ends the stream. A stop reason makes it complete; anything else is a broken
// stream, never a short success.
func (d *StreamDecoder) Close(cause error, emit func(*ir.Event)) {
	switch {
	case d.done:
	case cause == nil && d.stopped:
		d.end(emit)
	default:
		d.fail(ir.Broken(cause), emit)
	}
}
