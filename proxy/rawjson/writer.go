package rawjson

import "strconv"

// Writer appends JSON to a buffer. It puts commas where they belong by looking at the
// last byte, so pieces of raw JSON may be appended to the buffer in between. It checks
// nothing else: callers write well-formed documents.
type Writer struct{ Buf []byte }

// comma separates from a previous member or element.
func (w *Writer) comma() {
	if n := len(w.Buf); n > 0 {
		switch w.Buf[n-1] {
		case '{', '[', ':', ',', ' ', '\n':
		default:
			w.Buf = append(w.Buf, ',')
		}
	}
}

// Open begins an object ('{') or array ('[') as the next element or after a key.
func (w *Writer) Open(c byte) {
	w.comma()
	w.Buf = append(w.Buf, c)
}

// Close ends what Open began ('}' or ']').
func (w *Writer) Close(c byte) { w.Buf = append(w.Buf, c) }

// Key writes a member's key, which must need no escapes.
func (w *Writer) Key(key string) {
	w.comma()
	w.Buf = append(w.Buf, '"')
	w.Buf = append(w.Buf, key...)
	w.Buf = append(w.Buf, '"', ':')
}

// OpenKey begins an object or array as the value of a key.
func (w *Writer) OpenKey(key string, c byte) {
	w.Key(key)
	w.Buf = append(w.Buf, c)
}

// Str writes a member with a string value.
func (w *Writer) Str(key, value string) {
	w.Key(key)
	w.Buf = AppendQuote(w.Buf, value)
}

// Text writes a member with text that is escaped already.
func (w *Writer) Text(key string, value Escaped) {
	w.Key(key)
	w.Buf = AppendText(w.Buf, value)
}

// Raw writes a member with a value as it is.
func (w *Writer) Raw(key string, value Value) {
	w.Key(key)
	w.Buf = append(w.Buf, value...)
}

// RawIf writes the member unless the value is absent or null.
func (w *Writer) RawIf(key string, value Value) {
	if value.Present() {
		w.Raw(key, value)
	}
}

// TextIf writes the member unless the text is absent.
func (w *Writer) TextIf(key string, value Escaped) {
	if value != nil {
		w.Text(key, value)
	}
}

// Int writes a member with a whole number.
func (w *Writer) Int(key string, value int64) {
	w.Key(key)
	w.Buf = strconv.AppendInt(w.Buf, value, 10)
}

// Bool writes a member with true or false.
func (w *Writer) Bool(key string, value bool) {
	w.Key(key)
	w.Buf = strconv.AppendBool(w.Buf, value)
}

// Null writes a member with null.
func (w *Writer) Null(key string) {
	w.Key(key)
	w.Buf = append(w.Buf, "null"...)
}

// Element writes a value as the next element of an array.
func (w *Writer) Element(value Value) {
	w.comma()
	w.Buf = append(w.Buf, value...)
}

// ElementText writes escaped text as the next element of an array.
func (w *Writer) ElementText(value Escaped) {
	w.comma()
	w.Buf = AppendText(w.Buf, value)
}

// KeyText writes a member's key that may need escapes.
func (w *Writer) KeyText(key string) {
	w.comma()
	w.Buf = AppendQuote(w.Buf, key)
	w.Buf = append(w.Buf, ':')
}

// Member writes a member whose key may need escapes, unless its value is absent or null.
func (w *Writer) Member(key string, value Value) {
	if value.Present() {
		w.KeyText(key)
		w.Buf = append(w.Buf, value...)
	}
}
