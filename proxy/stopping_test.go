package proxy

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"apex-ai-proxy/proxy/event"
)

// leaving is an upstream that begins a stream, and ends it as if it were done when the request
// is given up.
type leaving struct{ begun chan struct{} }

func (l leaving) RoundTrip(r *http.Request) (*http.Response, error) {
	begin := strings.NewReader(`data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"echo","choices":[{"index":0,"delta":{"role":"assistant","content":"hi"},"finish_reason":null}]}` + "\n\n")
	return &http.Response{
		StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, ContentLength: -1, Request: r,
		Header: http.Header{"Content-Type": {"text/event-stream"}},
		Body:   io.NopCloser(io.MultiReader(begin, untilGone{r.Context(), l.begun})),
	}, nil
}

type untilGone struct {
	ctx   context.Context
	begun chan struct{}
}

func (u untilGone) Read([]byte) (int, error) {
	close(u.begun)
	<-u.ctx.Done()
	return 0, io.EOF
}

// TestStoppedStreamSaysSo: an upstream may notice first that the proxy stops, and end its
// stream. It is not to blame.
func TestStoppedStreamSaysSo(t *testing.T) {
	bus := event.NewBus(10)
	s := New(slog.New(slog.DiscardHandler), bus)
	upstream := leaving{make(chan struct{})}
	s.demo = upstream
	if err := s.Start(t.Context(), "127.0.0.1:0", Config{LocalKey: "k-0123456789"}); err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.Addr()+"/v1/chat/completions",
		strings.NewReader(`{"model":"echo#demo","stream":true,"messages":[{"role":"user","content":"hi"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer k-0123456789")
	transport := &http.Transport{DisableKeepAlives: true}
	resp, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	<-upstream.begun
	now, cancel := context.WithCancel(t.Context())
	cancel()
	_ = s.Stop(now)
	body, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(body), "proxy_stopping") || strings.Contains(string(body), "ended its stream early") {
		t.Errorf("%v, %s", err, body)
	}
	if x := bus.Recent()[0]; x.ErrorKind != "proxy_stopping" {
		t.Errorf("record %+v", x)
	}
}

// TestNothingToCut: a stop that may take no time is a good one where nothing runs.
func TestNothingToCut(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for range 30 { // both are true at the same time, and either may be seen first
		r := newRun()
		r.http, r.cut = new(http.Server), func(error) {}
		close(r.done)
		if err := r.stop(over); err != nil {
			t.Fatal(err)
		}
	}
}
