package demo_test

import (
	"strings"
	"testing"

	"apex-ai-proxy/proxy/demo"
)

const (
	userTurn   = `{"role":"user","content":"hi"}`
	claudeTool = `{"name":"weather","input_schema":{"type":"object"}}`
	uses       = `{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"weather","input":{}},{"type":"tool_use","id":"t2","name":"weather","input":{"a":1}}]}`
	answer1    = `{"type":"tool_result","tool_use_id":"t1","content":"one"}`
	answer2    = `{"type":"tool_result","tool_use_id":"t2","content":[{"type":"text","text":"two"}],"is_error":true}`
)

func messagesBody(messages string, more ...string) string {
	return `{"model":"claude-sonnet-4-5","max_tokens":4096,"messages":[` + messages + `]` + strings.Join(append([]string{""}, more...), ",") + `}`
}

func with(model, body string) string { return strings.Replace(body, "claude-sonnet-4-5", model, 1) }

func TestValidateMessages(t *testing.T) {
	tools := `"tools":[` + claudeTool + `]`
	thinking := `"thinking":{"type":"enabled","budget_tokens":2000}`
	adaptive := `"thinking":{"type":"adaptive","display":"omitted"}`
	cached := `{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}`
	system := `{"role":"system","content":"s"}`
	thought := `{"type":"thinking","thinking":"hm","signature":"c2ln"}`
	check(t, demo.ValidateMessages, []conformance{
		{"plain", messagesBody(userTurn), ""},
		{"everything", messagesBody(userTurn, tools, `"system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral","ttl":"1h"}}],"tool_choice":{"type":"any","disable_parallel_tool_use":true},"temperature":1,"top_k":5,"stop_sequences":["x"],"stream":true,"metadata":{"user_id":"u"},"service_tier":"auto","context_management":{"edits":[]}`), ""},
		{"no tokens", strings.Replace(messagesBody(userTurn), "4096", "0", 1), ""},
		{"consecutive users", messagesBody(userTurn + "," + userTurn), ""},
		{"tool loop", messagesBody(userTurn+","+uses+","+user(answer2+","+answer1+`,{"type":"text","text":"and?"}`), tools), ""},
		{"results in two messages", messagesBody(userTurn + "," + uses + "," + user(answer1) + "," + user(answer2)), ""},
		{"prefill", messagesBody(userTurn + `,{"role":"assistant","content":"The"}`), ""},
		{"empty prefill", messagesBody(userTurn + `,{"role":"assistant","content":[]}`), ""},
		{"image", messagesBody(user(`{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0K"}},{"type":"image","source":{"type":"url","url":"https://example.com/a"}}`)), ""},
		{"document", messagesBody(user(`{"type":"document","title":"t","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0x"}}`)), ""},
		{"thinking", messagesBody(userTurn, thinking, `"temperature":1`), ""},
		{"thinking loop", messagesBody(userTurn+`,{"role":"assistant","content":[`+thought+`,{"type":"tool_use","id":"t1","name":"weather","input":{}}]},`+user(answer1), thinking, tools), ""},
		{"adaptive", with("claude-opus-4-7", messagesBody(userTurn, adaptive, `"output_config":{"effort":"max"}`)), ""},
		{"mid system", with("claude-opus-4-8", messagesBody(userTurn+","+system)), ""},
		{"mid system elsewhere", with("echo", messagesBody(userTurn+","+system+`,{"role":"assistant","content":"a"},`+userTurn, adaptive)), ""},
		{"server tool", messagesBody(userTurn, `"tools":[{"type":"web_search_20250305","name":"web_search","max_uses":3}]`), ""},
		{"output schema", messagesBody(userTurn, `"output_config":{"format":{"type":"json_schema","schema":{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false}}}`), ""},

		{"not json", `{`, "not valid JSON"},
		{"no model", `{"max_tokens":1,"messages":[` + userTurn + `]}`, "model: Field required"},
		{"no max_tokens", `{"model":"m","messages":[` + userTurn + `]}`, "max_tokens: Field required"},
		{"no messages", `{"model":"m","max_tokens":1}`, "messages: Field required"},
		{"empty messages", messagesBody(""), "at least one message"},
		{"too many tokens", strings.Replace(messagesBody(userTurn), "4096", "64001", 1), "maximum allowed number of output tokens"},
		{"unknown field", messagesBody(userTurn, `"frequency_penalty":0`), "frequency_penalty: Extra inputs"},
		{"role", messagesBody(`{"role":"developer","content":"x"}`), "messages.0.role"},
		{"first assistant", messagesBody(`{"role":"assistant","content":"x"},` + userTurn), "first message"},
		{"mid system old", messagesBody(userTurn + "," + system), "not supported on this model"},
		{"mid system first", with("echo", messagesBody(system+","+userTurn)), "must follow a user"},
		{"mid system in loop", with("echo", messagesBody(userTurn+","+uses+","+system+","+user(answer1+","+answer2))), "must follow a user"},
		{"empty text", messagesBody(user(`{"type":"text","text":""}`)), "must be non-empty"},
		{"blank text", messagesBody(user(`{"type":"text","text":" \n"}`)), "non-whitespace"},
		{"empty content", messagesBody(user("")), "all messages must have non-empty content"},
		{"empty string", messagesBody(`{"role":"user","content":""}`), "all messages must have non-empty content"},
		{"empty assistant", messagesBody(userTurn + `,{"role":"assistant","content":""},` + userTurn), "all messages must have non-empty content"},
		{"empty system", messagesBody(userTurn, `"system":[{"type":"text","text":""}]`), "system: text content blocks"},
		{"image in system", messagesBody(userTurn, `"system":[{"type":"image","source":{}}]`), "system.0.type"},
		{"block type", messagesBody(user(`{"type":"image_url","image_url":{}}`)), "messages.0.content.0.type"},
		{"block field", messagesBody(user(`{"type":"text","text":"x","name":"y"}`)), "messages.0.content.0.name: Extra inputs"},
		{"message field", messagesBody(`{"role":"user","content":"x","name":"y"}`), "messages.0.name: Extra inputs"},
		{"tool_use of user", messagesBody(user(`{"type":"tool_use","id":"a","name":"b","input":{}}`)), "messages.0.content.0.type"},
		{"image media type", messagesBody(user(`{"type":"image","source":{"type":"base64","media_type":"image/svg+xml","data":"iVBORw0K"}}`)), "media_type"},
		{"image mismatch", messagesBody(user(`{"type":"image","source":{"type":"base64","media_type":"image/jpeg","data":"iVBORw0K"}}`)), "appears to be image/png"},
		{"image garbage", messagesBody(user(`{"type":"image","source":{"type":"base64","media_type":"image/png","data":"data:image/png"}}`)), "Invalid base64"},
		{"unanswered", messagesBody(userTurn + "," + uses + "," + user(answer1)), "without `tool_result` blocks immediately after: t2"},
		{"never answered", messagesBody(userTurn + "," + uses), "t1, t2"},
		{"text before result", messagesBody(userTurn + "," + uses + "," + user(`{"type":"text","text":"x"},`+answer1+","+answer2)), "without `tool_result`"},
		{"orphan", messagesBody(user(answer1)), "unexpected `tool_use_id`"},
		{"late result", messagesBody(userTurn + "," + uses + "," + user(answer1+","+answer2) + `,{"role":"assistant","content":"a"},` + user(answer1)), "unexpected `tool_use_id`"},
		{"answered twice", messagesBody(userTurn + "," + uses + "," + user(answer1+","+answer2+","+answer1)), "single result"},
		{"ids repeat", messagesBody(userTurn + "," + strings.Replace(uses, "t2", "t1", 1) + "," + user(answer1)), "ids must be unique"},
		{"ids repeat later", messagesBody(userTurn + "," + uses + "," + user(answer1+","+answer2) + "," + uses + "," + user(answer1+","+answer2)), "ids must be unique"},
		{"id charset", messagesBody(userTurn + "," + strings.Replace(uses, `"t1"`, `"t.1"`, 1)), "tool_use.id: String should match"},
		{"input string", messagesBody(userTurn + "," + strings.Replace(uses, `"input":{}`, `"input":"{}"`, 1)), "input: Input should be a valid dictionary"},
		{"prefill space", messagesBody(userTurn + `,{"role":"assistant","content":[{"type":"text","text":"The "}]}`), "trailing whitespace"},
		{"prefill new model", with("claude-opus-4-6", messagesBody(userTurn+`,{"role":"assistant","content":"The"}`)), "does not support assistant message prefill"},
		{"prefill thinking", messagesBody(userTurn+`,{"role":"assistant","content":"The"}`, thinking), "thinking is enabled"},
		{"tool name", messagesBody(userTurn, strings.Replace(tools, "weather", "a b", 1)), "tools.0.name: String should match"},
		{"tools repeat", messagesBody(userTurn, `"tools":[`+claudeTool+`,`+claudeTool+`]`), "must be unique"},
		{"tool schema", messagesBody(userTurn, `"tools":[{"name":"f"}]`), "tools.0.input_schema: Field required"},
		{"tool schema type", messagesBody(userTurn, `"tools":[{"name":"f","input_schema":{}}]`), "tools.0.input_schema.type: Field required"},
		{"tool shape", messagesBody(userTurn, `"tools":[{"type":"function","function":{"name":"f"}}]`), "expected tags"},
		{"choice without tools", messagesBody(userTurn, `"tool_choice":{"type":"auto"}`), "only be specified while providing"},
		{"choice string", messagesBody(userTurn, tools, `"tool_choice":"auto"`), "valid dictionary"},
		{"choice required", messagesBody(userTurn, tools, `"tool_choice":{"type":"required"}`), "tool_choice.type"},
		{"choice unknown", messagesBody(userTurn, tools, `"tool_choice":{"type":"tool","name":"x"}`), "not found in provided tools"},
		{"temperature", messagesBody(userTurn, `"temperature":1.2`), "less than or equal to 1"},
		{"both samplings", messagesBody(userTurn, `"temperature":1,"top_p":0.5`), "cannot both"},
		{"sampling of 4.7", with("claude-opus-4-7", messagesBody(userTurn, `"temperature":1`)), "deprecated"},
		{"blank stop", messagesBody(userTurn, `"stop_sequences":["\n"]`), "non-whitespace"},
		{"small budget", messagesBody(userTurn, `"thinking":{"type":"enabled","budget_tokens":1023}`), "greater than or equal to 1024"},
		{"large budget", messagesBody(userTurn, `"thinking":{"type":"enabled","budget_tokens":4096}`), "must be greater than"},
		{"thinking temperature", messagesBody(userTurn, thinking, `"temperature":0.5`), "only be set to 1"},
		{"thinking top_k", messagesBody(userTurn, thinking, `"top_k":5`), "must be unset"},
		{"thinking top_p", messagesBody(userTurn, thinking, `"top_p":0.5`), "0.95"},
		{"thinking forced", messagesBody(userTurn, thinking, tools, `"tool_choice":{"type":"any"}`), "forces tool use"},
		{"thinking unsigned", messagesBody(userTurn+`,{"role":"assistant","content":[{"type":"thinking","thinking":"x"}]},`+userTurn, thinking), "signature: Field required"},
		{"thinking foreign", messagesBody(userTurn+`,{"role":"assistant","content":[{"type":"thinking","thinking":"x","signature":"apx1.txt.e30"}]},`+userTurn, thinking), "Invalid `signature`"},
		{"thinking dropped", messagesBody(userTurn+","+uses+","+user(answer1+","+answer2), thinking, tools), "Expected `thinking`"},
		{"thinking of 4.7", with("claude-opus-4-7", messagesBody(userTurn, thinking)), "thinking.type.adaptive"},
		{"adaptive of 4.5", messagesBody(userTurn, adaptive), "adaptive thinking"},
		{"effort of 4.5", messagesBody(userTurn, `"output_config":{"effort":"low"}`), "effort parameter"},
		{"effort word", with("claude-opus-4-7", messagesBody(userTurn, `"output_config":{"effort":"none"}`)), "output_config.effort"},
		{"schema open", messagesBody(userTurn, `"output_config":{"format":{"type":"json_schema","schema":{"type":"object"}}}`), "additionalProperties"},
		{"schema keyword", messagesBody(userTurn, `"output_config":{"format":{"type":"json_schema","schema":{"type":"string","minLength":1}}}`), "minLength"},
		{"metadata", messagesBody(userTurn, `"metadata":{"a":"b"}`), "metadata.a: Extra inputs"},
		{"metadata person", messagesBody(userTurn, `"metadata":{"user_id":"a@b.c"}`), "email address"},
		{"five breakpoints", messagesBody(user(strings.Repeat(cached+",", 4) + cached)), "maximum of 4 blocks"},
		{"service tier", messagesBody(userTurn, `"service_tier":"flex"`), "service_tier"},
	})
}
