package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"apex-ai-proxy/app"
	"apex-ai-proxy/app/secret"
	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/proxy/capture/export"
)

// childVariable makes the command the program that is soaked.
const childVariable = "APEX_SOAK_GATEWAY"

const (
	localKey = "apx-local-key-of-the-soak"
	token    = "gateway-token-of-the-soak"
	account  = "0123456789abcdef0123456789abcdef"
	// alias is a name that every change of the settings keeps.
	alias = "steady"
)

// usage is what the program needs.
type usage struct {
	Addr       string
	Heap       uint64 // after a collection, in bytes
	Memory     uint64 // of the process as the system sees it, in bytes; 0 where it does not tell
	Goroutines int
	Files      int // 0 where the system does not tell
	Active     int // exchanges
	Open       int // records that are not closed
	Err        string
}

// String is the usage in a line.
func (u usage) String() string {
	return fmt.Sprintf("heap %5.1f MiB, memory %5.1f MiB, %3d goroutines, %3d files, %2d active", mib(u.Heap), mib(u.Memory), u.Goroutines, u.Files, u.Active)
}

func mib(n uint64) float64 { return float64(n) / (1 << 20) }

// child is the program in its process. It is asked with words on its standard input and
// answers with a line of JSON each.
type child struct {
	addr string
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *json.Decoder
	mu   sync.Mutex
	dir  string
}

// startChild starts the program in front of a gateway.
func startChild(gateway string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "apex-soak-")
	if err != nil {
		return nil, err
	}
	c := &child{cmd: exec.Command(self), dir: dir} //nolint:noctx // it lives until kill
	c.cmd.Dir = dir
	c.cmd.Env = append(os.Environ(), childVariable+"="+gateway)
	c.cmd.Stderr = os.Stderr
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.out = json.NewDecoder(out)
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	first, err := c.answer()
	c.addr = first.Addr
	return c, err
}

func (c *child) answer() (u usage, err error) {
	if err := c.out.Decode(&u); err != nil {
		return u, fmt.Errorf("the program does not answer: %w", err)
	}
	if u.Err != "" {
		return u, errors.New(u.Err)
	}
	return u, nil
}

func (c *child) ask(word string) (usage, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := io.WriteString(c.in, word+"\n"); err != nil {
		return usage{}, err
	}
	return c.answer()
}

func (c *child) measure() (usage, error) { return c.ask("measure") }

func (c *child) change() error {
	_, err := c.ask("change")
	return err
}

// endLimit is how long connections that are closed may take to end.
const endLimit = time.Minute

// stop stops the proxy, and tells what is left of it: as much as before, or what does not end.
func (c *child) stop(before usage) (usage, error) {
	left, err := c.ask("stop")
	for limit := time.Now().Add(endLimit); err == nil && leftOver(before, left) != nil && time.Now().Before(limit); {
		time.Sleep(100 * time.Millisecond)
		left, err = c.measure()
	}
	return left, err
}

func (c *child) kill() {
	_ = c.in.Close() // it ends by itself
	_ = c.cmd.Wait()
	_ = os.RemoveAll(c.dir)
}

// serve is the program: it does what it is told until its input ends.
func serve(ctx context.Context, in io.Reader, out io.Writer) error {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	path := filepath.Join(dir, "settings.toml")
	env := map[string]string{
		"ACCOUNT_ID": account, "GATEWAY_ID": "soak", "GATEWAY_TOKEN": token, "APEX_LOCAL_KEY": localKey,
		"APEX_GATEWAY_URL": os.Getenv(childVariable), "APEX_LISTEN": "127.0.0.1:0", "APEX_CONFIG": path,
	}
	if err := settings.Save(path, settled(settings.Default(), 0)); err != nil {
		return err
	}
	a, err := app.Open(ctx, app.Options{
		Env: func(name string) string { return env[name] }, Keychain: &secret.Memory{},
		Log: slog.New(slog.NewTextHandler(&swallower{}, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		return err
	}
	a.Captures()
	if err := a.Start(ctx); err != nil {
		return err
	}
	defer look(a)()
	answers := json.NewEncoder(out)
	if err := answers.Encode(usage{Addr: a.Status().Addr}); err != nil {
		return err
	}
	lines := bufio.NewScanner(in)
	for changes := 1; lines.Scan(); changes++ {
		if err := answers.Encode(do(ctx, a, lines.Text(), changes)); err != nil {
			return err
		}
	}
	return a.Close(ctx)
}

// swallower takes the log, so that writing it costs what it costs.
type swallower struct{ bytes int64 }

// Write implements io.Writer.
func (s *swallower) Write(b []byte) (int, error) {
	s.bytes += int64(len(b))
	return len(b), nil
}

func do(ctx context.Context, a *app.App, word string, changes int) usage {
	var err error
	switch word {
	case "change":
		if err = a.SaveSettings(ctx, settled(a.Settings(), changes)); err == nil {
			return usage{}
		}
	case "stop":
		ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		err = a.Stop(ctx)
	}
	u := measure(a)
	if err != nil {
		u.Err = err.Error()
	}
	return u
}

// settled is settings that differ with every n, and that serve all requests alike.
func settled(s settings.Settings, n int) settings.Settings {
	s.Server.Debug = n%2 == 1
	s.Server.Retries = 2 + n%3
	s.Server.UpstreamTimeout = settings.Duration(time.Duration(60+n%60) * time.Second)
	s.Server.StreamIdleTimeout = settings.Duration(time.Duration(60+n%7) * time.Second)
	s.Captures = settings.Captures{Bodies: []settings.Bodies{settings.BodiesAll, settings.BodiesAll, settings.BodiesErrors}[n%3], Exchanges: 50 + n%50, Memory: 8 + n%9}
	s.Aliases = map[string]any{alias: "claude-sonnet-4-5#anthropic", fmt.Sprintf("passing-%d", n): []string{"gpt-5#openai", "claude-sonnet-4-5#anthropic"}}
	s.Server.Origins = []string{fmt.Sprintf("https://page-%d.example", n)}
	return s
}

func measure(a *app.App) usage {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	u := usage{Heap: m.HeapAlloc, Goroutines: runtime.NumGoroutine(), Active: a.Active()}
	if list, err := os.ReadDir("/proc/self/fd"); err == nil {
		u.Files = len(list)
	}
	if text, err := os.ReadFile("/proc/self/status"); err == nil {
		if _, rest, ok := strings.Cut(string(text), "VmRSS:"); ok {
			_, _ = fmt.Sscan(rest, &u.Memory)
			u.Memory <<= 10
		}
	}
	for _, x := range a.Bus().Recent() {
		if !x.Phase.Final() {
			u.Open++
		}
	}
	return u
}

// look does what the window does: it follows the records, slower than they come, and looks
// at bodies.
func look(a *app.App) (stop func()) {
	sub := a.Bus().Subscribe(64)
	var all sync.WaitGroup
	all.Go(func() {
		for x := range sub.C {
			if !x.Phase.Final() {
				continue
			}
			if kept, ok := a.Captures().Get(x.ID); ok {
				_ = export.JSONL(io.Discard, []export.Entry{{Record: x, Captured: &kept}}) // which does not fail
			}
			time.Sleep(5 * time.Millisecond)
		}
	})
	return func() {
		sub.Close()
		all.Wait()
	}
}
