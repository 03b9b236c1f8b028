package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"apex-ai-proxy/app/secret"
	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/proxy"
)

// screen collects what a program writes.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// console is a program that runs in this process.
type console struct {
	cli
	out, err screen
	signals  chan os.Signal
	code     chan int
}

func newConsole(t *testing.T, env map[string]string, keychain secret.Store) *console {
	t.Helper()
	c := &console{signals: make(chan os.Signal, 2), code: make(chan int, 1)}
	c.cli = cli{
		getenv: given(t, env), goos: "linux", signals: c.signals,
		stdin: strings.NewReader(""), stdout: &c.out, stderr: &c.err, keychain: keychain,
		limit: time.Hour,
	}
	return c
}

func (c *console) start(args ...string) { go func() { c.code <- c.run(context.Background(), args) }() }

var firstLine = regexp.MustCompile(`^listening on http://(127\.0\.0\.1:\d+)\n`)

// addr waits for the first line on standard output.
func (c *console) addr(t *testing.T) string {
	t.Helper()
	var m []string
	until(t, "the first line", func() bool {
		m = firstLine.FindStringSubmatch(c.out.String())
		return m != nil || len(c.code) > 0
	})
	if m == nil {
		t.Fatalf("output %q, errors %q", c.out.String(), c.err.String())
	}
	return m[1]
}

func (c *console) ends(t *testing.T, code int) {
	t.Helper()
	var got int
	until(t, "the end", func() bool {
		select {
		case got = <-c.code:
			return true
		default:
			return false
		}
	})
	if got != code {
		t.Errorf("exit code %d, want %d: %s", got, code, c.err.String())
	}
}

func TestServe(t *testing.T) {
	var k secret.Memory
	c := newConsole(t, nil, &k)
	c.start("serve", "--listen", "127.0.0.1:0")
	addr := c.addr(t)
	var key string
	until(t, "the key is stored", func() bool {
		key, _ = k.Get(context.Background(), secret.LocalKey)
		return key != ""
	})
	until(t, "the key opens", func() bool { return ask(t, addr, key) == 200 })
	c.signals <- os.Interrupt
	c.ends(t, exitOK)
	if _, err := net.Dial("tcp", addr); err == nil {
		t.Error("something still listens")
	}
	if out := c.out.String(); strings.Count(out, "\n") != 1 {
		t.Errorf("a key that is kept needs no second line: %q", out)
	}
}

// What changes while it runs is taken up: the settings file, and a keychain that is opened.
func TestServeFollowsFileAndKeychain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "settings.toml")
	must(t, os.WriteFile(path, []byte("[server]\nlisten = '127.0.0.1:0'\n"), 0o600))
	k := &closedKeychain{}
	must(t, k.Memory.Set(t.Context(), secret.LocalKey, "apx-stored"))
	c := newConsole(t, map[string]string{"APEX_CONFIG": path}, k)
	c.start("serve")
	addr := c.addr(t)
	if status := ask(t, addr, "apx-stored"); status != 401 {
		t.Fatalf("the key of a closed keychain answers %d", status)
	}
	k.open.Store(true)
	must(t, os.WriteFile(path, []byte("[server]\nlisten = 'nowhere'\n"), 0o600))
	until(t, "the keychain and the file", func() bool {
		return ask(t, addr, "apx-stored") == 200 && strings.Contains(c.err.String(), "server.listen cannot be used")
	})
	next, err := proxy.NextFree(t.Context(), addr)
	must(t, err)
	must(t, os.WriteFile(path, []byte("[server]\nlisten = '"+next+"'\n"), 0o600))
	until(t, "the new address", func() bool { return strings.Contains(c.out.String(), "\nlistening on http://"+next+"\n") })
	if status := ask(t, next, "apx-stored"); status != 200 {
		t.Errorf("the new address answers %d", status)
	}
	c.signals <- os.Interrupt
	c.ends(t, exitOK)
}

func TestReachable(t *testing.T) {
	for listened, want := range map[string]string{
		"127.0.0.1:1": "127.0.0.1:1", "0.0.0.0:1": "127.0.0.1:1", "[::]:1": "[::1]:1", "[::1]:1": "[::1]:1", "192.168.0.7:1": "192.168.0.7:1", "localhost:1": "localhost:1", ":1": "127.0.0.1:1",
	} {
		if got := reachable(listened); got != want {
			t.Errorf("%s: %s, want %s", listened, got, want)
		}
	}
}

// TestServeTellsWhereTheKeyIs, for whoever has to enter it somewhere.
func TestServeTellsWhereTheKeyIs(t *testing.T) {
	for says, env := range map[string]map[string]string{
		`apex-ai-proxy: clients must send the local key as their API key; "apex-ai-proxy key" prints it`: nil,
		"apex-ai-proxy: clients must send the key in APEX_LOCAL_KEY as their API key":                    {"APEX_LOCAL_KEY": "my-local-key"},
	} {
		c := newConsole(t, env, &secret.Memory{})
		c.start("serve", "--listen", "127.0.0.1:0")
		c.addr(t)
		until(t, says, func() bool { return strings.Contains(c.err.String(), says+"\n") })
		c.signals <- os.Interrupt
		c.ends(t, exitOK)
	}
}

// TestNoKeychainIsToldOnce, and only where a secret is missing for it.
func TestNoKeychainIsToldOnce(t *testing.T) {
	gateway := map[string]string{"ACCOUNT_ID": account, "GATEWAY_ID": "g"}
	key := map[string]string{"APEX_LOCAL_KEY": "my-local-key"}
	both := map[string]string{"ACCOUNT_ID": account, "GATEWAY_ID": "g", "APEX_LOCAL_KEY": "my-local-key"}
	for _, tc := range []struct {
		env   map[string]string
		times int
	}{{nil, 1}, {gateway, 1}, {key, 0}, {both, 1}} {
		k := &brokenKeychain{err: secret.ErrNoService}
		c := newConsole(t, tc.env, k)
		c.start("serve", "--listen", "127.0.0.1:0")
		c.addr(t)
		until(t, "the keychain has been asked", func() bool {
			k.mu.Lock()
			defer k.mu.Unlock()
			return k.gets[secret.GatewayToken] > 0
		})
		until(t, "the warning", func() bool { return tc.times == 0 || strings.Contains(c.err.String(), "no keychain") })
		c.signals <- os.Interrupt
		c.ends(t, exitOK)
		if n := strings.Count(c.err.String(), "keychain"); n != tc.times {
			t.Errorf("%v: said %d times, want %d: %s", tc.env, n, tc.times, c.err.String())
		}
	}
}

// TestDoubtfulEnvironment: what has no effect, or another than meant, is told by name.
func TestDoubtfulEnvironment(t *testing.T) {
	env := map[string]string{
		"APEX_LOCAL_KEY": "x", "DEBUG": "maybe", "APEX_PROVIDER_KEY_FOO": "tok-1", "APEX_PROVIDER_KEY_OPENAI": "tok-2", "APEX_PROVIDER_KEY_GROK2": "tok-4", "APEX_LISTN": "tok-3", "APEX_OF_ANOTHER_PROGRAM": "1",
	}
	c := newConsole(t, env, &secret.Memory{})
	c.environ = func() (out []string) {
		for name, v := range env {
			out = append(out, name+"="+v)
		}
		return append(out, "HOME=/", "=C:=x")
	}
	c.start("serve", "--listen", "127.0.0.1:0")
	c.addr(t)
	c.signals <- os.Interrupt
	c.ends(t, exitOK)
	said := c.err.String()
	for _, s := range []string{
		`name=APEX_LOCAL_KEY why="a key of fewer than 8 characters`, `name=DEBUG why="\"maybe\" is neither on nor off and counts as off`,
		`name=APEX_PROVIDER_KEY_FOO why="there is no such provider; choose one of openai`, `name=APEX_PROVIDER_KEY_OPENAI why="it is not used; write key = \"own\" under [providers.openai]`,
		`name=APEX_PROVIDER_KEY_GROK2 why="there is no such provider; did you mean APEX_PROVIDER_KEY_GROK?`,
		`name=APEX_LISTN why="it is not used; did you mean APEX_LISTEN?`,
	} {
		if !strings.Contains(said, s) {
			t.Errorf("%s is not said: %s", s, said)
		}
	}
	if n := strings.Count(said, "environment variable"); n != 6 || strings.Contains(said, "tok-") {
		t.Errorf("%d doubts: %s", n, said)
	}
	own := settings.Default()
	own.Providers = map[string]settings.Provider{"openai": {Key: settings.KeyOwn}}
	if d := doubts(func(n string) string {
		return map[string]string{"DEBUG": "off", "APEX_PROVIDER_KEY_OPENAI": "t", "APEX_LISTEN": "x", "APEX_CONFIG": "x", "APEX_LOCAL_KEY": "my-local-key"}[n]
	},
		[]string{"DEBUG", "APEX_PROVIDER_KEY_OPENAI", "APEX_LISTEN", "APEX_CONFIG", "APEX_LOCAL_KEY"}, own); len(d) > 0 {
		t.Errorf("doubts %v", d)
	}
}

func TestServeShowsAKeyForThisRun(t *testing.T) {
	c := newConsole(t, nil, &brokenKeychain{err: secret.ErrNoService})
	c.start("--listen=127.0.0.1:0", "serve")
	addr := c.addr(t)
	second := regexp.MustCompile(`\nlocal key \(this run\): (apx-\S+)\n$`)
	until(t, "the second line", func() bool { return second.MatchString(c.out.String()) })
	key := second.FindStringSubmatch(c.out.String())[1]
	until(t, "the key opens", func() bool { return ask(t, addr, key) == 200 })
	c.signals <- os.Interrupt
	c.ends(t, exitOK)
	if strings.Contains(c.err.String(), key) {
		t.Error("the key is in the log")
	}
}

func TestServeLogsNoSecrets(t *testing.T) {
	g := newGateway(t)
	close(g.end)
	c := newConsole(t, map[string]string{
		"GATEWAY_TOKEN": "secret-of-gateway", "APEX_LOCAL_KEY": "key", "APEX_PROVIDER_KEY_OPENAI": "secret-of-openai",
		"ACCOUNT_ID": account, "GATEWAY_ID": "g", "APEX_GATEWAY_URL": g.URL, "DEBUG": "1", "APEX_LISTEN": "127.0.0.1:0",
	}, &brokenKeychain{err: errors.New("must not be asked")})
	c.start("serve")
	addr := c.addr(t)
	until(t, "the key opens", func() bool { return ask(t, addr, "key") == 200 })
	_, rest := stream(t, addr)
	if _, err := io.ReadAll(rest); err != nil {
		t.Error(err)
	}
	_ = ask(t, addr, "secret-typed-wrongly")
	c.signals <- os.Interrupt
	c.ends(t, exitOK)
	log := c.err.String()
	if !strings.Contains(log, "level=DEBUG") {
		t.Errorf("debug logging is off: %s", log)
	}
	for _, s := range []string{"secret-of-gateway", "secret-of-openai", "secret-typed-wrongly", "hello", "Bearer"} {
		if strings.Contains(log+c.out.String(), s) {
			t.Errorf("%q was written", s)
		}
	}
	if strings.Contains(c.out.String(), "local key") {
		t.Error("a key that was chosen needs no second line")
	}
}

func TestServePortBusy(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer ln.Close()
	c := newConsole(t, nil, &secret.Memory{})
	c.start("serve", "--listen", ln.Addr().String())
	c.ends(t, exitTaken)
	if out := c.err.String(); !strings.Contains(out, ln.Addr().String()) || !strings.Contains(out, "--listen") {
		t.Errorf("says %q", out)
	}
	if c.out.String() != "" {
		t.Errorf("wrote %q", c.out.String())
	}
}

func TestUnusableSettings(t *testing.T) {
	file := func(text string) map[string]string {
		path := filepath.Join(t.TempDir(), "settings.toml")
		must(t, os.WriteFile(path, []byte(text), 0o600))
		return map[string]string{"APEX_CONFIG": path}
	}
	for name, tc := range map[string]struct {
		env  map[string]string
		args []string
		says []string
	}{
		"file":        {file("[gateway]\nid = 'A B'\n"), nil, []string{"gateway.id: "}},
		"environment": {map[string]string{"ACCOUNT_ID": "x"}, nil, []string{"gateway.account (environment ACCOUNT_ID): "}},
		"flag":        {nil, []string{"--listen", "8787", "--gateway-url", "x"}, []string{"server.listen (flag --listen): ", "gateway.url (flag --gateway-url): "}},
		"time":        {map[string]string{"APEX_UPSTREAM_TIMEOUT": "soon"}, nil, []string{`environment APEX_UPSTREAM_TIMEOUT: "soon" is not a time`}},
		"bare number": {file("[server]\nupstream_timeout = 5\n"), nil, []string{": server.upstream_timeout: 5 is not a time; write it as in \"5m\" or \"90s\"\n"}},
		"no time":     {file("[server]\nupstream_timeout = 'zz'\n"), nil, []string{": server.upstream_timeout: \"zz\" is not a time"}},
		"two wrong":   {file("[gateway]\nid = 'A B'\n[server]\nlisten = 1\n"), nil, []string{": gateway.id: ", ": server.listen: write it in quotes"}},
		"too short":   {nil, []string{"--upstream-timeout", "5ns"}, []string{"server.upstream_timeout (flag --upstream-timeout): the time must be at least one second"}},
		"alias": {file("[aliases]\nfast = 'gpt-5#opnai'\nslow = ['gpt-5#openai', 'fast']\n'*#openai' = 'gpt-5#openai'\n[claude]\nopus = 'nobody'\n"), nil, []string{
			": aliases.fast: \"opnai\" is not a provider: did you mean gpt-5#openai? Write it as model#provider.",
			": aliases.slow: \"fast\" is an alias too", ": aliases.*#openai: an alias with * never", ": claude.opus: no provider is known for the model \"nobody\"",
		}},
		"newer": {file("version = 2000\n"), nil, []string{"version 2000", "update the program"}},
		"token": {map[string]string{"GATEWAY_TOKEN": "a b"}, nil, []string{"environment GATEWAY_TOKEN: "}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newConsole(t, tc.env, &secret.Memory{})
			c.start(append([]string{"serve"}, tc.args...)...)
			c.ends(t, exitUsage)
			for _, s := range tc.says {
				if !strings.Contains(c.err.String(), s) {
					t.Errorf("says %q, want %q", c.err.String(), s)
				}
			}
			if c.out.String() != "" {
				t.Errorf("wrote %q", c.out.String())
			}
			if path := tc.env["APEX_CONFIG"]; path != "" {
				if _, err := os.Stat(path); err != nil || strings.Contains(c.err.String(), "no settings file") {
					t.Errorf("the file is gone: %v, %q", err, c.err.String())
				}
			}
		})
	}
}

func TestNewerFileIsReportedOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "settings.toml")
	must(t, os.WriteFile(path, []byte("version = 2000\n"), 0o600))
	for _, args := range [][]string{{"serve"}, {}} { // {} opens the window, which can show it too
		c := newConsole(t, map[string]string{"APEX_CONFIG": path, "DISPLAY": ":0"}, &secret.Memory{})
		c.desktop = func(context.Context, *App) int { return exitUsage }
		c.start(args...)
		c.ends(t, exitUsage)
		if n := strings.Count(c.err.String(), "version 2000"); n != 1 || strings.Contains(c.err.String(), "level=") {
			t.Errorf("%q: said %d times: %q", args, n, c.err.String())
		}
	}
}

func TestAbsentFileIsMentionedWhenItWasNamed(t *testing.T) {
	absent, present := filepath.Join(t.TempDir(), "absent.toml"), filepath.Join(t.TempDir(), "present.toml")
	must(t, os.WriteFile(present, []byte("version = 1\n"), 0o600))
	for name, tc := range map[string]struct {
		variable string
		args     []string
		warns    bool
	}{
		"flag":             {present, []string{"--config", absent}, true},
		"environment":      {absent, nil, true},
		"there":            {present, nil, false},
		"flag beats":       {absent, []string{"--config", present}, false},
		"equals, no space": {present, []string{"--config=" + absent}, true},
	} {
		t.Run(name, func(t *testing.T) {
			c := newConsole(t, map[string]string{"APEX_CONFIG": tc.variable, "APEX_LOCAL_KEY": "key"}, &secret.Memory{})
			c.start(append([]string{"serve", "--listen", "127.0.0.1:0"}, tc.args...)...)
			c.addr(t)
			c.signals <- os.Interrupt
			c.ends(t, exitOK)
			want := "apex-ai-proxy: there is no settings file at " + absent + "; using the defaults\n"
			if strings.Contains(c.err.String(), want) != tc.warns {
				t.Errorf("says %q", c.err.String())
			}
		})
	}
	c := newConsole(t, nil, &secret.Memory{})
	c.getenv = func(string) string { return "" }
	c.warnOfAbsentFile(commandLine{})
	if c.err.String() != "" {
		t.Errorf("the usual file may be absent: %q", c.err.String())
	}
}

// TestSettingsFileIsNotTOML: nothing starts, nothing is moved, and the place is shown.
func TestSettingsFileIsNotTOML(t *testing.T) {
	const text = "version = 1\n[server]\nlisten = 127.0.0.1:8787\n"
	for _, command := range []string{"serve", "doctor"} {
		path := filepath.Join(t.TempDir(), "settings.toml")
		must(t, os.WriteFile(path, []byte(text), 0o600))
		c := newConsole(t, map[string]string{"APEX_CONFIG": path}, &secret.Memory{})
		c.start(command)
		c.ends(t, exitUsage)
		want := "apex-ai-proxy: the settings file is not valid TOML\n  " + path + ":3:10: text must be in quotes: listen = \"127.0.0.1:8787\"\n" +
			"    listen = 127.0.0.1:8787\n             ^\n"
		if c.err.String() != want || c.out.String() != "" {
			t.Errorf("says %q%q, want %q", c.out.String(), c.err.String(), want)
		}
		if data, _ := os.ReadFile(path); string(data) != text {
			t.Errorf("the file is now %q", data)
		}
		if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
			t.Errorf("the folder holds %v", entries)
		}
	}
}

// TestProblemsAreToldInOrder: each with where it is from, the file's from its beginning.
func TestProblemsAreToldInOrder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "settings.toml")
	must(t, os.WriteFile(path, []byte("[server]\nlisen = 'x'\nupstream_timeout = 5\n[gateway]\nid = 'A B'\n[alias]\n[claude]\nOpus = 'gpt-5#openai'\n[providers.opnai]\nkey = 'own'\n"), 0o600))
	c := newConsole(t, map[string]string{"APEX_CONFIG": path, "ACCOUNT_ID": "x"}, &secret.Memory{})
	c.start("serve")
	c.ends(t, exitUsage)
	at := 0
	for _, want := range []string{
		"apex-ai-proxy: " + path + ":2: server.lisen is not a setting and is ignored; did you mean server.listen?\n",
		"apex-ai-proxy: " + path + ":6: [alias] is not a section of the settings and is ignored; did you mean [aliases]?\n",
		"apex-ai-proxy: the settings are not valid\n",
		"  gateway.account (environment ACCOUNT_ID): ",
		"  " + path + ":3: server.upstream_timeout: 5 is not a time",
		"  " + path + ":5: gateway.id: ",
		"  " + path + ":8: claude.Opus: there is no such tier; did you mean opus?\n",
		"  " + path + ":9: providers.opnai: there is no such provider; did you mean openai?\n",
	} {
		i := strings.Index(c.err.String()[at:], want)
		if i < 0 {
			t.Fatalf("%q is not said, or not in its place:\n%s", want, c.err.String())
		}
		at += i + len(want)
	}
}

func TestUsage(t *testing.T) {
	for _, tc := range []struct {
		args []string
		says string
	}{
		{[]string{"sreve"}, `there is no command "sreve"; did you mean "serve"?`},
		{[]string{"dance"}, `there is no command "dance"; the commands are serve, doctor, token, key, version, licenses, help`},
		{[]string{"serve", "--lisen", "x"}, "there is no flag --lisen; did you mean --listen?"},
		{[]string{"serve", "--color"}, "there is no flag --color\n"},
		{[]string{"serve", "--listen"}, "--listen needs a value"},
		{[]string{"serve", "--debug=maybe"}, "write it without a value"},
		{[]string{"serve", "now"}, `serve takes only flags, not "now"`},
		{[]string{"serve", "---x"}, "write flags as --name value"},
		{[]string{"--token", "abc"}, "a secret is never an argument"},
		{[]string{"serve", "--gateway_token=abc"}, `"apex-ai-proxy token set"`},
		{[]string{"serve", "--token=abc"}, "GATEWAY_TOKEN"},
		{[]string{"serve", "--api-key", "abc"}, "a secret is never an argument"},
		{[]string{"serve", "-local-key", "abc"}, "APEX_LOCAL_KEY"},
		{[]string{"version", "now"}, "version takes no arguments"},
		{[]string{"key", "--listen", "x"}, `--listen cannot be used with "key"`},
		{[]string{"help", "dance"}, "there is no command"},
		{[]string{"token"}, `write "token set"`},
		{[]string{"token", "get"}, `write "token set"`},
		{[]string{"token", "stats"}, `did you mean "token status"?`},
		{[]string{"token", "set", "abc"}, "choose one of openai, anthropic"},
		{[]string{"token", "set", "abc"}, "A secret is never an argument"},
		{[]string{"token", "set", "opnai"}, `did you mean "token set openai"?`},
		{[]string{"token", "remove", "OpenAI"}, `did you mean "token remove openai"?`},
		{[]string{"token", "status", "gemini"}, `did you mean "token status google-ai-studio"?`},
		{[]string{"token", "set", "demo"}, "choose one of openai"},
		{[]string{"token", "set", "openai", "abc"}, `write "token set"`},
	} {
		c := newConsole(t, nil, &brokenKeychain{})
		if code := c.run(context.Background(), tc.args); code != exitUsage {
			t.Errorf("%q: exit code %d", tc.args, code)
		}
		out := c.err.String()
		if !strings.HasPrefix(out, "apex-ai-proxy: ") || !strings.Contains(out, tc.says) {
			t.Errorf("%q: says %q, want %q", tc.args, out, tc.says)
		}
		if strings.Contains(out, "abc") {
			t.Errorf("%q: the secret is repeated: %q", tc.args, out)
		}
		if c.out.String() != "" {
			t.Errorf("%q: wrote %q", tc.args, c.out.String())
		}
	}
}

// TestHelpFits: no line is wider than a terminal, unless it is one word.
func TestHelpFits(t *testing.T) {
	for _, topic := range []string{"", cmdServe, cmdDoctor, cmdToken, cmdKey, cmdLicenses, cmdVersion} {
		for line := range strings.Lines(help(topic)) {
			if line = strings.TrimRight(line, "\n"); len(line) > helpWidth && len(strings.Fields(line)) > 1 {
				t.Errorf("%s: %d columns: %s", topic, len(line), line)
			}
		}
	}
}

func TestHelp(t *testing.T) {
	if serve := help(cmdServe); !strings.Contains(serve, fmt.Sprintf("%d seconds", int(drainLimit.Seconds()))) {
		t.Error("the help names another limit")
	}
	all := []string{"Exit codes:", "  0  ", "  1  ", "  2  ", "  3  ", "  4  ", "GATEWAY_TOKEN", "APEX_LOCAL_KEY", "--config", "APEX_CONFIG", "(default 127.0.0.1:8787)", "(default 10m)", "(default 5m)", "(default 2)"}
	all = append(all, "go under [aliases] in the settings", "[claude]")
	for _, o := range options {
		all = append(all, "--"+o.flag, o.env)
	}
	for _, tc := range []struct {
		args []string
		says []string
	}{
		{[]string{"help"}, append(append(slices.Clone(all), "--hidden", "token set openai"), commands...)},
		{[]string{"--help"}, append(slices.Clone(all), "--hidden")},
		{[]string{"-h"}, all},
		{[]string{"token", "set", "--help"}, []string{"token set openai"}},
		{[]string{"token", "remove", "openai", "-h"}, []string{"token set openai"}},
		{[]string{"serve", "--help"}, append(slices.Clone(all), "SIGTERM", "SIGHUP", "503")},
		{[]string{"help", "serve"}, all},
		{[]string{"token", "-h"}, []string{"standard input", "token set openai"}},
		{[]string{"help", "key"}, []string{"Prints the local key"}},
		{[]string{"help", "version"}, []string{"Prints the version"}},
		{[]string{"help", "help"}, []string{"Usage:"}},
		{[]string{"version"}, []string{"apex-ai-proxy " + Version + " ("}},
		{[]string{"--version"}, []string{"apex-ai-proxy " + Version + " ("}},
	} {
		c := newConsole(t, nil, &brokenKeychain{})
		if code := c.run(context.Background(), tc.args); code != exitOK || c.err.String() != "" {
			t.Errorf("%q: exit code %d, %q", tc.args, code, c.err.String())
		}
		for _, s := range tc.says {
			if !strings.Contains(c.out.String(), s) {
				t.Errorf("%q does not mention %q", tc.args, s)
			}
		}
	}
}

func TestWithoutACommand(t *testing.T) {
	for name, tc := range map[string]struct {
		goos, display string
		without       bool // built without a window
		opens         bool
	}{
		"linux, X11":       {"linux", "DISPLAY", false, true},
		"linux, Wayland":   {"linux", "WAYLAND_DISPLAY", false, true},
		"linux, no screen": {"linux", "", false, false},
		"macOS":            {"darwin", "", false, true},
		"Windows":          {"windows", "", false, true},
		"headless build":   {"darwin", "", true, false},
	} {
		t.Run(name, func(t *testing.T) {
			c := newConsole(t, map[string]string{tc.display: ":0", "APEX_LOCAL_KEY": "key"}, &secret.Memory{})
			c.goos = tc.goos
			opened := false
			if !tc.without {
				c.desktop = func(_ context.Context, a *App) int {
					opened = a.Settings().Gateway.ID == "from-flag" && a.Status().State == Stopped
					must(t, a.Start(context.Background())) // closed by the program
					return 7
				}
			}
			c.start("--gateway", "from-flag", "--listen", "127.0.0.1:0")
			if tc.opens {
				c.ends(t, 7)
				if !opened || c.out.String() != "" {
					t.Errorf("the window was not opened; output %q", c.out.String())
				}
				return
			}
			c.addr(t)
			c.signals <- os.Interrupt
			c.ends(t, exitOK)
			if opened || !strings.Contains(c.err.String(), "running without a window") {
				t.Errorf("says %q", c.err.String())
			}
		})
	}
}

func TestServeCutsWhatTakesTooLong(t *testing.T) {
	g := newGateway(t)
	c := newConsole(t, map[string]string{
		"APEX_LOCAL_KEY": "key", "GATEWAY_TOKEN": "tok", "ACCOUNT_ID": account, "GATEWAY_ID": "g", "APEX_GATEWAY_URL": g.URL,
	}, &secret.Memory{})
	c.limit = time.Millisecond
	c.start("serve", "--listen", "127.0.0.1:0")
	addr := c.addr(t)
	until(t, "the key opens", func() bool { return ask(t, addr, "key") == 200 })
	_, rest := stream(t, addr)
	c.signals <- os.Interrupt
	if text, _ := io.ReadAll(rest); !strings.Contains(string(text), `"error"`) {
		t.Errorf("the stream ended with %q, want an error", text)
	}
	c.ends(t, exitCut)
}

// TestPatience: Windows ends a program whose console was closed five seconds later.
func TestPatience(t *testing.T) {
	for _, x := range []struct {
		goos   string
		signal os.Signal
		want   time.Duration
	}{
		{"linux", syscall.SIGTERM, drainLimit},
		{"darwin", syscall.SIGTERM, drainLimit},
		{"windows", os.Interrupt, drainLimit},
		{"windows", syscall.SIGTERM, closedLimit},
	} {
		c := &cli{goos: x.goos, limit: drainLimit}
		if got := c.patience(x.signal); got != x.want {
			t.Errorf("%s, %v: %v", x.goos, x.signal, got)
		}
	}
}

// After the window is gone running requests may end, but a signal ends them.
func TestQuitWithAStream(t *testing.T) {
	for _, impatient := range []bool{false, true} {
		g := newGateway(t)
		c := newConsole(t, map[string]string{
			"DISPLAY": ":0", "APEX_LOCAL_KEY": "key", "APEX_LISTEN": "127.0.0.1:0", "GATEWAY_TOKEN": "tok",
			"ACCOUNT_ID": account, "GATEWAY_ID": "g", "APEX_GATEWAY_URL": g.URL,
		}, &secret.Memory{})
		quit := make(chan struct{})
		running := make(chan *App, 1)
		c.desktop = func(_ context.Context, a *App) int {
			must(t, a.Start(context.Background()))
			running <- a
			<-quit
			return exitOK
		}
		c.start()
		a := <-running
		addr := a.Status().Addr
		until(t, "the key opens", func() bool { return ask(t, addr, "key") == 200 })
		_, rest := stream(t, addr)
		c.signals <- os.Interrupt // what ended the window, not what cuts streams
		close(quit)
		until(t, "nothing listens", func() bool { return a.Status().State == Stopping })
		want, code := "[DONE]", exitOK
		if impatient {
			c.signals <- os.Interrupt
			want, code = `"error"`, exitCut
		} else {
			close(g.end)
		}
		if text, _ := io.ReadAll(rest); !strings.Contains(string(text), want) {
			t.Errorf("the stream ended with %q, want %s", text, want)
		}
		c.ends(t, code)
	}
}

// A signal ends the window whenever it comes, also before there is one.
func TestSignalEndsTheWindow(t *testing.T) {
	for name, early := range map[string]bool{"before": true, "while it is shown": false} {
		t.Run(name, func(t *testing.T) {
			c := newConsole(t, map[string]string{"DISPLAY": ":0", "APEX_LOCAL_KEY": "key"}, &secret.Memory{})
			shown := make(chan struct{})
			c.desktop = func(ctx context.Context, _ *App) int {
				close(shown)
				<-ctx.Done()
				return exitOK
			}
			if early {
				c.signals <- syscall.SIGTERM
			}
			c.start()
			<-shown
			if !early {
				c.signals <- syscall.SIGTERM
			}
			c.ends(t, exitOK)
			if !strings.Contains(c.err.String(), "signal=terminated") {
				t.Errorf("says %q", c.err.String())
			}
		})
	}
}

// does runs one command to its end.
func does(t *testing.T, env map[string]string, k secret.Store, stdin string, args ...string) (code int, out, err string) {
	t.Helper()
	c := newConsole(t, env, k)
	c.stdin = strings.NewReader(stdin)
	code = c.run(context.Background(), args)
	return code, c.out.String(), c.err.String()
}

func TestToken(t *testing.T) {
	ctx := context.Background()
	var k secret.Memory
	want := func(code int, says string, stdin string, args ...string) {
		t.Helper()
		got, out, err := does(t, nil, &k, stdin, args...)
		if got != code || !strings.Contains(out+err, says) || strings.Contains(out+err, "tok-") {
			t.Errorf("%q: exit code %d, %q, want %d, %q", args, got, out+err, code, says)
		}
	}
	want(exitFailure, "No gateway token is stored. Store one with \"apex-ai-proxy token set\".", "", "token", "status")
	want(exitFailure, "No key for openai is stored. Store one with \"apex-ai-proxy token set openai\".", "", "token", "status", "openai")
	want(exitFailure, "gateway token: nothing was read", "", "token", "set")
	want(exitFailure, "gateway token: nothing was read", " \n", "token", "set")
	want(exitFailure, "the secret holds a space", "tok-a tok-b\n", "token", "set")
	want(exitFailure, "too long", strings.Repeat("tok-", 1000), "token", "set")
	want(exitOK, "stored in the keychain", "tok-1\n", "token", "set")
	want(exitOK, "gateway token is set (keychain)", "", "token", "status")
	want(exitOK, "stored in the keychain", "\r\n tok-2", "token", "set")
	if v, _ := k.Get(ctx, secret.GatewayToken); v != "tok-2" {
		t.Errorf("the keychain has %q", v)
	}
	for _, text := range []string{`"tok-4"`, "Bearer tok-4\r\n", "export GATEWAY_TOKEN='tok-4'\n", "cf-aig-authorization: Bearer tok-4"} { // as in the window
		want(exitOK, "stored in the keychain", text, "token", "set")
		if v, _ := k.Get(ctx, secret.GatewayToken); v != "tok-4" {
			t.Errorf("pasted %q, the keychain has %q", text, v)
		}
	}
	want(exitFailure, "the secret is empty", `""`, "token", "set")
	want(exitOK, "key for openai is stored", "tok-3", "token", "set", "openai")
	if v, _ := k.Get(ctx, secret.ProviderKey("openai")); v != "tok-3" {
		t.Errorf("the keychain has %q", v)
	}
	want(exitOK, "removed", "", "token", "remove")
	want(exitFailure, "No gateway token is stored", "", "token", "remove")
	want(exitOK, "key for openai is set", "", "token", "status", "openai")
}

func TestTokenWithTheEnvironment(t *testing.T) {
	env := map[string]string{"GATEWAY_TOKEN": "tok"}
	k := &brokenKeychain{err: errors.New("must not be asked")}
	if code, out, _ := does(t, env, k, "", "token", "status"); code != exitOK || !strings.Contains(out, "(environment)") {
		t.Errorf("exit code %d, %q", code, out)
	}
	if code, _, err := does(t, env, k, "new", "token", "set"); code != exitFailure || !strings.Contains(err, "unset GATEWAY_TOKEN first") {
		t.Errorf("exit code %d, %q", code, err)
	}
}

// TestTokenFromNowhere: nobody types there, so nobody is asked.
func TestTokenFromNowhere(t *testing.T) {
	c := newConsole(t, nil, &secret.Memory{})
	null, err := os.Open(os.DevNull)
	must(t, err)
	defer null.Close()
	c.stdin = null
	if code := c.run(context.Background(), []string{"token", "set"}); code != exitFailure || c.out.String() != "" ||
		!strings.HasPrefix(c.err.String(), "apex-ai-proxy: gateway token: nothing was read") {
		t.Errorf("exit code %d, %q, %q", code, c.out.String(), c.err.String())
	}
}

func TestTokenWithoutAKeychain(t *testing.T) {
	if code, _, err := does(t, nil, &brokenKeychain{err: secret.ErrNoService}, "", "token", "status", "openai"); code != exitFailure || !strings.Contains(err, "APEX_PROVIDER_KEY_OPENAI") {
		t.Errorf("exit code %d, %q", code, err)
	}
	k := &brokenKeychain{err: secret.ErrNoService}
	if code, _, err := does(t, nil, k, "tok", "token", "set"); code != exitFailure || !strings.Contains(err, "use the environment variable GATEWAY_TOKEN instead") {
		t.Errorf("exit code %d, %q", code, err)
	}
}

func TestTokenCanBeInterrupted(t *testing.T) {
	k := &lockedKeychain{opened: make(chan struct{})}
	c := newConsole(t, nil, k)
	c.start("token", "status")
	c.signals <- os.Interrupt
	c.ends(t, exitFailure)
	c = newConsole(t, nil, k)
	c.stdin, _ = io.Pipe() // nobody types anything
	c.start("token", "set")
	c.signals <- os.Interrupt
	c.ends(t, exitFailure)
	if !strings.Contains(c.err.String(), "interrupted") {
		t.Errorf("says %q", c.err.String())
	}
}

// A person types a line and does not end the input.
func TestReadLineEndsWithTheLine(t *testing.T) {
	r, w := io.Pipe()
	go func() {
		for _, s := range []string{"\n", "tok", "en\n"} {
			_, _ = io.WriteString(w, s)
		}
	}()
	if text, err := readLine(r); err != nil || strings.TrimSpace(text) != "token" {
		t.Errorf("got %q, %v", text, err)
	}
}

func TestKey(t *testing.T) {
	var k secret.Memory
	code, first, _ := does(t, nil, &k, "", "key")
	if code != exitOK || !strings.HasPrefix(first, "apx-") || strings.Count(first, "\n") != 1 {
		t.Errorf("exit code %d, %q", code, first)
	}
	if code, again, _ := does(t, nil, &k, "", "key"); code != exitOK || again != first {
		t.Errorf("exit code %d, %q, want %q", code, again, first)
	}
	if code, out, _ := does(t, map[string]string{"APEX_LOCAL_KEY": "mine"}, &k, "", "key"); code != exitOK || out != "mine\n" {
		t.Errorf("exit code %d, %q", code, out)
	}
	for _, state := range []error{secret.ErrNoService, secret.ErrLocked} {
		code, out, err := does(t, nil, &brokenKeychain{err: state}, "", "key")
		if code != exitFailure || out != "" || !strings.Contains(err, state.Error()) || !strings.Contains(err, "APEX_LOCAL_KEY") {
			t.Errorf("%v: exit code %d, %q, %q", state, code, out, err)
		}
	}
}
