// Package fakegateway is a Cloudflare AI Gateway for tests, with the providers behind
// it. It takes only what they take: the right path, credentials, model id and fields,
// and never a secret that is not theirs. It answers as package demo does, or as a test
// scripts it, and keeps every request for the test to look at.
package fakegateway

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sort"
	"strings"
	"sync"
	"testing"

	"apex-ai-proxy/proxy/demo"
)

// What a Gateway expects unless Options say otherwise.
const (
	Account         = "0123456789abcdef0123456789abcdef"
	Name            = "test-gateway"
	Token           = "cf-token-of-the-gateway"
	AzureResource   = "resource"
	AzureAPIVersion = "2025-04-01-preview"
)

// Options say which credentials are the right ones.
type Options struct {
	Token string // of the gateway; "" means the constant Token
	// Keys are the users' own keys by provider. A provider without one has its key
	// stored at the gateway, so that a request must not bring any.
	Keys map[string]string
	// NoKey are the providers whose key is not stored at the gateway.
	NoKey map[string]bool
	// NotPermitted: the token may not run the gateway.
	NotPermitted bool
	// Unified are the providers that the gateway may charge for.
	Unified map[string]bool
	// Secrets must never arrive, in headers or bodies: the proxy's local key.
	Secrets []string
	// AzureAPIVersion is the expected api-version; "" means the constant.
	AzureAPIVersion string
}

// Gateway is a running fake.
type Gateway struct {
	URL string // with /v1, without a slash at the end

	t    testing.TB
	opts Options
	srv  *httptest.Server
	next chan *Request

	threads threads

	mu       sync.Mutex
	requests []*Request
	script   []Answer
	play     func(demo.Turn) demo.Reply
}

// Request is one that arrived.
type Request struct {
	Method, Path string
	Provider     string // the slug of the path
	Query        url.Values
	Header       http.Header
	Body         []byte
	Refused      string // why the gateway or the provider refused it, "" when they did not

	ended     chan struct{}
	cancelled bool
}

// Cancelled waits for the end of the request and tells whether the proxy hung up before
// the answer was complete.
func (r *Request) Cancelled(ctx context.Context) (bool, error) {
	select {
	case <-r.ended:
		return r.cancelled, nil
	case <-ctx.Done():
		return false, fmt.Errorf("waiting for the end of %s: %w", r.Path, ctx.Err())
	}
}

// New starts a gateway that ends with the test.
func New(t testing.TB, opts Options) *Gateway {
	t.Helper()
	if opts.Token == "" {
		opts.Token = Token
	}
	if opts.AzureAPIVersion == "" {
		opts.AzureAPIVersion = AzureAPIVersion
	}
	g := &Gateway{t: t, opts: opts, next: make(chan *Request, 1024)}
	g.srv = httptest.NewServer(http.HandlerFunc(g.serve))
	g.URL = g.srv.URL + "/v1"
	t.Cleanup(func() {
		g.srv.CloseClientConnections()
		g.srv.Close()
	})
	return g
}

// Script queues answers for the next requests that are not refused. Without any left,
// the models of package demo answer: one whose name is part of the model's, or stands
// in the user's text as in [[tools]], otherwise echo.
func (g *Gateway) Script(answers ...Answer) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.script = append(g.script, answers...)
}

// Play has play answer whatever is not refused or scripted.
func (g *Gateway) Play(play func(demo.Turn) demo.Reply) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.play = play
}

// Requests are all that arrived, in order.
func (g *Gateway) Requests() []*Request {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]*Request(nil), g.requests...)
}

// Last is the request that arrived last. Without one the test ends.
func (g *Gateway) Last() *Request {
	g.t.Helper()
	all := g.Requests()
	if len(all) == 0 {
		g.t.Fatal("no request reached the gateway")
	}
	return all[len(all)-1]
}

// Next waits for the next request to arrive. Each is handed out once.
func (g *Gateway) Next(ctx context.Context) (*Request, error) {
	select {
	case r := <-g.next:
		return r, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for a request at the gateway: %w", ctx.Err())
	}
}

func (g *Gateway) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the proxy hung up
	}
	in := &Request{Method: r.Method, Path: r.URL.Path, Query: r.URL.Query(), Header: r.Header.Clone(), Body: body, ended: make(chan struct{})}
	call, fault := g.check(in)
	if fault != nil {
		in.Refused = fault.why
	}
	number, answer := g.record(in, fault == nil)
	g.headers(w.Header(), number)
	defer func() {
		in.cancelled = r.Context().Err() != nil
		close(in.ended)
	}()
	switch {
	case fault != nil:
		Raw(fault.status, nil, fault.body)(w, r)
	case answer != nil:
		answer(w, r)
	case call.list != "":
		Raw(http.StatusOK, nil, call.list)(w, r)
	default:
		g.answer(w, r, call, body)
	}
}

// answer has a model answer a request that was accepted.
func (g *Gateway) answer(w http.ResponseWriter, r *http.Request, c *call, body []byte) {
	g.mu.Lock()
	opts := c.provider.opts
	if g.play != nil {
		opts = append(opts[:len(opts):len(opts)], demo.WithPlay(g.play))
	}
	g.mu.Unlock()
	if c.thread != nil {
		body, _ = json.Marshal(c.thread) // it was JSON before
		kept := &tee{ResponseWriter: w}
		defer func() { g.threads.keep(c.thread, kept.kept.Bytes()) }()
		w = kept
	}
	r = r.Clone(r.Context())
	r.URL.Path = c.demoPath
	r.Body = io.NopCloser(bytes.NewReader(body))
	demo.New(opts...).ServeHTTP(w, r)
}

// record keeps the request and takes the next scripted answer for one that may have it.
func (g *Gateway) record(in *Request, accepted bool) (number int, answer Answer) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.requests = append(g.requests, in)
	if accepted && len(g.script) > 0 {
		answer, g.script = g.script[0], g.script[1:]
	}
	select {
	case g.next <- in:
	default: // nobody asks for them
	}
	return len(g.requests), answer
}

func (g *Gateway) headers(h http.Header, number int) {
	h.Set("Cf-Aig-Log-Id", fmt.Sprintf("01999999-0000-7000-8000-%012d", number))
	h.Set("Cf-Aig-Request-Id", fmt.Sprintf("01999999-0000-7000-8000-%012d", number))
	h.Set("Cf-Aig-Cache-Status", "MISS")
	h.Set("Cf-Aig-Step", "0")
	h.Set("Cf-Ray", fmt.Sprintf("%016x-FRA", number))
	h.Set("Server", "cloudflare")
	h.Set("Set-Cookie", "__cf_bm=tracking; path=/")
	h.Set("Alt-Svc", `h3=":443"; ma=86400`)
}

// fault is why a request is refused, and the answer that says so.
type fault struct {
	why    string
	status int
	body   string
}

// call is a request understood.
type call struct {
	provider *provider
	demoPath string
	model    string
	thread   map[string]json.RawMessage // the whole request of one that belongs to a thread
	list     string                     // the answer of one that asks for models
}

// check goes through the gateway's checks and then the provider's.
func (g *Gateway) check(in *Request) (*call, *fault) {
	if f := g.leaks(in); f != nil {
		return nil, f
	}
	parts := strings.SplitN(strings.TrimPrefix(in.Path, "/v1/"), "/", 4)
	switch {
	case !strings.HasPrefix(in.Path, "/v1/") || len(parts) < 4:
		return nil, gatewayFault(http.StatusBadRequest, 2008, "Invalid provider")
	case parts[0] != Account || parts[1] != Name:
		return nil, gatewayFault(http.StatusBadRequest, 2001, "Please configure AI Gateway in the Cloudflare dashboard")
	case in.Header.Get("Cf-Aig-Authorization") != "Bearer "+g.opts.Token:
		return nil, gatewayFault(http.StatusUnauthorized, 2009, "Unauthorized")
	case g.opts.NotPermitted:
		return nil, notPermitted()
	}
	slug, rest := parts[2], parts[3]
	in.Provider = slug
	if in.Method == http.MethodGet {
		return g.list(in, slug, rest)
	}
	c, f := g.route(in, slug, rest)
	if f != nil {
		return nil, f
	}
	if f := g.credentials(in, c.provider); f != nil {
		return nil, f
	}
	if f := shape(in); f != nil {
		return nil, f
	}
	if c.thread, f = g.threads.expand(in); f != nil {
		return nil, f
	}
	return c, c.provider.validate(in, c)
}

// leaks refuses a request that brings a secret of the proxy's, and fails the test.
func (g *Gateway) leaks(in *Request) *fault {
	for _, secret := range g.opts.Secrets {
		where := ""
		for name, values := range in.Header {
			if strings.Contains(strings.Join(values, "\n"), secret) {
				where = "header " + name
			}
		}
		if bytes.Contains(in.Body, []byte(secret)) {
			where = "body"
		}
		if strings.Contains(in.Path+"?"+in.Query.Encode(), secret) {
			where = "address"
		}
		if where != "" {
			g.t.Errorf("a secret of the proxy reached the gateway in the %s", where)
			return &fault{why: "leaked secret", status: http.StatusBadRequest, body: "leaked"}
		}
	}
	return nil
}

// shape checks what every provider expects of a request.
func shape(in *Request) *fault {
	switch {
	case in.Method != http.MethodPost:
		return &fault{why: "method " + in.Method, status: http.StatusMethodNotAllowed, body: `{"error":{"message":"Method not allowed","type":"invalid_request_error","param":null,"code":null}}`}
	case !strings.HasPrefix(in.Header.Get("Content-Type"), "application/json"):
		return &fault{why: "content type " + in.Header.Get("Content-Type"), status: http.StatusUnsupportedMediaType, body: `{"error":{"message":"Unsupported media type","type":"invalid_request_error","param":null,"code":null}}`}
	case in.Header.Get("Cookie") != "":
		return &fault{why: "a cookie", status: http.StatusBadRequest, body: `{"error":{"message":"cookie","type":"invalid_request_error","param":null,"code":null}}`}
	}
	return nil
}

// behaviour chooses the demo model that answers.
func behaviour(model, text string) string {
	names := demo.Models()
	sort.Slice(names, func(i, j int) bool { return len(names[i]) > len(names[j]) })
	for _, name := range names {
		if strings.Contains(text, "[["+name+"]]") {
			return name
		}
	}
	for _, name := range names {
		if strings.Contains(model, name) {
			return name
		}
	}
	return "echo"
}
