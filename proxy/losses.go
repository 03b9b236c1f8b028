package proxy

import (
	"fmt"
	"strings"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/proxy/prose"
)

// warnings reports what a conversion could not carry over, in the answer's headers and
// in the record.
func (x *exchange) warnings(losses ir.Losses) {
	x.recordLosses(losses)
	x.tellLosses(losses)
}

// recordLosses keeps the losses for the record.
func (x *exchange) recordLosses(losses ir.Losses) {
	for _, l := range losses {
		switch n := len(x.rec.Warnings); {
		case n > maxRecordedLost:
			return
		case n == maxRecordedLost:
			l = lostMore
		}
		why := l.Why.Map(func(s string) string { return brief(s, maxRecorded) })
		x.rec.Warnings = append(x.rec.Warnings, event.Warning{Code: l.Code, Path: brief(l.Path, maxRecorded), Why: why.String(), Text: why})
	}
}

var lostMore = ir.Loss{Code: "more", Why: prose.New("more could not be carried over than is listed here")}

// tellLosses puts the losses into the header of the answer.
func (x *exchange) tellLosses(losses ir.Losses) {
	if len(losses) == 0 {
		return
	}
	var b strings.Builder
	for i, l := range losses {
		item := token(l.Code)
		if l.Path != "" {
			item += ";path=" + token(l.Path)
		}
		if i > 0 {
			item = ", " + item
		}
		if b.Len()+len(item) > maxWarnings {
			fmt.Fprintf(&b, ", ...;more=%d", len(losses)-i)
			break
		}
		b.WriteString(item)
	}
	x.w.Header()["X-Conversion-Warnings"] = []string{b.String()}
}

// maxWarnings bounds the header, which some clients read into a small buffer.
const maxWarnings = 2 << 10

// token makes a text fit for a header.
func token(s string) string {
	return strings.Map(func(r rune) rune {
		if r <= 0x20 || r > 0x7e || r == ',' || r == ';' {
			return '_'
		}
		return r
	}, s)
}
