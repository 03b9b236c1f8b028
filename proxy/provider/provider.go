// Package provider knows every provider behind the gateway: where its API lives, which
// protocols it speaks, which header carries its key, what its API refuses, and which
// provider and model a model name means.
//
// Everything is one table (see All). The package makes no requests and keeps no state.
package provider

import (
	"net/url"
	"strings"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/prose"
)

// Provider is one row of the table.
type Provider struct {
	Slug    string   // as in "model#slug", and in the gateway's URL
	Title   string   // for people
	Aliases []string // other names people use for it

	// Chat, Messages, Responses and Embeddings are the paths of the protocols the provider speaks
	// itself, behind {gateway}/; "" for a protocol it does not speak. {resource} and
	// {model} stand for the Azure resource and for the model.
	Chat, Messages, Responses, Embeddings string

	// List is the path of the provider's own model list, which costs nothing to read; "" when
	// none is known to be there.
	List string

	Key     KeyHeader
	Prefix  string // written before the model's id on the wire, as in "cohere/"
	Dialect ir.Dialect
	Quirks  Quirks
	Models  []string // a few ids worth listing; everything else works too
	Local   bool     // answered inside this program, without a network
	// GatewayKey: the provider is Cloudflare itself, so its key is the gateway token.
	GatewayKey bool
}

// Told is the title for sentences, which is the name of a company or a product, and
// the same in every language, except that of the demo.
func (p *Provider) Told() prose.Text {
	if p.Local {
		return prose.New("Built-in demo")
	}
	return prose.Verbatim(p.Title)
}

// KeyHeader is the request header that carries a provider's own key.
type KeyHeader struct{ Name, Prefix string }

var (
	bearer    = KeyHeader{Name: "Authorization", Prefix: "Bearer "}
	xAPIKey   = KeyHeader{Name: "X-Api-Key"}
	azureKey  = KeyHeader{Name: "Api-Key"}
	googleKey = KeyHeader{Name: "X-Goog-Api-Key"}
)

// Quirks are the fields of a request that a provider refuses although its protocol has
// them. They are edited in the bytes of a passed-through request.
type Quirks struct {
	Drop      []string          // top-level fields to remove
	Rename    map[string]string // top-level fields the provider knows under another name
	InHistory []string          // fields to remove from messages
	// SystemRole: the provider knows the role system only, not developer.
	SystemRole bool
	// GoogleSchemas: the provider knows a part of JSON Schema only.
	GoogleSchemas bool
	// NineCharIDs: ids of tool calls must be nine letters and digits.
	NineCharIDs bool
}

// None tells whether there is nothing to edit.
func (q Quirks) None() bool {
	return len(q.Drop) == 0 && len(q.Rename) == 0 && len(q.InHistory) == 0 && !q.SystemRole && !q.GoogleSchemas && !q.NineCharIDs
}

// Place is where the gateway and an Azure resource are.
type Place struct {
	Gateway         string // {gatewayURL}/{account}/{gateway}, no slash at the end
	AzureResource   string
	AzureAPIVersion string
}

// All is every provider, in the order people see them.
func All() []Provider { return append([]Provider(nil), table...) }

// Lookup finds a provider by its slug or one of its aliases, in any case.
func Lookup(name string) (Provider, bool) {
	p := find(name)
	if p == nil {
		return Provider{}, false
	}
	return *p, true
}

func find(name string) *Provider {
	name = strings.ToLower(strings.TrimSpace(name))
	for i := range table {
		p := &table[i]
		if p.Slug == name {
			return p
		}
		for _, a := range p.Aliases {
			if a == name {
				return p
			}
		}
	}
	return nil
}

func (p *Provider) path(proto ir.Protocol) string {
	switch proto {
	case ir.OpenAIChat:
		return p.Chat
	case ir.AnthropicMessages:
		return p.Messages
	case ir.OpenAIResponses:
		return p.Responses
	case ir.OpenAIEmbeddings:
		return p.Embeddings
	default:
		return ""
	}
}

// Speaks tells whether the provider has an API of the protocol.
func (p *Provider) Speaks(proto ir.Protocol) bool { return p.path(proto) != "" }

// DemoHost is the host of URLs that are answered inside this program.
const DemoHost = "built-in-demo.invalid"

// url builds the address of a protocol for a model.
func (p *Provider) url(proto ir.Protocol, model string, at Place) (string, error) {
	path := p.path(proto)
	if path == "" {
		return "", &ir.Error{Kind: ir.Unsupported, Message: prose.New("%s has no API for this protocol", p.Told())}
	}
	if p.Local {
		return "http://" + DemoHost + "/" + path, nil
	}
	if strings.Contains(path, "{resource}") {
		if at.AzureResource == "" {
			return "", setting("Azure OpenAI needs the name of your resource: set it in Settings, or start with --azure-resource")
		}
		if at.AzureAPIVersion == "" {
			return "", setting("Azure OpenAI needs an API version: set it in Settings, or start with --azure-api-version")
		}
		if strings.Contains(model, "/") || model == "." || model == ".." {
			return "", ir.Invalid("model", "%q is not the name of an Azure deployment", model)
		}
		path = strings.NewReplacer(
			"{resource}", url.PathEscape(at.AzureResource),
			"{model}", url.PathEscape(model),
		).Replace(path) + "?api-version=" + url.QueryEscape(at.AzureAPIVersion)
	}
	return at.Gateway + "/" + path, nil
}

// setting is an error about something the user has not set up. Trying again does not help.
func setting(format string, args ...any) *ir.Error {
	return &ir.Error{Kind: ir.UpstreamCredential, Code: "not_configured", Message: prose.New(format, args...), ShouldRetry: "false"}
}
