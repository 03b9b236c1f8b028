package proxy

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"apex-ai-proxy/proxy/capture"
	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/proxy/prose"
)

// upstream is the way out: one pool of connections for all exchanges.
type upstream struct {
	transport *http.Transport
	self      string // marks requests of this server, to notice when one comes back

	mu   sync.Mutex
	read map[string]*url.URL // of addresses; nobody writes to them
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
	return &upstream{
		self: hex.EncodeToString(self[:]),
		transport: &http.Transport{
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
				if tcp, ok := c.(*net.TCPConn); ok {
					return socket{tcp}, nil
				}
				return c, nil
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
		},
	}
}

// socket is a connection to an upstream that is sent a request's body from where it stands.
// The transport would copy it into a new buffer first. (Only what is not encrypted is sent
// so.)
type socket struct{ *net.TCPConn }

// ReadFrom implements io.ReaderFrom.
func (s socket) ReadFrom(r io.Reader) (int64, error) { return sendFrom(s.TCPConn, r) }

func sendFrom(w io.Writer, r io.Reader) (int64, error) {
	if l, ok := r.(*io.LimitedReader); ok {
		if body, ok := l.R.(interface {
			io.WriterTo
			Len() int
		}); ok && int64(body.Len()) <= l.N {
			n, err := body.WriteTo(w)
			l.N -= n
			return n, err
		}
	}
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	return io.CopyBuffer(struct{ io.Writer }{w}, r, *buf)
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

// audience tells to whom a header of a client is passed on.
type audience uint8

const (
	toNobody    audience = iota
	toSame               // an upstream of the client's own protocol
	toAnthropic          // likewise, when that is Anthropic's
	toAll                // every gateway
)

// passed are the headers of clients that are passed on. Those for Cloudflare are the ones that
// a client may set: credentials are not among them, nor is the one that forbids unified billing
// (see protect).
var passed = func() map[string]audience {
	all := map[string]audience{}
	for to, names := range map[audience][]string{
		toSame:      {"Accept", "Openai-Beta", "Traceparent", "Tracestate", "X-Session-Affinity"},
		toAnthropic: {"Anthropic-Version", "Anthropic-Beta", "Anthropic-Dangerous-Direct-Browser-Access"},
		toAll: {
			"Cf-Aig-Skip-Cache", "Cf-Aig-Cache-Ttl", "Cf-Aig-Cache-Key", "Cf-Aig-Metadata", "Cf-Aig-Collect-Log",
			"Cf-Aig-Collect-Log-Payload", "Cf-Aig-Request-Timeout", "Cf-Aig-Max-Attempts", "Cf-Aig-Retry-Delay",
			"Cf-Aig-Backoff", "Cf-Aig-Byok-Alias", "Cf-Aig-Zdr", "Cf-Aig-Custom-Cost", "Cf-Aig-Event-Id",
			"Cf-Aig-Otel-Trace-Id", "Cf-Aig-Otel-Parent-Span-Id", "Cf-Aig-Session-Id", "Cf-Aig-Turn-Id",
			"Cf-Aig-No-Session-Affinity", "Cf-Aig-Allowed-Models", "Cf-Aig-Allowed-Providers",
		},
	} {
		for _, name := range names {
			all[name] = to
		}
	}
	return all
}()

// idempotencyKey is that header in a spelling that the transport does not know. Under its
// usual one the transport sends a request again, unasked and unseen, that the upstream may
// have worked on; see retry.go.
const idempotencyKey = "idempotency-key"

// convertedVersion is the version of Anthropic's API that conversions are written for,
// and that clients get who name none.
const convertedVersion = "2023-06-01"

// Values of headers that many messages have. Nobody writes to them.
var (
	mediaJSON = []string{"application/json"}
	identity  = []string{"identity"}
	yes       = []string{"true"}
)

// first is the first value of a header, "" when there is none. The name is written as Go
// writes names of headers.
func first(h http.Header, name string) string {
	if v := h[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// How many headers a request upstream mostly has, at most. A map for so many is one piece.
const (
	fewHeaders  = 8
	manyHeaders = 14
)

// headers are those of the upstream request.
func (x *exchange) headers() http.Header {
	size := fewHeaders
	if x.up == ir.AnthropicMessages {
		size = manyHeaders
	}
	in, out := x.r.Header, make(http.Header, size)
	for name, v := range in {
		to := passed[name]
		if to == toAll || to == toSame && x.up == x.client || to == toAnthropic && x.up == x.client && x.up == ir.AnthropicMessages {
			out[name] = v
		}
	}
	out["Content-Type"] = mediaJSON
	out["Accept-Encoding"] = identity
	out["User-Agent"] = []string{x.agent()}
	if v := in["Idempotency-Key"]; len(v) > 0 && x.up == x.client {
		out[idempotencyKey] = v
	}
	if x.up == ir.AnthropicMessages && out["Anthropic-Version"] == nil {
		out["Anthropic-Version"] = []string{convertedVersion}
	}
	if id := first(in, "X-Claude-Code-Session-Id"); id != "" && out["Cf-Aig-Session-Id"] == nil {
		out["Cf-Aig-Session-Id"] = []string{id}
	}
	out[hopHeader] = append(in[hopHeader][:len(in[hopHeader]):len(in[hopHeader])], x.s.up.self)
	x.protect(out)
	return out
}

// agent names this program and the one that it sends for.
func (x *exchange) agent() string {
	const name = "apex-ai-proxy"
	version, client := x.cfg.Version, x.rec.Client
	switch {
	case version != "" && client != "":
		return name + "/" + version + " (" + client + ")"
	case version != "":
		return name + "/" + version
	case client != "":
		return name + " (" + client + ")"
	default:
		return name
	}
}

// protect sets the credentials: the gateway's, and the provider's where the user wants
// one of their own.
func (x *exchange) protect(out http.Header) {
	p, mode := &x.route.Provider, x.cfg.Keys[x.route.Provider.Slug]
	if p.Local {
		return
	}
	if x.cfg.GatewayToken != "" {
		out["Cf-Aig-Authorization"] = x.cfg.bearer
	}
	key := mode.Own
	if x.key.provider != "" {
		key = x.key.provider
		for _, name := range [...]string{"Openai-Organization", "Openai-Project"} {
			if v := x.r.Header[name]; len(v) > 0 && x.up == x.client {
				out[name] = v
			}
		}
	} else if key == "" && p.GatewayKey {
		key = x.cfg.GatewayToken
	}
	if key != "" {
		prefix := p.Key.Prefix
		if scheme, rest, ok := strings.Cut(key, " "); ok && scheme != "" && rest != "" {
			prefix = "" // it names a scheme of its own
		}
		out[p.Key.Name] = []string{prefix + key}
	}
	if !mode.Unified || strings.EqualFold(first(x.r.Header, "Cf-Aig-No-Wholesale"), "true") {
		out["Cf-Aig-No-Wholesale"] = yes
	}
}

// secretParams are names of query parameters that clients put keys into.
var secretParams = map[string]bool{"key": true, "api_key": true, "api-key": true, "apikey": true, "access_token": true, "token": true, "api-version": true, "x-api-key": true, "x_api_key": true}

// withQuery adds the client's query to the address, without keys.
func withQuery(address, query string) string {
	if query == "" {
		return address
	}
	for _, pair := range strings.Split(query, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if plain, err := url.QueryUnescape(name); err == nil {
			name = plain
		}
		if pair == "" || secretParams[strings.ToLower(name)] {
			continue
		}
		sep := "?"
		if strings.Contains(address, "?") {
			sep = "&"
		}
		address += sep + pair
	}
	return address
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
	setBody(req, body, x.body)
	req.Header = x.headers()
	x.bytes.Sent(req.Method, address, req.Header, x.asked, body...)
	var way http.RoundTripper = x.s.up.transport
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
	to := u.read[address]
	u.mu.Unlock()
	if to == nil {
		var err error
		if to, err = url.Parse(address); err != nil {
			return nil, err
		}
		to.Host = strings.TrimSuffix(to.Host, ":") // a port that is none
		if len(address) <= maxAddress {
			u.mu.Lock()
			if u.read == nil || len(u.read) >= maxAddresses {
				u.read = make(map[string]*url.URL)
			}
			u.read[address] = to
			u.mu.Unlock()
		}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "", http.NoBody)
	if err != nil {
		return nil, err
	}
	r.URL, r.Host = to, to.Host
	return r, nil
}

// The addresses that are remembered, and their length in bytes: clients may write what they
// like into a query.
const (
	maxAddresses = 64
	maxAddress   = 1 << 10
)

// routed is what a gateway's own routing chose, "" when it chose nothing.
func routed(h http.Header) string {
	for _, name := range [...]string{"Cf-Aig-Routed-Model", "Cf-Aig-Model"} {
		model := first(h, name)
		if p := first(h, "Cf-Aig-Provider"); model != "" && p != "" && name == "Cf-Aig-Model" {
			return p + "/" + model
		}
		if model != "" {
			return model
		}
	}
	return ""
}

// setBody gives a request a body that comes in pieces, of which some are those of the lease.
// It can be sent again, when a connection from the pool turns out to be closed.
func setBody(r *http.Request, body [][]byte, from *lease) {
	r.ContentLength = 0
	for _, p := range body {
		r.ContentLength += int64(len(p))
	}
	r.GetBody = func() (io.ReadCloser, error) {
		if len(body) == 1 { // of a type that the transport knows, and sends with the headers
			return io.NopCloser(bytes.NewReader(body[0])), nil
		}
		from.hold()
		return &pieces{left: slices.Clone(body), from: from}, nil
	}
	r.Body, _ = r.GetBody() // which does not fail
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

// shape is what the body of an answer is, by its media type.
type shape uint8

const (
	shapeUnknown shape = iota
	shapeJSON
	shapeStream
)

func shapeOf(h http.Header) shape {
	media := first(h, "Content-Type")
	if strings.IndexByte(media, ';') >= 0 || media != strings.ToLower(media) {
		media, _, _ = mime.ParseMediaType(media)
	}
	switch {
	case media == "text/event-stream":
		return shapeStream
	case media == "application/json" || strings.HasSuffix(media, "+json"):
		return shapeJSON
	default:
		return shapeUnknown
	}
}

// sniff tells the shape of a body by how it starts.
func sniff(b []byte) shape {
	b = bytes.TrimLeft(bytes.TrimPrefix(b, []byte("\xEF\xBB\xBF")), " \t\r\n")
	switch {
	case len(b) == 0:
		return shapeUnknown
	case b[0] == '{' || b[0] == '[':
		return shapeJSON
	case b[0] == ':' || bytes.HasPrefix(b, []byte("data:")) || bytes.HasPrefix(b, []byte("event:")) ||
		bytes.HasPrefix(b, []byte("id:")) || bytes.HasPrefix(b, []byte("retry:")):
		return shapeStream
	default:
		return shapeUnknown
	}
}

// isEvents tells whether a body that is called a stream may be one, as far as its first bytes
// tell.
func isEvents(b []byte) bool {
	b = bytes.TrimLeft(bytes.TrimPrefix(b, bom), " \t\r\n")
	for _, start := range [...]string{":", "data", "event", "id", "retry"} {
		if n := min(len(b), len(start)); string(b[:n]) == start[:n] {
			return true
		}
	}
	return false
}

// dropped are headers of an answer that concern only one side of the proxy.
var dropped = map[string]bool{
	"Content-Length": true, "Content-Encoding": true, "Transfer-Encoding": true, "Connection": true,
	"Keep-Alive": true, "Proxy-Authenticate": true, "Proxy-Connection": true, "Te": true, "Trailer": true,
	"Upgrade": true, "Set-Cookie": true, "Alt-Svc": true, "Strict-Transport-Security": true, "Server": true,
	"Date": true, "Nel": true, "Report-To": true, "Vary": true, "X-Apex-Request-Id": true, "X-Upstream-Model": true, "X-Upstream-Request-Id": true,
	"Location": true, "Refresh": true, "X-Conversion-Warnings": true, "X-Token-Count": true, "X-Fallback-From": true,
}

// passHeaders hands the upstream's headers to the client of the same protocol.
func (x *exchange) passHeaders(in http.Header) {
	out := x.w.Header()
	var hop map[string]bool // what the upstream calls a matter of its connection
	for _, v := range in["Connection"] {
		for _, name := range strings.Split(v, ",") {
			if hop == nil {
				hop = map[string]bool{}
			}
			hop[http.CanonicalHeaderKey(strings.TrimSpace(name))] = true
		}
	}
	for name, v := range in {
		if !dropped[name] && !hop[name] && !strings.HasPrefix(name, "Access-Control-") {
			out[name] = v
		}
	}
	upstreamID(out, in)
}

// convertHeaders hands over what means the same in every protocol, and the vendor's limits
// where only the body had to be made anew.
func (x *exchange) convertHeaders(in http.Header) {
	out := x.w.Header()
	for name, v := range in {
		if strings.HasPrefix(name, "Cf-Aig-") || name == "Cf-Ray" || x.up == x.client && isLimit(name) {
			out[name] = v
		}
	}
	upstreamID(out, in)
}

// isLimit tells whether a header says how much of a rate limit is left.
func isLimit(name string) bool {
	return strings.HasPrefix(name, "X-Ratelimit-") || strings.HasPrefix(name, "Anthropic-Ratelimit-")
}

// upstreamID tells the upstream's own id of the request under a name of its own.
func upstreamID(out, in http.Header) {
	for _, name := range [...]string{"Request-Id", "X-Request-Id"} {
		if id := in[name]; len(id) > 0 && id[0] != "" {
			out["X-Upstream-Request-Id"] = id[:1]
			return
		}
	}
}

// warnings reports what a conversion could not carry over, in the answer's headers and
// in the record.
func (x *exchange) warnings(losses ir.Losses) {
	x.recordLosses(losses)
	x.tellLosses(losses)
}

// recordLosses keeps the losses for the record.
func (x *exchange) recordLosses(losses ir.Losses) {
	for _, l := range losses {
		switch n := len(x.rec.Warnings); {
		case n > maxRecordedLost:
			return
		case n == maxRecordedLost:
			l = lostMore
		}
		why := l.Why.Map(func(s string) string { return brief(s, maxRecorded) })
		x.rec.Warnings = append(x.rec.Warnings, event.Warning{Code: l.Code, Path: brief(l.Path, maxRecorded), Why: why.String(), Text: why})
	}
}

var lostMore = ir.Loss{Code: "more", Why: prose.New("more could not be carried over than is listed here")}

// tellLosses puts the losses into the header of the answer.
func (x *exchange) tellLosses(losses ir.Losses) {
	if len(losses) == 0 {
		return
	}
	var b strings.Builder
	for i, l := range losses {
		item := token(l.Code)
		if l.Path != "" {
			item += ";path=" + token(l.Path)
		}
		if i > 0 {
			item = ", " + item
		}
		if b.Len()+len(item) > maxWarnings {
			fmt.Fprintf(&b, ", ...;more=%d", len(losses)-i)
			break
		}
		b.WriteString(item)
	}
	x.w.Header()["X-Conversion-Warnings"] = []string{b.String()}
}

// maxWarnings bounds the header, which some clients read into a small buffer.
const maxWarnings = 2 << 10

// token makes a text fit for a header.
func token(s string) string {
	return strings.Map(func(r rune) rune {
		if r <= 0x20 || r > 0x7e || r == ',' || r == ';' {
			return '_'
		}
		return r
	}, s)
}
