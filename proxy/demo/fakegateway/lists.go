package fakegateway

import "net/http"

// openAIList is the form in which most list their models.
const openAIList = `{"object":"list","data":[{"id":"a-model","object":"model","created_at":0,"owned_by":"somebody"}]}`

// lists are the lists of models, by provider and path behind it.
var lists = map[string]map[string]string{
	"compat":           {"models": openAIList, "v1/models": openAIList},
	"openai":           {"models": openAIList},
	"deepseek":         {"models": openAIList},
	"grok":             {"v1/models": openAIList},
	"anthropic":        {"v1/models": `{"data":[{"type":"model","id":"a-model","display_name":"A","created_at":"2026-01-01T00:00:00Z"}],"has_more":false,"first_id":"a-model","last_id":"a-model"}`},
	"google-ai-studio": {"v1beta/models": `{"models":[{"name":"models/a-model","version":"001","displayName":"A"}]}`},
}

// list answers a request for models. The gateway's own list is made by itself; those of
// providers need the provider's key.
func (g *Gateway) list(in *Request, slug, rest string) (*call, *fault) {
	list, ok := lists[slug][rest]
	switch {
	case !ok && providers[slug] == nil && slug != "compat":
		return nil, gatewayFault(http.StatusBadRequest, 2008, "Invalid provider")
	case !ok:
		return nil, notFound("unknown_url", "Unknown request URL: GET /"+rest)
	case len(in.Body) > 0 || in.Header.Get("Content-Type") != "":
		return nil, &fault{why: "a body", status: http.StatusBadRequest, body: `{"error":{"message":"a GET has no body","type":"invalid_request_error","param":null,"code":null}}`}
	case slug == "compat":
		return &call{list: list}, nil
	case slug == "anthropic" && in.Header.Get("Anthropic-Version") == "":
		r := messagesRefusal("anthropic-version: header is required")
		return nil, &fault{why: r.Error(), status: r.Status, body: string(r.AppendMessages(nil, "req_fake"))}
	}
	return &call{list: list}, g.credentials(in, providers[slug])
}

// notPermitted is how Cloudflare refuses a token that lacks a permission.
func notPermitted() *fault {
	return &fault{
		why: "the token lacks a permission", status: http.StatusUnauthorized,
		body: `{"result":null,"success":false,"errors":[{"code":10000,"message":"Authentication error"}],"messages":[]}`,
	}
}
