package openaichat

import (
	"bytes"
	"unicode/utf8"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/prose"
	"apex-ai-proxy/proxy/rawjson"
	"apex-ai-proxy/proxy/sse"
)

// maxBadFrames is how many unreadable frames in a row are taken for noise.
const maxBadFrames = 3

// StreamDecoder reads a stream of chat.completion.chunk objects, tolerant of what the
// many servers of this protocol do: several finish chunks, usage on every chunk,
// parallel calls without index or with the same one, interleaved or repeated fragments.
type StreamDecoder struct {
	from   ir.Source
	reader rawjson.Reader
	list   rawjson.Reader // of the calls in a chunk
	ev     ir.Event
	next   ir.Event         // a Delta: nothing but its text is ever set
	usual  rawjson.Template // a chunk with a piece of the answer's text and nothing else

	started, done bool
	open          bool        // a part is open
	kind          ir.PartKind // of the open part
	halves        ir.Halves
	said          bool // a part was opened since the start
	told, thought ir.Sent
	mused         bool // thinking was told as plain text
	refused       bool
	bad           int // unreadable frames in a row
	frames        int

	calls calls

	finish   string
	usage    ir.Usage
	hasUsage bool
}

// NewStreamDecoder returns a decoder.
func NewStreamDecoder(from ir.Source) *StreamDecoder { return &StreamDecoder{from: from} }

// Done tells whether the end of the stream was told.
func (d *StreamDecoder) Done() bool { return d.done }

// chunk is one chunk with its members spanned, so that they can be taken in the order
// that matters instead of the order on the wire.
type chunk struct {
	id, model, created, tier  rawjson.Value
	delta, message, finish    rawjson.Value
	usage, failure            rawjson.Value
	kind, errMessage, errCode rawjson.Value
	choices                   bool
}

// Decode reads one frame.
func (d *StreamDecoder) Decode(f sse.Frame, emit func(*ir.Event)) {
	if d.done || d.again(f, emit) {
		return
	}
	data := ir.ValidUTF8(bytes.TrimSpace(f.Data))
	switch string(data) {
	case "", "null":
		return
	case "[DONE]":
		d.end(emit)
		return
	case "[ERROR]":
		d.fail(ir.UpstreamError(0, "", "", ""), emit)
		return
	}
	d.frames++
	var c chunk
	r := &d.reader
	r.Reset(data)
	d.readChunk(r, &c)
	if err := r.Close(); err != nil || data[0] != '{' {
		d.unreadable(emit)
		return
	}
	d.bad = 0
	if c.failure.Present() || bytes.Equal(f.Event, []byte("error")) || d.errorFrame(&c) {
		d.fail(d.failure(&c), emit)
		return
	}
	if text := d.chunk(&c, emit); text != nil {
		d.usual.Learn(data, text)
	}
}

// again reads a frame that differs in its text alone from one that was read before, as most
// frames do.
func (d *StreamDecoder) again(f sse.Frame, emit func(*ir.Event)) bool {
	if !d.open || d.kind != ir.Text || d.calls.live() != nil || len(f.Event) > 0 {
		return false
	}
	text, ok := d.usual.Match(f.Data)
	if !ok || !utf8.Valid(text) {
		return false
	}
	d.bad = 0
	d.piece(text, emit)
	return true
}

func (d *StreamDecoder) readChunk(r *rawjson.Reader, c *chunk) {
	r.Object(func(k []byte) {
		switch string(k) {
		case "choices":
			if r.Kind() != rawjson.Array {
				return
			}
			r.Array(func(int) { d.readChoice(r, c) })
		case "id":
			c.id = r.Value()
		case "model":
			c.model = r.Value()
		case "created":
			c.created = r.Value()
		case "service_tier":
			c.tier = r.Value()
		case "usage":
			c.usage = r.Value()
		case "error":
			c.failure = r.Value()
		case "type":
			c.kind = r.Value()
		case "message":
			c.errMessage = r.Value()
		case "code":
			c.errCode = r.Value()
		}
	})
}

// readChoice takes the choice with index 0, the only one there should be.
func (d *StreamDecoder) readChoice(r *rawjson.Reader, c *chunk) {
	var index, delta, message, finish, failure rawjson.Value
	r.Object(func(k []byte) {
		switch string(k) {
		case "index":
			index = r.Value()
		case "delta":
			delta = r.Value()
		case "message":
			message = r.Value()
		case "finish_reason":
			finish = r.Value()
		case "error":
			failure = r.Value()
		}
	})
	if n, ok := index.Int(); ok && n != 0 {
		return
	}
	c.choices = true
	c.delta, c.message, c.finish = delta, message, finish
	if failure.Present() {
		c.failure = failure
	}
}

// unreadable counts frames that are no JSON objects. One in the middle is noise; the
// first frame, or several in a row, mean that this is no stream of the protocol.
func (d *StreamDecoder) unreadable(emit func(*ir.Event)) {
	d.bad++
	if d.frames == 1 || d.bad > maxBadFrames {
		d.fail(&ir.Error{Kind: ir.BadGateway, Message: prose.New("the provider sent something that is no stream of this protocol")}, emit)
	}
}

// errorFrame recognises error objects without the key "error".
func (d *StreamDecoder) errorFrame(c *chunk) bool {
	if c.choices || c.usage.Present() {
		return false
	}
	return c.kind.Text().Is("error") || c.errMessage.Present() && (c.errCode.Present() || c.kind.Present())
}

func (d *StreamDecoder) failure(c *chunk) *ir.Error {
	if c.failure.Present() {
		return errorOf(c.failure)
	}
	return ir.UpstreamError(0, c.kind.Str(), c.errCode.Str(), c.errMessage.Str())
}

func (d *StreamDecoder) start(c *chunk, emit func(*ir.Event)) {
	if d.started {
		return
	}
	d.started = true
	created, _ := c.created.Int()
	d.ev = ir.Event{Kind: ir.Start, ID: c.id.Str(), Model: c.model.Str(), Created: created, Tier: c.tier.Str()}
	emit(&d.ev)
}

// chunk emits what a chunk tells. only is its text when it tells nothing else.
func (d *StreamDecoder) chunk(c *chunk, emit func(*ir.Event)) (only rawjson.Escaped) {
	d.start(c, emit)
	switch {
	case c.delta.Kind() == rawjson.Object:
		only = d.delta(c.delta, emit)
	case c.message.Kind() == rawjson.Object:
		d.whole(c.message, emit)
	}
	if d.done {
		return nil
	}
	if word := c.finish.Str(); word != "" {
		only = nil
		if failure := failedFinish(word, nil); failure != nil {
			d.fail(ir.Broken(failure), emit)
			return nil
		}
		// Of several finish reasons the first one counts, unless a later one says more
		// than that the answer has ended.
		if d.finish == "" || stopOf(d.finish).Reason == ir.StopEnd && stopOf(word).Reason != ir.StopOther {
			d.finish = word
		}
	}
	if c.usage.Present() {
		only = nil
		d.usage, d.hasUsage = decodeUsage(c.usage), true
	}
	return only
}

// whole takes the complete message that some servers put into their last chunk: what of it
// was not streamed.
func (d *StreamDecoder) whole(m rawjson.Value, emit func(*ir.Event)) {
	if !d.said {
		d.delta(m, emit)
		return
	}
	for _, key := range []string{"reasoning_content", "reasoning", "thinking"} {
		if text := d.thought.Missing(m.Get(key).Text()); len(text) > 0 {
			d.say(ir.Thinking, text, emit)
			break
		}
	}
	d.say(ir.Text, d.told.Missing(m.Get("content").Text()), emit)
	if calls := m.Get("tool_calls"); calls.Kind() == rawjson.Array && !d.calls.any() {
		d.toolCalls(calls, emit)
	}
}

// delta is what a chunk adds to the answer.
type delta struct {
	content, refusal, annotations           rawjson.Value
	reasoning, reasoningAlt, thinking, more rawjson.Value // more: reasoning_details
	toolCalls, functionCall                 rawjson.Value
}

// readDelta spans the members of a delta.
func (d *StreamDecoder) readDelta(v rawjson.Value, c *delta) {
	r := &d.reader
	r.Reset(v)
	r.Object(func(k []byte) {
		switch string(k) {
		case "content":
			c.content = r.Value()
		case "refusal":
			c.refusal = r.Value()
		case "reasoning_content":
			c.reasoning = r.Value()
		case "reasoning":
			c.reasoningAlt = r.Value()
		case "thinking":
			c.thinking = r.Value()
		case "reasoning_details":
			c.more = r.Value()
		case "tool_calls":
			c.toolCalls = r.Value()
		case "function_call":
			c.functionCall = r.Value()
		case "annotations":
			c.annotations = r.Value()
		}
	})
}

// text is the text of a delta that holds nothing else, nil for any other.
func (c *delta) text() rawjson.Escaped {
	for _, v := range [...]rawjson.Value{c.refusal, c.reasoning, c.reasoningAlt, c.thinking} {
		if len(v.Text()) > 0 {
			return nil
		}
	}
	if !c.more.Empty() || !c.annotations.Empty() || c.toolCalls.Present() || c.functionCall.Present() {
		return nil
	}
	return c.content.Text()
}

// delta emits what a chunk adds. only is its text when it adds nothing else.
func (d *StreamDecoder) delta(v rawjson.Value, emit func(*ir.Event)) (only rawjson.Escaped) {
	var c delta
	d.readDelta(v, &c)
	if only = c.text(); only != nil {
		d.say(ir.Text, only, emit)
	} else {
		d.deltas(&c, emit)
	}
	return only
}

// deltas emits thinking before text, text before calls.
func (d *StreamDecoder) deltas(c *delta, emit func(*ir.Event)) {
	plain := c.reasoning.Text()
	for _, v := range [...]rawjson.Value{c.reasoningAlt, c.thinking} {
		if len(plain) == 0 {
			plain = v.Text()
		}
	}
	switch {
	case len(plain) > 0:
		d.mused = true
		d.say(ir.Thinking, plain, emit)
	case c.more.Kind() == rawjson.Array && !d.mused: // or it says the same once more
		d.say(ir.Thinking, detailTexts(c.more), emit)
	}
	switch c.content.Kind() {
	case rawjson.String:
		d.say(ir.Text, c.content.Text(), emit)
	case rawjson.Array:
		d.contentList(c.content, emit)
	default:
	}
	if d.done { // a call that waited for its name could not be told
		return
	}
	if d.open && d.kind == ir.Text {
		for _, l := range linksOf(c.annotations) {
			d.ev = ir.Event{Kind: ir.CitationEv, Link: l}
			emit(&d.ev)
		}
	}
	if text := c.refusal.Text(); len(text) > 0 {
		d.refused = true
		d.say(ir.Refusal, text, emit)
	}
	if c.toolCalls.Kind() == rawjson.Array {
		d.toolCalls(c.toolCalls, emit)
	} else if c.functionCall.Kind() == rawjson.Object {
		d.fragment(fragment{hasIndex: true, function: c.functionCall}, emit)
	}
}

func (d *StreamDecoder) contentList(content rawjson.Value, emit func(*ir.Event)) {
	var r rawjson.Reader
	r.Reset(content)
	r.Array(func(int) {
		kind, text := contentPart(r.Value())
		d.say(kind, text, emit)
	})
}

// say emits text of a kind.
func (d *StreamDecoder) say(kind ir.PartKind, text rawjson.Escaped, emit func(*ir.Event)) {
	if len(text) == 0 || d.done {
		return
	}
	if d.calls.live() != nil {
		if !d.calls.settle(d, emit) {
			d.calls.hold(kind, text)
			return
		}
	}
	d.openPart(kind, emit)
	d.piece(text, emit)
}

// piece emits the next piece of the open part.
func (d *StreamDecoder) piece(text rawjson.Escaped, emit func(*ir.Event)) {
	if text = d.halves.Join(text); len(text) == 0 {
		return
	}
	switch d.kind {
	case ir.Text:
		d.told.Add(text)
	case ir.Thinking:
		d.thought.Add(text)
	default:
	}
	d.next.Kind, d.next.Text = ir.Delta, text
	emit(&d.next)
}

func (d *StreamDecoder) openPart(kind ir.PartKind, emit func(*ir.Event)) {
	if d.open && d.kind == kind {
		return
	}
	d.closePart(emit)
	d.open, d.kind, d.said = true, kind, true
	d.ev = ir.Event{Kind: ir.PartOpen, Part: kind}
	emit(&d.ev)
}

func (d *StreamDecoder) closePart(emit func(*ir.Event)) {
	if !d.open {
		return
	}
	if rest := d.halves.Rest(); rest != nil {
		d.ev = ir.Event{Kind: ir.Delta, Text: rest}
		emit(&d.ev)
	}
	d.open = false
	d.ev = ir.Event{Kind: ir.PartClose}
	emit(&d.ev)
}

// end emits everything that was held back and the end of the stream.
func (d *StreamDecoder) end(emit func(*ir.Event)) {
	if d.done {
		return
	}
	if !d.started {
		d.fail(&ir.Error{Kind: ir.BadGateway, Message: prose.New("the provider sent an empty stream")}, emit)
		return
	}
	if d.calls.flush(d, emit); d.done {
		return
	}
	d.closePart(emit)
	d.done = true
	if d.hasUsage {
		d.ev = ir.Event{Kind: ir.UsageEvent, Usage: d.usage}
		emit(&d.ev)
	}
	d.ev = ir.Event{Kind: ir.Finish, Stop: stopOf(d.finish).Fit(d.calls.any(), d.refused)}
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

// Close ends the stream. Without a cause it is complete if the upstream gave a finish
// reason; anything else is a broken stream, never a short success.
func (d *StreamDecoder) Close(cause error, emit func(*ir.Event)) {
	switch {
	case d.done:
	case cause != nil:
		d.fail(ir.Broken(cause), emit)
	case d.finish != "" || d.from.LenientEOF && d.said:
		d.end(emit)
	default:
		d.fail(ir.Broken(nil), emit)
	}
}
