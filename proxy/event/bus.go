package event

import (
	"sync"
	"sync/atomic"
)

// Bus hands records to subscribers and keeps the latest state of the last exchanges.
// The zero Bus is not usable; see NewBus. It is safe for concurrent use.
type Bus struct {
	mu   sync.Mutex
	subs map[*Subscription]struct{}
	ring []Exchange     // in order of start, oldest at head once full
	head int            // index of the oldest record
	at   map[string]int // id -> index in ring
	tap  func()
}

// NewBus returns a bus that remembers the last keep exchanges (at least 1).
func NewBus(keep int) *Bus {
	keep = max(keep, 1)
	return &Bus{
		subs: make(map[*Subscription]struct{}),
		ring: make([]Exchange, 0, keep),
		at:   make(map[string]int, keep),
	}
}

// Tap has f called with every record, before anything else is done with it. It must be called
// before the first one.
func (b *Bus) Tap(f func()) { b.tap = f }

// Publish records a new state of an exchange and hands it to every subscriber that has
// room for it. It never blocks.
func (b *Bus) Publish(x Exchange) {
	if b.tap != nil {
		b.tap()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.keep(x)
	for s := range b.subs {
		select {
		case s.c <- x:
		default:
			s.dropped.Add(1)
		}
	}
}

func (b *Bus) keep(x Exchange) {
	if i, ok := b.at[x.ID]; ok {
		if b.ring[i].Revision < x.Revision {
			b.ring[i] = x
		}
		return
	}
	if x.Revision > 1 {
		return // it has left the ring already
	}
	if len(b.ring) < cap(b.ring) {
		b.at[x.ID] = len(b.ring)
		b.ring = append(b.ring, x)
		return
	}
	delete(b.at, b.ring[b.head].ID)
	b.ring[b.head] = x
	b.at[x.ID] = b.head
	b.head = (b.head + 1) % len(b.ring)
}

// Recent is the latest state of the remembered exchanges, oldest first.
func (b *Bus) Recent() []Exchange {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]Exchange, 0, len(b.ring))
	out = append(out, b.ring[b.head:]...)
	return append(out, b.ring[:b.head]...)
}

// Find is the latest state of one exchange, if it is still remembered.
func (b *Bus) Find(id string) (Exchange, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i, ok := b.at[id]
	if !ok {
		return Exchange{}, false
	}
	return b.ring[i], true
}

// Clear forgets every exchange that has ended.
func (b *Bus) Clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	kept := make([]Exchange, 0, cap(b.ring))
	for i := range b.ring {
		if x := b.ring[(b.head+i)%len(b.ring)]; !x.Phase.Final() {
			kept = append(kept, x)
		}
	}
	b.ring, b.head = kept, 0
	clear(b.at)
	for i := range kept {
		b.at[kept[i].ID] = i
	}
}

// Subscription receives records until it is closed.
type Subscription struct {
	// C delivers the records. It is closed by Close.
	C       <-chan Exchange
	c       chan Exchange
	bus     *Bus
	dropped atomic.Int64
}

// Subscribe returns a subscription that can fall behind by up to size records.
func (b *Bus) Subscribe(size int) *Subscription {
	c := make(chan Exchange, size)
	s := &Subscription{C: c, c: c, bus: b}
	b.mu.Lock()
	b.subs[s] = struct{}{}
	b.mu.Unlock()
	return s
}

// Dropped is how many records were missed since the last call.
func (s *Subscription) Dropped() int64 { return s.dropped.Swap(0) }

// Close ends the subscription. It may be called more than once.
func (s *Subscription) Close() {
	s.bus.mu.Lock()
	defer s.bus.mu.Unlock()
	if _, ok := s.bus.subs[s]; ok {
		delete(s.bus.subs, s)
		close(s.c)
	}
}
