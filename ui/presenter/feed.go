package presenter

import (
	"context"
	"time"

	"apex-ai-proxy/proxy/event"
)

const (
	feedInterval = 100 * time.Millisecond // between batches
	feedTick     = time.Second            // between looks at the clock while something runs
	feedBehind   = 1024                   // records the feed may be behind the bus
	feedPending  = 2048                   // exchanges that wait to be delivered
)

// Feed carries records from the bus to the user interface, at most ten times a second and
// never more than one batch ahead of it. When records were missed, or the user interface
// stands still for long, the whole memory of the bus is delivered instead, so the list is
// always right in the end.
type Feed struct {
	bus     *event.Bus
	deliver func(batch []event.Exchange, taken func())

	pending []event.Exchange
	at      map[string]int // id -> index in pending
	resync  bool
	running map[string]struct{}
}

// NewFeed returns a feed that hands batches to deliver, which must arrange that taken is
// called once the batch has been applied. A batch without records says that time has
// passed and durations have grown.
func NewFeed(bus *event.Bus, deliver func(batch []event.Exchange, taken func())) *Feed {
	return &Feed{bus: bus, deliver: deliver, at: map[string]int{}, running: map[string]struct{}{}}
}

// Run delivers until ctx ends. It begins with what the bus remembers.
func (f *Feed) Run(ctx context.Context) {
	sub := f.bus.Subscribe(feedBehind)
	defer sub.Close()
	taken := make(chan struct{}, 1)
	idle := true // the last batch was taken
	f.resync = true
	timer := time.NewTimer(0)
	defer timer.Stop()
	due := true // the timer is running towards a batch, not towards a tick
	for {
		select {
		case <-ctx.Done():
			return
		case x := <-sub.C:
			f.add(x)
			if !due {
				due = true
				timer.Reset(feedInterval)
			}
		case <-taken:
			idle = true
			if due = f.waiting(); due {
				timer.Reset(feedInterval)
			} else if len(f.running) > 0 {
				timer.Reset(feedTick)
			}
		case <-timer.C:
			due = false
			if sub.Dropped() > 0 {
				f.resync = true
			}
			if !idle {
				continue // the next look is when the batch is taken
			}
			idle = false
			f.deliver(f.take(), func() {
				select {
				case taken <- struct{}{}:
				default:
				}
			})
		}
	}
}

func (f *Feed) waiting() bool { return f.resync || len(f.pending) > 0 }

// add keeps the newest state of each exchange that waits to be delivered.
func (f *Feed) add(x event.Exchange) {
	f.track(x)
	if i, ok := f.at[x.ID]; ok {
		f.pending[i] = x
		return
	}
	if len(f.pending) >= feedPending {
		f.resync = true
		return
	}
	f.at[x.ID] = len(f.pending)
	f.pending = append(f.pending, x)
}

func (f *Feed) track(x event.Exchange) {
	if x.Phase.Final() {
		delete(f.running, x.ID)
	} else {
		f.running[x.ID] = struct{}{}
	}
}

// take is the next batch. After records were missed it is the memory of the bus followed
// by what is pending, which may be newer or already forgotten there.
func (f *Feed) take() []event.Exchange {
	batch := f.pending
	f.pending = nil
	clear(f.at)
	if !f.resync {
		return batch
	}
	f.resync = false
	batch = append(f.bus.Recent(), batch...)
	clear(f.running)
	latest := make(map[string]event.Exchange, len(batch))
	for _, x := range batch {
		if old, ok := latest[x.ID]; !ok || old.Revision < x.Revision {
			latest[x.ID] = x
		}
	}
	for _, x := range latest {
		f.track(x)
	}
	return batch
}
