package event

import (
	"slices"
	"sync"
	"sync/atomic"
)

// Bus hands records to subscribers and keeps the latest state of the last exchanges.
// The zero Bus is not usable; see NewBus. It is safe for concurrent use.
type Bus struct {
	mu      sync.Mutex
	subs    map[*Subscription]struct{}
	usual   ring
	refused ring // so that whoever may not use the proxy does not push out the others
	tap     func()
}

// refusedShare is how many refused exchanges are remembered: one for so many others.
const refusedShare = 10

// NewBus returns a bus that remembers the last keep exchanges (at least 1), and some that were
// refused.
func NewBus(keep int) *Bus {
	keep = max(keep, 1)
	return &Bus{subs: make(map[*Subscription]struct{}), usual: newRing(keep), refused: newRing(max(1, keep/refusedShare))}
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
	if x.Refused {
		b.refused.keep(x)
	} else {
		b.usual.keep(x)
	}
}

// Recent is the latest state of the remembered exchanges, oldest first.
func (b *Bus) Recent() []Exchange {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]Exchange, 0, len(b.usual.list)+len(b.refused.list))
	out = b.usual.append(out)
	if len(b.refused.list) > 0 {
		out = b.refused.append(out)
		slices.SortStableFunc(out, func(a, b Exchange) int { return a.Start.Compare(b.Start) })
	}
	return out
}

// Find is the latest state of one exchange, if it is still remembered.
func (b *Bus) Find(id string) (Exchange, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range []*ring{&b.usual, &b.refused} {
		if i, ok := r.at[id]; ok {
			return r.list[i], true
		}
	}
	return Exchange{}, false
}

// Clear forgets every exchange that has ended.
func (b *Bus) Clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.usual.clear()
	b.refused.clear()
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
