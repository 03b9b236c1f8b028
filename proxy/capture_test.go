package proxy_test

import (
	"net/http"
	"strings"
	"testing"

	"apex-ai-proxy/proxy"
	"apex-ai-proxy/proxy/capture"
	"apex-ai-proxy/proxy/event"
)

func capturing(s *capture.Store) func(*proxy.Config) {
	return func(c *proxy.Config) { c.Captures = s }
}

// TestCaptures looks at the four sides of every way through the proxy.
func TestCaptures(t *testing.T) {
	for _, d := range doors {
		for _, stream := range []bool{false, true} {
			name, body, h := d.name+"/whole", strings.Replace(d.body, `"stream":true`, `"stream":false`, 1), http.HandlerFunc(vendor)
			if stream {
				name, body, h = d.name+"/stream", d.body, sseAnswer(d.frames...)
			}
			t.Run(name, func(t *testing.T) {
				store := capture.NewStore(capture.DefaultLimits(), nil)
				up := newUpstream(t, h)
				f := start(t, up, capturing(store))
				got := f.post(d.path+"?beta=true", body, withHeader("X-Apex-Replay-Of", "req_before"))
				rec := f.final(got.header.Get("Request-Id"))
				if !rec.Captured || rec.ReplayOf != "req_before" {
					t.Errorf("captured %t, replay of %q", rec.Captured, rec.ReplayOf)
				}
				snap, ok := store.Get(rec.ID)
				if !ok || !snap.Done || snap.Attempts != 1 {
					t.Fatalf("%t %+v", ok, snap)
				}
				m, sent := snap.Messages, up.last(t)
				if string(m[capture.ClientRequest].Body) != body || m[capture.ClientRequest].URL != d.path+"?beta=true" {
					t.Errorf("client request: %s %s", m[capture.ClientRequest].URL, m[capture.ClientRequest].Body)
				}
				if string(m[capture.UpstreamRequest].Body) != sent.body || !strings.HasSuffix(strings.Split(m[capture.UpstreamRequest].URL, "?")[0], sent.path) {
					t.Errorf("upstream request: %s %s", m[capture.UpstreamRequest].URL, m[capture.UpstreamRequest].Body)
				}
				if string(m[capture.ClientAnswer].Body) != got.body || m[capture.ClientAnswer].Status != 200 {
					t.Errorf("client answer: %s", m[capture.ClientAnswer].Body)
				}
				if same := named(string(m[capture.UpstreamAnswer].Body), d.model()) == got.body; same == d.converted || m[capture.UpstreamAnswer].Size == 0 {
					t.Errorf("upstream answer: %s", m[capture.UpstreamAnswer].Body)
				}
				for side := range m {
					for name := range m[side].Header {
						if v := m[side].Header.Get(name); strings.Contains(v, localKey) || strings.Contains(v, gateToken) {
							t.Errorf("side %d: %s holds a secret", side, name)
						}
					}
				}
			})
		}
	}
}

// TestCapturesOfALargeRequest: what passes through with an edit is shown as it was sent, by each
// of the attempts, and kept once.
func TestCapturesOfALargeRequest(t *testing.T) {
	const size = 200 << 10
	store := capture.NewStore(capture.DefaultLimits(), nil)
	up := newUpstream(t, after(2, jsonAnswer(503, busy), vendor))
	f, _ := again(t, up, capturing(store), withAliases(map[string][]string{"big": {"gpt-4o#openai", "gpt-4.1-mini#openai"}}))
	body := chat("big", `"text":"`+strings.Repeat("x", size)+`",`)
	for attempts := 3; attempts > 0; attempts -= 2 { // refused twice at first, and then no more
		rec := f.final(f.post("/v1/chat/completions", body).header.Get("Request-Id"))
		snap, _ := store.Get(rec.ID)
		m, sent := snap.Messages, up.last(t)
		if string(m[capture.ClientRequest].Body) != body {
			t.Errorf("%d bytes are shown of the client's request, %d came", len(m[capture.ClientRequest].Body), len(body))
		}
		if string(m[capture.UpstreamRequest].Body) != sent.body || !strings.Contains(sent.body[:40], `"gpt-4`) {
			t.Errorf("%d bytes are shown of the upstream's request, %d were sent: %.40s", len(m[capture.UpstreamRequest].Body), len(sent.body), sent.body)
		}
		if path, again, ok := store.Original(rec.ID); !ok || path != "/v1/chat/completions" || string(again) != body {
			t.Errorf("what would be sent again: %s %t, %d bytes", path, ok, len(again))
		}
		if snap.Attempts != attempts {
			t.Errorf("%d attempts, want %d", snap.Attempts, attempts)
		}
	}
	if n := store.Bytes(); n > 2*(size+size/3) {
		t.Errorf("%d bytes are held for two requests of %d", n, size)
	}
}

func TestCapturesOfFailures(t *testing.T) {
	store := capture.NewStore(capture.Limits{Mode: capture.Errors, Exchanges: 9, PerBody: 1000, Total: 1 << 20}, nil)
	up := newUpstream(t, jsonAnswer(429, `{"error":{"message":"slow down","type":"rate_limit_error"}}`))
	f := start(t, up, capturing(store))
	refused := f.final(f.post("/v1/messages", messages("gpt-4o#openai", "")).header.Get("Request-Id"))
	snap, ok := store.Get(refused.ID)
	if !ok || snap.Messages[capture.UpstreamAnswer].Status != 429 || !strings.Contains(string(snap.Messages[capture.UpstreamAnswer].Body), "slow down") ||
		!strings.Contains(string(snap.Messages[capture.ClientAnswer].Body), "rate_limit_error") {
		t.Errorf("%t %+v", ok, snap)
	}
	invalid := f.final(f.post("/v1/messages", "{").header.Get("Request-Id"))
	if snap, ok := store.Get(invalid.ID); !ok || string(snap.Messages[capture.ClientRequest].Body) != "{" || snap.Messages[capture.UpstreamRequest].Seen {
		t.Errorf("a request that is not JSON: %t %+v", ok, snap)
	}
}

// TestCapturesOfRefusals: of what is refused before it is read, the proxy's own answer is kept, and
// nothing of the request.
func TestCapturesOfRefusals(t *testing.T) {
	for name, edits := range map[string][]edit{
		"wrong key":    {withHeader("Authorization", "Bearer sk-somebody-elses-key")},
		"no key":       {without("Authorization")},
		"foreign page": {withHeader("Origin", "https://elsewhere.example")},
	} {
		t.Run(name, func(t *testing.T) {
			store := capture.NewStore(capture.DefaultLimits(), nil)
			f := start(t, newUpstream(t, vendor), capturing(store))
			got := f.post("/v1/messages?key=in-the-address", messages("gpt-4o#openai", ""), edits...)
			rec := f.final(got.header.Get("Request-Id"))
			snap, ok := store.Get(rec.ID)
			if !ok || !snap.Done || !rec.Captured || !rec.Refused || got.status < 400 {
				t.Fatalf("%d %t %+v %+v", got.status, ok, snap, rec)
			}
			if m := &snap.Messages[capture.ClientAnswer]; m.Status != got.status || string(m.Body) != got.body || m.Size == 0 {
				t.Errorf("kept %d %s, the client got %d %s", m.Status, m.Body, got.status, got.body)
			}
			for _, side := range []capture.Side{capture.ClientRequest, capture.UpstreamRequest, capture.UpstreamAnswer} {
				if m := snap.Messages[side]; m.Seen || m.Size > 0 || m.Header != nil || m.URL != "" {
					t.Errorf("side %d: %+v", side, m)
				}
			}
			if some, _ := store.Kept(rec.ID); some {
				t.Error("it could be sent again")
			}
			store.SetLimits(capture.Limits{Mode: capture.Off})
			if rec = f.final(f.post("/v1/messages", "{}", edits...).header.Get("Request-Id")); rec.Captured || !rec.Refused || store.Bytes() > 0 {
				t.Errorf("%+v: %d bytes are kept although captures are off", rec, store.Bytes())
			}
			if f.final(f.post("/v1/messages", "{").header.Get("Request-Id")).Refused {
				t.Error("a body that was read counts as refused")
			}
		})
	}
}

// TestRefusalsLeaveRoom: a stranger does not push out what is kept of others.
func TestRefusalsLeaveRoom(t *testing.T) {
	limits := capture.DefaultLimits()
	limits.Exchanges = 20
	store := capture.NewStore(limits, nil)
	f := start(t, newUpstream(t, vendor), capturing(store))
	good := f.post("/v1/messages", messages("gpt-4o#openai", "")).header.Get("Request-Id")
	for range 2 * limits.Exchanges {
		f.post("/v1/messages", messages("gpt-4o#openai", ""), without("Authorization"))
	}
	if snap, ok := store.Get(good); !ok || !snap.Done {
		t.Error("what was kept of a request is lost")
	}
}

func TestNoCaptures(t *testing.T) {
	f := start(t, newUpstream(t, vendor))
	x := f.final(f.post("/v1/messages", messages("gpt-4o#openai", ""), withHeader("X-Apex-Replay-Of", "<script>")).header.Get("Request-Id"))
	if x.Captured || x.ReplayOf != "" || x.Phase != event.Done {
		t.Errorf("%+v", x)
	}
}
