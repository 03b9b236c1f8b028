package presenter

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"apex-ai-proxy/proxy/event"
)

// delivery is a batch with the moment it came.
type delivery struct {
	batch []event.Exchange
	at    time.Time
}

// runFeed runs a feed in a bubble of its own time. The user interface takes each batch at
// once unless stall is set.
func runFeed(t *testing.T, bus *event.Bus, stall *bool) (got *[]delivery, release func()) {
	t.Helper()
	got = new([]delivery)
	var held func()
	ctx, cancel := context.WithCancel(t.Context())
	f := NewFeed(bus, func(batch []event.Exchange, taken func()) {
		*got = append(*got, delivery{batch, time.Now()})
		if stall != nil && *stall {
			held = taken
			return
		}
		taken()
	})
	done := make(chan struct{})
	go func() { defer close(done); f.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return got, func() { held() }
}

func TestFeedBeginsWithTheMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := event.NewBus(10)
		bus.Publish(exchange(1, 1, event.Done))
		got, _ := runFeed(t, bus, nil)
		synctest.Wait()
		if len(*got) != 1 || len((*got)[0].batch) != 1 {
			t.Fatalf("delivered %+v", *got)
		}
	})
}

func TestFeedBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := event.NewBus(2000)
		got, _ := runFeed(t, bus, nil)
		synctest.Wait()
		start := time.Now()
		for n := range 200 { // in one second
			bus.Publish(exchange(n, 1, event.Done))
			time.Sleep(5 * time.Millisecond)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		batches, records := 0, 0
		for _, d := range *got {
			if !d.at.Before(start) && len(d.batch) > 0 {
				batches++
				records += len(d.batch)
			}
		}
		if records != 200 {
			t.Errorf("%d records came, want 200", records)
		}
		if batches > 11 || batches < 5 {
			t.Errorf("%d batches in a second, want at most ten and one", batches)
		}
	})
}

func TestFeedTicksOnlyWhileSomethingRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := event.NewBus(10)
		got, _ := runFeed(t, bus, nil)
		bus.Publish(exchange(1, 1, event.Streaming))
		time.Sleep(5 * time.Second)
		synctest.Wait()
		running := len(*got)
		if running < 5 {
			t.Errorf("%d deliveries in 5 s of a running stream, want one a second", running)
		}
		bus.Publish(exchange(1, 2, event.Done))
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := len(*got); n > running+2 {
			t.Errorf("%d deliveries after everything had ended", n-running)
		}
	})
}

func TestFeedWaitsForTheUserInterface(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := event.NewBus(5000)
		stall := true
		got, release := runFeed(t, bus, &stall)
		synctest.Wait()
		before := len(*got)
		for n := range 4000 { // more than the feed holds for a user interface that stands still
			bus.Publish(exchange(n, 1, event.Waiting))
			bus.Publish(exchange(n, 2, event.Done))
			if n%100 == 0 {
				time.Sleep(10 * time.Millisecond)
			}
		}
		synctest.Wait()
		if len(*got) != before {
			t.Fatal("a batch was delivered before the last one was taken")
		}
		stall = false
		release()
		time.Sleep(time.Second)
		synctest.Wait()
		wantAllDone(t, *got)
	})
}

// wantAllDone applies what was delivered to a log, and wants 4,000 rows of which none runs.
func wantAllDone(t *testing.T, got []delivery) {
	t.Helper()
	l := NewLog(5000)
	for _, d := range got {
		l.Apply(d.batch)
	}
	if l.Len() != 4000 || l.Running() != 0 {
		t.Errorf("%d rows with %d running, want 4000 and 0", l.Len(), l.Running())
	}
}

func TestFeedIsRightAgainAfterDrops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := event.NewBus(5000)
		got, _ := runFeed(t, bus, nil)
		synctest.Wait()
		for n := range 4000 { // at once: the feed cannot keep up
			bus.Publish(exchange(n, 1, event.Waiting))
			bus.Publish(exchange(n, 2, event.Done))
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		wantAllDone(t, *got)
	})
}
