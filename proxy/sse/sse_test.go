package sse_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	_ "apex-ai-proxy/proxy/spent/spoil" // memory that was given back
	"apex-ai-proxy/proxy/sse"
)

// parse feeds the stream in pieces of n bytes and lists the events as "name|data". Whoever reads a
// stream reads its pieces into the same memory.
func parse(t testing.TB, stream string, n int) []string {
	t.Helper()
	var got []string
	var p sse.Parser
	emit := func(f sse.Frame) { got = append(got, string(f.Event)+"|"+string(f.Data)) }
	for piece := range slices.Chunk([]byte(stream), n) {
		if err := p.Feed(piece, emit); err != nil {
			t.Fatal(err)
		}
		copy(piece, bytes.Repeat([]byte("?"), len(piece)))
	}
	p.Close(emit)
	return got
}

func TestParser(t *testing.T) {
	for _, c := range []struct {
		name, stream string
		want         []string
	}{
		{"simple", "data: a\n\n", []string{"|a"}},
		{"named", "event: x\ndata: a\n\ndata: b\n\n", []string{"x|a", "|b"}},
		{"no space", "event:x\ndata:a\n\n", []string{"x|a"}},
		{"one space only is dropped", "data:  a\n\n", []string{"| a"}},
		{"CRLF", "data: a\r\ndata: b\r\n\r\n", []string{"|a\nb"}},
		{"CR", "data: a\rdata: b\r\r", []string{"|a\nb"}},
		{"mixed ends", "data: a\r\n\ndata: b\n\r\n", []string{"|a", "|b"}},
		{"BOM", "\xEF\xBB\xBFdata: a\n\n", []string{"|a"}},
		{"BOM inside is data", "data: \xEF\xBB\xBFa\n\n", []string{"|\xEF\xBB\xBFa"}},
		{"comments", ": hi\n\n:\n\ndata: a\n: in between\n\n", []string{"|a"}},
		{"id and retry", "id: 1\nretry: 5\ndata: a\n\n", []string{"|a"}},
		{"field without colon", "data\n\n", []string{"|"}},
		{"unknown field", "foo: bar\n\n", nil},
		{"no last newline", "data: a\n\ndata: b", []string{"|a", "|b"}},
		{"no last blank line", "event: x\ndata: b\n", []string{"x|b"}},
		{"event without data", "event: x\n\ndata: a\n\n", []string{"|a"}},
		{"colon in data", "data: {\"a\": \"b:c\"}\n\n", []string{`|{"a": "b:c"}`}},
		{"two lines cut", "data: abcdefgh\nevent: long\n\n", []string{"long|abcdefgh"}},
		{"empty", "", nil},
	} {
		for _, n := range []int{1, 2, 3, 7, 12, 1000} {
			if got := parse(t, c.stream, n); !slices.Equal(got, c.want) {
				t.Errorf("%s in pieces of %d: %q, want %q", c.name, n, got, c.want)
			}
		}
	}
}

func TestLongLines(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	if got := parse(t, "data: "+long+"\n\n", 4096); len(got) != 1 || got[0] != "|"+long {
		t.Error("a line of 1 MiB was lost")
	}
}

func TestTooLong(t *testing.T) {
	var p sse.Parser
	piece := bytes.Repeat([]byte("x"), 1<<20)
	var err error
	for range 40 {
		if err = p.Feed(piece, func(sse.Frame) {}); err != nil {
			break
		}
	}
	if !errors.Is(err, sse.ErrTooLong) {
		t.Errorf("an endless line ended in %v", err)
	}
	p = sse.Parser{}
	line := append([]byte("data: "), append(piece, '\n')...)
	for range 40 {
		if err = p.Feed(line, func(sse.Frame) {}); err != nil {
			break
		}
	}
	if !errors.Is(err, sse.ErrTooLong) {
		t.Errorf("an endless event ended in %v", err)
	}
}

func FuzzParser(f *testing.F) {
	f.Add([]byte("event: x\r\ndata: a\n\ndata: b\r\r:c\n\ndata"), 3)
	f.Fuzz(func(t *testing.T, stream []byte, n int) {
		if n < 1 || n > 1<<20 {
			n = 1
		}
		whole, parts := parse(t, string(stream), 1<<20), parse(t, string(stream), n)
		if !slices.Equal(whole, parts) {
			t.Fatalf("whole %q, in pieces of %d %q", whole, n, parts)
		}
	})
}

// TestFramesCostNoAllocation: frames are read in place.
func TestFramesCostNoAllocation(t *testing.T) {
	stream := []byte(strings.Repeat("event: e\ndata: {\"choices\":[{\"delta\":{\"content\":\"word\"}}]}\n\n", 100))
	var p sse.Parser
	count := 0
	if n := testing.AllocsPerRun(20, func() { _ = p.Feed(stream, func(sse.Frame) { count++ }) }); n > 0 || count == 0 {
		t.Errorf("%.0f allocations for %d frames", n, count)
	}
}

func BenchmarkParser(b *testing.B) {
	var stream bytes.Buffer
	for i := range 100 {
		fmt.Fprintf(&stream, "data: {\"id\":\"chatcmpl-1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"word %d\"}}]}\n\n", i)
	}
	var p sse.Parser
	n := 0
	b.SetBytes(int64(stream.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if err := p.Feed(stream.Bytes(), func(sse.Frame) { n++ }); err != nil {
			b.Fatal(err)
		}
	}
}
