package demo_test

import (
	"strings"
	"testing"

	"apex-ai-proxy/proxy/demo"
)

const (
	hi       = `{"role":"user","content":"hi"}`
	weather  = `{"type":"function","function":{"name":"weather","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}}`
	chatCall = `{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"weather","arguments":"{}"}},{"id":"c2","type":"function","function":{"name":"weather","arguments":"{}"}}]}`
	result1  = `{"role":"tool","tool_call_id":"c1","content":"one"}`
	result2  = `{"role":"tool","tool_call_id":"c2","content":"two"}`
)

func chatBody(messages string, more ...string) string {
	return `{"model":"gpt-4o","messages":[` + messages + `]` + strings.Join(append([]string{""}, more...), ",") + `}`
}

func user(parts string) string { return `{"role":"user","content":[` + parts + `]}` }

// conformance is a request and what must be in its refusal, "" for none.
type conformance struct{ name, body, why string }

func TestValidateChat(t *testing.T) {
	tools := `"tools":[` + weather + `]`
	long := strings.Repeat("x", 65)
	check(t, demo.ValidateChat, []conformance{
		{"plain", chatBody(hi), ""},
		{"nulls", chatBody(hi, `"stop":null,"tools":null,"temperature":null,"stream":null`), ""},
		{"everything", chatBody(hi, tools, `"tool_choice":"auto","parallel_tool_calls":false,"temperature":2,"top_p":1,"n":1,"seed":5,"logit_bias":{},"logprobs":true,"top_logprobs":5,"user":"u","store":true,"metadata":{"a":"b"},"stream":true,"stream_options":{"include_usage":true},"stop":["a","b","c","d"],"service_tier":"flex","max_completion_tokens":5,"verbosity":"low","prediction":{"type":"content","content":"x"}`), ""},
		{"roles", chatBody(`{"role":"system","content":"s"},{"role":"developer","content":[{"type":"text","text":"d"}]},` + hi + `,{"role":"assistant","content":"a","refusal":null,"annotations":[]},` + hi), ""},
		{"tool loop", chatBody(hi+","+chatCall+","+result2+","+result1+","+hi, tools), ""},
		{"result parts", chatBody(hi + "," + chatCall + "," + result1 + `,{"role":"tool","tool_call_id":"c2","content":[{"type":"text","text":"t"}]}`), ""},
		{"image data", chatBody(user(`{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0K","detail":"low"}}`)), ""},
		{"image address", chatBody(user(`{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}`)), ""},
		{"file", chatBody(user(`{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,JVBERi0x"}}`)), ""},
		{"named choice", chatBody(hi, tools, `"tool_choice":{"type":"function","function":{"name":"weather"}}`), ""},
		{"schema", chatBody(hi, `"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false},"strict":true}}`), ""},
		{"tool without parameters", chatBody(hi, `"tools":[{"type":"function","function":{"name":"f"}}]`), ""},
		{"custom tool", chatBody(hi, `"tools":[{"type":"custom","custom":{"name":"f","format":{"type":"text"}}}]`), ""},
		{"reasoning effort", strings.Replace(chatBody(hi, `"reasoning_effort":"low","max_completion_tokens":9,"temperature":1`), "gpt-4o", "o3", 1), ""},

		{"not json", `{"model"`, "parse the JSON body"},
		{"not an object", `[]`, "parse the JSON body"},
		{"no model", `{"messages":[` + hi + `]}`, "'model'"},
		{"empty model", `{"model":"","messages":[` + hi + `]}`, "model parameter"},
		{"no messages", `{"model":"m"}`, "'messages'"},
		{"empty messages", chatBody(""), "empty array"},
		{"unknown field", chatBody(hi, `"top_k":5`), "Unknown parameter: 'top_k'"},
		{"unknown message field", chatBody(`{"role":"user","content":"x","cache_control":{}}`), "messages[0].cache_control"},
		{"unknown part field", chatBody(user(`{"type":"text","text":"x","cache_control":{}}`)), "messages[0].content[0].cache_control"},
		{"reasoning_content", chatBody(hi + `,{"role":"assistant","content":"a","reasoning_content":"r"},` + hi), "reasoning_content"},
		{"is_error", chatBody(hi + "," + chatCall + "," + result1 + `,{"role":"tool","tool_call_id":"c2","content":"x","is_error":true}`), "is_error"},
		{"role", chatBody(`{"role":"model","content":"x"}`), "Supported values are: 'system'"},
		{"content null", chatBody(`{"role":"user","content":null}`), "got null"},
		{"content missing", chatBody(`{"role":"user"}`), "messages[0].content"},
		{"content number", chatBody(`{"role":"user","content":5}`), "string or array of objects"},
		{"content empty", chatBody(user("")), "empty array"},
		{"assistant null", chatBody(hi + `,{"role":"assistant","content":null}`), "got null"},
		{"part type", chatBody(user(`{"type":"image","source":{}}`)), "Invalid value: 'image'"},
		{"image in tool", chatBody(hi + "," + chatCall + "," + result1 + `,{"role":"tool","tool_call_id":"c2","content":[{"type":"image_url","image_url":{"url":"https://a"}}]}`), "Invalid value: 'image_url'"},
		{"image string", chatBody(user(`{"type":"image_url","image_url":"https://a"}`)), "expected an object"},
		{"image bare", chatBody(user(`{"type":"image_url","image_url":{"url":"iVBORw0K"}}`)), "data URL"},
		{"image type", chatBody(user(`{"type":"image_url","image_url":{"url":"data:image/tiff;base64,iVBORw0K"}}`)), "unsupported image"},
		{"image garbage", chatBody(user(`{"type":"image_url","image_url":{"url":"data:image/png;base64,i*"}}`)), "unsupported image"},
		{"pdf as image", chatBody(user(`{"type":"image_url","image_url":{"url":"data:application/pdf;base64,JVBERi0x"}}`)), "image MIME type"},
		{"file bare", chatBody(user(`{"type":"file","file":{"filename":"a","file_data":"JVBERi0x"}}`)), "data URL"},
		{"unanswered", chatBody(hi + "," + chatCall + "," + result1), "response messages: c2"},
		{"interrupted", chatBody(hi + "," + chatCall + "," + result1 + "," + hi + "," + result2), "response messages: c2"},
		{"orphan", chatBody(hi + "," + result1), "must be a response"},
		{"stranger", chatBody(hi + "," + chatCall + "," + result1 + "," + result2 + `,{"role":"tool","tool_call_id":"c3","content":"x"}`), "not found in 'tool_calls'"},
		{"answered twice", chatBody(hi + "," + chatCall + "," + result1 + "," + result1), "Duplicate value"},
		{"duplicate ids", chatBody(hi + "," + strings.Replace(chatCall, "c2", "c1", 1) + "," + result1), "Duplicate value"},
		{"long id", chatBody(hi + "," + strings.Replace(chatCall, "c1", long, 1)), "maximum length 40"},
		{"arguments object", chatBody(hi + "," + strings.Replace(chatCall, `"{}"`, `{}`, 1)), "expected a string"},
		{"empty calls", chatBody(hi + `,{"role":"assistant","content":"a","tool_calls":[]}`), "empty array"},
		{"empty tools", chatBody(hi, `"tools":[]`), "empty array"},
		{"tool name", chatBody(hi, strings.Replace(tools, "weather", "a.b", 1)), "does not match pattern"},
		{"long tool name", chatBody(hi, strings.Replace(tools, "weather", long, 1)), "maximum length 64"},
		{"flat tool", chatBody(hi, `"tools":[{"type":"function","name":"f"}]`), "tools[0].name"},
		{"schema type", chatBody(hi, strings.Replace(tools, `"type":"object",`, "", 1)), `got 'type: "None"'`},
		{"schema properties", chatBody(hi, `"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}]`), "missing properties"},
		{"schema items", chatBody(hi, strings.Replace(tools, `"string"`, `"array"`, 1)), "missing items"},
		{"strict schema", chatBody(hi, strings.Replace(tools, `"parameters"`, `"strict":true,"parameters"`, 1)), "additionalProperties"},
		{"choice without tools", chatBody(hi, `"tool_choice":"auto"`), "only allowed when 'tools'"},
		{"parallel without tools", chatBody(hi, `"parallel_tool_calls":true`), "only allowed when 'tools'"},
		{"choice any", chatBody(hi, tools, `"tool_choice":"any"`), "Invalid value: 'any'"},
		{"choice flat", chatBody(hi, tools, `"tool_choice":{"type":"function","name":"weather"}`), "tool_choice.name"},
		{"choice unknown", chatBody(hi, tools, `"tool_choice":{"type":"function","function":{"name":"x"}}`), "not among the 'tools'"},
		{"five stops", chatBody(hi, `"stop":["a","b","c","d","e"]`), "maximum length 4"},
		{"temperature", chatBody(hi, `"temperature":2.1`), "<= 2"},
		{"temperature text", chatBody(hi, `"temperature":"1"`), "expected a number"},
		{"top_p", chatBody(hi, `"top_p":1.5`), "<= 1"},
		{"both limits", chatBody(hi, `"max_tokens":5,"max_completion_tokens":5`), "at the same time"},
		{"limit 0", chatBody(hi, `"max_tokens":0`), ">= 1"},
		{"limit fraction", chatBody(hi, `"max_tokens":1.5`), "expected an integer"},
		{"stream_options", chatBody(hi, `"stream_options":{"include_usage":true}`), "only allowed when 'stream'"},
		{"stream option", chatBody(hi, `"stream":true,"stream_options":{"x":1}`), "stream_options.x"},
		{"json without word", chatBody(hi, `"response_format":{"type":"json_object"}`), "word 'json'"},
		{"format", chatBody(hi, `"response_format":{"type":"xml"}`), "Invalid value: 'xml'"},
		{"format strict", chatBody(hi, `"response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{"type":"object","properties":{"a":{}},"additionalProperties":false}}}`), "Missing 'a'"},
		{"metadata", chatBody(hi, `"metadata":{"a":"b"}`), "only allowed when 'store'"},
		{"user length", chatBody(hi, `"user":"`+long+`"`), "maximum length 64"},
		{"service tier", chatBody(hi, `"service_tier":"standard_only"`), "Invalid value"},
		{"effort of gpt-4o", chatBody(hi, `"reasoning_effort":"low"`), "not supported with this model"},
		{"max_tokens of o3", strings.Replace(chatBody(hi, `"max_tokens":5`), "gpt-4o", "o3", 1), "Use 'max_completion_tokens'"},
		{"temperature of gpt-5", strings.Replace(chatBody(hi, `"temperature":0.5`), "gpt-4o", "gpt-5-mini", 1), "Only the default (1)"},
		{"stop of o3", strings.Replace(chatBody(hi, `"stop":"x"`), "gpt-4o", "o3", 1), "'stop' is not supported"},
		{"effort of gpt-5", strings.Replace(chatBody(hi, `"reasoning_effort":"max"`), "gpt-4o", "gpt-5", 1), "does not support 'max'"},
		{"top_logprobs", chatBody(hi, `"top_logprobs":1`), "'logprobs'"},
	})
}

func check(t *testing.T, validate func([]byte) *demo.Refusal, table []conformance) {
	t.Helper()
	for _, c := range table {
		r := validate([]byte(c.body))
		switch {
		case r == nil && c.why != "":
			t.Errorf("%s: accepted, want %q", c.name, c.why)
		case r != nil && c.why == "":
			t.Errorf("%s: refused: %v", c.name, r)
		case r != nil && (!strings.Contains(r.Message+" "+r.Param, c.why) || r.Status != 400 && r.Status != 404):
			t.Errorf("%s: refused with %v, want %q", c.name, r, c.why)
		}
	}
}

func TestChatRulesWiden(t *testing.T) {
	body := chatBody(hi+`,{"role":"assistant","content":"a","reasoning_content":"r"},`+hi, `"top_k":5`)
	rules := demo.ChatRules{Fields: []string{"top_k"}, MessageFields: []string{"reasoning_content"}}
	if r := rules.Validate([]byte(body)); r != nil {
		t.Errorf("refused: %v", r)
	}
	if demo.ValidateChat([]byte(body)) == nil {
		t.Error("the rules of OpenAI were widened too")
	}
}

func FuzzValidate(f *testing.F) {
	f.Add(chatBody(hi))
	f.Add(messagesBody(userTurn))
	f.Add(`{"messages":[{"role":"assistant","content":[]},{"role":"user","content":[{"type":"tool_result"}]}],"thinking":{"type":"enabled"},"tools":[{}],"tool_choice":{"type":"tool"}}`)
	f.Fuzz(func(t *testing.T, body string) {
		demo.ValidateChat([]byte(body))
		demo.ValidateMessages([]byte(body))
	})
}
