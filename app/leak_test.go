package app

import (
	"context"
	"net"
	"net/http"
	"os"
	"runtime"
	"testing"
	"time"

	"go.uber.org/goleak"

	"apex-ai-proxy/app/secret"
)

// openFiles is how many files the process has open, 0 where the system does not tell.
func openFiles() int {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(list)
}

func memory() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// leavesNothing begins to watch for goroutines. What it returns fails the test when one of those
// that have begun since does not end. goleak itself waits for less than half a second.
func leavesNothing(t *testing.T) (check func()) {
	before := goleak.IgnoreCurrent()
	return func() {
		t.Helper()
		var err error
		for limit := time.Now().Add(waits); ; {
			if err = goleak.Find(before); err == nil || time.Now().After(limit) {
				break
			}
		}
		if err != nil {
			t.Error(err)
		}
	}
}

// TestThousandStarts: starting and stopping leaves nothing behind, however often.
func TestThousandStarts(t *testing.T) {
	defer leavesNothing(t)()
	a, err := Open(context.Background(), Options{
		Flags: map[string]string{"listen": freeAddr(t)}, Env: given(t, map[string]string{"APEX_LOCAL_KEY": "key"}), Keychain: &secret.Memory{},
	})
	must(t, err)
	round := func(asks bool) {
		must(t, a.Start(context.Background()))
		addr := a.Status().Addr
		if asks && ask(t, addr, "key") != http.StatusOK {
			t.Error("it does not answer")
		}
		must(t, a.Stop(context.Background()))
		if c, err := net.Dial("tcp", addr); err == nil {
			_ = c.Close()
			t.Error("something listens still")
		}
	}
	for range 20 {
		round(true)
	}
	files, goroutines, heap := openFiles(), runtime.NumGoroutine(), memory()
	for i := range 1000 {
		round(i%20 == 0)
	}
	until(t, "what was started to end", func() bool { return runtime.NumGoroutine() <= goroutines })
	if n := openFiles(); n > files+2 {
		t.Errorf("%d files are open, before it were %d", n, files)
	}
	if n := memory(); n > heap+4<<20 {
		t.Errorf("the heap has %d KiB, before it had %d", n>>10, heap>>10)
	}
	must(t, a.Close(context.Background()))
}

// TestThousandApps: nor does opening and closing the program.
func TestThousandApps(t *testing.T) {
	defer leavesNothing(t)()
	env := given(t, map[string]string{"APEX_LOCAL_KEY": "key"})
	round := func() {
		a, err := Open(context.Background(), Options{Flags: map[string]string{"listen": "127.0.0.1:0"}, Env: env, Keychain: &secret.Memory{}})
		must(t, err)
		a.Captures()
		stop := a.Watch(func(Status) {})
		must(t, a.Start(context.Background()))
		stop()
		must(t, a.Close(context.Background()))
	}
	for range 20 {
		round()
	}
	files, heap := openFiles(), memory()
	for range 300 {
		round()
	}
	if n := openFiles(); n > files+2 {
		t.Errorf("%d files are open, before it were %d", n, files)
	}
	if n := memory(); n > heap+4<<20 {
		t.Errorf("the heap has %d KiB, before it had %d", n>>10, heap>>10)
	}
}
