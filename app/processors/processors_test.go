package processors

import (
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// load is a program that uses so many processors.
type load struct {
	mu    sync.Mutex
	share float64
	spent time.Duration
	at    time.Time
	lost  bool
	crowd int    // goroutines that wait
	all   []bool // what the governor set: all processors, or one
	looks int
}

func (l *load) used() (time.Duration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.looks++
	if l.lost {
		return 0, errors.New("unknown")
	}
	l.count()
	return l.spent, nil
}

func (l *load) waiting() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.crowd
}

// queue has so many goroutines wait from now on.
func (l *load) queue(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.crowd = n
}

// count adds what was used since it was called last. l.mu is held.
func (l *load) count() {
	now := time.Now()
	l.spent += time.Duration(float64(now.Sub(l.at)) * l.share)
	l.at = now
}

// use has the program use so many from now on.
func (l *load) use(share float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count()
	l.share = share
}

func (l *load) limit(all bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, all)
}

// seen is what was set so far, and how often the governor looked.
func (l *load) seen() (all []bool, looks int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.all), l.looks
}

// lose makes the time unknown.
func (l *load) lose() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lost = true
}

// find makes it known again.
func (l *load) find() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lost = false
}

// governed runs f with a governor over l, which does something all the time.
func governed(t *testing.T, f func(g *Governor, l *load, pass func(share float64, d time.Duration))) {
	synctest.Test(t, func(t *testing.T) {
		l := &load{at: time.Now()}
		g := New(l.used, l.waiting, l.limit)
		defer g.Close()
		f(g, l, func(share float64, d time.Duration) {
			l.use(share)
			for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(lookEvery / 4) {
				g.Busy()
			}
			synctest.Wait()
		})
	})
}

func wants(t *testing.T, l *load, all ...bool) {
	t.Helper()
	if got, _ := l.seen(); !slices.Equal(got, all) {
		t.Errorf("set %v, want %v", got, all)
	}
}

// TestManyRequests: their moments fall together, however little they use.
func TestManyRequests(t *testing.T) {
	governed(t, func(g *Governor, l *load, pass func(float64, time.Duration)) {
		var running atomic.Int64
		g.Serves(func() int { return int(running.Load()) })
		running.Store(many - 1)
		pass(0.1, 5*time.Second)
		wants(t, l, false)
		running.Store(many)
		pass(0.1, 5*time.Second)
		wants(t, l, false, true)
		running.Store(many - 1)
		pass(0.1, 5*time.Second)
		wants(t, l, false, true, false)
	})
}

func TestOneProcessorUntilItIsUsedUp(t *testing.T) {
	for name, c := range map[string]struct {
		share []float64 // a second each
		want  []bool
	}{
		"idle":                    {[]float64{0, 0, 0}, []bool{false}},
		"enough":                  {[]float64{0.3, 0.8, 0.85}, []bool{false}},
		"used up":                 {[]float64{0.3, 1, 1}, []bool{false, true}},
		"more than one":           {[]float64{1, 3, 3}, []bool{false, true}},
		"more than half of one":   {[]float64{1, 0.6, 0.6, 0.6, 0.6}, []bool{false, true}},
		"calm again":              {[]float64{1, 0.2, 0.2, 0.2}, []bool{false, true, false}},
		"not calm for long":       {[]float64{1, 0.2, 1, 0.2, 1}, []bool{false, true}},
		"used up once more":       {[]float64{1, 0, 0, 0, 1}, []bool{false, true, false, true}},
		"nothing for a long time": {[]float64{1, 0, 0, 0, 0, 0, 0, 0, 0}, []bool{false, true, false}},
	} {
		t.Run(name, func(t *testing.T) {
			governed(t, func(_ *Governor, l *load, pass func(float64, time.Duration)) {
				for _, share := range c.share {
					pass(share, time.Second)
				}
				wants(t, l, c.want...)
			})
		})
	}
}

// TestOthersTakeTheirPart: on a busy machine one processor is never used up, and yet too little.
func TestOthersTakeTheirPart(t *testing.T) {
	governed(t, func(_ *Governor, l *load, pass func(float64, time.Duration)) {
		l.queue(crowd - 1)
		pass(0.4, 5*time.Second)
		wants(t, l, false)
		l.queue(crowd)
		pass(0.4, lookEvery) // for a moment
		l.queue(0)
		pass(0.4, time.Second)
		wants(t, l, false)
		l.queue(crowd)
		pass(0.4, 5*time.Second)
		wants(t, l, false, true)
		for range calmAfter { // again and again
			l.queue(0)
			pass(0.4, lookEvery)
			l.queue(crowd)
			pass(0.4, lookEvery)
		}
		wants(t, l, false, true)
		l.queue(0)
		pass(0.4, 5*time.Second)
		wants(t, l, false, true, false)
	})
}

// TestRunnable: the runtime tells how many wait.
func TestRunnable(t *testing.T) {
	waiting := runnable()
	var ended sync.WaitGroup
	var stop atomic.Bool
	for range 3 * crowd {
		ended.Go(func() {
			for !stop.Load() {
				runtime.Gosched()
			}
		})
	}
	for start := time.Now(); waiting() < crowd; runtime.Gosched() {
		if time.Since(start) > time.Minute {
			t.Error("nobody waits")
			break
		}
	}
	stop.Store(true)
	ended.Wait()
}

// A short piece of work, such as a large request, is no reason.
func TestAPieceOfWorkTakesOneProcessor(t *testing.T) {
	governed(t, func(_ *Governor, l *load, pass func(float64, time.Duration)) {
		for range 20 {
			pass(1, lookEvery*9/10)
			pass(0, lookEvery*21/10)
		}
		wants(t, l, false)
	})
}

func TestAWindowHasAllProcessors(t *testing.T) {
	governed(t, func(g *Governor, l *load, pass func(float64, time.Duration)) {
		g.Seen(true)
		synctest.Wait()
		wants(t, l, false, true)
		pass(0.1, 5*time.Second)
		time.Sleep(time.Minute)
		wants(t, l, false, true)
		g.Seen(false)
		time.Sleep(time.Minute) // nothing is done
		wants(t, l, false, true, false)
		pass(1, time.Second)
		g.Seen(true)
		g.Seen(false)
		pass(0, 3*time.Second)
		wants(t, l, false, true, false, true, false)
	})
}

// TestSoon: a fraction of a second is enough, after a rest too.
func TestSoon(t *testing.T) {
	governed(t, func(_ *Governor, l *load, pass func(float64, time.Duration)) {
		pass(1, 250*time.Millisecond)
		wants(t, l, false, true)
		l.use(0)
		time.Sleep(time.Hour)
		wants(t, l, false, true, false)
		pass(1, 250*time.Millisecond)
		wants(t, l, false, true, false, true)
	})
}

// TestWorkThatNobodyTells: what goes on keeps the governor awake, such as a stream at full speed.
func TestWorkThatNobodyTells(t *testing.T) {
	governed(t, func(g *Governor, l *load, _ func(float64, time.Duration)) {
		g.Busy()
		l.use(0.1)
		time.Sleep(time.Minute)
		l.use(1)
		time.Sleep(time.Second)
		wants(t, l, false, true)
	})
}

// TestNothingToDo: nobody looks while nothing is done, with a window or without.
func TestNothingToDo(t *testing.T) {
	for _, seen := range []bool{false, true} {
		governed(t, func(g *Governor, l *load, pass func(float64, time.Duration)) {
			g.Seen(seen)
			pass(1, time.Second)
			l.use(0)
			time.Sleep(5 * time.Second)
			_, before := l.seen()
			time.Sleep(time.Hour)
			if _, looks := l.seen(); looks != before {
				t.Errorf("window %v: %d looks in an hour", seen, looks-before)
			}
		})
	}
}

func TestProcessorTimeThatIsLostIsNoLimit(t *testing.T) {
	governed(t, func(_ *Governor, l *load, pass func(float64, time.Duration)) {
		l.lose()
		pass(0, time.Second)
		wants(t, l, false, true)
	})
}

func TestProcessorTimeThatIsFoundAgain(t *testing.T) {
	governed(t, func(g *Governor, l *load, pass func(float64, time.Duration)) {
		l.lose()
		pass(0, time.Second)
		l.find()
		g.Seen(true)
		g.Seen(false)
		pass(0, 5*time.Second)
		wants(t, l, false, true)
	})
}

// TestNothingIsMissed: what is done while the governor goes to rest wakes it again.
func TestNothingIsMissed(t *testing.T) {
	l := &load{at: time.Now()}
	g := New(l.used, l.waiting, l.limit)
	defer g.Close()
	for i := range 50_000 {
		g.mu.Lock()
		g.wake(time.Hour)
		g.timer.Reset(time.Hour) // only the test looks
		g.idle = restAfter
		g.mu.Unlock()
		g.busy.Store(false)
		var both sync.WaitGroup
		var ready atomic.Int32 // both begin at the same moment
		begin := func() {
			for ready.Add(1); ready.Load() < 2; runtime.Gosched() {
			}
		}
		both.Go(func() { begin(); g.look() })
		both.Go(func() { begin(); g.Busy() })
		both.Wait()
		if g.mu.Lock(); g.busy.Load() && !g.awake {
			t.Errorf("round %d: something is done, and the governor rests for ever", i)
		}
		g.mu.Unlock()
		if t.Failed() {
			return
		}
	}
}

// TestNobodyWaitsForProcessors: to set them takes as long as a garbage collection.
func TestNobodyWaitsForProcessors(t *testing.T) {
	l := &load{at: time.Now(), share: 1}
	setting, set := make(chan bool), make(chan bool)
	g := New(l.used, l.waiting, func(all bool) {
		l.limit(all)
		if all {
			setting <- true
			<-set
		}
	})
	defer g.Close()
	g.Seen(true)
	<-setting
	done := make(chan bool)
	go func() {
		defer close(done)
		g.busy.Store(false)
		g.Busy()
		g.Seen(false)
		g.Seen(true)
	}()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Error("a request and the window wait")
	}
	close(set)
	<-done
}

// TestGovern: the runtime does what is decided.
func TestGovern(t *testing.T) {
	t.Setenv("GOMAXPROCS", "")
	before := runtime.GOMAXPROCS(0)
	g := Govern()
	if n := runtime.GOMAXPROCS(0); n != 1 {
		t.Errorf("%d processors", n)
	}
	g.Seen(true)
	for start := time.Now(); runtime.GOMAXPROCS(0) != before; time.Sleep(time.Millisecond) {
		if time.Since(start) > time.Minute {
			t.Fatalf("%d processors for the window, want %d", runtime.GOMAXPROCS(0), before)
		}
	}
	g.Close()
	if n := runtime.GOMAXPROCS(0); n != before {
		t.Errorf("%d processors in the end, want %d", n, before)
	}
	g = Govern()
	g.Close()
	if n := runtime.GOMAXPROCS(0); n != before {
		t.Errorf("%d processors after a short run, want %d", n, before)
	}
}

func TestCloseLeavesAll(t *testing.T) {
	governed(t, func(g *Governor, l *load, pass func(float64, time.Duration)) {
		pass(0.1, time.Second)
		g.Close()
		_, before := l.seen()
		pass(0.1, 10*time.Second)
		g.Seen(true)
		g.Seen(false)
		time.Sleep(time.Minute)
		wants(t, l, false, true)
		if _, looks := l.seen(); looks != before {
			t.Errorf("%d looks", looks-before)
		}
	})
}

func TestNoGovernor(*testing.T) {
	var g *Governor
	g.Busy()
	g.Seen(true)
	g.Close()
}

func TestTheUserSaysHowMany(t *testing.T) {
	t.Setenv("GOMAXPROCS", "3")
	if g := Govern(); g != nil {
		g.Close()
		t.Error("the program is governed")
	}
}

// worker is set for a test program that works for a while and says how much processor time that took.
const worker = "APEX_TEST_WORKER"

// TestProcessorTime: it is what the system counts for a program that has ended.
func TestProcessorTime(t *testing.T) {
	const rounds = 30_000
	if os.Getenv(worker) != "" {
		page := make([]byte, 64<<10)
		for range rounds { // some for itself, some for the system
			crc32.ChecksumIEEE(page)
			if _, err := processorTime(); err != nil {
				t.Fatal(err)
			}
		}
		spent, _ := processorTime()
		fmt.Printf("spent %d\n", spent)
		return
	}
	c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProcessorTime$")
	c.Env = append(os.Environ(), worker+"=1")
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	var spent time.Duration
	if _, err := fmt.Sscanf(string(out), "spent %d", &spent); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if all := c.ProcessState.UserTime() + c.ProcessState.SystemTime(); spent > all || spent < all*4/5 {
		t.Errorf("%v, of %v until its end (%v, %v)", spent, all, c.ProcessState.UserTime(), c.ProcessState.SystemTime())
	}
}
