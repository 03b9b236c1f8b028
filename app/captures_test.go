package app

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"apex-ai-proxy/app/secret"
	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/proxy/capture"
	"apex-ai-proxy/proxy/event"
)

// exchanged sends a request to the demo, with a secret in its text, and returns its record.
func exchanged(t *testing.T, a *App) event.Exchange {
	t.Helper()
	body := `{"model":"echo#demo","messages":[{"role":"user","content":"my key is ` + a.LocalKey() + `"}]}`
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+a.Status().Addr+"/v1/chat/completions", strings.NewReader(body))
	must(t, err)
	r.Header.Set("Authorization", "Bearer "+a.LocalKey())
	resp, err := http.DefaultClient.Do(r)
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
