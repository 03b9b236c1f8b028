package e2e

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"apex-ai-proxy/proxy/demo/fakegateway"
	"apex-ai-proxy/proxy/demo/grammar"
)

// once runs the program to its end.
func once(t *testing.T, c config) (stdout, stderr string, code int) {
	t.Helper()
	cmd := command(t, c)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop := context.AfterFunc(deadline(t), func() { _ = cmd.Process.Kill() })
	defer stop()
	if err := cmd.Wait(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

func TestCommandLine(t *testing.T) {
	for _, c := range []struct {
		args   string
		code   int
		stdout string
		stderr string
	}{
		{"--help", 0, "Usage:", ""},
		{"help serve", 0, "--listen", ""},
		{"serve --help", 0, "SIGTERM", ""},
		{"version", 0, "apex-ai-proxy", ""},
		{"licenses", 0, "github.com/gorilla/mux v", ""},
		{"help licenses", 0, "Usage:", ""},
		{"--version", 0, "apex-ai-proxy", ""},
		{"key", 0, localKey, ""},
		{"srve", 2, "", "did you mean \"serve\""},
		{"serve --lisen 127.0.0.1:1", 2, "", "did you mean --listen"},
		{"serve --listen", 2, "", "needs a value"},
		{"serve --listen nowhere", 2, "", "listen"},
		{"serve --listen 127.0.0.1:99999", 2, "", "listen"},
		{"serve --gateway-url ftp://x", 2, "", ""},
		{"serve --account short", 2, "", ""},
		{"serve --token secret-token", 2, "", "never an argument"},
	} {
		stdout, stderr, code := once(t, config{args: strings.Fields(c.args)})
		if code != c.code || !strings.Contains(stdout, c.stdout) || !strings.Contains(stderr, c.stderr) {
			t.Errorf("%s: exit code %d, want %d\n%s%s", c.args, code, c.code, stdout, stderr)
		}
		if c.code == 0 && stderr != "" || c.code != 0 && (stdout != "" || stderr == "") {
			t.Errorf("%s: stdout %q, stderr %q", c.args, stdout, stderr)
		}
		if strings.Contains(stderr, "secret-token") {
			t.Errorf("%s: the secret is repeated: %s", c.args, stderr)
		}
	}
}

func TestSettingsFileIsNotTOML(t *testing.T) {
	stdout, stderr, code := once(t, config{args: []string{"serve", "--listen", "127.0.0.1:0"}, settings: "version = 1\n[server]\nlisten = 127.0.0.1:8787\n"})
	if code != 2 || stdout != "" || !strings.Contains(stderr, "config.toml:3:10: text must be in quotes: listen = \"127.0.0.1:8787\"\n    listen = 127.0.0.1:8787\n") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
}

// TestUnknownSettingIsNamed: it keeps nothing from running, and is told all the same.
func TestUnknownSettingIsNamed(t *testing.T) {
	p := start(t, config{settings: "[alias]\nfast = \"gpt-5#openai\"\n"})
	if a := p.send("POST", chatPath, noStream(chatPath, "echo#demo")); a.status != http.StatusOK {
		t.Errorf("%d %s", a.status, a.body)
	}
	if _, err := p.stderr.find(deadline(t), "config.toml:1: [alias] is not a section of the settings and is ignored; did you mean [aliases]?", p.ended); err != nil {
		t.Error(err)
	}
}

func TestSettingsOfANewerProgram(t *testing.T) {
	_, stderr, code := once(t, config{args: []string{"serve", "--listen", "127.0.0.1:0"}, settings: "version = 99\n"})
	if code != 2 || !strings.Contains(stderr, "update the program") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}

func TestPortInUse(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	stdout, stderr, code := once(t, config{args: []string{"serve", "--listen", l.Addr().String()}})
	if code != 3 || stdout != "" || !strings.Contains(stderr, l.Addr().String()) {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
}

// opened is a stream that has begun.
type opened struct {
	res    *http.Response
	chunks chan string
	err    error
}

// open begins a stream whose rest the test holds back.
func open(t *testing.T, p *program, g *fakegateway.Gateway, path, model string) opened {
	t.Helper()
	o := opened{chunks: make(chan string, 4)}
	o.chunks <- firstWords(model)
	g.Script(fakegateway.Stream(o.chunks))
	req, err := http.NewRequestWithContext(deadline(t), http.MethodPost, p.URL+path, strings.NewReader(streamBody(path, model, "go")))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{"Content-Type": {"application/json"}, "X-Api-Key": {localKey}, "Anthropic-Version": {"2023-06-01"}}
	o.res, o.err = http.DefaultClient.Do(req)
	if o.err != nil {
		t.Fatal(o.err)
	}
	t.Cleanup(func() { o.res.Body.Close() })
	return o
}

// refusesConnections waits until nothing listens any more.
func refusesConnections(t *testing.T, p *program) {
	t.Helper()
	ctx := deadline(t)
	for ctx.Err() == nil {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", strings.TrimPrefix(p.URL, "http://"))
		if err != nil {
			return
		}
		c.Close()
	}
	t.Fatal("the program still listens")
}

func TestTerminateLetsStreamsEnd(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // there is no SIGTERM
	}
	for path, model := range map[string]string{chatPath: "claude-sonnet-4-5#anthropic", messagesPath: "claude-sonnet-4-5#anthropic"} {
		p, g := setup(t, fakegateway.Options{}, config{})
		o := open(t, p, g, path, model)
		p.terminate()
		refusesConnections(t, p)
		o.chunks <- lastWords(model)
		close(o.chunks)
		body, err := io.ReadAll(o.res.Body)
		if err != nil {
			t.Fatal(err)
		}
		if err := wellFormed(path, string(body), true); err != nil {
			t.Errorf("%s: %v\n%s", path, err, body)
		}
		if code := p.exit(deadline(t)); code != 0 {
			t.Errorf("%s: exit code %d", path, code)
		}
	}
}

func TestTerminateTwiceCutsStreams(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // there is no SIGTERM
	}
	for path, models := range map[string][]string{
		chatPath:     {"claude-sonnet-4-5#anthropic", "gpt-4o#openai"},
		messagesPath: {"claude-sonnet-4-5#anthropic", "gpt-4o#openai"},
	} {
		for _, model := range models {
			p, g := setup(t, fakegateway.Options{}, config{})
			o := open(t, p, g, path, model)
			p.terminate()
			if _, err := p.stderr.find(deadline(t), "waiting up to", p.ended); err != nil {
				t.Fatal(err)
			}
			p.terminate()
			body, err := io.ReadAll(o.res.Body)
			var failed *grammar.StreamError
			if !errors.As(wellFormed(path, string(body), true), &failed) {
				t.Errorf("%s %s: the stream ends in\n%s\n%v", path, model, body, err)
			}
			if code := p.exit(deadline(t)); code != 4 {
				t.Errorf("%s %s: exit code %d", path, model, code)
			}
			if gone, err := g.Last().Cancelled(deadline(t)); err != nil || !gone {
				t.Errorf("%s %s: the upstream goes on: %v", path, model, err)
			}
		}
	}
}

func TestTerminateWhenIdle(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // there is no SIGTERM
	}
	p := start(t, config{})
	p.terminate()
	if code := p.exit(deadline(t)); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// TestSecondRunOnTheSamePort starts the program where another one listens.
func TestSecondRunOnTheSamePort(t *testing.T) {
	p := start(t, config{})
	addr := strings.TrimPrefix(p.URL, "http://")
	_, stderr, code := once(t, config{args: []string{"serve", "--listen", addr}})
	if code != 3 || !strings.Contains(stderr, addr) {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	if a := p.send("GET", "/healthz", ""); a.status != http.StatusOK {
		t.Errorf("the first run answers %d", a.status)
	}
}
