package convert_test

import (
	"testing"

	"apex-ai-proxy/proxy/convert"
	"apex-ai-proxy/proxy/convert/ir"
)

func TestStripForeign(t *testing.T) {
	for _, c := range []struct {
		name, in, want string
		proto          ir.Protocol
	}{
		{"nothing to do", `{ "messages" : [ {"content":"apx1."} ] }`, `{ "messages" : [ {"content":"apx1."} ] }`, ir.AnthropicMessages},
		{
			"in text only", `{"messages":[{"role":"user","content":"\"apx1.txt."},{"role":"user","content":[{"type":"text","text":"apx1.x"}]}]}`,
			`{"messages":[{"role":"user","content":"\"apx1.txt."},{"role":"user","content":[{"type":"text","text":"apx1.x"}]}]}`, ir.AnthropicMessages,
		},
		{
			"a block goes, its own stays",
			`{"n":1.0, "messages":[{"role":"assistant", "content":[{"type":"thinking","thinking":"a","signature":"apx1.txt."},{"type":"thinking","thinking":"b","signature":"U2ln"},{"type":"tool_use","id":"t","name":"f","input":{"x": 12345678901234567890}}]}], "z":0}`,
			`{"n":1.0, "messages":[{"role":"assistant", "content":[{"type":"thinking","thinking":"b","signature":"U2ln"},{"type":"tool_use","id":"t","name":"f","input":{"x": 12345678901234567890}}]}], "z":0}`,
			ir.AnthropicMessages,
		},
		{
			"a message goes", `{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"redacted_thinking","data":"apx1.oai-r.e30"}]},{"role":"user","content":"b"}]}`,
			`{"messages":[{"role":"user","content":"a"},{"role":"user","content":"b"}]}`, ir.AnthropicMessages,
		},
		{
			"a reasoning item goes", `{"input":[{"type":"reasoning","summary":[],"encrypted_content":"apx1.ant.e30"},{"type":"reasoning","encrypted_content":"gAAA"},{"role":"user","content":"a"}]}`,
			`{"input":[{"type":"reasoning","encrypted_content":"gAAA"},{"role":"user","content":"a"}]}`, ir.OpenAIResponses,
		},
		{"not JSON", `{"messages":[{"signature":"apx1.`, `{"messages":[{"signature":"apx1.`, ir.AnthropicMessages},
	} {
		if got := string(convert.StripForeign(c.proto, []byte(c.in))); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}
