//go:build clients

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"apex-ai-proxy/proxy/demo"
	"apex-ai-proxy/proxy/demo/fakegateway"
)

// agent is a coding agent that edits a file.
type agent struct {
	name  string
	alias string // a name that the agent knows, under which it asks for the models
	not   string // an upstream that cannot be had with it
	setup func(a agentRun) clientCommand
	steps []agentStep
}

// agentStep is a call that the model makes; input is a text for tools that take text, and
// what becomes a JSON object for the others.
type agentStep struct {
	tool  string
	input func(file string) any
}

// agentRun is what an agent is started with.
type agentRun struct {
	t     *testing.T
	url   string
	model string
	dir   string // where it works
	home  string // where it keeps its settings
}

// write puts a file into the agent's home or, with an absolute name, anywhere.
func (a agentRun) write(name, content string) {
	a.t.Helper()
	if !filepath.IsAbs(name) {
		name = filepath.Join(a.home, name)
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		a.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		a.t.Fatal(err)
	}
}

const agentPrompt = "In notes.txt replace the word cold by warm. Then say that it is done."

// replace are the arguments of tools that replace a text in a file, under their names.
func replace(path, old, text string) func(string) any {
	return func(file string) any { return map[string]string{path: file, old: "cold", text: "warm"} }
}

func field(name string) func(string) any {
	return func(file string) any { return map[string]string{name: file} }
}

var agents = []agent{
	{
		name: "Claude Code", setup: claudeCodeCLI,
		steps: []agentStep{{"Read", field("file_path")}, {"Edit", replace("file_path", "old_string", "new_string")}},
	},
	{
		name: "Claude Code, by alias", setup: claudeCodeCLI, alias: "claude-sonnet-4-5",
		steps: []agentStep{{"Read", field("file_path")}, {"Edit", replace("file_path", "old_string", "new_string")}},
	},
	{
		name: "Codex", setup: codex, not: "openai chat",
		steps: []agentStep{{"exec_command", func(file string) any {
			return map[string]string{"cmd": "sed s/cold/warm/ '" + file + "' >new && mv new '" + file + "'"}
		}}},
	},
	{
		name: "Codex, by alias", setup: codex, alias: "gpt-5.5", not: "openai chat",
		steps: []agentStep{{"apply_patch", func(string) any {
			return "*** Begin Patch\n*** Update File: notes.txt\n@@\n-The sea is cold.\n+The sea is warm.\n*** End Patch\n"
		}}},
	},
	{
		name: "opencode, openai-compatible", setup: opencode("@ai-sdk/openai-compatible"),
		steps: []agentStep{{"read", field("filePath")}, {"edit", replace("filePath", "oldString", "newString")}},
	},
	{
		name: "opencode, anthropic", setup: opencode("@ai-sdk/anthropic"),
		steps: []agentStep{{"read", field("filePath")}, {"edit", replace("filePath", "oldString", "newString")}},
	},
	{
		name: "opencode, openai", setup: opencode("@ai-sdk/openai"), not: "openai chat",
		steps: []agentStep{{"read", field("filePath")}, {"edit", replace("filePath", "oldString", "newString")}},
	},
	{
		name: "Qwen Code", setup: qwenCode,
		steps: []agentStep{{"read_file", field("file_path")}, {"edit", replace("file_path", "old_string", "new_string")}},
	},
	{
		name: "Continue, openai", setup: continueCLI("openai", "/v1"),
		steps: []agentStep{{"Read", field("filepath")}, {"MultiEdit", multiEdit}},
	},
	{
		name: "Continue, anthropic", setup: continueCLI("anthropic", "/v1"),
		steps: []agentStep{{"Read", field("filepath")}, {"MultiEdit", multiEdit}},
	},
}

func multiEdit(file string) any {
	return map[string]any{"file_path": file, "edits": []map[string]string{{"old_string": "cold", "new_string": "warm"}}}
}

func claudeCodeCLI(a agentRun) clientCommand {
	return clientCommand{
		args: []string{
			"node", filepath.Join(clientsDir, "agents/node_modules/@anthropic-ai/claude-code/cli-wrapper.cjs"),
			"-p", agentPrompt, "--model", a.model, "--allowedTools", "Read", "Edit",
		},
		env: []string{
			"ANTHROPIC_BASE_URL=" + a.url, "ANTHROPIC_AUTH_TOKEN=" + localKey, "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1",
			"CLAUDE_CODE_MAX_RETRIES=1", "DISABLE_AUTOUPDATER=1",
		},
	}
}

func codex(a agentRun) clientCommand {
	a.write(".codex/config.toml", fmt.Sprintf(`
model = %q
model_provider = "apex"
[model_providers.apex]
name = "Apex"
base_url = %q
env_key = "APEX_KEY"
wire_api = "responses"
`, a.model, a.url+"/v1"))
	return clientCommand{
		args: []string{agentBin("codex"), "exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", agentPrompt},
		env:  []string{"APEX_KEY=" + localKey},
	}
}

// opencode uses one of the packages of the AI SDK.
func opencode(npm string) func(agentRun) clientCommand {
	return func(a agentRun) clientCommand {
		a.write(filepath.Join(a.dir, "opencode.json"), fmt.Sprintf(
			`{"provider":{"apex":{"npm":%q,"name":"Apex","options":{"baseURL":%q,"apiKey":%q},"models":{%q:{"name":"m"}}}}}`,
			npm, a.url+"/v1", localKey, a.model))
		arch := map[string]string{"amd64": "x64"}[runtime.GOARCH]
		if arch == "" {
			arch = runtime.GOARCH
		}
		return clientCommand{
			args: []string{filepath.Join(clientsDir, "agents/node_modules/opencode-"+runtime.GOOS+"-"+arch+"/bin/opencode"), "run", "-m", "apex/" + a.model, agentPrompt},
			// It is to fetch neither lists nor packages.
			env: []string{"OPENCODE_DISABLE_AUTOUPDATE=1", "OPENCODE_DISABLE_MODELS_FETCH=1", "OPENCODE_DISABLE_LSP_DOWNLOAD=1", "OPENCODE_DISABLE_DEFAULT_PLUGINS=1"},
		}
	}
}

func qwenCode(a agentRun) clientCommand {
	return clientCommand{
		args: []string{agentBin("qwen"), "--yolo", "--auth-type", "openai", "--model", a.model, "-p", agentPrompt},
		env:  []string{"OPENAI_API_KEY=" + localKey, "OPENAI_BASE_URL=" + a.url + "/v1", "OPENAI_MODEL=" + a.model},
	}
}

func continueCLI(provider, path string) func(agentRun) clientCommand {
	return func(a agentRun) clientCommand {
		a.write("config.yaml", fmt.Sprintf(`
name: test
version: 1.0.0
schema: v1
models:
  - {name: apex, provider: %s, model: %q, apiKey: %q, apiBase: %q, roles: [chat, edit], capabilities: [tool_use]}
`, provider, a.model, localKey, a.url+path))
		return clientCommand{args: []string{agentBin("cn"), "-p", agentPrompt, "--auto", "--config", filepath.Join(a.home, "config.yaml")}}
	}
}

func agentBin(name string) string {
	return filepath.Join(clientsDir, "agents/node_modules/.bin", name)
}

// testAgents has every agent edit a file with models of every protocol.
func testAgents(t *testing.T) {
	for _, a := range agents {
		for _, up := range clientUpstreams {
			if a.not == up.name {
				continue
			}
			t.Run(a.name+"/"+up.name, func(t *testing.T) {
				t.Parallel() // they mostly wait
				defer func() { score(a.name, up.name, !t.Failed()) }()
				a.edit(t, up)
			})
		}
	}
}

// edit has an agent change the word in the file.
func (a agent) edit(t *testing.T, up clientUpstream) {
	c, model := config{}, up.model
	if a.alias != "" {
		c.settings, model = fmt.Sprintf("[aliases]\n%q = %q\n", a.alias, up.model), a.alias
	}
	p, g := setup(t, fakegateway.Options{}, c)
	run := agentRun{t: t, url: p.URL, model: model, dir: t.TempDir(), home: t.TempDir()}
	file := filepath.Join(run.dir, "notes.txt")
	run.write(file, "The sea is cold.\n")
	script := &editor{steps: a.steps, file: file}
	g.Play(script.play)
	command := a.setup(run)
	command.dir, command.home = run.dir, run.home
	out := runClient(t, command)
	got, err := os.ReadFile(file)
	switch {
	case err != nil:
		t.Error(err)
	case string(got) != "The sea is warm.\n":
		t.Errorf("the file holds %q", got)
	case !strings.Contains(out, editorDone):
		t.Errorf("the agent does not say what the model said")
	}
	for _, r := range g.Requests() {
		if !strings.HasSuffix(r.Path, up.path) && !strings.HasSuffix(r.Path, "/count_tokens") {
			t.Errorf("a request went to %s, not to %s", r.Path, up.path)
		}
		if r.Refused != "" {
			t.Errorf("the vendor refused a request: %s", r.Refused)
		}
	}
	if t.Failed() {
		t.Logf("the model saw:\n%s\nthe agent printed:\n%s", strings.Join(script.log, "\n"), out)
	}
}

// editorDone is what the model says in the end.
const editorDone = "The word was replaced."

// editor is a model that edits a file with the tools it is given.
type editor struct {
	steps []agentStep
	file  string

	mu  sync.Mutex
	log []string
}

// play goes one step further than the last call whose answer came back.
func (e *editor) play(turn demo.Turn) demo.Reply {
	e.mu.Lock()
	defer e.mu.Unlock()
	var names []string
	tools := map[string]demo.Tool{}
	for _, tool := range turn.Tools {
		names = append(names, tool.Name)
		tools[tool.Name] = tool
	}
	e.log = append(e.log, fmt.Sprintf("tools %v, results %+v", names, turn.Results))
	next := 0
	for _, r := range turn.Results {
		for i, s := range e.steps {
			if s.tool == r.Name {
				next = i + 1
			}
		}
	}
	if next == len(e.steps) {
		return demo.Reply{Text: editorDone}
	}
	step := e.steps[next]
	if tool, ok := tools[step.tool]; ok {
		call := demo.Call{Name: step.tool, Input: inputFor(tool, step.input(e.file))}
		return demo.Reply{Text: "I use " + step.tool + ".", Calls: []demo.Call{call}}
	}
	return demo.Reply{Text: "A title"} // a request beside the task
}

// inputFor writes what a tool is called with. A text goes into the field input of a tool
// that takes arguments: so are tools that take text told to vendors that have none.
func inputFor(tool demo.Tool, input any) string {
	text, isText := input.(string)
	switch {
	case isText && !tool.Schema.Present():
		return text
	case isText:
		input = map[string]string{"input": text}
	}
	arguments, _ := json.Marshal(input) // it is made of strings
	return string(arguments)
}
