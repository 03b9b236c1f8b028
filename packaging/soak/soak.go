package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// options say how hard a soak is.
type options struct {
	length   time.Duration
	requests int64 // the soak ends after so many, when it is not 0
	clients  int
	every    time.Duration // between two lines of the report
	out      io.Writer
}

// soak is a running one.
type soak struct {
	gateway *gateway
	child   *child
	http    *http.Client
	seed    atomic.Uint64

	mu    sync.Mutex
	done  map[string]int    // requests by kind
	got   map[uint64][]byte // what a client got of an answer that passed through, by seed
	wrong []string
	bad   int
}

// changeEvery is how often the settings change under load.
const changeEvery = 150 * time.Millisecond

// run soaks the program and reports; an error says what was wrong.
func run(ctx context.Context, o options) error {
	g, err := newGateway()
	if err != nil {
		return err
	}
	defer g.close()
	p, err := startChild(g.url)
	if err != nil {
		return err
	}
	defer p.kill()
	s := &soak{gateway: g, child: p, done: map[string]int{}, got: map[uint64][]byte{}, http: &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: o.clients, DisableCompression: true,
	}}}
	g.wrong = s.fail
	before, err := p.measure()
	if err != nil {
		return err
	}
	curve := s.load(ctx, o)
	s.http.CloseIdleConnections()
	after, err := p.stop(before)
	if err != nil {
		return err
	}
	fmt.Fprintf(o.out, "before     %v\nstopped    %v\n", before, after)
	for _, kind := range slices.Sorted(maps.Keys(s.done)) {
		fmt.Fprintf(o.out, "%8d %s\n", s.done[kind], kind)
	}
	return errors.Join(s.verdict(), leftOver(before, after), steady(curve))
}

// load runs the clients and whoever changes the settings, and measures meanwhile.
func (s *soak) load(ctx context.Context, o options) (curve []usage) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, o.length)
	defer cancel()
	var all sync.WaitGroup
	for range o.clients {
		all.Go(func() {
			for ctx.Err() == nil && (o.requests == 0 || s.seed.Load() < uint64(o.requests)) {
				s.one(s.seed.Add(1))
			}
		})
	}
	ended := make(chan struct{})
	go func() { all.Wait(); close(ended) }()
	change, report := time.NewTicker(changeEvery), time.NewTicker(o.every)
	defer change.Stop()
	defer report.Stop()
	for {
		select {
		case <-ended:
			return curve
		case <-change.C:
			if err := s.child.change(); err != nil {
				s.fail("settings: %v", err)
			}
		case <-report.C:
			u, err := s.child.measure()
			if err != nil {
				s.fail("measure: %v", err)
				return curve
			}
			curve = append(curve, u)
			s.mu.Lock()
			fmt.Fprintf(o.out, "%8v   %v, %d requests, %d wrong\n", time.Since(began).Round(time.Second), u, s.seed.Load(), s.bad)
			s.mu.Unlock()
		}
	}
}

// fail notes something that is wrong.
func (s *soak) fail(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bad++; len(s.wrong) < 20 {
		s.wrong = append(s.wrong, fmt.Sprintf(format, args...))
	}
}

func (s *soak) verdict() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bad == 0 {
		return nil
	}
	return fmt.Errorf("%d wrong:\n%s", s.bad, strings.Join(s.wrong, "\n"))
}

// spare is how many goroutines and files may be more after a soak than before: those of the
// runtime, and of connections that the system has not closed yet.
const spare = 4

// leftOver is what a soak left behind in a program that was stopped.
func leftOver(before, after usage) error {
	if after.Open > 0 {
		return fmt.Errorf("%d records are not closed", after.Open)
	}
	if after.Goroutines > before.Goroutines+spare || after.Files > before.Files+spare {
		return fmt.Errorf("something is left: %v, before it was %v", after, before)
	}
	return nil
}

// steady tells whether the memory stays what it is, when there is enough to see that.
func steady(curve []usage) error {
	const warm, room = 3, 16 << 20
	if len(curve) < 2*warm {
		return nil
	}
	first, last := curve[warm-1], curve[len(curve)-1]
	if last.Heap > first.Heap+first.Heap/2+room {
		return fmt.Errorf("the heap grows: %v, then %v", first, last)
	}
	return nil
}
