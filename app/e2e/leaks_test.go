package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"apex-ai-proxy/proxy/demo/fakegateway"
)

// The secrets that are planted, of no shape that gives them away.
const (
	plantedToken    = "planted-gateway+token/2b~"
	plantedKey      = "planted-local-key-77"
	plantedOwn      = "planted-own-key-of-openai"
	plantedOther    = `planted"quoted"<own>key`
	plantedOfClient = "planted-key-of-the-client"
)

// planted finds a secret in a text, however it is written there; "" when there is none.
func planted(text string) string {
	for _, secret := range []string{plantedToken, plantedKey, plantedOwn, plantedOther, plantedOfClient} {
		for _, form := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret), strings.Trim(quoted(secret), `"`), fmt.Sprintf("%q", secret)} {
			if strings.Contains(text, form) {
				return secret
			}
		}
	}
	return ""
}

// tattler is an upstream that repeats everything it was sent, in every way that it can be said.
func tattler(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var all []string
		for name, values := range r.Header {
			all = append(all, name+": "+strings.Join(values, ", "))
		}
		said := strings.Join(all, "; ") + " " + r.RequestURI + " " + strings.Join([]string{plantedToken, plantedOwn, plantedOther}, " ")
		var q struct {
			Messages []struct{ Content any }
			Input    any
		}
		_ = json.Unmarshal(body, &q)
		how := fmt.Sprint(q.Messages, q.Input)
		is := func(word string) bool { return strings.Contains(how, word) }
		write := func(status int, media, text string) {
			w.Header().Set("Content-Type", media)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, text)
		}
		switch {
		case r.Method == http.MethodGet && strings.Contains(r.URL.Path, "compat"):
			write(401, "application/json", fmt.Sprintf(`{"success":false,"result":[],"messages":[],"error":[{"code":2009,"message":%s}],"name":"AiGatewayError","httpCode":401,"internalCode":2009,"message":%s,"description":%s}`, quoted(said), quoted(said), quoted(said)))
		case is("openai error"):
			write(401, "application/json", `{"error":{"message":`+quoted(said)+`,"type":`+quoted(plantedOwn)+`,"param":`+quoted(plantedToken)+`,"code":`+quoted(plantedOther)+`}}`)
		case is("anthropic error"):
			write(403, "application/json", `{"type":"error","error":{"type":"permission_error","message":`+quoted(said)+`},"request_id":"req_1"}`)
		case is("gateway error"):
			write(401, "application/json", fmt.Sprintf(`{"success":false,"error":[{"code":2009,"message":%s}],"message":%s}`, quoted(said), quoted(said)))
		case is("plain error"):
			write(500, "text/plain", said)
		case is("page"):
			write(502, "text/html", "<html><title>"+said+"</title><body>"+said)
		case is("details"):
			write(400, "application/json", `{"error":{"message":"no","type":"x","details":[{"a":`+quoted(said)+`}],"metadata":{"raw":`+quoted(said)+`}},"more":`+quoted(said)+`}`)
		case is("failed stream"):
			write(200, "text/event-stream", "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":"+quoted(said)+"}}\n\ndata: {\"error\":{\"message\":"+quoted(said)+"}}\n\n")
		case is("odd stream"):
			write(200, "text/event-stream", "data: "+said+"\n\n")
		case is("odd answer"):
			write(200, "application/json", `{"odd":`+quoted(said)+`}`)
		case is("cut"):
			write(200, "application/json", `{"id":`+quoted(said))
		case is("elsewhere"):
			w.Header().Set("Location", "http://127.0.0.1:1/"+url.PathEscape(said))
			write(302, "text/plain", said)
		default:
			w.Header().Set("X-Request-Id", plantedToken)
			write(409, "application/json", `{"error":{"message":`+quoted(said)+`}}`)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// TestSecretsStayInside plants secrets wherever the program has some, lets the upstream repeat
// them, and looks for them in whatever the program says.
func TestSecretsStayInside(t *testing.T) {
	upstream := tattler(t)
	flags := []string{"--gateway-url", upstream + "/v1", "--account", fakegateway.Account, "--gateway", fakegateway.Name, "--azure-resource", "re"}
	c := config{
		args:     append([]string{"--debug"}, flags...),
		settings: "version = 1\n[providers.openai]\nkey = \"own\"\n[providers.anthropic]\nkey = \"own\"\n",
		env:      []string{"GATEWAY_TOKEN=" + plantedToken, "APEX_LOCAL_KEY=" + plantedKey, "APEX_PROVIDER_KEY_OPENAI=" + plantedOwn, "APEX_PROVIDER_KEY_ANTHROPIC=" + plantedOther},
	}
	p := start(t, c)
	says := func(what string, a answer) {
		t.Helper()
		if found := planted(a.body); found != "" {
			t.Errorf("%s: the answer holds %q: %s", what, found, a.body)
		}
		for name, values := range a.header {
			if found := planted(strings.Join(values, " ")); found != "" {
				t.Errorf("%s: the answer's %s holds %q", what, name, found)
			}
		}
	}
	mine := set("Authorization", "Bearer "+plantedKey)
	theirs := func(r *http.Request) {
		r.Header.Set("Cf-Aig-Authorization", "Bearer "+plantedKey)
		r.Header.Set("Authorization", "Bearer "+plantedOfClient)
	}
	for _, how := range []string{"openai error", "anthropic error", "gateway error", "plain error", "page", "details", "failed stream", "odd stream", "odd answer", "cut", "elsewhere", "conflict"} {
		for _, model := range append(crossed, "gemini-2.0-flash#google-ai-studio", "gpt-4o#azure-openai", "@cf/meta/llama-3.1-8b-instruct#workers-ai") {
			for path, body := range map[string]string{
				chatPath:                    `{"model":"` + model + `","max_tokens":5,"messages":[{"role":"user","content":"` + how + `"}]}`,
				messagesPath:                `{"model":"` + model + `","max_tokens":5,"messages":[{"role":"user","content":"` + how + `"}]}`,
				"/v1/responses":             `{"model":"` + model + `","input":"` + how + `"}`,
				"/v1/messages/count_tokens": `{"model":"` + model + `","messages":[{"role":"user","content":"` + how + `"}]}`,
			} {
				for _, text := range []string{body, strings.Replace(body, "{", `{"stream":true,`, 1)} {
					for _, key := range []func(*http.Request){mine, theirs} {
						a := p.send("POST", path, text, key)
						if a.status != http.StatusOK || strings.HasPrefix(how, "failed") { // what is no error passes as it is
							says(how+" "+model+" "+path, a)
						}
					}
				}
			}
		}
	}
	// Where people put secrets by mistake.
	where := url.PathEscape(plantedKey)
	for _, path := range []string{"/" + where, "/" + where + "/v1/chat/completions", "/v1/" + where + "/models", "/v1/models/" + where, "/v1/chat/completions?key=" + where + "&token=" + where} {
		p.send("GET", path, "", mine)
		p.send("POST", path, `{"model":"gpt-4o#openai","messages":[{"role":"user","content":"conflict"}]}`, mine)
	}
	for _, name := range []string{plantedKey, plantedKey + "#openai", "gpt-4o#" + plantedKey, plantedToken, plantedOwn + "#openai", plantedOwn + "#azure-openai"} {
		p.send("POST", chatPath, `{"model":`+quoted(name)+`,"messages":[{"role":"user","content":"conflict"}]}`, mine)
	}
	p.send("GET", "/v1/models", "", mine, set("User-Agent", plantedKey+"/1.0"), set("Originator", plantedKey), set("X-Claude-Code-Session-Id", plantedKey))
	for _, path := range []string{"/", "/healthz", "/api/hello", "/v1/models"} {
		says(path, p.send("GET", path, "", mine))
	}
	p.finish()
	if found := planted(p.stdout.String() + p.stderr.String()); found != "" {
		t.Errorf("the log holds %q:\n%s", found, grep(p.stderr.String(), found))
	}

	for _, args := range []string{"doctor", "token status", "token status openai", "version", "help", "help serve", "serve --listen nowhere", "serve --account x", "token set " + plantedOwn, "token set openai " + plantedOwn, "token " + plantedToken} {
		once1 := c
		once1.args = strings.SplitN(args, " ", 4)
		if args == "doctor" {
			once1.args = append(once1.args, flags...)
		}
		stdout, stderr, _ := once(t, once1)
		if found := planted(stdout + stderr); found != "" {
			t.Errorf("%s prints %q:\n%s%s", args, found, stdout, stderr)
		}
		if args == "doctor" && !strings.Contains(stdout, "2009") {
			t.Errorf("the upstream was not heard: %s%s", stdout, stderr)
		}
	}
}

// echoing is a gateway in front of another that repeats all headers of a request in those of the
// answer: in names that are known and in names that are not, before the answer and behind it.
func echoing(t *testing.T, g *fakegateway.Gateway) (address string) {
	t.Helper()
	to, err := url.Parse(strings.TrimSuffix(g.URL, "/v1"))
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent := r.Header.Clone()
		echo := func(h http.Header) {
			for name, values := range sent {
				said := name + ": " + strings.Join(values, ", ")
				h.Add("X-Echo-"+name, said)
				for _, known := range []string{
					"Cf-Aig-Log-Id", "Cf-Aig-Step", "Cf-Aig-Cache-Status", "Cf-Aig-Model", "Cf-Aig-Echo", "Cf-Ray", "Request-Id", "X-Request-Id", "Retry-After",
					"X-Ratelimit-Reset-Tokens", "Anthropic-Ratelimit-Tokens-Reset", "Openai-Organization", "Link", "Location", "Server", "Set-Cookie", "Warning", "X-Upstream-Model",
				} {
					h.Add(known, values[0])
				}
			}
		}
		echo(w.Header())
		w.WriteHeader(http.StatusEarlyHints)
		clear(w.Header())
		(&httputil.ReverseProxy{
			Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) },
			ModifyResponse: func(res *http.Response) error {
				echo(res.Header)
				res.Header.Set("Connection", "X-Echo-Host")
				res.Trailer = http.Header{"X-Late": {fakegateway.Token}}
				res.Header.Del("Content-Length") // a trailer is behind chunks
				res.ContentLength = -1
				return nil
			},
		}).ServeHTTP(w, r)
		w.Header().Set(http.TrailerPrefix+"X-Unannounced", fakegateway.Token)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/v1"
}

// TestSecretsInHeadersOfSuccess: what an upstream repeats in the headers of an answer that is
// right does not reach the client, nor what it says behind the body; the rest of them does.
func TestSecretsInHeadersOfSuccess(t *testing.T) {
	const own = "the-own-key-of-the-user"
	g := fakegateway.New(t, fakegateway.Options{Keys: map[string]string{"openai": own, "groq": plantedOfClient}, Secrets: []string{localKey}})
	p := start(t, config{
		args:     []string{"--debug", "--gateway-url", echoing(t, g), "--account", fakegateway.Account, "--gateway", fakegateway.Name},
		settings: "version = 1\n[providers.openai]\nkey = \"own\"\n",
		env:      []string{"GATEWAY_TOKEN=" + fakegateway.Token, "APEX_PROVIDER_KEY_OPENAI=" + own},
	})
	theirs := func(r *http.Request) {
		r.Header.Set("Cf-Aig-Authorization", "Bearer "+localKey)
		r.Header.Set("Authorization", "Bearer "+plantedOfClient)
	}
	for _, c := range []struct {
		model string
		edit  func(*http.Request)
	}{
		{"gpt-4o#openai", func(*http.Request) {}},
		{"claude-sonnet-4-5#anthropic", func(*http.Request) {}},
		{"llama-3.3-70b-versatile#groq", theirs},
	} {
		for path, body := range map[string]string{
			chatPath:                    noStream(chatPath, c.model),
			messagesPath:                noStream(messagesPath, c.model),
			chatPath + "?stream":        streamBody(chatPath, c.model, "hello"),
			messagesPath + "?stream":    streamBody(messagesPath, c.model, "hello"),
			"/v1/responses":             `{"model":"` + c.model + `","input":"hello"}`,
			"/v1/messages/count_tokens": `{"model":"` + c.model + `","messages":[{"role":"user","content":"hi"}]}`,
		} {
			a := p.send("POST", path, body, c.edit)
			if a.status != http.StatusOK || a.err != nil {
				t.Errorf("%s to %s: %d %v %s", path, c.model, a.status, a.err, a.body)
			}
			for _, secret := range []string{fakegateway.Token, own, plantedOfClient} {
				if said := fmt.Sprint(a.header, a.trailer, a.body); strings.Contains(said, secret) {
					t.Errorf("%s to %s: %s is in %s", path, c.model, secret, said)
				}
			}
			if counts := a.header.Get("X-Token-Count") != ""; !counts && !strings.Contains(strings.Join(a.header["Cf-Aig-Echo"], " "), "Bearer [hidden]") {
				t.Errorf("%s to %s: the gateway's headers are %v", path, c.model, a.header)
			}
		}
	}
	p.terminateAndWait()
	for _, secret := range []string{fakegateway.Token, own, plantedOfClient} {
		if text := p.stderr.String(); strings.Contains(text, secret) {
			t.Errorf("the log holds %s", grep(text, secret))
		}
	}
}

// grep is the first lines of a text that hold a word.
func grep(text, word string) string {
	var found []string
	for line := range strings.Lines(text) {
		if strings.Contains(line, word) && len(found) < 5 {
			found = append(found, line)
		}
	}
	return strings.Join(found, "")
}

// TestSecretsInTheSettingsFile: one that was written into the file, where none belongs, is not
// repeated by what is said about the file.
func TestSecretsInTheSettingsFile(t *testing.T) {
	for _, file := range []string{
		"[gateway]\ntoken = \"" + plantedKey + "\"\n",
		"[gateway]\naccount = \"" + plantedKey + "\"\n",
		"[gateway]\nid = \"" + plantedKey + " x\"\n",
		"[gateway]\nurl = \"https://user:" + plantedKey + "@gateway.example/v1\"\n",
		"[providers.openai]\nkey = \"" + plantedKey + "\"\n",
		"[providers]\nopenai = \"" + plantedKey + "\"\n",
		"[server]\nlocal_key = \"" + plantedKey + "\"\n",
		"[server]\nlisten = \"" + plantedKey + "\"\n",
		"[azure]\napi_key = \"" + plantedKey + "\"\nresource = \"" + plantedKey + "!\"\n",
		"version = \"" + plantedKey + "\"\n",
		"token = " + plantedKey + "\n",
		"gateway = \"" + plantedKey + "\"\n",
		"token = \"" + plantedKey + "\n",
	} {
		cmd := config{args: []string{"doctor"}, settings: file, env: []string{"APEX_LOCAL_KEY=" + localKey}}
		stdout, stderr, _ := once(t, cmd)
		if strings.Contains(stdout+stderr, plantedKey) {
			t.Errorf("of %q it says\n%s%s", file, stdout, stderr)
		}
	}
}

// logLine is a whole line of the log, or a sentence of the program itself.
var logLine = regexp.MustCompile(`^(time=\S+ level=[A-Z]+ msg=.*|apex-ai-proxy: .*)$`)

// TestNothingIsForgedInTheLog: what strangers and upstreams say stays on its line and moves no
// cursor.
func TestNothingIsForgedInTheLog(t *testing.T) {
	const evil = "x\x1b[31m\x1b]0;evil\x07\r\ntime=2026-01-01T00:00:00Z level=ERROR msg=forged\b\u009b2J\u2028\u202e\u0085"
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer c.Close()
		line := strings.NewReplacer("\r", "", "\n", "", "\x1b", "", "\b", "", "\x07", "").Replace(evil)
		if strings.Contains(r.URL.Path, "azure") { // which no program should believe
			line = strings.NewReplacer("\r", "", "\n", "").Replace(evil)
		}
		body := fmt.Sprintf(`{"success":false,"error":[{"code":2009,"message":%s}],"name":%s,"message":%s}`, quoted(evil), quoted(evil), quoted(evil))
		if strings.Contains(r.URL.Path, "anthropic") {
			body = `{"type":"error","error":{"type":` + quoted(evil) + `,"code":` + quoted(evil) + `,"message":` + quoted(evil) + `}}`
		}
		_, _ = fmt.Fprintf(c, "HTTP/1.1 401 %s\r\nContent-Type: application/json\r\nX-Request-Id: %s\r\nCf-Aig-Log-Id: %s\r\nCf-Aig-Step: %s\r\nCf-Aig-Model: %s\r\nCf-Aig-Cache-Status: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
			line, line, line, line, line, line, len(body), body)
	}))
	t.Cleanup(upstream.Close)
	flags := []string{"--gateway-url", upstream.URL + "/v1", "--account", fakegateway.Account, "--gateway", fakegateway.Name, "--azure-resource", "re"}
	c := config{args: append([]string{"--debug"}, flags...), env: []string{"GATEWAY_TOKEN=" + fakegateway.Token}}
	p := start(t, c)
	printed := strings.NewReplacer("\r", "", "\n", "", "\x1b", "", "\b", "", "\x07", "").Replace(evil) // as far as a header may hold it
	for _, model := range append(crossed, "gpt-4o#azure-openai", evil, evil+"#openai", "x#"+evil, "x\u009b31m#openai", "x\u202e#anthropic") {
		for _, path := range []string{chatPath, messagesPath, "/v1/" + url.PathEscape(evil), "/" + url.PathEscape(evil) + "/messages", "/v1/models/" + url.PathEscape(evil)} {
			body := `{"model":` + quoted(model) + `,"max_tokens":5,"messages":[{"role":"user","content":"hi"}]}`
			for _, edit := range []func(*http.Request){
				set("User-Agent", printed), set("Authorization", printed), set("Origin", printed), set("X-Stainless-Lang", printed), set("X-Apex-Replay-Of", "req_"+printed),
				func(r *http.Request) { r.Host = "localhost\u009b31m" },
			} {
				p.send("POST", path, body, edit)
				p.send("GET", path, "", edit)
			}
		}
	}
	p.raw("GET /\x1b[31m HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
	p.raw("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x1b[31m\r\n\r\n")
	p.raw("GET / HTTP/1.1\r\nHost: localhost\r\nX\x1b: y\r\n\r\n")
	p.terminateAndWait()
	check := func(what, text string) {
		t.Helper()
		for line := range strings.Lines(text) {
			line = strings.TrimSuffix(line, "\n")
			if strings.ContainsFunc(strings.ReplaceAll(line, "\t", " "), invisible) || strings.HasPrefix(line, "time=2026-01-01") {
				t.Errorf("%s: %q", what, line)
			}
		}
	}
	text := p.stderr.String()
	check("the log", text)
	if !strings.Contains(text, `\u009b`) || !strings.Contains(text, "forged") {
		t.Errorf("nothing was tried:\n%s", text)
	}
	for line := range strings.Lines(text) {
		if !logLine.MatchString(strings.TrimSuffix(line, "\n")) {
			t.Errorf("not a line of the log: %q", line)
		}
	}
	c.args = append([]string{"doctor"}, flags...)
	stdout, stderr, _ := once(t, c)
	check("doctor", stdout+stderr)
	for _, file := range []string{"[\"a\\u001b[31m\\u009b\"]\nx = 1\n", "\"a\\u001b[31m\" = 1\n", "[aliases]\n\"a\\u001b[31m\" = \"\\u001b[31m\"\n", "[server]\norigins = [\"\\u001b[31m\\u009b\"]\n", "[providers.\"\\u001b[31m\"]\nkey = \"own\"\n"} {
		stdout, stderr, _ := once(t, config{args: []string{"doctor"}, settings: file})
		check("a settings file", stdout+stderr)
	}
	for _, args := range [][]string{{"\x1b[31m"}, {"--\x1b[31m"}, {"serve", "\x1b[31m"}, {"help", "\x1b[31m"}, {"serve", "--listen", "\x1b[31m"}, {"doctor", "--config", "\x1b[31m\u009b"}} {
		stdout, stderr, _ := once(t, config{args: args})
		check(fmt.Sprint(args), stdout+stderr)
	}
}

// terminateAndWait stops the program, so that all it has to say has been said.
func (p *program) terminateAndWait() {
	p.t.Helper()
	_ = p.cmd.Process.Signal(os.Interrupt)
	p.exit(deadline(p.t))
}

// TestOnTheNetworkTheKeyIsNeeded: listening on every address opens nothing without the key,
// and there is always one.
func TestOnTheNetworkTheKeyIsNeeded(t *testing.T) {
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{" ", "\t"} {
		if _, _, code := once(t, config{args: []string{"serve", "--listen", "0.0.0.0:0"}, env: []string{"APEX_LOCAL_KEY=" + key}}); code != 2 {
			t.Errorf("with the key %q: exit code %d", key, code)
		}
	}
	for _, key := range []string{localKey, ""} { // without one, one is made
		p, g := setup(t, fakegateway.Options{}, config{args: []string{"--listen", "0.0.0.0:0"}, env: []string{"APEX_LOCAL_KEY=" + key}})
		_, port, _ := net.SplitHostPort(p.addr())
		hosts := []string{"127.0.0.1:" + port, name + ":" + port, name + ".local:" + port}
		for _, at := range append(ownAddresses(t), "127.0.0.1") {
			p.URL = "http://" + net.JoinHostPort(at, port)
			for _, host := range append(hosts, p.addr()) {
				as := func(r *http.Request) { r.Host = host }
				for _, shown := range []string{"", "Bearer ", "Bearer " + key + "x", "Bearer null"} {
					if a := p.send("POST", chatPath, noStream(chatPath, "gpt-4o#openai"), as, set("Authorization", shown)); a.status != http.StatusUnauthorized {
						t.Errorf("%s as %s with %q: %d", at, host, shown, a.status)
					}
					if a := p.send("GET", "/v1/models", "", as, set("Authorization", shown)); a.status != http.StatusUnauthorized {
						t.Errorf("%s as %s with %q: %d", at, host, shown, a.status)
					}
				}
			}
			for _, host := range []string{"evil.example", "evil.local:" + port, "0.0.0.0:" + port, "10.99.99.99:" + port, name + ".evil.example"} {
				if a := p.send("GET", "/v1/models", "", func(r *http.Request) { r.Host = host }); a.status != http.StatusForbidden {
					t.Errorf("%s as %s: %d", at, host, a.status)
				}
			}
			if key == localKey {
				untouched(t, g)
				if a := p.send("GET", "/v1/models", ""); a.status != http.StatusOK {
					t.Errorf("%s with the key: %d %s", at, a.status, a.body)
				}
			}
		}
		if _, err := p.stderr.find(deadline(t), "other computers can reach this address", p.ended); err != nil {
			t.Error(err)
		}
		p.finish()
	}
}

// ownAddresses are this computer's, besides the loopback ones.
func ownAddresses(t *testing.T) (out []string) {
	t.Helper()
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && !n.IP.IsLoopback() && n.IP.To4() != nil {
			out = append(out, n.IP.String())
		}
	}
	return out
}

// TestServingWritesNothing: no file with what passed is left behind, whatever was asked.
func TestServingWritesNothing(t *testing.T) {
	p, _ := setup(t, fakegateway.Options{}, config{args: []string{"--debug"}})
	for _, model := range append(crossed, "echo#demo", "nobody") {
		p.send("POST", chatPath, noStream(chatPath, model))
		p.send("POST", messagesPath, streamBody(messagesPath, model, "hello"))
	}
	p.terminateAndWait()
	err := filepath.WalkDir(p.cmd.Dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && path != p.cmd.Dir {
			t.Errorf("%s was written", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
