package e2e

import (
	"bufio"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"apex-ai-proxy/proxy/demo/fakegateway"
)

// raw sends bytes as they are and reads all answers until the program hangs up, which they
// must ask for.
func (p *program) raw(text string) []answer {
	p.t.Helper()
	c, err := new(net.Dialer).DialContext(p.t.Context(), "tcp", p.addr())
	if err != nil {
		p.t.Fatal(err)
	}
	defer c.Close()
	limit, _ := deadline(p.t).Deadline()
	_ = c.SetDeadline(limit)
	go func() { _, _ = io.WriteString(c, text) }() // it may hang up before it has read all
	var all []answer
	for r := bufio.NewReader(c); ; {
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			var slow net.Error
			if errors.As(err, &slow) && slow.Timeout() {
				p.t.Errorf("no answer to %q", text)
			}
			return all
		}
		body, err := io.ReadAll(res.Body)
		all = append(all, answer{res.StatusCode, res.Header, string(body), err, res.Trailer})
	}
}

// first is the status of the first answer to bytes as they are, 0 for none.
func (p *program) first(text string) int {
	p.t.Helper()
	all := p.raw(text)
	if len(all) == 0 {
		return 0
	}
	return all[0].status
}

func (p *program) addr() string { return strings.TrimPrefix(p.URL, "http://") }

func (p *program) port() string { return p.URL[strings.LastIndexByte(p.URL, ':'):] }

// untouched wants nothing to have reached the gateway.
func untouched(t *testing.T, g *fakegateway.Gateway) {
	t.Helper()
	for _, r := range g.Requests() {
		t.Errorf("%s %s reached the gateway: %s", r.Method, r.Path, r.Body)
	}
}

const withKey = "Authorization: Bearer " + localKey + "\r\n"

// TestRebinding: a page whose name was made to lead here is told by its Host, however that
// is written and whatever else the request claims.
func TestRebinding(t *testing.T) {
	p, g := setup(t, fakegateway.Options{}, config{})
	port := p.port()
	body := noStream(chatPath, "gpt-4o#openai")
	post := fmt.Sprintf("Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	for _, host := range []string{
		"evil.example", "evil.example.", "evil.example" + port, "evil.example." + port, "EVIL.example",
		"localhost.evil.example", "127.0.0.1.evil.example", "127.0.0.1.nip.io" + port, "evil-localhost", "notlocalhost" + port,
		"localhost@evil.example", "localhost" + port + "@evil.example", "evil.example#localhost", "evil.example/localhost",
		"evil.example?localhost", `evil.example\localhost`, "localhost, evil.example", "localhost evil.example",
		"localhost:http", "localhost:80:80", "localhost:-1", "localhost..", ".localhost.evil.example", "localhost%00.evil.example",
		"2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "0", "0.0.0.0" + port, "[::]" + port, "::1", "[::1", "::1]",
		"[::1%25lo]", "[::ffff:8.8.8.8]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "8.8.8.8", "10.0.0.1", "192.168.1.5" + port, "169.254.169.254",
		"", " ", ".", "..", "[]", ":", port, "ｌocalhost", "localhost\u3002evil.example", "xn--lcalhost-xxx",
	} {
		for _, more := range []string{"", "X-Forwarded-Host: localhost\r\n", "Forwarded: host=localhost\r\nX-Host: localhost\r\nX-Original-Host: localhost\r\n"} {
			head := "Host: " + host + "\r\nConnection: close\r\n" + withKey + more
			for _, text := range []string{
				"GET /v1/models HTTP/1.1\r\n" + head + "\r\n", "GET /healthz HTTP/1.1\r\n" + head + "\r\n",
				"OPTIONS * HTTP/1.1\r\n" + head + "\r\n", "POST " + chatPath + " HTTP/1.1\r\n" + head + post,
			} {
				if got := p.first(text); got != 403 && got != 400 {
					t.Errorf("%d for %q", got, text)
				}
			}
		}
	}
	for _, text := range []string{
		"GET http://evil.example/v1/models HTTP/1.1\r\nHost: localhost\r\n", // a target that is an address beats Host
		"GET http://localhost@evil.example/v1/models HTTP/1.1\r\nHost: localhost\r\n",
		"GET //evil.example/v1/models HTTP/1.1\r\nHost: evil.example\r\n",
		"CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n",
		"GET /v1/models HTTP/1.1\r\n",                                          // no Host
		"GET /v1/models HTTP/1.0\r\n",                                          // which was right once
		"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n", // two
		"GET /v1/models HTTP/1.1\r\nHost: evil.example\r\nHost: localhost\r\n",
		"GET /v1/models HTTP/1.1\r\nHost: localhost\r\n .evil.example\r\n", // folded
	} {
		if got := p.first(text + "Connection: close\r\n" + withKey + "\r\n"); got != 403 && got != 400 {
			t.Errorf("%d for %q", got, text)
		}
	}
	untouched(t, g)
	for _, host := range []string{
		"localhost", "LocalHost" + port, "localhost." + port, "app.localhost" + port, "127.0.0.1" + port, "127.0.0.1.", "127.9.9.9", "[::1]" + port,
		"[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]" + port,
	} {
		text := "GET /v1/models HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\nX-Forwarded-Host: evil.example\r\n" + withKey + "\r\n"
		if got := p.first(text); got != 200 {
			t.Errorf("%d for %q", got, text)
		}
	}
}

// TestPagesOfStrangers: a page from elsewhere gets nothing done and nothing to read, with
// the key or without, and its preflights are refused.
func TestPagesOfStrangers(t *testing.T) {
	p, g := setup(t, fakegateway.Options{}, config{settings: "version = 1\n[server]\norigins = [\"https://good.example\"]\n"})
	clean := func(what string, a answer) {
		t.Helper()
		for name := range a.header {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("%s: the answer has %s", what, name)
			}
		}
	}
	for _, origin := range []string{
		"null", "https://evil.example", "http://evil.example:8787", "https://good.example.evil.example", "https://good.example:444", "http://good.example",
		"https://sub.good.example", "http://localhost.evil.example", "http://127.0.0.1.evil.example", "http://localhost@evil.example",
		"http://localhost:3000@evil.example", "http://evil.example@localhost", "http://evil.example#localhost", "https://evil.example/localhost", "file://", "data:", "blob:http://localhost",
		"chrome-extension://abcdefghijklmnop", "moz-extension://abc", "http://0.0.0.0:3000", "http://[::]", "http://2130706433", "http://192.168.1.5",
		"ws://localhost:3000", "ftp://localhost", "localhost", "//localhost", "http:localhost", "http:///localhost", "vscode-webview:evil", "tauri://localhost.evil.example",
		"http://tauri.localhost.evil.example", "https://good.example, https://evil.example", "https://good.example https://evil.example", "*",
	} {
		from := set("Origin", origin)
		for _, media := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json", ""} {
			for _, path := range []string{chatPath, messagesPath, "/v1/embeddings", "/v1/messages/count_tokens"} {
				for _, key := range []string{"", "Bearer " + localKey} {
					a := p.send("POST", path, noStream(path, "gpt-4o#openai"), from, set("Content-Type", media), set("Authorization", key))
					if a.status != http.StatusForbidden {
						t.Errorf("%s sends %s with %q to %s: %d", origin, media, key, path, a.status)
					}
					clean(origin, a)
				}
			}
		}
		for _, path := range []string{"/", "/healthz", "/api/hello", "/v1/models", "/v1/models/gpt-5%23openai", "/nothing"} {
			a := p.send("GET", path, "", from)
			if a.status != http.StatusForbidden {
				t.Errorf("%s gets %s: %d", origin, path, a.status)
			}
			clean(origin, a)
			a = p.send("OPTIONS", path, "", from, set("Authorization", ""), set("Access-Control-Request-Method", "POST"),
				set("Access-Control-Request-Headers", "authorization"), set("Access-Control-Request-Private-Network", "true"), set("Access-Control-Request-Local-Network", "true"))
			if a.status != http.StatusForbidden {
				t.Errorf("%s asks about %s: %d", origin, path, a.status)
			}
			clean(origin, a)
		}
	}
	// Two origins are nobody's.
	for _, two := range []string{"Origin: https://good.example\r\nOrigin: https://evil.example\r\n", "Origin: https://evil.example\r\nOrigin: https://good.example\r\n"} {
		if got := p.first("GET /v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + withKey + two + "\r\n"); got != 403 {
			t.Errorf("%d for %q", got, two)
		}
	}
	// What a page gets without telling its origin, as pictures and links do, needs the key.
	for _, path := range []string{"/v1/models", "/v1/models/gpt-5%23openai", "/v1/chat/completions?model=gpt-4o%23openai"} {
		if a := p.send("GET", path, "", set("Authorization", ""), set("Sec-Fetch-Site", "cross-site"), set("Sec-Fetch-Mode", "no-cors")); a.status != http.StatusUnauthorized {
			t.Errorf("%s without an origin: %d", path, a.status)
		}
	}
	untouched(t, g)
	if a := p.send("POST", chatPath, noStream(chatPath, "gpt-4o#openai"), set("Origin", "https://good.example")); a.status != 200 || a.header.Get("Access-Control-Allow-Origin") != "https://good.example" {
		t.Errorf("an origin that is allowed: %d %v", a.status, a.header)
	}
	if a := p.send("POST", chatPath, noStream(chatPath, "gpt-4o#openai"), set("Origin", "https://good.example"), set("Authorization", "")); a.status != http.StatusUnauthorized {
		t.Errorf("an origin that is allowed, without the key: %d", a.status)
	}
}

// TestFalseCredentials: nothing but the key itself, in one of the headers for it, opens.
func TestFalseCredentials(t *testing.T) {
	p, g := setup(t, fakegateway.Options{}, config{})
	headers := []string{"Authorization", "X-Api-Key", "Api-Key", "X-Goog-Api-Key", "Cf-Aig-Authorization"}
	wrong := []string{
		"", " ", "Bearer", "Bearer ", "bearer\t", "Bearer Bearer", localKey[:len(localKey)-1], localKey + "x", localKey + localKey, strings.ToUpper(localKey), "x" + localKey,
		"Bearer " + localKey + ", Bearer x", localKey + ";", `"` + localKey + `"`, "Basic " + localKey, "Digest " + localKey, "Token " + localKey, "Bearer: " + localKey,
		"Basic " + base64.StdEncoding.EncodeToString([]byte("user:"+localKey)), base64.StdEncoding.EncodeToString([]byte(localKey)),
		"%61" + localKey[1:], "null", "undefined", "*", strings.Repeat("x", 100_000), "Bearer " + strings.Repeat(" ", 5000), localKey + "\u200b",
	}
	body := noStream(chatPath, "gpt-4o#openai")
	try := func(what string, want int, edits ...func(*http.Request)) {
		t.Helper()
		edits = slices.Insert(edits, 0, func(r *http.Request) { r.Header.Del("Authorization") })
		if a := p.send("POST", chatPath, body, edits...); a.status != want {
			t.Errorf("%s: %d, want %d", what, a.status, want)
		}
	}
	add := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header[name] = append(r.Header[name], value) }
	}
	for _, name := range headers {
		for _, value := range wrong {
			what := name + ": " + value[:min(len(value), 40)]
			try(what, 401, add(name, value))
			try(what+" twice", 401, add(name, value), add(name, value))
		}
	}
	for _, name := range []string{"Proxy-Authorization", "Cookie", "X-Auth-Token", "X-Local-Key", "X-Authorization", "X-Forwarded-Authorization", "Www-Authenticate"} {
		try(name, 401, add(name, "Bearer "+localKey))
		try(name, 401, add(name, localKey))
	}
	for _, name := range []string{"key", "api_key", "api-key", "token", "access_token", "Authorization", "x-api-key"} {
		try("?"+name, 401, func(r *http.Request) { r.URL.RawQuery = name + "=" + localKey })
	}
	try("user in the address", 401, func(r *http.Request) {
		r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(localKey+":"+localKey)))
	})
	untouched(t, g)
	// Two of which one is right, as clients send that were set up twice.
	for _, name := range headers {
		try(name+" wrong and right", 200, add(name, "Bearer wrong"), add(name, "Bearer "+localKey))
		if last := g.Last(); last.Header.Get("Cf-Aig-Authorization") != "Bearer "+fakegateway.Token || len(last.Header["Cf-Aig-Authorization"]) != 1 || last.Header.Get("Authorization") != "" {
			t.Errorf("%s: the gateway got %v", name, last.Header)
		}
	}
}

// TestSmuggling: whatever is unclear about where a request ends, or what its lines mean, is
// refused or read in one way only, and never handed on.
func TestSmuggling(t *testing.T) {
	p, g := setup(t, fakegateway.Options{}, config{})
	body := noStream(chatPath, "gpt-4o#openai")
	chunked := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body)
	length := fmt.Sprintf("Content-Length: %d\r\n", len(body))
	head := "POST " + chatPath + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" + withKey
	second := "POST " + chatPath + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Marker: smuggled\r\n" + length + "\r\n" + body // without the key
	const chunks = "Transfer-Encoding: chunked\r\n"
	alone := head
	head += "Connection: close\r\n"
	for _, text := range []string{
		head + length + "Content-Length: 5\r\n\r\n" + body,
		head + "Content-Length: 5\r\n" + length + "\r\n" + body,
		head + fmt.Sprintf("Content-Length: %d, 5\r\n\r\n", len(body)) + body,
		head + "Content-Length: -1\r\n\r\n" + body,
		head + fmt.Sprintf("Content-Length: +%d\r\n\r\n", len(body)) + body,
		head + fmt.Sprintf("Content-Length: 0x%x\r\n\r\n", len(body)) + body,
		head + fmt.Sprintf("Content-Length: %d x\r\n\r\n", len(body)) + body,
		head + fmt.Sprintf("Content-Length : %d\r\n\r\n", len(body)) + body,
		head + "Content-Length: 99999999999999999999\r\n\r\n" + body,
		head + "Transfer-Encoding: xchunked\r\n\r\n" + chunked,
		head + "Transfer-Encoding: identity\r\n\r\n" + chunked,
		head + "Transfer-Encoding: chunked, identity\r\n\r\n" + chunked,
		head + "Transfer-Encoding: gzip, chunked\r\n\r\n" + chunked,
		head + "Transfer-Encoding : chunked\r\n\r\n" + chunked,
		head + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked,
		head + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" + chunked,
		head + "Transfer-Encoding: \x0bchunked\r\n\r\n" + chunked,
		head + "Transfer-Encoding:\r\n chunked x\r\n\r\n" + chunked,
		head + chunks + "\r\nFFFFFFFFFFFFFFFFF\r\n" + body,
		head + chunks + "\r\n-1\r\n" + body,
		head + chunks + "\r\n0x5\r\n" + body,
		head + chunks + "\r\n" + fmt.Sprintf("%x \n", len(body)) + strings.Repeat("x", len(body)) + "\r\n0\r\n\r\n",
		head + chunks + "\r\n" + fmt.Sprintf("%x\r\n%sXX0\r\n\r\n", len(body), body),
		head + chunks + "\r\n5;" + strings.Repeat("x", 1<<20) + "\r\n",
		head + "Bad Name: x\r\n" + length + "\r\n" + body,
		head + ": x\r\n" + length + "\r\n" + body,
		head + "X-A\x00: x\r\n" + length + "\r\n" + body,
		head + "X-A\x7f: x\r\n" + length + "\r\n" + body,
		head + "X-\u00e4: x\r\n" + length + "\r\n" + body,
		head + "X-A : x\r\n" + length + "\r\n" + body,
		head + "X-A: x\x00y\r\n" + length + "\r\n" + body,
		head + "Cf-Aig-Metadata: x\rX-Evil: 1\r\n" + length + "\r\n" + body,
		head + "Cf-Aig-Metadata: x\x1b[31m\r\n" + length + "\r\n" + body,
		head + "NoColonHere\r\n" + length + "\r\n" + body,
		head + "Expect: evil\r\n" + length + "\r\n" + body,
		" " + head + length + "\r\n" + body,
		strings.Replace(head, "HTTP/1.1", "HTTP/3.0", 1) + length + "\r\n" + body,
		strings.Replace(head, " HTTP/1.1", "", 1) + length + "\r\n" + body,
		strings.Replace(head, "POST ", "PO\x1bST ", 1) + length + "\r\n" + body,
		strings.Replace(head, chatPath, chatPath+"\x00", 1) + length + "\r\n" + body,
		strings.Replace(head, chatPath, chatPath+" evil", 1) + length + "\r\n" + body,
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	} {
		for i, a := range p.raw(text) {
			if a.status < 400 {
				t.Errorf("answer %d is %d for %.300q", i, a.status, text)
			}
		}
	}
	untouched(t, g)

	head = alone
	// These are read in one way, by the standard's rules: what follows stands for itself and
	// has no key.
	for name, text := range map[string]string{
		"chunks beat the length":         head + length + chunks + "\r\n" + chunked,
		"chunks beat a short length":     head + "Content-Length: 3\r\n" + chunks + "\r\n" + chunked,
		"the same length twice":          head + length + length + "\r\n" + body,
		"an extension of a chunk":        head + chunks + "\r\n" + fmt.Sprintf("%x;a=\"b\"\r\n%s\r\n0;z\r\n\r\n", len(body), body),
		"a trailer that looks like keys": head + chunks + "\r\n" + strings.TrimSuffix(chunked, "\r\n") + "X-Api-Key: " + localKey + "\r\nContent-Length: 4\r\n\r\n",
		"a folded line":                  head + "Cf-Aig-Metadata: {\"a\":\r\n\t\"b\"}\r\n" + length + "\r\n" + body,
		"names in the Connection":        head + "Connection: Authorization, Cf-Aig-Authorization, Content-Length, Host\r\n" + length + "\r\n" + body,
		"an upgrade to HTTP/2":           head + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n" + length + "\r\n" + body,
	} {
		before := len(g.Requests())
		all := p.raw(text + second)
		if len(all) < 1 || all[0].status != 200 {
			t.Errorf("%s: %+v", name, all)
			continue
		}
		for _, a := range all[1:] {
			if a.status != 401 && a.status != 400 {
				t.Errorf("%s: what follows it is answered with %d", name, a.status)
			}
		}
		seen := g.Requests()[before:]
		if len(seen) != 1 {
			t.Errorf("%s: %d requests reached the gateway", name, len(seen))
			continue
		}
		h := seen[0].Header
		if h.Get("Cf-Aig-Authorization") != "Bearer "+fakegateway.Token || h.Get("X-Api-Key") != "" || h.Get("Transfer-Encoding") != "" ||
			h.Get("Connection") != "" || h.Get("Upgrade") != "" || h.Get("Content-Length") != fmt.Sprint(len(seen[0].Body)) || strings.ContainsAny(h.Get("Cf-Aig-Metadata"), "\r\n") {
			t.Errorf("%s: the gateway got %v", name, h)
		}
	}

	// A key in a trailer comes too late.
	late := strings.Replace(head, withKey, "Connection: close\r\n", 1) + "Trailer: Authorization\r\n" + chunks + "\r\n" + strings.TrimSuffix(chunked, "\r\n") + withKey + "\r\n"
	if got := p.first(late); got != 401 {
		t.Errorf("a key in a trailer: %d", got)
	}
}

// TestPathTricks: no spelling of a path leads around the key, or out of the gateway's folder.
func TestPathTricks(t *testing.T) {
	p, g := setup(t, fakegateway.Options{}, config{})
	body := noStream(chatPath, "gpt-4o#openai")
	more := fmt.Sprintf(" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	for _, open := range []string{"/healthz", "/api/hello", "/api", ""} {
		for _, trick := range []string{
			"/../", "/..%2f", "/%2e%2e/", "/%2e%2e%2f", "/.%2e/", "//../", "/..//", "/..;/", ";/../", "/./../", `/..\`, "/..%5c", "/%c0%ae%c0%ae/", "/..%00/", "%00/", "%0d%0a/",
			"/x/../../", "?/../", "#/../", "/%252e%252e/", "/...//", "/\u2025/", "%20/../", "%2f..%2f",
		} {
			for _, target := range []string{"v1/models", "v1/chat/completions", "v1/messages"} {
				for _, method := range []string{"GET ", "POST ", "HEAD ", "PUT "} {
					got := p.first(method + open + trick + target + more + "\r\n" + body)
					if open == "/api" || open == "/api/hello" || open == "/healthz" || open == "" {
						if got < 400 && !strings.ContainsAny(trick, "?#") {
							t.Errorf("%s%s%s%s: %d", method, open, trick, target, got)
						}
					}
				}
			}
		}
	}
	for _, path := range []string{
		"/v1/models", "//v1//models", "/v1/models/", "/V1/models", "/v1/Models", "/%76%31/models", "/v1%2fmodels", "/v1/models%2f", "/v1/models%00", "/v1/./models", "/v1/v1/models",
		"/v1/models;/healthz", "/v1/models?x=/healthz", "/v1/models/healthz", "/v1/models/..", "/v1/models/../healthz", `/\v1\models`, "/HEALTHZ", "/healthz.json", "/healthz%00", "/healthz%20",
		"/openai/deployments/gpt-4o%23openai/chat/completions", "/openai/deployments/api/gpt-4o%23openai/chat/completions",
		"/openai/deployments/gpt-4o%23openai/api/chat/completions", "/openai/deployments/healthz/gpt-4o%23openai/chat/completions", "/debug/pprof/", "/metrics", "/.git/config", "/settings.toml", "/..%2f..%2fetc%2fpasswd", "/v1/messages/batches", "/api%2fhello",
		"http://localhost/v1/models", "http://localhost//v1/models", "http://x@localhost/v1/models", "*",
	} {
		for _, method := range []string{"GET ", "POST ", "HEAD ", "TRACE ", "CONNECT ", "DELETE "} {
			if got := p.first(method + path + more + "\r\n" + body); got < 400 && path != "/api%2fhello" {
				t.Errorf("%s%s without the key: %d", method, path, got)
			}
		}
	}
	untouched(t, g)
	// With the key: a file is nowhere to be had, and the gateway sees none of it.
	for _, path := range []string{
		"/../../etc/passwd", "/..%2f..%2fetc%2fpasswd", "/v1/models/..%2f..%2fetc%2fpasswd", "/v1/models/%2e%2e/%2e%2e", "/v1/models/x%23openai%2f..%2f..", "/v1/../v1/chat/completions", "/debug/pprof/",
		"/v1/models/%00", "/v1/models/a%0d%0aX-Evil:%201%23openai", "/v1/files/../models", "/v1/models/%1b%5b31m%23openai",
	} {
		for _, method := range []string{"GET ", "POST "} {
			all := p.raw(method + path + more + withKey + "\r\n" + body)
			if len(all) != 1 || all[0].status < 400 || all[0].header.Get("X-Evil") != "" || strings.Contains(all[0].body, "root:") {
				t.Errorf("%s%s: %+v", method, path, all)
			}
		}
	}
	untouched(t, g)
}
