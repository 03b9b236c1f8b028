package rawjson

import "math/bits"

// skipValue moves behind the value at pos, checking its syntax.
func (r *Reader) skipValue() {
	if r.pos >= len(r.data) {
		r.syntax("a value is missing")
		return
	}
	switch c := r.data[r.pos]; c {
	case '"':
		r.skipText()
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

// skipText moves behind a string that is a value.
func (r *Reader) skipText() {
	start := r.pos + 1
	if r.outline {
		r.passString()
	} else {
		r.skipString()
	}
	if r.strings != nil && r.err == nil {
		r.strings(r.data[start : r.pos-1])
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
	for d := r.data; r.pos < len(d); {
		switch c := d[r.pos]; c {
		case '{', '[':
			if r.depth+len(stack) >= maxDepth {
				r.syntax("nested too deeply")
				return
			}
			stack = append(stack, c)
			r.pos++
			r.space()
			if r.pos < len(d) && d[r.pos] == closer(c) {
				break // it is handled below
			}
			if c == '{' && !r.skipKey() {
				return
			}
			r.space()
			continue
		case '"':
			r.skipText()
		default:
			r.skipValue()
		}
		if stack = r.skipClosers(stack); len(stack) == 0 {
			return
		}
		if stack[len(stack)-1] == '{' && !r.skipKey() {
			return
		}
		r.space()
	}
	r.syntax("an object or array is not closed")
}

// closer ends what c opens.
func closer(c byte) byte { return c + ('}' - '{') } // as for brackets

// skipClosers moves from behind a value to behind the comma that follows, and over what is
// closed in between, which it takes from the stack. Nothing is left on that at the end, or
// after an error.
func (r *Reader) skipClosers(stack []byte) []byte {
	for d := r.data; r.err == nil && len(stack) > 0; {
		r.space()
		if r.pos >= len(d) {
			r.syntax("an object or array is not closed")
			return nil
		}
		switch d[r.pos] {
		case ',':
			r.pos++
			r.space()
			return stack
		case closer(stack[len(stack)-1]):
			r.pos++
			stack = stack[:len(stack)-1]
		default:
			r.syntax("expected ',' or the end of an object or array")
		}
	}
	return nil
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
			if at = r.quote(i); at < 0 {
				r.syntax("a string is not closed")
				return
			}
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
			switch {
			case d[at] == '\\' && at+1 < len(d) && shortEscape[d[at+1]]:
			case len(d)-at >= 6 && longEscape(d[at:]):
				n = 6
			default:
				r.skipEscape(at)
				return escaped
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

// hexDigit are the digits of the escapes of six bytes.
var hexDigit = [256]bool{
	'0': true, '1': true, '2': true, '3': true, '4': true, '5': true, '6': true, '7': true, '8': true, '9': true,
	'a': true, 'b': true, 'c': true, 'd': true, 'e': true, 'f': true,
	'A': true, 'B': true, 'C': true, 'D': true, 'E': true, 'F': true,
}

// longEscape tells whether the first six bytes of b are an escape.
func longEscape(b []byte) bool {
	b = b[:6]
	return b[0] == '\\' && b[1] == 'u' && hexDigit[b[2]] && hexDigit[b[3]] && hexDigit[b[4]] && hexDigit[b[5]]
}

// escapeLen is the length of the escape at the start of b, 0 when it is malformed.
func escapeLen(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch {
	case shortEscape[b[1]]:
		return 2
	case len(b) >= 6 && longEscape(b):
		return 6
	default:
		return 0
	}
}
