package proxy

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/prose"
)

// The guard keeps web pages and other machines out: the Host a request names must be
// one of ours (against DNS rebinding), a page's Origin must be allowed, and the client
// must show the key.

// hostAllowed tells whether the Host header names this machine: a loopback name with any
// port, the very address the connection came in on, or a name from the settings.
func hostAllowed(r *http.Request, cfg *Config) bool {
	host := hostname(r.Host)
	if host == "" {
		return false
	}
	if loopbackName(host) {
		return true
	}
	for _, h := range cfg.Hosts {
		if strings.EqualFold(strings.TrimSuffix(h, "."), host) {
			return true
		}
	}
	// An address is no name that could be rebound.
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	ip := net.ParseIP(host)
	return ok && ip != nil && local.IP.Equal(ip)
}

// hostname is the name in a Host header, in lower case, without port, brackets and the
// dot at the end; "" when it is malformed.
func hostname(host string) string {
	if h, port, err := net.SplitHostPort(host); err == nil {
		if strings.Trim(port, "0123456789") != "" {
			return ""
		}
		host = h
	} else if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		host = host[1 : len(host)-1]
	} else if strings.Contains(host, ":") {
		return ""
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

func loopbackName(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// editorOrigins are the web views of editors and desktop shells; a prefix ends in *.
var editorOrigins = []string{
	"vscode-webview://*", "vscode-file://vscode-app", "app://*", "tauri://localhost",
	"http://tauri.localhost", "https://tauri.localhost", "capacitor://localhost", "ionic://localhost",
}

// originAllowed tells whether a page of the origin may talk to the proxy.
func originAllowed(origin string, cfg *Config) bool {
	for _, o := range cfg.Origins {
		if o == "*" || strings.EqualFold(strings.TrimSuffix(o, "/"), origin) {
			return true
		}
	}
	for _, o := range editorOrigins {
		prefix, open := strings.CutSuffix(o, "*")
		if origin == o || open && strings.HasPrefix(origin, prefix) {
			return true
		}
	}
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return false
	}
	return loopbackName(hostname(u.Host))
}

// exposed are the headers of an answer that pages may read.
const exposed = "request-id, x-request-id, x-apex-request-id, x-upstream-model, x-upstream-request-id, " +
	"x-conversion-warnings, x-fallback-from, x-token-count, retry-after, retry-after-ms, x-should-retry, cf-aig-cache-status, cf-aig-log-id, " +
	"cf-aig-request-id, cf-aig-event-id, cf-aig-step, cf-aig-model, cf-aig-provider"

// allowedHeaders answers a preflight that names no headers.
const allowedHeaders = "authorization, content-type, x-api-key, api-key, anthropic-version, anthropic-beta, " +
	"anthropic-dangerous-direct-browser-access, openai-beta, openai-organization, openai-project, idempotency-key, " +
	"cf-aig-authorization"

// cors adds what a page of an allowed origin needs to read the answer.
func cors(h http.Header, origin string) {
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", exposed)
	h.Add("Vary", "Origin")
}

// exposeGateway lets pages read whatever the gateway tells, and what is left of the vendor's
// limits, as far as they may read at all.
func exposeGateway(h http.Header) {
	list := first(h, "Access-Control-Expose-Headers")
	if list == "" {
		return
	}
	var more []string
	for name := range h {
		if lower := strings.ToLower(name); (strings.HasPrefix(lower, "cf-aig-") || isLimit(name)) && !strings.Contains(list+",", lower+",") {
			more = append(more, lower)
		}
	}
	slices.Sort(more)
	h.Set("Access-Control-Expose-Headers", strings.Join(append([]string{list}, more...), ", "))
}

// preflight answers an OPTIONS request of an allowed origin, or one without an origin.
func preflight(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Allow", "GET, HEAD, POST, OPTIONS")
	if r.Header.Get("Origin") != "" {
		h.Set("Access-Control-Allow-Methods", "GET, HEAD, POST, OPTIONS")
		h.Set("Access-Control-Max-Age", "600")
		asked := r.Header.Get("Access-Control-Request-Headers")
		if asked == "" || !headerList(asked) {
			asked = allowedHeaders
		}
		h.Set("Access-Control-Allow-Headers", asked)
		if r.Header.Get("Access-Control-Request-Private-Network") == "true" {
			h.Set("Access-Control-Allow-Private-Network", "true")
		}
		h.Add("Vary", "Access-Control-Request-Headers")
	}
	w.WriteHeader(http.StatusNoContent)
}

// headerList tells whether s is nothing but names of headers, so that it may be echoed.
func headerList(s string) bool {
	if len(s) > 4096 {
		return false
	}
	for _, c := range []byte(s) {
		ok := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
			c == '-' || c == '_' || c == ',' || c == ' '
		if !ok {
			return false
		}
	}
	return true
}

// credentials are what a client showed.
type credentials struct {
	ok bool // one of them is the local key or the gateway token
	// provider is the provider's key that the client brought along: what it sent as
	// Authorization or in a key header while cf-aig-authorization carried the credential.
	provider string
}

// keyHeaders are where clients put their key.
var keyHeaders = [...]string{"Authorization", "X-Api-Key", "Api-Key", "X-Goog-Api-Key"}

// check looks for the local key or the gateway token; any header that holds one suffices.
func check(h http.Header, cfg *Config) credentials {
	var c credentials
	var others []string
	for _, name := range keyHeaders {
		for _, value := range h[name] {
			switch key := bare(value); {
			case key == "":
			case known(key, cfg):
				c.ok = true
			default:
				others = append(others, key)
			}
		}
	}
	for _, value := range h["Cf-Aig-Authorization"] {
		if known(bare(value), cfg) {
			c.ok = true
			if len(others) > 0 {
				c.provider = others[0]
			}
		}
	}
	return c
}

// bare is a credential without the word Bearer.
func bare(value string) string {
	const scheme = "bearer "
	value = strings.TrimSpace(value)
	if strings.EqualFold(value+" ", scheme) {
		return "" // there was nothing behind it
	}
	if len(value) >= len(scheme) && strings.EqualFold(value[:len(scheme)], scheme) {
		value = strings.TrimSpace(value[len(scheme):])
	}
	return value
}

// known compares in constant time, whatever the lengths.
func known(key string, cfg *Config) bool {
	if key == "" {
		return false
	}
	sum, found := sha256.Sum256([]byte(key)), 0
	for i := range cfg.accepted {
		found |= subtle.ConstantTimeCompare(sum[:], cfg.accepted[i][:])
	}
	return found == 1
}

// acceptedBy are the hashes of the keys of which a client must show one.
func acceptedBy(cfg *Config) (sums [][sha256.Size]byte) {
	for _, key := range [...]string{cfg.LocalKey, cfg.GatewayToken} {
		if key != "" {
			sums = append(sums, sha256.Sum256([]byte(key)))
		}
	}
	return sums
}

// refuse is the guard's verdict on a request, nil to let it in.
func refuse(r *http.Request, cfg *Config) *ir.Error {
	if !hostAllowed(r, cfg) {
		return &ir.Error{Kind: ir.Forbidden, Code: "host_not_allowed", Message: prose.New(
			"requests for the host %q are not allowed: use 127.0.0.1 or localhost",
			printable(r.Host))}
	}
	for _, o := range r.Header["Origin"] { // no browser sends two: then each must be allowed
		if o != "" && !originAllowed(o, cfg) {
			return &ir.Error{Kind: ir.Forbidden, Code: "origin_not_allowed", Message: prose.New(
				"web pages from %s may not call this proxy: add the origin to \"origins\" under [server] in the settings file", printable(o))}
		}
	}
	return nil
}

func unauthenticated(h http.Header, cfg *Config) *ir.Error {
	if cfg.KeyUnread && anyKey(h) {
		return unread(prose.New("the proxy's local key"))
	}
	text := prose.New("the key you sent is not the proxy's local key: copy it from Apex AI Proxy, or run apex-ai-proxy key")
	switch {
	case quoted(h):
		text = prose.New("the key you sent has quotes around it: send it without them")
	case !anyKey(h):
		text = prose.New("no key was sent: send the proxy's local key as Authorization: Bearer or x-api-key; copy it from Apex AI Proxy, or run apex-ai-proxy key")
	}
	return &ir.Error{Kind: ir.Unauthenticated, Code: "invalid_api_key", Message: text}
}

// keychainWaiting is the code of an error about a secret that is not known yet.
const keychainWaiting = "keychain_waiting"

// unread is the error while a secret is still in the keychain.
func unread(what prose.Text) *ir.Error {
	return &ir.Error{
		Kind: ir.Unavailable, Code: keychainWaiting, RetryAfter: "5",
		Message: prose.New("%s is in the system's keychain, which has not answered yet: it may be waiting for you to unlock it", what),
	}
}

// quoted tells whether a key came in quotes, as it may from a file or a script. What is
// between them is not looked at.
func quoted(h http.Header) bool {
	for _, name := range keyHeaders {
		for _, value := range h[name] {
			key := bare(value)
			if n := len(key); n > 1 && (key[0] == '"' || key[0] == '\'') && key[n-1] == key[0] {
				return true
			}
		}
	}
	return false
}

func anyKey(h http.Header) bool {
	for _, name := range keyHeaders {
		if bare(h.Get(name)) != "" {
			return true
		}
	}
	return h.Get("Cf-Aig-Authorization") != ""
}

// printable bounds a text of a stranger for a message.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r > 0x7e {
			return '?'
		}
		return r
	}, s)
	if len(s) > 100 {
		s = s[:100]
	}
	return s
}
