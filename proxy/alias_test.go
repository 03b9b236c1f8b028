package proxy_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"apex-ai-proxy/proxy"
	"apex-ai-proxy/proxy/event"
)

func withAliases(a map[string][]string) func(*proxy.Config) {
	return func(c *proxy.Config) { c.Aliases = a }
}

func TestAliasChoosesTheModel(t *testing.T) {
	u := newUpstream(t, vendor)
	f := start(t, u, withAliases(map[string][]string{
		"claude-sonnet-4-5": {"gpt-4o#openai"}, "claude-*": {"llama#groq"}, "claude-*-haiku-*": {"gpt-5-mini#openai"},
		"*-latest": {"grok-4#grok"}, "fast#mine": {"mistral-small-latest#mistral"},
	}))
	for asked, want := range map[string]string{
		"claude-sonnet-4-5":       "/openai/chat/completions gpt-4o",
		"claude-sonnet-4-5[1m]":   "/openai/chat/completions gpt-4o",
		"claude-opus-4-1":         "/groq/chat/completions llama",
		"claude-3-haiku-20240307": "/openai/responses gpt-5-mini",
		"something-latest":        "/grok/v1/chat/completions grok-4",
		"fast#mine":               "/mistral/v1/chat/completions mistral-small-latest",
		"deepseek-chat#deepseek":  "/deepseek/chat/completions deepseek-chat",
	} {
		got := f.post("/v1/messages", messages(asked, ""))
		path, model, _ := strings.Cut(want, " ")
		in := u.last(t)
		if got.status != 200 || in.path != "/v1/acc/gw"+path || !strings.Contains(in.body, `"model":"`+model+`"`) {
			t.Errorf("%s went to %s with %s (%d %s)", asked, in.path, in.body, got.status, got.body)
		}
		if !strings.Contains(got.body, `"model":"`+asked+`"`) || got.header.Get("X-Upstream-Model") != model {
			t.Errorf("%s: the answer names %s, the header %s", asked, got.body, got.header.Get("X-Upstream-Model"))
		}
	}
	list := f.do("GET", "/v1/models", "")
	if !strings.Contains(list.body, `"id":"claude-sonnet-4-5"`) || !strings.Contains(list.body, `"id":"fast#mine"`) || strings.Contains(list.body, `claude-*`) {
		t.Errorf("the list of models is %s", list.body)
	}
	if one := f.do("GET", "/v1/models/claude-sonnet-4-5", ""); one.status != 200 {
		t.Errorf("an alias is not known as a model: %s", one.body)
	}
}

func TestAliasFallsBack(t *testing.T) {
	for _, c := range []struct {
		name     string
		status   int
		body     string
		answered bool // by the second model
	}{
		{"overloaded", 529, `{"type":"error","error":{"type":"overloaded_error","message":"busy"}}`, true},
		{"rate limit", 429, `{"error":{"message":"slow down","type":"rate_limit_error"}}`, true},
		{"gone", 404, `{"error":{"message":"no such model","type":"invalid_request_error","code":"model_not_found"}}`, true},
		{"html", 502, `<html>`, true},
		{"credential", 401, `{"error":{"message":"bad key","type":"authentication_error"}}`, true},
		{"bad request", 400, `{"error":{"message":"no","type":"invalid_request_error","param":null,"code":null}}`, false},
	} {
		for door, body := range map[string]string{"/v1/chat/completions": chat("mine", ""), "/v1/messages": messages("mine", "")} {
			t.Run(c.name+door, func(t *testing.T) {
				u := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Content-Type", "application/json")
					if strings.Contains(r.URL.Path, "/openai/") {
						w.Header().Set("Cf-Aig-Log-Id", "first")
						w.WriteHeader(c.status)
						_, _ = io.WriteString(w, c.body)
						return
					}
					_, _ = io.WriteString(w, chatAnswer)
				})
				f := start(t, u, withAliases(map[string][]string{"mine": {"gpt-4o#openai", "llama#groq"}}))
				got := f.post(door, body)
				x := f.bus.Recent()[0]
				if !c.answered {
					if got.status != c.status || u.count() != 1 || x.Phase != event.Failed {
						t.Errorf("%d %s after %d tries, %+v", got.status, got.body, u.count(), x)
					}
					return
				}
				if got.status != 200 || !strings.Contains(got.body, "hello") || u.count() != 2 || got.header.Get("X-Fallback-From") != "gpt-4o#openai" || got.header.Get("Cf-Aig-Log-Id") != "" {
					t.Errorf("%d %s %v after %d tries", got.status, got.body, got.header, u.count())
				}
				if x.Phase != event.Done || x.ModelUsed != "llama" || x.Error != "" || len(x.Warnings) != 1 || x.Warnings[0].Code != "fallback" {
					t.Errorf("the record is %+v", x)
				}
			})
		}
	}
}

func TestLastModelOfAnAliasTellsItsError(t *testing.T) {
	u := newUpstream(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, `{"error":{"message":"slow down","type":"rate_limit_error","param":null,"code":null}}`)
	})
	f := start(t, u, withAliases(map[string][]string{"mine": {"gpt-4o#openai", "llama#groq"}}))
	if got := f.post("/v1/chat/completions", chat("mine", "")); got.status != 429 || u.count() != 2 {
		t.Errorf("%d %s after %d tries", got.status, got.body, u.count())
	}
}

// What the client has seen is never said again by another model.
func TestNoFallbackInsideAStream(t *testing.T) {
	u := newUpstream(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"half\"}}]}\n\n")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	f := start(t, u, withAliases(map[string][]string{"mine": {"gpt-4o#openai", "llama#groq"}}))
	got := f.post("/v1/messages", messages("mine", `"stream":true,`))
	if u.count() > 2 || strings.Count(got.body, "half") > 1 {
		t.Errorf("%d tries: %s", u.count(), got.body)
	}
}

// Azure's clients name the model in the path; it beats the one in the body.
func TestModelInThePath(t *testing.T) {
	u := newUpstream(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, chatAnswer)
	})
	f := start(t, u, withAliases(map[string][]string{"my-model": {"gpt-4o#openai"}}))
	for path, c := range map[string]struct{ body, want string }{
		"/openai/deployments/my-model/chat/completions?api-version=2024-10-21": {`{"messages":[]}`, `{"model":"gpt-4o","messages":[]}`},
		"/openai/deployments/gpt-4o%23openai/chat/completions":                 {`{ "model":"x","messages":[]}`, `{ "model":"gpt-4o","messages":[]}`},
		"/openai/deployments/openai/gpt-4o/chat/completions":                   {`{}`, `{"model":"gpt-4o"}`},
	} {
		got := f.post(path, c.body, without("Authorization"), withHeader("Api-Key", localKey))
		in := u.last(t)
		if got.status != 200 || in.body != c.want || in.query != "" {
			t.Errorf("%s: %d %s, the upstream got %s?%s", path, got.status, got.body, in.body, in.query)
		}
	}
}

// Cursor sends bodies of the Responses API to the chat path.
func TestResponsesBodyOnTheChatPath(t *testing.T) {
	u := newUpstream(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, chatAnswer)
	})
	f := start(t, u)
	got := f.post("/v1/chat/completions", `{"model":"gpt-4o#openai","input":[{"role":"user","content":"hi"}],"instructions":"Be brief.","max_output_tokens":9,`+
		`"tools":[{"type":"function","name":"f","parameters":{"type":"object","properties":{}}}]}`)
	if got.status != 200 || !strings.Contains(got.body, `"object":"chat.completion"`) || !strings.Contains(got.body, `"content":"hello"`) {
		t.Errorf("%d %s", got.status, got.body)
	}
	in := u.last(t)
	for _, want := range []string{`"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"hi"}]`, `"max_completion_tokens":9`, `"function":{"name":"f"`} {
		if in.path != "/v1/acc/gw/openai/chat/completions" || !strings.Contains(in.body, want) {
			t.Errorf("%s got %s without %s", in.path, in.body, want)
		}
	}
}
