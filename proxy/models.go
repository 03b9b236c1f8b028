package proxy

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/demo"
	"apex-ai-proxy/proxy/prose"
	"apex-ai-proxy/proxy/provider"
)

// model is an entry of the model list, in the shapes of both vendors at once.
type model struct {
	ID          string `json:"id"`
	Object      string `json:"object"`
	Type        string `json:"type"`
	Created     int64  `json:"created"`
	CreatedAt   string `json:"created_at"`
	OwnedBy     string `json:"owned_by"`
	DisplayName string `json:"display_name"`
	MaxTokens   int64  `json:"max_tokens,omitempty"`
}

// modelList is the list, in the shapes of both vendors at once.
type modelList struct {
	Object  string  `json:"object"`
	Data    []model `json:"data"`
	HasMore bool    `json:"has_more"`
	FirstID *string `json:"first_id"`
	LastID  *string `json:"last_id"`
}

// The time of every model: nobody tells it, but clients want one that stays the same.
const (
	created   = 1735689600
	createdAt = "2025-01-01T00:00:00Z"
)

func modelOf(p *provider.Provider, id string) model {
	a := provider.AbilityOf(p.Slug, id)
	return model{
		ID: id + "#" + p.Slug, Object: "model", Type: "model", Created: created, CreatedAt: createdAt,
		OwnedBy: p.Slug, DisplayName: id + " (" + p.Title + ")", MaxTokens: a.MaxOutput,
	}
}

// models is every model worth listing: the user's own names first. For Anthropic's clients
// those are repeated where Claude Code would not show them.
func (x *exchange) models() []model {
	var out, again []model
	for _, name := range slices.Sorted(maps.Keys(x.cfg.Aliases)) {
		if strings.Contains(name, "*") {
			continue
		}
		if route, err := provider.Resolve(x.cfg.Aliases[name][0]); err == nil {
			m := modelOf(&route.Provider, route.Model)
			m.ID, m.DisplayName = name, name+" ("+m.ID+")"
			out = append(out, m)
			if x.client == ir.AnthropicMessages && !strings.HasPrefix(name, "claude") && !strings.HasPrefix(name, "anthropic") {
				m.ID = published + name
				again = append(again, m)
			}
		}
	}
	out = append(out, again...)
	for _, p := range provider.All() {
		ids := p.Models
		if p.Local {
			ids = demo.Models()
		}
		for _, id := range ids {
			out = append(out, modelOf(&p, id))
		}
	}
	return out
}

// listModels answers GET /v1/models.
func (x *exchange) listModels() error {
	query := x.r.URL.Query()
	if query.Has("client_version") {
		// Codex asks for a catalogue of its own shape, and falls back to its built-in one.
		return &ir.Error{Kind: ir.PathNotFound, Code: "unknown_url", Message: prose.New("this proxy has no model catalogue for Codex")}
	}
	limit := query.Get("limit")
	if x.client != ir.AnthropicMessages {
		limit = "" // OpenAI's clients do not ask for a second page
	}
	data, more, err := page(x.models(), limit, query.Get("after_id"), query.Get("before_id"))
	if err != nil {
		return err
	}
	list := modelList{Object: "list", Data: data, HasMore: more}
	if len(data) > 0 {
		list.FirstID, list.LastID = &data[0].ID, &data[len(data)-1].ID
	}
	return x.object(list)
}

// page cuts a page out of the list, as Anthropic's clients ask for it.
func page(all []model, limit, after, before string) (data []model, more bool, err error) {
	n := len(all)
	if limit != "" {
		if n, err = strconv.Atoi(limit); err != nil || n < 1 || n > 1000 {
			return nil, false, ir.Invalid("limit", "limit must be a number from 1 to 1000")
		}
	}
	from, to := 0, len(all)
	for i := range all {
		if all[i].ID == after {
			from = i + 1
		}
		if before != "" && all[i].ID == before {
			to = i
		}
	}
	if before != "" {
		start := max(from, to-n)
		return all[start:to], start > from, nil
	}
	end := min(to, from+n)
	return append([]model{}, all[from:end]...), end < to, nil
}

// oneModel answers GET /v1/models/{id}: any name that leads to a provider is a model.
func (x *exchange) oneModel(id string) error {
	for _, m := range x.models() {
		if m.ID == id {
			return x.object(m)
		}
	}
	models, alias := targets(x.cfg.Aliases, id)
	route, err := resolve(models[0], alias)
	if err != nil {
		why := prose.Of(err)
		var e *ir.Error
		if errors.As(err, &e) {
			why = e.Message // without what it is about, which is told below
		}
		return &ir.Error{
			Kind: ir.ModelNotFound, Code: "model_not_found", Param: "model",
			Message: prose.New("the model %q is not known: %v", printable(id), why),
		}
	}
	m := modelOf(&route.Provider, route.Model)
	m.ID = id
	return x.object(m)
}

// object answers with a value.
func (x *exchange) object(v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return x.json(http.StatusOK, body)
}
