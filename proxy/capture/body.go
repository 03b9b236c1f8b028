package capture

import (
	"math/bits"
	"slices"
	"sync"
)

// body is what is kept of a body: as a whole that came so and does not change, or copied into
// blocks as it came.
type body struct {
	whole  []byte
	blocks []*block
	copied int   // bytes in the blocks
	size   int64 // of the blocks
}

// block is memory for a part of a body. A body begins with a small one, and each that follows
// is twice as large, up to the largest: what is in one is never copied again to make room.
// Blocks of a body that is forgotten are used for others, so that recording leaves no work to
// the garbage collector.
type block struct{ b []byte }

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
		return b
	}
	return &block{make([]byte, 0, 1<<class)}
}

func (b *block) free() {
	b.b = b.b[:0]
	blocks[bits.Len(uint(cap(b.b)-1))].Put(b)
}

// add copies p to the end, and returns how many bytes more the blocks take.
func (b *body) add(p []byte) (grown int64) {
	b.copied += len(p)
	for len(p) > 0 {
		var last *block
		room := 0
		if n := len(b.blocks); n > 0 {
			last = b.blocks[n-1]
			room = cap(last.b) - len(last.b)
		}
		if room == 0 {
			want := len(p)
			if last != nil {
				want = max(want, 2*cap(last.b))
			}
			last = newBlock(want)
			room = cap(last.b)
			b.blocks = append(b.blocks, last)
			grown += int64(room)
		}
		n := min(room, len(p))
		last.b = append(last.b, p[:n]...)
		p = p[n:]
	}
	b.size += grown
	return grown
}

// held is how much memory the body takes, in bytes.
func (b *body) held() int64 { return int64(len(b.whole)) + b.size }

// free gives the blocks back, and returns how much memory the body took.
func (b *body) free() int64 {
	held := b.held()
	for _, block := range b.blocks {
		block.free()
	}
	*b = body{}
	return held
}

// bytes are those kept: a copy of them, unless they came as a whole.
func (b *body) bytes() []byte {
	if len(b.blocks) == 0 {
		return slices.Clip(b.whole)
	}
	out := make([]byte, 0, b.copied)
	for _, block := range b.blocks {
		out = append(out, block.b...)
	}
	return out
}
