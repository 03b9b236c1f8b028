package app

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"apex-ai-proxy/app/secret"
	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/proxy/capture"
	"apex-ai-proxy/proxy/capture/export"
	"apex-ai-proxy/proxy/event"
)

// exchanged sends a request to the demo, with a secret in its text, and returns its record.
func exchanged(t *testing.T, a *App) event.Exchange {
	t.Helper()
	return echoed(t, a, "my key is "+a.LocalKey())
}

// echoed sends a text to the demo, which repeats it, and returns the record.
func echoed(t *testing.T, a *App, text string) event.Exchange {
	t.Helper()
	body := `{"model":"echo#demo","messages":[{"role":"user","content":"` + text + `"}]}`
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+a.Status().Addr+"/v1/chat/completions", strings.NewReader(body))
	must(t, err)
	r.Header.Set("Authorization", "Bearer "+a.LocalKey())
	resp, err := http.DefaultClient.Do(r)
	must(t, err)
	_, err = io.Copy(io.Discard, resp.Body)
	must(t, err)
	must(t, resp.Body.Close())
	list := a.Bus().Recent()
	return list[len(list)-1]
}

func TestCaptures(t *testing.T) {
	a := opened(t, map[string]string{"APEX_LOCAL_KEY": "a-local-key-of-some-length"}, &secret.Memory{})
	must(t, a.Start(context.Background()))
	if x := exchanged(t, a); x.Captured {
		t.Error("bytes are kept although nobody looks at them")
	}
	store := a.Captures()
	x := exchanged(t, a)
	snap, ok := store.Get(x.ID)
	if !ok || !x.Captured {
		t.Fatal("nothing is kept")
	}
	if body := string(snap.Messages[capture.ClientRequest].Body); strings.Contains(body, a.LocalKey()) || !strings.Contains(body, "my key is") {
		t.Errorf("the request is shown as %s", body)
	}
	s := a.Settings()
	s.Captures = settings.Captures{Bodies: settings.BodiesOff, Exchanges: 7, Memory: 3}
	must(t, a.SaveSettings(context.Background(), s))
	if l := store.Limits(); l.Mode != capture.Off || l.Exchanges != 7 || l.Total != 3<<20 {
		t.Errorf("limits %+v", l)
	}
	if _, ok := store.Get(x.ID); ok || exchanged(t, a).Captured {
		t.Error("bytes are kept after captures were switched off")
	}
}

// TestFormerSecretsStayHidden: what was captured while a secret was in force does not show it
// after it was replaced or removed, however often.
func TestFormerSecretsStayHidden(t *testing.T) {
	own := secret.ProviderKey("openai")
	first := []string{"local-key-of-old", "gateway-token-of-old", "own-key-of-old"}
	names := []string{secret.LocalKey, secret.GatewayToken, own}
	ring := &secret.Memory{}
	for i, name := range names {
		must(t, ring.Set(t.Context(), name, first[i]))
	}
	a := opened(t, nil, ring)
	s := a.Settings()
	s.Providers = map[string]settings.Provider{"openai": {Key: settings.KeyOwn}}
	must(t, a.SaveSettings(t.Context(), s))
	store := a.Captures()
	must(t, a.Start(t.Context()))
	for _, name := range names {
		must(t, a.SecretState(t.Context(), name))
	}
	said := slices.Clone(first)
	x := echoed(t, a, strings.Join(first, " and "))
	shown := func(what string) {
		t.Helper()
		snap, ok := store.Get(x.ID)
		if !ok || !strings.Contains(string(snap.Messages[capture.ClientAnswer].Body), capture.Dots+" and "+capture.Dots) {
			t.Fatalf("%s: %s", what, snap.Messages[capture.ClientAnswer].Body)
		}
		var har bytes.Buffer
		must(t, export.HAR(&har, []export.Entry{{Record: x, Captured: &snap}}, "http://localhost", "1"))
		curl, err := export.Curl(&snap, capture.ClientRequest, "http://localhost", export.Bash)
		must(t, err)
		texts := map[string]string{"archive": har.String(), "command": curl}
		for side, m := range snap.Messages {
			texts[fmt.Sprint("side ", side)] = string(m.Body)
		}
		for where, text := range texts {
			for _, value := range said {
				if strings.Contains(text, value) {
					t.Errorf("%s: the %s shows %s", what, where, value)
				}
			}
		}
	}
	shown("at first")
	for round := range 3 {
		for _, name := range names {
			value := fmt.Sprintf("%s-of-round-%d", name, round)
			said = append(said, value)
			must(t, a.SetSecret(t.Context(), name, value))
			shown(name + " is another")
		}
		x = echoed(t, a, strings.Join(said, " and "))
	}
	for _, name := range names {
		must(t, a.DeleteSecret(t.Context(), name))
		shown(name + " is gone")
	}
}
