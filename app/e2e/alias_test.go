package e2e

import (
	"strings"
	"testing"
)

// TestTiersOfClaudeCode: a filled slot stands for every id of its tier.
func TestTiersOfClaudeCode(t *testing.T) {
	p := start(t, config{settings: `
[claude]
opus = "echo#demo"
sonnet = ["reasoning#demo", "echo#demo"]
haiku = "tools#demo"
fable = ""
[aliases]
"claude-opus-4-1" = "long#demo"
`})
	for asked, want := range map[string]string{
		"claude-opus-4-8": "echo", "claude-opus-4-8[1m]": "echo", "claude-3-opus-20240229": "echo", "claude-opus-4-20250514": "echo", "claude-opus": "echo",
		"claude-opus-4-1":   "long",
		"claude-sonnet-4-5": "reasoning", "claude-sonnet-4-5-20250929[1m]": "reasoning", "claude-3-7-sonnet-latest": "reasoning",
		"claude-haiku-4-5": "tools", "claude-3-5-haiku-20241022": "tools",
		"claude-fable-5":            "", // its slot is empty
		"claude-opus-4-8#anthropic": "", // tells its provider
	} {
		a := p.send("POST", messagesPath, `{"model":"`+asked+`","max_tokens":2000,"messages":[{"role":"user","content":"hi"}]}`, set("Anthropic-Version", "2026-10-21"))
		if want == "" {
			if a.status != 502 || !strings.Contains(a.body, "account") || strings.Contains(a.body, "alias") {
				t.Errorf("%s: %d %s", asked, a.status, a.body)
			}
			continue
		}
		if a.status != 200 || a.header.Get("X-Upstream-Model") != want {
			t.Errorf("%s: %d, %s answered: %s", asked, a.status, a.header.Get("X-Upstream-Model"), a.body)
		}
	}
	list := p.send("GET", "/v1/models?limit=1000", "", set("User-Agent", "claude-cli/2.1.330 (external, cli)"))
	for _, id := range []string{"claude-opus", "claude-sonnet", "claude-haiku"} {
		if !strings.Contains(list.body, `"id":"`+id+`"`) {
			t.Errorf("%s is not offered: %s", id, list.body)
		}
	}
}
