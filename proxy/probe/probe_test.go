package probe

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"apex-ai-proxy/proxy/demo/fakegateway"
	_ "apex-ai-proxy/proxy/spent/spoil" // memory that was given back
)

func gatewayOf(g *fakegateway.Gateway) Gateway {
	return Gateway{URL: g.URL, Account: fakegateway.Account, Name: fakegateway.Name, Token: fakegateway.Token, Version: "1.2.3"}
}

// TestAgainstGateway tests a gateway that takes nothing it should not.
func TestAgainstGateway(t *testing.T) {
	all := map[string]bool{"openai": true, "anthropic": true, "google-ai-studio": true, "grok": true, "deepseek": true}
	for name, c := range map[string]struct {
		opts fakegateway.Options
		edit func(*Gateway)
		want Cause
		code int
		on   string // the field
	}{
		"well":              {want: OK},
		"one key":           {opts: fakegateway.Options{NoKey: map[string]bool{"openai": true}}, want: OK},
		"no key":            {opts: fakegateway.Options{NoKey: all}, want: NoKey, code: 2044},
		"own key":           {opts: fakegateway.Options{Keys: map[string]string{"anthropic": "mine"}}, edit: own("anthropic", "mine"), want: OK},
		"wrong own key":     {opts: fakegateway.Options{Keys: map[string]string{"anthropic": "mine"}}, edit: own("anthropic", "other"), want: OwnKey, on: "providers.anthropic.key"},
		"no own key":        {edit: own("deepseek", ""), want: OwnKey, on: "providers.deepseek.key"},
		"unified":           {opts: fakegateway.Options{Unified: map[string]bool{"grok": true}}, edit: func(g *Gateway) { g.Keys = map[string]Key{"grok": {Unified: true}} }, want: OK},
		"no token":          {edit: func(g *Gateway) { g.Token = "" }, want: TokenMissing, code: 2009, on: "token"},
		"wrong token":       {edit: func(g *Gateway) { g.Token = "other" }, want: TokenRefused, code: 2009, on: "token"},
		"no permission":     {opts: fakegateway.Options{NotPermitted: true}, want: Permission, code: 10000, on: "token"},
		"wrong gateway":     {edit: func(g *Gateway) { g.Name = "other" }, want: NoGateway, code: 2001, on: "gateway.id"},
		"wrong account":     {edit: func(g *Gateway) { g.Account = strings.Repeat("f", 32) }, want: NoGateway, code: 2001, on: "gateway.id"},
		"wrong base":        {edit: func(g *Gateway) { g.URL = strings.TrimSuffix(g.URL, "/v1") + "/v2" }, want: NotGateway, code: 2008, on: "gateway.url"},
		"no account":        {edit: func(g *Gateway) { g.Account = "" }, want: AccountMissing, on: "gateway.account"},
		"no gateway":        {edit: func(g *Gateway) { g.Name = "" }, want: GatewayMissing, on: "gateway.id"},
		"name with a slash": {edit: func(g *Gateway) { g.Name = "../x" }, want: NoGateway, code: 2001, on: "gateway.id"},
	} {
		t.Run(name, func(t *testing.T) {
			fake := fakegateway.New(t, c.opts)
			g := gatewayOf(fake)
			if c.edit != nil {
				c.edit(&g)
			}
			f := Test(t.Context(), g)
			if f.Cause != c.want || f.Code != c.code || f.Field() != c.on {
				t.Fatalf("%+v on %q, want %s with code %d on %q", f, f.Field(), c.want, c.code, c.on)
			}
			for _, r := range fake.Requests() {
				if r.Method != http.MethodGet || len(r.Body) > 0 || r.Header.Get("Cf-Aig-No-Wholesale") != "true" {
					t.Errorf("%s %s could cost something: %v", r.Method, r.Path, r.Header)
				}
				if r.Header.Get("User-Agent") != "apex-ai-proxy/1.2.3" {
					t.Errorf("user agent %q", r.Header.Get("User-Agent"))
				}
			}
		})
	}
}

func own(provider, key string) func(*Gateway) {
	return func(g *Gateway) { g.Keys = map[string]Key{provider: {Own: key}} }
}

func TestReadyProviders(t *testing.T) {
	fake := fakegateway.New(t, fakegateway.Options{NoKey: map[string]bool{"openai": true, "grok": true}})
	f := Test(t.Context(), gatewayOf(fake))
	if got := f.Ready(); !slices.Equal(got, []string{"Anthropic", "Google AI Studio", "DeepSeek"}) {
		t.Errorf("ready: %v of %+v", got, f.Providers)
	}
}

// TestAnswers scripts what the gateway answers first.
func TestAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		answer fakegateway.Answer
		want   Cause
		code   int
	}{
		"2009":              {fakegateway.GatewayError(401, 2009, "Unauthorized"), TokenRefused, 2009},
		"2003":              {fakegateway.GatewayError(429, 2003, "Rate limited"), Limited, 2003},
		"2005":              {fakegateway.GatewayError(400, 2005, "Failed to get response from provider"), Failing, 2005},
		"10000":             {fakegateway.APIError(403, 10000, "Authentication error"), Permission, 10000},
		"9106":              {fakegateway.APIError(400, 9106, "Missing X-Auth-Key"), TokenRefused, 9106},
		"401 without code":  {fakegateway.PolicyError(401, "Unauthorized"), TokenRefused, 0},
		"policy":            {fakegateway.PolicyError(403, "Access denied by policy"), Forbidden, 0},
		"edge 403":          {fakegateway.EdgeError(403), Forbidden, 0},
		"edge 502":          {fakegateway.EdgeError(502), Failing, 0},
		"edge 524":          {fakegateway.EdgeError(524), Failing, 0},
		"spending":          {fakegateway.PolicyError(429, "Spending limit exceeded"), Limited, 0},
		"not found":         {fakegateway.EdgeError(404), NotGateway, 0},
		"login page":        {fakegateway.Raw(302, http.Header{"Location": {"https://login.example"}}, ""), NotGateway, 0},
		"page":              {fakegateway.Raw(200, http.Header{"Content-Type": {"text/html"}}, "<html>Welcome</html>"), NotGateway, 0},
		"other JSON":        {fakegateway.Raw(200, nil, `{"status":"ok"}`), NotGateway, 0},
		"407":               {fakegateway.Raw(407, nil, ""), Proxy, 0},
		"cut":               {fakegateway.CutHead(), Unreachable, 0},
		"unknown code":      {fakegateway.GatewayError(400, 4711, "Odd"), NotGateway, 4711},
		"401 of a provider": {fakegateway.Raw(401, nil, `{"error":{"message":"key","type":"x"}}`), NotGateway, 0},
	} {
		t.Run(name, func(t *testing.T) {
			fake := fakegateway.New(t, fakegateway.Options{})
			fake.Script(c.answer)
			f := Test(t.Context(), gatewayOf(fake))
			if f.Cause != c.want || f.Code != c.code {
				t.Fatalf("%+v, want %s with code %d", f, c.want, c.code)
			}
			if f.Says() == "" || f.Cure() == "" || f.Said == "" && c.want != NotGateway {
				t.Errorf("%q, %q, %q", f.Says(), f.Cure(), f.Said)
			}
			if n := len(fake.Requests()); n != 1 {
				t.Errorf("%d requests after that", n)
			}
		})
	}
}

// api is Cloudflare's API with scripted answers by path.
func api(t *testing.T, answers map[string]string) *prober {
	t.Helper()
	fake := fakegateway.New(t, fakegateway.Options{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		said, ok := answers[r.URL.Path]
		if r.Method != http.MethodGet || r.Header.Get("Authorization") != "Bearer other" || r.Header.Get("Cf-Aig-Authorization") != "" {
			t.Errorf("%s %s with %v", r.Method, r.URL.Path, r.Header)
		}
		status, body, _ := strings.Cut(said, " ")
		switch {
		case !ok:
			w.WriteHeader(http.StatusForbidden)
		case status == "404":
			w.WriteHeader(http.StatusNotFound)
		case status == "500":
			w.WriteHeader(http.StatusInternalServerError)
		}
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(srv.Close)
	g := gatewayOf(fake)
	g.Token = "other"
	return &prober{gateway: g, api: srv.URL, limit: Limit}
}

// TestRefusedToken asks Cloudflare's API whether it is one.
func TestRefusedToken(t *testing.T) {
	user, account := "/user/tokens/verify", "/accounts/"+fakegateway.Account+"/tokens/verify"
	for name, c := range map[string]struct {
		answers map[string]string
		want    Cause
	}{
		"unknown":         {nil, TokenRefused},
		"user's":          {map[string]string{user: `200 {"result":{"status":"active"}}`}, Permission},
		"account's":       {map[string]string{account: `200 {"result":{"status":"active"}}`}, Permission},
		"expired":         {map[string]string{user: `200 {"result":{"status":"expired"}}`}, TokenExpired},
		"disabled":        {map[string]string{account: `200 {"result":{"status":"disabled"}}`}, TokenExpired},
		"no answer":       {map[string]string{user: "500 "}, TokenRefused},
		"not JSON at all": {map[string]string{user: "200 <html>"}, TokenRefused},
	} {
		t.Run(name, func(t *testing.T) {
			if f := api(t, c.answers).test(t.Context()); f.Cause != c.want || f.Field() != "token" || f.Code != 2009 {
				t.Errorf("%+v, want %s", f, c.want)
			}
		})
	}
}

// TestWhichIsWrong asks Cloudflare's API which gateways there are.
func TestWhichIsWrong(t *testing.T) {
	path := "/accounts/" + fakegateway.Account + "/ai-gateway/gateways"
	for name, c := range map[string]struct {
		answer string
		want   Cause
		names  string
	}{
		"list":     {`200 {"result":[{"id":"home"},{"id":"work"}]}`, WrongGateway, "home,work"},
		"none":     {`200 {"result":[]}`, WrongGateway, ""},
		"404":      {`404 {"success":false,"errors":[{"code":7003,"message":"Could not route"}]}`, WrongAccount, ""},
		"refused":  {"", NoGateway, ""},
		"not JSON": {"200 <html>", NoGateway, ""},
	} {
		t.Run(name, func(t *testing.T) {
			answers := map[string]string{path: c.answer}
			if c.answer == "" {
				answers = nil
			}
			p := api(t, answers)
			p.gateway.Name = "other"
			if f := p.test(t.Context()); f.Cause != c.want || strings.Join(f.Gateways, ",") != c.names {
				t.Errorf("%+v, want %s", f, c.want)
			}
		})
	}
}

// TestNetwork breaks the way to the gateway.
func TestNetwork(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	self := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(self.Close)
	via := func(address string) func(*http.Request) (*url.URL, error) {
		return func(*http.Request) (*url.URL, error) { return url.Parse(address) }
	}
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusProxyAuthRequired)
	}))
	t.Cleanup(refusing.Close)
	for name, c := range map[string]struct {
		url   string
		proxy func(*http.Request) (*url.URL, error)
		want  Cause
	}{
		"refused":             {"http://" + closed.Addr().String(), nil, Unreachable},
		"no TLS there":        {"https" + strings.TrimPrefix(plain.URL, "http"), nil, TLS},
		"unknown authority":   {self.URL, nil, TLS},
		"dead proxy":          {"https://gateway.example", via("http://" + closed.Addr().String()), Proxy},
		"proxy that refuses":  {"https://gateway.example", via(refusing.URL), Proxy},
		"plain through proxy": {"http://gateway.example", via(refusing.URL), Proxy},
		"not an address":      {"http://[", nil, Unreachable},
	} {
		t.Run(name, func(t *testing.T) {
			p := &prober{gateway: Gateway{URL: c.url, Account: "a", Name: "b", Token: "secret-token"}, proxy: c.proxy, limit: Limit}
			f := p.test(t.Context())
			if f.Cause != c.want || f.Said == "" || strings.Contains(f.Said, "secret-token") {
				t.Errorf("%+v, want %s", f, c.want)
			}
		})
	}
	for want, err := range map[Cause]error{
		NoName: &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", IsNotFound: true}},
		Slow:   &net.OpError{Op: "dial", Err: &net.DNSError{Err: "i/o timeout", IsTimeout: true}},
		Proxy:  &net.OpError{Op: "proxyconnect", Err: &net.DNSError{Err: "no such host", IsNotFound: true}},
	} {
		if got := network(answer{err: &url.Error{Err: err}}); got != want {
			t.Errorf("%v: %s, want %s", err, got, want)
		}
	}
}

func TestItEnds(t *testing.T) {
	fake := fakegateway.New(t, fakegateway.Options{})
	never := make(chan struct{})
	fake.Script(fakegateway.Hang(never, nil))
	p := &prober{gateway: gatewayOf(fake), limit: 20 * time.Millisecond}
	if f := p.test(t.Context()); f.Cause != Slow {
		t.Errorf("%+v", f)
	}
	if Limit > 30*time.Second {
		t.Error("nobody waits that long")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if f := Test(ctx, gatewayOf(fake)); f.Cause == OK || !errors.Is(ctx.Err(), context.Canceled) {
		t.Errorf("%+v", f)
	}
}

// TestTokenStaysHome looks where the token may go besides the gateway.
func TestTokenStaysHome(t *testing.T) {
	fake := fakegateway.New(t, fakegateway.Options{})
	fake.Script(fakegateway.GatewayError(401, 2009, "the token "+fakegateway.Token+" is wrong"))
	f := Test(t.Context(), gatewayOf(fake))
	if strings.Contains(f.Said, fakegateway.Token) {
		t.Errorf("it says the token: %q", f.Said)
	}
	if len(fake.Requests()) != 1 {
		t.Error("a gateway of somebody else was asked about the token")
	}
}

func TestEveryCauseSpeaks(t *testing.T) {
	for c, text := range texts {
		f := Finding{Cause: c, Provider: "openai"}
		if text.says == "" || (f.Cure() == "") != (c == OK) {
			t.Errorf("%s: %+v", c, text)
		}
	}
	for _, c := range causes {
		if _, ok := texts[c]; !ok {
			t.Errorf("no text for %s", c)
		}
	}
}

// TestReach asks whether somebody answers, without account, name and token.
func TestReach(t *testing.T) {
	fake := fakegateway.New(t, fakegateway.Options{})
	g := gatewayOf(fake)
	if f := Reach(t.Context(), g); f.Cause != OK {
		t.Errorf("%+v", f)
	}
	for _, r := range fake.Requests() {
		if r.Header.Get("Cf-Aig-Authorization") != "" || strings.Contains(r.Path, g.Account) {
			t.Errorf("%s %s: %v", r.Method, r.Path, r.Header)
		}
	}
	if f := Reach(t.Context(), Gateway{URL: "http://127.0.0.1:1"}); f.Cause != Unreachable || f.Said == "" {
		t.Errorf("%+v", f)
	}
}
