package ir

import (
	"apex-ai-proxy/proxy/rawjson"
)

// OpaqueText puts a part that only Anthropic's protocol has into words for a model of
// another vendor. ok is false for parts whose content would be lost.
func OpaqueText(p *Part) (text rawjson.Escaped, ok bool) {
	switch p.Type {
	case "search_result":
		text = textOf(nil, p.Raw.Get("title"))
		text = line(text, p.Raw.Get("source"))
		return blockTexts(text, p.Raw.Get("content")), true
	case "tool_reference":
		name := p.Raw.Get("tool_name").Text()
		if name == nil {
			name = p.Raw.Get("name").Text()
		}
		text = append(rawjson.Escaped("Tool "), name...)
		return append(text, " is now available."...), true
	case "server_tool_use":
		return serverCall(p.Raw), true
	case "mcp_tool_use":
		return serverCall(p.Raw), true
	case "container_upload", "":
		return nil, false
	}
	if content := p.Raw.Get("content"); content.Present() {
		text = append(rawjson.Escaped("["), rawjson.Escape(p.Type)...)
		text = append(text, ']')
		return append(blockTexts(text, content), `\n`...), true
	}
	return nil, false
}

// serverCall is "[web_search: the query]".
func serverCall(v rawjson.Value) rawjson.Escaped {
	out := append(rawjson.Escaped("["), v.Get("name").Text()...)
	out = append(out, ": "...)
	input := v.Get("input")
	if q := input.Get("query").Text(); q != nil {
		out = append(out, q...)
	} else {
		out = rawjson.AppendEscape(out, []byte(input))
	}
	return append(out, `]\n`...)
}

func textOf(dst rawjson.Escaped, v rawjson.Value) rawjson.Escaped { return append(dst, v.Text()...) }

func line(dst rawjson.Escaped, v rawjson.Value) rawjson.Escaped {
	t := v.Text()
	if len(t) == 0 {
		return dst
	}
	if len(dst) > 0 {
		dst = append(dst, `\n`...)
	}
	return append(dst, t...)
}

// blockTexts appends, a line each, the texts, titles and addresses of a list of blocks.
func blockTexts(dst rawjson.Escaped, content rawjson.Value) rawjson.Escaped {
	switch content.Kind() {
	case rawjson.String:
		return line(dst, content)
	case rawjson.Array:
		r := rawjson.NewReader(content)
		r.Array(func(int) { dst = blockTexts(dst, r.Value()) })
	case rawjson.Object:
		for _, key := range []string{"title", "url", "text", "stdout", "stderr", "error_code"} {
			dst = line(dst, content.Get(key))
		}
		if inner := content.Get("content"); inner.Present() {
			dst = blockTexts(dst, inner)
		}
	default:
	}
	return dst
}
