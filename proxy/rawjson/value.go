package rawjson

import (
	"bytes"
	"strconv"
)

// Value is the text of one JSON value, without space around it. nil is an absent value.
type Value []byte

// Kind tells what the value is.
func (v Value) Kind() Kind {
	if len(v) == 0 {
		return Absent
	}
	return kindOf(v[0])
}

// Present tells whether there is a value and it is not null.
func (v Value) Present() bool { return len(v) > 0 && v[0] != 'n' }

// Text is the inside of a string value; absent for every other kind.
func (v Value) Text() Escaped {
	if v.Kind() != String || len(v) < 2 {
		return nil
	}
	return Escaped(v[1 : len(v)-1 : len(v)-1])
}

// Str is the text of a string value with its escapes resolved, "" for other kinds.
func (v Value) Str() string { return v.Text().String() }

// True tells whether the value is true.
func (v Value) True() bool { return len(v) == 4 && v[0] == 't' }

// Int is the number as an integer. 1e3 and 12.0 are whole, 1.5 is not.
func (v Value) Int() (int64, bool) {
	if n, err := strconv.ParseInt(string(v), 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(string(v), 64)
	if err != nil || f != float64(int64(f)) {
		return 0, false
	}
	return int64(f), true
}

// Float is the number as a float64, for comparing it only: numbers are passed on as text.
func (v Value) Float() float64 {
	f, err := strconv.ParseFloat(string(v), 64)
	if err != nil {
		return 0
	}
	return f
}

// First is the first element of an array that a Reader has returned, absent when there is
// none.
func (v Value) First() Value {
	if v.Kind() != Array {
		return nil
	}
	r := Within(v[1:])
	if r.Kind() == Absent {
		return nil
	}
	return r.Value()
}

// Get is the member of an object with the given key, absent when there is none. Of
// duplicate keys the last one counts, as in every common JSON parser.
func (v Value) Get(key string) Value {
	if v.Kind() != Object {
		return nil
	}
	var found Value
	r := NewReader(v)
	r.Outline()
	r.Object(func(k []byte) {
		if string(k) == key {
			found = r.Value()
		}
	})
	if r.Err() != nil {
		return nil
	}
	return found
}

// Valid checks that data is exactly one JSON value.
func Valid(data []byte) error {
	r := NewReader(data)
	r.Value()
	return r.Close()
}

// AppendCompact appends v without insignificant space. v must be valid.
func AppendCompact(dst []byte, v Value) []byte {
	start := 0
	for i := 0; i < len(v); {
		switch v[i] {
		case '"':
			i++
			for i < len(v) {
				i += plain(v[i:])
				if i >= len(v) || v[i] == '"' {
					break
				}
				i += 2
			}
			i++
		case ' ', '\t', '\n', '\r':
			dst = append(dst, v[start:i]...)
			for i < len(v) && (v[i] == ' ' || v[i] == '\t' || v[i] == '\n' || v[i] == '\r') {
				i++
			}
			start = i
		default:
			i++
		}
	}
	return append(dst, v[min(start, len(v)):]...)
}

// Empty tells whether the value is an object or array without members, or absent, or null.
func (v Value) Empty() bool {
	switch v.Kind() {
	case Absent, Null:
		return true
	case Object, Array:
		return len(bytes.TrimSpace(v[1:len(v)-1])) == 0
	default:
		return false
	}
}

// Span is a piece of a document, from byte Start up to byte End.
type Span struct{ Start, End int }

// Splice replaces a span of doc and copies everything else as it is.
func Splice(doc []byte, at Span, with []byte) []byte {
	out := make([]byte, 0, len(doc)-(at.End-at.Start)+len(with))
	out = append(out, doc[:at.Start]...)
	out = append(out, with...)
	return append(out, doc[at.End:]...)
}

// Members is Each for an object that a Reader has returned: it is not checked again.
func (v Value) Members(f func(key []byte, value Value)) {
	if v.Kind() != Object {
		return
	}
	r := Within(v)
	r.Object(func(k []byte) { f(k, r.Value()) })
}

// Each calls f for the members of an object, in one pass. It does nothing for other kinds.
func (v Value) Each(f func(key []byte, value Value)) {
	if v.Kind() != Object {
		return
	}
	r := NewReader(v)
	r.Object(func(k []byte) { f(k, r.Value()) })
}
