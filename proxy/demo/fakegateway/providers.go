package fakegateway

import (
	"net/http"
	"strings"

	"apex-ai-proxy/proxy/demo"
	"apex-ai-proxy/proxy/rawjson"
)

// provider is one provider behind the gateway.
type provider struct {
	slug     string
	paths    map[string]string // path behind the slug -> path of the demo
	keys     []keyForm         // ways to carry the provider's key
	rules    demo.ChatRules
	refuse   func(body rawjson.Value) *refusal // more than OpenAI's rules
	envelope func(*demo.Refusal) (int, string) // nil for OpenAI's
	opts     []demo.Option
}

// keyForm is a header and what stands before the key in it.
type keyForm struct{ header, prefix string }

var (
	bearer    = []keyForm{{"Authorization", "Bearer "}}
	xAPIKey   = []keyForm{{"X-Api-Key", ""}}
	azureKey  = []keyForm{{"Api-Key", ""}}
	googleKey = []keyForm{{"X-Goog-Api-Key", ""}, {"Authorization", "Bearer "}}
)

// refusal is a field that a provider does not take.
type refusal struct{ param, message string }

const (
	demoChat       = "/v1/chat/completions"
	demoResponses  = "/v1/responses"
	demoEmbeddings = "/v1/embeddings"
	demoMessages   = "/v1/messages"
)

func chatAt(path string) map[string]string { return map[string]string{path: demoChat} }

// chatUnder is for providers that serve embeddings beside chat.
func chatUnder(root string) map[string]string {
	return map[string]string{root + "chat/completions": demoChat, root + "embeddings": demoEmbeddings}
}

var providers = index([]*provider{
	{
		slug: "openai", keys: bearer, refuse: openaiRefuses,
		paths: map[string]string{"chat/completions": demoChat, "responses": demoResponses, "embeddings": demoEmbeddings},
	},
	{
		slug:  "anthropic",
		paths: map[string]string{"v1/messages": demoMessages, "v1/messages/count_tokens": demoMessages + "/count_tokens"},
		keys:  xAPIKey,
	},
	{
		slug: "google-ai-studio", paths: chatUnder("v1beta/openai/"), keys: googleKey,
		rules: demo.ChatRules{CallFields: []string{"extra_content"}, Fields: []string{"extra_body"}, MaxToolID: 128}, refuse: googleRefuses, envelope: googleEnvelope,
	},
	{
		slug: "groq", paths: chatAt("chat/completions"), keys: bearer,
		rules: demo.ChatRules{Fields: []string{"reasoning_format", "include_reasoning"}}, refuse: groqRefuses,
	},
	{
		slug: "mistral", paths: chatUnder("v1/"), keys: bearer,
		rules: demo.ChatRules{Fields: []string{"random_seed", "safe_prompt", "prompt_mode"}}, refuse: mistralRefuses, envelope: mistralEnvelope,
	},
	{
		slug: "grok", paths: chatAt("v1/chat/completions"), keys: bearer,
		rules: demo.ChatRules{MessageFields: []string{"reasoning_content"}}, refuse: grokRefuses, envelope: grokEnvelope,
	},
	{
		slug: "deepseek", paths: chatAt("chat/completions"), keys: bearer,
		rules: demo.ChatRules{Fields: []string{"thinking"}, MessageFields: []string{"reasoning_content", "prefix"}}, refuse: deepseekRefuses,
	},
	{slug: "cerebras", paths: chatAt("chat/completions"), keys: bearer, refuse: cerebrasRefuses, envelope: cerebrasEnvelope},
	{
		slug: "perplexity-ai", paths: chatAt("chat/completions"), keys: bearer,
		rules: demo.ChatRules{Fields: []string{"search_mode", "search_domain_filter", "top_k"}}, refuse: perplexityRefuses,
	},
	{slug: "azure-openai", keys: azureKey},
	{slug: "cohere", keys: bearer},
	{
		slug: "workers-ai", paths: chatUnder("v1/"), keys: bearer,
		rules: demo.ChatRules{Fields: []string{"top_k", "repetition_penalty"}}, refuse: workersRefuses, envelope: workersEnvelope,
	},
	{
		slug: "openrouter", paths: chatUnder("v1/"), keys: bearer,
		rules: demo.ChatRules{
			Fields:        []string{"reasoning", "top_k", "min_p", "provider", "models", "plugins", "usage", "transforms"},
			MessageFields: []string{"reasoning", "reasoning_details", "reasoning_content"},
			MaxToolID:     128,
		},
		refuse: openRouterRefuses,
	},
})

func index(all []*provider) map[string]*provider {
	m := make(map[string]*provider, len(all))
	for _, p := range all {
		p.opts = []demo.Option{demo.WithChoice(behaviour), demo.WithChatRules(p.rules)}
		if p.slug == "mistral" || p.slug == "perplexity-ai" {
			p.opts = append(p.opts, demo.WithEagerUsage())
		}
		if p.slug == "mistral" {
			p.opts = append(p.opts, demo.WithCallIDs(func(random string) string { return random[:9] }))
		}
		m[p.slug] = p
	}
	return m
}

// compatProviders may be named on the compat path.
var compatProviders = []string{
	"openai", "anthropic", "google-ai-studio", "groq", "mistral", "grok", "deepseek", "cerebras", "perplexity", "cohere", "workers-ai",
}

// route finds the provider for the path and checks the form of the model's id.
func (g *Gateway) route(in *Request, slug, rest string) (*call, *fault) {
	model := rawjson.Value(in.Body).Get("model").Str()
	if slug == "compat" {
		name, _, ok := strings.Cut(model, "/")
		p := providers[name]
		if rest != "chat/completions" && rest != "v1/chat/completions" {
			return nil, gatewayFault(http.StatusBadRequest, 2005, "Failed to get response from provider")
		}
		if !ok || p == nil || !contains(compatProviders, name) {
			return nil, gatewayFault(http.StatusBadRequest, 2008, "Invalid provider")
		}
		in.Provider = name
		return &call{provider: p, demoPath: demoChat, model: model}, nil
	}
	p := providers[slug]
	if p == nil {
		return nil, gatewayFault(http.StatusBadRequest, 2008, "Invalid provider")
	}
	if slug == "azure-openai" {
		return g.azure(in, p, rest)
	}
	path, ok := p.paths[rest]
	if !ok {
		return nil, notFound("unknown_url", "Unknown request URL: POST /"+rest)
	}
	if why := wrongID(slug, model); why != "" {
		return nil, notFound("model_not_found", "The model `"+model+"` does not exist: "+why)
	}
	return &call{provider: p, demoPath: path, model: model}, nil
}

// azure has the resource and the deployment in the path and the version in the query.
func (g *Gateway) azure(in *Request, p *provider, rest string) (*call, *fault) {
	parts := append(strings.SplitN(rest, "/", 3), "", "")
	path := map[string]string{"chat/completions": demoChat, "embeddings": demoEmbeddings}[parts[2]]
	switch {
	case parts[0] != AzureResource || parts[1] == "" || path == "":
		return nil, notFound("404", "Resource not found")
	case in.Query.Get("api-version") != g.opts.AzureAPIVersion:
		return nil, notFound("404", "Resource not found: api-version is "+in.Query.Get("api-version"))
	case strings.ContainsAny(parts[1], "#"):
		return nil, notFound("DeploymentNotFound", "The API deployment for this resource does not exist.")
	}
	return &call{provider: p, demoPath: path, model: parts[1]}, nil
}

func notFound(code, message string) *fault {
	r := &demo.Refusal{Status: http.StatusNotFound, Type: "invalid_request_error", Code: code, Message: message}
	return &fault{why: message, status: r.Status, body: string(r.AppendChat(nil))}
}

// wrongID says what is wrong with the form of a model's id.
func wrongID(slug, model string) string {
	switch {
	case strings.Contains(model, "#"):
		return "it still names the provider"
	case slug == "workers-ai" && !strings.HasPrefix(model, "@cf/") && !strings.HasPrefix(model, "@hf/"):
		return "ids of Workers AI begin with @cf/"
	case slug == "openrouter" && !strings.Contains(model, "/"):
		return "ids of OpenRouter are vendor/model"
	case strings.HasPrefix(model, slug+"/"):
		return "it is the id of the compat path"
	}
	return ""
}

var keyHeaders = []string{"Authorization", "X-Api-Key", "Api-Key", "X-Goog-Api-Key"}

// credentials checks who pays.
func (g *Gateway) credentials(in *Request, p *provider) *fault {
	want := g.opts.Keys[p.slug]
	if want == "" && p.slug == "workers-ai" {
		want = g.opts.Token
		if in.Header.Get("Authorization") == "" {
			return notPermitted()
		}
	}
	brought := 0
	for _, name := range keyHeaders {
		got := in.Header.Get(name)
		if got == "" {
			continue
		}
		brought++
		if want == "" || !carries(p.keys, name, got, want) {
			return badKey(name, p)
		}
	}
	if want != "" && brought != 1 {
		return badKey(p.keys[0].header, p)
	}
	wholesale := !strings.EqualFold(in.Header.Get("Cf-Aig-No-Wholesale"), "true")
	switch {
	case g.opts.NoKey[p.slug] && !wholesale, g.opts.Unified[p.slug] && !wholesale:
		return gatewayFault(http.StatusBadRequest, 2044, "Customer provider credentials required")
	case !g.opts.Unified[p.slug] && wholesale:
		return gatewayFault(http.StatusPaymentRequired, 2021, "This request would be charged to the account")
	}
	return nil
}

func carries(forms []keyForm, header, got, want string) bool {
	for _, f := range forms {
		if f.header == header && got == f.prefix+want {
			return true
		}
	}
	return false
}

func badKey(header string, p *provider) *fault {
	r := &demo.Refusal{Status: http.StatusUnauthorized, Type: "invalid_request_error", Code: "invalid_api_key", Message: "Incorrect API key provided."}
	f := &fault{why: "a wrong key, or none, in " + header, status: r.Status, body: string(r.AppendChat(nil))}
	if p.slug == "anthropic" {
		r.Type = "authentication_error"
		r.Message = "invalid x-api-key"
		f.body = string(r.AppendMessages(nil, "req_fake"))
	}
	return f
}

func contains(words []string, s string) bool {
	for _, w := range words {
		if w == s {
			return true
		}
	}
	return false
}
