package demo_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"apex-ai-proxy/proxy/demo"
	"apex-ai-proxy/proxy/demo/grammar"
	_ "apex-ai-proxy/proxy/spent/spoil" // memory that was given back
)

// upstream is a demo whose ids count up and whose clock stands still.
func upstream(opts ...demo.Option) http.Handler {
	n := 0
	fixed := []demo.Option{
		demo.WithIDs(func() string { n++; return "id" + strconv.Itoa(n) }),
		demo.WithClock(func() time.Time { return time.Unix(1_700_000_000, 0) }),
		demo.WithPause(func(context.Context, time.Duration) error { return nil }),
	}
	return demo.New(append(fixed, opts...)...)
}

const (
	chatPath     = "/v1/chat/completions"
	messagesPath = "/v1/messages"
)

func post(t *testing.T, h http.Handler, path, body string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, strings.NewReader(body)))
	return w
}

func TestAnswersAreDeterministicAndWellFormed(t *testing.T) {
	tools := map[string]string{
		chatPath:     `,"tools":[` + weather + `,{"type":"function","function":{"name":"time","parameters":{"type":"object","properties":{"zone":{"enum":["UTC"]},"n":{"type":"integer","minimum":3}}}}}]`,
		messagesPath: `,"max_tokens":9000,"tools":[` + claudeTool + `,{"name":"time","input_schema":{"type":"object","properties":{"zone":{"enum":["UTC"]},"n":{"type":"integer","minimum":3}}}}]`,
	}
	for _, model := range []string{"echo", "slow", "tools", "long", "reasoning", "echo-openai", "tools-anthropic"} {
		for path, fields := range tools {
			body := `{"model":"` + model + `","messages":[{"role":"user","content":"do it in parallel \"now\""}],"stream":true` + fields
			first := post(t, upstream(), path, body+"}")
			if second := post(t, upstream(), path, body+"}"); first.Body.String() != second.Body.String() {
				t.Errorf("%s %s: two different answers", path, model)
			}
			check := grammar.Messages(first.Body.Bytes())
			if path == chatPath {
				check = grammar.Chat(first.Body.Bytes(), false)
				withUsage := post(t, upstream(), path, body+`,"stream_options":{"include_usage":true}}`)
				if err := grammar.Chat(withUsage.Body.Bytes(), true); err != nil {
					t.Errorf("%s %s with usage: %v", path, model, err)
				}
			}
			if check != nil {
				t.Errorf("%s %s: %v", path, model, check)
			}
			whole := post(t, upstream(), path, strings.Replace(body, `"stream":true`, `"stream":false`, 1)+"}")
			if whole.Code != 200 || !json.Valid(whole.Body.Bytes()) {
				t.Errorf("%s %s: %d %s", path, model, whole.Code, whole.Body)
			}
		}
	}
}

func TestWholeAnswers(t *testing.T) {
	const image = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
	for _, c := range []struct{ name, path, body, want string }{
		{
			"echo", chatPath, `{"model":"echo","messages":[{"role":"system","content":"be brief"},{"role":"user","content":"hello big world"}]}`,
			`{"id":"chatcmpl-id2","object":"chat.completion","created":1700000000,"model":"echo","choices":[{"index":0,"message":{"role":"assistant","content":"hello big world","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":3,"total_tokens":8,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}`,
		},
		{
			"echo claude", messagesPath, `{"model":"echo","max_tokens":50,"system":"be brief","messages":[{"role":"user","content":"hello big world"}]}`,
			`{"id":"msg_id2","type":"message","role":"assistant","model":"echo","content":[{"type":"text","text":"hello big world"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":5,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":3,"service_tier":"standard"}}`,
		},
		{
			"image", chatPath, `{"model":"echo","messages":[{"role":"user","content":[{"type":"text","text":"what?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,` + image + `"}}]}]}`,
			`"content":"what?\n\nI see 1 image (image/png, 70 bytes)."`,
		},
		{
			"images", messagesPath, `{"model":"echo","max_tokens":50,"messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"` + image + `"}},{"type":"image","source":{"type":"url","url":"https://example.com/a.png"}}]}]}`,
			`"text":"I see 2 images (image/png, 70 bytes; https://example.com/a.png)."`,
		},
		{
			"max_tokens", messagesPath, `{"model":"echo","max_tokens":2,"messages":[{"role":"user","content":"hello big world"}]}`,
			`"text":"hello big "}],"stop_reason":"max_tokens"`,
		},
		{
			"stop sequence", messagesPath, `{"model":"echo","max_tokens":9,"stop_sequences":["zzz","big"],"messages":[{"role":"user","content":"hello big world"}]}`,
			`"text":"hello "}],"stop_reason":"stop_sequence","stop_sequence":"big"`,
		},
		{
			"call", chatPath, `{"model":"tools","messages":[{"role":"user","content":"go"}],"tools":[` + weather + `]}`,
			`"content":null,"refusal":null,"tool_calls":[{"id":"call_id3","type":"function","function":{"name":"weather","arguments":"{\"city\":\"sample city\"}"}}]},"logprobs":null,"finish_reason":"tool_calls"`,
		},
		{
			"parallel calls", messagesPath, `{"model":"tools","max_tokens":9,"messages":[{"role":"user","content":"in parallel"}],"tools":[{"name":"a","input_schema":{"type":"object","properties":{"q":{"type":"string"},"o":{"type":"string"}},"required":["q"]}}]}`,
			`"content":[{"type":"tool_use","id":"toolu_id3","name":"a","input":{"q":"sample q"}},{"type":"tool_use","id":"toolu_id4","name":"a","input":{"q":"sample q 2"}}],"stop_reason":"tool_use"`,
		},
		{
			"results", messagesPath, `{"model":"tools","max_tokens":99,"messages":[` + userTurn + `,` + uses + `,` + user(answer1+","+answer2) + `],"tools":[` + claudeTool + `]}`,
			`"text":"weather answered: one\nweather failed: two"`,
		},
		{
			"chat results", chatPath, `{"model":"tools","messages":[` + hi + `,` + chatCall + `,` + result1 + `,` + result2 + `],"tools":[` + weather + `]}`,
			`"content":"weather answered: one\nweather answered: two"`,
		},
		{
			"thinking", messagesPath, `{"model":"reasoning","max_tokens":99,"messages":[` + userTurn + `]}`,
			`{"type":"thinking","thinking":"The user wrote 1 word. I repeat what was said.","signature":"`,
		},
		{
			"omitted thinking", messagesPath, `{"model":"reasoning","max_tokens":99,"thinking":{"type":"adaptive","display":"omitted"},"messages":[` + userTurn + `]}`,
			`{"type":"thinking","thinking":"","signature":"`,
		},
		{"reasoning", chatPath, `{"model":"reasoning","messages":[` + hi + `]}`, `"reasoning_content":"The user wrote 1 word. I repeat what was said."`},
		{
			"schema", messagesPath, `{"model":"echo","max_tokens":99,"output_config":{"format":{"type":"json_schema","schema":` + openClosed + `}},"messages":[` + userTurn + `]}`,
			`"text":"{\"a\":\"sample a\"}"`,
		},
		{
			"schema of chat", chatPath, chatBody(hi, `"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":`+openClosed+`}}`),
			`"content":"{\"a\":\"sample a\"}"`,
		},
		{"schema of responses", "/v1/responses", responsesBody(hi, `"text":{"format":{"type":"json_schema","name":"n","schema":`+openClosed+`}}`), `"text":"{\"a\":\"sample a\"}"`},
		{"forced call", chatPath, chatBody(hi, `"tools":[`+weather+`]`, `"tool_choice":"required"`), `"name":"weather"`},
		{"count", "/v1/messages/count_tokens", `{"model":"echo","messages":[{"role":"user","content":"one two three"}]}`, `{"input_tokens":3}`},
	} {
		w := post(t, upstream(), c.path, strings.Replace(c.body, "gpt-4o", "echo", 1))
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s: %d\n got %s\nwant %s", c.name, w.Code, w.Body, c.want)
		}
	}
}

// TestThinkingLoop sends what the demo answered back to it, as a client would.
func TestThinkingLoop(t *testing.T) {
	fields := `"model":"tools","max_tokens":4000,"thinking":{"type":"enabled","budget_tokens":2000},"tools":[` + claudeTool + `]`
	first := post(t, upstream(), messagesPath, `{`+fields+`,"messages":[`+userTurn+`]}`)
	var answer struct {
		Content json.RawMessage
	}
	if err := json.Unmarshal(first.Body.Bytes(), &answer); err != nil {
		t.Fatal(err)
	}
	second := post(t, upstream(), messagesPath, `{`+fields+`,"messages":[`+userTurn+`,{"role":"assistant","content":`+string(answer.Content)+`},{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_id3","content":"sunny"}]}]}`)
	if second.Code != http.StatusOK || !strings.Contains(second.Body.String(), "weather answered: sunny") {
		t.Errorf("%d %s", second.Code, second.Body)
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"POST", chatPath, chatBody(hi), 404, `{"error":{"message":"The model ` + "`gpt-4o`" + ` does not exist or you do not have access to it.","type":"invalid_request_error","param":null,"code":"model_not_found"}}`},
		{"POST", messagesPath, messagesBody(userTurn), 404, `{"type":"error","error":{"type":"not_found_error","message":"model: claude-sonnet-4-5"},"request_id":"req_id1"}`},
		{"POST", chatPath, `{"model":"error","messages":[` + hi + `]}`, 400, `"type":"invalid_request_error","param":"messages","code":"invalid_value"`},
		{"POST", chatPath, `{"model":"error-429","messages":[` + hi + `],"stream":true}`, 429, `"type":"rate_limit_error","param":null,"code":"rate_limit_exceeded"`},
		{"POST", chatPath, `{"model":"error-529","messages":[` + hi + `]}`, 503, `"type":"server_error","param":null,"code":"overloaded"`},
		{"POST", messagesPath, `{"model":"error-529","max_tokens":5,"messages":[` + userTurn + `]}`, 529, `"type":"overloaded_error"`},
		{"POST", messagesPath, `{"model":"error-500","max_tokens":5,"messages":[` + userTurn + `],"stream":true}`, 500, `"type":"api_error"`},
		{"POST", messagesPath, `{"model":"error-midstream","max_tokens":5,"messages":[` + userTurn + `]}`, 500, `"type":"api_error"`},
		{"POST", chatPath, `{`, 400, `"type":"invalid_request_error"`},
		{"GET", chatPath, "", 405, `"type":"invalid_request_error"`},
		{"POST", "/v1/messages/batches", "", 404, `{"type":"error"`},
		{"POST", "/v1/audio/speech", "", 404, `{"error":{`},
	} {
		w := httptest.NewRecorder()
		upstream().ServeHTTP(w, httptest.NewRequest(c.method, c.path, strings.NewReader(c.body)))
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s %s %s: %d %s, want %d %s", c.method, c.path, c.body, w.Code, w.Body, c.status, c.want)
		}
		if c.status == 429 && w.Header().Get("Retry-After") != "1" {
			t.Error("429 without Retry-After")
		}
	}
}

func TestStreamsThatFail(t *testing.T) {
	srv := httptest.NewServer(upstream())
	defer srv.Close()
	for _, c := range []struct{ path, model string }{
		{chatPath, "error-midstream"},
		{messagesPath, "error-midstream"},
		{"/v1/responses", "error-midstream"},
		{chatPath, "error-cut"},
		{"/v1/responses", "error-cut"},
		{messagesPath, "error-cut"},
	} {
		for _, stream := range []string{"true", "false"} {
			if stream == "false" && c.model == "error-midstream" {
				continue // an error with a status, see TestRefusals
			}
			body := `{"model":"` + c.model + `","max_tokens":50,"stream":` + stream + `,"messages":[` + userTurn + `]}`
			if c.path == "/v1/responses" {
				body = `{"model":"` + c.model + `","stream":` + stream + `,"input":"hi"}`
			}
			res, err := http.Post(srv.URL+c.path, "application/json", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			got, readErr := io.ReadAll(res.Body)
			res.Body.Close()
			if cut := readErr != nil; cut != (c.model == "error-cut") {
				t.Errorf("%v: reading ended with %v", c, readErr)
			}
			if c.model == "error-cut" {
				continue
			}
			check := grammar.Messages(got)
			switch c.path {
			case chatPath:
				check = grammar.Chat(got, false)
			case "/v1/responses":
				check = grammar.Responses(got)
			}
			if failed := (*grammar.StreamError)(nil); !errors.As(check, &failed) {
				t.Errorf("%v: %v\n%s", c, check, got)
			}
		}
	}
}

// TestCancel hangs up in the middle of a slow answer and waits for the demo to notice.
func TestCancel(t *testing.T) {
	waiting := make(chan struct{}, 16)
	stopped := make(chan error, 1)
	srv := httptest.NewServer(upstream(demo.WithPause(func(ctx context.Context, _ time.Duration) error {
		waiting <- struct{}{}
		<-ctx.Done()
		stopped <- ctx.Err()
		return ctx.Err()
	})))
	defer srv.Close()
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, srv.URL+chatPath, strings.NewReader(`{"model":"slow","stream":true,"messages":[`+hi+`]}`))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	<-waiting
	cancel()
	select {
	case <-stopped:
	case <-time.After(time.Minute):
		t.Error("the demo goes on after its client hung up")
	}
}

func TestModels(t *testing.T) {
	for _, m := range demo.Models() {
		if m == "error-cut" {
			continue // it breaks the connection, see TestStreamsThatFail
		}
		w := post(t, upstream(), messagesPath, `{"model":"`+m+`","max_tokens":5,"messages":[`+userTurn+`]}`)
		if w.Code == http.StatusNotFound {
			t.Errorf("%s is not found", m)
		}
	}
}

func TestEagerUsage(t *testing.T) {
	body := `{"model":"echo","stream":true,"messages":[` + hi + `]}`
	w := post(t, upstream(demo.WithEagerUsage()), chatPath, body)
	if !strings.Contains(w.Body.String(), `"finish_reason":"stop"}],"usage":{"prompt_tokens":1,`) {
		t.Error(w.Body.String())
	}
	if strings.Contains(post(t, upstream(), chatPath, body).Body.String(), `"usage"`) {
		t.Error("usage was sent without being asked for")
	}
}
