package e2e

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "apex-ai-proxy/app" // what is built below: a change of it makes cached results void
	"apex-ai-proxy/proxy/demo/fakegateway"
)

const (
	localKey = "apx-local-key-of-the-tests"
	patience = 2 * time.Minute // for what should take milliseconds
)

// binary is the program under test, built once.
var binary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "apex-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "apex-ai-proxy")
	if runtime.GOOS == "windows" {
		binary += ".exe"
	}
	build := exec.Command("go", "build", "-buildvcs=false", "-tags", "headless", "-o", binary, "apex-ai-proxy")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if raced {
		build.Args = slices.Insert(build.Args, 2, "-race")
		build.Env = os.Environ()
	}
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the program: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// program is a running one.
type program struct {
	URL string // http://127.0.0.1:port

	t      testing.TB
	cmd    *exec.Cmd
	stdout lines
	stderr lines
	ended  chan struct{} // closed when it has exited
	code   int
}

// config is how to start it.
type config struct {
	args     []string
	env      []string
	settings string // content of the settings file
}

// command prepares a run in a world of its own: no settings, keychain or variables of
// the machine reach it.
func command(t testing.TB, c config) *exec.Cmd {
	t.Helper()
	home := t.TempDir()
	file := filepath.Join(home, "config.toml")
	if c.settings != "" {
		if err := os.WriteFile(file, []byte(c.settings), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(binary, c.args...)
	cmd.Dir = home
	cmd.Env = append([]string{
		"HOME=" + home, "XDG_CONFIG_HOME=" + home, "XDG_DATA_HOME=" + home, "XDG_STATE_HOME=" + home, "XDG_RUNTIME_DIR=" + home,
		"APPDATA=" + home, "LOCALAPPDATA=" + home, "SystemRoot=" + os.Getenv("SystemRoot"),
		"APEX_CONFIG=" + file, "APEX_LOCAL_KEY=" + localKey,
	}, c.env...)
	return cmd
}

// start runs "serve" and waits until it listens.
func start(t testing.TB, c config) *program {
	t.Helper()
	c.args = append([]string{"serve", "--listen", "127.0.0.1:0"}, c.args...)
	p := &program{t: t, cmd: command(t, c), ended: make(chan struct{})}
	p.stdout.wake, p.stderr.wake = make(chan struct{}, 1), make(chan struct{}, 1)
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // the exit code says it
		p.code = p.cmd.ProcessState.ExitCode()
		close(p.ended)
	}()
	t.Cleanup(p.finish)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	line, err := p.stdout.find(ctx, "listening on ", p.ended)
	if err != nil {
		t.Fatalf("%v\n%s", err, p.stderr.String())
	}
	p.URL = strings.TrimPrefix(line, "listening on ")
	return p
}

// finish stops the program and looks for secrets in what it printed.
func (p *program) finish() {
	select {
	case <-p.ended:
	default:
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
	for _, secret := range []string{localKey, fakegateway.Token, ownKey} {
		if strings.Contains(p.stdout.String()+p.stderr.String(), secret) {
			p.t.Errorf("the program printed a secret:\n%s%s", p.stdout.String(), p.stderr.String())
		}
	}
	if strings.Contains(p.stderr.String(), "DATA RACE") {
		p.t.Errorf("the program raced:\n%s", p.stderr.String())
	}
	if strings.Contains(p.stderr.String(), "panic:") || strings.Contains(p.stderr.String(), "goroutine ") {
		p.t.Errorf("the program panicked:\n%s", p.stderr.String())
	}
	if p.t.Failed() {
		p.t.Logf("the program said:\n%s", p.stderr.String())
	}
}

// terminate asks the program to stop.
func (p *program) terminate() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
}

// exit waits for the program's end.
func (p *program) exit(ctx context.Context) int {
	p.t.Helper()
	select {
	case <-p.ended:
		return p.code
	case <-ctx.Done():
		p.t.Fatalf("the program does not end:\n%s", p.stderr.String())
		return -1
	}
}

// lines collects what a program prints.
type lines struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	wake chan struct{}
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer func() {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}()
	return l.buf.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// find waits for a whole line that contains text.
func (l *lines) find(ctx context.Context, text string, ended <-chan struct{}) (string, error) {
	over := false
	for {
		s := l.String()
		scan := bufio.NewScanner(strings.NewReader(s[:strings.LastIndexByte(s, '\n')+1]))
		for scan.Scan() {
			if strings.Contains(scan.Text(), text) {
				return scan.Text(), nil
			}
		}
		if over {
			return "", fmt.Errorf("the program ended without %q", text)
		}
		select {
		case <-l.wake:
		case <-ended:
			over = true
		case <-ctx.Done():
			return "", fmt.Errorf("waiting for %q: %w", text, ctx.Err())
		}
	}
}

// setup starts a gateway and the program in front of it.
func setup(t testing.TB, opts fakegateway.Options, c config) (*program, *fakegateway.Gateway) {
	t.Helper()
	opts.Secrets = append(opts.Secrets, localKey)
	g := fakegateway.New(t, opts)
	c.args = append([]string{"--gateway-url", g.URL}, c.args...)
	c.env = append([]string{
		"ACCOUNT_ID=" + fakegateway.Account, "GATEWAY_ID=" + fakegateway.Name, "GATEWAY_TOKEN=" + fakegateway.Token,
		"AZURE_RESOURCE=" + fakegateway.AzureResource, "AZURE_API_VERSION=" + fakegateway.AzureAPIVersion,
		"APEX_RETRIES=0", // a scripted answer is meant for one request
	}, c.env...)
	return start(t, c), g
}

// deadline is the longest a test may wait for something.
func deadline(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// answer is what came back over plain HTTP. err tells how reading the body ended.
type answer struct {
	status  int
	header  http.Header
	body    string
	err     error
	trailer http.Header
}

// send makes a plain request with the local key; edits change it before.
func (p *program) send(method, path, body string, edits ...func(*http.Request)) answer {
	p.t.Helper()
	req, err := http.NewRequestWithContext(deadline(p.t), method, p.URL+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+localKey)
	if strings.Contains(path, "/messages") {
		req.Header.Set("Anthropic-Version", "2023-06-01")
	}
	for _, edit := range edits {
		edit(req)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, string(got), err, res.Trailer}
}

func set(name, value string) func(*http.Request) {
	return func(r *http.Request) {
		if value == "" {
			r.Header.Del(name)
			return
		}
		r.Header.Set(name, value)
	}
}

// cutShort tells whether a body broke off.
func cutShort(err error) bool {
	return errors.Is(err, io.ErrUnexpectedEOF) || err != nil && strings.Contains(err.Error(), "reset")
}
