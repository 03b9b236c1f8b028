package proxy_test

import (
	"io"
	"net/http"
	"net/url"
	"slices"
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

// TestPatternLeavesProvidersAlone: a name that tells its provider means that one, unless it
// is an alias letter for letter.
func TestPatternLeavesProvidersAlone(t *testing.T) {
	u := newUpstream(t, vendor)
	f := start(t, u, withAliases(map[string][]string{
		"*": {"llama#groq"}, "claude-*": {"gpt-4o#openai"}, "claude-opus-4-7#anthropic": {"grok-4#grok"},
	}))
	for asked, want := range map[string]string{
		"claude-sonnet-4-5":                     "/openai/chat/completions",
		"claude-sonnet-4-5#anthropic":           "/anthropic/v1/messages",
		"claude-sonnet-4-5#Claude":              "/anthropic/v1/messages",
		"claude-opus-4-7#anthropic":             "/grok/v1/chat/completions",
		"claude-x#mine":                         "/openai/chat/completions", // no provider
		"anything":                              "/groq/chat/completions",
		"claude-gw-claude-sonnet-4-5":           "/openai/chat/completions",
		"claude-gw-claude-sonnet-4-5#anthropic": "/anthropic/v1/messages",
		"claude-gw-codestral#mistral":           "/mistral/v1/chat/completions",
	} {
		if got := f.post("/v1/messages", messages(asked, "")); got.status != 200 || u.last(t).path != "/v1/acc/gw"+want {
			t.Errorf("%s went to %s (%d %s)", asked, u.last(t).path, got.status, got.body)
		}
	}
}

// TestAliasesAreOffered: in the list of models, and so that Claude Code shows them too.
func TestAliasesAreOffered(t *testing.T) {
	f := start(t, nil, withAliases(map[string][]string{
		"fast": {"gpt-5-mini#openai"}, "claude-big": {"gpt-5#openai"}, "anthropic-x": {"gpt-5#openai"}, "claude-*": {"gpt-5#openai"},
	}))
	claude := withHeader("User-Agent", "claude-cli/2.1.330 (external, cli)")
	ids := func(got reply) (out []string) {
		for _, piece := range strings.Split(got.body, `"id":"`)[1:] {
			id, _, _ := strings.Cut(piece, `"`)
			out = append(out, id)
		}
		return out
	}
	if got := ids(f.do("GET", "/v1/models", "")); !slices.Equal(got[:4], []string{"anthropic-x", "claude-big", "fast", "gpt-5.2#openai"}) {
		t.Errorf("to an OpenAI client: %v", got[:4])
	}
	got := f.do("GET", "/v1/models?limit=1000", "", claude)
	if list := ids(got); !slices.Equal(list[:5], []string{"anthropic-x", "claude-big", "fast", "claude-gw-fast", "gpt-5.2#openai"}) {
		t.Errorf("to Claude Code: %v", list[:5])
	}
	if !strings.Contains(got.body, `"display_name":"fast (gpt-5-mini#openai)"`) {
		t.Errorf("%s", got.body)
	}
	for _, id := range []string{"fast", "claude-gw-fast", "claude-anything"} {
		if one := f.do("GET", "/v1/models/"+id, "", claude); one.status != 200 || !strings.Contains(one.body, `"id":"`+id+`"`) || !strings.Contains(one.body, `"owned_by":"openai"`) {
			t.Errorf("%s: %d %s", id, one.status, one.body)
		}
	}
}

// TestNoDefaultModel: the program itself offers the name default, so it says how to use it.
func TestNoDefaultModel(t *testing.T) {
	const says = "no default model is chosen yet: choose one on the Models page or in the tray, or add the alias default to the settings file"
	none := start(t, newUpstream(t, jsonAnswer(500, "")), withAliases(map[string][]string{"lost": {"default"}}))
	for _, name := range []string{"default", " default ", "claude-gw-default"} {
		for _, got := range []reply{none.post("/v1/chat/completions", chat(name, "")), none.post("/v1/messages", messages(name, ""))} {
			if e := parse(t, got.body); got.status != 404 || !strings.HasSuffix(e.Error.Message, says) {
				t.Errorf("%q: %d %s", name, got.status, got.body)
			}
		}
	}
	if got := none.do("GET", "/v1/models/default", ""); got.status != 404 || !strings.Contains(got.body, says) {
		t.Errorf("as a model: %d %s", got.status, got.body)
	}
	for _, got := range []reply{none.post("/v1/chat/completions", chat("default-x", "")), none.post("/v1/chat/completions", chat("lost", ""))} {
		if got.status != 404 || !strings.Contains(got.body, "no provider is known for the model") {
			t.Errorf("%d %s", got.status, got.body)
		}
	}
	some := start(t, newUpstream(t, jsonAnswer(500, "")), withAliases(map[string][]string{"default": {"echo#demo"}}))
	if got := some.post("/v1/chat/completions", chat("default", "")); got.status != 200 {
		t.Errorf("chosen: %d %s", got.status, got.body)
	}
}

// TestErrorsNameTheAlias: the client did not write the model's name that is at fault.
func TestErrorsNameTheAlias(t *testing.T) {
	gone := jsonAnswer(404, openAIError("model_not_found", "no such model"))
	for _, c := range []struct {
		asked, says string
		edit        func(*proxy.Config)
	}{
		{"mine", "(the alias mine leads to gpt-9#openai)", nil},
		{"claude-opus-4-8", "(the alias claude-* leads claude-opus-4-8 to gpt-9#openai)", nil},
		{"lost", "\"elsewhere\" is not a provider: write it as model#provider. Providers: ", nil},
		{"lost", "(the alias lost leads to x#elsewhere)", nil},
		{"mine", "(the alias mine leads to gpt-9#openai)", func(c *proxy.Config) { c.Account = "" }},
	} {
		f := start(t, newUpstream(t, gone), withAliases(map[string][]string{"mine": {"gpt-9#openai"}, "claude-*": {"gpt-9#openai"}, "lost": {"x#elsewhere"}}))
		if c.edit != nil {
			cfg := f.cfg
			c.edit(&cfg)
			f.Apply(cfg)
		}
		for _, got := range []reply{f.post("/v1/chat/completions", chat(c.asked, "")), f.post("/v1/messages", messages(c.asked, ""))} {
			if e := parse(t, got.body); got.status < 400 || !strings.Contains(e.Error.Message, c.says) {
				t.Errorf("%s: %d %s, want %s", c.asked, got.status, got.body, c.says)
			}
		}
	}
}

// TestNothingHidesAMissingSetting: a list of models is for those that fail, not for what
// the user has yet to set up; and trying again does not help.
func TestNothingHidesAMissingSetting(t *testing.T) {
	u := newUpstream(t, vendor)
	for name, edit := range map[string]func(*proxy.Config){
		"account": func(c *proxy.Config) { c.Account = "" }, "gateway": func(c *proxy.Config) { c.Gateway = "" },
		"address": func(c *proxy.Config) { c.GatewayURL = "" },
		"own key": func(c *proxy.Config) { c.Keys = map[string]proxy.ProviderKey{"openai": {Need: true}} },
	} {
		f := start(t, u, withAliases(map[string][]string{"mine": {"gpt-4o#openai", "echo#demo", "llama#groq"}}), edit)
		got := f.post("/v1/messages", messages("mine", ""))
		if got.status != 502 || got.header.Get("X-Should-Retry") != "false" || got.header.Get("X-Fallback-From") != "" || u.count() != 0 {
			t.Errorf("%s: %d %v %s", name, got.status, got.header, got.body)
		}
	}
}

// Message threads are conversations that Anthropic keeps. Its newest SDK begins with a
// whole one and goes on with what is new; told that the thread is not known, it sends all.
func TestThreads(t *testing.T) {
	create, goOn := `"thread":{"type":"create"},`, `"thread":{"type":"continue","previous_message_id":"msg_1"},`
	newest := []edit{withHeader("Anthropic-Version", "2026-10-21"), withHeader("Anthropic-Beta", "message-threads-2026-08-12")}
	u := newUpstream(t, vendor)
	f := start(t, u)
	for _, thread := range []string{create, goOn} {
		got := f.post("/v1/messages", messages("claude-x#anthropic", thread), newest...)
		if in := u.last(t); got.status != 200 || in.body != messages("claude-x", thread) || in.header.Get("Anthropic-Version") != "2026-10-21" || in.header.Get("Anthropic-Beta") != "message-threads-2026-08-12" {
			t.Errorf("to Anthropic: %d, it got %s %v", got.status, in.body, in.header)
		}
	}
	for _, model := range []string{"gpt-4o#openai", "echo#demo"} {
		before := u.count()
		got := f.post("/v1/messages", messages(model, goOn), newest...)
		if e := parse(t, got.body); got.status != 404 || e.Error.Type != "not_found_error" || !strings.Contains(got.body, `"details":{"error_code":"thread_not_found"}`) || u.count() != before {
			t.Errorf("%s, continued: %d %s", model, got.status, got.body)
		}
		got = f.post("/v1/messages", messages(model, `"thread":{"type":"fork"},`), newest...)
		if got.status != 400 || !strings.Contains(got.body, `"details":{"error_code":"thread_unsupported_request"}`) {
			t.Errorf("%s, of another type: %d %s", model, got.status, got.body)
		}
		for _, thread := range []string{create, `"thread":null,`} {
			got = f.post("/v1/messages", messages(model, thread), newest...)
			if got.status != 200 || got.header.Get("X-Conversion-Warnings") != "" || u.count() > before && strings.Contains(u.last(t).body, "thread") {
				t.Errorf("%s, created: %d %v %s", model, got.status, got.header, got.body)
			}
		}
	}
	// Another model knows the thread even less.
	const unknown = `{"type":"error","error":{"type":"not_found_error","message":"thread","details":{"error_code":"thread_not_found"}}}`
	u = newUpstream(t, jsonAnswer(404, unknown))
	f = start(t, u, withAliases(map[string][]string{"mine": {"claude-x#anthropic", "gpt-4o#openai"}}))
	if got := f.post("/v1/messages", messages("mine", goOn), newest...); got.status != 404 || got.body != unknown || u.count() != 1 {
		t.Errorf("%d %s after %d tries", got.status, got.body, u.count())
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
		{"given up on the way", 504, `<html>`, true},
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

// TestFallbackLeavesNoLimits: what is left at the model that failed is not what is left at
// the one that answers.
func TestFallbackLeavesNoLimits(t *testing.T) {
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if strings.Contains(r.URL.Path, "/openai/") {
			w.Header().Set("X-Ratelimit-Remaining-Requests", "0")
			w.WriteHeader(http.StatusTooManyRequests)
			_, _ = io.WriteString(w, `{"error":{"message":"slow down"}}`)
			return
		}
		_, _ = io.WriteString(w, chatAnswer)
	})
	f := start(t, u, withAliases(map[string][]string{"mine": {"gpt-4o#openai", "llama#groq"}}))
	// Tools in a foreign shape are read and written anew, also for an upstream of the client's protocol.
	got := f.post("/v1/chat/completions", chat("mine", `"tools":[{"name":"t","parameters":{"type":"object"}}],`))
	if left := got.header.Get("X-Ratelimit-Remaining-Requests"); got.status != 200 || u.count() != 2 || left != "" {
		t.Errorf("%d, left %q after %d tries", got.status, left, u.count())
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
	if u.count() != 1 || strings.Count(got.body, "half") != 1 {
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
		"/openai/deployments/gpt-4o/chat/completions":                          {`{"messages":[],"model":"x"}`, `{"messages":[],"model":"gpt-4o"}`},
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

// TestUnknownModelIsToldOnce: the error names the models that there are, and says once what it
// is about.
func TestUnknownModelIsToldOnce(t *testing.T) {
	f := start(t, newUpstream(t, vendor))
	for model, want := range map[string]string{
		"ecko#demo":   `has no model "ecko": use echo, `,
		"gpt-5#opena": `"opena" is not a provider: `,
		"unheard-of":  `no provider is known for the model "unheard-of": `,
	} {
		for _, got := range []reply{
			f.post("/v1/chat/completions", chat(model, "")), f.post("/v1/messages", messages(model, "")),
			f.post("/v1/responses", `{"model":"`+model+`","input":"hi"}`),
			f.post("/v1/embeddings", `{"model":"`+model+`","input":"hi"}`),
			f.post("/v1/messages/count_tokens", messages(model, "")),
			f.do("GET", "/v1/models/"+url.PathEscape(model), ""),
			f.do("GET", "/v1/models/"+url.PathEscape(model), "", withHeader("Anthropic-Version", "2023-06-01")),
		} {
			said := parse(t, got.body).Error.Message
			record := f.final(got.header.Get("X-Apex-Request-Id")).Error
			for _, s := range []string{said, record} {
				if got.status != 404 || !strings.Contains(s, want) || strings.Count(s, "model: ") > 1 {
					t.Errorf("%s: %d %s", model, got.status, s)
				}
				if model == "ecko#demo" && !strings.Contains(s, "use echo, slow, tools, ") {
					t.Errorf("it does not say which models there are: %s", s)
				}
			}
		}
	}
	for _, model := range []string{"echo#demo", "echo-anthropic#demo", "error-429-openai#demo"} {
		if got := f.post("/v1/chat/completions", chat(model, "")); got.status == 404 {
			t.Errorf("%s: %s", model, got.body)
		}
	}
}
