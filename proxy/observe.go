package proxy

import (
	"bytes"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/proxy/rawjson"
	"apex-ai-proxy/proxy/sse"
)

// observer reads along in an answer that passes through: it finds token counts, the end
// of a stream and errors. It looks for a few byte strings and parses only the frames that
// hold them. It never fails and never holds anything up.
type observer struct {
	proto  ir.Protocol
	tokens event.Tokens
	frames int64 // of the stream, about one per token
	ended  bool  // the stream told its end
	closed bool  // and nothing may follow
	failed string
	isErr  bool
	noErr  bool // the last bytes hold a chunk with a member "error" that is null

	id  string // of a Responses stream, without prefix
	seq int64  // how many of its events have been seen

	mid     bool // the last bytes end in the middle of an event
	newline bool // and with the end of a line

	silent []byte // a line that told nothing, see news
}

var blankLine = []byte("\n\n")

// stream looks at the next frames of a stream. The last one may be cut off, as one that
// is larger than the buffer is; then the next call brings its rest.
func (o *observer) stream(b []byte) {
	if o.proto == ir.OpenAIResponses {
		o.number(b)
	}
	o.frames += int64(bytes.Count(b, blankLine))
	if o.mid {
		b = o.resume(b)
	}
	if len(b) == 0 {
		return
	}
	o.mid = lastEvent(b) < len(b)
	o.newline = b[len(b)-1] == '\n' || b[len(b)-1] == '\r'
	if !o.news(b) {
		return
	}
	var p sse.Parser
	if p.Feed(b, o.frame) == nil && o.mid {
		p.Close(o.frame)
	}
}

var (
	sequenceNumber = []byte(`"sequence_number":`)
	responseID     = []byte(`"id":"resp_`)
)

// number notes what an error at the end of a Responses stream must go on with.
func (o *observer) number(b []byte) {
	if i := bytes.Index(b, responseID); i >= 0 && o.frames == 0 && o.id == "" {
		id := b[i+len(responseID):]
		if end := bytes.IndexByte(id, '"'); end > 0 && bytes.IndexByte(id[:end], '\\') < 0 {
			o.id = string(id[:end])
		}
	}
	if i := bytes.LastIndex(b, sequenceNumber); i >= 0 {
		n := int64(0)
		for _, c := range skipSpace(b[i+len(sequenceNumber):]) {
			if c < '0' || c > '9' || n > 1<<53 {
				break
			}
			n = n*10 + int64(c-'0')
		}
		o.seq = n + 1
	}
}

// resume looks at the rest of a frame of which the start has been seen, and returns what
// comes behind it. Of such a rest only token counts and the end of an answer are of use.
func (o *observer) resume(b []byte) []byte {
	end := firstEvent(b)
	if o.newline && len(b) > 0 && (b[0] == '\n' || b[0] == '\r') {
		end = 1
	}
	if end > 0 {
		o.mid = false
	} else {
		end = len(b)
	}
	rest := b[:end]
	o.newline = len(rest) > 0 && (rest[len(rest)-1] == '\n' || rest[len(rest)-1] == '\r')
	o.usage(rest)
	if o.proto == ir.OpenAIChat && hasValue(rest, markFinish, '"') {
		o.ended = true
	}
	return b[end:]
}

// ending are the names of events that tell the end of a stream by themselves.
var ending = map[string]bool{
	"error": true, "message_stop": true,
	"response.completed": true, "response.incomplete": true, "response.failed": true,
}

// frame reads one event. Only where the protocol has them do errors, ends and counts mean
// what they say: a tool may have a parameter of the name "error".
func (o *observer) frame(f sse.Frame) {
	if o.proto != ir.AnthropicMessages && string(bytes.TrimSpace(f.Data)) == "[DONE]" {
		o.ended, o.closed = true, true
		return
	}
	if !ending[string(f.Event)] && !o.tells(f.Data) {
		return // one beside another that does
	}
	t := readFrame(f)
	for _, u := range t.usage {
		o.count(u)
	}
	o.noErr = o.noErr || t.noErr && o.proto == ir.OpenAIChat
	if t.failed() && !o.isErr {
		o.isErr, o.ended, o.closed = true, true, true
		o.failed = t.reason()
	}
	switch o.proto {
	case ir.AnthropicMessages:
		o.ended = o.ended || t.stopped || t.kind == "message_stop"
		o.closed = o.closed || t.kind == "message_stop"
	case ir.OpenAIResponses:
		if t.kind == "response.completed" || t.kind == "response.incomplete" || t.kind == "response.failed" {
			o.ended, o.closed = true, true
		}
	default:
		o.ended = o.ended || t.finished
	}
}

// told is what one event of a stream tells about the stream.
type told struct {
	kind     string // its type
	err      rawjson.Value
	message  rawjson.Value
	usage    []rawjson.Value
	stopped  bool // Anthropic: the reason to stop is known
	finished bool // OpenAI: likewise
	noErr    bool // there is a member "error", and it is null
	plain    bool // there is one that tells the error, where every client looks
}

// readFrame reads an event as far as it goes: of one that is cut off, what comes before.
func readFrame(f sse.Frame) told {
	t := told{kind: string(f.Event)}
	r := rawjson.NewReader(f.Data)
	r.Object(func(key []byte) {
		v := r.Value()
		switch string(key) {
		case "type":
			if v.Kind() == rawjson.String {
				t.kind = v.Str()
			}
		case "error":
			t.noErr = v.Kind() == rawjson.Null
			t.fails(v)
			t.plain = t.err != nil
		case "message":
			t.message = v
			t.counts(v.Get("usage"))
		case "usage":
			t.counts(v)
		case "x_groq":
			t.counts(v.Get("usage"))
		case "response":
			t.counts(v.Get("usage"))
			if t.kind == "response.failed" {
				t.fails(v.Get("error"))
			}
		case "delta":
			t.stopped = len(v.Get("stop_reason").Text()) > 0
		case "choices":
			t.choices(v)
		}
	})
	return t
}

func (t *told) choices(v rawjson.Value) {
	if v.Kind() != rawjson.Array {
		return
	}
	r := rawjson.NewReader(v)
	r.Array(func(int) {
		c := r.Value()
		t.fails(c.Get("error"))
		t.finished = t.finished || len(c.Get("finish_reason").Text()) > 0
		t.counts(c.Get("usage"))
	})
}

func (t *told) counts(v rawjson.Value) {
	if v.Kind() == rawjson.Object {
		t.usage = append(t.usage, v)
	}
}

func (t *told) fails(v rawjson.Value) {
	if v.Kind() == rawjson.Object || len(v.Text()) > 0 {
		t.err = v
	}
}

func (t *told) failed() bool {
	return t.err != nil || t.kind == "error" || t.kind == "response.failed"
}

// reason is what the error says, "" when it says nothing.
func (t *told) reason() string {
	for _, v := range [...]rawjson.Value{t.err.Get("message"), t.err, t.message} {
		if s := v.Str(); s != "" {
			return s
		}
	}
	return ""
}
