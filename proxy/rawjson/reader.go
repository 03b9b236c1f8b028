package rawjson

import (
	"bytes"
	"errors"
	"math/bits"
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

// SyntaxError is JSON that cannot be read. Offset counts bytes from the start.
type SyntaxError struct {
	Offset int
	What   prose.Text
}

func (e *SyntaxError) Error() string { return e.Told().String() }

// Told is the error as a sentence.
func (e *SyntaxError) Told() prose.Text {
	return prose.New("invalid JSON at byte %d: %s", e.Offset, e.What)
}

// TypeError is well-formed JSON with a value of an unexpected kind at Path,
// which is written as in "messages[3].content[0].type".
type TypeError struct {
	Path      string
	Want, Got prose.Text
}

func (e *TypeError) Error() string { return e.Told().String() }

// Told is the error as a sentence.
func (e *TypeError) Told() prose.Text {
	if e.Path == "" {
		return prose.New("the body must be %s, not %s", e.Want, e.Got)
	}
	return prose.New("%s must be %s, not %s", e.Path, e.Want, e.Got)
}

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

func (r *Reader) space() {
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

// skipValue moves behind the value at pos, checking its syntax.
func (r *Reader) skipValue() {
	if r.pos >= len(r.data) {
		r.syntax("a value is missing")
		return
	}
	switch c := r.data[r.pos]; c {
	case '"':
		start := r.pos + 1
		if r.outline {
			r.passString()
		} else {
			r.skipString()
		}
		if r.strings != nil && r.err == nil {
			r.strings(r.data[start : r.pos-1])
		}
	case '{', '[':
		if r.checked {
			r.passNested()
			return
		}
		r.checked = r.outline // as strings go: containers are looked at
		r.skipNested()
		r.checked = false
	case 't':
		r.literal("true")
	case 'f':
		r.literal("false")
	case 'n':
		r.literal("null")
	default:
		if c == '-' || c-'0' <= 9 {
			r.number()
			return
		}
		r.syntax("unexpected %q", c)
	}
}

func (r *Reader) literal(word string) {
	if len(r.data)-r.pos < len(word) || string(r.data[r.pos:r.pos+len(word)]) != word {
		r.syntax("expected %s", word)
		return
	}
	r.pos += len(word)
}

func (r *Reader) number() {
	d, i := r.data, r.pos
	if d[i] == '-' {
		i++
	}
	digits := func() bool {
		start := i
		for i < len(d) && d[i]-'0' <= 9 {
			i++
		}
		return i > start
	}
	first := i
	ok := digits()
	if ok && d[first] == '0' && i-first > 1 {
		ok = false
	}
	if ok && i < len(d) && d[i] == '.' {
		i++
		ok = digits()
	}
	if ok && i < len(d) && d[i]|0x20 == 'e' {
		i++
		if i < len(d) && (d[i] == '+' || d[i] == '-') {
			i++
		}
		ok = digits()
	}
	r.pos = i
	if !ok {
		r.syntax("a number is malformed")
	}
}

// skipNested moves behind an object or array without recursion.
func (r *Reader) skipNested() {
	var local [64]byte
	stack := local[:0]
	d := r.data
	expectValue := true // the next token is a value; otherwise it is ',' or a closer
	for {
		r.space()
		if r.pos >= len(d) {
			r.syntax("an object or array is not closed")
			return
		}
		c := d[r.pos]
		if !expectValue {
			top := stack[len(stack)-1]
			switch {
			case c == ',':
				r.pos++
				r.space()
				if top == '{' && !r.skipKey() {
					return
				}
				expectValue = true
			case c == '}' && top == '{', c == ']' && top == '[':
				r.pos++
				stack = stack[:len(stack)-1]
				if len(stack) == 0 {
					return
				}
			default:
				r.syntax("expected ',' or the end of an object or array")
				return
			}
			continue
		}
		switch c {
		case '{', '[':
			if r.depth+len(stack) >= maxDepth {
				r.syntax("nested too deeply")
				return
			}
			stack = append(stack, c)
			r.pos++
			r.space()
			if r.pos < len(d) && (c == '{' && d[r.pos] == '}' || c == '[' && d[r.pos] == ']') {
				expectValue = false // the closer is handled there
				continue
			}
			if c == '{' && !r.skipKey() {
				return
			}
		default:
			r.skipValue()
			if r.err != nil {
				return
			}
			expectValue = false
		}
	}
}

func (r *Reader) skipKey() bool {
	if r.pos >= len(r.data) || r.data[r.pos] != '"' {
		r.syntax("expected a key in quotes")
		return false
	}
	r.skipString()
	if r.err != nil {
		return false
	}
	r.space()
	if r.pos >= len(r.data) || r.data[r.pos] != ':' {
		r.syntax("expected ':' after a key")
		return false
	}
	r.pos++
	return true
}

// passNested is skipNested where the syntax is known to be right: only the ends of strings
// and containers count.
func (r *Reader) passNested() {
	depth := 0
	for r.pos < len(r.data) {
		switch r.data[r.pos] {
		case '"':
			r.passString()
			if r.err != nil {
				return
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		if r.pos++; depth == 0 {
			return
		}
	}
	r.syntax("an object or array is not closed")
}

// passString is skipString where the syntax is known to be right, or does not matter.
func (r *Reader) passString() {
	d := r.data
	for i, quiet := r.pos+1, 0; ; {
		at := i
		switch {
		case quiet == nearWords || len(d)-i < 8:
			n := bytes.IndexByte(d[i:], '"')
			if n < 0 {
				r.syntax("a string is not closed")
				return
			}
			at += n
		default:
			w := le(d[i:i+8]) ^ ones*'"'
			m := (w - ones) &^ w & highs
			if m == 0 {
				i += 8
				quiet++
				continue
			}
			at += bits.TrailingZeros64(m) / 8
		}
		if d[at-1] != '\\' || !escapes(d[r.pos:at]) {
			r.pos = at + 1
			return
		}
		i, quiet = at+1, 0
	}
}

// nearWords is in how many words the end of a string is looked for before it is searched by
// what is faster once it has begun.
const nearWords = 4

// escapes tells whether the bytes of a string end in a backslash that escapes what follows.
func escapes(b []byte) bool {
	n := len(b)
	for n > 0 && b[n-1] == '\\' {
		n--
	}
	return (len(b)-n)%2 == 1
}

// skipString moves behind the string at pos and tells whether it holds escapes; in a text
// that is checked already it does not tell.
func (r *Reader) skipString() (escaped bool) {
	if r.checked {
		r.passString()
		return false
	}
	d := r.data
	i, quiet := r.pos+1, 0
	for len(d)-i >= 8 {
		m := special(le(d[i : i+8]))
		if m == 0 {
			i += 8
			if quiet++; quiet == quietWords {
				i += quietRun(d[i:])
				quiet = 0
			}
			continue
		}
		word := i
		i, quiet = i+8, 0
		for m != 0 { // the bytes of this word that are special and not escaped
			at := word + bits.TrailingZeros64(m)/8
			if d[at] == '"' {
				r.pos = at + 1
				return escaped
			}
			n := 2
			if d[at] != '\\' || at+1 >= len(d) || !shortEscape[d[at+1]] {
				if n = r.skipEscape(at); n == 0 {
					return escaped
				}
			}
			escaped = true
			if at+n >= word+8 {
				i = at + n
				break
			}
			m &= ^uint64(0) << (8 * (at + n - word))
		}
	}
	return r.skipStringEnd(i) || escaped
}

// skipStringEnd is skipString for the last bytes of the document, from byte i on.
func (r *Reader) skipStringEnd(i int) (escaped bool) {
	for d := r.data; i < len(d); {
		switch c := d[i]; {
		case c == '"':
			r.pos = i + 1
			return escaped
		case c == '\\' || c < 0x20:
			n := r.skipEscape(i)
			if n == 0 {
				return escaped
			}
			i += n
			escaped = true
		default:
			i++
		}
	}
	r.syntax("a string is not closed")
	return escaped
}

// skipEscape is the length of the escape at byte i. It fails, with 0, where there is a
// control character instead, or a malformed escape.
func (r *Reader) skipEscape(i int) int {
	if r.data[i] != '\\' {
		r.pos = i
		r.syntax("a string holds an unescaped control character")
		return 0
	}
	n := escapeLen(r.data[i:])
	if n == 0 {
		r.pos = i
		r.syntax("a string holds an invalid escape")
	}
	return n
}

// shortEscape are the letters of the escapes of two bytes.
var shortEscape = [256]bool{'"': true, '\\': true, '/': true, 'b': true, 'f': true, 'n': true, 'r': true, 't': true}

// escapeLen is the length of the escape at the start of b, 0 when it is malformed.
func escapeLen(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch {
	case shortEscape[b[1]]:
		return 2
	case b[1] == 'u' && len(b) >= 6 && hex4(b[2:6]) >= 0:
		return 6
	default:
		return 0
	}
}

// ErrNotObject is returned by the functions that look into objects only.
var ErrNotObject = errors.New("not a JSON object")
