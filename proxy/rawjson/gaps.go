package rawjson

import "bytes"

// Gaps are the long stretches of a text that hold no quote, such as an image is. They are
// found while the text comes in, piece by piece: each piece is looked at while it is still in
// the processor's cache, which the start of a large text has left by the time it is read. A
// Reader that knows them passes over them. The zero Gaps is ready for use.
type Gaps struct {
	spans []Span
	size  int // of the text so far, in bytes
	from  int // where the stretch begins that goes on
}

const (
	smallestGap = 64 << 10 // bytes; what is shorter is looked at once more
	gapStep     = 4 << 10  // bytes in which the start of a gap is looked for, backwards
)

// Feed takes the next bytes of the text.
func (g *Gaps) Feed(text []byte) {
	end := bytes.IndexByte(text, '"')
	if end < 0 {
		g.size += len(text)
		return
	}
	if end += g.size; end-g.from >= smallestGap {
		g.spans = append(g.spans, Span{Start: g.from, End: end})
	}
	g.size += len(text)
	for g.from = g.size; len(text) >= gapStep; g.from -= gapStep {
		last := text[len(text)-gapStep:]
		if bytes.IndexByte(last, '"') >= 0 {
			break
		}
		text = text[:len(text)-gapStep]
	}
}

// Spans are the gaps behind which a quote has come, in order.
func (g *Gaps) Spans() []Span { return g.spans }

// Reset forgets the text and keeps the memory.
func (g *Gaps) Reset() { *g = Gaps{spans: g.spans[:0]} }

// PassOver tells the Reader spans of the document, in order, in which no quote stands.
func (r *Reader) PassOver(gaps []Span) { r.gaps = gaps }

// quote is the index of the first quote from byte i on, -1 when there is none.
func (r *Reader) quote(i int) int {
	for len(r.gaps) > 0 {
		gap := r.gaps[0]
		if i < gap.Start {
			if n := bytes.IndexByte(r.data[i:gap.Start], '"'); n >= 0 {
				return i + n
			}
		}
		i = max(i, gap.End)
		r.gaps = r.gaps[1:]
	}
	if n := bytes.IndexByte(r.data[i:], '"'); n >= 0 {
		return i + n
	}
	return -1
}
