package app

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"apex-ai-proxy/app/processors"
	"apex-ai-proxy/app/secret"
)

// governed is an App that uses so many processors all the time, as far as is known.
func governed(t *testing.T, share time.Duration) (a *App, all *atomic.Bool) {
	all = new(atomic.Bool)
	start := time.Now()
	used := func() (time.Duration, error) { return share * time.Since(start), nil }
	g := processors.New(used, func() int { return 0 }, all.Store)
	t.Cleanup(g.Close)
	a, err := Open(context.Background(), Options{
		Flags: map[string]string{"listen": "127.0.0.1:0"}, Env: given(t, map[string]string{"APEX_LOCAL_KEY": "key"}),
		Keychain: &secret.Memory{}, Processors: g,
	})
	must(t, err)
	t.Cleanup(func() { _ = a.Close(ended()) })
	must(t, a.Start(t.Context()))
	return a, all
}

func TestRequestsGetAllProcessors(t *testing.T) {
	a, all := governed(t, 1)
	if ask(t, a.Status().Addr, "key"); all.Load() {
		t.Error("there are all for one request")
	}
	until(t, "one is used up", func() bool {
		ask(t, a.Status().Addr, "key")
		return all.Load()
	})
}

func TestManyRequestsGetAllProcessors(t *testing.T) {
	a, all := governed(t, 0)
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	var clients sync.WaitGroup
	defer clients.Wait()
	body := `{"model":"slow#demo","stream":true,"messages":[{"role":"user","content":"` + strings.Repeat("word ", 2000) + `"}]}`
	for range 40 {
		clients.Go(func() {
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+a.Status().Addr+"/v1/chat/completions", strings.NewReader(body))
			if err != nil {
				t.Error(err)
				return
			}
			r.Header.Set("Authorization", "Bearer key")
			if resp, err := http.DefaultClient.Do(r); err == nil {
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		})
	}
	until(t, "many run", all.Load)
	leave()
	until(t, "they have gone", func() bool { return !all.Load() })
}

func TestTheWindowGetsAllProcessors(t *testing.T) {
	a, all := governed(t, 0)
	a.Seen(true)
	until(t, "the window is there", all.Load)
	a.Seen(false)
	until(t, "it has gone", func() bool { return !all.Load() })
}
