// Package capture keeps the heads and bodies of the last exchanges in memory, so that a
// person can look at what was sent and what came back, on both sides of the proxy.
//
// What is kept is bounded three ways: the number of exchanges, the bytes of each body,
// and the bytes of everything. Credentials are replaced by dots whenever something is handed
// out. Nothing is written to disk.
//
// Recording never fails, and waits for a reader no longer than it takes to copy a body: it
// costs a copy of the bytes and an uncontended lock. What goes on as it came, either way, is kept
// once. What can wait until somebody looks, as few ever do, is left to that time. A nil
// *Record records nothing, which is how captures are off.
package capture

import (
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
)

// Side is one of the four places where the bytes of an exchange are seen.
type Side uint8

// The sides, in the order in which bytes pass them.
const (
	ClientRequest Side = iota
	UpstreamRequest
	UpstreamAnswer
	ClientAnswer
	Sides // how many there are
)

// Mode is which exchanges are kept.
type Mode uint8

// The modes.
const (
	All    Mode = iota
	Errors      // those that failed; running ones are kept until they have succeeded
	Off
)

// Limits bound what a Store keeps.
type Limits struct {
	Mode      Mode
	Exchanges int   // the last so many
	PerBody   int   // bytes of each body; the rest is only counted
	Total     int64 // bytes of all bodies together, and of heads that are long
}

// DefaultLimits are fit for a desktop: the last hundred exchanges in at most 32 MiB.
func DefaultLimits() Limits {
	return Limits{Mode: All, Exchanges: 100, PerBody: 256 << 10, Total: 32 << 20}
}

// Store keeps the last exchanges. It is safe for concurrent use.
type Store struct {
	secrets func() []string
	total   atomic.Int64 // bytes held by all bodies and long heads

	mu     sync.Mutex
	limits Limits
	order  []*Record // oldest first
	at     map[string]*Record
}

// NewStore returns an empty store. secrets tells what must not be seen in a body that is
// handed out; nil for nothing.
func NewStore(l Limits, secrets func() []string) *Store {
	if secrets == nil {
		secrets = func() []string { return nil }
	}
	return &Store{secrets: secrets, limits: l, at: make(map[string]*Record)}
}

// SetLimits changes what is kept, also of what is there already.
func (s *Store) SetLimits(l Limits) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limits = l
	if l.Mode == Off {
		s.drop(len(s.order))
	}
	s.trim()
}

// Limits is what bounds the store now.
func (s *Store) Limits() Limits {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.limits
}

// Clear forgets everything. Exchanges that still run are recorded no further.
func (s *Store) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(len(s.order))
}

// Open begins the record of an exchange; nil when captures are off, or s is nil.
func (s *Store) Open(id string) *Record { return s.open(id, false) }

// OpenRefused begins the record of an exchange that is refused before its request is read, so that
// there is only an answer. Few of them are kept: whoever may not use the proxy does not push out
// what is kept of those who may.
func (s *Store) OpenRefused(id string) *Record { return s.open(id, true) }

func (s *Store) open(id string, refused bool) *Record {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.limits.Mode == Off {
		return nil
	}
	if refused {
		s.makeWay()
	}
	r := &Record{store: s, id: id, perBody: s.limits.PerBody, onlyErrors: s.limits.Mode == Errors, refused: refused}
	s.order = append(s.order, r)
	s.at[id] = r
	s.trim()
	return r
}

// Get is what is known of an exchange now, with secrets replaced.
func (s *Store) Get(id string) (Snapshot, bool) {
	s.mu.Lock()
	r, ok := s.at[id]
	s.mu.Unlock()
	if !ok {
		return Snapshot{}, false
	}
	return r.snapshot(s.secrets()), true
}

// Revision changes whenever there is more to see of an exchange; 0 when it is not kept.
func (s *Store) Revision(id string) int64 {
	s.mu.Lock()
	r, ok := s.at[id]
	s.mu.Unlock()
	if !ok {
		return 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.revision
}

// Bytes is how much memory the bodies and long heads take.
func (s *Store) Bytes() int64 { return s.total.Load() }

// trim forgets the oldest exchanges until the limits hold. s.mu is held.
func (s *Store) trim() {
	n := max(0, len(s.order)-s.limits.Exchanges)
	left := s.total.Load()
	for _, r := range s.order[:n] {
		left -= r.held.Load()
	}
	for left > s.limits.Total && n < len(s.order)-1 { // the newest stays
		left -= s.order[n].held.Load()
		n++
	}
	s.drop(n)
}

// drop forgets the n oldest exchanges. s.mu is held.
func (s *Store) drop(n int) {
	for _, r := range s.order[:n] {
		delete(s.at, r.id)
		r.close()
	}
	clear(s.order[:n])
	s.order = s.order[n:]
}

// refusedShare is the part of the exchanges that refused ones may be: one of so many.
const refusedShare = 10

// makeWay forgets the oldest refused exchange when there are as many as may be. s.mu is held.
func (s *Store) makeWay() {
	n := 0
	for _, r := range s.order {
		if r.refused {
			n++
		}
	}
	if n >= max(1, s.limits.Exchanges/refusedShare) {
		s.remove(s.order[slices.IndexFunc(s.order, func(r *Record) bool { return r.refused })])
	}
}

// forget forgets one exchange.
func (s *Store) forget(r *Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(r)
}

// remove forgets one exchange. s.mu is held.
func (s *Store) remove(r *Record) {
	if i := slices.Index(s.order, r); i >= 0 {
		delete(s.at, r.id)
		s.order = slices.Delete(s.order, i, i+1)
	}
	r.close()
}

// grown makes room after a record took more memory.
func (s *Store) grown(by int64) {
	if s.total.Add(by) <= 0 || by <= 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.total.Load() > s.limits.Total {
		s.trim()
	}
}

// Record is what is kept of one exchange. Its methods may be called on a nil Record, and
// while others read.
type Record struct {
	// What every piece of a stream needs stands together.
	mu       sync.Mutex // held while the fields up to shown are used
	revision int64
	closed   bool // forgotten by the store
	done     bool
	perBody  int
	tape     tape // of the answers

	attempts int
	sides    [Sides]message
	bodies   [UpstreamAnswer]body // of the requests
	shown    []string             // credentials that came with requests whose place others took

	store      *Store
	id         string
	onlyErrors bool
	refused    bool
	held       atomic.Int64 // bytes of its bodies and long heads
}

// message is one side as it came, with its credentials.
type message struct {
	seen   bool
	method string
	url    string
	status int
	header http.Header // nobody writes to it any more
	size   int64       // of a request's body
	long   int64       // bytes of address and header, 0 when they are few
}

// Of an address and a header, in bytes.
const (
	usualHead = 4 << 10 // how long they may be without being counted
	fieldSize = 40      // of a field besides what is in it
	valueSize = 16      // of a value besides its text
)

// weigh counts the address and the header.
func (m *message) weigh() {
	size := len(m.url)
	for name, values := range m.header {
		size += fieldSize + len(name)
		for _, v := range values {
			size += valueSize + len(v)
		}
	}
	if size > usualHead {
		m.long = int64(size)
	}
}

// Request notes the head of a request and its whole body, which may come in pieces. A second
// request upstream, after the first one failed, takes the place of the first. Nobody writes to
// the fields any more.
func (r *Record) Request(side Side, method, url string, h http.Header, body ...[]byte) {
	r.request(side, method, url, h, nil, body)
}

// Sent notes a request upstream as Request does. Pieces of its body that are slices of the
// client's, which has been noted and not been written to, are not copied again.
func (r *Record) Sent(method, url string, h http.Header, client []byte, body ...[]byte) {
	r.request(UpstreamRequest, method, url, h, client, body)
}

func (r *Record) request(side Side, method, url string, h http.Header, client []byte, pieces [][]byte) {
	if r == nil {
		return
	}
	m := message{seen: true, method: method, url: url, header: h}
	m.weigh()
	var b body
	m.size = b.take(pieces, client, r.perBody)
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		b.free()
		return
	}
	grown := b.held() - r.bodies[side].free()
	if side == UpstreamRequest {
		if r.attempts++; r.attempts > 1 {
			r.shown = append(r.shown, r.sides[side].credentials()...)
			grown += r.restart(UpstreamAnswer, message{})
		}
	}
	grown += m.long - r.sides[side].long
	r.sides[side], r.bodies[side] = m, b
	r.grew(grown)
}

// Answer notes the head of an answer, whose fields are written to no more; Write brings its body.
func (r *Record) Answer(side Side, status int, h http.Header) {
	if r == nil {
		return
	}
	m := message{seen: true, status: status, header: h}
	m.weigh()
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return
	}
	r.grew(r.restart(side, m))
}

// restart begins an answer anew, and returns how many bytes more are held. r.mu is held.
func (r *Record) restart(side Side, m message) (grown int64) {
	grown = m.long - r.sides[side].long - r.tape.size
	r.sides[side] = m
	r.tape.restart(int(side - UpstreamAnswer))
	return grown + r.tape.size
}

// Write notes the next bytes of an answer's body.
func (r *Record) Write(side Side, b []byte) {
	if r == nil || len(b) == 0 {
		return
	}
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return
	}
	r.grew(r.tape.add(int(side-UpstreamAnswer), b, r.perBody))
}

// grew ends a change, by which so many bytes more are held. r.mu is held, and then no longer.
func (r *Record) grew(by int64) {
	r.revision++
	if by == 0 {
		r.mu.Unlock()
		return
	}
	r.held.Add(by)
	r.mu.Unlock()
	r.store.grown(by)
}

// End marks the end of the exchange.
func (r *Record) End(failed bool) {
	if r == nil {
		return
	}
	if r.onlyErrors && !failed {
		r.store.forget(r)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done = true
	r.revision++
}

// close gives the memory back. The store's lock is held.
func (r *Record) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	r.closed = true
	for i := range r.bodies {
		r.bodies[i].free()
	}
	r.tape.free()
	r.sides, r.shown = [Sides]message{}, nil
	r.store.total.Add(-r.held.Swap(0))
}
