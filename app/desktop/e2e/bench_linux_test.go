package e2e

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// What the program costs while it does nothing, or much, on this machine; drawing is done
// without a graphics card here. packaging/desktop-bench.sh runs it.

const (
	starts   = 10
	openings = 100
	requests = 20_000
	senders  = 4
	calm     = 10 * time.Second // before something is measured
	measured = 20 * time.Second
)

// BenchmarkStart measures how long it takes until the program listens, and until its tray
// icon is there.
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		s := newSession(b, true)
		var listening, shown []time.Duration
		for range starts {
			addr := freeAddr(b)
			begin := time.Now()
			p := s.start("--hidden", "--listen", addr)
			first := func(what string, cond func() bool) time.Duration {
				for !cond() {
					if time.Since(begin) > patience {
						b.Fatalf("waited in vain for %s", what)
					}
					time.Sleep(2 * time.Millisecond)
				}
				return time.Since(begin)
			}
			listening = append(listening, first("the listener", func() bool { return accepts(addr) }))
			shown = append(shown, first("the icon", func() bool { return s.registered() > 0 }))
			p.says("Running on " + addr)
			p.click("Quit")
			p.end()
			s.until("the icon to go", func() bool { return s.registered() == 0 })
		}
		b.ReportMetric(middle(listening), "ms-to-listen")
		b.ReportMetric(middle(shown), "ms-to-tray")
		b.ReportMetric(0, "ns/op")
	}
}

func accepts(addr string) bool {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err == nil {
		_ = conn.Close()
	}
	return err == nil
}

// middle is the median in milliseconds.
func middle(d []time.Duration) float64 {
	slices.Sort(d)
	return float64(d[len(d)/2].Microseconds()) / 1000
}

// BenchmarkHidden measures a program that has never shown its window.
func BenchmarkHidden(b *testing.B) {
	for b.Loop() {
		s := newSession(b, true)
		p := s.start("--hidden", "--listen", freeAddr(b))
		p.says("Running on ")
		p.report(b, "")
	}
}

// BenchmarkOpenings measures a program whose window has been opened and closed often.
func BenchmarkOpenings(b *testing.B) {
	for b.Loop() {
		s := newSession(b, true)
		guided(b, s)
		p := s.start("--hidden", "--listen", freeAddr(b))
		p.says("Running on ")
		for i := range openings + 1 {
			switch i {
			case 1, openings / 2, openings:
				time.Sleep(calm)
				b.ReportMetric(p.memory("VmRSS"), fmt.Sprintf("MB-after-%d", i))
			}
			if i == openings {
				break
			}
			p.activate()
			s.window()
			s.key("ctrl+" + strconv.Itoa(1+i%5))
			s.key("ctrl+w")
			s.until("the window to hide", func() bool { return len(s.windows()) == 0 })
		}
		p.report(b, "")
	}
}

// BenchmarkVisible measures a program whose window is open, on its first page and on that
// of requests, where there are many.
func BenchmarkVisible(b *testing.B) {
	for b.Loop() {
		s := newSession(b, true)
		guided(b, s)
		s.env = append(s.env, "APEX_LOCAL_KEY="+localKey)
		addr := freeAddr(b)
		p := s.start("--listen", addr)
		w := s.window()
		p.says("Running on ")
		p.report(b, "-overview-empty")
		s.key("ctrl+2")
		begin, used := time.Now(), p.cpu()
		p.traffic(addr)
		b.ReportMetric(requests/time.Since(begin).Seconds(), "requests/s")
		b.ReportMetric(100*(p.cpu()-used).Seconds()/time.Since(begin).Seconds(), "%cpu-traffic")
		b.ReportMetric(p.memory("VmHWM"), "MB-most")
		s.settled(w, nil, "bench-requests")
		p.report(b, "-requests")
		s.key("ctrl+1")
		p.report(b, "-overview")
		s.key("ctrl+w")
		s.until("the window to hide", func() bool { return len(s.windows()) == 0 })
		p.report(b, "-hidden")
	}
}

// traffic sends requests as fast as they are answered.
func (p *program) traffic(addr string) {
	p.t.Helper()
	var wg sync.WaitGroup
	for range senders {
		wg.Go(func() {
			for n := range requests / senders {
				if status := post(p.t, addr, fmt.Sprintf(`{"model":"echo#demo","messages":[{"role":"user","content":%q}]}`, strings.Repeat("word ", 50+n%100))); status != 200 {
					p.t.Errorf("status %d", status)
					return
				}
			}
		})
	}
	wg.Wait()
}

// report measures what the program needs while nothing happens.
func (p *program) report(b *testing.B, name string) {
	b.Helper()
	time.Sleep(calm)
	used, switched, begin := p.cpu(), p.switches(), time.Now()
	time.Sleep(measured)
	took := time.Since(begin).Seconds()
	b.ReportMetric(100*(p.cpu()-used).Seconds()/took, "%cpu"+name)
	b.ReportMetric(float64(p.switches()-switched)/took, "wakeups/s"+name)
	b.ReportMetric(p.memory("VmRSS"), "MB"+name)
	b.ReportMetric(p.memory("RssAnon"), "MB-anon"+name)
	b.ReportMetric(0, "ns/op")
}

// memory is a figure of the program's status in megabytes.
func (p *program) memory(field string) float64 {
	p.t.Helper()
	return float64(p.number(p.proc("status"), field)) / 1024
}

// switches is how often the program's threads have been woken.
func (p *program) switches() (sum int) {
	p.t.Helper()
	threads, err := filepath.Glob(p.proc("task/*/status"))
	must(p.t, err)
	for _, file := range threads {
		sum += p.number(file, "voluntary_ctxt_switches")
	}
	return sum
}

// cpu is how much of the processor the program has used.
func (p *program) cpu() time.Duration {
	p.t.Helper()
	stat, err := os.ReadFile(p.proc("stat"))
	must(p.t, err)
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	var ticks int
	for _, f := range fields[11:13] {
		n, err := strconv.Atoi(f)
		must(p.t, err)
		ticks += n
	}
	return time.Duration(ticks) * time.Second / 100
}

func (p *program) proc(name string) string {
	return filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid), name)
}

// number is what a file of lines says of a field, 0 when it says nothing.
func (p *program) number(file, field string) int {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0 // a thread that has ended
	}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && name == field {
			n, _ := strconv.Atoi(strings.Fields(value)[0])
			return n
		}
	}
	return 0
}
