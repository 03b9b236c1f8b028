package proxy_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"unicode"

	"github.com/klauspost/compress/zstd"

	"apex-ai-proxy/proxy"
)

func TestHost(t *testing.T) {
	f := start(t, newUpstream(t, vendor), func(c *proxy.Config) { c.Hosts = []string{"box.lan"} })
	for host, want := range map[string]int{
		"127.0.0.1:8787": 200, "localhost": 200, "LOCALHOST:1": 200, "localhost.": 200, "[::1]:8787": 200, "[::1]": 200,
		"app.localhost:99": 200, "127.9.9.9": 200, "box.lan:8787": 200, "BOX.lan.": 200,
		"evil.example": 403, "evil.example:8787": 403, "localhost.evil.example": 403, "127.0.0.1.nip.io": 403,
		"192.168.1.5": 403, "10.0.0.1:8787": 403, "localhost:8787@evil.example": 403, "notlocalhost": 403,
		"0.0.0.0": 403, "[::ffff:8.8.8.8]": 403, "localhost:80:80": 403,
	} {
		got := f.do("GET", "/v1/models", "", func(r *http.Request) { r.Host = host })
		if got.status != want && !(want == 403 && got.status == 400) {
			t.Errorf("%s: %d, want %d", host, got.status, want)
		}
		if quiet := f.do("GET", "/healthz", "", func(r *http.Request) { r.Host = host }); quiet.status != got.status {
			t.Errorf("%s: /healthz %d", host, quiet.status)
		}
	}
}

func TestOrigin(t *testing.T) {
	f := start(t, newUpstream(t, vendor), func(c *proxy.Config) { c.Origins = []string{"https://good.example"} })
	for origin, ok := range map[string]bool{
		"http://localhost:3000": true, "https://127.0.0.1": true, "http://[::1]:5173": true, "vscode-webview://1h2g": true,
		"tauri://localhost": true, "https://good.example": true,
		"https://evil.example": false, "null": false, "http://localhost.evil.example": false, "https://good.example.evil": false,
		"http://good.example": false, "file://": false, "chrome-extension://abc": false, "http://user@localhost": false,
		"http://localhost:3000.evil.example": false, "vscode-webview:evil": false,
	} {
		got := f.do("GET", "/v1/models", "", withHeader("Origin", origin))
		allowed := got.header.Get("Access-Control-Allow-Origin")
		if ok && (got.status != 200 || allowed != origin) || !ok && (got.status != 403 || allowed != "") {
			t.Errorf("%s: %d, allowed origin %q", origin, got.status, allowed)
		}
		pre := f.do("OPTIONS", "/v1/messages", "", without("Authorization"), withHeader("Origin", origin),
			withHeader("Access-Control-Request-Method", "POST"),
			withHeader("Access-Control-Request-Headers", "x-api-key,anthropic-version,x-stainless-os"),
			withHeader("Access-Control-Request-Private-Network", "true"))
		if !ok {
			if pre.status != 403 || pre.header.Get("Access-Control-Allow-Headers") != "" {
				t.Errorf("preflight of %s: %d", origin, pre.status)
			}
			continue
		}
		for name, want := range map[string]string{
			"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Headers": "x-api-key,anthropic-version,x-stainless-os",
			"Access-Control-Allow-Private-Network": "true", "Access-Control-Allow-Methods": "GET, HEAD, POST, OPTIONS",
		} {
			if got := pre.header.Get(name); got != want || pre.status != 204 {
				t.Errorf("preflight of %s: %d, %s %q", origin, pre.status, name, got)
			}
		}
	}
}

// TestOrigins: of several origins, each must be allowed.
func TestOrigins(t *testing.T) {
	f := start(t, newUpstream(t, vendor))
	for status, origins := range map[int][]string{
		http.StatusOK:        {"http://localhost:3000", "http://localhost:4000"},
		http.StatusForbidden: {"http://localhost:3000", "https://evil.example"},
	} {
		got := f.do("GET", "/v1/models", "", func(r *http.Request) { r.Header["Origin"] = origins })
		if got.status != status {
			t.Errorf("%v: %d, want %d", origins, got.status, status)
		}
	}
}

// TestWordsOfStrangers: an error repeats what a stranger wrote without what a terminal would
// obey, and not at length.
func TestWordsOfStrangers(t *testing.T) {
	f := start(t, nil)
	long := strings.Repeat("x", 2000)
	for what, got := range map[string]reply{
		"origin":   f.do("GET", "/v1/models", "", withHeader("Origin", "https://evil\u009b31m.example"+long)),
		"path":     f.post("/nothing/%1b%5b31m%c2%9b%0d%0a"+long, "{}"),
		"encoding": f.post("/v1/messages", "{}", withHeader("Content-Encoding", "\u009b31m"+long)),
		"method":   f.do(strings.Repeat("M", 2000), "/v1/messages", "{}"),
	} {
		said := parse(t, got.body).Error.Message
		if got.status < 400 || said == "" || len(said) > 500 || strings.ContainsFunc(said, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%s: %d, %d bytes: %.300q", what, got.status, len(said), said)
		}
	}
}

// TestPreflightWithoutNames: what the clients in pages send may be sent, asked for or not.
func TestPreflightWithoutNames(t *testing.T) {
	f := start(t, nil)
	for _, asked := range []string{"", "not a list; of headers"} {
		pre := f.do("OPTIONS", "/v1/messages", "", without("Authorization"), withHeader("Origin", "http://localhost:3000"), func(r *http.Request) {
			if asked != "" {
				r.Header.Set("Access-Control-Request-Headers", asked)
			}
		})
		for _, name := range []string{"authorization", "content-type", "x-api-key", "anthropic-version", "anthropic-beta", "anthropic-dangerous-direct-browser-access"} {
			if !strings.Contains(pre.header.Get("Access-Control-Allow-Headers")+",", name+",") {
				t.Errorf("%s is not allowed: %v", name, pre.header)
			}
		}
	}
}

func TestErrorsReachPages(t *testing.T) {
	f := start(t, newUpstream(t, vendor))
	got := f.post("/v1/messages", "{}", without("Authorization"), withHeader("Origin", "http://localhost:1"))
	if got.status != 401 || got.header.Get("Access-Control-Allow-Origin") == "" ||
		!strings.Contains(got.header.Get("Access-Control-Expose-Headers"), "x-conversion-warnings") {
		t.Errorf("%d %v", got.status, got.header)
	}
}

func TestKeys(t *testing.T) {
	f := start(t, newUpstream(t, vendor))
	none := start(t, newUpstream(t, vendor), func(c *proxy.Config) { c.LocalKey, c.GatewayToken = "", "" })
	for name, tc := range map[string]struct {
		headers []string
		ok      bool
	}{
		"bearer":                  {[]string{"Authorization", "Bearer " + localKey}, true},
		"bearer, any case":        {[]string{"Authorization", "bearer  " + localKey}, true},
		"no scheme":               {[]string{"Authorization", localKey}, true},
		"x-api-key":               {[]string{"X-Api-Key", localKey}, true},
		"api-key":                 {[]string{"Api-Key", localKey}, true},
		"gateway token":           {[]string{"Authorization", "Bearer " + gateToken}, true},
		"gateway header":          {[]string{"Cf-Aig-Authorization", "Bearer " + gateToken}, true},
		"wrong bearer, right key": {[]string{"Authorization", "Bearer nonsense", "X-Api-Key", localKey}, true},
		"nothing":                 {nil, false},
		"empty bearer":            {[]string{"Authorization", "Bearer "}, false},
		"wrong":                   {[]string{"Authorization", "Bearer " + localKey + "x"}, false},
		"prefix":                  {[]string{"X-Api-Key", localKey[:len(localKey)-1]}, false},
		"basic":                   {[]string{"Authorization", "Basic " + localKey}, false},
	} {
		t.Run(name, func(t *testing.T) {
			edits := []edit{without("Authorization")}
			for i := 0; i+1 < len(tc.headers); i += 2 {
				edits = append(edits, withHeader(tc.headers[i], tc.headers[i+1]))
			}
			want := 401
			if tc.ok {
				want = 200
			}
			if got := f.do("GET", "/v1/models", "", edits...); got.status != want {
				t.Errorf("%d, want %d", got.status, want)
			}
			if got := none.do("GET", "/v1/models", "", edits...); got.status != 401 {
				t.Errorf("without a key set up: %d", got.status)
			}
			for _, path := range []string{"/", "/healthz", "/api/hello"} {
				for _, method := range []string{"GET", "HEAD"} {
					if got := f.do(method, path, "", edits...); got.status != 200 {
						t.Errorf("%s %s: %d", method, path, got.status)
					}
				}
			}
		})
	}
}

// envelope is an error as both protocols write it.
type envelope struct {
	Type  string `json:"type"`
	Error struct {
		Type, Message string
		Code, Param   *string
	} `json:"error"`
	RequestID string `json:"request_id"`
}

func parse(t *testing.T, body string) envelope {
	t.Helper()
	var e envelope
	if err := json.Unmarshal([]byte(body), &e); err != nil || e.Error.Message == "" {
		t.Fatalf("no envelope: %v: %s", err, body)
	}
	return e
}

func TestRoutes(t *testing.T) {
	u := newUpstream(t, vendor)
	f := start(t, u)
	model := "gpt-4o#openai"
	for _, tc := range []struct {
		method, path, body string
		status             int
		anthropic          bool
		allow              string
	}{
		{"POST", "/v1/chat/completions", chat(model, ""), 200, false, ""},
		{"POST", "/chat/completions", chat(model, ""), 200, false, ""},
		{"POST", "/v1/v1/chat/completions", chat(model, ""), 200, false, ""},
		{"POST", "//v1//chat/completions/", chat(model, ""), 200, false, ""},
		{"POST", "/v1/messages?beta=true", messages(model, ""), 200, true, ""},
		{"POST", "/messages", messages(model, ""), 200, true, ""},
		{"POST", "/v1/v1/messages", messages(model, ""), 200, true, ""},
		{"GET", "/v1/messages", "", 405, true, "POST, OPTIONS"},
		{"DELETE", "/v1/chat/completions", "", 405, false, "POST, OPTIONS"},
		{"POST", "/v1/models", "{}", 405, false, "GET, HEAD, OPTIONS"},
		{"POST", "/healthz", "", 405, false, "GET, HEAD, OPTIONS"},
		{"POST", "/v1/responses", "{}", 400, false, ""},
		{"GET", "/v1/responses", "", 405, false, "POST, OPTIONS"},
		{"POST", "/v1/embeddings", "{}", 400, false, ""},
		{"POST", "/v1/embeddings", `{"model":"claude-sonnet-4-5#anthropic","input":"a"}`, 400, false, ""},
		{"POST", "/v1/messages/count_tokens", "{}", 400, true, ""},
		{"GET", "/v1/messages/count_tokens", "", 405, true, "POST, OPTIONS"},
		{"GET", "/nothing", "", 404, false, ""},
		{"POST", "/v1/responses/compact", "{}", 404, false, ""},
		{"POST", "/v1/completions", "{}", 404, false, ""},
		{"POST", "/v1/messages/batches", "{}", 404, true, ""},
		{"POST", "/responses", `{"model":"` + model + `","input":"hi"}`, 200, false, ""},
		{"GET", "/v1/messages/nothing", "", 404, true, ""},
		{"POST", "/v1/chat/completions", "{", 400, false, ""},
		{"POST", "/v1/messages", "[]", 400, true, ""},
		{"POST", "/v1/messages", "", 400, true, ""},
		{"POST", "/v1/messages", `{"model":5}`, 400, true, ""},
		{"POST", "/v1/chat/completions", chat("x#nowhere", ""), 404, false, ""},
		{"POST", "/v1/messages", messages("unknown-model", ""), 404, true, ""},
		{"POST", "/v1/messages", messages("", ""), 400, true, ""},
		{"POST", "/v1/messages", messages(`a\u0000b#openai`, ""), 400, true, ""},
		{"POST", "/v1/messages", messages(`../x#azure-openai`, ""), 400, true, ""},
	} {
		t.Run(tc.method+tc.path, func(t *testing.T) {
			got := f.do(tc.method, tc.path, tc.body)
			if got.status != tc.status || got.header.Get("Allow") != tc.allow {
				t.Fatalf("%d, Allow %q: %s", got.status, got.header.Get("Allow"), got.body)
			}
			if tc.status == 200 {
				return
			}
			e := parse(t, got.body)
			if (e.Type == "error") != tc.anthropic {
				t.Errorf("wrong envelope: %s", got.body)
			}
			if tc.anthropic && e.RequestID != got.header.Get("Request-Id") {
				t.Errorf("request id %q, header %q", e.RequestID, got.header.Get("Request-Id"))
			}
			x := f.final(got.header.Get("X-Apex-Request-Id"))
			if x.Status != tc.status || x.Error == "" || x.ErrorKind == "" {
				t.Errorf("record %+v", x)
			}
		})
	}
	got := f.do("GET", "/nothing", "", withHeader("Anthropic-Version", "2023-06-01"))
	if parse(t, got.body).Type != "error" {
		t.Errorf("the version header was not heeded: %s", got.body)
	}
}

// TestOpenPathsNeedNoKey: not even to say that a method is wrong.
func TestOpenPathsNeedNoKey(t *testing.T) {
	f := start(t, nil)
	for _, path := range []string{"/", "/healthz", "/api/hello"} {
		for method, want := range map[string]int{"GET": 200, "HEAD": 200, "POST": 405, "DELETE": 405} {
			got := f.do(method, path, "", without("Authorization"))
			if got.status != want || want == 405 && got.header.Get("Allow") != "GET, HEAD, OPTIONS" {
				t.Errorf("%s %s: %d %v", method, path, got.status, got.header)
			}
		}
	}
}

// TestForeignAPI: what Claude Code asks of its maker's own server is not here, whoever asks.
func TestForeignAPI(t *testing.T) {
	f := start(t, nil)
	for _, method := range []string{"GET", "POST"} {
		got := f.do(method, "/api/event_logging/batch", "", without("Authorization"))
		if got.status != 404 || parse(t, got.body).Error.Message == "" {
			t.Errorf("%s: %d %s", method, got.status, got.body)
		}
	}
	if got := f.do("GET", "/api/claude_cli/bootstrap", "", without("Authorization")); got.status != 200 || got.body != "{}" {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// TestWebSocket: Codex goes on with POST when it is told at once that there is none.
func TestWebSocket(t *testing.T) {
	f := start(t, nil)
	for _, path := range []string{"/v1/responses", "/responses"} {
		got := f.do("GET", path, "", withHeader("Connection", "Upgrade"), withHeader("Upgrade", "websocket"),
			withHeader("Sec-Websocket-Version", "13"), withHeader("Sec-Websocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="))
		if e := parse(t, got.body); got.status != 426 || e.Type != "" || *e.Error.Code != "websocket_not_supported" {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
}

// TestWhoseClient: on paths that both vendors have, errors come as the client knows them.
func TestWhoseClient(t *testing.T) {
	f := start(t, nil)
	for _, c := range []struct {
		query     string
		edits     []edit
		anthropic bool
	}{
		{"", nil, false},
		{"", []edit{withHeader("Anthropic-Version", "2026-10-21")}, true},
		{"", []edit{without("Authorization"), withHeader("X-Api-Key", localKey)}, true},
		{"", []edit{withHeader("X-Api-Key", localKey)}, false}, // Continue sends both
		{"", []edit{withHeader("User-Agent", "claude-cli/2.1.330 (external, cli)")}, true},
		{"", []edit{withHeader("User-Agent", "claude-code/2.1.330")}, true},
		{"", []edit{withHeader("User-Agent", "Anthropic/JS 1.12.0")}, true},
		{"", []edit{withHeader("User-Agent", "OpenAI/JS 7.57.0")}, false},
		{"?after_id=x", nil, true},
		{"?before_id=x", nil, true},
		{"?beta=true", nil, true},
		{"?client_version=0.169.0", []edit{withHeader("Anthropic-Version", "x")}, false},
	} {
		got := f.do("GET", "/v1/models/nobody"+c.query, "", c.edits...)
		if e := parse(t, got.body); got.status != 404 || (e.Type == "error") != c.anthropic {
			t.Errorf("%q: %d %s", c.query, got.status, got.body)
		}
	}
}

// TestGatewayHeadersReachPages: also those that nobody knew of before.
func TestGatewayHeadersReachPages(t *testing.T) {
	f := start(t, newUpstream(t, jsonAnswer(200, chatAnswer, "Cf-Aig-Brand-New", "1")))
	got := f.post("/v1/chat/completions", chat("gpt-4o#openai", ""), withHeader("Origin", "http://localhost:1"))
	if list := got.header.Get("Access-Control-Expose-Headers"); !strings.HasSuffix(list, ", cf-aig-brand-new") || strings.Count(list, "cf-aig-log-id") != 1 {
		t.Errorf("%s", list)
	}
	f = start(t, newUpstream(t, jsonAnswer(200, chatAnswer, "X-Ratelimit-Remaining-Requests", "1", "Cf-Aig-Brand-New", "1")))
	got = f.post("/v1/chat/completions", chat("gpt-4o#openai", ""), withHeader("Origin", "http://localhost:1"))
	if list := got.header.Get("Access-Control-Expose-Headers"); !strings.Contains(list, "x-ratelimit-remaining-requests") || !strings.Contains(list, "x-fallback-from") {
		t.Errorf("%s", list)
	}
	got = f.post("/v1/chat/completions", chat("gpt-4o#openai", ""))
	if got.header.Get("Access-Control-Expose-Headers") != "" || got.header.Get("Cf-Aig-Brand-New") != "1" {
		t.Errorf("without an origin: %v", got.header)
	}
}

func TestBodies(t *testing.T) {
	u := newUpstream(t, vendor)
	f := start(t, u, func(c *proxy.Config) { c.MaxBody = 2000 })
	plain := chat("gpt-4o#openai", "")
	big := chat("gpt-4o#openai", `"x":"`+strings.Repeat("a", 3000)+`",`)
	enc, _ := zstd.NewWriter(nil)
	codings := map[string]func(string) string{
		"identity": func(s string) string { return s },
		"zstd":     func(s string) string { return string(enc.EncodeAll([]byte(s), nil)) },
		"gzip": func(s string) string {
			var b bytes.Buffer
			w := gzip.NewWriter(&b)
			_, _ = w.Write([]byte(s))
			_ = w.Close()
			return b.String()
		},
		"deflate": func(s string) string {
			var b bytes.Buffer
			w := zlib.NewWriter(&b)
			_, _ = w.Write([]byte(s))
			_ = w.Close()
			return b.String()
		},
		"Deflate": func(s string) string {
			var b bytes.Buffer
			w, _ := flate.NewWriter(&b, 5)
			_, _ = w.Write([]byte(s))
			_ = w.Close()
			return b.String()
		},
	}
	for name, encode := range codings {
		for what, tc := range map[string]struct {
			body   string
			status int
		}{
			"right": {encode(plain), 200},
			"large": {encode(big), 413},
			"cut":   {encode(plain)[:20], 400},
		} {
			got := f.post("/v1/chat/completions", tc.body, withHeader("Content-Encoding", name))
			if got.status != tc.status {
				t.Errorf("%s, %s: %d %s", name, what, got.status, got.body)
			}
			if tc.status == 200 && u.last(t).header.Get("Content-Encoding") != "" {
				t.Errorf("%s: the coding was forwarded", name)
			}
		}
	}
	twice := codings["gzip"](codings["deflate"](plain))
	if got := f.post("/v1/chat/completions", twice, withHeader("Content-Encoding", "deflate, gzip")); got.status != 200 {
		t.Errorf("two codings: %d %s", got.status, got.body)
	}
	if got := f.post("/v1/chat/completions", codings["gzip"](twice), withHeader("Content-Encoding", "deflate, gzip, gzip")); got.status != 415 {
		t.Errorf("three codings: %d %s", got.status, got.body)
	}
	if got := f.post("/v1/messages", "x", withHeader("Content-Encoding", "br")); got.status != 415 || parse(t, got.body).Type != "error" {
		t.Errorf("br: %d %s", got.status, got.body)
	}
	if got := f.post("/v1/messages", big); got.status != 413 || parse(t, got.body).Error.Type != "request_too_large" {
		t.Errorf("large: %d %s", got.status, got.body)
	}
	if got := f.post("/v1/chat/completions", "\uFEFF"+plain); got.status != 200 || u.last(t).body != strings.Replace(plain, "#openai", "", 1) {
		t.Errorf("byte order mark: %d %s", got.status, got.body)
	}
	chunked := func(r *http.Request) { r.ContentLength = -1 }
	if got := f.post("/v1/messages", big, chunked); got.status != 413 {
		t.Errorf("large and chunked: %d %s", got.status, got.body)
	}
}

// TestSecretsThatAreNotKnownYet: a request is neither refused for a key that may be right,
// nor sent without what it needs, while the keychain is asked.
func TestSecretsThatAreNotKnownYet(t *testing.T) {
	u := newUpstream(t, vendor)
	for name, c := range map[string]struct {
		edit  func(*proxy.Config)
		model string
		by    edit
		want  int
	}{
		"local key":            {func(c *proxy.Config) { c.LocalKey, c.KeyUnread = "", true }, "echo#demo", nil, 503},
		"local key, none sent": {func(c *proxy.Config) { c.LocalKey, c.KeyUnread = "", true }, "echo#demo", without("Authorization"), 401},
		"token":                {func(c *proxy.Config) { c.GatewayToken, c.TokenUnread = "", true }, "gpt-4o#openai", nil, 503},
		"token, of an alias":   {func(c *proxy.Config) { c.GatewayToken, c.TokenUnread = "", true }, "mine", nil, 503},
		"token, not needed":    {func(c *proxy.Config) { c.GatewayToken, c.TokenUnread = "", true }, "echo#demo", nil, 200},
		"own key":              {func(c *proxy.Config) { c.Keys = map[string]proxy.ProviderKey{"openai": {Need: true, Unread: true}} }, "gpt-4o#openai", nil, 503},
		"own key, of another":  {func(c *proxy.Config) { c.Keys = map[string]proxy.ProviderKey{"groq": {Need: true, Unread: true}} }, "gpt-4o#openai", nil, 200},
	} {
		f := start(t, u, withAliases(map[string][]string{"mine": {"gpt-4o#openai", "echo#demo"}}), c.edit)
		if c.by == nil {
			c.by = without("X-None")
		}
		before := u.count()
		for path, body := range map[string]string{"/v1/chat/completions": chat(c.model, ""), "/v1/messages": messages(c.model, "")} {
			got := f.post(path, body, c.by)
			if got.status != c.want || c.want == 503 && (!strings.Contains(parse(t, got.body).Error.Message, "unlock") || got.header.Get("Retry-After") == "" || u.count() != before) {
				t.Errorf("%s at %s: %d %v %s", name, path, got.status, got.header, got.body)
			}
		}
	}
}
