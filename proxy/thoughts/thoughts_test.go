package thoughts

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"apex-ai-proxy/proxy/convert/ir"
	_ "apex-ai-proxy/proxy/spent/spoil" // memory that was given back
)

// clock is a time that stands still until it is moved.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func newCache() (*Cache, *clock) {
	c := &clock{time.Unix(1e9, 0)}
	return New(c.now), c
}

func thinking(text, signature string) ir.Part {
	p := ir.Part{Kind: ir.Thinking, Text: []byte(text)}
	if signature != "" {
		p.Signature = []byte(signature)
	}
	return p
}

func text(s string) ir.Part { return ir.Part{Kind: ir.Text, Text: []byte(s)} }

func call(id string) ir.Part { return ir.Part{Kind: ir.ToolCall, Call: ir.Call{ID: id}} }

func turn(n int) Turn { return Turn{{Part: thinking("", strings.Repeat("s", n))}} }

// show is a list of parts in short.
func show(parts []ir.Part) string {
	var words []string
	for _, p := range parts {
		switch p.Kind {
		case ir.ToolCall:
			words = append(words, "call:"+p.Call.ID)
		case ir.Text:
			words = append(words, "text:"+string(p.Text))
		case ir.RedactedThinking:
			words = append(words, "redacted:"+string(p.Signature))
		default:
			words = append(words, "think:"+string(p.Text)+"/"+string(p.Signature))
		}
	}
	return strings.Join(words, " ")
}

// stream tells parts as a stream does.
func stream(c *Collector, parts []ir.Part) {
	for _, p := range parts {
		open := ir.Event{Kind: ir.PartOpen, Part: p.Kind, ID: p.Call.ID}
		if p.Kind == ir.RedactedThinking {
			open.Text = p.Signature
		}
		c.Event(&open)
		scratch := bytes.Clone(p.Text)
		for i := range scratch {
			c.Event(&ir.Event{Kind: ir.Delta, Text: scratch[i : i+1]})
		}
		if p.Kind == ir.Thinking && p.Signature != nil {
			c.Event(&ir.Event{Kind: ir.SignatureEv, Text: p.Signature})
		}
		c.Event(&ir.Event{Kind: ir.PartClose})
		clear(scratch) // events are only valid during the call
	}
	c.Event(&ir.Event{Kind: ir.Finish})
}

// TestRestore: answers come back as Chat clients send them, and the thinking is put where
// it was.
func TestRestore(t *testing.T) {
	redacted := ir.Part{Kind: ir.RedactedThinking, Signature: []byte("R")}
	for _, c := range []struct {
		name         string
		answer, back []ir.Part
		want         string
	}{
		{"in front", []ir.Part{thinking("a", "A"), redacted, call("1")}, []ir.Part{call("1")}, "think:a/A redacted:R call:1"},
		{"unsigned goes", []ir.Part{thinking("a", "A"), call("1")}, []ir.Part{thinking("a", ""), call("1")}, "think:a/A call:1"},
		{"omitted text", []ir.Part{thinking("", "A"), call("1")}, []ir.Part{call("1")}, "think:/A call:1"},
		{"before the text", []ir.Part{thinking("a", "A"), text("x"), call("1")}, []ir.Part{text("x"), call("1")}, "think:a/A text:x call:1"},
		{
			"in between",
			[]ir.Part{thinking("a", "A"), text("x"), thinking("b", "B"), call("1"), thinking("c", "C"), call("2"), thinking("d", "D")},
			[]ir.Part{text("x"), call("1"), call("2")},
			"think:a/A text:x think:b/B call:1 think:c/C call:2 think:d/D",
		},
		{"the text is gone", []ir.Part{text("x"), thinking("b", "B"), call("1")}, []ir.Part{call("1")}, "think:b/B call:1"},
		{"never signed", []ir.Part{thinking("a", ""), call("1")}, []ir.Part{thinking("a", ""), call("1")}, "think:a/ call:1"},
		{"another call", []ir.Part{thinking("a", "A"), call("1")}, []ir.Part{call("2")}, "call:2"},
		{"no call", []ir.Part{thinking("a", "A"), text("x")}, []ir.Part{text("x")}, "text:x"},
		{"kept by the client", []ir.Part{thinking("a", "A"), call("1")}, []ir.Part{thinking("z", "Z"), call("1")}, "think:z/Z call:1"},
	} {
		for _, streamed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, stream %t", c.name, streamed), func(t *testing.T) {
				cache, _ := newCache()
				var col Collector
				if streamed {
					stream(&col, c.answer)
				} else {
					col.Response(c.answer)
				}
				col.Keep(cache, Client{1})
				turns := []ir.Turn{{Role: ir.RoleUser}, {Role: ir.RoleAssistant, Parts: c.back}}
				before := show(c.back)
				cache.Restore(Client{2}, turns)
				if got := show(turns[1].Parts); got != before {
					t.Errorf("another client got %s", got)
				}
				cache.Restore(Client{1}, turns)
				if got := show(turns[1].Parts); got != c.want {
					t.Errorf("got %s, want %s", got, c.want)
				}
				if show(c.back) != before {
					t.Error("the parts were written to")
				}
			})
		}
	}
}

func TestTurnsAge(t *testing.T) {
	cache, clock := newCache()
	cache.Keep(Client{}, "old", turn(1))
	cache.Keep(Client{}, "used", turn(1))
	clock.t = clock.t.Add(lifetime - 1)
	if cache.Recall(Client{}, "used") == nil {
		t.Error("forgotten too early")
	}
	clock.t = clock.t.Add(1)
	if cache.Recall(Client{}, "old") != nil || cache.Recall(Client{}, "used") == nil {
		t.Error("not what is unused for too long was forgotten")
	}
	clock.t = clock.t.Add(lifetime)
	if cache.Recall(Client{}, "used") != nil || cache.bytes != 0 || cache.order.Len() != 0 || len(cache.turns) != 0 {
		t.Errorf("%d bytes in %d turns are left", cache.bytes, cache.order.Len())
	}
}

func TestCacheIsBounded(t *testing.T) {
	cache, _ := newCache()
	for i := range maxEntries + 10 {
		cache.Keep(Client{}, fmt.Sprint(i), turn(1))
	}
	if cache.order.Len() != maxEntries || cache.Recall(Client{}, "9") != nil || cache.Recall(Client{}, "10") == nil {
		t.Errorf("%d turns", cache.order.Len())
	}
	cache.Clear()
	for i := range 20 {
		cache.Keep(Client{}, fmt.Sprint(i), turn(maxEntry-2000))
		cache.Recall(Client{}, "0")
		if cache.bytes > maxBytes {
			t.Fatalf("%d bytes", cache.bytes)
		}
	}
	if cache.Recall(Client{}, "0") == nil || cache.Recall(Client{}, "1") != nil || cache.Recall(Client{}, "19") == nil {
		t.Error("not the turns used last were kept")
	}
	cache.Keep(Client{}, "large", turn(maxEntry))
	if cache.Recall(Client{}, "large") != nil {
		t.Error("a turn that is too large was kept")
	}
	before := cache.bytes
	cache.Keep(Client{}, "19", turn(maxEntry-2000))
	if cache.bytes != before {
		t.Errorf("kept again, a turn counts %d bytes more", cache.bytes-before)
	}
}

// TestCollectorIsBounded: an endless thought does not fill the memory, and no half of one
// is kept.
func TestCollectorIsBounded(t *testing.T) {
	var c Collector
	c.Response([]ir.Part{thinking("a", "A")})
	c.Event(&ir.Event{Kind: ir.PartOpen, Part: ir.Thinking})
	long := bytes.Repeat([]byte("x"), 1<<20)
	for range 20 {
		c.Event(&ir.Event{Kind: ir.Delta, Text: long})
		if cap(c.text) > 2*maxEntry {
			t.Fatalf("%d bytes are held", cap(c.text))
		}
	}
	c.Event(&ir.Event{Kind: ir.SignatureEv, Text: []byte("B")})
	c.Event(&ir.Event{Kind: ir.PartClose})
	c.Response([]ir.Part{thinking("c", "C"), call("1")})
	cache, _ := newCache()
	c.Keep(cache, Client{})
	if cache.order.Len() != 0 {
		t.Error("half of what was thought was kept")
	}
}

// TestCollectorCountsBlocks: many small thoughts take more memory than their text.
func TestCollectorCountsBlocks(t *testing.T) {
	redacted := ir.Part{Kind: ir.RedactedThinking, Signature: []byte("R")}
	for _, parts := range [][]ir.Part{{redacted}, {thinking("", "A")}} {
		for _, streamed := range []bool{false, true} {
			var c Collector
			for range maxEntry/overhead + 1 {
				if streamed {
					stream(&c, parts)
				} else {
					c.Response(parts)
				}
			}
			if len(c.turn) != 0 {
				t.Errorf("%s, stream %t: %d blocks are held", show(parts), streamed, len(c.turn))
			}
		}
	}
}

func TestCacheInUse(t *testing.T) {
	cache, _ := newCache()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 500 {
				id := fmt.Sprint(j % 50)
				cache.Keep(Client{byte(i % 2)}, id, turn(j))
				cache.Restore(Client{byte(i % 2)}, []ir.Turn{{Role: ir.RoleAssistant, Parts: []ir.Part{call(id)}}})
			}
		})
	}
	wg.Wait()
}

// TestClockJumps: a clock that is set neither keeps a turn for ever nor breaks the cache.
func TestClockJumps(t *testing.T) {
	c, clock := newCache()
	start := clock.t
	c.Keep(Client{1}, "one", turn(1))
	for _, jump := range []time.Duration{-time.Hour, 0, lifetime - 1, -20 * 365 * 24 * time.Hour} {
		if clock.t = start.Add(jump); c.Recall(Client{1}, "one") == nil {
			t.Errorf("forgotten after a jump of %v", jump)
		}
	}
	c.Keep(Client{1}, "two", turn(1)) // in the past
	clock.t = start.Add(100 * 365 * 24 * time.Hour)
	if c.Recall(Client{1}, "one") != nil || c.Recall(Client{1}, "two") != nil || c.bytes != 0 || len(c.turns) != 0 {
		t.Error("kept for a hundred years")
	}
	c.Keep(Client{1}, "three", turn(1))
	clock.t = start
	if c.Recall(Client{1}, "three") == nil {
		t.Error("forgotten, though it was kept just now")
	}
}
