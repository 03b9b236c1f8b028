package proxy_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/demo/grammar"
)

// A reasoning item as the vendor writes it; it must come back byte for byte.
const reasoningItem = `{"id":"rs_1","type":"reasoning","summary":[{"type":"summary_text","text":"I look it up."}],"encrypted_content":"gAAAA<secret>"}`

const (
	callItem    = `{"id":"fc_1","type":"function_call","status":"completed","call_id":"call_1","name":"read","arguments":"{\"path\":\"a.txt\"}"}`
	respUsage   = `"usage":{"input_tokens":11,"input_tokens_details":{"cached_tokens":4},"output_tokens":9,"output_tokens_details":{"reasoning_tokens":5},"total_tokens":20}`
	respToolUse = `{"id":"resp_1","object":"response","created_at":1700000000,"status":"completed","model":"gpt-5","output":[` + reasoningItem + `,` + callItem + `],` + respUsage + `}`
)

var respFrames = []string{
	"event: response.created\n" + `data: {"type":"response.created","sequence_number":0,"response":{"id":"resp_1","object":"response","created_at":1700000000,"status":"in_progress","model":"gpt-5","output":[]}}` + "\n\n",
	"event: response.output_item.added\n" + `data: {"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[]}}` + "\n\n",
	"event: response.reasoning_summary_text.delta\n" + `data: {"type":"response.reasoning_summary_text.delta","sequence_number":2,"item_id":"rs_1","output_index":0,"summary_index":0,"delta":"I look it up."}` + "\n\n",
	"event: response.output_item.done\n" + `data: {"type":"response.output_item.done","sequence_number":3,"output_index":0,"item":` + reasoningItem + "}\n\n",
	"event: response.output_item.added\n" + `data: {"type":"response.output_item.added","sequence_number":4,"output_index":1,"item":{"id":"fc_1","type":"function_call","status":"in_progress","call_id":"call_1","name":"read","arguments":""}}` + "\n\n",
	"event: response.function_call_arguments.delta\n" + `data: {"type":"response.function_call_arguments.delta","sequence_number":5,"item_id":"fc_1","output_index":1,"delta":"{\"path\":\"a.txt\"}"}` + "\n\n",
	"event: response.output_item.done\n" + `data: {"type":"response.output_item.done","sequence_number":6,"output_index":1,"item":` + callItem + "}\n\n",
	"event: response.completed\n" + `data: {"type":"response.completed","sequence_number":7,"response":` + respToolUse + "}\n\n",
}

// toolLoop answers with a call of a tool, in the form that is asked for.
func toolLoop(u **upstream) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		(*u).mu.Lock()
		body := (*u).seen[len((*u).seen)-1].body
		(*u).mu.Unlock()
		switch {
		case strings.Contains(body, "function_call_output"):
			jsonAnswer(200, respAnswer)(w, r)
		case strings.Contains(body, `"stream":true`):
			sseAnswer(respFrames...)(w, r)
		default:
			jsonAnswer(200, respToolUse)(w, r)
		}
	}
}

const (
	messagesTools = `"tools":[{"name":"read","input_schema":{"type":"object","properties":{"path":{"type":"string"}}}}],`
	chatTools     = `"tools":[{"type":"function","function":{"name":"read","parameters":{"type":"object","properties":{"path":{"type":"string"}}}}}],`
)

// TestReasoningSurvivesTheToolLoop brings clients of the other protocols to a model of the
// Responses API: the reasoning that came with a call goes back with its result.
func TestReasoningSurvivesTheToolLoop(t *testing.T) {
	for _, c := range []struct{ name, path, model, first string }{
		{"messages", "/v1/messages", "gpt-5#openai", messages("gpt-5#openai", messagesTools+`"thinking":{"type":"adaptive"},`)},
		{"messages stream", "/v1/messages", "gpt-5#openai", messages("gpt-5#openai", messagesTools+`"thinking":{"type":"adaptive"},"stream":true,`)},
		{"chat", "/v1/chat/completions", "gpt-5-codex#openai", chat("gpt-5-codex#openai", chatTools+`"reasoning_effort":"high",`)},
		{"chat stream", "/v1/chat/completions", "gpt-5-codex#openai", chat("gpt-5-codex#openai", chatTools+`"reasoning_effort":"high","stream":true,`)},
	} {
		t.Run(c.name, func(t *testing.T) {
			var u *upstream
			u = newUpstream(t, toolLoop(&u))
			f := start(t, u)
			got := f.post(c.path, c.first)
			in := u.last(t)
			if got.status != 200 || in.path != "/v1/acc/gw/openai/responses" {
				t.Fatalf("%d from %s: %s", got.status, in.path, got.body)
			}
			for _, want := range []string{`"store":false`, `"include":["reasoning.encrypted_content"]`, `"reasoning":{"effort":"high","summary":"auto"}`, `"strict":false`} {
				if !strings.Contains(in.body, want) {
					t.Errorf("%s is missing in %s", want, in.body)
				}
			}
			record := f.final(got.header.Get("X-Apex-Request-Id"))
			if record.UpstreamProtocol != string(ir.OpenAIResponses) || !record.Converted() || record.Tokens.Input != 11 || record.Tokens.Reasoning != 5 {
				t.Errorf("the record is %+v", record)
			}
			second := c.first
			if c.path == "/v1/messages" {
				content := messagesContent(t, got)
				second = strings.Replace(second, `{"role":"user","content":"hi"}`, `{"role":"user","content":"hi"},{"role":"assistant","content":`+content+
					`},{"role":"user","content":[{"type":"tool_result","tool_use_id":"call_1","content":"42"}]}`, 1)
			} else {
				second = strings.Replace(second, `{"role":"user","content":"hi"}`, `{"role":"user","content":"hi"},`+chatMessage(t, got)+
					`,{"role":"tool","tool_call_id":"call_1","content":"42"}`, 1)
			}
			if got = f.post(c.path, second); got.status != 200 {
				t.Fatalf("the second turn: %d %s", got.status, got.body)
			}
			want := `[{"type":"message","role":"user","content":[{"type":"input_text","text":"hi"}]},` + reasoningItem +
				`,{"type":"function_call","call_id":"call_1","name":"read","arguments":"{\"path\":\"a.txt\"}"},{"type":"function_call_output","call_id":"call_1","output":"42"}]`
			if in := u.last(t); !strings.Contains(in.body, `"input":`+want) {
				t.Errorf("the second turn was\n%s\nwant the input\n%s", in.body, want)
			}
		})
	}
}

// messagesContent is the content of an answer of the Messages API, put together by the
// rules of its stream where it is one.
func messagesContent(t *testing.T, got reply) string {
	t.Helper()
	if !strings.HasPrefix(got.header.Get("Content-Type"), "text/event-stream") {
		var m struct{ Content json.RawMessage }
		if err := json.Unmarshal([]byte(got.body), &m); err != nil {
			t.Fatal(err)
		}
		return string(m.Content)
	}
	if err := grammar.Messages([]byte(got.body)); err != nil {
		t.Fatalf("%v\n%s", err, got.body)
	}
	type delta struct {
		Type, Thinking, Signature, Text string
		PartialJSON                     string `json:"partial_json"`
	}
	var blocks []map[string]any
	var args string
	for _, data := range dataLines(got.body) {
		var e struct {
			Type         string
			ContentBlock map[string]any `json:"content_block"`
			Delta        delta
		}
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			t.Fatal(err)
		}
		switch e.Type {
		case "content_block_start":
			blocks, args = append(blocks, e.ContentBlock), ""
		case "content_block_delta":
			b := blocks[len(blocks)-1]
			args += e.Delta.PartialJSON
			switch e.Delta.Type {
			case "thinking_delta":
				b["thinking"] = b["thinking"].(string) + e.Delta.Thinking
			case "signature_delta":
				b["signature"] = b["signature"].(string) + e.Delta.Signature
			case "input_json_delta":
				b["input"] = json.RawMessage(args)
			}
		}
	}
	out, err := json.Marshal(blocks)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// chatMessage is the message of an answer of Chat Completions, put together from its
// chunks where it is a stream.
func chatMessage(t *testing.T, got reply) string {
	t.Helper()
	if !strings.HasPrefix(got.header.Get("Content-Type"), "text/event-stream") {
		var m struct {
			Choices []struct{ Message json.RawMessage }
		}
		if err := json.Unmarshal([]byte(got.body), &m); err != nil || len(m.Choices) != 1 {
			t.Fatal(err, got.body)
		}
		return string(m.Choices[0].Message)
	}
	if err := grammar.Chat([]byte(got.body), false); err != nil {
		t.Fatalf("%v\n%s", err, got.body)
	}
	var details []json.RawMessage
	var id, name, args string
	for _, data := range dataLines(got.body) {
		var c struct {
			Choices []struct {
				Delta struct {
					ReasoningDetails []json.RawMessage `json:"reasoning_details"`
					ToolCalls        []struct {
						ID       string
						Function struct{ Name, Arguments string }
					} `json:"tool_calls"`
				}
			}
		}
		if data == "[DONE]" {
			continue
		}
		if err := json.Unmarshal([]byte(data), &c); err != nil {
			t.Fatal(err)
		}
		for _, choice := range c.Choices {
			details = append(details, choice.Delta.ReasoningDetails...)
			for _, call := range choice.Delta.ToolCalls {
				id, name, args = id+call.ID, name+call.Function.Name, args+call.Function.Arguments
			}
		}
	}
	out, err := json.Marshal(map[string]any{
		"role": "assistant", "content": nil, "reasoning_details": details,
		"tool_calls": []any{map[string]any{"id": id, "type": "function", "function": map[string]string{"name": name, "arguments": args}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func dataLines(stream string) []string {
	var out []string
	for line := range strings.Lines(stream) {
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			out = append(out, strings.TrimSpace(data))
		}
	}
	return out
}

// TestStopSequencesStayInChat: the Responses API has none, so a model that takes them is
// asked through Chat Completions.
func TestStopSequencesStayInChat(t *testing.T) {
	u := newUpstream(t, vendor)
	f := start(t, u)
	for more, want := range map[string]string{
		``: "/openai/responses", `"stop_sequences":[],`: "/openai/responses", `"stop_sequences":null,`: "/openai/responses",
		`"stop_sequences":["x"],`: "/openai/chat/completions",
	} {
		got := f.post("/v1/messages", messages("some-new-model#openai", more))
		in := u.last(t)
		if got.status != 200 || in.path != "/v1/acc/gw"+want {
			t.Errorf("%q went to %s (%d %s)", more, in.path, got.status, got.body)
		}
		if more == `"stop_sequences":["x"],` && !strings.Contains(in.body, `"stop":["x"]`) {
			t.Errorf("the stop sequence is lost: %s", in.body)
		}
	}
}

// TestResponsesUpstreamFails: whatever ends a stream of the Responses API early reaches
// the client as an error of its own protocol, in the stream or instead of it.
func TestResponsesUpstreamFails(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"cut":         cutAnswer(respFrames[:6]...),
		"no terminal": sseAnswer(respFrames[:7]...),
		"failed":      sseAnswer(append(respFrames[:4:4], "event: response.failed\n"+`data: {"type":"response.failed","sequence_number":5,"response":{"id":"resp_1","status":"failed","error":{"code":"server_error","message":"it broke"},"output":[]}}`+"\n\n")...),
	} {
		t.Run(name, func(t *testing.T) {
			f := start(t, newUpstream(t, answer))
			got := f.post("/v1/messages", messages("gpt-5#openai", messagesTools+`"stream":true,`))
			if strings.Contains(got.body, "message_stop") || !strings.Contains(got.body, `{"type":"error","error":{"type":"api_error"`) {
				t.Errorf("messages: %d %s", got.status, got.body)
			}
			got = f.post("/v1/chat/completions", chat("gpt-5-codex#openai", chatTools+`"stream":true,`))
			if strings.Contains(got.body, "[DONE]") || !strings.Contains(got.body, `{"error":{"message":"`) {
				t.Errorf("chat: %d %s", got.status, got.body)
			}
		})
	}
}

// TestThinkingIsKeptForChatClients: clients of Chat Completions that drop what the model
// thought before a call get it put back, each its own.
func TestThinkingIsKeptForChatClients(t *testing.T) {
	const thinking = `{"type":"thinking","thinking":"Look <first>\u00e9.","signature":"SIG=="}`
	const claudeAnswer = `{"id":"msg_1","type":"message","role":"assistant","model":"claude-opus-4-7","content":[` + thinking + `,{"type":"redacted_thinking","data":"RED"},{"type":"tool_use","id":"toolu_1","name":"read","input":{}}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":7,"output_tokens":3}}`
	claudeFrames := []string{
		msgFrames[0],
		"event: content_block_start\n" + `data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}` + "\n\n",
		"event: content_block_delta\n" + `data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Look <first>\u00e9."}}` + "\n\n",
		"event: content_block_delta\n" + `data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"SIG=="}}` + "\n\n",
		"event: content_block_stop\n" + `data: {"type":"content_block_stop","index":0}` + "\n\n",
		"event: content_block_start\n" + `data: {"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"RED"}}` + "\n\n",
		"event: content_block_stop\n" + `data: {"type":"content_block_stop","index":1}` + "\n\n",
		"event: content_block_start\n" + `data: {"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"toolu_1","name":"read","input":{}}}` + "\n\n",
		"event: content_block_stop\n" + `data: {"type":"content_block_stop","index":2}` + "\n\n",
		"event: message_delta\n" + `data: {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":3}}` + "\n\n",
		msgFrames[len(msgFrames)-1],
	}
	for _, c := range []struct {
		name, model, more string
		first, later      http.HandlerFunc
		call, want        string
	}{
		{"claude", "claude-opus-4-7#anthropic", "", jsonAnswer(200, claudeAnswer), jsonAnswer(200, msgAnswer), "toolu_1", `"content":[` + thinking + `,{"type":"redacted_thinking","data":"RED"},{"type":"tool_use","id":"toolu_1"`},
		{"claude stream", "claude-opus-4-7#anthropic", `"stream":true,`, sseAnswer(claudeFrames...), sseAnswer(msgFrames...), "toolu_1", `"content":[` + thinking + `,{"type":"redacted_thinking","data":"RED"},{"type":"tool_use","id":"toolu_1"`},
		{"codex", "gpt-5-codex#openai", "", jsonAnswer(200, respToolUse), jsonAnswer(200, respAnswer), "call_1", reasoningItem + `,{"type":"function_call","call_id":"call_1"`},
		{"codex stream", "gpt-5-codex#openai", `"stream":true,`, sseAnswer(respFrames...), sseAnswer(respFrames...), "call_1", reasoningItem + `,{"type":"function_call","call_id":"call_1"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer := c.first
			u := newUpstream(t, func(w http.ResponseWriter, r *http.Request) { answer(w, r) })
			f := start(t, u)
			ask := chat(c.model, chatTools+c.more+`"reasoning_effort":"high",`)
			if got := f.post("/v1/chat/completions", ask); got.status != 200 {
				t.Fatal(got.status, got.body)
			}
			answer = c.later
			ask = strings.Replace(ask, `{"role":"user","content":"hi"}`, `{"role":"user","content":"hi"},{"role":"assistant","content":null,"reasoning_content":"shown","tool_calls":[{"id":"`+c.call+
				`","type":"function","function":{"name":"read","arguments":"{}"}}]},{"role":"tool","tool_call_id":"`+c.call+`","content":"42"}`, 1)
			for range 2 { // it is not used up
				got := f.post("/v1/chat/completions", ask)
				if in := u.last(t); got.status != 200 || !strings.Contains(in.body, c.want) || strings.Contains(in.body, "shown") {
					t.Errorf("%d: the thinking is not\n%s\nin\n%s", got.status, c.want, in.body)
				}
			}
			for name, edits := range map[string][]edit{
				"another key":      {withHeader("Authorization", "Bearer "+gateToken)},
				"another provider": {withHeader("Cf-Aig-Authorization", "Bearer "+gateToken), withHeader("Authorization", "Bearer theirs")},
			} {
				if got := f.post("/v1/chat/completions", ask, edits...); got.status != 200 || strings.Contains(u.last(t).body, c.want) {
					t.Errorf("%s: %d, the thinking of somebody else is in %s", name, got.status, u.last(t).body)
				}
			}
			if got := f.post("/v1/chat/completions", strings.ReplaceAll(ask, c.call, "call_other")); got.status != 200 || strings.Contains(u.last(t).body, c.want) {
				t.Errorf("%d, the thinking of another call is in %s", got.status, u.last(t).body)
			}
		})
	}
}

// TestBrokenThinkingIsNotKept: what was thought before a stream broke off is no thinking
// that a model could go on from.
func TestBrokenThinkingIsNotKept(t *testing.T) {
	answer := sseAnswer(respFrames[:7]...)
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request) { answer(w, r) })
	f := start(t, u)
	f.post("/v1/chat/completions", chat("gpt-5-codex#openai", chatTools+`"stream":true,`))
	answer = jsonAnswer(200, respAnswer)
	ask := strings.Replace(chat("gpt-5-codex#openai", chatTools), `{"role":"user","content":"hi"}`,
		`{"role":"user","content":"hi"},{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"read","arguments":"{}"}}]},{"role":"tool","tool_call_id":"call_1","content":"42"}`, 1)
	if got := f.post("/v1/chat/completions", ask); got.status != 200 || strings.Contains(u.last(t).body, "rs_1") {
		t.Errorf("%d %s", got.status, u.last(t).body)
	}
}

// TestForeignThinkingStaysHere: thinking that another vendor's model had is no business of
// Anthropic's, also where nothing else is changed, and in a question how long it is.
func TestForeignThinkingStaysHere(t *testing.T) {
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/count_tokens") {
			jsonAnswer(200, `{"input_tokens":5}`)(w, r)
			return
		}
		vendor(w, r)
	})
	f := start(t, u)
	const body = `{ "model":"MODEL", "max_tokens":9,"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"apx1.oai-r.e30"},{"type":"redacted_thinking","data":"apx1.oai-r.e30"},{"type":"thinking","thinking":"own","signature":"EqQB"},{"type":"text","text":"b"}]},{"role":"user","content":"c"}],"x":1.50}`
	const want = `{ "model":"claude-opus-4-7", "max_tokens":9,"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"thinking","thinking":"own","signature":"EqQB"},{"type":"text","text":"b"}]},{"role":"user","content":"c"}],"x":1.50}`
	for _, path := range []string{"/v1/messages", "/v1/messages/count_tokens"} {
		got := f.post(path, strings.Replace(body, "MODEL", "claude-opus-4-7#anthropic", 1))
		if in := u.last(t); got.status != 200 || in.body != want {
			t.Errorf("%s: %d, sent %s", path, got.status, in.body)
		}
	}
	// Models that want their reasoning back get it as text, whoever signed it.
	for model, replays := range map[string]bool{
		"deepseek-chat#deepseek": true, "moonshotai/kimi-k2-thinking#openrouter": true, "@cf/moonshotai/kimi-k2.5#workers-ai": true,
		"xiaomi/mimo-v2-flash#openrouter": true, "moonshotai/kimi-k2-instruct#groq": false, "gpt-4o#openai": false,
	} {
		ask := `{"model":"` + model + `","max_tokens":9,` + messagesTools + `"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"thinking","thinking":"mine","signature":"apx1.txt."},{"type":"tool_use","id":"t1","name":"read","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"1"}]}]}`
		got := f.post("/v1/messages", ask)
		if in := u.last(t); got.status != 200 || strings.Contains(in.body, `"reasoning_content":"mine"`) != replays || strings.Contains(in.body, "apx1") {
			t.Errorf("%s: %d, sent %s", model, got.status, in.body)
		}
	}
}

// TestProofsOfCallsComeBack: Google's models sign their calls, beside which no client of
// another protocol has a place for a proof.
func TestProofsOfCallsComeBack(t *testing.T) {
	const proof = `"extra_content":{"google":{"thought_signature":"PROOF=="}}`
	const calls = `{"index":0,"id":"function-call-1","type":"function","function":{"name":"read","arguments":"{}"},` + proof + `},{"index":1,"id":"function-call-2","type":"function","function":{"name":"read","arguments":"{}"}}`
	const head = `{"id":"c1","object":"chat.completion","created":1700000000,"model":"gemini-3-pro","choices":[{"index":0,`
	unary := jsonAnswer(200, head+`"message":{"role":"assistant","content":null,"tool_calls":[`+calls+`]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}`)
	stream := sseAnswer(
		"data: "+strings.Replace(head, "completion", "completion.chunk", 1)+`"delta":{"role":"assistant","tool_calls":[`+calls+`]},"finish_reason":"tool_calls"}]}`+"\n\n", "data: [DONE]\n\n")
	const want = `"tool_calls":[{"id":"function-call-1","type":"function","function":{"name":"read","arguments":"{}"},` + proof + `},{"id":"function-call-2","type":"function","function":{"name":"read","arguments":"{}"}}]`
	for _, c := range []struct {
		name, path, first, then string
		answer                  http.HandlerFunc
	}{
		{"messages", "/v1/messages", messages("gemini-3-pro#google", messagesTools), geminiMessages, unary},
		{"messages stream", "/v1/messages", messages("gemini-3-pro#google", messagesTools+`"stream":true,`), geminiMessages, stream},
		{"responses", "/v1/responses", `{"model":"gemini-3-pro#google",` + geminiTools + `"input":"hi"}`, geminiResponses, unary},
		{"responses stream", "/v1/responses", `{"model":"gemini-3-pro#google","stream":true,` + geminiTools + `"input":"hi"}`, geminiResponses, stream},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer := c.answer
			u := newUpstream(t, func(w http.ResponseWriter, r *http.Request) { answer(w, r) })
			f := start(t, u)
			if got := f.post(c.path, c.first); got.status != 200 || strings.Contains(got.body, "PROOF") {
				t.Fatal(got.status, got.body)
			}
			answer = vendor
			if got := f.post(c.path, c.then); got.status != 200 || !strings.Contains(u.last(t).body, want) {
				t.Errorf("%d, the proof is not in %s", got.status, u.last(t).body)
			}
			if got := f.post(c.path, c.then, withHeader("Authorization", "Bearer "+gateToken)); got.status != 200 || strings.Contains(u.last(t).body, "PROOF") {
				t.Errorf("%d, somebody else's proof is in %s", got.status, u.last(t).body)
			}
			if got := f.post(c.path, strings.Replace(c.then, "gemini-3-pro#google", "gpt-4o#openai", 1)); got.status != 200 || strings.Contains(u.last(t).body, "PROOF") {
				t.Errorf("%d, another vendor is sent the proof: %s", got.status, u.last(t).body)
			}
			// Proofs that are refused go, and the word for their lack comes.
			refused := false
			answer = func(w http.ResponseWriter, r *http.Request) {
				if !refused {
					refused = true
					jsonAnswer(400, `{"error":{"code":400,"message":"Thought signature is not valid","status":"INVALID_ARGUMENT"}}`)(w, r)
					return
				}
				vendor(w, r)
			}
			if got := f.post(c.path, c.then); got.status != 200 || strings.Contains(u.last(t).body, "PROOF") || !strings.Contains(u.last(t).body, "skip_thought_signature_validator") {
				t.Errorf("%d, sent again was %s", got.status, u.last(t).body)
			}
		})
	}
}

const (
	geminiTools     = `"tools":[{"type":"function","name":"read","parameters":{"type":"object","properties":{}}}],`
	geminiMessages  = `{"model":"gemini-3-pro#google","max_tokens":64,` + messagesTools + `"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"tool_use","id":"function-call-1","name":"read","input":{}},{"type":"tool_use","id":"function-call-2","name":"read","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"function-call-1","content":"1"},{"type":"tool_result","tool_use_id":"function-call-2","content":"2"}]}]}`
	geminiResponses = `{"model":"gemini-3-pro#google",` + geminiTools + `"input":[{"role":"user","content":"hi"},{"type":"function_call","call_id":"function-call-1","name":"read","arguments":"{}"},{"type":"function_call","call_id":"function-call-2","name":"read","arguments":"{}"},{"type":"function_call_output","call_id":"function-call-1","output":"1"},{"type":"function_call_output","call_id":"function-call-2","output":"2"}]}`
)

// TestSessionsShareACache: what Claude Code calls a session is what OpenAI's prompt caches
// go by, and nobody else's business.
func TestSessionsShareACache(t *testing.T) {
	u := newUpstream(t, vendor)
	f := start(t, u)
	for model, want := range map[string]bool{"gpt-5#openai": true, "gpt-4o#openai": true, "llama#groq": false, "deepseek-chat#deepseek": false} {
		got := f.post("/v1/messages", messages(model, ""), withHeader("X-Claude-Code-Session-Id", "s-1"))
		if in := u.last(t); got.status != 200 || strings.Contains(in.body, `"prompt_cache_key":"s-1"`) != want {
			t.Errorf("%s: %d, sent %s", model, got.status, in.body)
		}
	}
	f.post("/v1/messages", messages("gpt-5#openai", ""), withHeader("X-Claude-Code-Session-Id", strings.Repeat("x", 65)))
	if strings.Contains(u.last(t).body, "prompt_cache_key") {
		t.Error("an endless id was sent")
	}
}
