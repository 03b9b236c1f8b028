package rawjson

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// Escaped is the inside of a JSON string literal: the bytes between its quotes, still
// escaped. nil stands for a string that is absent; an empty string is not nil.
type Escaped []byte

// plain counts the bytes at the start of b that a string literal may hold as they
// are: everything but quotes, backslashes and control characters.
func plain(b []byte) int {
	i, quiet := 0, 0
	for len(b)-i >= 8 {
		if m := special(le(b[i : i+8])); m != 0 {
			return i + bits.TrailingZeros64(m)/8
		}
		i += 8
		if quiet++; quiet == quietWords {
			i += quietRun(b[i:])
			quiet = 0
		}
	}
	for i < len(b) && b[i] != '"' && b[i] != '\\' && b[i] >= 0x20 {
		i++
	}
	return i
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

func le(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }

// special has the high bit set of every byte of w that is a quote, a backslash or a
// control character. Without the high bits of w no addition carries into the next byte.
func special(w uint64) uint64 {
	low := w &^ highs
	quote := (low ^ ones*'"') + (highs - ones) // the high bit is set where it is none
	slash := (low ^ ones*'\\') + (highs - ones)
	other := low + ones*(0x80-0x20)
	return highs &^ (quote&slash&other | w)
}

// suspect has some high bit set when w holds what special looks for, a space or certain
// bytes that are no ASCII: a question that costs half of the other, and whose answer is no
// all through an image.
func suspect(w uint64) uint64 { return (w - ones*'#') | ((w ^ ones*'\\') - ones) }

// quietWords is after how many words without anything special a long text may be expected.
const quietWords = 8

// quietRun counts bytes at the start of b that are plain, some at once: as long as it lasts.
func quietRun(b []byte) int {
	i := 0
	for ; len(b)-i >= 64; i += 64 {
		w := b[i : i+64 : i+64]
		if (suspect(le(w[0:8]))|suspect(le(w[8:16]))|suspect(le(w[16:24]))|suspect(le(w[24:32]))|
			suspect(le(w[32:40]))|suspect(le(w[40:48]))|suspect(le(w[48:56]))|suspect(le(w[56:64])))&highs != 0 {
			break
		}
	}
	for ; len(b)-i >= 32; i += 32 {
		w := b[i : i+32 : i+32]
		if special(le(w[0:8]))|special(le(w[8:16]))|special(le(w[16:24]))|special(le(w[24:32])) != 0 {
			break
		}
	}
	return i
}

// Escape returns s as the inside of a string literal.
func Escape(s string) Escaped { return AppendEscape(make([]byte, 0, len(s)), s) }

const hexDigits = "0123456789abcdef"

// AppendEscape appends s, escaped for the inside of a string literal: quotes,
// backslashes and control characters only, so that text stays readable and short.
// Bytes that are not UTF-8 become U+FFFD.
func AppendEscape[S string | []byte](dst []byte, s S) []byte {
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
			if r != utf8.RuneError || n > 1 {
				i += n
				continue
			}
			dst = append(dst, s[start:i]...)
			dst = append(dst, "\uFFFD"...)
			i += n
			start = i
			continue
		}
		dst = append(dst, s[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	return append(dst, s[start:]...)
}

// AppendQuote appends s as a string literal, quotes included.
func AppendQuote[S string | []byte](dst []byte, s S) []byte {
	dst = append(dst, '"')
	dst = AppendEscape(dst, s)
	return append(dst, '"')
}

// AppendText appends e as a string literal, quotes included.
func AppendText(dst []byte, e Escaped) []byte {
	dst = append(dst, '"')
	dst = append(dst, e...)
	return append(dst, '"')
}

// String is the text with its escapes resolved.
func (e Escaped) String() string {
	if plain(e) == len(e) {
		return string(e)
	}
	return string(e.Append(make([]byte, 0, len(e))))
}

// Append appends the text with its escapes resolved. A surrogate half without its
// partner becomes U+FFFD.
func (e Escaped) Append(dst []byte) []byte {
	for i := 0; i < len(e); {
		n := plain(e[i:])
		dst = append(dst, e[i:i+n]...)
		i += n
		if i >= len(e) {
			break
		}
		if e[i] != '\\' || escapeLen(e[i:]) == 0 { // not from a checked document: keep it
			dst = append(dst, e[i])
			i++
			continue
		}
		switch c := e[i+1]; c {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r := rune(hex4(e[i+2 : i+6]))
			i += 6
			if utf16.IsSurrogate(r) {
				pair := utf8.RuneError
				if i < len(e) && e[i] == '\\' && escapeLen(e[i:]) == 6 {
					pair = utf16.DecodeRune(r, rune(hex4(e[i+2:i+6])))
				}
				if pair != utf8.RuneError {
					i += 6
				}
				r = pair
			}
			dst = utf8.AppendRune(dst, r)
			continue
		default:
			dst = append(dst, c)
		}
		i += 2
	}
	return dst
}

// Is tells whether the text is s.
func (e Escaped) Is(s string) bool {
	if plain(e) == len(e) {
		return string(e) == s
	}
	return e.String() == s
}

// Blank tells whether the text holds nothing but white space, or nothing.
func (e Escaped) Blank() bool {
	for i := 0; i < len(e); i++ {
		switch e[i] {
		case ' ':
		case '\\':
			if i+1 >= len(e) || e[i+1] != 'n' && e[i+1] != 'r' && e[i+1] != 't' {
				return false
			}
			i++
		default:
			return false
		}
	}
	return true
}

// CutHighSurrogate splits a trailing \uD8xx..\uDBxx escape off the text: the half of a
// character whose other half is still to come.
func (e Escaped) CutHighSurrogate() (text, half Escaped) {
	n := len(e)
	if n < 6 || e[n-6] != '\\' || e[n-5] != 'u' {
		return e, nil
	}
	slashes := 0
	for i := n - 7; i >= 0 && e[i] == '\\'; i-- {
		slashes++
	}
	if c := hex4(e[n-4:]); slashes%2 == 1 || c < 0xD800 || c > 0xDBFF {
		return e, nil
	}
	return e[:n-6], e[n-6:]
}

// LowSurrogateFirst tells whether the text begins with the second half of a character.
func (e Escaped) LowSurrogateFirst() bool {
	if len(e) < 6 || e[0] != '\\' || e[1] != 'u' {
		return false
	}
	c := hex4(e[2:])
	return c >= 0xDC00 && c <= 0xDFFF
}

// Runes counts the characters (code points) of the text.
func (e Escaped) Runes() int {
	if bytes.IndexByte(e, '\\') < 0 {
		return utf8.RuneCount(e)
	}
	return utf8.RuneCount(e.Append(nil))
}

func hex4(b []byte) int {
	n := 0
	for _, c := range b[:4] {
		switch {
		case c-'0' <= 9:
			n = n<<4 | int(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			n = n<<4 | int(c|0x20-'a'+10)
		default:
			return -1
		}
	}
	return n
}
