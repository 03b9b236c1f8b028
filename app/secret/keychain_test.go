package secret

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/zalando/go-keyring"
)

// slowRing is a keychain that answers when it is let.
type slowRing struct {
	asked   chan string // a line for every call that began
	let     chan struct{}
	mu      sync.Mutex
	values  map[string]string
	running int
	most    int // calls that ran at the same time
}

func newSlowRing() *slowRing {
	return &slowRing{asked: make(chan string, 100), let: make(chan struct{}), values: map[string]string{}}
}

func (r *slowRing) call(line string, f func() error) error {
	r.mu.Lock()
	r.running++
	r.most = max(r.most, r.running)
	r.mu.Unlock()
	r.asked <- line
	<-r.let
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running--
	return f()
}

func (r *slowRing) Get(_, user string) (v string, err error) {
	err = r.call("get "+user, func() error {
		var ok bool
		if v, ok = r.values[user]; !ok {
			return keyring.ErrNotFound
		}
		return nil
	})
	return v, err
}

func (r *slowRing) Set(_, user, value string) error {
	return r.call("set "+user, func() error { r.values[user] = value; return nil })
}

func (r *slowRing) Delete(_, user string) error {
	return r.call("delete "+user, func() error { delete(r.values, user); return nil })
}

func always() error { return nil }

func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func TestKeychainRespectsTheContextAndJoinsTheCall(t *testing.T) {
	r := newSlowRing()
	r.values["a"] = "secret"
	k := newKeychain(r, always)

	ctx, cancel := context.WithCancel(context.Background())
	first := make(chan error, 1)
	go func() {
		_, err := k.Get(ctx, "a")
		first <- err
	}()
	<-r.asked // the system shows its dialog
	cancel()
	if err := <-first; !errors.Is(err, ErrBusy) {
		t.Fatalf("got %v, want ErrBusy", err)
	}
	if _, err := k.Get(ended(), "a"); !errors.Is(err, ErrBusy) {
		t.Fatalf("got %v, want ErrBusy", err)
	}

	type answer struct {
		v   string
		err error
	}
	const callers = 5
	got := make(chan answer, callers)
	for range callers {
		go func() {
			v, err := k.Get(context.Background(), "a")
			got <- answer{v, err}
		}()
	}
	close(r.let) // the user has typed the password
	for range callers {
		if a := <-got; a.v != "secret" || a.err != nil {
			t.Errorf("got %q, %v", a.v, a.err)
		}
	}
	if len(r.asked) != 0 {
		t.Errorf("the system was asked again: %s", <-r.asked)
	}
}

func TestKeychainShowsOneDialogAtATime(t *testing.T) {
	r := newSlowRing()
	k := newKeychain(r, always)
	var wg sync.WaitGroup
	for _, name := range []string{"a", "b", "c"} {
		wg.Go(func() {
			if _, err := k.Get(context.Background(), name); !errors.Is(err, ErrMissing) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	for waiting := 0; waiting < 3; runtime.Gosched() {
		k.mu.Lock()
		waiting = len(k.calls)
		k.mu.Unlock()
	}
	for range 3 {
		<-r.asked
		r.let <- struct{}{}
	}
	wg.Wait()
	if r.most != 1 {
		t.Errorf("%d calls ran at the same time", r.most)
	}
}

func TestKeychainRemembers(t *testing.T) {
	ctx := context.Background()
	r := newSlowRing()
	close(r.let)
	k := newKeychain(r, always)
	want := func(lines ...string) {
		t.Helper()
		var got []string
		for len(r.asked) > 0 {
			got = append(got, <-r.asked)
		}
		if strings.Join(got, ",") != strings.Join(lines, ",") {
			t.Errorf("the system was asked %q, want %q", got, lines)
		}
	}

	if _, err := k.Get(ctx, "a"); !errors.Is(err, ErrMissing) {
		t.Fatal(err)
	}
	want("get a")
	if err := k.Set(ctx, "a", " one\n"); err != nil {
		t.Fatal(err)
	}
	want("set a")
	if v, err := k.Get(ended(), "a"); v != "one" || err != nil {
		t.Errorf("got %q, %v", v, err)
	}
	want()
	if err := k.Delete(ctx, "a"); err != nil {
		t.Fatal(err)
	}
	want("delete a")
	if _, err := k.Get(ctx, "a"); !errors.Is(err, ErrMissing) {
		t.Errorf("got %v", err)
	}
	want("get a")
	r.values["a"] = "" // another program's doing
	if v, err := k.Get(ctx, "a"); v != "" || !errors.Is(err, ErrMissing) {
		t.Errorf("got %q, %v", v, err)
	}
}

// A write that outlives its caller's patience still counts.
func TestKeychainRemembersALateWrite(t *testing.T) {
	r := newSlowRing()
	k := newKeychain(r, always)
	ctx, cancel := context.WithCancel(context.Background())
	first := make(chan error, 1)
	go func() { first <- k.Set(ctx, "a", "new") }()
	<-r.asked
	cancel()
	if err := <-first; !errors.Is(err, ErrBusy) {
		t.Fatalf("got %v, want ErrBusy", err)
	}
	close(r.let)
	if v, err := k.Get(context.Background(), "a"); v != "new" || err != nil {
		t.Errorf("got %q, %v", v, err)
	}
	if len(r.asked) != 0 {
		t.Errorf("the system was asked again: %s", <-r.asked)
	}
}

// errorRing fails in a given way, or panics.
type errorRing struct {
	err   error
	panic any
}

func (r errorRing) Get(string, string) (string, error) {
	if r.panic != nil {
		panic(r.panic)
	}
	return "", r.err
}
func (r errorRing) Set(string, string, string) error { return r.err }
func (r errorRing) Delete(string, string) error      { return r.err }

func TestKeychainStates(t *testing.T) {
	ctx := context.Background()
	for _, tc := range []struct{ from, want error }{
		{keyring.ErrNotFound, ErrMissing},
		{keyring.ErrSetDataTooBig, ErrTooLarge},
		{keyring.ErrUnsupportedPlatform, ErrNoService},
	} {
		k := newKeychain(errorRing{err: tc.from}, always)
		if _, err := k.Get(ctx, "a"); !errors.Is(err, tc.want) {
			t.Errorf("%v: get gave %v", tc.from, err)
		}
		if err := k.Set(ctx, "a", "x"); !errors.Is(err, tc.want) {
			t.Errorf("%v: set gave %v", tc.from, err)
		}
		if err := k.Delete(ctx, "a"); !errors.Is(err, tc.want) {
			t.Errorf("%v: delete gave %v", tc.from, err)
		}
	}

	k := newKeychain(errorRing{panic: "interface conversion"}, always)
	if _, err := k.Get(ctx, "a"); err == nil || !strings.Contains(err.Error(), "makes no sense") {
		t.Errorf("got %v", err)
	}
	k = newKeychain(errorRing{panic: "the bus was started"}, func() error { return ErrNoService })
	if _, err := k.Get(ctx, "a"); !errors.Is(err, ErrNoService) {
		t.Errorf("got %v", err)
	}
	if err := k.Set(ctx, "a", strings.Repeat("x", MaxSize+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v", err)
	}
}
