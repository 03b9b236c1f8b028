package rawjson

// Template is a document of which nothing varies but the content of one string, as the steps
// of a stream mostly are: they differ in their text alone. What looks like one that was read
// before need not be read again. The zero Template matches nothing.
type Template struct {
	head, tail []byte // around the content, with its quotes
	misses     int    // documents in a row that were learned in vain
}

// maxMisses is how many documents in a row are learned before it is given up: of some streams
// each step has a number or a filling of its own.
const maxMisses = 8

// Learn makes t match what is like data but for the content of a string. data must be valid,
// and text a span of it that a Reader has returned.
func (t *Template) Learn(data []byte, text Escaped) {
	if t.misses == maxMisses {
		return
	}
	t.misses++
	if at := offset(data, text); at > 0 {
		t.head = append(t.head[:0], data[:at]...)
		t.tail = append(t.tail[:0], data[at+len(text):]...)
	}
}

// offset is where in data the memory of text begins, -1 when it is elsewhere.
func offset(data []byte, text Escaped) int {
	if len(text) == 0 {
		return -1
	}
	for i := 0; i+len(text) <= len(data); i++ {
		if &data[i] == &text[0] {
			return i
		}
	}
	return -1
}

// Match is the content of the string that varies, when data is otherwise as what was learned,
// byte for byte. Then it is valid, and says the same.
func (t *Template) Match(data []byte) (text Escaped, ok bool) {
	n := len(t.head)
	if n == 0 || len(data) < n || string(data[:n]) != string(t.head) {
		return nil, false
	}
	r := Reader{data: data, pos: n - 1}
	r.skipString()
	if r.err != nil || string(data[r.pos-1:]) != string(t.tail) {
		return nil, false
	}
	t.misses = 0
	return Escaped(data[n : r.pos-1 : r.pos-1]), true
}
