package proxy

import (
	"bytes"
	"encoding/binary"
	"math/bits"

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

// mark is a byte string to look for. The search is for its tail, which starts with
// letters that are rarer in JSON than a quote, and is therefore much faster.
type mark struct{ head, tail []byte }

func markOf(head, tail string) mark { return mark{[]byte(head), []byte(tail)} }

var (
	markUsage  = markOf(`"`, `usage"`)
	markError  = markOf(`"e`, `rror"`)
	markFinish = markOf(`"fini`, `sh_reason"`)
	markReason = markOf(`"st`, `op_reason"`)
	markStop   = markOf(`"message`, `_stop"`)
	markDone   = markOf(`[D`, `ONE]`)
	markFinals = []mark{
		markOf(`"response`, `.completed"`), markOf(`"response`, `.incomplete"`), markOf(`"response`, `.failed"`),
	}
	blankLine = []byte("\n\n")
)

// index is where the mark starts in b, -1 when it is not there.
func (m mark) index(b []byte) int {
	for from := 0; ; {
		i := bytes.Index(b[from:], m.tail)
		if i < 0 {
			return -1
		}
		if at := from + i - len(m.head); at >= 0 && string(b[at:from+i]) == string(m.head) {
			return at
		}
		from += i + len(m.tail)
	}
}

func (m mark) len() int { return len(m.head) + len(m.tail) }

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

// Bounds of news, in bytes.
const (
	maxMark   = 24      // no mark is as long
	maxSilent = 2 << 10 // longer lines are not kept
)

// news tells whether any line of b tells something. Most lines of a stream differ from the one
// before in a word or two: only these are looked at, as in the rest a mark would have been found
// before.
func (o *observer) news(b []byte) bool {
	for len(b) > 0 {
		line := b
		if end := bytes.IndexByte(b, '\n'); end >= 0 {
			line = b[:end+1]
		}
		b = b[len(line):]
		if len(line) < maxMark/4 {
			continue // there is no room for a mark
		}
		from, to := differ(line, o.silent)
		if to-from < len(line)/2 {
			if o.tells(line[from:to]) {
				return true
			}
			continue
		}
		if o.tells(line) {
			return true
		}
		if len(line) <= maxSilent {
			o.silent = append(o.silent[:0], line...)
		}
	}
	return false
}

// differ is the part of a line that is not as in another one, with as much around it as a mark
// and its value take that begin or end in it.
func differ(line, other []byte) (from, to int) {
	from = commonStart(line, other)
	to = len(line) - commonEnd(line[from:], other[from:])
	for from > 0 && between(line[from-1]) {
		from--
	}
	to = min(to+maxMark, len(line))
	for to < len(line) && between(line[to-1]) {
		to++
	}
	return max(from-maxMark, 0), to
}

// between tells whether a byte may stand between a name and its value.
func between(c byte) bool { return c == ':' || c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// commonStart is how many bytes a and b begin with that are the same.
func commonStart(a, b []byte) int {
	n, i := min(len(a), len(b)), 0
	for ; i+8 <= n; i += 8 {
		if x := binary.LittleEndian.Uint64(a[i:]) ^ binary.LittleEndian.Uint64(b[i:]); x != 0 {
			return i + bits.TrailingZeros64(x)/8
		}
	}
	for i < n && a[i] == b[i] {
		i++
	}
	return i
}

// commonEnd is how many bytes a and b end with that are the same.
func commonEnd(a, b []byte) int {
	n, i := min(len(a), len(b)), 0
	for ; i+8 <= n; i += 8 {
		if x := binary.LittleEndian.Uint64(a[len(a)-i-8:]) ^ binary.LittleEndian.Uint64(b[len(b)-i-8:]); x != 0 {
			return i + bits.LeadingZeros64(x)/8
		}
	}
	for i < n && a[len(a)-1-i] == b[len(b)-1-i] {
		i++
	}
	return i
}

// tells is a quick test that every frame passes that holds what is looked for. Most frames
// do not, and are never parsed.
func (o *observer) tells(b []byte) bool {
	if markError.index(b) >= 0 || hasValue(b, markUsage, '{') {
		return true
	}
	switch o.proto {
	case ir.AnthropicMessages:
		return markStop.index(b) >= 0 || hasValue(b, markReason, '"')
	case ir.OpenAIResponses:
		for _, m := range markFinals {
			if m.index(b) >= 0 {
				return true
			}
		}
		return false
	default:
		return markDone.index(b) >= 0 || hasValue(b, markFinish, '"')
	}
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

// unary looks at a whole answer, or at the end of one.
func (o *observer) unary(b []byte) {
	o.usage(b)
	if !o.tokens.Known {
		return
	}
	o.ended = true
}

// usage reads every token count in b.
func (o *observer) usage(b []byte) {
	for {
		v, rest := behind(b, markUsage)
		if rest == nil {
			return
		}
		if len(v) > 0 && v[0] == '{' {
			o.count(v)
		}
		b = rest
	}
}

// behind finds a member by its quoted name and returns what follows its colon, and what
// follows its name; nil, nil when there is none.
func behind(b []byte, name mark) (value, rest []byte) {
	i := name.index(b)
	if i < 0 {
		return nil, nil
	}
	rest = b[i+name.len():]
	v := skipSpace(rest)
	if len(v) == 0 || v[0] != ':' {
		return nil, rest[:len(rest):len(rest)]
	}
	return skipSpace(v[1:]), rest
}

func skipSpace(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t' || b[0] == '\n' || b[0] == '\r') {
		b = b[1:]
	}
	return b
}

// hasValue tells whether a member of the name has a value that starts with c.
func hasValue(b []byte, name mark, c byte) bool {
	for {
		v, rest := behind(b, name)
		if rest == nil {
			return false
		}
		if len(v) > 0 && v[0] == c {
			return true
		}
		b = rest
	}
}

// count reads one usage object. A later one completes or replaces what came before.
func (o *observer) count(b []byte) {
	t := o.tokens
	var cacheRead, cacheWrite, input int64
	var hasInput bool
	r := rawjson.NewReader(b)
	r.Object(func(key []byte) {
		switch string(key) {
		case "prompt_tokens", "input_tokens":
			input, hasInput = whole(r.Value()), true
		case "completion_tokens", "output_tokens":
			t.Output, t.Known = whole(r.Value()), true
		case "cache_read_input_tokens":
			cacheRead = whole(r.Value())
		case "cache_creation_input_tokens":
			cacheWrite = whole(r.Value())
		case "prompt_tokens_details", "input_tokens_details":
			t.CacheRead, t.CacheWrite = 0, 0
			details(r, func(name string, n int64) {
				switch name {
				case "cached_tokens":
					t.CacheRead = n
				case "cache_write_tokens":
					t.CacheWrite = n
				}
			})
		case "completion_tokens_details", "output_tokens_details":
			var reasoning, thinking int64
			details(r, func(name string, n int64) {
				switch name {
				case "reasoning_tokens":
					reasoning = n
				case "thinking_tokens":
					thinking = n
				}
			})
			t.Reasoning = reasoning + thinking
		}
	})
	if r.Err() != nil {
		return
	}
	if hasInput {
		t.Known = true
		if o.proto == ir.AnthropicMessages {
			// Counted apart here, together in a record.
			t.CacheRead, t.CacheWrite = cacheRead, cacheWrite
			t.Input = input + cacheRead + cacheWrite
		} else {
			t.Input = input
		}
	}
	o.tokens = t
}

// details calls f with each count in an object; anything else has none.
func details(r *rawjson.Reader, f func(name string, n int64)) {
	if r.Kind() != rawjson.Object {
		r.Value()
		return
	}
	r.Object(func(key []byte) { f(string(key), whole(r.Value())) })
}

func whole(v rawjson.Value) int64 {
	if v.Kind() != rawjson.Number {
		return 0
	}
	n, _ := v.Int()
	return n
}
