package spent_test

import (
	"bytes"
	"testing"

	"apex-ai-proxy/proxy/spent"
	_ "apex-ai-proxy/proxy/spent/spoil"
)

// TestSpoiled: what is spent is overwritten, and nothing beside it.
func TestSpoiled(t *testing.T) {
	memory := []byte("held spent held")
	spent.Bytes(memory[5:10])
	want := append(append([]byte("held "), bytes.Repeat([]byte{spent.Filling}, 5)...), " held"...)
	if !bytes.Equal(memory, want) {
		t.Errorf("%q", memory)
	}
	if b := spent.Empty(memory); len(b) != 0 || cap(b) != cap(memory) || bytes.Contains(memory, []byte("held")) {
		t.Errorf("%d of %d bytes, %q", len(b), cap(b), memory)
	}
}

// TestWrittenTo: whoever writes to what is spent is found when it is used again.
func TestWrittenTo(t *testing.T) {
	memory := make([]byte, 100)
	spent.Bytes(memory)
	spent.Check(memory)
	memory[99] = 0
	defer func() {
		if recover() == nil {
			t.Error("nobody noticed")
		}
	}()
	spent.Check(memory)
}
