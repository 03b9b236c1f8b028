package demo_test

import (
	"encoding/json"
	"strings"
	"testing"

	"apex-ai-proxy/proxy/demo"
	"apex-ai-proxy/proxy/demo/grammar"
)

const (
	flatTool   = `{"type":"function","name":"weather","strict":false,"parameters":{"type":"object","properties":{"city":{"type":"string"}}}}`
	spaceTool  = `{"type":"namespace","name":"agents","description":"d","tools":[{"type":"function","name":"spawn","parameters":{"type":"object","properties":{}}}]}`
	call1      = `{"type":"function_call","id":"fc_1","call_id":"c1","name":"weather","arguments":"{}","status":"completed"}`
	call2      = `{"type":"custom_tool_call","call_id":"c2","name":"patch","input":"x"}`
	output1    = `{"type":"function_call_output","call_id":"c1","output":"one"}`
	output2    = `{"type":"custom_tool_call_output","call_id":"c2","output":[{"type":"input_text","text":"two"}]}`
	openClosed = `{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}`
)

func responsesBody(items string, more ...string) string {
	return `{"model":"gpt-4o","input":[` + items + `]` + strings.Join(append([]string{""}, more...), ",") + `}`
}

func says(parts string) string { return `{"role":"user","content":[` + parts + `]}` }

func TestValidateResponses(t *testing.T) {
	tools := `"tools":[` + flatTool + `,` + spaceTool + `,{"type":"custom","name":"patch","format":{"type":"grammar","syntax":"lark","definition":"start: /x/"}},{"type":"web_search","external_web_access":true}]`
	reasons := func(body string) string { return strings.Replace(body, "gpt-4o", "o3", 1) }
	check(t, demo.ValidateResponses, []conformance{
		{"text", `{"model":"gpt-4o","input":"hi"}`, ""},
		{"nulls", `{"model":"gpt-4o","input":"hi","tools":null,"text":null,"reasoning":null,"stream":null,"previous_response_id":null}`, ""},
		{"everything", responsesBody(hi, tools, `"tool_choice":{"type":"function","name":"weather"},"parallel_tool_calls":true,"temperature":1,"top_p":1,"max_output_tokens":16,"metadata":{"a":"b"},"store":false,"stream":true,"stream_options":{"include_obfuscation":false},"truncation":"auto","user":"u","prompt_cache_key":"k","service_tier":"auto","text":{"format":{"type":"json_schema","name":"n","schema":`+openClosed+`,"strict":true},"verbosity":"low"},"client_metadata":{"a":"b"},"instructions":"be brief"`), ""},
		{"roles", responsesBody(`{"type":"message","role":"developer","content":[{"type":"input_text","text":"d"}]},{"role":"system","content":"s"},` + hi + `,{"id":"msg_1","type":"message","role":"assistant","status":"completed","content":[{"type":"output_text","text":"a","annotations":[],"logprobs":[]}]},{"role":"assistant","content":"b","phase":"commentary"}`), ""},
		{"loop", responsesBody(hi+","+call1+","+call2+","+output2+","+output1, tools), ""},
		{"image", responsesBody(says(`{"type":"input_image","image_url":"data:image/png;base64,iVBORw0K","detail":"auto"}`)), ""},
		{"file", responsesBody(says(`{"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,JVBERi0x"}`)), ""},
		{"effort", reasons(responsesBody(hi, `"reasoning":{"effort":"low","summary":"auto"},"include":["reasoning.encrypted_content"]`)), ""},
		{"allowed", responsesBody(hi, tools, `"tool_choice":{"type":"allowed_tools","mode":"auto","tools":[{"type":"function","name":"weather"}]}`), ""},

		{"not json", `{`, "parse the JSON body"},
		{"no model", `{"input":"hi"}`, "'model'"},
		{"no input", `{"model":"gpt-4o"}`, "One of 'input'"},
		{"input object", `{"model":"gpt-4o","input":{}}`, "array of objects or string"},
		{"messages", `{"model":"gpt-4o","input":"a","messages":[]}`, "Unknown parameter: 'messages'"},
		{"max_tokens", `{"model":"gpt-4o","input":"a","max_tokens":5}`, "Unknown parameter: 'max_tokens'"},
		{"few tokens", `{"model":"gpt-4o","input":"a","max_output_tokens":5}`, "Expected a value >= 16"},
		{"stored", `{"model":"gpt-4o","input":"a","previous_response_id":"resp_1"}`, "'resp_1' not found"},
		{"reference", responsesBody(`{"type":"item_reference","id":"rs_1"}`), "not persisted"},
		{"stream_options", responsesBody(hi, `"stream_options":{"include_obfuscation":true}`), "only allowed when 'stream'"},
		{"include_usage", responsesBody(hi, `"stream":true,"stream_options":{"include_usage":true}`), "stream_options.include_usage"},
		{"item type", responsesBody(`{"type":"tool_result"}`), "Invalid value: 'tool_result'"},
		{"item field", responsesBody(`{"role":"user","content":"a","cache_control":{}}`), "input[0].cache_control"},
		{"role", responsesBody(`{"role":"tool","content":"a"}`), "Invalid value: 'tool'"},
		{"content null", responsesBody(`{"role":"assistant","content":null}`), "got null instead"},
		{"part of a user", responsesBody(says(`{"type":"text","text":"a"}`)), "Invalid value: 'text'"},
		{"part of an assistant", responsesBody(hi + `,{"role":"assistant","content":[{"type":"input_text","text":"a"}]}`), "Invalid value: 'input_text'"},
		{"part field", responsesBody(hi + `,{"role":"assistant","content":[{"type":"output_text","text":"a","parsed":null}]}`), "parsed"},
		{"item id", responsesBody(strings.Replace(call1, "fc_1", "call_1", 1) + "," + output1), "begins with 'fc'"},
		{"unanswered", responsesBody(hi + "," + call1), "No tool output found for function call c1"},
		{"orphan", responsesBody(hi + "," + output1), "No tool call found for function call output with call_id c1"},
		{"answer of another type", responsesBody(call1 + `,{"type":"custom_tool_call_output","call_id":"c1","output":"x"}`), "custom tool call output with call_id c1"},
		{"output object", responsesBody(call1 + `,{"type":"function_call_output","call_id":"c1","output":{}}`), "expected a string"},
		{"output missing", responsesBody(call1 + `,{"type":"function_call_output","call_id":"c1"}`), "output"},
		{"arguments object", responsesBody(strings.Replace(call1, `"{}"`, `{}`, 1) + "," + output1), "expected a string"},
		{"long call id", responsesBody(strings.ReplaceAll(call1+","+output1, "c1", strings.Repeat("x", 65))), "maximum length 64"},
		{"nested tool", responsesBody(hi, `"tools":[`+weather+`]`), "tools[0].name"},
		{"tool type", responsesBody(hi, `"tools":[{"type":"bash"}]`), "Invalid value: 'bash'"},
		{"tool schema", responsesBody(hi, `"tools":[{"type":"function","name":"f","parameters":{}}]`), "Invalid schema for function 'f'"},
		{"strict tool", responsesBody(hi, `"tools":[{"type":"function","name":"f","strict":true,"parameters":{"type":"object","properties":{}}}]`), "additionalProperties"},
		{"nested choice", responsesBody(hi, tools, `"tool_choice":{"type":"function","function":{"name":"weather"}}`), "tool_choice"},
		{"choice", responsesBody(hi, tools, `"tool_choice":{"type":"function","name":"other"}`), "not found in 'tools'"},
		{"nested format", responsesBody(hi, `"text":{"format":{"type":"json_schema","json_schema":{"name":"n","schema":{}}}}`), "json_schema"},
		{"loose format", responsesBody(hi, `"text":{"format":{"type":"json_schema","name":"n","strict":true,"schema":{"type":"object","properties":{}}}}`), "additionalProperties"},
		{"json without the word", responsesBody(hi, `"text":{"format":{"type":"json_object"}}`), "contain the word 'json'"},
		{"effort of another model", responsesBody(hi, `"reasoning":{"effort":"low"}`), "'reasoning.effort' is not supported"},
		{"encrypted of another model", responsesBody(hi, `"include":["reasoning.encrypted_content"]`), "Encrypted content is not supported"},
		{"unknown effort", reasons(responsesBody(hi, `"reasoning":{"effort":"max"}`)), "Supported values are: 'low'"},
		{"temperature", reasons(responsesBody(hi, `"temperature":1`)), "'temperature' is not supported"},
		{"include", responsesBody(hi, `"include":["usage"]`), "Invalid value: 'usage'"},
		{"foreign reasoning", reasons(responsesBody(`{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"x"},` + hi)), "could not be verified"},
		{"bare reasoning", reasons(responsesBody(`{"type":"reasoning","id":"rs_1","summary":[]},` + hi)), "not persisted"},
		{"reasoning without summary", reasons(responsesBody(`{"type":"reasoning","id":"rs_1","encrypted_content":"x"},` + hi)), "summary"},
		{"image bare", responsesBody(says(`{"type":"input_image","image_url":"iVBORw0K"}`)), "data URL"},
		{"image object", responsesBody(says(`{"type":"input_image","image_url":{"url":"https://a"}}`)), "expected a string"},
		{"two files", responsesBody(says(`{"type":"input_file","file_id":"f","file_url":"https://a"}`)), "Mutually exclusive"},
		{"no file", responsesBody(says(`{"type":"input_file","filename":"a"}`)), "must be provided"},
		{"grammar", responsesBody(hi, `"tools":[{"type":"custom","name":"f","format":{"type":"grammar","grammar":{}}}]`), "grammar"},
		{"metadata", responsesBody(hi, `"metadata":{"a":1}`), "expected a string"},
	})
}

func TestValidateEmbeddings(t *testing.T) {
	check(t, demo.ValidateEmbeddings, []conformance{
		{"text", `{"model":"m","input":"a"}`, ""},
		{"texts", `{"model":"m","input":["a","b"],"encoding_format":"base64","dimensions":4}`, ""},
		{"tokens", `{"model":"m","input":[1,2]}`, ""},
		{"no input", `{"model":"m"}`, "'input'"},
		{"empty list", `{"model":"m","input":[]}`, "empty array"},
		{"empty text", `{"model":"m","input":["a",""]}`, "empty string"},
		{"format", `{"model":"m","input":"a","encoding_format":"int8"}`, "Invalid value: 'int8'"},
		{"field", `{"model":"m","input":"a","input_type":"query"}`, "Unknown parameter"},
		{"object", `{"model":"m","input":{}}`, "expected a string"},
	})
}

// TestResponsesLoop sends what the demo answered back to it, as a client would.
func TestResponsesLoop(t *testing.T) {
	fields := `"model":"tools","reasoning":{"summary":"auto"},"include":["reasoning.encrypted_content"],"tools":[` + spaceTool + `,` + flatTool + `]`
	first := post(t, upstream(demo.WithChoice(func(string, string) string { return "tools" })), "/v1/responses", `{`+fields+`,"input":"in parallel"}`)
	var answer struct{ Output []json.RawMessage }
	if err := json.Unmarshal(first.Body.Bytes(), &answer); err != nil || len(answer.Output) != 2 {
		t.Fatalf("%v %s", err, first.Body)
	}
	if !strings.Contains(string(answer.Output[0]), `"namespace":"agents"`) {
		t.Errorf("the namespace is lost: %s", answer.Output[0])
	}
	var call struct {
		ID string `json:"call_id"`
	}
	items := []string{hi}
	for _, item := range answer.Output {
		items = append(items, string(item))
	}
	for _, item := range answer.Output {
		if err := json.Unmarshal(item, &call); err != nil {
			t.Fatal(err)
		}
		items = append(items, `{"type":"function_call_output","call_id":"`+call.ID+`","output":"sunny"}`)
	}
	second := post(t, upstream(), "/v1/responses", `{`+fields+`,"input":[`+strings.Join(items, ",")+`]}`)
	if second.Code != 200 || !strings.Contains(second.Body.String(), `spawn answered: sunny\nweather answered: sunny`) {
		t.Errorf("%d %s", second.Code, second.Body)
	}
}

// TestSealedReasoning comes back and is known again.
func TestSealedReasoning(t *testing.T) {
	first := post(t, upstream(), "/v1/responses", `{"model":"reasoning","include":["reasoning.encrypted_content"],"input":"hi"}`)
	var answer struct{ Output []json.RawMessage }
	if err := json.Unmarshal(first.Body.Bytes(), &answer); err != nil || len(answer.Output) != 2 {
		t.Fatalf("%v %s", err, first.Body)
	}
	second := post(t, upstream(), "/v1/responses", `{"model":"echo","input":[`+string(answer.Output[0])+`,`+string(answer.Output[1])+`,`+hi+`]}`)
	if second.Code != 200 {
		t.Errorf("%d %s", second.Code, second.Body)
	}
}

func TestPlay(t *testing.T) {
	play := func(turn demo.Turn) demo.Reply {
		switch {
		case len(turn.Results) > 0:
			return demo.Reply{Text: turn.Results[0].Name + " said " + turn.Results[0].Text}
		case len(turn.Tools) == 0:
			return demo.Reply{Text: "no tools"}
		}
		return demo.Reply{Calls: []demo.Call{{Name: "undeclared"}, {Name: turn.Tools[0].Name, Input: `{"city":"` + turn.Text + `"}`}}}
	}
	for _, c := range []struct{ name, path, body, want string }{
		{"call", "/v1/responses", `{"model":"m","input":"Bern","tools":[` + flatTool + `]}`, `"name":"weather","arguments":"{\"city\":\"Bern\"}"`},
		{"result", "/v1/responses", responsesBody(hi + "," + call1 + "," + output1), "weather said one"},
		{"text", messagesPath, messagesBody(userTurn), "no tools"},
		{"chat", chatPath, chatBody(hi, `"tools":[`+weather+`]`), `"finish_reason":"tool_calls"`},
		{"thinking", messagesPath, messagesBody(userTurn, `"thinking":{"type":"enabled","budget_tokens":1024}`), `"type":"thinking"`},
	} {
		w := post(t, upstream(demo.WithPlay(play)), c.path, c.body)
		if w.Code != 200 || !strings.Contains(w.Body.String(), c.want) || strings.Contains(w.Body.String(), "undeclared") {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
	}
}

func TestEmbeddings(t *testing.T) {
	one := post(t, upstream(), "/v1/embeddings", `{"model":"echo","input":["a","b"],"dimensions":2}`)
	var answer struct {
		Data []struct {
			Index     int
			Embedding []float64
		}
		Usage struct {
			Prompt int `json:"prompt_tokens"`
		}
	}
	if err := json.Unmarshal(one.Body.Bytes(), &answer); err != nil || len(answer.Data) != 2 || len(answer.Data[1].Embedding) != 2 || answer.Usage.Prompt != 2 {
		t.Errorf("%v %s", err, one.Body)
	}
	packed := post(t, upstream(), "/v1/embeddings", `{"model":"echo","input":"a","dimensions":1,"encoding_format":"base64"}`)
	if !strings.Contains(packed.Body.String(), `"embedding":"AACA`) { // 1 or -1
		t.Error(packed.Body.String())
	}
	if w := post(t, upstream(), "/v1/embeddings", `{"model":"none","input":"a"}`); w.Code != 404 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestResponsesStreamGrammar(t *testing.T) {
	for _, more := range []string{"", `,"reasoning":{"summary":"auto"},"include":["reasoning.encrypted_content"]`, `,"max_output_tokens":16`} {
		for _, model := range []string{"echo", "slow", "tools", "long", "reasoning"} {
			body := `{"model":"` + model + `","stream":true,"input":"do it in parallel \"now\"","tools":[` + spaceTool + `,` + "\n" + `{"type":"custom","name":"patch"}]` + more + `}`
			w := post(t, upstream(), "/v1/responses", body)
			if err := grammar.Responses(w.Body.Bytes()); err != nil {
				t.Errorf("%s %s: %v\n%s", model, more, err, w.Body)
			}
			whole := post(t, upstream(), "/v1/responses", strings.Replace(body, `"stream":true`, `"stream":false`, 1))
			if whole.Code != 200 || !json.Valid(whole.Body.Bytes()) {
				t.Errorf("%s: %d %s", model, whole.Code, whole.Body)
			}
		}
	}
}
