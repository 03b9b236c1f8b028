package app

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestInstance(t *testing.T) {
	for name, dir := range map[string]string{
		"short": filepath.Join(t.TempDir(), "new"),
		"long":  filepath.Join(t.TempDir(), strings.Repeat("long", 30)),
	} {
		t.Run(name, func(t *testing.T) {
			first, err := AcquireInstance(t.Context(), dir, nil)
			if err != nil {
				t.Fatal(err)
			}
			shown := make(chan struct{}, 10)
			first.OnShow(func([]string) bool { shown <- struct{}{}; return true })
			for range 2 {
				if _, err := AcquireInstance(t.Context(), dir, nil); !errors.Is(err, ErrAlreadyRunning) {
					t.Fatalf("second copy: %v", err)
				}
				if len(shown) != 1 {
					t.Fatal("the answer came before the window was shown")
				}
				<-shown
			}
			if err := first.Close(); err != nil {
				t.Fatal(err)
			}
			next, err := AcquireInstance(t.Context(), dir, nil)
			if err != nil {
				t.Fatalf("after the first has ended: %v", err)
			}
			if err := next.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestInstanceRemembersAnEarlyRequest(t *testing.T) {
	dir := t.TempDir()
	first, err := AcquireInstance(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if _, err := AcquireInstance(t.Context(), dir, nil); !errors.Is(err, ErrAlreadyRunning) {
		t.Fatal(err)
	}
	shown := make(chan struct{})
	first.OnShow(func([]string) bool { close(shown); return true })
	<-shown
}

func TestInstanceSurvivesACrashedOneAndNonsense(t *testing.T) {
	dir := t.TempDir()
	leaveBehind(t, dir)
	first, err := AcquireInstance(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	shown := make(chan struct{}, 1)
	first.OnShow(func([]string) bool { shown <- struct{}{}; return true })
	for _, text := range []string{"", "quit\n", "GET / HTTP/1.1\r\n\r\n", "\n", "show", strings.Repeat("x", 5000)} {
		conn, err := knock(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = conn.Write([]byte(text))
		_ = conn.Close()
	}
	if _, err := AcquireInstance(t.Context(), dir, nil); !errors.Is(err, ErrAlreadyRunning) {
		t.Fatal(err)
	}
	if len(shown) != 1 {
		t.Errorf("shown %d times, want once", len(shown))
	}
}

// Two folders are two programs, as with two settings files.
func TestInstancePerFolder(t *testing.T) {
	for _, dir := range []string{t.TempDir(), t.TempDir()} {
		i, err := AcquireInstance(t.Context(), dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer i.Close()
	}
}

func TestInstanceIsTakenOverFromOneThatEnds(t *testing.T) {
	dir := t.TempDir()
	first, err := AcquireInstance(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan struct{}, 100)
	first.OnShow(func([]string) bool {
		asked <- struct{}{}
		return false
	})
	ended := make(chan error, 1)
	go func() {
		<-asked
		<-asked // it is asked until it has ended
		ended <- first.Close()
	}()
	told := 0
	next, err := AcquireInstance(t.Context(), dir, func() { told++ })
	if err != nil {
		t.Fatal(err)
	}
	if told != 1 {
		t.Errorf("told %d times that it waits, want once", told)
	}
	if err := errors.Join(<-ended, next.Close()); err != nil {
		t.Error(err)
	}
}

// The copy that runs is told which flags of a later one have no effect, and takes nothing
// else for a flag.
func TestInstanceIsToldUnusedFlags(t *testing.T) {
	for name, early := range map[string]bool{"running": false, "starting": true} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			first, err := AcquireInstance(t.Context(), dir, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer first.Close()
			told := make(chan []string, 1)
			show := func(unused []string) bool { told <- unused; return true }
			if !early {
				first.OnShow(show)
			}
			if _, err := AcquireInstance(t.Context(), dir, nil, "config", "listen", "Your computer has a virus"); !errors.Is(err, ErrAlreadyRunning) {
				t.Fatal(err)
			}
			if early {
				first.OnShow(show)
			}
			if got := <-told; !slices.Equal(got, []string{"config", "listen"}) {
				t.Errorf("told %q", got)
			}
		})
	}
}

// Who waits for a copy that ends, or that does not answer, can be told not to.
func TestInstanceIsNotWaitedForAnyMore(t *testing.T) {
	for name, answers := range map[string]bool{"ending": true, "silent": false} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			first, err := AcquireInstance(t.Context(), dir, nil)
			must(t, err)
			defer first.Close()
			ctx, cancel := context.WithCancel(t.Context())
			silence := make(chan struct{})
			defer close(silence)
			first.OnShow(func([]string) bool {
				if !answers {
					cancel()
					<-silence
				}
				return false
			})
			if _, err := AcquireInstance(ctx, dir, cancel); !errors.Is(err, context.Canceled) {
				t.Errorf("ends with %v", err)
			}
			must(t, first.lock.Unlock())
			if _, err := AcquireInstance(ctx, dir, nil); !errors.Is(err, context.Canceled) {
				t.Errorf("it begins after it was told to end: %v", err)
			}
		})
	}
}
