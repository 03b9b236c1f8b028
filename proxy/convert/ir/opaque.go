package ir

import (
	"bytes"
	"strings"

	"apex-ai-proxy/proxy/rawjson"
)

// OpaqueText puts a part that only the client's protocol has into words for a model of
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
	case "server_tool_use", "mcp_tool_use":
		return serverCall(p.Raw), true
	case "web_search_call", "file_search_call", "code_interpreter_call", "mcp_call", "mcp_list_tools",
		"mcp_approval_request", "mcp_approval_response":
		return hostedCall(p.Type, p.Raw), true
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

// serverCall is "[web search: the query]".
func serverCall(v rawjson.Value) rawjson.Escaped {
	out := append(rawjson.Escaped("["), bytes.ReplaceAll(v.Get("name").Text(), []byte("_"), []byte(" "))...)
	out = append(out, ": "...)
	input := v.Get("input")
	if q := input.Get("query").Text(); q != nil {
		out = append(out, q...)
	} else {
		out = rawjson.AppendEscape(out, []byte(input))
	}
	return append(out, `]\n`...)
}

// hostedCall is an item of a tool that runs at OpenAI: "[web search: the query]", and what
// came of it.
func hostedCall(kind string, v rawjson.Value) rawjson.Escaped {
	out := rawjson.Escape("[" + strings.ReplaceAll(strings.TrimSuffix(kind, "_call"), "_", " "))
	sep := ": "
	say := func(s rawjson.Value) {
		if text := s.Text(); len(text) > 0 {
			out = append(append(out, sep...), text...)
			sep = ", "
		}
	}
	each := func(list rawjson.Value, key string) {
		if list.Kind() != rawjson.Array {
			return
		}
		r := rawjson.NewReader(list)
		r.Array(func(int) {
			if e := r.Value(); key == "" {
				say(e)
			} else {
				say(e.Get(key))
			}
		})
	}
	action := v.Get("action")
	for _, s := range []rawjson.Value{
		action.Get("query"), action.Get("url"), action.Get("pattern"), v.Get("server_label"), v.Get("name"), v.Get("arguments"), v.Get("code"), v.Get("reason"),
	} {
		say(s)
	}
	if !action.Get("query").Present() {
		each(action.Get("queries"), "")
	}
	each(v.Get("queries"), "")
	each(v.Get("tools"), "name")
	if a := v.Get("approve"); a.Present() {
		out = append(append(out, sep...), map[bool]string{true: "approved", false: "refused"}[a.True()]...)
	}
	out = append(out, ']')
	sources := rawjson.NewReader(action.Get("sources"))
	if action.Get("sources").Kind() == rawjson.Array {
		sources.Array(func(int) { out = line(out, sources.Value().Get("url")) })
	}
	for _, key := range []string{"results", "outputs"} {
		if list := v.Get(key); list.Kind() == rawjson.Array {
			r := rawjson.NewReader(list)
			r.Array(func(int) {
				e := r.Value()
				for _, field := range []string{"filename", "text", "logs"} {
					out = line(out, e.Get(field))
				}
			})
		}
	}
	return append(line(line(out, v.Get("output")), v.Get("error")), `\n`...)
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
