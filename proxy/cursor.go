package proxy

import (
	"apex-ai-proxy/proxy/convert"
	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/provider"
	"apex-ai-proxy/proxy/rawjson"
)

// Cursor sends to the Chat address what it would send to other APIs: whole bodies of the
// Responses API, and tools and parts of messages of that one or of Anthropic's. Answers
// are expected in the shape of Chat.

// reader is the codec that reads the request, nil when its bytes can pass as they are.
func (x *exchange) reader(q *provider.Request) convert.Codec {
	switch {
	case x.client == ir.OpenAIChat && q.Has("input") && !q.Has("messages"):
		return convert.For(ir.OpenAIResponses)
	case x.up != x.client || x.client == ir.OpenAIChat && (foreignParts(q) || x.route.Provider.Dialect.Alternate && inARow(q.Field("messages"))):
		return x.codec
	default:
		return nil
	}
}

// inARow tells whether one speaker has two messages in a row, or speaks before the user.
// Conversion puts them together, for providers that refuse that.
func inARow(messages rawjson.Value) (found bool) {
	if messages.Kind() != rawjson.Array {
		return false
	}
	last := "assistant" // whose message may not come next
	r := rawjson.Within(messages)
	r.Array(func(int) {
		switch role := r.Value().Get("role").Str(); role {
		case "system", "developer":
		default:
			found = found || role == last
			last = role
		}
	})
	return found
}

// foreignParts tells whether a Chat request holds what only other protocols have.
func foreignParts(q *provider.Request) bool {
	return flatTool(q.Field("tools")) ||
		q.AnthropicParts && foreignMessages(q.Field("messages"))
}

// flatTool tells whether the first tool is written as other protocols write theirs.
func flatTool(tools rawjson.Value) bool {
	first := tools.First()
	if !first.Get("name").Present() || first.Get("function").Present() || first.Get("custom").Present() {
		return false
	}
	kind := first.Get("type").Text()
	return kind == nil || kind.Is("function") || kind.Is("custom")
}

// foreignMessages tells whether a message holds a call or a result of a tool in the shape
// of Anthropic's API.
func foreignMessages(messages rawjson.Value) (found bool) {
	if messages.Kind() != rawjson.Array {
		return false
	}
	r := rawjson.Within(messages)
	r.Array(func(int) {
		content := r.Value().Get("content")
		if found || content.Kind() != rawjson.Array {
			return
		}
		parts := rawjson.Within(content)
		parts.Array(func(int) {
			kind := parts.Value().Get("type").Text()
			found = found || kind.Is("tool_use") || kind.Is("tool_result")
		})
	})
	return found
}
