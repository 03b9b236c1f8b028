package proxy

import (
	"errors"
	"io"
	"math/bits"
	"net"
	"net/http"
	"sync"
	"sync/atomic"

	"apex-ai-proxy/proxy/rawjson"
	"apex-ai-proxy/proxy/spent"
)

// lease is a buffer that a body was read into. It is used again for another body when the
// exchange has ended and the transport has let go of it, so that large requests leave no
// work to the garbage collector. Whoever hands the bytes to something that lasts must keep
// it: then it is never used again.
type lease struct {
	buf     []byte
	gaps    rawjson.Gaps // of the bytes
	holders atomic.Int32
	kept    atomic.Bool
}

// Buffers below the smallest are not worth it, those above the largest too much to hold on to.
const (
	smallestLease = 2 << 10
	largestLease  = 32 << 20
)

// leases are the buffers that nobody holds: in the nth pool, those that take n bits to
// count their bytes.
var leases [bits.UintSize + 1]sync.Pool

// borrow is an empty buffer for so many bytes, with one holder.
func borrow(size int) *lease {
	size = max(size, smallestLease)
	class := bits.Len(uint(size))
	l, ok := leases[class].Get().(*lease)
	if ok {
		spent.Check(l.buf[:cap(l.buf)])
	}
	if !ok || cap(l.buf) < size {
		l = &lease{buf: make([]byte, 0, min(size+size/8, 1<<class-1))} // the next body may be a little longer
	}
	l.buf = l.buf[:0]
	l.gaps.Reset()
	l.holders.Store(1)
	return l
}

// hold adds a holder, who must release it too.
func (l *lease) hold() {
	if l != nil {
		l.holders.Add(1)
	}
}

// keep leaves the buffer to whoever has its bytes.
func (l *lease) keep() {
	if l != nil {
		l.kept.Store(true)
	}
}

// release lets go of the buffer.
func (l *lease) release() {
	if l != nil && l.holders.Add(-1) == 0 && !l.kept.Load() && cap(l.buf) <= largestLease {
		spent.Bytes(l.buf[:cap(l.buf)])
		leases[bits.Len(uint(cap(l.buf)))].Put(l)
	}
}

// grown is a larger buffer with the same bytes, which takes the place of l.
func (l *lease) grown() *lease {
	more := borrow(2 * cap(l.buf))
	more.buf = append(more.buf, l.buf...)
	more.gaps, l.gaps = l.gaps, more.gaps
	l.release()
	return more
}

// readAtOnce is how many bytes are read before they are looked at. They stay in the cache of one
// core, and are enough for few calls.
const readAtOnce = 256 << 10

// readUpTo reads everything, or fails with TooLarge. size is a hint, -1 when unknown.
func readUpTo(r io.Reader, limit, size int64) (*lease, error) {
	l := borrow(int(max(size, 0)) + 1) // one more, to meet the end without growing
	for {
		if len(l.buf) == cap(l.buf) {
			l = l.grown()
		}
		had := len(l.buf)
		n, err := r.Read(l.buf[had:min(cap(l.buf), had+readAtOnce)])
		l.buf = l.buf[:had+n]
		l.gaps.Feed(l.buf[had:])
		switch {
		case int64(len(l.buf)) > limit:
			err = tooLarge(limit)
		case err == nil:
			continue
		case errors.Is(err, io.EOF):
			return l, nil
		}
		l.release()
		return nil, err
	}
}

// pieces is a request's body that the transport reads from a buffer. Once it is closed
// nothing touches the buffer any more, even where the transport still reads.
type pieces struct {
	mu     sync.Mutex
	left   [][]byte
	from   *lease
	closed bool
}

// Read implements io.Reader.
func (p *pieces) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return 0, http.ErrBodyReadAfterClose
	}
	n := 0
	for n < len(b) && len(p.left) > 0 {
		m := copy(b[n:], p.left[0])
		n += m
		if p.left[0] = p.left[0][m:]; len(p.left[0]) == 0 {
			p.left = p.left[1:]
		}
	}
	if n == 0 && len(b) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// Len is how many bytes are left.
func (p *pieces) Len() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, b := range p.left {
		n += len(b)
	}
	return n
}

// WriteTo implements io.WriterTo. The buffer is held until everything is written, also
// when Close is called meanwhile.
func (p *pieces) WriteTo(w io.Writer) (int64, error) {
	p.mu.Lock()
	left := net.Buffers(p.left)
	p.left = nil
	if p.closed {
		p.mu.Unlock()
		return 0, http.ErrBodyReadAfterClose
	}
	p.from.hold()
	p.mu.Unlock()
	defer p.from.release()
	return left.WriteTo(w)
}

// Close implements io.Closer.
func (p *pieces) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.closed, p.left = true, nil
		p.from.release()
	}
	return nil
}
