package app

import "strings"

// tailSize is how much of what was printed last is kept, in bytes: what fits into a box.
const tailSize = 2 << 10

// tail keeps the end of what is written to it.
type tail struct {
	text []byte
	cut  bool
}

// Write implements io.Writer.
func (t *tail) Write(b []byte) (int, error) {
	t.text = append(t.text, b...)
	if n := len(t.text) - tailSize; n > 0 {
		t.text, t.cut = append(t.text[:0], t.text[n:]...), true
	}
	return len(b), nil
}

// String is what was kept, in whole lines.
func (t *tail) String() string {
	text := string(t.text)
	if t.cut {
		_, text, _ = strings.Cut(text, "\n")
	}
	return strings.TrimSpace(strings.ToValidUTF8(text, "?"))
}

// showsErrors tells whether an exit code means that the program could not do what it was
// started for. Requests that were cut at its end are no news.
func showsErrors(code int) bool { return code != exitOK && code != exitCut }
