package proxy_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"apex-ai-proxy/proxy"
)

// wire is what must reach the gateway for a provider.
type wire struct {
	slug, model string
	path        string // for chat clients
	msgPath     string // for messages clients
	id          string // the model in the body
	key         string // the header of the provider's own key
	bearer      bool
}

var wires = []wire{
	{"openai", "gpt-4o", "/openai/chat/completions", "", "gpt-4o", "Authorization", true},
	{"anthropic", "claude-sonnet-4-5", "/anthropic/v1/messages", "/anthropic/v1/messages", "claude-sonnet-4-5", "X-Api-Key", false},
	{"google-ai-studio", "gemini-2.5-pro", "/google-ai-studio/v1beta/openai/chat/completions", "", "gemini-2.5-pro", "X-Goog-Api-Key", false},
	{"groq", "openai/gpt-oss-20b", "/groq/chat/completions", "", "openai/gpt-oss-20b", "Authorization", true},
	{"mistral", "mistral-large-latest", "/mistral/v1/chat/completions", "", "mistral-large-latest", "Authorization", true},
	{"grok", "grok-4", "/grok/v1/chat/completions", "", "grok-4", "Authorization", true},
	{"deepseek", "deepseek-chat", "/deepseek/chat/completions", "", "deepseek-chat", "Authorization", true},
	{"cerebras", "gpt-oss-120b", "/cerebras/chat/completions", "", "gpt-oss-120b", "Authorization", true},
	{"perplexity-ai", "sonar", "/perplexity-ai/chat/completions", "", "sonar", "Authorization", true},
	{"azure-openai", "my gpt#4", "/azure-openai/res/my%20gpt%234/chat/completions", "", "my gpt#4", "Api-Key", false},
	{"cohere", "command-a-03-2025", "/compat/chat/completions", "", "cohere/command-a-03-2025", "Authorization", true},
	{"workers-ai", "@cf/openai/gpt-oss-20b", "/workers-ai/v1/chat/completions", "", "@cf/openai/gpt-oss-20b", "Authorization", true},
	{"openrouter", "anthropic/claude-sonnet-4.5", "/openrouter/v1/chat/completions", "", "anthropic/claude-sonnet-4.5", "Authorization", true},
}

func TestEveryProviderOnTheWire(t *testing.T) {
	u := newUpstream(t, vendor)
	for _, p := range wires {
		for _, door := range []string{"/v1/chat/completions", "/v1/messages"} {
			for _, mode := range []string{"stored", "own", "unified", "client"} {
				t.Run(p.slug+door+"/"+mode, func(t *testing.T) {
					own := proxy.ProviderKey{}
					switch mode {
					case "own":
						own.Own = "own-key-123456"
					case "unified":
						own.Unified = true
					}
					f := start(t, u, func(c *proxy.Config) { c.Keys = map[string]proxy.ProviderKey{p.slug: own} })
					edits := []edit{withHeader("Cookie", "a=b"), withHeader("X-Goog-Api-Key", ""), withHeader("X-Secret", "no")}
					if mode == "client" {
						edits = append(edits, withHeader("Cf-Aig-Authorization", "Bearer "+gateToken), withHeader("Authorization", "Bearer theirs-654321"))
					}
					body := chat(p.model+"#"+p.slug, "")
					if door == "/v1/messages" {
						body = messages(p.model+"#"+p.slug, "")
					}
					got := f.post(door, body, edits...)
					if got.status != 200 {
						t.Fatalf("status %d: %s", got.status, got.body)
					}
					checkWire(t, p, door, mode, u.last(t))
				})
			}
		}
	}
}

func checkWire(t *testing.T, p wire, door, mode string, in seen) {
	t.Helper()
	path := p.path
	if door == "/v1/messages" && p.msgPath != "" {
		path = p.msgPath
	}
	if want := "/v1/acc/gw" + path; in.path != want {
		t.Errorf("path %s, want %s", in.path, want)
	}
	query := ""
	if p.slug == "azure-openai" {
		query = "api-version=2024-10-21"
	}
	if in.query != query {
		t.Errorf("query %q, want %q", in.query, query)
	}
	if !strings.Contains(in.body, `"model":"`+p.id+`"`) {
		t.Errorf("the model is not %s: %s", p.id, in.body)
	}
	key := map[string]string{"own": "own-key-123456", "client": "theirs-654321"}[mode]
	if key == "" && p.slug == "workers-ai" {
		key = gateToken
	}
	if key != "" && p.bearer {
		key = "Bearer " + key
	}
	for _, name := range []string{"Authorization", "X-Api-Key", "Api-Key", "X-Goog-Api-Key"} {
		want := ""
		if name == p.key {
			want = key
		}
		if got := in.header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	wholesale := "true"
	if mode == "unified" {
		wholesale = ""
	}
	version := ""
	if strings.HasSuffix(path, "/messages") { // the clients here name none
		version = "2023-06-01"
	}
	for name, want := range map[string]string{
		"Cf-Aig-Authorization": "Bearer " + gateToken, "Cf-Aig-No-Wholesale": wholesale, "Cookie": "", "X-Secret": "",
		"Content-Type": "application/json", "Accept-Encoding": "identity", "User-Agent": "apex-ai-proxy/test (Go program)",
		"Anthropic-Version": version,
	} {
		if got := in.header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestForwardedHeaders(t *testing.T) {
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Connection"] = []string{"x-hop, Request-Id-Of-Nobody", "X-Other-Hop, X-Apex-Request-Id"}
		jsonAnswer(200, msgAnswer, "Cf-Aig-Cache-Status", "HIT", "Cf-Aig-Log-Id", "log1", "Request-Id", "req_vendor",
			"Set-Cookie", "x=y", "Clear-Site-Data", `"*"`, "Server", "cloudflare", "Anthropic-Ratelimit-Requests-Remaining", "5",
			"Access-Control-Allow-Origin", "*", "Location", "http://evil.example", "Refresh", "0;url=http://evil.example",
			"X-Conversion-Warnings", "fake", "X-Token-Count", "fake", "X-Fallback-From", "fake", "X-Hop", "1", "X-Other-Hop", "1")(w, r)
	})
	f := start(t, u)
	got := f.post("/v1/messages?beta=true&key="+localKey+"&x-api-key="+localKey+"&X_API_KEY="+localKey, messages("claude-sonnet-4-5#anthropic", ""),
		withHeader("Anthropic-Version", "2026-10-21"), withHeader("Anthropic-Beta", "a,b"),
		withHeader("Idempotency-Key", "k1"), withHeader("Traceparent", "00-1-2-01"),
		withHeader("Cf-Aig-Skip-Cache", "true"), withHeader("Cf-Aig-Metadata", `{"a":1}`),
		withHeader("Cf-Aig-No-Wholesale", "false"), withHeader("Cf-Aig-Something", "no"),
		withHeader("X-Claude-Code-Session-Id", "s1"), withHeader("Proxy-Authorization", "no"),
		withHeader("Anthropic-Api-Key", "no"), withHeader("Anthropic-Dangerous-Direct-Browser-Access", "true"))
	in := u.last(t)
	for name, want := range map[string]string{
		"Anthropic-Version": "2026-10-21", "Anthropic-Beta": "a,b", "Idempotency-Key": "k1", "Traceparent": "00-1-2-01",
		"Cf-Aig-Skip-Cache": "true", "Cf-Aig-Metadata": `{"a":1}`, "Cf-Aig-No-Wholesale": "true", "Cf-Aig-Something": "",
		"Cf-Aig-Session-Id": "s1", "Proxy-Authorization": "", "Anthropic-Api-Key": "", "Anthropic-Dangerous-Direct-Browser-Access": "true", "User-Agent": "apex-ai-proxy/test (Claude Code)",
	} {
		if got := in.header.Get(name); got != want {
			t.Errorf("to the upstream: %s is %q, want %q", name, got, want)
		}
	}
	if in.query != "beta=true" {
		t.Errorf("query %q", in.query)
	}
	for name, want := range map[string]string{
		"Cf-Aig-Cache-Status": "HIT", "Cf-Aig-Log-Id": "log1", "Request-Id": "req_vendor", "Set-Cookie": "", "Clear-Site-Data": "", "Server": "",
		"Anthropic-Ratelimit-Requests-Remaining": "5", "Access-Control-Allow-Origin": "", "X-Upstream-Model": "claude-sonnet-4-5",
		"Location": "", "Refresh": "", "X-Conversion-Warnings": "", "X-Token-Count": "", "X-Fallback-From": "", "X-Hop": "", "X-Other-Hop": "",
	} {
		if have := got.header.Get(name); have != want {
			t.Errorf("to the client: %s is %q, want %q", name, have, want)
		}
	}
	x := f.final(got.header.Get("X-Apex-Request-Id"))
	if x.GatewayLogID != "log1" || x.CacheStatus != "HIT" || x.Client != "Claude Code" {
		t.Errorf("record %+v", x)
	}

	got = f.post("/v1/chat/completions?beta=true", chat("claude-sonnet-4-5#anthropic", ""), withHeader("Anthropic-Beta", "x"))
	in = u.last(t)
	if in.query != "" || in.header.Get("Anthropic-Beta") != "" {
		t.Errorf("a conversion forwarded %q %q", in.query, in.header.Get("Anthropic-Beta"))
	}
	if got.header.Get("X-Upstream-Request-Id") != "req_vendor" || got.header.Get("Anthropic-Ratelimit-Requests-Remaining") != "" ||
		got.header.Get("Cf-Aig-Log-Id") != "log1" {
		t.Errorf("headers of a conversion: %v", got.header)
	}
}

// TestEchoedSecrets: an upstream may repeat in its headers what it was sent, and neither the
// client nor the record learns a credential from it.
func TestEchoedSecrets(t *testing.T) {
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		sent := r.Header.Get("Cf-Aig-Authorization")
		jsonAnswer(200, chatAnswer, "X-Sent", sent, "Cf-Aig-Log-Id", sent, "Cf-Aig-Model", "m")(w, r)
	})
	f := start(t, u)
	for path, body := range map[string]string{
		"/v1/chat/completions": chat("gpt-4o#openai", ""),
		"/v1/messages":         messages("gpt-4o#openai", ""), // converted
	} {
		got := f.post(path, body)
		if u.last(t).header.Get("Cf-Aig-Authorization") != "Bearer "+gateToken {
			t.Fatal("nothing was sent that could be repeated")
		}
		seen := fmt.Sprintf("%v %+v", got.header, f.final(got.header.Get("X-Apex-Request-Id")))
		if strings.Contains(seen, gateToken) || got.header.Get("Cf-Aig-Log-Id") == "" {
			t.Errorf("%s: %s", path, seen)
		}
	}
}

func TestMissingSettings(t *testing.T) {
	u := newUpstream(t, vendor)
	for name, tc := range map[string]struct {
		edit  func(*proxy.Config)
		model string
		says  string
	}{
		"account":  {func(c *proxy.Config) { c.Account = "" }, "gpt-4o#openai", "account"},
		"resource": {func(c *proxy.Config) { c.AzureResource = "" }, "d#azure-openai", "resource"},
		"token":    {func(c *proxy.Config) { c.GatewayToken = "" }, "@cf/x#workers-ai", "token"},
	} {
		t.Run(name, func(t *testing.T) {
			f := start(t, u, tc.edit)
			before := u.count()
			got := f.post("/v1/chat/completions", chat(tc.model, ""))
			if got.status != 502 || !strings.Contains(got.body, tc.says) || got.header.Get("X-Should-Retry") != "false" {
				t.Errorf("%d %s", got.status, got.body)
			}
			if u.count() != before {
				t.Error("a request was sent nevertheless")
			}
		})
	}
}

func TestForwardedHeadersOfOtherProtocols(t *testing.T) {
	u := newUpstream(t, vendor)
	f := start(t, u)
	mine := withHeader("Cf-Aig-Authorization", "Bearer "+gateToken)
	for sent, want := range map[string]string{
		"Basic abc": "Basic abc", "bearer theirs-123": "Bearer theirs-123", "theirs-123": "Bearer theirs-123",
	} {
		f.post("/v1/chat/completions", chat("gpt-4o#openai", ""), mine, withHeader("Authorization", sent), withHeader("Anthropic-Beta", "x"))
		if h := u.last(t).header; h.Get("Authorization") != want || h.Get("Anthropic-Beta") != "" {
			t.Errorf("%s: %v", sent, h)
		}
	}
}

// TestOwnKeyMissing: who chose a key of their own is never charged for another one.
func TestOwnKeyMissing(t *testing.T) {
	u := newUpstream(t, vendor)
	f := start(t, u, func(c *proxy.Config) { c.Keys = map[string]proxy.ProviderKey{"openai": {Need: true}} })
	for _, got := range []reply{f.post("/v1/chat/completions", chat("gpt-4o#openai", "")), f.post("/v1/messages", messages("gpt-4o#openai", ""))} {
		if e := parse(t, got.body); got.status != 502 || u.count() != 0 || !strings.Contains(e.Error.Message, "token set openai") ||
			e.Type == "" && (e.Error.Code == nil || *e.Error.Code != "not_configured") {
			t.Errorf("%d %s", got.status, got.body)
		}
		if x := f.final(got.header.Get("X-Apex-Request-Id")); x.ErrorKind != "not_configured" {
			t.Errorf("record %+v", x)
		}
	}
	got := f.post("/v1/chat/completions", chat("gpt-4o#openai", ""), withHeader("Cf-Aig-Authorization", "Bearer "+gateToken), withHeader("Authorization", "Bearer mine-123456"))
	if got.status != 200 || u.last(t).header.Get("Authorization") != "Bearer mine-123456" {
		t.Errorf("the client's own key: %d %s", got.status, got.body)
	}
}

// TestLackingSecretsAreTold: the program learns which requests go without a secret that may
// have been stored meanwhile.
func TestLackingSecretsAreTold(t *testing.T) {
	u := newUpstream(t, vendor)
	own := map[string]proxy.ProviderKey{"openai": {Need: true}}
	theirs := func(r *http.Request) {
		r.Header.Set("Cf-Aig-Authorization", "Bearer "+gateToken)
		r.Header.Set("Authorization", "Bearer mine-123456")
	}
	for name, c := range map[string]struct {
		edit  func(*proxy.Config)
		model string
		by    edit
		want  int32
	}{
		"all there":            {func(*proxy.Config) {}, "gpt-4o#openai", nil, 0},
		"no token":             {func(c *proxy.Config) { c.GatewayToken = "" }, "gpt-4o#openai", nil, 1},
		"no token, demo":       {func(c *proxy.Config) { c.GatewayToken = "" }, "echo#demo", nil, 0},
		"no key":               {func(c *proxy.Config) { c.Keys = own }, "gpt-4o#openai", nil, 1},
		"no key of another":    {func(c *proxy.Config) { c.Keys = own }, "llama#groq", nil, 0},
		"the client's own key": {func(c *proxy.Config) { c.Keys = own }, "gpt-4o#openai", theirs, 0},
	} {
		var told atomic.Int32
		f := start(t, u, c.edit, func(c *proxy.Config) { c.Lacking = func() { told.Add(1) } })
		if c.by == nil {
			c.by = without("X-None")
		}
		f.post("/v1/chat/completions", chat(c.model, ""), c.by)
		if got := told.Load(); got != c.want {
			t.Errorf("%s: told %d times", name, got)
		}
	}
}
