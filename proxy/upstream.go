package proxy

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"apex-ai-proxy/proxy/capture"
	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/prose"
)

// upstream is the way out: one pool of connections for all exchanges.
type upstream struct {
	transport atomic.Pointer[http.Transport] // of this run
	self      string                         // marks requests of this server, to notice when one comes back

	mu      sync.Mutex
	read    map[string]*http.Request // by address; nobody writes to them
	sockets map[*socket]struct{}     // that are open; nil while none may be
}

// hopHeader tells through which proxies of this kind a request has come.
const hopHeader = "X-Apex-Hop"

const (
	dialTimeout  = 15 * time.Second
	pingAfter    = 30 * time.Second // of silence on an HTTP/2 connection
	pingTimeout  = 15 * time.Second
	idlePerHost  = 256
	idleLifetime = 90 * time.Second
	maxHead      = 256 << 10 // of an answer, in bytes; as much as of a request
)

// newUpstream makes the pool. owns tells whether a connection leads back to the server.
func newUpstream(owns func(local, remote net.Addr) bool) *upstream {
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}
	var self [8]byte
	_, _ = rand.Read(self[:])
	u := &upstream{self: hex.EncodeToString(self[:])}
	u.transport.Store(&http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := dialer.DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			if owns(c.LocalAddr(), c.RemoteAddr()) {
				_ = c.Close()
				return nil, loop()
			}
			return u.keep(c)
		},
		ForceAttemptHTTP2:   true,
		HTTP2:               &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
		DisableCompression:  true,
		MaxIdleConns:        2 * idlePerHost,
		MaxIdleConnsPerHost: idlePerHost,
		IdleConnTimeout:     idleLifetime,
		TLSHandshakeTimeout: dialTimeout,
		ReadBufferSize:      8 << 10,
		WriteBufferSize:     4 << 10,

		MaxResponseHeaderBytes: maxHead,
	})
	return u
}

func loop() *ir.Error {
	return &ir.Error{
		Kind: ir.InvalidRequest, Code: "proxy_loop", ShouldRetry: "false",
		Message: prose.New("the gateway's address leads back to this proxy: correct it in Settings, or with --gateway-url"),
	}
}

// came tells whether a request of this server has come back to it, on whatever way.
func (u *upstream) came(r *http.Request) bool {
	for _, hop := range r.Header[hopHeader] {
		if strings.Contains(hop, u.self) {
			return true
		}
	}
	return false
}

// send makes the upstream request and waits for the head of the answer; a request that
// nobody began to work on is sent again. It returns errGone when the client went away
// meanwhile.
func (x *exchange) send(address string, body ...[]byte) (*http.Response, error) {
	for try := 0; ; try++ {
		var j journey
		resp, err := x.sendOnce(&j, address, body)
		repeat, resp := x.again(try, &j, resp, err)
		switch {
		case repeat:
		case resp != nil:
			return resp, nil
		default: // without an error, the context has ended
			if e := x.broken(err); e != nil {
				return nil, e
			}
			return nil, errGone
		}
	}
}

// sendOnce sends a request, and tells j how far it came.
func (x *exchange) sendOnce(j *journey, address string, body [][]byte) (*http.Response, error) {
	req, err := x.s.up.post(j.trace(x.ctx), address)
	if err != nil {
		return nil, notConfigured("the address of the gateway is not valid: correct it in Settings, or with --gateway-url")
	}
	letGo := setBody(req, body, x.body)
	req.Header = x.headers()
	x.bytes.Sent(req.Method, address, req.Header, x.asked, body...)
	var way http.RoundTripper = x.s.up.transport.Load()
	if x.route.Provider.Local {
		way = x.s.demo
	}
	x.watch.rest()
	if limit := x.cfg.UpstreamTimeout; limit > 0 {
		x.watch.await(limit, func() { x.cancel(errUpstreamSlow) })
	}
	j.begun = time.Now()
	resp, err := way.RoundTrip(req)
	if err != nil {
		x.watch.rest()
		return nil, err
	}
	if j.written.Load() {
		letGo()
	}
	x.hideHeaders(resp.Header)
	x.rec.GatewayLogID = brief(first(resp.Header, "Cf-Aig-Log-Id"), maxRecorded)
	x.rec.CacheStatus = brief(first(resp.Header, "Cf-Aig-Cache-Status"), maxRecorded)
	x.rec.GatewayStep = brief(first(resp.Header, "Cf-Aig-Step"), maxRecorded)
	x.rec.GatewayModel = brief(routed(resp.Header), maxRecorded)
	x.watch.begin(x.rec.Start)
	resp.Body = &watched{resp.Body, &x.watch}
	if err := x.plain(resp); err != nil {
		_ = resp.Body.Close()
		return nil, err
	}
	if x.bytes != nil {
		x.bytes.Answer(capture.UpstreamAnswer, resp.StatusCode, resp.Header)
		resp.Body = &captured{resp.Body, x.bytes}
	}
	return resp, nil
}

// post is a request to an address, without a body. Addresses are few and used again and again:
// they are read once.
func (u *upstream) post(ctx context.Context, address string) (*http.Request, error) {
	u.mu.Lock()
	r := u.read[address]
	u.mu.Unlock()
	if r == nil {
		var err error
		if r, err = http.NewRequestWithContext(context.Background(), http.MethodPost, address, http.NoBody); err != nil {
			return nil, err
		}
		if len(address) <= maxAddress {
			u.mu.Lock()
			if u.read == nil || len(u.read) >= maxAddresses {
				u.read = make(map[string]*http.Request)
			}
			u.read[address] = r
			u.mu.Unlock()
		}
	}
	return r.WithContext(ctx), nil
}

// The addresses that are remembered, and their length in bytes: clients may write what they
// like into a query.
const (
	maxAddresses = 64
	maxAddress   = 1 << 10
)

// setBody gives a request a body that comes in pieces, of which some are those of the lease.
// It can be sent again, when a connection from the pool turns out to be closed; letGo may be
// called when it has been sent, so that it is not kept as long as the answer takes.
func setBody(r *http.Request, body [][]byte, from *lease) (letGo func()) {
	var whole *bytes.Reader
	r.ContentLength = 0
	for _, p := range body {
		r.ContentLength += int64(len(p))
	}
	r.GetBody = func() (io.ReadCloser, error) {
		if len(body) == 1 { // of a type that the transport knows, and sends with the headers
			whole = bytes.NewReader(body[0])
			return io.NopCloser(whole), nil
		}
		from.hold()
		return &pieces{left: slices.Clone(body), from: from}, nil
	}
	r.Body, _ = r.GetBody() // which does not fail
	return func() {
		body = nil
		if whole != nil {
			whole.Reset(nil)
		}
	}
}

// captured keeps a copy of what is read from an upstream.
type captured struct {
	io.ReadCloser
	bytes *capture.Record
}

// Read implements io.Reader.
func (c *captured) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.bytes.Write(capture.UpstreamAnswer, p[:n])
	return n, err
}

// errGone ends an exchange whose client is no longer there.
var errGone = &ir.Error{Kind: ir.OtherClient, Status: 499, Message: prose.New("the client went away")}

// plain undoes a coding of the answer that nobody asked for.
func (x *exchange) plain(resp *http.Response) error {
	codings := splitCodings(resp.Header["Content-Encoding"])
	if len(codings) == 0 {
		return nil
	}
	r, err := decoder(codings[0], resp.Body, maxAnswer)
	if err != nil || len(codings) > 1 {
		return &ir.Error{
			Kind: ir.BadGateway, Code: "upstream_error",
			Message: prose.New("%s answered in an encoding that cannot be read", x.route.Provider.Told()),
		}
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{r, resp.Body}
	resp.Header.Del("Content-Encoding")
	resp.Header.Del("Content-Length")
	resp.ContentLength = -1
	return nil
}

// maxAnswer bounds an answer that must be held in memory as a whole.
const maxAnswer = 64 << 20
