package openaichat

import (
	"bytes"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/prose"
	"apex-ai-proxy/proxy/rawjson"
)

// maxBlankArgs is how many bytes of white space in a row a call's arguments may hold:
// some models fall into an endless run of it.
const maxBlankArgs = 2000

// calls collects the tool calls of a stream and puts them in a row: the first one that is
// not complete is passed on as it arrives, the others wait.
type calls struct {
	slots []*slot
	next  int // index of the live slot
	held  []heldText
}

// slot is one tool call.
type slot struct {
	index    int64
	hasIndex bool
	id, name string
	waiting  rawjson.Escaped // arguments not passed on yet
	opened   bool
	sent     bool // some arguments were passed on
	custom   bool // the arguments are free text
	proof    rawjson.Escaped
	json     argScanner
	args     int // bytes of arguments seen
}

// heldText is text that arrived in the middle of an unfinished call. It is lost when the stream
// breaks off before the call is complete: it could only be told behind the end of the call, and
// clients run a call that has ended.
type heldText struct {
	kind ir.PartKind
	text rawjson.Escaped
}

// complete tells whether nothing more can come. Free text ends where something else begins.
func (s *slot) complete() bool { return s.json.complete() || s.custom && s.args > 0 }

// fragment is one piece of a call on the wire.
type fragment struct {
	index    int64
	hasIndex bool
	id       string
	function rawjson.Value
	custom   bool // function is that of a custom tool
	proof    rawjson.Escaped
}

func (c *calls) live() *slot {
	if c.next < len(c.slots) {
		return c.slots[c.next]
	}
	return nil
}

func (c *calls) any() bool { return len(c.slots) > 0 }

func (c *calls) hold(kind ir.PartKind, text rawjson.Escaped) {
	if n := len(c.held); n > 0 && c.held[n-1].kind == kind {
		c.held[n-1].text = append(c.held[n-1].text, text...)
		return
	}
	c.held = append(c.held, heldText{kind, append(rawjson.Escaped{}, text...)})
}

// toolCalls reads the list of fragments in one chunk.
func (d *StreamDecoder) toolCalls(list rawjson.Value, emit func(*ir.Event)) {
	r := &d.list // reader is used for each call
	r.Reset(list)
	r.Array(func(int) {
		var f fragment
		r.Object(func(k []byte) {
			switch string(k) {
			case "index":
				f.index, f.hasIndex = r.Value().Int()
				f.index = max(f.index, 0) // -1 stands for 0 at some servers
			case "id":
				f.id = r.Value().Str()
			case "function":
				f.function = r.Value()
			case "custom":
				f.function, f.custom = r.Value(), true
			case "extra_content":
				f.proof = proofOf(r.Value())
			}
		})
		if r.Err() == nil {
			d.fragment(f, emit)
		}
	})
}

func (d *StreamDecoder) fragment(f fragment, emit func(*ir.Event)) {
	if d.done {
		return
	}
	var name string
	var args rawjson.Value
	r := &d.reader
	r.Reset(f.function)
	if f.function.Kind() == rawjson.Object {
		r.Object(func(k []byte) {
			switch string(k) {
			case "name":
				name = r.Value().Str()
			case "arguments", "input":
				args = r.Value()
			}
		})
	}
	s := d.calls.find(f, name)
	s.custom = s.custom || f.custom
	if s.proof == nil {
		s.proof = bytes.Clone(f.proof)
	}
	if s.id == "" {
		s.id = f.id
	}
	if s.name == "" {
		s.name = name
	}
	text := args.Text()
	if args.Kind() == rawjson.Object { // the object itself instead of its text
		text = rawjson.AppendEscape(nil, rawjson.AppendCompact(nil, args))
	}
	d.calls.arguments(d, s, text, emit)
}

// find is the slot a fragment belongs to.
func (c *calls) find(f fragment, name string) *slot {
	last := len(c.slots) - 1
	if f.hasIndex {
		for i := last; i >= 0; i-- {
			s := c.slots[i]
			if s.index != f.index || !s.hasIndex {
				continue
			}
			if f.id != "" && s.id != "" && f.id != s.id && name != "" {
				break // another call under the same index, as Gemini's servers send them
			}
			return s
		}
		return c.add(f)
	}
	if f.id != "" {
		for _, s := range c.slots {
			if s.id == f.id {
				return s
			}
		}
		return c.add(f)
	}
	if last < 0 || name != "" && c.slots[last].json.complete() {
		return c.add(f)
	}
	return c.slots[last]
}

func (c *calls) add(f fragment) *slot {
	s := &slot{index: f.index, hasIndex: f.hasIndex}
	c.slots = append(c.slots, s)
	return s
}

// arguments adds text to a call and passes on what may be passed on.
func (c *calls) arguments(d *StreamDecoder, s *slot, text rawjson.Escaped, emit func(*ir.Event)) {
	if len(text) > 0 {
		if s.json.complete() && s.json.placeholder() && !text.Blank() && !s.sent {
			s.waiting, s.json = nil, argScanner{} // "{}" stood in for what comes now
		}
		s.args += len(text)
		if !s.custom {
			s.json.feed(text)
		}
		if s.json.bad() {
			d.fail(badArguments(), emit)
			return
		}
		if s.json.blanks > maxBlankArgs {
			d.fail(&ir.Error{Kind: ir.BadGateway, Message: prose.New("the model filled a tool call with white space without an end; the answer was stopped")}, emit)
			return
		}
	}
	for c.live() != s && c.live() != nil && c.live().complete() {
		if c.close(d, emit); d.done {
			return
		}
	}
	if c.live() != s {
		for i := range c.next {
			if c.slots[i] == s { // already closed
				if !text.Blank() {
					d.fail(&ir.Error{Kind: ir.BadGateway, Message: prose.New("the provider went on with a tool call that was complete")}, emit)
				}
				return
			}
		}
		s.waiting = append(s.waiting, text...)
		return
	}
	if s.name == "" || s.json.placeholder() {
		s.waiting = append(s.waiting, text...)
		return
	}
	c.openSlot(d, s, emit)
	if len(s.waiting) > 0 {
		text = append(s.waiting, text...)
		s.waiting = nil
	}
	d.emitArgs(s, text, emit)
}

func badArguments() *ir.Error {
	return &ir.Error{Kind: ir.BadGateway, Message: prose.New("the provider returned invalid tool arguments")}
}

func (c *calls) openSlot(d *StreamDecoder, s *slot, emit func(*ir.Event)) {
	if s.opened {
		return
	}
	d.closePart(emit)
	s.opened = true
	d.open, d.kind, d.said = true, ir.ToolCall, true
	d.ev = ir.Event{Kind: ir.PartOpen, Part: ir.ToolCall, ID: s.id, Name: s.name, Custom: s.custom, Proof: s.proof}
	emit(&d.ev)
}

func (d *StreamDecoder) emitArgs(s *slot, text rawjson.Escaped, emit func(*ir.Event)) {
	if len(text) == 0 {
		return
	}
	s.sent = true
	d.piece(text, emit)
}

// close ends the live call and makes the next one live.
func (c *calls) close(d *StreamDecoder, emit func(*ir.Event)) {
	s := c.live()
	name, err := d.from.ToolName(s.name)
	if err != nil {
		d.fail(err, emit)
		return
	}
	s.name = name
	c.openSlot(d, s, emit)
	d.emitArgs(s, s.waiting, emit)
	s.waiting = nil
	d.closePart(emit)
	c.next++
	// The next call has been waiting: pass on what it has.
	if n := c.live(); n != nil && n.name != "" && len(n.waiting) > 0 && !n.json.placeholder() {
		c.openSlot(d, n, emit)
		d.emitArgs(n, n.waiting, emit)
		n.waiting = nil
	}
}

// settle closes calls that are complete because text follows them; it reports whether
// none is left open.
func (c *calls) settle(d *StreamDecoder, emit func(*ir.Event)) bool {
	for s := c.live(); s != nil; s = c.live() {
		if !s.complete() || d.done {
			return false
		}
		c.close(d, emit)
	}
	return true
}

// flush closes every call and emits the text that had to wait.
func (c *calls) flush(d *StreamDecoder, emit func(*ir.Event)) {
	for s := c.live(); s != nil && !d.done; s = c.live() {
		if s.args > 0 && !s.complete() && stopOf(d.finish).Reason != ir.StopLength {
			d.fail(badArguments(), emit)
			return
		}
		c.close(d, emit)
	}
	held := c.held
	c.held = nil
	for _, h := range held {
		d.say(h.kind, h.text, emit)
	}
}

// argScanner follows the arguments of a call, which arrive as pieces of a string literal.
type argScanner struct {
	json   rawjson.Checker
	blanks int // white space in a row outside of strings
	seen   int // bytes that are no white space
}

// complete tells whether the object has ended.
func (s *argScanner) complete() bool { return s.json.Complete }

// bad tells that the arguments can no longer become an object.
func (s *argScanner) bad() bool { return s.json.Bad || s.json.First != 0 && s.json.First != '{' }

// placeholder tells whether the text so far is "{}", which some servers send before
// the real arguments.
func (s *argScanner) placeholder() bool { return s.json.Complete && s.seen == 2 }

func (s *argScanner) feed(e rawjson.Escaped) {
	var local [128]byte
	text := local[:0]
	if bytes.IndexByte(e, '\\') >= 0 {
		text = e.Append(text)
	} else {
		text = e
	}
	for _, c := range text {
		s.json.Byte(c)
		if s.json.InString() {
			s.blanks = 0
			s.seen++
			continue
		}
		if c == ' ' || c == '\n' || c == '\r' || c == '\t' {
			s.blanks++
		} else {
			s.blanks = 0
			s.seen++
		}
	}
}
