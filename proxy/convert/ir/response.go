package ir

import (
	"bytes"

	"apex-ai-proxy/proxy/prose"
	"apex-ai-proxy/proxy/rawjson"
)

// Response is a whole answer.
type Response struct {
	ID      string
	Model   string
	Created int64 // seconds since 1970, 0 when the upstream did not say
	// Completed is when the answer was whole, 0 when nobody said.
	Completed int64
	Parts     []Part
	Stop      Stop
	Usage     Usage
	HasUsage  bool
	// Fingerprint is passed to clients of a protocol that has it.
	Fingerprint rawjson.Escaped
	// Tier is the service tier in OpenAI's words, "" when it was not told.
	Tier string
	// Losses is what of the answer no other protocol can say.
	Losses Losses
}

// Reason is why the model stopped.
type Reason uint8

// The reasons to stop. StopOther is a word nobody knows; Stop.Raw holds it.
const (
	StopOther Reason = iota
	StopEnd
	StopSequence
	StopLength
	StopContext // the context window is full
	StopTools
	StopRefusal // a filter or the model itself refused
	StopPause   // the vendor's server paused a long turn
)

// Stop is the end of an answer: its meaning, and the word the upstream used.
type Stop struct {
	Reason      Reason
	Raw         string
	Sequence    rawjson.Escaped // the stop sequence that matched, when told
	Explanation rawjson.Escaped // why the model refused, when told
}

// Usage counts tokens. Input excludes what was read from or written to a cache, as
// Anthropic counts; OpenAI's prompt total is Input + CacheRead + CacheWrite. Output
// includes Reasoning.
type Usage struct {
	Input, CacheRead, CacheWrite int64
	Output, Reasoning            int64
}

// Prompt is the total of input tokens, cached or not.
func (u Usage) Prompt() int64 { return u.Input + u.CacheRead + u.CacheWrite }

// EventKind is a step of a stream.
type EventKind uint8

// The steps of a stream, in the order in which they may come: Start, then parts (each
// PartOpen, deltas, PartClose; never two open at once), UsageEvent, Lost and Ping any time
// after Start, Finish at most once, and last exactly one of End and Failure.
const (
	Start EventKind = iota
	PartOpen
	Delta       // text, thinking, refusal or tool arguments, by the kind of the open part
	SignatureEv // the signature of the open thinking part
	CitationEv  // a source that the open text part cites
	PartClose
	UsageEvent
	Finish
	Ping
	Lost // something of the answer could not be carried over
	End
	Failure
)

// Event is one step of a stream. Which fields count depends on Kind.
type Event struct {
	Kind EventKind

	ID      string // Start: of the answer; PartOpen: of the tool call
	Model   string // Start
	Created int64  // Start; End: when the answer was whole, 0 when nobody said
	Tier    string // Start: the service tier in OpenAI's words, "" when it was not told

	Part   PartKind        // PartOpen
	Name   string          // PartOpen of a tool call
	Custom bool            // PartOpen of a custom tool's call: its deltas are free text
	Cut    bool            // PartClose: the part is not whole
	Proof  rawjson.Escaped // PartOpen of a tool call, see Call

	Text rawjson.Escaped // Delta, SignatureEv; PartOpen: data of redacted thinking, words of a search
	Link Link            // CitationEv

	Usage Usage  // UsageEvent
	Stop  Stop   // Finish
	Err   *Error // Failure
	Loss  Loss   // Lost
}

// Replay is the stream that tells the same answer.
func Replay(res *Response, emit func(*Event)) {
	emit(&Event{Kind: Start, ID: res.ID, Model: res.Model, Created: res.Created, Tier: res.Tier})
	for i := range res.Parts {
		p := &res.Parts[i]
		open := Event{Kind: PartOpen, Part: p.Kind}
		text := p.Text
		switch p.Kind {
		case ToolCall:
			open.ID, open.Name, open.Custom, open.Proof = p.Call.ID, p.Call.Name, p.Call.Custom, p.Call.Proof
			text = p.Call.Input
			if !p.Call.Custom {
				text = rawjson.AppendEscape(nil, []byte(p.Call.Args))
			}
		case RedactedThinking:
			open.Text, text = p.Signature, nil
		case Search:
			open.Text, text = text, nil
		case Text, Thinking, Refusal:
		default:
			continue // parts of the answer that only the upstream's protocol has
		}
		emit(&open)
		if len(text) > 0 {
			emit(&Event{Kind: Delta, Text: text})
		}
		if p.Kind == Thinking && p.Signature != nil {
			emit(&Event{Kind: SignatureEv, Text: p.Signature})
		}
		for _, l := range p.Links {
			emit(&Event{Kind: CitationEv, Link: l})
		}
		emit(&Event{Kind: PartClose, Cut: p.Call.BadArgs})
	}
	for _, l := range res.Losses {
		emit(&Event{Kind: Lost, Loss: l})
	}
	if res.HasUsage {
		emit(&Event{Kind: UsageEvent, Usage: res.Usage})
	}
	emit(&Event{Kind: Finish, Stop: res.Stop})
	emit(&Event{Kind: End, Created: res.Completed})
}

// Collector builds the answer that a stream tells.
type Collector struct {
	res  Response
	args []byte
	err  *Error
	done bool
}

// Add takes the next step of the stream.
func (c *Collector) Add(ev *Event) {
	switch ev.Kind {
	case Start:
		c.res.ID, c.res.Model, c.res.Created, c.res.Tier = ev.ID, ev.Model, ev.Created, ev.Tier
	case PartOpen:
		p := Part{Kind: ev.Part}
		switch ev.Part {
		case ToolCall:
			p.Call = Call{ID: ev.ID, Name: ev.Name, Custom: ev.Custom, Proof: bytes.Clone(ev.Proof)}
			c.args = c.args[:0]
		case RedactedThinking:
			p.Signature = append(rawjson.Escaped{}, ev.Text...)
		default:
			p.Text = append(rawjson.Escaped{}, ev.Text...)
		}
		c.res.Parts = append(c.res.Parts, p)
	case Delta:
		if p := c.last(); p != nil {
			if p.Kind == ToolCall {
				c.args = append(c.args, ev.Text...)
			} else {
				p.Text = append(p.Text, ev.Text...)
			}
		}
	case SignatureEv:
		if p := c.last(); p != nil {
			p.Signature = append(p.Signature, ev.Text...)
		}
	case CitationEv:
		if p := c.last(); p != nil {
			l := ev.Link
			l.URL, l.Title = append(rawjson.Escaped{}, l.URL...), append(rawjson.Escaped{}, l.Title...)
			p.Links = append(p.Links, l)
		}
	case PartClose:
		if p := c.last(); p != nil && p.Kind == ToolCall {
			c.closeCall(p)
			p.Call.BadArgs = p.Call.BadArgs || ev.Cut
		}
	case Lost:
		c.res.Losses = append(c.res.Losses, ev.Loss)
	case UsageEvent:
		c.res.Usage, c.res.HasUsage = ev.Usage, true
	case Finish:
		c.res.Stop = ev.Stop
	case End:
		c.done, c.res.Completed = true, ev.Created
	case Failure:
		c.err = ev.Err
	default:
	}
}

func (c *Collector) last() *Part {
	if n := len(c.res.Parts); n > 0 {
		return &c.res.Parts[n-1]
	}
	return nil
}

func (c *Collector) closeCall(p *Part) {
	if p.Call.Custom {
		p.Call.Input = append(rawjson.Escaped{}, c.args...)
		return
	}
	args := rawjson.Escaped(c.args).Append(nil)
	p.Call.Args, p.Call.BadArgs = ArgsOf(args)
}

// Result is the answer once the stream has ended, or the error it ended with.
func (c *Collector) Result() (*Response, error) {
	switch {
	case c.err != nil:
		return nil, c.err
	case !c.done:
		return nil, &Error{Kind: BadGateway, Message: prose.New("the provider's stream ended early")}
	}
	return &c.res, nil
}

// ArgsOf reads the text of tool arguments: a JSON object, compacted. Nothing or space
// is an empty object; anything else is bad.
func ArgsOf(text []byte) (args rawjson.Value, bad bool) {
	r := rawjson.NewReader(text)
	switch r.Kind() {
	case rawjson.Absent:
		if len(text) == 0 || rawjson.Escaped(rawjson.AppendEscape(nil, text)).Blank() {
			return rawjson.Value("{}"), false
		}
	case rawjson.Object:
		v := r.Value()
		if r.Close() == nil {
			return rawjson.AppendCompact(make([]byte, 0, len(v)), v), false
		}
	default:
	}
	return rawjson.Value("{}"), true
}
