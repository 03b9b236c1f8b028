package thoughts

import (
	"bytes"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
	"apex-ai-proxy/proxy/spent"
)

// Collector picks the thinking and the proofs out of one answer, whole or streamed. Thinking without a
// signature proves nothing and is left out.
type Collector struct {
	turn   Turn
	call   string // id of the first call
	calls  int
	behind bool

	open  bool // a block of thinking is being streamed
	text  []byte
	proof []byte

	size int // bytes so far; past maxEntry nothing is kept
}

// Event takes a step of a stream, as the client is told it.
func (c *Collector) Event(ev *ir.Event) {
	switch ev.Kind {
	case ir.PartOpen:
		c.open = false
		switch ev.Part {
		case ir.Thinking:
			c.open, c.text, c.proof = true, spent.Empty(c.text), spent.Empty(c.proof)
		case ir.RedactedThinking:
			if c.fits(overhead + len(ev.Text)) {
				c.add(ir.Part{Kind: ir.RedactedThinking, Signature: ev.Text})
			}
		case ir.ToolCall:
			c.called(ev.ID, ev.Proof)
		default:
			c.behind = true
		}
	case ir.Delta:
		if c.open && c.fits(len(ev.Text)) {
			c.text = append(c.text, ev.Text...)
		}
	case ir.SignatureEv:
		if c.open && c.fits(len(ev.Text)) {
			c.proof = append(c.proof, ev.Text...)
		}
	case ir.PartClose:
		if c.open && len(c.proof) > 0 && c.fits(overhead) {
			c.add(ir.Part{Kind: ir.Thinking, Text: c.text, Signature: c.proof})
		}
		c.open = false
	default:
	}
}

// Response takes a whole answer, as the client is told it.
func (c *Collector) Response(parts []ir.Part) {
	for i := range parts {
		switch p := &parts[i]; {
		case signed(*p):
			if c.fits(overhead + len(p.Text) + len(p.Signature)) {
				c.add(*p)
			}
		case p.Kind == ir.ToolCall:
			c.called(p.Call.ID, p.Call.Proof)
		case p.Kind != ir.Thinking:
			c.behind = true
		}
	}
}

func (c *Collector) called(id string, proof rawjson.Escaped) {
	if c.calls == 0 {
		c.call = id
	}
	if len(proof) > 0 && c.fits(overhead+len(proof)) {
		c.add(ir.Part{Kind: ir.ToolCall, Call: ir.Call{Proof: bytes.Clone(proof)}})
	}
	c.calls++
}

// fits counts bytes. Half of what was thought is worth nothing, so when there are too many
// all is forgotten.
func (c *Collector) fits(n int) bool {
	if c.size += n; c.size <= maxEntry {
		return true
	}
	c.turn, c.text, c.proof = nil, nil, nil
	return false
}

// add keeps a copy of the block: the answer it is part of may be large.
func (c *Collector) add(p ir.Part) {
	text := rawjson.Escaped(bytes.Clone(p.Text))
	if text == nil {
		text = rawjson.Escaped{}
	}
	c.turn = append(c.turn, Thought{
		Part:  ir.Part{Kind: p.Kind, Text: text, Signature: bytes.Clone(p.Signature), Call: p.Call},
		Calls: c.calls, Behind: c.behind,
	})
}

// Keep remembers what was collected, when the answer is complete.
func (c *Collector) Keep(in *Cache, client Client) { in.Keep(client, c.call, c.turn) }
