package proxy

import (
	"bytes"
	"sync"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
	"apex-ai-proxy/proxy/spent"
)

// renamer gives the model in an answer that passes through the name that the client asked
// for. It reads along as the bytes come, in pieces of any size, and keeps no more of them
// than the start of a name.
//
// Only the member that names the model of the answer is touched: the arguments of a
// tool or the text of an answer may hold a "model" too.
type renamer struct {
	name  []byte // as a JSON string
	outer string // the member of a stream's events that holds the answer, "" for none
	sse   bool   // a stream of events
	once  bool   // the stream names the model once
	out   []byte

	// Most events of a stream begin with the same bytes up to the end of the name. Those of
	// the last one that was read byte by byte are kept.
	start  []byte
	nameAt int // where in start the name begins

	line  lineState
	mark  int  // bytes of the byte order mark that the stream began with
	crlf  bool // the last line ended in CR: an LF still belongs to it
	field [len("data:")]byte
	seen  int // bytes of field

	place  place
	deep   int // containers around this byte that are passed over
	inside bool
	key    [maxKey]byte
	keyLen int
	slash  bool // the last byte of a string was a backslash that escapes the next one
	done   bool // nothing more is to be replaced in this value
	over   bool // nor in any that follows
}

// maxKey bounds the keys that are told apart: longer ones are none of those looked for.
const maxKey = len("response") + 1

// lineState says where in a line of an event stream the renamer is.
type lineState int8

const (
	lineStart lineState = iota
	lineField           // in the name of a field
	lineData            // in data
	lineOther           // in another field, or a comment
)

// place says where in a JSON text the renamer is. Containers within the one looked at are
// passed over, counted by deep.
type place int8

const (
	atTop    place = iota // before the text
	atKey                 // before a key, or the end of an object
	inKey                 // in a key
	atColon               // behind a key
	atValue               // before a value
	inString              // in a string that stays
	inName                // in the name to be replaced
	atComma               // behind a value
)

// renamer is nil when the answer may keep the names that the upstream uses: those of the
// request went there as the client wrote them.
func (x *exchange) renamer(stream bool) *renamer {
	if x.rec.ModelAsked == "" || x.rec.ModelAsked == x.route.WireModel() {
		return nil
	}
	r := renamers.Get().(*renamer)
	*r = renamer{name: rawjson.AppendQuote(r.name, x.rec.ModelAsked), out: r.out, start: r.start, sse: stream}
	switch {
	case stream && x.client == ir.AnthropicMessages:
		r.outer, r.once = "message", true
	case stream && x.client == ir.OpenAIResponses:
		r.outer = "response"
	}
	return r
}

// renamers are those that no exchange uses. Their memory is as large as what they once held.
var renamers = sync.Pool{New: func() any { return new(renamer) }}

// free lets the renamer be used for another answer.
func (r *renamer) free() {
	if r != nil {
		r.name, r.out, r.start = spent.Empty(r.name), spent.Empty(r.out), spent.Empty(r.start)
		renamers.Put(r)
	}
}

// rename returns b with the names in it replaced. What it returns is valid until the next
// call, and b itself when nothing is to be replaced.
func (r *renamer) rename(b []byte) []byte {
	if r == nil || r.over || r.passes(b) {
		return b
	}
	r.out = spent.Empty(r.out)
	from := 0 // of what is not in out yet
	for i := 0; i < len(b) && !r.over; {
		if r.sse && r.line != lineData {
			i += r.prefix(b[i:])
			continue
		}
		end := len(b)
		if r.sse {
			end = i + lineLen(b[i:])
		}
		from = r.text(b[:end], i, from)
		if i = end; i < len(b) {
			r.line = lineOther // at its end
		}
	}
	if from == 0 {
		return b
	}
	r.out = append(r.out, b[from:]...)
	return r.out
}

// text reads a part of a JSON text, from i to the end of b. What lies before from is in
// out already, or replaced.
func (r *renamer) text(b []byte, i, from int) int {
	if r.place == atTop && len(r.start) > 0 && bytes.HasPrefix(b[i:], r.start) {
		r.replace(b[from : i+r.nameAt])
		r.done = true
		return i + len(r.start)
	}
	start, nameAt := i, -1
	if r.place != atTop {
		start = -1
	}
	for i < len(b) && !r.done {
		was := r.place
		n := r.step(b[i:])
		switch {
		case was == inName:
			from = i + n
		case r.place == inName: // behind its opening quote
			r.replace(b[from:i])
			nameAt, from = i, i+n
		}
		i += n
	}
	if r.done && start >= 0 && nameAt >= 0 {
		r.start, r.nameAt = append(r.start[:0], b[start:from]...), nameAt-start
	}
	return from
}

// replace writes what stands before a name, and then the new name.
func (r *renamer) replace(before []byte) {
	r.out = append(append(r.out, before...), r.name...)
}

// settled tells whether no name will be replaced any more.
func (r *renamer) settled() bool { return r == nil || r.over }

var markOuter = map[string]mark{"message": markOf(`"messa`, `ge"`), "response": markOf(`"respon`, `se"`)}

// passes tells quickly that whole events hold nothing to be replaced, as most do not. The
// end of an event of which a part was read is none of them.
func (r *renamer) passes(b []byte) bool {
	return r.outer != "" && r.sse && r.line == lineStart && r.place == atTop && !r.done && lastEvent(b) == len(b) && markOuter[r.outer].index(b) < 0
}

// prefix takes bytes of a stream that are no data, and returns how many.
func (r *renamer) prefix(b []byte) int {
	switch c := b[0]; {
	case c == '\n' && r.crlf:
		r.crlf = false
		return 1
	case c == '\r' || c == '\n':
		r.crlf = c == '\r'
		if r.line == lineStart {
			r.restart() // a blank line ends the event
		}
		r.line, r.seen = lineStart, 0
		return 1
	}
	r.crlf = false
	if r.line == lineOther {
		return lineLen(b)
	}
	if r.line == lineStart && r.mark < len(bom) && b[0] == bom[r.mark] {
		r.mark++
		return 1
	}
	r.mark = len(bom)
	if r.line == lineStart && bytes.HasPrefix(b, dataField) {
		r.line = lineData
		return len(dataField)
	}
	r.line = lineField
	r.field[r.seen] = b[0]
	r.seen++
	switch {
	case !bytes.HasPrefix(dataField, r.field[:r.seen]):
		r.line, r.seen = lineOther, 0
	case r.seen == len(dataField):
		r.line, r.seen = lineData, 0
	}
	return 1
}

var dataField = []byte("data:")

// lineLen is the length of the first line of b without its end.
func lineLen(b []byte) int {
	if lf := bytes.IndexByte(b, '\n'); lf >= 0 {
		b = b[:lf]
	}
	if cr := bytes.IndexByte(b, '\r'); cr >= 0 {
		b = b[:cr]
	}
	return len(b)
}

// restart makes the renamer ready for the next JSON text.
func (r *renamer) restart() {
	r.place, r.deep, r.inside, r.keyLen, r.slash, r.done = atTop, 0, false, 0, false, false
}

// step takes some bytes of a JSON text, at least one, and returns how many.
func (r *renamer) step(b []byte) int {
	if r.place == inKey || r.place == inString || r.place == inName {
		return r.string(b)
	}
	c := b[0]
	if r.deep > 0 {
		return r.nested(b)
	}
	switch {
	case r.place == atTop && c == '{':
		r.place = atKey
	case r.place == atTop:
		r.done = c == '[' || c == '"'
	case c == '"' && r.place == atKey:
		r.place, r.keyLen = inKey, 0
	case c == '"' && r.place == atValue && r.isModel():
		r.place = inName
	case c == '"':
		r.place = inString
	case c == ':' && r.place == atColon:
		r.place = atValue
	case c == ',':
		r.place = atKey
	case c == '{' && r.place == atValue && r.isOuter():
		r.place, r.inside = atKey, true
	case c == '{' || c == '[':
		r.deep++
		r.place = atComma
	case c == '}' && r.inside:
		r.inside, r.place = false, atComma
	case c == '}':
		r.done = true
	}
	return 1
}

// nested passes over what lies within a container.
func (r *renamer) nested(b []byte) int {
	for i, c := range b {
		switch c {
		case '{', '[':
			r.deep++
		case '}', ']':
			if r.deep--; r.deep == 0 {
				return i + 1
			}
		case '"':
			r.place = inString
			return i + 1
		}
	}
	return len(b)
}

// string takes bytes of a string, to its end if that is among them.
func (r *renamer) string(b []byte) int {
	if r.slash {
		r.slash = false
		r.collect(b[:1])
		return 1
	}
	end := bytes.IndexByte(b, '"')
	plain := b
	if end >= 0 {
		plain = b[:end]
	}
	if at := bytes.IndexByte(plain, '\\'); at >= 0 {
		r.collect(b[:at+1])
		r.slash = true
		return at + 1
	}
	r.collect(plain)
	if end < 0 {
		return len(b)
	}
	if r.place == inName {
		r.done, r.over = true, r.once || !r.sse
	}
	if r.place == inKey {
		r.place = atColon
	} else {
		r.place = atComma
	}
	return end + 1
}

// collect keeps bytes of a key.
func (r *renamer) collect(b []byte) {
	if r.place == inKey {
		r.keyLen += copy(r.key[r.keyLen:], b)
	}
}

func (r *renamer) isModel() bool {
	return r.inside == (r.outer != "") && string(r.key[:r.keyLen]) == "model"
}

func (r *renamer) isOuter() bool {
	return !r.inside && r.outer != "" && string(r.key[:r.keyLen]) == r.outer
}
