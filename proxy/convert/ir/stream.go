package ir

import (
	"bytes"
	"unicode/utf8"

	"apex-ai-proxy/proxy/prose"
	"apex-ai-proxy/proxy/rawjson"
)

// Source is what a decoder of answers must know about the upstream and the request.
type Source struct {
	// LenientEOF: the upstream ends its streams without saying so.
	LenientEOF bool
	// OnlyTool is the one tool that the request offered, under the name the upstream
	// knows; "" when there were more, or none. A call without a name can mean no other.
	OnlyTool string
}

// ToolName is the name of a call: the upstream's, or that of the only tool there is.
func (s Source) ToolName(name string) (string, *Error) {
	if name == "" {
		name = s.OnlyTool
	}
	if name == "" {
		return "", &Error{Kind: BadGateway, Message: prose.New("the provider returned a tool call without a name")}
	}
	return name, nil
}

// SourceOf is the Source of an answer to req, which was sent as e.
func SourceOf(req *Request, e *Encoded, lenientEOF bool) Source {
	s := Source{LenientEOF: lenientEOF}
	if len(req.Tools) != 1 || req.Tools[0].Kind == BuiltinTool {
		return s
	}
	s.OnlyTool = req.Tools[0].Name
	for sent, own := range e.Names {
		if own == s.OnlyTool {
			s.OnlyTool = sent
			break
		}
	}
	return s
}

// ValidUTF8 is what an upstream sent, without bytes that are no text. Clients refuse them.
func ValidUTF8(data []byte) []byte {
	if utf8.Valid(data) {
		return data
	}
	return bytes.ToValidUTF8(data, replacement)
}

// Halves joins characters that the pieces of a text cut into two escapes. The zero Halves
// is ready for use.
type Halves struct{ half rawjson.Escaped }

var replacement = rawjson.Escaped("\uFFFD")

// Join is the next piece of the text, with the half that the last one ended in. The half
// that it ends in itself is kept.
func (h *Halves) Join(text rawjson.Escaped) rawjson.Escaped {
	if len(text) == 0 {
		return text
	}
	if h.half != nil {
		if !text.LowSurrogateFirst() {
			h.half = replacement
		}
		text = append(append(rawjson.Escaped{}, h.half...), text...)
		h.half = nil
	}
	text, half := text.CutHighSurrogate()
	if half != nil {
		h.half = append(rawjson.Escaped{}, half...)
	}
	return text
}

// Rest is what stands for a half whose other half never came, nil when there is none.
func (h *Halves) Rest() rawjson.Escaped {
	if h.half == nil {
		return nil
	}
	h.half = nil
	return replacement
}

// Sent remembers a text that was passed on in pieces, without keeping it, to tell what a
// later repetition of the whole has beyond it. The zero Sent is the empty text.
type Sent struct {
	bytes int
	sum   uint64
}

// Add takes the next piece.
func (s *Sent) Add(e rawjson.Escaped) {
	if bytes.IndexByte(e, '\\') < 0 {
		s.add(e)
		return
	}
	s.addEscaped(e)
}

func (s *Sent) addEscaped(e rawjson.Escaped) {
	var local [256]byte
	s.add(e.Append(local[:0]))
}

func (s *Sent) add(plain []byte) {
	const offset, prime = 14695981039346656037, 1099511628211 // FNV-1a
	if s.bytes == 0 {
		s.sum = offset
	}
	for _, c := range plain {
		s.sum = (s.sum ^ uint64(c)) * prime
	}
	s.bytes += len(plain)
}

// Missing is the end of whole that was not passed on; nothing when whole is another text.
func (s *Sent) Missing(whole rawjson.Escaped) rawjson.Escaped {
	if s.bytes == 0 {
		return whole
	}
	plain := whole.Append(nil)
	if len(plain) <= s.bytes {
		return nil
	}
	var same Sent
	if same.add(plain[:s.bytes]); same.sum != s.sum {
		return nil
	}
	return rawjson.Escape(string(plain[s.bytes:]))
}

// Link is a source on the web that a text cites. The span counts characters (code points)
// of the text's own part; an End of 0 stands for the whole part.
type Link struct {
	URL, Title rawjson.Escaped
	Start, End int
}

// Count reads a number of tokens. Nonsense counts as nothing, so that sums stay counts.
func Count(v rawjson.Value) int64 {
	const most = 1 << 50
	n, ok := v.Int()
	if !ok || n < 0 {
		return 0
	}
	return min(n, most)
}

// Fit makes the reason to stop agree with what the answer holds: many servers say "stop"
// although they called a tool, or the reverse.
func (s Stop) Fit(called, refused bool) Stop {
	switch s.Reason {
	case StopEnd, StopOther, StopSequence, StopPause:
		if called {
			s.Reason = StopTools
		} else if refused {
			s.Reason = StopRefusal
		}
	case StopTools:
		if !called {
			s.Reason = StopEnd
		}
	default:
	}
	return s
}
