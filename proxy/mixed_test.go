package proxy_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"apex-ai-proxy/proxy"
	"apex-ai-proxy/proxy/capture"
)

// TestNothingIsMixed: many requests at once, of all sizes, to upstreams that read all of them,
// a part, or nothing, for clients that stay or leave, while the settings change and somebody
// looks at what is captured. Buffers go from one to the other all the time, and still each
// request is its own, with the address and the token of one and the same configuration.
func TestNothingIsMixed(t *testing.T) {
	const workers, rounds = 8, 12
	filling := func(n int) string { return strings.Repeat(string(rune('A'+n%26)), 1+n*n*37%(300<<10)) }
	mixed := func(body string) bool { // more than one filling is in it
		n := 0
		for c := 'A'; c <= 'Z'; c++ {
			if strings.Contains(body, strings.Repeat(string(c), 4)) {
				n++
			}
		}
		return n > 1
	}
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if token := r.Header.Get("Cf-Aig-Authorization"); !strings.HasSuffix(token, strings.Split(r.URL.Path, "/")[2]) {
			t.Errorf("%s was sent to %s", token, r.URL.Path)
		}
		switch r.Header.Get("Cf-Aig-Cache-Key") {
		case "nothing":
		case "part":
			_, _ = io.ReadFull(r.Body, make([]byte, 1000))
		default:
			body, err := io.ReadAll(r.Body)
			if err == nil && mixed(string(body)) {
				t.Errorf("two requests in one: %.60s … %.60s", body, body[max(0, len(body)-60):])
			}
		}
		vendor(w, r)
	}))
	defer up.Close()
	store := capture.NewStore(capture.Limits{Exchanges: 12, PerBody: 128 << 10, Total: 1 << 20}, nil)
	at := func(name string) func(*proxy.Config) {
		return func(c *proxy.Config) {
			c.Captures, c.GatewayURL, c.Account, c.GatewayToken = store, up.URL+"/v1", name, "token-of-"+name
		}
	}
	f := start(t, nil, at("one"))
	two := f.cfg
	at("two")(&two)

	ctx, stop := context.WithCancel(t.Context())
	var beside sync.WaitGroup
	beside.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			if i%2 == 0 {
				f.Apply(two)
			} else {
				f.Apply(f.cfg)
			}
			for _, x := range f.bus.Recent() {
				if snap, ok := store.Get(x.ID); ok {
					for side := range snap.Messages {
						if b := string(snap.Messages[side].Body); mixed(b) || strings.Contains(b, "token-of") {
							t.Errorf("side %d of %s shows %.60s", side, x.ID, b)
						}
					}
				}
			}
			time.Sleep(time.Millisecond)
		}
	})
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for i := range rounds {
				n := w*rounds + i
				d := doors[n%len(doors)]
				body := strings.Replace(d.body, "{", fmt.Sprintf(`{"user":%q,`, filling(n)), 1)
				if n%3 != 0 { // the name of a known family, which passes as it is
					body = strings.NewReplacer("gpt-4o#openai", "gpt-4o", "claude-x#anthropic", "claude-x").Replace(body)
				}
				ctx, cancel := context.WithCancel(t.Context())
				if n%5 == 0 {
					time.AfterFunc(time.Duration(n%7)*time.Millisecond, cancel)
				}
				reading := []string{"all", "all", "nothing", "part"}[n%4]
				resp, err := http.DefaultTransport.RoundTrip(f.request(ctx, http.MethodPost, d.path, body, withHeader("Cf-Aig-Cache-Key", reading)))
				if err == nil {
					_, _ = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
				}
				cancel()
			}
		})
	}
	all.Wait()
	stop()
	beside.Wait()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}
