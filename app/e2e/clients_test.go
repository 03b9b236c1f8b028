//go:build clients

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"apex-ai-proxy/proxy/demo/fakegateway"
)

// Where packaging/clients.sh has installed the clients, and where it wants the table.
var (
	clientsDir   = os.Getenv("CLIENTS_DIR")
	clientsTable = os.Getenv("CLIENTS_TABLE")
)

// clientPatience is the longest that one client may take for all of its checks.
const clientPatience = 10 * time.Minute

// clientUpstream is a model to talk to and the protocol of its vendor.
type clientUpstream struct {
	name       string // heading of the table's column
	path       string // end of the address that is asked for chat
	model      string
	embeddings string
}

var clientUpstreams = []clientUpstream{
	{"openai chat", "/openai/chat/completions", "gpt-4o#openai", "text-embedding-3-small#openai"},
	{"openai responses", "/openai/responses", "o3-pro#openai", "text-embedding-3-small#openai"},
	{"anthropic", "/anthropic/v1/messages", "claude-sonnet-4-5#anthropic", "claude-sonnet-4-5#anthropic"},
	{"mistral chat", "/mistral/v1/chat/completions", "mistral-large-latest#mistral", "mistral-embed#mistral"},
}

// libraries are programs that use a vendor's library and print a line for every check.
var libraries = []struct {
	name string
	args []string
}{
	{"openai, Python", []string{"python/venv/bin/python", "python/openai_client.py"}},
	{"anthropic, Python", []string{"python/venv/bin/python", "python/anthropic_client.py"}},
	{"openai, JavaScript: Chat", []string{"node", "js/openai-chat.mjs"}},
	{"openai, JavaScript: Responses", []string{"node", "js/openai-responses.mjs"}},
	{"@anthropic-ai/sdk, JavaScript", []string{"node", "js/anthropic.mjs"}},
	{"AI SDK, openai: Responses", []string{"node", "js/aisdk.mjs", "openai-responses"}},
	{"AI SDK, openai: Chat", []string{"node", "js/aisdk.mjs", "openai-chat"}},
	{"AI SDK, openai-compatible", []string{"node", "js/aisdk.mjs", "openai-compatible"}},
	{"AI SDK, anthropic", []string{"node", "js/aisdk.mjs", "anthropic"}},
	{"LangChain JS, openai", []string{"node", "js/langchain.mjs", "openai"}},
	{"LangChain JS, anthropic", []string{"node", "js/langchain.mjs", "anthropic"}},
}

// TestClients has real clients talk to upstreams of every protocol.
func TestClients(t *testing.T) {
	t.Cleanup(func() { writeTable(t) })
	t.Run("libraries", testLibraries)
	t.Run("agents", testAgents)
}

func testLibraries(t *testing.T) {
	for _, lib := range libraries {
		for _, up := range clientUpstreams {
			t.Run(lib.name+"/"+up.name, func(t *testing.T) {
				p, g := setup(t, fakegateway.Options{}, config{})
				out := runClient(t, clientCommand{
					dir: clientsDir, args: lib.args,
					env: []string{"APEX_URL=" + p.URL, "APEX_KEY=" + localKey, "APEX_MODEL=" + up.model, "APEX_EMBEDDING_MODEL=" + up.embeddings},
				})
				checks := 0
				for _, line := range strings.Split(out, "\n") {
					verdict, rest, _ := strings.Cut(line, " ")
					if verdict != "pass" && verdict != "fail" {
						continue
					}
					checks++
					name, why, _ := strings.Cut(rest, ": ")
					t.Run(name, func(t *testing.T) {
						score(lib.name, up.name, verdict == "pass")
						if verdict == "fail" {
							t.Error(why)
						}
					})
				}
				if checks == 0 {
					score(lib.name, up.name, false)
					t.Errorf("no check was run:\n%s", out)
				}
				explain(t, g)
			})
		}
	}
}

// explain shows what the gateway refused, when a test failed.
func explain(t *testing.T, g *fakegateway.Gateway) {
	t.Helper()
	if !t.Failed() {
		return
	}
	for _, r := range g.Requests() {
		if r.Refused != "" {
			t.Logf("refused %s: %s\n%.3000s", r.Path, r.Refused, r.Body)
		}
	}
}

// clientCommand is how to start a client.
type clientCommand struct {
	dir  string
	home string // "" for a new one
	args []string
	env  []string
}

// runClient runs a client to its end, in a world of its own, and returns what it printed.
func runClient(t *testing.T, c clientCommand) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), clientPatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.args[0], c.args[1:]...)
	if strings.Contains(c.args[0], "/") && !filepath.IsAbs(c.args[0]) {
		cmd.Path = filepath.Join(clientsDir, c.args[0])
	}
	cmd.Dir = c.dir
	cmd.WaitDelay = 10 * time.Second // a client's own children may hold its output
	home := c.home
	if home == "" {
		home = t.TempDir()
	}
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "XDG_CONFIG_HOME=" + home, "TMPDIR=" + home, "LANG=C.UTF-8", "CI=1"}, c.env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Errorf("%s: %v\n%s", strings.Join(c.args, " "), err, out.String())
	}
	return out.String()
}

// scores are the results by client and upstream.
var scores = struct {
	sync.Mutex
	cells map[[2]string]*[2]int // passed, failed
}{cells: map[[2]string]*[2]int{}}

func score(client, upstream string, passed bool) {
	scores.Lock()
	defer scores.Unlock()
	cell := scores.cells[[2]string{client, upstream}]
	if cell == nil {
		cell = &[2]int{}
		scores.cells[[2]string{client, upstream}] = cell
	}
	if passed {
		cell[0]++
	} else {
		cell[1]++
	}
}

// writeTable writes the results, a client per line and an upstream per column.
func writeTable(t *testing.T) {
	var out bytes.Buffer
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "client")
	for _, up := range clientUpstreams {
		fmt.Fprint(w, "\t"+up.name)
	}
	passed, failed := 0, 0
	for _, client := range clientNames() {
		fmt.Fprint(w, "\n"+client)
		for _, up := range clientUpstreams {
			cell := scores.cells[[2]string{client, up.name}]
			switch {
			case cell == nil:
				fmt.Fprint(w, "\t-")
			case cell[1] == 0:
				fmt.Fprintf(w, "\t%d passed", cell[0])
			default:
				fmt.Fprintf(w, "\t%d passed, %d FAILED", cell[0], cell[1])
			}
			if cell != nil {
				passed, failed = passed+cell[0], failed+cell[1]
			}
		}
	}
	_ = w.Flush() // into memory
	fmt.Fprintf(&out, "\n\n%d passed, %d failed\n", passed, failed)
	if err := os.WriteFile(clientsTable, out.Bytes(), 0o600); err != nil {
		t.Error(err)
	}
}

// clientNames are the clients that took part.
func clientNames() []string {
	var all, took []string
	for _, lib := range libraries {
		all = append(all, lib.name)
	}
	for _, a := range agents {
		all = append(all, a.name)
	}
	for _, name := range all {
		for _, up := range clientUpstreams {
			if scores.cells[[2]string{name, up.name}] != nil {
				took = append(took, name)
				break
			}
		}
	}
	return took
}
