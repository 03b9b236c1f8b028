package e2e

import (
	"net/http"
	"strings"
	"testing"

	"apex-ai-proxy/proxy/demo/fakegateway"
)

const ownKey = "sk-own-key-of-the-user"

func plain(path, model string) string {
	return strings.Replace(streamBody(path, model, "hello there"), `"stream":true`, `"stream":false`, 1)
}

// noStream is a request that is not streamed, without the options of a stream.
func noStream(path, model string) string {
	return strings.Replace(plain(path, model), `"stream_options":{"include_usage":true},`, "", 1)
}

func TestStoredKeysNeedNoKey(t *testing.T) {
	p, g := setup(t, fakegateway.Options{}, config{})
	for _, key := range []func(*http.Request){
		set("Authorization", "Bearer "+localKey),
		set("Authorization", "Bearer "+fakegateway.Token), // as clients of older versions send
		func(r *http.Request) { r.Header.Del("Authorization"); r.Header.Set("X-Api-Key", localKey) },
		func(r *http.Request) {
			r.Header.Del("Authorization")
			r.Header.Set("Cf-Aig-Authorization", "Bearer "+fakegateway.Token)
		},
		func(r *http.Request) {
			r.Header.Set("Authorization", "bearer "+localKey)
			r.Header.Set("X-Api-Key", "junk")
		},
	} {
		for _, path := range []string{chatPath, messagesPath} {
			for _, model := range crossed {
				if a := p.send("POST", path, noStream(path, model), key); a.status != http.StatusOK {
					t.Errorf("%s %s: %d %s\nrefused: %s", path, model, a.status, a.body, g.Last().Refused)
				}
			}
		}
	}
}

func TestOwnKeys(t *testing.T) {
	var keys, env []string
	own := map[string]string{}
	for _, p := range providers {
		own[p.slug] = ownKey
		keys = append(keys, "[providers."+p.slug+"]\nkey = \"own\"\n")
		env = append(env, "APEX_PROVIDER_KEY_"+strings.ToUpper(strings.ReplaceAll(p.slug, "-", "_"))+"="+ownKey)
	}
	p, g := setup(t, fakegateway.Options{Keys: own}, config{settings: "version = 1\n" + strings.Join(keys, ""), env: env})
	for _, path := range []string{chatPath, messagesPath} {
		for _, provider := range providers {
			body := `{"model":"` + provider.model + `","max_tokens":50,"messages":[{"role":"user","content":"hello"}]}`
			if a := p.send("POST", path, body); a.status != http.StatusOK {
				t.Errorf("%s %s: %d %s\nrefused: %s", path, provider.slug, a.status, a.body, g.Last().Refused)
			}
		}
	}
}

func TestKeysOfTheClient(t *testing.T) {
	p, g := setup(t, fakegateway.Options{Keys: map[string]string{"openai": ownKey, "anthropic": ownKey}}, config{})
	for _, credential := range []string{localKey, fakegateway.Token} {
		for _, header := range []string{"Authorization", "X-Api-Key"} {
			for _, path := range []string{chatPath, messagesPath} {
				for _, model := range crossed {
					a := p.send("POST", path, noStream(path, model), func(r *http.Request) {
						r.Header.Del("Authorization")
						r.Header.Set("Cf-Aig-Authorization", "Bearer "+credential)
						r.Header.Set(header, map[bool]string{true: "Bearer "}[header == "Authorization"]+ownKey)
					})
					if a.status != http.StatusOK {
						t.Errorf("%s %s %s: %d %s\nrefused: %s", header, path, model, a.status, a.body, g.Last().Refused)
					}
				}
			}
		}
	}
}

func TestUnifiedBilling(t *testing.T) {
	p, g := setup(t, fakegateway.Options{Unified: map[string]bool{"openai": true}}, config{
		settings: "version = 1\n[providers.openai]\nkey = \"unified\"\n",
	})
	for _, model := range crossed {
		if a := p.send("POST", chatPath, noStream(chatPath, model)); a.status != http.StatusOK {
			t.Errorf("%s: %d %s\nrefused: %s", model, a.status, a.body, g.Last().Refused)
		}
	}
	// A client may forbid the charge, never allow it.
	if a := p.send("POST", chatPath, noStream(chatPath, "gpt-4o#openai"), set("Cf-Aig-No-Wholesale", "true")); a.status == http.StatusOK {
		t.Error("the client's veto is not passed on")
	}
	if a := p.send("POST", chatPath, noStream(chatPath, "claude-sonnet-4-5#anthropic"), set("Cf-Aig-No-Wholesale", "false")); a.status != http.StatusOK {
		t.Errorf("a client switched the protection off: %d %s", a.status, a.body)
	}
}

func TestKeysAreRequired(t *testing.T) {
	p, g := setup(t, fakegateway.Options{}, config{})
	for name, key := range map[string]func(*http.Request){
		"none":     set("Authorization", ""),
		"wrong":    set("Authorization", "Bearer nonsense"),
		"empty":    set("Authorization", "Bearer "),
		"prefix":   set("Authorization", "Bearer "+localKey[:len(localKey)-1]),
		"provider": func(r *http.Request) { r.Header.Set("Authorization", "Bearer x"); r.Header.Set("X-Api-Key", "y") },
	} {
		a := p.send("POST", chatPath, noStream(chatPath, "gpt-4o#openai"), key)
		if a.status != http.StatusUnauthorized || !strings.Contains(a.body, `"code":"invalid_api_key"`) {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
		a = p.send("POST", messagesPath, noStream(messagesPath, "gpt-4o#openai"), key)
		if a.status != http.StatusUnauthorized || !strings.Contains(a.body, `"type":"authentication_error"`) {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
		if a := p.send("GET", "/v1/models", "", key); a.status != http.StatusUnauthorized {
			t.Errorf("%s: models: %d", name, a.status)
		}
	}
	if n := len(g.Requests()); n > 0 {
		t.Errorf("%d requests without a key reached the gateway", n)
	}
}

func TestGatewayTokenThatIsWrong(t *testing.T) {
	g := fakegateway.New(t, fakegateway.Options{Token: "another"})
	p := start(t, config{
		args: []string{"--gateway-url", g.URL, "--account", fakegateway.Account, "--gateway", fakegateway.Name},
		env:  []string{"GATEWAY_TOKEN=" + fakegateway.Token},
	})
	for _, path := range []string{chatPath, messagesPath} {
		a := p.send("POST", path, noStream(path, "gpt-4o#openai"))
		if a.status != http.StatusBadGateway || !strings.Contains(a.body, "2009") || strings.Contains(a.body, fakegateway.Token) {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}
