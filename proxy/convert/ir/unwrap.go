package ir

import (
	"bytes"
	"unicode/utf8"

	"apex-ai-proxy/proxy/rawjson"
)

// unwrapper takes the free text out of the arguments of a wrapped custom call while they
// arrive: the value of the key "input", as far as it has come.
type unwrapper struct {
	args   []byte // the arguments so far
	next   int    // of args, not looked at yet
	inside bool   // of the text
	over   bool   // nothing more can be passed on before the end
	halves Halves
	sent   Sent
}

// feed is the text that the next piece of the arguments brings.
func (u *unwrapper) feed(piece rawjson.Escaped) rawjson.Escaped {
	u.args = piece.Append(u.args)
	if !u.inside && !u.over {
		u.enter()
	}
	if !u.inside {
		return nil
	}
	text := u.halves.Join(u.text())
	u.sent.Add(text)
	return text
}

// enter looks for the beginning of the text. Where another key comes first, the whole
// arguments must be known.
func (u *unwrapper) enter() {
	rest := u.args
	for _, token := range []string{"{", `"input"`, ":", `"`} {
		rest = bytes.TrimLeft(rest, " \t\r\n")
		if len(rest) < len(token) && bytes.HasPrefix([]byte(token), rest) {
			return
		}
		var found bool
		if rest, found = bytes.CutPrefix(rest, []byte(token)); !found {
			u.over = true
			return
		}
	}
	u.inside, u.next = true, len(u.args)-len(rest)
}

// text is the inside of the string up to its end, or to an escape or a character that has
// not come whole.
func (u *unwrapper) text() rawjson.Escaped {
	start := u.next
	for u.next < len(u.args) {
		rest := u.args[u.next:]
		switch c := rest[0]; {
		case c == '"', c < 0x20:
			u.inside, u.over = false, true
			return u.args[start:u.next]
		case c == '\\':
			n := escapeSize(rest)
			if n == 0 {
				return u.args[start:u.next]
			}
			if rawjson.Valid([]byte(`"`+string(rest[:n])+`"`)) != nil {
				u.inside, u.over = false, true
				return u.args[start:u.next]
			}
			u.next += n
		case c < utf8.RuneSelf:
			u.next++
		case !utf8.FullRune(rest):
			return u.args[start:u.next]
		default:
			_, n := utf8.DecodeRune(rest)
			u.next += n
		}
	}
	return u.args[start:u.next]
}

// escapeSize is the length of the escape that b begins with, 0 when it is not whole.
func escapeSize(b []byte) int {
	n := 2
	if len(b) > 1 && b[1] == 'u' {
		n = 6
	}
	if len(b) < n {
		return 0
	}
	return n
}

// close is the text that was not passed on yet. cut tells that the arguments are not whole.
func (u *unwrapper) close() (text rawjson.Escaped, cut bool) {
	args, bad := ArgsOf(u.args)
	if bad {
		return u.halves.Rest(), true
	}
	return u.sent.Missing(UnwrapInput(args)), false
}
