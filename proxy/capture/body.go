package capture

import (
	"math/bits"
	"slices"
	"sync"

	"apex-ai-proxy/proxy/spent"
)

// body is what is kept of a request's body: bytes that were copied into blocks, and between them
// spans of the client's request, which most of what goes upstream is.
type body struct {
	room        []byte // what is left of the last block
	copied      int    // bytes in the blocks
	size        int64  // of the blocks
	first, last *block
	spans       []span
}

// span is a part of the client's request in another body: so many bytes from an index, behind
// so many of those that were copied.
type span struct{ behind, from, n int }

// spanSize is how much memory a span takes, in bytes.
const spanSize = 3 * bits.UintSize / 8

// block is memory for a part of a body, or of a tape. A tape begins with a small one, and each
// that follows is twice as large, up to the largest: what is in one is never copied again to make
// room. Blocks of a body that is forgotten are used for others, so that recording leaves no work to
// the garbage collector.
type block struct {
	b    []byte
	next *block // of the same body
	left int    // bytes at the end that are not used, of a block that another one follows on a tape
}

// Sizes of blocks, in bytes.
const (
	smallestBlock = 512
	largestBlock  = 32 << 10
)

// blocks are those that no body uses: in the nth pool, those that take n bits to count their
// bytes.
var blocks [17]sync.Pool

// newBlock is an empty block with room for n bytes, or as much as a block has.
func newBlock(n int) *block {
	n = min(max(n, smallestBlock), largestBlock)
	class := bits.Len(uint(n - 1))
	if b, ok := blocks[class].Get().(*block); ok {
		spent.Check(b.b)
		return b
	}
	return &block{b: make([]byte, 1<<class)}
}

func (b *block) free() {
	b.next = nil
	spent.Bytes(b.b)
	blocks[bits.Len(uint(len(b.b)-1))].Put(b)
}

// freeBlocks gives a block and those that follow it back.
func freeBlocks(next *block) {
	for next != nil {
		block := next
		next = block.next
		block.free()
	}
}

// add copies p to the end.
func (b *body) add(p []byte) {
	b.copied += len(p)
	n := copy(b.room, p)
	b.room = b.room[n:]
	for p = p[n:]; len(p) > 0; p = p[n:] {
		next := newBlock(len(p))
		if b.last == nil {
			b.first = next
		} else {
			b.last.next = next
		}
		b.last = next
		b.size += int64(len(next.b))
		n = copy(next.b, p)
		b.room = next.b[n:]
	}
}

// take keeps the first bytes of a whole body that comes in pieces, and returns its size. Pieces
// that are parts of the client's request are not copied, but looked up there.
func (b *body) take(pieces [][]byte, request []byte, room int) (size int64) {
	for _, p := range pieces {
		size += int64(len(p))
		p = p[:min(len(p), room)]
		room -= len(p)
		if from := index(request, p); from >= 0 {
			b.spans = append(slices.Grow(b.spans, (len(pieces)+1)/2), span{b.copied, from, len(p)})
		} else {
			b.add(p)
		}
	}
	return size
}

// index is where in whole the memory of part begins, -1 when it is elsewhere. A slice of a
// slice has the same end of its capacity.
func index(whole, part []byte) int {
	at := cap(whole) - cap(part)
	if len(part) == 0 || at < 0 || at+len(part) > len(whole) || &whole[at] != &part[0] {
		return -1
	}
	return at
}

// held is how much memory the body takes, in bytes.
func (b *body) held() int64 { return b.size + int64(cap(b.spans))*spanSize }

// free gives the blocks back, and returns how much memory the body took.
func (b *body) free() int64 {
	held := b.held()
	freeBlocks(b.first)
	*b = body{}
	return held
}

// bytes are a copy of those kept. request is what is kept of the client's.
func (b *body) bytes(request []byte) []byte {
	copied := make([]byte, 0, b.size)
	for block := b.first; block != nil; block = block.next {
		copied = append(copied, block.b...)
	}
	copied = copied[:b.copied]
	if len(b.spans) == 0 {
		return copied
	}
	size := b.copied
	for _, s := range b.spans {
		size += s.n
	}
	out, done := make([]byte, 0, size), 0
	for _, s := range b.spans {
		out = append(out, copied[done:s.behind]...)
		done = s.behind
		kept := request[min(s.from, len(request)):min(s.from+s.n, len(request))]
		if out = append(out, kept...); len(kept) < s.n {
			return out // what follows would stand in the wrong place
		}
	}
	return append(out, copied[done:]...)
}
