package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"apex-ai-proxy/proxy/demo/fakegateway"
	"apex-ai-proxy/proxy/demo/grammar"
)

// claudeCodeTools are the tools that Claude Code begins with.
var claudeCodeTools = []string{
	"Agent", "Bash", "Edit", "ListAgents", "Read", "ReportFindings", "ScheduleWakeup", "Skill", "ToolSearch", "Workflow",
	"DeferredToolPlaceholder", "Write",
}

// claudeCode is a request as Claude Code 2.1 sends it with a model that it does not know.
func claudeCode(model, messages string) string {
	var tools []string
	for _, name := range claudeCodeTools {
		tools = append(tools, fmt.Sprintf(`{"name":%q,"description":"Use it for %s.","input_schema":{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{"file_path":{"description":"The path","type":"string"},"limit":{"type":"integer","exclusiveMinimum":0,"maximum":9007199254740991}},"required":["file_path"],"additionalProperties":false}}`, name, name))
	}
	user := `{\"device_id\":\"` + strings.Repeat("d", 64) + `\",\"account_uuid\":\"\",\"session_id\":\"01234567-89ab-cdef-0123-456789abcdef\"}`
	return `{"model":"` + model + `","max_tokens":32000,"messages":[` + messages + `],` +
		`"system":[{"type":"text","text":"x-anthropic-billing-header: cc_version=2.1.330; cch=abcde;"},` +
		`{"type":"text","text":"You are Claude Code.","cache_control":{"type":"ephemeral"}},` +
		`{"type":"text","text":"# Rules\nBe exact.","cache_control":{"type":"ephemeral"}}],` +
		`"tools":[` + strings.Join(tools, ",") + `],"metadata":{"user_id":"` + user + `"},"stream":true,` +
		`"thinking":{"type":"adaptive","display":"omitted"},"context_management":{"edits":[{"type":"clear_thinking_20251015","keep":"all"}]},` +
		`"output_config":{"effort":"high"}}`
}

const claudeCodeTurn = `{"role":"user","content":[{"type":"text","text":"<system-reminder>\nToday is Sunday.\n</system-reminder>"},{"type":"text","text":"[[%s]] read a.txt","cache_control":{"type":"ephemeral"}}]},` +
	`{"role":"system","content":[{"type":"text","text":"Deferred tools: WebFetch"}]}`

func claudeCodeHeaders(r *http.Request) {
	for name, value := range map[string]string{
		"Anthropic-Version":                         "2023-06-01",
		"Anthropic-Beta":                            "claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27,mid-conversation-tool-changes-2026-07-01,thinking-token-count-2026-05-13,advanced-tool-use-2025-11-20,effort-2025-11-24",
		"Anthropic-Dangerous-Direct-Browser-Access": "true", "X-App": "cli", "User-Agent": "claude-cli/2.1.330 (external, sdk-cli)",
		"X-Claude-Code-Session-Id": "01234567-89ab-cdef-0123-456789abcdef", "Accept-Encoding": "gzip, deflate, br, zstd",
		"X-Stainless-Lang": "js", "X-Stainless-Retry-Count": "0",
	} {
		r.Header.Set(name, value)
	}
}

// TestClaudeCode goes through a tool loop with models of both protocols.
func TestClaudeCode(t *testing.T) {
	p, g := setup(t, fakegateway.Options{}, config{})
	for _, model := range []string{
		"gpt-4o#openai", "gpt-5-mini#openai", "gpt-5-codex#openai", "gpt-5-mini#azure-openai", "claude-opus-4-8#anthropic", "gemini-2.5-pro#google-ai-studio", "mistral-large-latest#mistral",
		"grok-4#grok", "deepseek-chat#deepseek", "llama-3.3-70b-versatile#groq", "llama-3.3-70b#cerebras", "gpt-4o#azure-openai",
		"command-a-03-2025#cohere", "@cf/openai/gpt-oss-120b#workers-ai", "anthropic/claude-sonnet-4.5#openrouter",
		"tools#demo", "tools-openai#demo", "tools-anthropic#demo",
	} {
		t.Run(model, func(t *testing.T) {
			asked := fmt.Sprintf(claudeCodeTurn, "tools")
			a := p.send("POST", "/v1/messages?beta=true", claudeCode(model, asked), claudeCodeHeaders)
			if err := grammar.Messages([]byte(a.body)); a.status != 200 || err != nil {
				t.Fatalf("%d %v\n%s\n%s", a.status, err, a.body, sent(g, model))
			}
			call := toolUse(t, a.body)
			if call.name != "Agent" || call.args != `{"file_path":"sample file_path"}` {
				t.Errorf("the call is %+v", call)
			}
			answered := asked + `,{"role":"assistant","content":` + content(t, a.body) + `},{"role":"user","content":[{"type":"tool_result","tool_use_id":"` + call.id +
				`","content":"line 1\nline 2"},{"type":"text","text":"<system-reminder>be brief</system-reminder>"}]}`
			a = p.send("POST", "/v1/messages?beta=true", claudeCode(model, answered), claudeCodeHeaders)
			if err := grammar.Messages([]byte(a.body)); a.status != 200 || err != nil {
				t.Fatalf("second turn: %d %v\n%s\n%s", a.status, err, a.body, sent(g, model))
			}
			if !strings.Contains(a.body, `"line `) { // the result, quoted word by word
				t.Errorf("second turn: %s", a.body)
			}
		})
	}
}

func sent(g *fakegateway.Gateway, model string) string {
	if strings.HasSuffix(model, "#demo") {
		return ""
	}
	return "refused: " + g.Last().Refused + "\nsent: " + string(g.Last().Body)
}

// TestClaudeCodeConverted looks at what reaches a model that is not Claude.
func TestClaudeCodeConverted(t *testing.T) {
	p, g := setup(t, fakegateway.Options{}, config{})
	a := p.send("POST", "/v1/messages?beta=true", claudeCode("gpt-4o#openai", fmt.Sprintf(claudeCodeTurn, "echo")), claudeCodeHeaders)
	if a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	var body struct {
		Messages []struct {
			Role    string
			Content json.RawMessage
		}
		Tools           []json.RawMessage
		ReasoningEffort string `json:"reasoning_effort"`
	}
	last := g.Last()
	if err := json.Unmarshal(last.Body, &body); err != nil {
		t.Fatal(err)
	}
	var roles []string
	for _, m := range body.Messages {
		roles = append(roles, m.Role)
	}
	if got := strings.Join(roles, " "); got != "system user system" {
		t.Errorf("the roles are %q", got)
	}
	if len(body.Tools) != len(claudeCodeTools) || body.ReasoningEffort != "" {
		t.Errorf("%d tools, effort %q", len(body.Tools), body.ReasoningEffort)
	}
	text := string(last.Body)
	for _, gone := range []string{"cache_control", "billing-header", "context_management", "output_config", "device_id"} {
		if strings.Contains(text, gone) {
			t.Errorf("%s reached the upstream: %s", gone, text)
		}
	}
	for _, kept := range []string{`"additionalProperties":false`, "9007199254740991", "Be exact.", "Today is Sunday.", "Deferred tools: WebFetch"} {
		if !strings.Contains(text, kept) {
			t.Errorf("%s did not reach the upstream: %s", kept, text)
		}
	}
	for name := range last.Header {
		if strings.HasPrefix(name, "Anthropic-") || strings.HasPrefix(name, "X-Stainless-") || name == "X-App" {
			t.Errorf("the header %s reached the upstream", name)
		}
	}
	if last.Query.Get("beta") != "" {
		t.Error("the query of another protocol reached the upstream")
	}
}

// toolUse is the call in a Messages stream.
func toolUse(t *testing.T, stream string) toolCall {
	t.Helper()
	var call toolCall
	for _, e := range eventsOf(t, stream) {
		if b := e.ContentBlock; b.Type == "tool_use" {
			call.id, call.name = b.ID, b.Name
		}
		call.args += e.Delta.PartialJSON
	}
	if call.id == "" {
		t.Fatalf("no tool was called: %s", stream)
	}
	return call
}

type streamEvent struct {
	Index        int
	ContentBlock struct{ Type, ID, Name, Text string } `json:"content_block"`
	Delta        struct {
		Text, Thinking, Signature string
		PartialJSON               string `json:"partial_json"`
	}
}

func eventsOf(t *testing.T, stream string) []streamEvent {
	t.Helper()
	var all []streamEvent
	for _, line := range strings.Split(stream, "\n") {
		data, ok := strings.CutPrefix(line, "data: ")
		if !ok {
			continue
		}
		var e streamEvent
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			t.Fatalf("%v in %s", err, data)
		}
		all = append(all, e)
	}
	return all
}

// content is the content of a Messages stream, as a client sends it back.
func content(t *testing.T, stream string) string {
	t.Helper()
	type block map[string]any
	var blocks []block
	input := map[int]string{}
	for _, e := range eventsOf(t, stream) {
		switch b := e.ContentBlock; b.Type {
		case "":
		case "tool_use":
			blocks = append(blocks, block{"type": b.Type, "id": b.ID, "name": b.Name})
		case "thinking":
			blocks = append(blocks, block{"type": b.Type, "thinking": "", "signature": ""})
		default:
			blocks = append(blocks, block{"type": b.Type, "text": ""})
		}
		if e.Index >= len(blocks) {
			continue
		}
		for key, s := range map[string]string{"text": e.Delta.Text, "thinking": e.Delta.Thinking, "signature": e.Delta.Signature} {
			if s != "" {
				blocks[e.Index][key] = blocks[e.Index][key].(string) + s
			}
		}
		input[e.Index] += e.Delta.PartialJSON
	}
	for i, b := range blocks {
		if b["type"] == "tool_use" {
			b["input"] = json.RawMessage(input[i])
		}
	}
	out, err := json.Marshal(blocks)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
