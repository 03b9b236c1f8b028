package ir

import "apex-ai-proxy/proxy/rawjson"

// Response is a whole answer.
type Response struct {
	ID       string
	Model    string
	Created  int64 // seconds since 1970, 0 when the upstream did not say
	Parts    []Part
	Stop     Stop
	Usage    Usage
	HasUsage bool
	// Fingerprint and Tier are passed to clients of a protocol that has them.
	Fingerprint rawjson.Escaped
	Tier        rawjson.Escaped
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
// PartOpen, deltas, PartClose; never two open at once), UsageEvent and Ping any time
// after Start, Finish at most once, and last exactly one of End and Failure.
const (
	Start EventKind = iota
	PartOpen
	Delta       // text, thinking, refusal or tool arguments, by the kind of the open part
	SignatureEv // the signature of the open thinking part
	CitationEv  // a citation of the open text part
	PartClose
	UsageEvent
	Finish
	Ping
	End
	Failure
)

// Event is one step of a stream. Which fields count depends on Kind.
type Event struct {
	Kind EventKind

	ID      string // Start: of the answer; PartOpen: of the tool call
	Model   string // Start
	Created int64  // Start

	Part   PartKind // PartOpen
	Name   string   // PartOpen of a tool call
	Custom bool     // PartOpen of a custom tool's call: its deltas are free text

	Text rawjson.Escaped // Delta, SignatureEv; PartOpen of redacted thinking: its data
	Raw  rawjson.Value   // CitationEv

	Usage Usage  // UsageEvent
	Stop  Stop   // Finish
	Err   *Error // Failure
}

// Replay is the stream that tells the same answer.
func Replay(res *Response, emit func(*Event)) {
	emit(&Event{Kind: Start, ID: res.ID, Model: res.Model, Created: res.Created})
	for i := range res.Parts {
		p := &res.Parts[i]
		open := Event{Kind: PartOpen, Part: p.Kind}
		text := p.Text
		switch p.Kind {
		case ToolCall:
			open.ID, open.Name, open.Custom = p.Call.ID, p.Call.Name, p.Call.Custom
			text = p.Call.Input
			if !p.Call.Custom {
				text = rawjson.AppendEscape(nil, []byte(p.Call.Args))
			}
		case RedactedThinking:
			open.Text, text = p.Signature, nil
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
		emit(&Event{Kind: PartClose})
	}
	if res.HasUsage {
		emit(&Event{Kind: UsageEvent, Usage: res.Usage})
	}
	emit(&Event{Kind: Finish, Stop: res.Stop})
	emit(&Event{Kind: End})
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
		c.res.ID, c.res.Model, c.res.Created = ev.ID, ev.Model, ev.Created
	case PartOpen:
		p := Part{Kind: ev.Part}
		switch ev.Part {
		case ToolCall:
			p.Call = Call{ID: ev.ID, Name: ev.Name, Custom: ev.Custom}
			c.args = c.args[:0]
		case RedactedThinking:
			p.Signature = append(rawjson.Escaped{}, ev.Text...)
		default:
			p.Text = rawjson.Escaped{}
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
	case PartClose:
		if p := c.last(); p != nil && p.Kind == ToolCall {
			c.closeCall(p)
		}
	case UsageEvent:
		c.res.Usage, c.res.HasUsage = ev.Usage, true
	case Finish:
		c.res.Stop = ev.Stop
	case End:
		c.done = true
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
		return nil, &Error{Kind: BadGateway, Message: "upstream stream ended early"}
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
