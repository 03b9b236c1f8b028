package readme

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"apex-ai-proxy/proxy/demo/fakegateway"
)

// key is the local key that the README uses.
const key = "my-local-key"

// build makes the program without a window.
func build(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "apex-ai-proxy")
	if runtime.GOOS == "windows" {
		program += ".exe"
	}
	cmd := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-tags", "headless", "-o", program, ".")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return program
}

// environment is that of a person whose only setting is the local key, with a home of their own
// and no keychain. Its curl prints the status, too.
func environment(t *testing.T, more ...string) []string {
	t.Helper()
	home := t.TempDir()
	curlrc := "silent\nshow-error\nno-buffer\nwrite-out = \"\\nHTTP %{http_code}\\n\"\n"
	if err := os.WriteFile(filepath.Join(home, ".curlrc"), []byte(curlrc), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "XDG_CONFIG_HOME=" + home, "XDG_RUNTIME_DIR=" + home, "CURL_HOME=" + home,
		"DBUS_SESSION_BUS_ADDRESS=disabled:", "APEX_LOCAL_KEY=" + key,
	}
	return append(env, more...)
}

// serve starts the program and returns the address it prints. At the end of the test it is told
// to stop and must end well.
func serve(t *testing.T, program string, env []string, args ...string) string {
	t.Helper()
	cmd := exec.Command(program, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	cmd.Env = env
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	watchdog := time.AfterFunc(10*time.Minute, func() { _ = cmd.Process.Kill() })
	t.Cleanup(func() {
		defer watchdog.Stop()
		if runtime.GOOS == "windows" { // which cannot tell a program to stop from outside its console
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			return
		}
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("the program ended with %v", err)
		}
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	address, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if !ok {
		t.Fatalf("the first line is %q, %v", line, err)
	}
	return address
}

// shell runs a command of the README with another address in place of the usual one and returns
// what it prints.
func shell(t *testing.T, env []string, command, address string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bash", "-c", strings.ReplaceAll(command, "http://127.0.0.1:8787", address))
	cmd.Env = env
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s\n%v\n%s", command, err, out)
	}
	return string(out)
}

// TestRequests makes every request of the README, against a gateway that takes only what
// Cloudflare and the providers take.
func TestRequests(t *testing.T) {
	const openaiKey = "sk-openai-of-the-user"
	program := build(t)
	gateway := func(opts fakegateway.Options) (env []string, address string) {
		opts.Secrets = []string{key}
		g := fakegateway.New(t, opts)
		env = environment(t, "GATEWAY_TOKEN="+fakegateway.Token, "OPENAI_API_KEY="+openaiKey)
		address = serve(t, program, env, "--account", fakegateway.Account, "--gateway", fakegateway.Name, "--gateway-url", g.URL)
		return env, address
	}
	stored, address := gateway(fakegateway.Options{})
	own, ownAddress := gateway(fakegateway.Options{Keys: map[string]string{"openai": openaiKey}})

	t.Run("endpoints", func(t *testing.T) { endpoints(t, address) })
	t.Run("headers", func(t *testing.T) { headers(t, address) })
	seen := 0
	for _, block := range blocks(load(t), "bash") {
		for _, command := range commands(block) {
			if !strings.Contains(command, "curl ") {
				continue
			}
			seen++
			t.Run(name(command), func(t *testing.T) {
				env, to := stored, address
				if strings.Contains(command, "$OPENAI_API_KEY") {
					env, to = own, ownAddress
				}
				out := shell(t, env, command, to)
				for _, want := range append(expected(command), "\nHTTP 200") {
					if !strings.Contains(out, want) {
						t.Errorf("%s\nhas no %q in its answer:\n%s", command, want, out)
					}
				}
			})
		}
	}
	if seen < 12 {
		t.Errorf("only %d requests found", seen)
	}
}

// ask makes a request without content, as a page of this computer does.
func ask(t *testing.T, method, url string) (resp *http.Response, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Origin", "http://localhost")
	resp, err = http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	all, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(all)
}

// endpoints looks for every path of the table of endpoints.
func endpoints(t *testing.T, address string) {
	for _, row := range rows(t, load(t), "path | what it is") {
		method, list, _ := strings.Cut(row[0], " ")
		paths := strings.Split(list, ", ")
		for _, path := range paths {
			if rest, ok := strings.CutPrefix(path, "..."); ok { // as the first, up to the model
				before, _, _ := strings.Cut(paths[0], "MODEL")
				path = before + "MODEL" + rest
			}
			path = strings.ReplaceAll(path, "MODEL", "echo%23demo")
			for _, path := range []string{path, strings.TrimPrefix(path, "/v1")} { // works without it, too
				resp, body := ask(t, method, address+path)
				if strings.Contains(body, "there is no API at") || resp.StatusCode == http.StatusMethodNotAllowed || method == http.MethodGet && resp.StatusCode != http.StatusOK {
					t.Errorf("%s %s: %s\n%s", method, path, resp.Status, body)
				}
			}
		}
	}
}

// headers looks for every header of the table among those that pages may read.
func headers(t *testing.T, address string) {
	resp, _ := ask(t, http.MethodGet, address+"/v1/models")
	there := strings.Split(resp.Header.Get("Access-Control-Expose-Headers"), ", ")
	for _, row := range rows(t, load(t), "header of the answer | what it says") {
		name, _, _ := strings.Cut(row[0], ":")
		if !slices.Contains(there, strings.ToLower(name)) {
			t.Errorf("%s is none of %v", name, there)
		}
	}
}

// name is a short name of a request.
func name(command string) string {
	what := regexp.MustCompile(`127\.0\.0\.1:8787(/[\w/]*)`).FindStringSubmatch(command)
	model := regexp.MustCompile(`"model": "([^"]*)"`).FindStringSubmatch(command)
	return strings.Join(append(what[1:], model[min(1, len(model)):]...), " ")
}

// expected is what must be in the answer to a request.
func expected(command string) (parts []string) {
	anthropic := strings.Contains(command, "/v1/messages")
	for mark, want := range map[string][]string{
		"Hello, world!":        {"world!"},
		"What do you see":      {"image"},
		`"content": "22 deg`:   {"22 degrees"},
		"/v1/models":           {"echo#demo", "claude-sonnet-4-5#anthropic"},
		`"stream": true`:       {"data: "},
		"cf-aig-authorization": {"Hello!"},
	} {
		if strings.Contains(command, mark) {
			parts = append(parts, want...)
		}
	}
	switch {
	case strings.Contains(command, "tools#demo") && !strings.Contains(command, "22 degrees"):
		parts = append(parts, "get_weather", map[bool]string{true: `"tool_use"`, false: `"tool_calls"`}[anthropic])
	case strings.Contains(command, "/v1/responses"):
		parts = append(parts, "response.completed")
	case strings.Contains(command, `"stream": true`):
		parts = append(parts, map[bool]string{true: "message_stop", false: "[DONE]"}[anthropic])
	}
	return parts
}
