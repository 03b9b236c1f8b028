package rawjson_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"apex-ai-proxy/proxy/rawjson"
)

// long is longer than what a gap has to be.
var long = strings.Repeat("long text, ", 9000)

// inPieces feeds a text in pieces of random sizes.
func inPieces(text []byte, seed uint64) *rawjson.Gaps {
	var g rawjson.Gaps
	random := rand.New(rand.NewPCG(seed, 0))
	for len(text) > 0 {
		n := min(len(text), random.IntN(1<<random.IntN(18))+1)
		g.Feed(text[:n])
		text = text[n:]
	}
	return &g
}

// outline is what a Reader finds in the outline of a document.
func outline(doc []byte, gaps []rawjson.Span) []string {
	r := rawjson.NewReader(doc)
	r.Outline()
	r.PassOver(gaps)
	var watched []string
	r.WatchStrings(func(content []byte) { watched = append(watched, string(content)) })
	return append(parts(r), watched...)
}

// FuzzGaps: in however many pieces a text comes, a Reader that knows its gaps finds what one
// finds that does not. A ~ stands for a long text, to have gaps.
func FuzzGaps(f *testing.F) {
	for _, doc := range append(documents, broken...) {
		f.Add([]byte(doc), uint64(len(doc)))
	}
	for _, doc := range []string{
		`"~"`, `{"a":"~","b":"~"}`, `["~\"~\\","~"]`, `["~\\\"~"]`, `"~`, `~`, `["~",~"x"]`, `{"~":{"~":["~"]}}`, `["x"~,"y"]`, `~"~"~"~`, `["~\\\\",1]`,
	} {
		f.Add([]byte(doc), uint64(1))
	}
	f.Fuzz(func(t *testing.T, doc []byte, seed uint64) {
		if bytes.Count(doc, []byte("~")) > 8 {
			return
		}
		doc = bytes.ReplaceAll(doc, []byte("~"), []byte(long))
		gaps := inPieces(doc, seed).Spans()
		for i, g := range gaps {
			if g.Start >= g.End || i > 0 && g.Start < gaps[i-1].End || bytes.IndexByte(doc[g.Start:g.End], '"') >= 0 {
				t.Fatalf("no gap at %v, among %v", g, gaps)
			}
		}
		if got, want := outline(doc, gaps), outline(doc, nil); !slices.Equal(got, want) {
			t.Fatalf("with gaps at %v: %.200q\nwithout: %.200q", gaps, got, want)
		}
	})
}

// TestGapsAreFound: most of a long string is a gap, in whatever pieces it comes.
func TestGapsAreFound(t *testing.T) {
	image := strings.Repeat("iVBORw0KGgo", 100_000)
	doc := []byte(`{"a":"b","image":"` + image + `","c":"d"}`)
	for seed := range uint64(50) {
		g := inPieces(doc, seed)
		known := 0
		for _, s := range g.Spans() {
			known += s.End - s.Start
		}
		if known < len(image)-16<<10 {
			t.Errorf("seed %d: %d of %d bytes are in gaps", seed, known, len(image))
		}
		if g.Reset(); len(g.Spans()) != 0 {
			t.Error("gaps are left of a text that is forgotten")
		}
	}
}

// TestGapsAreFew: a text without long strings has no gaps, and costs no memory.
func TestGapsAreFew(t *testing.T) {
	doc := []byte(strings.Repeat(`{"role":"user","content":"some words"},`, 20_000))
	var g rawjson.Gaps
	if n := testing.AllocsPerRun(5, func() {
		g.Reset()
		for piece := range slices.Chunk(doc, 10_000) {
			g.Feed(piece)
		}
	}); n != 0 || len(g.Spans()) != 0 {
		t.Errorf("%.0f allocations, gaps at %v", n, g.Spans())
	}
}

// BenchmarkGaps is the cost of looking for gaps: in an image and in a conversation.
func BenchmarkGaps(b *testing.B) {
	for name, s := range map[string]string{
		"image":        strings.Repeat("iVBORw0KGgo", 1<<20/11),
		"conversation": strings.Repeat(`{"role":"user","content":"some words"},`, 1<<20/39),
	} {
		b.Run(name, func(b *testing.B) {
			var g rawjson.Gaps
			text := []byte(s)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				g.Reset()
				for piece := range slices.Chunk(text, 256<<10) {
					g.Feed(piece)
				}
			}
		})
	}
}
