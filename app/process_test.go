//go:build !windows

package app

import (
	"bufio"
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"apex-ai-proxy/app/secret"
)

// These tests run the program as a process of its own, which is this test binary: what
// a shell or a service manager does with it, done for real.

const (
	processVariable = "APEX_TEST_PROCESS"
	keyGateVariable = "APEX_TEST_KEY_GATE"
)

// gatedKeychain answers when its gate is closed.
type gatedKeychain struct {
	secret.Store
	gate io.Reader
}

func (g gatedKeychain) Get(ctx context.Context, name string) (string, error) {
	_, _ = io.Copy(io.Discard, g.gate)
	return g.Store.Get(ctx, name)
}

func TestMain(m *testing.M) {
	if os.Getenv(processVariable) == "" {
		os.Exit(m.Run())
	}
	c, release := system()
	c.keychain = &brokenKeychain{err: secret.ErrNoService} // not that of who runs the tests
	if os.Getenv(keyGateVariable) != "" {
		c.keychain = gatedKeychain{Store: c.keychain, gate: os.Stdin}
	}
	c.limit = time.Hour // so that nothing but a signal cuts a stream
	code := c.run(context.Background(), os.Args[1:])
	release()
	os.Exit(code)
}

type process struct {
	*exec.Cmd
	out *bufio.Reader
	err screen
}

func launch(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	return launchBy(t, env, append([]string{os.Args[0]}, args...)...)
}

// launchBy is launch with all of the command line.
func launchBy(t *testing.T, env []string, line ...string) *process {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*waits)
	t.Cleanup(cancel)
	p := &process{Cmd: exec.CommandContext(ctx, line[0], line[1:]...)}
	p.Env = append(env, processVariable+"=1", "APEX_CONFIG="+filepath.Join(t.TempDir(), "settings.toml"),
		"HOME="+t.TempDir(), "APEX_LOCAL_KEY=key", "APEX_LISTEN=127.0.0.1:0")
	p.Stderr = &p.err
	out, err := p.StdoutPipe()
	must(t, err)
	p.out = bufio.NewReader(out)
	must(t, p.Start())
	t.Cleanup(func() { _ = p.Process.Kill() })
	return p
}

func (p *process) addr(t *testing.T) string {
	t.Helper()
	line, err := p.out.ReadString('\n')
	m := firstLine.FindStringSubmatch(line)
	if m == nil {
		t.Fatalf("first line %q, %v, errors %q", line, err, p.err.String())
	}
	return m[1]
}

func (p *process) ends(t *testing.T, code int) {
	t.Helper()
	_ = p.Wait()
	if got := p.ProcessState.ExitCode(); got != code {
		t.Errorf("exit code %d, want %d: %s", got, code, p.err.String())
	}
}

func TestProcessEndsBySignal(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		p := launch(t, nil, "serve")
		addr := p.addr(t)
		until(t, "the key opens", func() bool { return ask(t, addr, "key") == 200 })
		must(t, p.Process.Signal(sig))
		p.ends(t, exitOK)
	}
}

// streaming is a process with a stream that goes on until the gateway ends it.
func streaming(t *testing.T, sig syscall.Signal) (p *process, g *gateway, addr string, rest *bufio.Reader) {
	t.Helper()
	g = newGateway(t)
	p = launch(t, []string{"ACCOUNT_ID=" + account, "GATEWAY_ID=g", "GATEWAY_TOKEN=tok", "APEX_GATEWAY_URL=" + g.URL}, "serve")
	addr = p.addr(t)
	until(t, "the key opens", func() bool { return ask(t, addr, "key") == 200 })
	_, rest = stream(t, addr)
	must(t, p.Process.Signal(sig))
	until(t, "nothing listens", func() bool {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	return p, g, addr, rest
}

func TestProcessDrains(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP} {
		p, g, _, rest := streaming(t, sig)
		close(g.end)
		text, err := io.ReadAll(rest)
		if err != nil || !strings.Contains(string(text), `"finish_reason":"stop"`) || !strings.Contains(string(text), "[DONE]") {
			t.Errorf("%v: the stream ended with %q, %v", sig, text, err)
		}
		p.ends(t, exitOK)
	}
}

func TestProcessEndsAtTheSecondSignal(t *testing.T) {
	p, _, _, rest := streaming(t, syscall.SIGTERM)
	must(t, p.Process.Signal(syscall.SIGTERM))
	text, _ := io.ReadAll(rest)
	if !strings.Contains(string(text), `"error"`) {
		t.Errorf("the stream ended with %q, want an error", text)
	}
	p.ends(t, exitCut)
	if !strings.Contains(p.err.String(), "requests still running: 1; waiting up to 1h0m0s") {
		t.Errorf("says %q", p.err.String())
	}
}

func TestProcessPortBusy(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer ln.Close()
	p := launch(t, nil, "serve", "--listen", ln.Addr().String())
	_, _ = io.Copy(io.Discard, p.out)
	p.ends(t, exitTaken)
	if !strings.Contains(p.err.String(), ln.Addr().String()) {
		t.Errorf("says %q", p.err.String())
	}
}

// What reads the output may go after the first line, as head -1 does: neither the second
// line nor the log ends the program.
func TestProcessOutlivesItsReader(t *testing.T) {
	g := newGateway(t)
	close(g.end)
	out, w, err := os.Pipe()
	must(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), 5*waits)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "serve")
	cmd.Env = []string{
		processVariable + "=1", keyGateVariable + "=1", "APEX_CONFIG=" + filepath.Join(t.TempDir(), "settings.toml"), "HOME=" + t.TempDir(),
		"APEX_LISTEN=127.0.0.1:0", "DEBUG=1",
	}
	gate, err := cmd.StdinPipe()
	must(t, err)
	cmd.Stdout, cmd.Stderr = w, w
	must(t, cmd.Start())
	must(t, w.Close())
	addr := ""
	for lines := bufio.NewScanner(out); addr == "" && lines.Scan(); {
		if m := firstLine.FindStringSubmatch(lines.Text() + "\n"); m != nil {
			addr = m[1]
		}
	}
	must(t, out.Close())
	must(t, gate.Close()) // now the keychain answers, and the second line is written
	until(t, "the keychain has answered", func() bool { return ask(t, addr, "wrong") != 503 })
	for range 3 {
		if got := ask(t, addr, "wrong"); got != 401 {
			t.Errorf("status %d", got)
		}
	}
	must(t, cmd.Process.Signal(syscall.SIGTERM))
	if err := cmd.Wait(); err != nil {
		t.Errorf("ended with %v", err)
	}
}

// nohup has it that the terminal's end means nothing.
func TestProcessStartedByNohup(t *testing.T) {
	p := launchBy(t, nil, "/bin/sh", "-c", `trap "" HUP; exec "$0" serve`, os.Args[0])
	addr := p.addr(t)
	until(t, "the key opens", func() bool { return ask(t, addr, "key") == 200 })
	must(t, p.Process.Signal(syscall.SIGHUP))
	for range 3 {
		if got := ask(t, addr, "key"); got != 200 {
			t.Errorf("status %d", got)
		}
	}
	must(t, p.Process.Signal(syscall.SIGTERM))
	p.ends(t, exitOK)
}

// TestProcessOnAFullDisk: a log that cannot be written is lost, and nothing else.
func TestProcessOnAFullDisk(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	p := launchBy(t, []string{"DEBUG=1", "PATH=" + os.Getenv("PATH")}, "/bin/sh", "-c", `ulimit -f 4; exec "$0" serve 2>"$1"`, os.Args[0], log)
	addr := p.addr(t)
	until(t, "the key opens", func() bool { return ask(t, addr, "key") == 200 })
	for range 60 {
		if got := ask(t, addr, "key"); got != 200 {
			t.Fatalf("status %d", got)
		}
	}
	info, err := os.Stat(log)
	must(t, err)
	if info.Size() == 0 || info.Size() > 4<<10 {
		t.Errorf("the log has %d bytes", info.Size())
	}
	must(t, p.Process.Signal(syscall.SIGTERM))
	p.ends(t, exitOK)
}
