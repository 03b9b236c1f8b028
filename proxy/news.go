package proxy

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"apex-ai-proxy/proxy/convert/ir"
)

// Bounds of news, in bytes.
const (
	maxMark   = 24      // no mark is as long
	maxSilent = 2 << 10 // longer lines are not kept
)

// news tells whether any line of b tells something. Most lines of a stream differ from the one
// before in a word or two: only these are looked at, as in the rest a mark would have been found
// before.
func (o *observer) news(b []byte) bool {
	for len(b) > 0 {
		line := b
		if end := bytes.IndexByte(b, '\n'); end >= 0 {
			line = b[:end+1]
		}
		b = b[len(line):]
		if len(line) < maxMark/4 {
			continue // there is no room for a mark
		}
		from, to := differ(line, o.silent)
		if to-from < len(line)/2 {
			if o.tells(line[from:to]) {
				return true
			}
			continue
		}
		if o.tells(line) {
			return true
		}
		if len(line) <= maxSilent {
			o.silent = append(o.silent[:0], line...)
		}
	}
	return false
}

// differ is the part of a line that is not as in another one, with as much around it as a mark
// and its value take that begin or end in it.
func differ(line, other []byte) (from, to int) {
	from = commonStart(line, other)
	to = len(line) - commonEnd(line[from:], other[from:])
	for from > 0 && between(line[from-1]) {
		from--
	}
	to = min(to+maxMark, len(line))
	for to < len(line) && between(line[to-1]) {
		to++
	}
	return max(from-maxMark, 0), to
}

// between tells whether a byte may stand between a name and its value.
func between(c byte) bool { return c == ':' || c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// commonStart is how many bytes a and b begin with that are the same.
func commonStart(a, b []byte) int {
	n, i := min(len(a), len(b)), 0
	for ; i+8 <= n; i += 8 {
		if x := binary.LittleEndian.Uint64(a[i:]) ^ binary.LittleEndian.Uint64(b[i:]); x != 0 {
			return i + bits.TrailingZeros64(x)/8
		}
	}
	for i < n && a[i] == b[i] {
		i++
	}
	return i
}

// commonEnd is how many bytes a and b end with that are the same.
func commonEnd(a, b []byte) int {
	n, i := min(len(a), len(b)), 0
	for ; i+8 <= n; i += 8 {
		if x := binary.LittleEndian.Uint64(a[len(a)-i-8:]) ^ binary.LittleEndian.Uint64(b[len(b)-i-8:]); x != 0 {
			return i + bits.LeadingZeros64(x)/8
		}
	}
	for i < n && a[len(a)-1-i] == b[len(b)-1-i] {
		i++
	}
	return i
}

// tells is a quick test that every frame passes that holds what is looked for. Most frames
// do not, and are never parsed.
func (o *observer) tells(b []byte) bool {
	if markError.index(b) >= 0 || hasValue(b, markUsage, '{') {
		return true
	}
	switch o.proto {
	case ir.AnthropicMessages:
		return markStop.index(b) >= 0 || hasValue(b, markReason, '"')
	case ir.OpenAIResponses:
		for _, m := range markFinals {
			if m.index(b) >= 0 {
				return true
			}
		}
		return false
	default:
		return markDone.index(b) >= 0 || hasValue(b, markFinish, '"')
	}
}
