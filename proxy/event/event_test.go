package event_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"apex-ai-proxy/proxy/event"
)

func ids(list []event.Exchange) []string {
	out := make([]string, len(list))
	for i, x := range list {
		out[i] = fmt.Sprintf("%s/%d", x.ID, x.Revision)
	}
	return out
}

func TestRingKeepsTheLastInOrder(t *testing.T) {
	b := event.NewBus(3)
	for i := range 5 {
		b.Publish(event.Exchange{ID: fmt.Sprint(i), Revision: 1})
	}
	b.Publish(event.Exchange{ID: "3", Revision: 2})
	b.Publish(event.Exchange{ID: "3", Revision: 1}) // late and older: ignored
	b.Publish(event.Exchange{ID: "0", Revision: 2}) // has left the ring
	if got, want := ids(b.Recent()), []string{"2/1", "3/2", "4/1"}; !slices.Equal(got, want) {
		t.Errorf("recent %v, want %v", got, want)
	}
	if x, ok := b.Find("3"); !ok || x.Revision != 2 {
		t.Errorf("found %v %t", x, ok)
	}
	if _, ok := b.Find("0"); ok {
		t.Error("found a record that left the ring")
	}
}

// TestRefusedLeaveRoom: a client with a wrong key, which asks again and again, does not push out
// the others.
func TestRefusedLeaveRoom(t *testing.T) {
	b := event.NewBus(20)
	start := time.Now()
	publish := func(n int, refused bool) {
		b.Publish(event.Exchange{ID: fmt.Sprint(n), Revision: 1, Start: start.Add(time.Duration(n)), Refused: refused, Phase: event.Failed})
	}
	publish(0, false)
	for n := 1; n < 40; n++ {
		publish(n, true)
	}
	publish(40, false)
	if got, want := ids(b.Recent()), []string{"0/1", "38/1", "39/1", "40/1"}; !slices.Equal(got, want) {
		t.Errorf("recent %v, want %v", got, want)
	}
	for _, id := range []string{"0", "39"} {
		if x, ok := b.Find(id); !ok || x.ID != id {
			t.Errorf("%s is not found", id)
		}
	}
	if b.Clear(); len(b.Recent()) > 0 {
		t.Error("some are left")
	}
}

func TestTapIsCalledWithEveryRecord(t *testing.T) {
	b := event.NewBus(1)
	n := 0
	b.Tap(func() { n++ })
	for i := range 3 {
		b.Publish(event.Exchange{ID: "a", Revision: i + 1})
	}
	if n != 3 {
		t.Errorf("called %d times", n)
	}
}

func TestClearKeepsRunning(t *testing.T) {
	b := event.NewBus(3)
	for i, p := range []event.Phase{event.Done, event.Streaming, event.Failed, event.Waiting} {
		b.Publish(event.Exchange{ID: fmt.Sprint(i), Revision: 1, Phase: p})
	}
	b.Clear()
	b.Publish(event.Exchange{ID: "4", Revision: 1})
	b.Publish(event.Exchange{ID: "1", Revision: 2})
	if got, want := ids(b.Recent()), []string{"1/2", "3/1", "4/1"}; !slices.Equal(got, want) {
		t.Errorf("recent %v, want %v", got, want)
	}
}

func TestSlowSubscriberMissesAndIsTold(t *testing.T) {
	b := event.NewBus(10)
	slow, fast := b.Subscribe(2), b.Subscribe(10)
	for i := range 5 {
		b.Publish(event.Exchange{ID: fmt.Sprint(i), Revision: 1})
	}
	if n := slow.Dropped(); n != 3 {
		t.Errorf("%d dropped, want 3", n)
	}
	if n := slow.Dropped(); n != 0 {
		t.Errorf("%d dropped since, want 0", n)
	}
	slow.Close()
	slow.Close()
	n := 0
	for range slow.C {
		n++
	}
	if n != 2 || len(fast.C) != 5 || fast.Dropped() != 0 {
		t.Errorf("slow got %d, fast %d", n, len(fast.C))
	}
	b.Publish(event.Exchange{ID: "after", Revision: 1}) // must not reach a closed channel
}

func TestConcurrentUse(t *testing.T) {
	b := event.NewBus(50)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 200 {
				b.Publish(event.Exchange{ID: fmt.Sprint(g, i%20), Revision: i/20 + 1})
			}
		})
		wg.Go(func() {
			for range 50 {
				s := b.Subscribe(1)
				b.Recent()
				s.Close()
			}
		})
	}
	wg.Wait()
	if n := len(b.Recent()); n != 50 {
		t.Errorf("%d records kept, want 50", n)
	}
}

func TestConverted(t *testing.T) {
	for _, c := range []struct {
		client, upstream string
		want             bool
	}{{"a", "a", false}, {"a", "b", true}, {"a", "", false}} {
		x := event.Exchange{ClientProtocol: c.client, UpstreamProtocol: c.upstream}
		if x.Converted() != c.want {
			t.Errorf("%s to %s: %t", c.client, c.upstream, !c.want)
		}
	}
}

func BenchmarkPublish(b *testing.B) {
	bus := event.NewBus(500)
	defer bus.Subscribe(16).Close()
	x := event.Exchange{ID: "req_1", Revision: 1}
	b.ReportAllocs()
	for b.Loop() {
		x.Revision++
		bus.Publish(x)
	}
}
