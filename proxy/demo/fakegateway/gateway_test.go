package fakegateway

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"apex-ai-proxy/proxy/demo"
	"apex-ai-proxy/proxy/rawjson"
)

const chatHi = `"messages":[{"role":"user","content":"hi"}]}`

// post sends a request with the gateway's token; edits change it before.
func post(t *testing.T, g *Gateway, path, body string, edits ...func(*http.Request)) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.URL+"/"+Account+"/"+Name+"/"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Cf-Aig-Authorization", "Bearer "+Token)
	req.Header.Set("Cf-Aig-No-Wholesale", "true")
	for _, edit := range edits {
		edit(req)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(got)
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func path(p string) func(*http.Request) {
	return func(r *http.Request) { r.URL.Path = p }
}

func TestGatewayAccepts(t *testing.T) {
	g := New(t, Options{Keys: map[string]string{"groq": "own"}, Unified: map[string]bool{"grok": true}})
	for _, c := range []struct {
		path, body string
		edits      []func(*http.Request)
	}{
		{"openai/chat/completions", `{"model":"gpt-4o",` + chatHi, nil},
		{"openai/responses", `{"model":"gpt-4o","input":"hi"}`, nil},
		{"openai/embeddings", `{"model":"text-embedding-3-small","input":"hi"}`, nil},
		{"azure-openai/resource/embed/embeddings?api-version=" + AzureAPIVersion, `{"model":"x","input":"hi"}`, nil},
		{"mistral/v1/embeddings", `{"model":"mistral-embed","input":"hi"}`, nil},
		{"anthropic/v1/messages", `{"model":"claude-sonnet-4-5","max_tokens":5,` + chatHi, []func(*http.Request){header("Anthropic-Version", "2023-06-01")}},
		{"anthropic/v1/messages/count_tokens", `{"model":"claude-sonnet-4-5",` + chatHi, []func(*http.Request){header("Anthropic-Version", "2023-06-01")}},
		{"google-ai-studio/v1beta/openai/chat/completions", `{"model":"gemini-2.5-pro",` + chatHi, nil},
		{"groq/chat/completions", `{"model":"openai/gpt-oss-20b",` + chatHi, []func(*http.Request){header("Authorization", "Bearer own")}},
		{"mistral/v1/chat/completions", `{"model":"mistral-large-latest","max_tokens":5,` + chatHi, nil},
		{"grok/v1/chat/completions", `{"model":"grok-4",` + chatHi, []func(*http.Request){header("Cf-Aig-No-Wholesale", "")}},
		{"deepseek/chat/completions", `{"model":"deepseek-chat",` + chatHi, nil},
		{"cerebras/chat/completions", `{"model":"llama-3.3-70b",` + chatHi, nil},
		{"perplexity-ai/chat/completions", `{"model":"sonar",` + chatHi, nil},
		{"azure-openai/resource/gpt-4o/chat/completions?api-version=" + AzureAPIVersion, `{"model":"x",` + chatHi, nil},
		{"compat/chat/completions", `{"model":"cohere/command-r",` + chatHi, nil},
		{"workers-ai/v1/chat/completions", `{"model":"@cf/openai/gpt-oss-20b",` + chatHi, []func(*http.Request){header("Authorization", "Bearer "+Token)}},
		{"openrouter/v1/chat/completions", `{"model":"openai/gpt-5","reasoning":{"effort":"low"},` + chatHi, nil},
	} {
		status, h, body := post(t, g, c.path, c.body, c.edits...)
		if status != http.StatusOK || h.Get("Cf-Aig-Log-Id") == "" || h.Get("Cf-Aig-Cache-Status") != "MISS" {
			t.Errorf("%s: %d %s", c.path, status, body)
		}
		if r := g.Last(); r.Refused != "" || r.Provider == "" || string(r.Body) != c.body {
			t.Errorf("%s: recorded as %+v", c.path, r)
		}
	}
}

func TestGatewayRefuses(t *testing.T) {
	g := New(t, Options{Keys: map[string]string{"groq": "own"}, Unified: map[string]bool{"grok": true}})
	const openai, gpt = "openai/chat/completions", `{"model":"gpt-4o",` + chatHi
	anthropic := header("Anthropic-Version", "2023-06-01")
	loop := func(id string) string {
		return `"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":null,"tool_calls":[{"id":"` + id + `","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"` + id + `","content":"x"}]}`
	}
	for _, c := range []struct {
		name, path, body string
		edit             func(*http.Request)
		status           int
		want             string
	}{
		{"no token", openai, gpt, header("Cf-Aig-Authorization", ""), 401, `"internalCode":2009`},
		{"wrong token", openai, gpt, header("Cf-Aig-Authorization", "Bearer x"), 401, `"name":"AiGatewayError"`},
		{"account", openai, gpt, path("/v1/other/" + Name + "/" + openai), 400, `"internalCode":2001`},
		{"gateway", openai, gpt, path("/v1/" + Account + "/other/" + openai), 400, `"internalCode":2001`},
		{"short path", openai, gpt, path("/v1/" + Account), 400, `"internalCode":2008`},
		{"provider", "acme/chat/completions", gpt, nil, 400, `"internalCode":2008`},
		{"provider's path", "openai/v2/chat", gpt, nil, 404, "unknown_url"},
		{"junk key", openai, gpt, header("Authorization", "Bearer junk"), 401, "invalid_api_key"},
		{"junk x-api-key", openai, gpt, header("X-Api-Key", "junk"), 401, "invalid_api_key"},
		{"junk anthropic key", "anthropic/v1/messages", gpt, header("X-Api-Key", "junk"), 401, `"type":"authentication_error"`},
		{"own key missing", "groq/chat/completions", gpt, nil, 401, "invalid_api_key"},
		{"own key wrong", "groq/chat/completions", gpt, header("Authorization", "Bearer x"), 401, "invalid_api_key"},
		{"wholesale", openai, gpt, header("Cf-Aig-No-Wholesale", ""), 402, `"internalCode":2021`},
		{"unified refused", "grok/v1/chat/completions", `{"model":"grok-3",` + chatHi, nil, 400, `"internalCode":2044`},
		{"method", openai, gpt, func(r *http.Request) { r.Method = http.MethodPut }, 405, "Method not allowed"},
		{"content type", openai, gpt, header("Content-Type", "text/plain"), 415, "media type"},
		{"cookie", openai, gpt, header("Cookie", "a=b"), 400, "cookie"},
		{"model with provider", openai, `{"model":"gpt-4o#openai",` + chatHi, nil, 404, "still names the provider"},
		{"model with prefix", openai, `{"model":"openai/gpt-4o",` + chatHi, nil, 404, "compat path"},
		{"workers id", "workers-ai/v1/chat/completions", `{"model":"llama",` + chatHi, header("Authorization", "Bearer "+Token), 404, "@cf/"},
		{"workers token", "workers-ai/v1/chat/completions", `{"model":"@cf/a/b",` + chatHi, nil, 401, `"code":10000`},
		{"openrouter id", "openrouter/v1/chat/completions", gpt, nil, 404, "vendor/model"},
		{"compat id", "compat/chat/completions", `{"model":"command-r",` + chatHi, nil, 400, `"internalCode":2008`},
		{"compat path", "compat/messages", `{"model":"cohere/x",` + chatHi, nil, 400, `"internalCode":2005`},
		{"azure version", "azure-openai/resource/gpt-4o/chat/completions?api-version=1", gpt, nil, 404, "api-version"},
		{"azure resource", "azure-openai/other/gpt-4o/chat/completions?api-version=" + AzureAPIVersion, gpt, nil, 404, "Resource not found"},
		{"body", openai, `{"model":"gpt-4o","top_k":1,` + chatHi, nil, 400, "Unknown parameter: 'top_k'"},
		{"responses only", openai, `{"model":"o3-pro",` + chatHi, nil, 400, "only supported in v1/responses"},
		{"responses body", "openai/responses", gpt, nil, 400, "Unknown parameter: 'messages'"},
		{"responses elsewhere", "groq/responses", `{"model":"m","input":"hi"}`, header("Authorization", "Bearer own"), 404, "unknown_url"},
		{"embeddings body", "openai/embeddings", gpt, nil, 400, "Unknown parameter: 'messages'"},
		{"version header", "anthropic/v1/messages", `{"model":"claude-sonnet-4-5","max_tokens":5,` + chatHi, nil, 400, "anthropic-version: header is required"},
		{"version", "anthropic/v1/messages", `{"model":"claude-sonnet-4-5","max_tokens":5,` + chatHi, header("Anthropic-Version", "2"), 400, "not a valid version"},
		{"messages body", "anthropic/v1/messages", `{"model":"claude-sonnet-4-5",` + chatHi, anthropic, 400, "max_tokens: Field required"},
		{"beta", "anthropic/v1/messages", `{"model":"claude-sonnet-4-5","max_tokens":5,"context_management":{},` + chatHi, anthropic, 400, "context_management"},
		{"new version", "anthropic/v1/messages", `{"model":"claude-sonnet-4-5","max_tokens":5,"temperature":1,` + chatHi, header("Anthropic-Version", "2026-10-21"), 400, "temperature: Extra inputs"},
		{"mistral field", "mistral/v1/chat/completions", `{"model":"m","max_completion_tokens":5,` + chatHi, nil, 422, "extra_forbidden"},
		{"mistral stream_options", "mistral/v1/chat/completions", `{"model":"m","stream":true,"stream_options":{"include_usage":true},` + chatHi, nil, 422, "extra_forbidden"},
		{"mistral id", "mistral/v1/chat/completions", `{"model":"m",` + loop("toolu_1"), nil, 422, "length of 9"},
		{"groq history", "groq/chat/completions", `{"model":"m",` + strings.Replace(loop("a"), `"content":null`, `"content":null,"reasoning_content":"x"`, 1), header("Authorization", "Bearer own"), 400, "reasoning_content"},
		{"groq store", "groq/chat/completions", `{"model":"m","store":false,` + chatHi, header("Authorization", "Bearer own"), 400, "unsupported"},
		{"groq name", "groq/chat/completions", `{"model":"m","messages":[{"role":"user","name":"n","content":"x"}]}`, header("Authorization", "Bearer own"), 400, "'messages.0'"},
		{"grok stop", "grok/v1/chat/completions", `{"model":"grok-4","stop":"x",` + chatHi, header("Cf-Aig-No-Wholesale", ""), 400, `"error":"Argument not supported on this model: stop"`},
		{"deepseek image", "deepseek/chat/completions", `{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://a"}}]}]}`, nil, 400, "unknown variant"},
		{"deepseek limit", "deepseek/chat/completions", `{"model":"m","max_completion_tokens":5,` + chatHi, nil, 400, "unknown field"},
		{"cerebras penalty", "cerebras/chat/completions", `{"model":"m","frequency_penalty":1,` + chatHi, nil, 400, "wrong_api_format"},
		{"perplexity turns", "perplexity-ai/chat/completions", `{"model":"m","messages":[{"role":"user","content":"a"},{"role":"user","content":"b"}]}`, nil, 400, "alternate"},
		{"perplexity system", "perplexity-ai/chat/completions", `{"model":"m","messages":[{"role":"user","content":"a"},{"role":"system","content":"b"},{"role":"user","content":"b"}]}`, nil, 400, "alternate"},
		{"perplexity end", "perplexity-ai/chat/completions", `{"model":"m","messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}`, nil, 400, "Last message"},
		{"perplexity tools", "perplexity-ai/chat/completions", `{"model":"m","tools":[{"type":"function","function":{"name":"f"}}],` + chatHi, nil, 400, "tools is not supported"},
		{"workers store", "workers-ai/v1/chat/completions", `{"model":"@cf/a/b","store":true,` + chatHi, header("Authorization", "Bearer "+Token), 400, `"success":false`},
		{"openrouter both", "openrouter/v1/chat/completions", `{"model":"a/b","reasoning":{"effort":"low","max_tokens":5},` + chatHi, nil, 400, "Only one of"},
		{"google schema", "google-ai-studio/v1beta/openai/chat/completions", `{"model":"gemini-2.5-pro","tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"title":{"type":"object","additionalProperties":false}}}}}],` + chatHi, nil, 400, `[{"error":{"code":400`},
	} {
		var edits []func(*http.Request)
		if c.edit != nil {
			edits = append(edits, c.edit)
		}
		status, _, body := post(t, g, c.path, c.body, edits...)
		if status != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s: %d %s, want %d %s", c.name, status, body, c.status, c.want)
		}
		if g.Last().Refused == "" {
			t.Errorf("%s: not recorded as refused", c.name)
		}
	}
}

// spy takes the errors that a leaked secret would report.
type spy struct {
	testing.TB
	errors int
}

func (s *spy) Helper()               {}
func (s *spy) Errorf(string, ...any) { s.errors++ }
func (s *spy) Cleanup(f func())      { s.TB.Cleanup(f) }

func TestLeaksFailTheTest(t *testing.T) {
	s := &spy{TB: t}
	g := New(s, Options{Secrets: []string{"local-secret"}})
	for i, edit := range []func(*http.Request){
		header("X-Other", "Bearer local-secret"),
		func(r *http.Request) { r.URL.RawQuery = "key=local-secret" },
		func(r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader(`{"x":"local-secret"}`))
			r.ContentLength = -1
		},
	} {
		if post(t, g, "openai/chat/completions", `{"model":"gpt-4o",`+chatHi, edit); s.errors != i+1 {
			t.Errorf("leak %d was not noticed", i)
		}
	}
}

func TestScript(t *testing.T) {
	g := New(t, Options{})
	release, chunks := make(chan struct{}), make(chan string, 2)
	close(release)
	chunks <- "data: a\n\n"
	close(chunks)
	g.Script(
		Raw(418, http.Header{"X-A": {"b"}}, "tea"),
		Stream(chunks),
		Chunks("data: 1\n\n", "data: 2\n\n"),
		Hang(release, APIError(401, 10000, "no")),
		PolicyError(403, "denied"),
		EdgeError(524),
		GatewayError(429, 2003, "slow down"),
	)
	const body = `{"model":"gpt-4o",` + chatHi
	for i, want := range []struct {
		status int
		text   string
	}{{418, "tea"}, {200, "data: a\n\n"}, {200, "data: 1\n\ndata: 2\n\n"}, {401, `"errors"`}, {403, `"error":{"message":"denied"}`}, {524, "<title>"}, {429, `"internalCode":2003`}, {200, `"content":"hi"`}} {
		// A refused request takes no answer from the script.
		post(t, g, "openai/chat/completions", `{}`)
		if status, _, got := post(t, g, "openai/chat/completions", body); status != want.status || !strings.Contains(got, want.text) {
			t.Errorf("answer %d: %d %s", i, status, got)
		}
	}
}

func TestBehaviourByText(t *testing.T) {
	g := New(t, Options{})
	_, _, body := post(t, g, "openai/chat/completions", `{"model":"gpt-4o","messages":[{"role":"user","content":"[[error-429]]"}]}`)
	if !strings.Contains(body, "rate_limit_exceeded") {
		t.Error(body)
	}
	_, _, body = post(t, g, "openai/chat/completions", `{"model":"my-tools","tools":[{"type":"function","function":{"name":"f"}}],`+chatHi)
	if !strings.Contains(body, `"finish_reason":"tool_calls"`) {
		t.Error(body)
	}
}

func TestPlay(t *testing.T) {
	g := New(t, Options{})
	g.Play(func(turn demo.Turn) demo.Reply { return demo.Reply{Text: turn.Model + " heard " + turn.Text} })
	for path, body := range map[string]string{
		"openai/responses":        `{"model":"gpt-4o","input":"hi"}`,
		"openai/chat/completions": `{"model":"gpt-4o",` + chatHi,
	} {
		if _, _, got := post(t, g, path, body); !strings.Contains(got, "gpt-4o heard hi") {
			t.Errorf("%s: %s", path, got)
		}
	}
}

// TestThreads goes on with a conversation that the provider keeps.
func TestThreads(t *testing.T) {
	g := New(t, Options{})
	const path, tools = "anthropic/v1/messages", `"tools":[{"name":"f","input_schema":{"type":"object"}}]`
	version := header("Anthropic-Version", "2026-10-21")
	with := []func(*http.Request){version, header("Anthropic-Beta", threadBeta)}
	for _, stream := range []string{"true", "false"} {
		begin := `{"model":"claude-sonnet-4-5","max_tokens":50,"stream":` + stream + `,"thread":{"type":"create"},` + tools + `,"messages":[{"role":"user","content":"[[tools]]"}]}`
		if status, _, body := post(t, g, path, begin, version); status != 400 || !strings.Contains(body, "thread: Extra inputs") {
			t.Errorf("without the beta: %d %s", status, body)
		}
		status, _, body := post(t, g, path, begin, with...)
		message, content := told([]byte(body))
		if status != 200 || len(content) != 1 {
			t.Fatalf("%d %s", status, body)
		}
		goOn := func(id, more string) (int, string) {
			call, _ := content[0]["id"].(string)
			status, _, body := post(t, g, path, `{"model":"claude-sonnet-4-5","max_tokens":50,"thread":{"type":"continue","previous_message_id":"`+id+`"},`+more+
				`"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"`+call+`","content":"[[tools]] done"}]}]}`, with...)
			return status, body
		}
		if status, body := goOn(message, ""); status != 200 || !strings.Contains(body, "f answered: [[tools]] done") {
			t.Errorf("%d %s", status, body)
		}
		if status, body := goOn("msg_other", ""); status != 404 || !strings.Contains(body, `"error_code":"thread_not_found"`) {
			t.Errorf("unknown thread: %d %s", status, body)
		}
		if status, body := goOn(message, tools+","); status != 400 || !strings.Contains(body, "tools: it belongs to the thread") {
			t.Errorf("tools again: %d %s", status, body)
		}
	}
}

// TestMistralLoop sends a call back that the imitation made.
func TestMistralLoop(t *testing.T) {
	g := New(t, Options{})
	const fields = `{"model":"m","tools":[{"type":"function","function":{"name":"f"}}],"messages":[{"role":"user","content":"[[tools]]"}`
	_, _, body := post(t, g, "mistral/v1/chat/completions", fields+"]}")
	var answer struct {
		Choices []struct{ Message json.RawMessage }
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || len(answer.Choices) != 1 {
		t.Fatalf("%v %s", err, body)
	}
	said := rawjson.Value(answer.Choices[0].Message)
	var calls []struct{ ID string }
	if err := json.Unmarshal(said.Get("tool_calls"), &calls); err != nil || len(calls) != 1 {
		t.Fatalf("%v %s", err, said)
	}
	said = rawjson.Value(`{"role":"assistant","content":null,"tool_calls":` + string(said.Get("tool_calls")) + `}`)
	if status, _, body := post(t, g, "mistral/v1/chat/completions", fields+","+string(said)+`,{"role":"tool","tool_call_id":"`+calls[0].ID+`","content":"x"}]}`); status != 200 {
		t.Errorf("%d %s", status, body)
	}
}

func TestCancelled(t *testing.T) {
	g := New(t, Options{})
	chunks := make(chan string)
	g.Script(Stream(chunks))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	hung, hangUp := context.WithCancel(ctx)
	result := make(chan error, 1)
	go func() {
		req, err := http.NewRequestWithContext(hung, http.MethodPost, g.URL+"/"+Account+"/"+Name+"/openai/chat/completions", strings.NewReader(`{"model":"gpt-4o",`+chatHi))
		if err == nil {
			req.Header = http.Header{"Content-Type": {"application/json"}, "Cf-Aig-Authorization": {"Bearer " + Token}, "Cf-Aig-No-Wholesale": {"true"}}
			_, err = http.DefaultClient.Do(req)
		}
		result <- err
	}()
	in, err := g.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := Feed(ctx, chunks, "data: a\n\n"); err != nil {
		t.Fatal(err)
	}
	<-result
	hangUp()
	if cancelled, err := in.Cancelled(ctx); err != nil || !cancelled {
		t.Errorf("cancelled: %v, %v", cancelled, err)
	}
}

// TestLists asks for models, which only the right request gets.
func TestLists(t *testing.T) {
	g := New(t, Options{NoKey: map[string]bool{"grok": true}})
	get := func(r *http.Request) {
		r.Method, r.Body, r.ContentLength = http.MethodGet, nil, 0
		r.Header.Del("Content-Type")
	}
	for path, want := range map[string]string{
		"compat/models": "200 a-model", "openai/models": "200 a-model", "deepseek/models": "200 a-model", "google-ai-studio/v1beta/models": "200 a-model",
		"anthropic/v1/models": "400 anthropic-version", "grok/v1/models": "400 2044", "groq/models": "404 unknown_url", "nobody/models": "400 2008",
	} {
		status, _, body := post(t, g, path, "", get)
		if wantStatus, text, _ := strings.Cut(want, " "); strconv.Itoa(status) != wantStatus || !strings.Contains(body, text) {
			t.Errorf("%s: %d %s, want %s", path, status, body, want)
		}
	}
	for want, edit := range map[string]func(*http.Request){
		"2009":    header("Cf-Aig-Authorization", ""),
		"Allowed": func(r *http.Request) { r.Method = http.MethodPut },
		"api key": header("X-Api-Key", "junk"),
		"charged": header("Cf-Aig-No-Wholesale", ""),
	} {
		status, _, body := post(t, g, "openai/models", "", get, edit)
		if status == http.StatusOK || !strings.Contains(strings.ToLower(body), strings.ToLower(want)) && want != "Allowed" {
			t.Errorf("%s: %d %s", want, status, body)
		}
	}
	g = New(t, Options{NotPermitted: true})
	if status, _, body := post(t, g, "compat/models", "", get); status != http.StatusUnauthorized || !strings.Contains(body, "10000") {
		t.Errorf("%d %s", status, body)
	}
}
