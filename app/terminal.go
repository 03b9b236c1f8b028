package app

import (
	"io"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// terminal writes text with everything spelt out that a terminal would obey, or a person not
// see: some of it is what upstreams and files say.
type terminal struct{ w io.Writer }

// Write implements io.Writer. Each call must bring whole characters.
func (t terminal) Write(b []byte) (int, error) {
	var out []byte
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		if harmless(r, size) {
			if out != nil {
				out = append(out, b[i:i+size]...)
			}
		} else {
			if out == nil {
				out = append(make([]byte, 0, len(b)+16), b[:i]...)
			}
			q := strconv.Quote(string(b[i : i+size]))
			out = append(out, q[1:len(q)-1]...)
		}
		i += size
	}
	if out == nil {
		return t.w.Write(b)
	}
	if _, err := t.w.Write(out); err != nil {
		return 0, err
	}
	return len(b), nil
}

func harmless(r rune, size int) bool {
	return r == '\n' || r == '\t' || unicode.IsPrint(r) && (r != utf8.RuneError || size > 1)
}
