package proxy_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"apex-ai-proxy/proxy/capture"
)

const benchChunks = 1000

func benchStream(frames []string, middle int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i, f := range frames {
			n := 1
			if i == middle {
				n = benchChunks
			}
			for range n {
				_, _ = io.WriteString(w, f)
				w.(http.Flusher).Flush()
			}
		}
	}
}

// quiet is an upstream that records nothing.
func quiet(b *testing.B, h http.HandlerFunc) *upstream {
	b.Helper()
	u := &upstream{Server: httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		h(w, r)
	}))}
	b.Cleanup(u.Close)
	return u
}

func run(b *testing.B, target, path, body string) {
	b.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 10}
	defer transport.CloseIdleConnections()
	b.ReportAllocs()
	for b.Loop() {
		r, err := http.NewRequestWithContext(b.Context(), "POST", target+path, strings.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		r.Header.Set("X-Api-Key", localKey)
		resp, err := transport.RoundTrip(r)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != 200 {
			b.Fatal(resp.StatusCode, err)
		}
		_ = resp.Body.Close()
	}
}

// BenchmarkFloor is a bare reverse proxy with enough connections, to compare with.
func BenchmarkFloor(b *testing.B) {
	reverse := func(b *testing.B, u *upstream) string {
		b.Helper()
		target, err := url.Parse(u.URL)
		if err != nil {
			b.Fatal(err)
		}
		p := httputil.NewSingleHostReverseProxy(target)
		transport := &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}
		p.Transport, p.FlushInterval = transport, -1
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).EnableFullDuplex()
			p.ServeHTTP(w, r)
		}))
		b.Cleanup(s.Close)
		b.Cleanup(transport.CloseIdleConnections)
		return s.URL
	}
	b.Run("unary", func(b *testing.B) {
		run(b, reverse(b, quiet(b, vendor)), "/v1/chat/completions", chat("gpt-4o", ""))
	})
	b.Run("10 MB", func(b *testing.B) {
		run(b, reverse(b, quiet(b, vendor)), "/v1/chat/completions", chat("gpt-4o", `"image":"`+strings.Repeat("iVBORw0KGgoAAAANSUhEUg", 10<<20/22)+`",`))
	})
	b.Run("stream", func(b *testing.B) {
		run(b, reverse(b, quiet(b, benchStream(chatFrames, 1))), "/v1/chat/completions", chat("gpt-4o", `"stream":true,`))
	})
}

// BenchmarkProxy is the proxy itself. A stream has a thousand chunks.
func BenchmarkProxy(b *testing.B) {
	b.Run("passed unary", func(b *testing.B) {
		f := start(b, quiet(b, vendor))
		run(b, "http://"+f.Addr(), "/v1/chat/completions", chat("gpt-4o#openai", ""))
	})
	b.Run("passed unary captured", func(b *testing.B) {
		f := start(b, quiet(b, vendor), capturing(capture.NewStore(capture.DefaultLimits(), nil)))
		run(b, "http://"+f.Addr(), "/v1/chat/completions", chat("gpt-4o#openai", ""))
	})
	b.Run("converted unary", func(b *testing.B) {
		f := start(b, quiet(b, vendor))
		run(b, "http://"+f.Addr(), "/v1/messages", messages("gpt-4o#openai", ""))
	})
	image := `"image":"` + strings.Repeat("iVBORw0KGgoAAAANSUhEUg", 10<<20/22) + `",`
	b.Run("passed 10 MB", func(b *testing.B) {
		f := start(b, quiet(b, vendor))
		run(b, "http://"+f.Addr(), "/v1/chat/completions", chat("gpt-4o#openai", image))
	})
	for _, d := range doors {
		b.Run(d.name+" stream", func(b *testing.B) {
			f := start(b, quiet(b, benchStream(d.frames, len(d.frames)/2-1)))
			run(b, "http://"+f.Addr(), d.path, d.body)
		})
		b.Run(d.name+" stream captured", func(b *testing.B) {
			f := start(b, quiet(b, benchStream(d.frames, len(d.frames)/2-1)), capturing(capture.NewStore(capture.DefaultLimits(), nil)))
			run(b, "http://"+f.Addr(), d.path, d.body)
		})
	}
}
