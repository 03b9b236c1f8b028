package proxy

import (
	"net/http"
	"net/url"
	"strings"

	"apex-ai-proxy/proxy/convert/ir"
)

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

// dropped are headers of an answer that concern only one side of the proxy.
var dropped = map[string]bool{
	"Content-Length": true, "Content-Encoding": true, "Transfer-Encoding": true, "Connection": true,
	"Keep-Alive": true, "Proxy-Authenticate": true, "Proxy-Connection": true, "Te": true, "Trailer": true,
	"Upgrade": true, "Set-Cookie": true, "Clear-Site-Data": true, "Alt-Svc": true, "Strict-Transport-Security": true, "Server": true,
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
