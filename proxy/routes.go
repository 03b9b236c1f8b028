package proxy

import (
	"context"
	"net/http"
	"strings"

	"github.com/gorilla/mux"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/prose"
)

// routes is the whole surface of the proxy.
func (s *Server) routes() http.Handler {
	m := mux.NewRouter().SkipClean(true)
	for path, step := range posted {
		m.Handle(path, handle(step)).Methods(http.MethodPost)
	}
	for _, base := range bases {
		m.Handle(base+"/models", handle((*exchange).listModels)).Methods(http.MethodGet, http.MethodHead)
		m.Handle(base+"/models/{id:.+}", handle(func(x *exchange) error {
			return x.oneModel(mux.Vars(x.r)["id"])
		})).Methods(http.MethodGet, http.MethodHead)
		for _, path := range notOffered {
			m.Handle(base+path, handle((*exchange).notOffered))
		}
	}
	// Azure's clients, Cursor among them, name the model in the path.
	m.Handle("/openai/deployments/{deployment:.+}/chat/completions", handle((*exchange).complete)).Methods(http.MethodPost)
	m.Handle("/openai/deployments/{deployment:.+}/embeddings", handle((*exchange).complete)).Methods(http.MethodPost)
	for path, h := range open {
		m.Handle(path, handle(h)).Methods(http.MethodGet, http.MethodHead)
	}
	m.NotFoundHandler = handle((*exchange).unknownPath)
	m.MethodNotAllowedHandler = handle((*exchange).wrongMethod)
	return s.front(func(x *exchange) {
		if step := posted[x.r.URL.Path]; step != nil && x.r.Method == http.MethodPost {
			x.do(step)
			return
		}
		m.ServeHTTP(x.w, x.r.WithContext(context.WithValue(x.r.Context(), exchangeKey{}, x)))
	})
}

// bases are what stands before the paths of the vendors' APIs.
var bases = [...]string{"/v1", ""}

// posted are the paths that nearly all requests go to, and what is done there. A request to
// one of them with POST is not looked for in the routes, which would cost more.
var posted = func() map[string]func(*exchange) error {
	all := map[string]func(*exchange) error{}
	for _, base := range bases {
		for _, path := range [...]string{"/chat/completions", "/messages", "/responses", "/embeddings"} {
			all[base+path] = (*exchange).complete
		}
		all[base+"/messages/count_tokens"] = (*exchange).countTokens
	}
	return all
}()

// notOffered are well-known paths that this proxy does not serve.
var notOffered = []string{
	"/responses/{rest:.*}", "/completions",
	"/messages/batches", "/images/{rest:.*}", "/audio/{rest:.*}", "/moderations", "/files", "/batches", "/realtime",
}

// open are the paths that answer without a key: they tell nothing, and programs look
// there before they have one.
var open = map[string]func(*exchange) error{
	"/":                         (*exchange).hello,
	"/api/hello":                (*exchange).hello,
	"/api/claude_cli/bootstrap": (*exchange).empty,
	"/healthz":                  (*exchange).health,
}

// needsNoKey tells whether a path answers without one. Below /api/ is what Claude Code asks
// of its maker's own server: that it is not here is told without asking for a key, as the
// answer 401 makes people log in again.
func needsNoKey(path string) bool {
	_, ok := open[path]
	return ok || strings.HasPrefix(path, "/api/")
}

type exchangeKey struct{}

// handle makes a handler of a step of an exchange.
func handle(f func(*exchange) error) http.Handler {
	return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		x := r.Context().Value(exchangeKey{}).(*exchange)
		x.r, x.deployment = r, mux.Vars(r)["deployment"]
		x.do(f)
	})
}

// do takes a step, and tells the client when it fails.
func (x *exchange) do(step func(*exchange) error) {
	if err := x.unlessGone(step(x)); err != nil {
		x.fail(err)
	}
}

// tidy is the path that was meant: no doubled or closing slashes, no doubled /v1 of a
// base URL that was completed twice.
func tidy(path string) string {
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	for strings.HasPrefix(path, "/v1/v1/") {
		path = path[len("/v1"):]
	}
	if len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	if path == "" {
		path = "/"
	}
	return path
}

// protocolOf is the protocol a client expects answers in.
func protocolOf(path string, r *http.Request) ir.Protocol {
	switch {
	case strings.Contains(path, "/messages"):
		return ir.AnthropicMessages
	case strings.Contains(path, "/chat/completions"):
		return ir.OpenAIChat
	case strings.HasSuffix(path, "/responses"):
		return ir.OpenAIResponses
	case strings.HasSuffix(path, "/embeddings"):
		return ir.OpenAIEmbeddings
	case speaksAnthropic(r):
		return ir.AnthropicMessages
	default:
		return ir.OpenAIChat
	}
}

// speaksAnthropic tells, on paths that both vendors have, whose client it is.
func speaksAnthropic(r *http.Request) bool {
	query, agent := r.URL.Query(), strings.ToLower(r.UserAgent())
	switch {
	case query.Has("client_version"): // Codex
		return false
	case r.Header.Get("Anthropic-Version") != "":
		return true
	case r.Header.Get("X-Api-Key") != "" && r.Header.Get("Authorization") == "":
		return true
	default:
		return strings.Contains(agent, "anthropic") || strings.HasPrefix(agent, "claude-cli") || strings.HasPrefix(agent, "claude-code") ||
			query.Has("after_id") || query.Has("before_id") || query.Has("beta")
	}
}

func (x *exchange) unknownPath() error {
	if x.r.Header[hopHeader] != nil {
		return &ir.Error{
			Kind: ir.InvalidRequest, Code: "proxy_chain", ShouldRetry: "false",
			Message: prose.New("the gateway's address leads to another Apex AI Proxy, which is not a gateway: correct it in Settings, or with --gateway-url"),
		}
	}
	return &ir.Error{Kind: ir.PathNotFound, Code: "unknown_url", Message: prose.New(
		"there is no API at %s: use /v1/chat/completions, /v1/responses, /v1/messages or /v1/models", printable(x.r.URL.Path))}
}

func (x *exchange) notOffered() error {
	return &ir.Error{Kind: ir.PathNotFound, Code: "unknown_url", Message: prose.New(
		"this proxy does not offer %s: use /v1/chat/completions, /v1/responses or /v1/messages", printable(x.r.URL.Path))}
}

func (x *exchange) wrongMethod() error {
	if strings.EqualFold(x.r.Header.Get("Upgrade"), "websocket") {
		// Codex tries this first, and goes on with POST at once when it is told so.
		return &ir.Error{
			Kind: ir.OtherClient, Status: http.StatusUpgradeRequired, Code: "websocket_not_supported", ShouldRetry: "false",
			Message: prose.New("this proxy does not support WebSockets: send the request with POST"),
		}
	}
	allow := "POST"
	path := x.r.URL.Path
	if _, ok := open[path]; ok || strings.Contains(path, "/models") {
		allow = "GET, HEAD"
	}
	x.w.Header().Set("Allow", allow+", OPTIONS")
	return &ir.Error{Kind: ir.MethodNotAllowed, Message: prose.New(
		"%s is not allowed at %s: use %s", printable(x.r.Method), printable(path), strings.Split(allow, ",")[0])}
}

func (x *exchange) hello() error {
	return x.json(http.StatusOK, []byte(`{"name":"Apex AI Proxy","status":"ok"}`))
}

func (x *exchange) health() error { return x.json(http.StatusOK, []byte(`{"status":"ok"}`)) }

func (x *exchange) empty() error { return x.json(http.StatusOK, []byte(`{}`)) }
