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

const processVariable = "APEX_TEST_PROCESS"

func TestMain(m *testing.M) {
	if os.Getenv(processVariable) == "" {
		os.Exit(m.Run())
	}
	c, release := system()
	c.keychain = &brokenKeychain{err: secret.ErrNoService} // not that of who runs the tests
	c.limit = time.Hour                                    // so that nothing but a signal cuts a stream
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
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	p := &process{Cmd: exec.CommandContext(ctx, os.Args[0], args...)}
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
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		p := launch(t, nil, "serve")
		addr := p.addr(t)
		until(t, "the key opens", func() bool { return ask(t, addr, "key") == 200 })
		must(t, p.Process.Signal(sig))
		p.ends(t, exitOK)
	}
}

// streaming is a process with a stream that goes on until the gateway ends it.
func streaming(t *testing.T) (p *process, g *gateway, addr string, rest *bufio.Reader) {
	t.Helper()
	g = newGateway(t)
	p = launch(t, []string{"ACCOUNT_ID=" + account, "GATEWAY_ID=g", "GATEWAY_TOKEN=tok", "APEX_GATEWAY_URL=" + g.URL}, "serve")
	addr = p.addr(t)
	until(t, "the key opens", func() bool { return ask(t, addr, "key") == 200 })
	_, rest = stream(t, addr)
	must(t, p.Process.Signal(syscall.SIGTERM))
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
	p, g, _, rest := streaming(t)
	close(g.end)
	text, err := io.ReadAll(rest)
	if err != nil || !strings.Contains(string(text), `"finish_reason":"stop"`) || !strings.Contains(string(text), "[DONE]") {
		t.Errorf("the stream ended with %q, %v", text, err)
	}
	p.ends(t, exitOK)
}

func TestProcessEndsAtTheSecondSignal(t *testing.T) {
	p, _, _, rest := streaming(t)
	must(t, p.Process.Signal(syscall.SIGTERM))
	text, _ := io.ReadAll(rest)
	if !strings.Contains(string(text), `"error"`) {
		t.Errorf("the stream ended with %q, want an error", text)
	}
	p.ends(t, exitCut)
	if !strings.Contains(p.err.String(), "1 running, waiting up to 1h0m0s") {
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
