package proxy

import (
	"bytes"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/proxy/rawjson"
)

// observer reads along in an answer that passes through: it finds token counts, the end
// of a stream and errors. It looks for a few byte strings and parses only what stands
// behind them. Inside JSON strings these cannot occur, since quotes are escaped there. It
// never fails and never holds anything up.
type observer struct {
	proto  ir.Protocol
	tokens event.Tokens
	frames int64 // of the stream, about one per token
	ended  bool  // the stream told its end
	closed bool  // and nothing may follow
	failed string
	isErr  bool
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

// stream looks at whole frames of a stream.
func (o *observer) stream(b []byte) {
	o.frames += int64(bytes.Count(b, blankLine))
	o.usage(b)
	o.errors(b)
	if o.proto == ir.AnthropicMessages {
		if markStop.index(b) >= 0 {
			o.ended, o.closed = true, true
		} else if !o.ended && hasValue(b, markReason, '"') {
			o.ended = true
		}
		return
	}
	if o.proto == ir.OpenAIResponses {
		for _, m := range markFinals {
			if !o.ended && m.index(b) >= 0 {
				o.ended, o.closed = true, true
			}
		}
		return
	}
	if !o.ended && hasValue(b, markFinish, '"') {
		o.ended = true
	}
	if !o.closed && doneLine(b) {
		o.ended, o.closed = true, true
	}
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

// errors looks for an error inside a stream.
func (o *observer) errors(b []byte) {
	for {
		v, rest := behind(b, markError)
		if rest == nil {
			return
		}
		if len(v) > 0 && (v[0] == '{' || v[0] == '"') && !o.isErr {
			o.isErr, o.ended, o.closed = true, true, true
			r := rawjson.NewReader(v)
			if val := r.Value(); val.Kind() == rawjson.Object {
				o.failed = val.Get("message").Str()
			}
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

// doneLine tells whether b holds the line "data: [DONE]".
func doneLine(b []byte) bool {
	for from := 0; ; {
		i := markDone.index(b[from:])
		if i < 0 {
			return false
		}
		i += from
		head := bytes.TrimRight(b[:i], " ")
		if bytes.HasSuffix(head, []byte("data:")) {
			if at := len(head) - len("data:"); at == 0 || head[at-1] == '\n' || head[at-1] == '\r' {
				return true
			}
		}
		from = i + markDone.len()
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
			d := r.Value()
			t.CacheRead, t.CacheWrite = whole(d.Get("cached_tokens")), whole(d.Get("cache_write_tokens"))
		case "completion_tokens_details", "output_tokens_details":
			d := r.Value()
			t.Reasoning = whole(d.Get("reasoning_tokens")) + whole(d.Get("thinking_tokens"))
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

func whole(v rawjson.Value) int64 {
	if v.Kind() != rawjson.Number {
		return 0
	}
	n, _ := v.Int()
	return n
}
