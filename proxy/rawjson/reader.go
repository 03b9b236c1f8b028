package rawjson

import (
	"bytes"
	"strconv"
	"strings"

	"apex-ai-proxy/proxy/prose"
)

// Kind is the type of a JSON value, told by its first byte.
type Kind uint8

// The kinds of JSON values. Absent is the kind of an empty span.
const (
	Absent Kind = iota
	Null
	Bool
	Number
	String
	Array
	Object
)

var kindNames = [...]prose.Text{
	prose.New("nothing"), prose.New("null"), prose.New("a boolean"), prose.New("a number"), prose.New("a string"),
	prose.New("an array"), prose.New("an object"),
}

// String names the kind as an error message would ("a string", "an object").
func (k Kind) String() string { return kindNames[k].String() }

// Told is String for other languages.
func (k Kind) Told() prose.Text { return kindNames[k] }

// maxDepth bounds nesting, so that hostile input cannot exhaust the stack.
const maxDepth = 512

// Reader pulls values out of one JSON document. The first error sticks: after it
// every call does nothing, and Err or Close reports it. The zero Reader reads nothing;
// use NewReader.
type Reader struct {
	data  []byte
	pos   int
	depth int
	err   error
	path  []step

	strings func(content []byte)
	checked bool // the syntax is known to be right
	outline bool // what is inside the strings of values is not looked at
	gaps    []Span
}

// step is one element of the path to the current value: a key, or an index when key is nil.
type step struct {
	key   []byte
	index int
}

// NewReader reads the document in data. Spans returned by the Reader alias data.
func NewReader(data []byte) *Reader { return &Reader{data: data} }

// Within reads a value that another Reader has returned, whose syntax is right therefore:
// what is skipped is not looked at again. Of any other text it may read nonsense.
func Within(v Value) *Reader { return &Reader{data: v, checked: true} }

// Reset makes the Reader read another document and keeps its memory.
func (r *Reader) Reset(data []byte) { *r = Reader{data: data, path: r.path[:0]} }

// WatchStrings has f called with the raw content, between the quotes, of every string
// value that is skipped as a part of another value, or as a whole.
func (r *Reader) WatchStrings(f func(content []byte)) { r.strings = f }

// Outline has the Reader check no more of what it skips than where its parts begin and end:
// the escapes and control characters in strings are left to whoever reads them. The keys
// that it hands out are checked.
func (r *Reader) Outline() { r.outline = true }

// Err is the first error met so far.
func (r *Reader) Err() error { return r.err }

// Close checks that nothing but space follows what was read.
func (r *Reader) Close() error {
	if r.err == nil {
		r.space()
		if r.pos < len(r.data) {
			r.syntax("more text after the end of the value")
		}
	}
	return r.err
}

// Fail makes err the Reader's error unless it has one already.
func (r *Reader) Fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// Path is where the Reader is, as in "tools[2].function.name".
func (r *Reader) Path() string {
	var b strings.Builder
	for _, s := range r.path {
		if s.key == nil {
			b.WriteByte('[')
			b.WriteString(strconv.Itoa(s.index))
			b.WriteByte(']')
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.Write(s.key)
	}
	return b.String()
}

func (r *Reader) syntax(format string, args ...any) {
	if r.err == nil {
		r.err = &SyntaxError{Offset: r.pos, What: prose.New(format, args...)}
	}
}

// Mismatch records that the current value should have been of another kind.
func (r *Reader) Mismatch(want, got Kind) {
	if r.err != nil {
		return
	}
	if got == Absent {
		r.syntax("a value is missing")
		return
	}
	r.err = &TypeError{Path: r.Path(), Want: want.Told(), Got: got.Told()}
}

// space moves to the next token, where the Reader mostly is already.
func (r *Reader) space() {
	if r.pos < len(r.data) && r.data[r.pos] <= ' ' {
		r.spaces()
	}
}

func (r *Reader) spaces() {
	for r.pos < len(r.data) {
		switch r.data[r.pos] {
		case ' ', '\t', '\n', '\r':
			r.pos++
		default:
			return
		}
	}
}

// Kind looks at the next value without reading it.
func (r *Reader) Kind() Kind {
	if r.err != nil {
		return Absent
	}
	r.space()
	if r.pos >= len(r.data) {
		return Absent
	}
	return kindOf(r.data[r.pos])
}

func kindOf(c byte) Kind {
	switch c {
	case '"':
		return String
	case '{':
		return Object
	case '[':
		return Array
	case 't', 'f':
		return Bool
	case 'n':
		return Null
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return Number
	}
	return Absent
}

// Offset is where the next value starts, in bytes from the start of the document.
func (r *Reader) Offset() int {
	r.space()
	return r.pos
}

// Since is the text from an offset up to where the Reader is, as one value.
func (r *Reader) Since(start int) Value {
	return Value(r.data[start:r.pos:r.pos])
}

// Object reads an object and calls field for each member; field must read exactly
// one value, or none to skip it. The key has its escapes resolved and is only valid
// during the call. A null reads as an object without members.
func (r *Reader) Object(field func(key []byte)) {
	switch k := r.Kind(); k {
	case Null:
		r.Value()
		return
	case Object:
	default:
		r.Mismatch(Object, k)
		return
	}
	if !r.enter() {
		return
	}
	first := true
	for r.err == nil {
		r.space()
		if r.pos >= len(r.data) {
			r.syntax("an object is not closed")
			return
		}
		c := r.data[r.pos]
		if c == '}' && first {
			r.pos++
			break
		}
		if !first {
			if c == '}' {
				r.pos++
				break
			}
			if c != ',' {
				r.syntax("expected ',' or '}' in an object")
				return
			}
			r.pos++
			r.space()
		}
		first = false
		key, ok := r.key()
		if !ok {
			return
		}
		r.path = append(r.path, step{key: key})
		start := r.pos
		field(key)
		if r.err == nil && r.pos == start {
			r.Value()
		}
		if r.err == nil {
			r.path = r.path[:len(r.path)-1]
		}
	}
	r.depth--
}

// key reads a member's key and the colon behind it.
func (r *Reader) key() ([]byte, bool) {
	if r.pos >= len(r.data) || r.data[r.pos] != '"' {
		r.syntax("expected a key in quotes")
		return nil, false
	}
	start := r.pos + 1
	escaped := r.skipString()
	if r.err != nil {
		return nil, false
	}
	key := r.data[start : r.pos-1 : r.pos-1]
	if escaped || r.checked && bytes.IndexByte(key, '\\') >= 0 {
		key = Escaped(key).Append(nil)
	}
	if key == nil {
		key = []byte{}
	}
	r.space()
	if r.pos >= len(r.data) || r.data[r.pos] != ':' {
		r.syntax("expected ':' after a key")
		return nil, false
	}
	r.pos++
	r.space()
	return key, true
}

// Array reads an array and calls element for each of its values; element must read
// exactly one value, or none to skip it. A null reads as an empty array.
func (r *Reader) Array(element func(i int)) {
	switch k := r.Kind(); k {
	case Null:
		r.Value()
		return
	case Array:
	default:
		r.Mismatch(Array, k)
		return
	}
	if !r.enter() {
		return
	}
	for i := 0; r.err == nil; i++ {
		r.space()
		if r.pos >= len(r.data) {
			r.syntax("an array is not closed")
			return
		}
		c := r.data[r.pos]
		if c == ']' && i == 0 {
			r.pos++
			break
		}
		if i > 0 {
			if c == ']' {
				r.pos++
				break
			}
			if c != ',' {
				r.syntax("expected ',' or ']' in an array")
				return
			}
			r.pos++
			r.space()
		}
		r.path = append(r.path, step{index: i})
		start := r.pos
		element(i)
		if r.err == nil && r.pos == start {
			r.Value()
		}
		if r.err == nil {
			r.path = r.path[:len(r.path)-1]
		}
	}
	r.depth--
}

func (r *Reader) enter() bool {
	r.pos++
	r.depth++
	if r.depth > maxDepth {
		r.syntax("nested too deeply")
		return false
	}
	return true
}

// Value reads any value and returns its span, without the space around it.
func (r *Reader) Value() Value {
	if r.err != nil {
		return nil
	}
	r.space()
	start := r.pos
	r.skipValue()
	if r.err != nil {
		return nil
	}
	return Value(r.data[start:r.pos:r.pos])
}

// Text reads a string and returns its inside. A null reads as an absent string.
func (r *Reader) Text() Escaped {
	switch k := r.Kind(); k {
	case String:
		v := r.Value()
		if v == nil {
			return nil
		}
		return Escaped(v[1 : len(v)-1 : len(v)-1])
	case Null:
		r.Value()
	default:
		r.Mismatch(String, k)
	}
	return nil
}

// Str reads a string and resolves its escapes. A null reads as "".
func (r *Reader) Str() string { return r.Text().String() }

// Bool reads true or false; null reads as false.
func (r *Reader) Bool() bool {
	switch k := r.Kind(); k {
	case Bool:
		v := r.Value()
		return len(v) == 4
	case Null:
		r.Value()
	default:
		r.Mismatch(Bool, k)
	}
	return false
}

// Num reads a number and returns its digits; null reads as absent.
func (r *Reader) Num() Value {
	switch k := r.Kind(); k {
	case Number:
		return r.Value()
	case Null:
		r.Value()
	default:
		r.Mismatch(Number, k)
	}
	return nil
}

// Int reads a number that must be whole. Null reads as 0.
func (r *Reader) Int() int64 {
	v := r.Num()
	if v == nil {
		return 0
	}
	n, ok := v.Int()
	if !ok && r.err == nil {
		r.err = &TypeError{Path: r.Path(), Want: prose.New("a whole number"), Got: prose.Verbatim(string(v))}
	}
	return n
}
