package e2e

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"unicode"

	"apex-ai-proxy/proxy/demo/fakegateway"
)

// evilNames are parts of names that mean something to addresses, paths, headers, shells or
// terminals.
var evilNames = []string{
	"../../x", "..", ".", "/", "//evil.example", `\\evil.example`, `..\..\x`, "@evil.example", "x@evil.example:80", "x:80@evil.example", "evil.example/", "//user:pass@evil.example/",
	"?x=1", "x?api-version=1", "x&y=1", "x;y", "x#y", "%2f", "%2e%2e%2f", "..%2f..%2f", "%252e%252e%252f", "%00", "%0d%0aX-Evil:%201", "%23", "x%3f", "x y", "x\ty",
	"x\r\nX-Evil: 1", "x\nX-Evil: 1", "x\rX-Evil: 1", "x\x00y", "x\x1b[31my", "x\x1b]0;evil\x07", "x\u009b31m", "x\u0085X-Evil: 1", "x\u2028y", "x\u202ey", "x\u200by", "x\u2066y\u2069", "\ufeffx", "x\u00a0y",
	"．．／x", "ｘ", "ä", "日本", "😀", "${jndi:ldap://evil.example}", "{{7*7}}", "$(id)", "`id`", "'; DROP TABLE x", "<script>", `x","stream":true,"y":"`, `x\",\"stream\":true`, strings.Repeat("x", 300), "http://evil.example/v1", "file:///etc/passwd",
	"{model}", "{resource}", "azure-openai/../x", "openai/../anthropic", "compat/../../x",
}

// addresses are those that the gateway may be asked at.
var addresses = regexp.MustCompile(`^/v1/` + fakegateway.Account + "/" + fakegateway.Name + `/(openai/(chat/completions|responses|embeddings)|anthropic/v1/messages|` +
	`(groq|deepseek|cerebras|perplexity-ai|compat)/chat/completions|(mistral|grok|workers-ai|openrouter)/v1/(chat/completions|embeddings)|google-ai-studio/v1beta/openai/(chat/completions|embeddings)|` +
	`azure-openai/` + fakegateway.AzureResource + `/[^/]+/(chat/completions|embeddings))$`)

// stranger is a server that nobody may ask; its address is made part of names.
func stranger(t *testing.T) (addr string, asked *atomic.Int32) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	asked = new(atomic.Int32)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			asked.Add(1)
			c.Close()
		}
	}()
	return l.Addr().String(), asked
}

func quoted(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// TestNamesLeadNowhereElse: whatever a model, a provider or an alias is called, the gateway is
// asked at one of the addresses that there are, and nobody else is.
func TestNamesLeadNowhereElse(t *testing.T) {
	evil, asked := stranger(t)
	p, g := setup(t, fakegateway.Options{}, config{settings: "version = 1\n[aliases]\n" +
		`up = "../../x#azure-openai"` + "\n" + `host = "x@` + evil + `#azure-openai"` + "\n" + `"star*" = ["//` + evil + `/#openai", "..%2f..%2fx#azure-openai"]` + "\n"})
	names := []string{"up", "host", "starry", "star/../../x", "claude-gw-up", "claude-gw-../../up"}
	for _, part := range append(evilNames, "@"+evil, "//"+evil+"/", evil, "x@"+evil+"/", "http://"+evil) {
		names = append(names,
			part+"#openai", "gpt-4o#"+part, part, "openai/"+part, part+"/gpt-4o", part+"#azure-openai", "gpt-4o"+part+"#azure-openai", "x#"+part+"#azure-openai",
			part+"#cohere", part+"#workers-ai", "@cf/"+part, part+"#openrouter", part+"#google-ai-studio", part+"#demo", part+"[1m]#anthropic", "#"+part,
		)
	}
	reached := 0
	for _, name := range names {
		for path, body := range map[string]string{
			chatPath:         `{"model":` + quoted(name) + `,"max_tokens":5,"messages":[{"role":"user","content":"hi"}]}`,
			messagesPath:     `{"model":` + quoted(name) + `,"max_tokens":5,"messages":[{"role":"user","content":"hi"}]}`,
			"/v1/responses":  `{"model":` + quoted(name) + `,"input":"hi"}`,
			"/v1/embeddings": `{"model":` + quoted(name) + `,"input":"hi"}`,
		} {
			before := len(g.Requests())
			a := p.send("POST", path, body)
			harmless(t, name, a)
			for _, r := range g.Requests()[before:] {
				reached++
				if !addresses.MatchString(r.Path) || strings.Contains(r.Path, "/../") || strings.Contains(r.Path, "/./") || len(r.Query) > 1 || r.Query.Has("x") {
					t.Errorf("%q: the gateway was asked at %s?%s", name, r.Path, r.Query.Encode())
				}
				if !json.Valid(r.Body) || strings.Contains(string(r.Body), `"stream":true`) {
					t.Errorf("%q: the gateway got %s", name, r.Body)
				}
				if r.Header.Get("X-Evil") != "" {
					t.Errorf("%q: the gateway got %v", name, r.Header)
				}
			}
		}
	}
	if reached < 100 {
		t.Errorf("only %d requests got through: nothing was tested", reached)
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("a stranger was asked %d times", n)
	}
}

// harmless wants an answer whose headers hold nothing that a name put there.
func harmless(t *testing.T, what string, a answer) {
	t.Helper()
	if a.status >= 500 && a.status != 502 {
		t.Errorf("%q: %d %s", what, a.status, a.body)
	}
	for name, values := range a.header {
		if strings.HasPrefix(name, "X-Evil") {
			t.Errorf("%q: the answer has %s", what, name)
		}
		for _, v := range values {
			if strings.ContainsFunc(v, invisible) {
				t.Errorf("%q: the answer has %s: %q", what, name, v)
			}
		}
	}
}

// invisible tells whether a terminal would obey r, or a person not see it.
func invisible(r rune) bool { return !unicode.IsPrint(r) }

// TestPathsThatNameModels: as Azure's clients do it, and the list of models.
func TestPathsThatNameModels(t *testing.T) {
	evil, asked := stranger(t)
	p, g := setup(t, fakegateway.Options{}, config{})
	body := `{"messages":[{"role":"user","content":"hi"}]}`
	for _, part := range []string{
		"..%2f..%2fx", "%2e%2e/%2e%2e/x", "../../x", "..%252f..%252fx", "x%23azure-openai%2f..%2fy", "x%40" + evil, "%2f%2f" + evil + "%2f", "x%3fy%3d1%23openai", "x%0d%0aX-Evil:%201%23openai", "x%00%23openai", "x%1b[31m%23azure-openai", "%c2%9b31m%23openai",
		"..%23azure-openai", "a%2f..%2fb%23azure-openai", "gpt-4o%23azure-openai", "gpt-4o%23azure-openai/../../x",
	} {
		for _, path := range []string{"/openai/deployments/" + part + "/chat/completions", "/openai/deployments/" + part + "/embeddings", "/v1/models/" + part} {
			method := "POST"
			if strings.HasPrefix(path, "/v1/models") {
				method = "GET"
			}
			before := len(g.Requests())
			a := p.send(method, path, body)
			harmless(t, path, a)
			for _, r := range g.Requests()[before:] {
				if !addresses.MatchString(r.Path) || strings.Contains(r.Path, "/..") {
					t.Errorf("%s: the gateway was asked at %s", path, r.Path)
				}
			}
		}
	}
	// The client's query goes along, but it cannot say twice what the proxy says.
	a := p.send("POST", chatPath+"?api%2Dversion=evil&Api-Version=evil&k%65y=secret-of-the-client&x=1", noStream(chatPath, "gpt-4o#azure-openai"))
	if q := g.Last().Query; a.status != 200 || len(q) != 2 || len(q["api-version"]) != 1 || q.Get("x") != "1" {
		t.Errorf("%d, the gateway got %v", a.status, g.Last().Query)
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("a stranger was asked %d times", n)
	}
}

// TestAddressesOfPicturesAreNotAsked: the proxy hands addresses on and fetches nothing itself.
func TestAddressesOfPicturesAreNotAsked(t *testing.T) {
	evil, asked := stranger(t)
	p, _ := setup(t, fakegateway.Options{}, config{})
	url := "http://" + evil + "/latest/meta-data/"
	for _, model := range []string{"gpt-4o#openai", "claude-sonnet-4-5#anthropic", "gemini-2.0-flash#google-ai-studio", "echo#demo", "echo-openai#demo", "echo-anthropic#demo"} {
		for path, body := range map[string]string{
			chatPath: `{"model":"` + model + `","max_tokens":5,"messages":[{"role":"user","content":[{"type":"text","text":"see"},{"type":"image_url","image_url":{"url":"` + url + `"}}]}]}`,
			messagesPath: `{"model":"` + model + `","max_tokens":5,"messages":[{"role":"user","content":[{"type":"image","source":{"type":"url","url":"` + url + `"}},` +
				`{"type":"document","source":{"type":"url","url":"` + url + `"}},{"type":"text","text":"see"}]}]}`,
			"/v1/responses": `{"model":"` + model + `","input":[{"role":"user","content":[{"type":"input_text","text":"see"},{"type":"input_image","image_url":"` + url + `"},{"type":"input_file","file_url":"` + url + `"}]}],` +
				`"tools":[{"type":"mcp","server_label":"x","server_url":"` + url + `"}]}`,
		} {
			if a := p.send("POST", path, body); a.status == 500 {
				t.Errorf("%s %s: %d %s", path, model, a.status, a.body)
			}
		}
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("a stranger was asked %d times", n)
	}
}

// TestBadSettingsOfAddresses: what is part of every address is checked before anything is sent.
func TestBadSettingsOfAddresses(t *testing.T) {
	g := fakegateway.New(t, fakegateway.Options{})
	for _, flag := range []string{"--account", "--gateway", "--azure-resource", "--azure-api-version"} {
		for _, value := range []string{"../..", "x/../../y", "@evil.example", "x@evil.example", "x%2fy", "x\r\nX-Evil: 1", "x?y=1", "x#y", "ä", "x.evil.example", "x y", "//evil.example"} {
			_, stderr, code := once(t, config{args: []string{"serve", "--listen", "127.0.0.1:0", "--gateway-url", g.URL, flag, value}})
			if code != 2 || strings.ContainsFunc(strings.ReplaceAll(stderr, "\n", ""), invisible) {
				t.Errorf("%s %q: exit code %d, %q", flag, value, code, stderr)
			}
		}
	}
	for _, url := range []string{
		"http://user:pass@127.0.0.1/v1", "ftp://127.0.0.1/v1", "file:///etc/passwd", "http://127.0.0.1/v1/../x", "http://127.0.0.1/v1?x=1", "http://127.0.0.1/v1#x", "javascript:x", "gateway.ai.cloudflare.com/v1", "http:///v1",
		"http://127.0.0.1/%2e%2e/", "unix:///run/x.sock", "http://127.0.0.1:0/v1", "http://127.0.0.1:99999/v1",
	} {
		_, stderr, code := once(t, config{args: []string{"serve", "--listen", "127.0.0.1:0", "--gateway-url", url}})
		if code != 2 || strings.Contains(stderr, "user:pass") {
			t.Errorf("%s: exit code %d, %s", url, code, stderr)
		}
	}
}

// TestHeadersHoldWhatTheyShould: bodies and headers of clients put no line of their own into a
// request to the gateway or into an answer.
func TestHeadersHoldWhatTheyShould(t *testing.T) {
	p, g := setup(t, fakegateway.Options{}, config{})
	const evil = `\r\nX-Evil: 1\u001b[31m\u2028`
	for path, body := range map[string]string{
		chatPath: `{"model":"claude-sonnet-4-5#anthropic","max_tokens":5,"user":"` + evil + `","metadata":{"a` + evil + `":"` + evil + `"},"prompt_cache_key":"` + evil + `","odd` + evil + `":1,"logit_bias":{"` + evil + `":1},` +
			`"messages":[{"role":"user","name":"` + evil + `","content":[{"type":"text","text":"hi","odd` + evil + `":2}]}],"tools":[{"type":"function","function":{"name":"a","description":"` + evil + `","parameters":{"type":"object","properties":{"` + evil + `":{"type":"string"}}}}}]}`,
		messagesPath: `{"model":"gpt-4o#openai","max_tokens":5,"metadata":{"user_id":"` + evil + `"},"odd` + evil + `":1,"top_k":3,"stop_sequences":["` + evil + `"],` +
			`"messages":[{"role":"user","content":[{"type":"text","text":"hi","odd` + evil + `":2,"citations":[{"type":"` + evil + `"}]}]}],"tools":[{"name":"a","input_schema":{"type":"object","properties":{"` + evil + `":{"type":"string"}}}}]}`,
		"/v1/responses": `{"model":"claude-sonnet-4-5#anthropic","input":"hi","safety_identifier":"` + evil + `","metadata":{"a` + evil + `":"` + evil + `"},"odd` + evil + `":1}`,
	} {
		for _, text := range []string{body, strings.Replace(body, "{", `{"stream":true,`, 1)} {
			before := len(g.Requests())
			a := p.send("POST", path, text)
			harmless(t, path, a)
			for _, r := range g.Requests()[before:] {
				for name, values := range r.Header {
					if strings.HasPrefix(name, "X-Evil") || strings.ContainsFunc(strings.Join(values, ""), invisible) {
						t.Errorf("%s: the gateway got %s: %q", path, name, values)
					}
				}
			}
		}
	}
	// What only the proxy may say, a client cannot say in its place.
	before := len(g.Requests())
	a := p.send("POST", chatPath, noStream(chatPath, "gpt-4o#openai"), func(r *http.Request) {
		for _, name := range []string{"Host", "Cookie", "Proxy-Authorization", "X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "Via", "Cf-Connecting-Ip", "X-Api-Key", "Api-Key", "X-Goog-Api-Key", "User-Agent", "Content-Type", "Accept-Encoding", "Cf-Aig-No-Wholesale", "X-Http-Method-Override", "X-Original-Url", "Referer", "Origin", "Expect-Ct", "Te"} {
			if name != "Origin" && name != "Host" {
				r.Header.Set(name, "evil")
			}
		}
		r.Header.Set("Content-Type", "text/evil")
	})
	if a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	for name, values := range g.Requests()[before].Header {
		if text := strings.Join(values, " "); strings.Contains(text, "evil") && name != "User-Agent" {
			t.Errorf("the gateway got %s: %s", name, text)
		}
	}
}

// forwarder passes connections on to an address, as a tunnel or another computer's proxy does.
func forwarder(t *testing.T, to func() string) (addr string, passed *atomic.Int32) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	passed = new(atomic.Int32)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			passed.Add(1)
			there, err := new(net.Dialer).DialContext(context.Background(), "tcp", to())
			if err != nil {
				c.Close()
				continue
			}
			go func() { _, _ = io.Copy(there, c); there.Close() }()
			go func() { _, _ = io.Copy(c, there); c.Close() }()
		}
	}()
	return l.Addr().String(), passed
}

// freePort is an address that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestLoops: a gateway's address that leads back to the proxy, on whatever way, ends after one
// round with an error that says so.
func TestLoops(t *testing.T) {
	account := []string{"--account", fakegateway.Account, "--gateway", fakegateway.Name}
	own := freePort(t)
	_, port, _ := net.SplitHostPort(own)
	tunnel, passed := forwarder(t, func() string { return own })
	for name, c := range map[string]struct{ url, env string }{
		"its own address":   {"http://" + own, ""},
		"its own path":      {"http://" + own + "/v1", ""},
		"localhost":         {"http://localhost:" + port + "/v1", ""},
		"IPv6":              {"http://[::1]:" + port + "/v1", ""},
		"another loopback":  {"http://[::ffff:127.0.0.1]:" + port + "/v1", ""},
		"every address":     {"http://0.0.0.0:" + port + "/v1", ""},
		"through a tunnel":  {"http://" + tunnel + "/v1", ""},
		"as its own proxy":  {"http://gateway.example/v1", "HTTP_PROXY=http://" + own},
		"as its own tunnel": {"http://gateway.example/v1", "HTTP_PROXY=http://" + tunnel},
	} {
		p := start(t, config{
			args: append([]string{"--listen", own, "--gateway-url", c.url}, account...),
			env:  []string{"GATEWAY_TOKEN=" + fakegateway.Token, c.env},
		})
		for _, model := range crossed {
			for _, path := range []string{chatPath, messagesPath} {
				passed.Store(0)
				a := p.send("POST", path, noStream(path, model))
				if a.status < 400 || a.status >= 500 && a.status != 502 || !strings.Contains(a.body, "leads back to this proxy") {
					t.Errorf("%s, %s %s: %d %s", name, path, model, a.status, a.body)
				}
				if n := passed.Load(); n > 1 {
					t.Errorf("%s, %s %s: %d rounds", name, path, model, n)
				}
			}
		}
		p.finish()
	}
}

// TestTwoProxiesInARow: another copy of the program is no gateway, and says so.
func TestTwoProxiesInARow(t *testing.T) {
	back := freePort(t)
	env := []string{"GATEWAY_TOKEN=" + fakegateway.Token}
	account := []string{"--account", fakegateway.Account, "--gateway", fakegateway.Name}
	first := start(t, config{env: env, args: append([]string{"--gateway-url", "http://" + back + "/v1"}, account...)})
	second := start(t, config{env: env, args: append([]string{"--listen", back, "--gateway-url", first.URL + "/v1"}, account...)})
	for _, p := range []*program{first, second} {
		for _, path := range []string{chatPath, messagesPath} {
			if a := p.send("POST", path, noStream(path, "gpt-4o#openai")); a.status < 400 || !strings.Contains(a.body, "not a gateway") {
				t.Errorf("%d %s", a.status, a.body)
			}
		}
	}
}
