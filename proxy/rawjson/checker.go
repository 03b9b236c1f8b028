package rawjson

// Checker checks the syntax of one JSON value that arrives in pieces. The zero Checker
// is ready for use.
type Checker struct {
	// Complete tells that the value has ended; only white space may follow. A number
	// at the top level is never complete.
	Complete bool
	// Bad tells that what came so far cannot become valid JSON.
	Bad bool
	// First is the first byte of the value, 0 before it.
	First byte

	state checkState
	stack []byte
	token []byte // a number or literal so far
	hex   int    // digits of \uXXXX still to come
}

// maxToken bounds a number; longer ones are taken for garbage.
const maxToken = 4096

type checkState uint8

const (
	wantValue checkState = iota
	wantValueOrEnd
	wantKey
	wantKeyOrEnd
	wantColon
	wantComma
	inString
	inKey
	inToken
)

// Feed takes the next bytes of the value's text.
func (c *Checker) Feed(text []byte) {
	for _, b := range text {
		c.Byte(b)
	}
}

// Byte takes the next byte.
func (c *Checker) Byte(b byte) {
	if c.Bad {
		return
	}
	switch c.state {
	case inString, inKey:
		c.inString(b)
		return
	case inToken:
		if isTokenByte(b) {
			if c.token = append(c.token, b); len(c.token) > maxToken {
				c.Bad = true
			}
			return
		}
		if c.Bad = Valid(c.token) != nil; c.Bad {
			return
		}
		c.valueEnd()
	default:
	}
	if b == ' ' || b == '\n' || b == '\r' || b == '\t' {
		return
	}
	if c.First == 0 {
		c.First = b
	}
	if c.Complete {
		c.Bad = true
		return
	}
	c.structure(b)
}

func isTokenByte(b byte) bool {
	return b-'0' <= 9 || b|0x20 >= 'a' && b|0x20 <= 'z' || b == '-' || b == '+' || b == '.'
}

func (c *Checker) inString(b byte) {
	switch {
	case c.hex > 0:
		c.hex--
		c.Bad = b-'0' > 9 && (b|0x20 < 'a' || b|0x20 > 'f')
	case len(c.token) == 1: // behind a backslash
		c.token = c.token[:0]
		switch b {
		case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		case 'u':
			c.hex = 4
		default:
			c.Bad = true
		}
	case b == '\\':
		c.token = append(c.token[:0], b)
	case b == '"':
		if c.state == inKey {
			c.state = wantColon
		} else {
			c.valueEnd()
		}
	default:
		c.Bad = b < 0x20
	}
}

// structure takes a byte outside of strings, numbers and literals.
func (c *Checker) structure(b byte) {
	switch c.state {
	case wantKey, wantKeyOrEnd:
		switch {
		case b == '"':
			c.state, c.token = inKey, c.token[:0]
		case b == '}' && c.state == wantKeyOrEnd:
			c.pop()
		default:
			c.Bad = true
		}
	case wantColon:
		c.Bad = b != ':'
		c.state = wantValue
	case wantComma:
		top := c.stack[len(c.stack)-1]
		switch {
		case b == ',' && top == '{':
			c.state = wantKey
		case b == ',':
			c.state = wantValue
		case b == '}' && top == '{', b == ']' && top == '[':
			c.pop()
		default:
			c.Bad = true
		}
	default:
		c.valueStart(b)
	}
}

func (c *Checker) valueStart(b byte) {
	switch {
	case b == '{' || b == '[':
		if len(c.stack) >= maxDepth {
			c.Bad = true
			return
		}
		c.stack = append(c.stack, b)
		c.state = wantKeyOrEnd
		if b == '[' {
			c.state = wantValueOrEnd
		}
	case b == ']' && c.state == wantValueOrEnd:
		c.pop()
	case b == '"':
		c.state, c.token = inString, c.token[:0]
	case isTokenByte(b) && b != '+' && b != '.':
		c.state = inToken
		c.token = append(c.token[:0], b)
	default:
		c.Bad = true
	}
}

func (c *Checker) pop() {
	c.stack = c.stack[:len(c.stack)-1]
	c.valueEnd()
}

func (c *Checker) valueEnd() {
	c.token = c.token[:0]
	c.state = wantComma
	c.Complete = len(c.stack) == 0
}

// InString tells whether the next byte belongs to a string.
func (c *Checker) InString() bool { return c.state == inString || c.state == inKey }
