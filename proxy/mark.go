package proxy

import "bytes"

// mark is a byte string to look for. The search is for its tail, which starts with
// letters that are rarer in JSON than a quote, and is therefore much faster.
type mark struct{ head, tail []byte }

func markOf(head, tail string) mark { return mark{[]byte(head), []byte(tail)} }

var (
	markUsage  = markOf(`"`, `usage"`)
	markError  = markOf(`"e`, `rror"`)
	markFinish = markOf(`"fini`, `sh_reason"`)
	markReason = markOf(`"st`, `op_reason"`)
	markStop   = markOf(`"message`, `_stop"`)
	markDone   = markOf(`[D`, `ONE]`)
	markFinals = []mark{
		markOf(`"response`, `.completed"`), markOf(`"response`, `.incomplete"`), markOf(`"response`, `.failed"`),
	}
)

// index is where the mark starts in b, -1 when it is not there.
func (m mark) index(b []byte) int {
	for from := 0; ; {
		i := bytes.Index(b[from:], m.tail)
		if i < 0 {
			return -1
		}
		if at := from + i - len(m.head); at >= 0 && string(b[at:from+i]) == string(m.head) {
			return at
		}
		from += i + len(m.tail)
	}
}

func (m mark) len() int { return len(m.head) + len(m.tail) }

// behind finds a member by its quoted name and returns what follows its colon, and what
// follows its name; nil, nil when there is none.
func behind(b []byte, name mark) (value, rest []byte) {
	i := name.index(b)
	if i < 0 {
		return nil, nil
	}
	rest = b[i+name.len():]
	v := skipSpace(rest)
	if len(v) == 0 || v[0] != ':' {
		return nil, rest[:len(rest):len(rest)]
	}
	return skipSpace(v[1:]), rest
}

func skipSpace(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t' || b[0] == '\n' || b[0] == '\r') {
		b = b[1:]
	}
	return b
}

// hasValue tells whether a member of the name has a value that starts with c.
func hasValue(b []byte, name mark, c byte) bool {
	for {
		v, rest := behind(b, name)
		if rest == nil {
			return false
		}
		if len(v) > 0 && v[0] == c {
			return true
		}
		b = rest
	}
}
