package proxy

import "sync"

// Sizes of a window, in bytes.
const (
	bufferSize = 32 << 10
	smallSize  = 2 << 10
)

var (
	buffers = sync.Pool{New: func() any { b := make([]byte, bufferSize); return &b }}
	smalls  = sync.Pool{New: func() any { b := make([]byte, smallSize); return &b }}
)

// window is what an answer is read into. A stream that comes a few words at a time, as most
// do, waits with a small one: a thousand of them are then no burden.
type window struct {
	buf  *[]byte
	wide bool
}

func newWindow() *window { return &window{buf: buffers.Get().(*[]byte), wide: true} }

func (w *window) bytes() []byte { return *w.buf }

// next is the window for the next read, which starts with the first held bytes of the
// present one. filled is how much of that was in use after the last read.
func (w *window) next(held, filled int) []byte {
	switch {
	case w.wide && filled < smallSize/2:
		w.change(&smalls, held, false)
	case !w.wide && filled == smallSize: // there may be more
		w.change(&buffers, held, true)
	}
	return *w.buf
}

func (w *window) change(to *sync.Pool, held int, wide bool) {
	b := to.Get().(*[]byte)
	copy(*b, (*w.buf)[:held])
	w.free()
	w.buf, w.wide = b, wide
}

// free gives the window back.
func (w *window) free() {
	if w.wide {
		buffers.Put(w.buf)
	} else {
		smalls.Put(w.buf)
	}
}
