package proxy

import (
	"sync"

	"apex-ai-proxy/proxy/spent"
)

// Sizes of a window, in bytes.
const (
	bufferSize = 32 << 10
	smallSize  = 2 << 10
)

// The memory of windows that nobody uses.
var (
	buffers = sync.Pool{New: func() any { return freshWindow(bufferSize) }}
	smalls  = sync.Pool{New: func() any { return freshWindow(smallSize) }}
)

func freshWindow(size int) *[]byte {
	b := make([]byte, size)
	spent.Bytes(b)
	return &b
}

// take is memory of a pool, to be given back.
func take(from *sync.Pool) *[]byte {
	b := from.Get().(*[]byte)
	spent.Check(*b)
	return b
}

// give gives back what was taken from a pool.
func give(to *sync.Pool, b *[]byte) {
	spent.Bytes(*b)
	to.Put(b)
}

// window is what an answer is read into. A stream that comes a few words at a time, as most
// do, waits with a small one: a thousand of them are then no burden.
type window struct {
	buf  *[]byte
	wide bool
}

func newWindow() *window { return &window{buf: take(&buffers), wide: true} }

func (w *window) bytes() []byte { return *w.buf }

// next is the window for the next read, which starts with the first held bytes of the
// present one. filled is how much of that was in use after the last read.
func (w *window) next(held, filled int) []byte {
	spent.Bytes((*w.buf)[held:filled])
	switch {
	case w.wide && filled < smallSize/2:
		w.change(&smalls, held, false)
	case !w.wide && filled == smallSize: // there may be more
		w.change(&buffers, held, true)
	}
	return *w.buf
}

func (w *window) change(to *sync.Pool, held int, wide bool) {
	b := take(to)
	copy(*b, (*w.buf)[:held])
	w.free()
	w.buf, w.wide = b, wide
}

// free gives the window back.
func (w *window) free() {
	if w.wide {
		give(&buffers, w.buf)
	} else {
		give(&smalls, w.buf)
	}
}
