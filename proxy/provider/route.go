package provider

import (
	"strings"
	"unicode"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/prose"
	"apex-ai-proxy/proxy/spelling"
)

// Route is what a model name means: a provider and its name for the model.
type Route struct {
	Asked    string // the name as the client wrote it
	Provider Provider
	Model    string // the provider's own id, as people know it

	force ir.Protocol // the only protocol the upstream may be spoken to in
}

// maxName bounds a model's name, in bytes.
const maxName = 256

// Resolve finds the provider that a model name means: "model#provider" (split at the
// last #), "provider/model", or a name whose family is well known. Errors are of type
// *ir.Error and show the right form.
func Resolve(asked string) (Route, error) {
	name := strings.TrimSpace(StripContext(strings.TrimSpace(asked)))
	if err := checkName(name); err != nil {
		return Route{}, err
	}
	if i := strings.LastIndexByte(name, '#'); i >= 0 {
		return explicit(asked, StripContext(strings.TrimSpace(name[:i])), strings.TrimSpace(name[i+1:]))
	}
	if strings.HasPrefix(name, "@cf/") {
		return route(asked, find("workers-ai"), name), nil
	}
	if head, rest, ok := strings.Cut(name, "/"); ok && rest != "" {
		if p := find(head); p != nil {
			return route(asked, p, rest), nil
		}
	}
	lower := strings.ToLower(name)
	for _, f := range families {
		if strings.HasPrefix(lower, f.prefix) && !strings.Contains(name, "/") {
			if f.slug == "" {
				break
			}
			return route(asked, find(f.slug), name), nil
		}
	}
	return Route{}, unknown(prose.New("no provider is known for the model %q", name), form(guess(name)))
}

func checkName(name string) error {
	switch {
	case name == "":
		return ir.Invalid("model", "the model is missing: write it as model#provider, for example gpt-5#openai. %s", listed())
	case len(name) > maxName:
		return ir.Invalid("model", "the model name is longer than %d characters", maxName)
	}
	for _, r := range name {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar { // it would be shown, logged and sent in headers
			return ir.Invalid("model", "the model name contains a control character, or one that cannot be seen")
		}
	}
	return nil
}

func explicit(asked, model, slug string) (Route, error) {
	p := find(slug)
	switch {
	case model == "" && p != nil:
		return Route{}, ir.Invalid("model", "the model is missing before #%s: write it as model#provider%s", p.Slug, example(p.Models, p.Slug))
	case model == "":
		return Route{}, ir.Invalid("model", "the model is missing: %s %s", form("", ""), listed())
	case slug == "":
		return Route{}, ir.Invalid("model", "the provider is missing after #: %s %s", form(guess(model)), listed())
	case p == nil:
		right := form(model, nearest(slug))
		if nearest(slug) == "" {
			right = form(guess(model))
		}
		return Route{}, unknown(prose.New("%q is not a provider", slug), right)
	}
	return route(asked, p, model), nil
}

// unknown is the error for a name that leads to no provider; right is how it would.
func unknown(what, right prose.Text) *ir.Error {
	return &ir.Error{
		Kind: ir.ModelNotFound, Param: "model", Code: "model_not_found",
		Message: prose.New("%s: %s %s", what, right, listed()),
	}
}

// form says how a model is written right, first what may have been meant: the rest may be cut
// off where there is little room. slug is its provider, "" when nobody knows.
func form(model, slug string) prose.Text {
	if slug == "" {
		return prose.New("write it as model#provider.")
	}
	return prose.New("did you mean %s#%s? Write it as model#provider.", model, slug)
}

// example shows one of the models of a provider, if any is known.
func example(models []string, slug string) prose.Text {
	if len(models) == 0 {
		return prose.Text{}
	}
	return prose.New(", for example %s#%s", models[0], slug)
}

// nearest is the provider whose name a mistyped one resembles, "" when none does.
func nearest(slug string) string {
	var names []string
	for i := range table {
		names = append(append(names, table[i].Slug), table[i].Aliases...)
	}
	p := find(spelling.Nearest(slug, names))
	if p == nil {
		return ""
	}
	return p.Slug
}

// guess is where a model is likely to be found, and its name there: at a provider that
// lists it, or at the one that its name's beginning, perhaps mistyped, belongs to; "" when
// nobody knows.
func guess(model string) (id, slug string) {
	for i := range table {
		for _, id := range table[i].Models {
			if strings.EqualFold(id, model) {
				return id, table[i].Slug
			}
		}
	}
	for i := range table {
		for _, id := range table[i].Models {
			if strings.EqualFold(id[strings.LastIndexByte(id, '/')+1:], model) {
				return id, table[i].Slug
			}
		}
	}
	head, _, _ := strings.Cut(model, "-")
	var heads []string
	for _, f := range families {
		heads = append(heads, strings.TrimSuffix(f.prefix, "-"))
	}
	near := spelling.Nearest(head, heads)
	for _, f := range families {
		if near != "" && strings.TrimSuffix(f.prefix, "-") == near {
			return model, f.slug
		}
	}
	return model, ""
}

func route(asked string, p *Provider, model string) Route {
	r := Route{Asked: asked, Provider: *p, Model: strings.TrimPrefix(model, p.Prefix)}
	switch {
	case p.Slug == "demo":
		// The demo speaks every protocol, so a conversion has to be asked for.
		if base, ok := strings.CutSuffix(model, "-openai"); ok {
			r.Model, r.force = base, ir.OpenAIChat
		} else if base, ok := strings.CutSuffix(model, "-anthropic"); ok {
			r.Model, r.force = base, ir.AnthropicMessages
		}
	case p.GatewayKey:
		r.Model = strings.TrimPrefix(model, "workers-ai/")
	}
	return r
}

// StripContext removes the mark with which Claude Code asks for a long context window.
func StripContext(name string) string {
	const mark = "[1m]"
	if n := len(name) - len(mark); n > 0 && strings.EqualFold(name[n:], mark) {
		return name[:n]
	}
	return name
}

// families are names so well known that no provider need be written.
var families = []struct{ prefix, slug string }{
	{"claude-", "anthropic"},
	{"gpt-oss", ""}, // open, and served by many
	{"gpt-", "openai"},
	{"chatgpt-", "openai"},
	{"o1", "openai"},
	{"o3", "openai"},
	{"o4", "openai"},
	{"ft:gpt-", "openai"},
	{"gemini-", "google-ai-studio"},
	{"gemma-", "google-ai-studio"},
	{"deepseek-", "deepseek"},
	{"grok-", "grok"},
	{"mistral-", "mistral"},
	{"codestral-", "mistral"},
	{"ministral-", "mistral"},
	{"magistral-", "mistral"},
	{"devstral-", "mistral"},
	{"pixtral-", "mistral"},
	{"open-mistral-", "mistral"},
	{"open-mixtral-", "mistral"},
	{"sonar", "perplexity-ai"},
	{"command-", "cohere"},
}

func listed() prose.Text {
	slugs := make([]string, len(table))
	for i := range table {
		slugs[i] = table[i].Slug
	}
	return prose.New("Providers: %s.", strings.Join(slugs, ", "))
}

// Upstream is the protocol to speak to the provider for a client of protocol client: the
// client's own when the provider has it and serves the model there, so that nothing need
// be converted.
//
// Clients of Anthropic's protocol are brought to the Responses API where the model reasons
// and the provider has it: they send the reasoning back in the signature of their thinking
// blocks, so that it survives a loop of tools, which Chat Completions cannot carry. A
// model stays with one API from the first request of a conversation on, with tools or
// without, because prompt caches are not shared between APIs. stops tells that the request
// has stop sequences, which the Responses API has not.
func (r *Route) Upstream(client ir.Protocol, stops bool) ir.Protocol {
	p, model := &r.Provider, modelOf(r.Provider.Slug, r.Model)
	switch {
	case r.force != "":
		return r.force
	case model.responses == responsesOnly && p.Responses != "" && client != ir.OpenAIEmbeddings:
		return ir.OpenAIResponses
	case p.Speaks(client):
		return client
	case p.Messages != "":
		return ir.AnthropicMessages
	case model.responses == responsesBetter && p.Responses != "" && client == ir.AnthropicMessages && (!stops || model.ability.NoStop):
		return ir.OpenAIResponses
	default:
		return ir.OpenAIChat
	}
}

// URL is the address to send a request of the protocol to.
func (r *Route) URL(proto ir.Protocol, at Place) (string, error) {
	return r.Provider.url(proto, r.Model, at)
}

// WireModel is the model's id as the request's body must hold it.
func (r *Route) WireModel() string { return r.Provider.Prefix + r.Model }

// Target is what a conversion must know of the route.
func (r *Route) Target() ir.Target {
	model := modelOf(r.Provider.Slug, r.Model)
	t := ir.Target{
		Provider: r.Provider.Slug,
		Model:    r.WireModel(),
		Dialect:  r.Provider.Dialect,
		Ability:  model.ability,
	}
	t.Dialect.ReplayReasoning = t.Dialect.ReplayReasoning || model.replay
	return t
}
