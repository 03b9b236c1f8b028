package ir

import (
	"bytes"

	"apex-ai-proxy/proxy/rawjson"
)

const attribution = "x-anthropic-billing-header:"

// WithoutAttribution removes the line Claude Code puts in front of its instructions. It
// changes with every request, which would defeat every prompt cache.
func WithoutAttribution(text rawjson.Escaped) rawjson.Escaped {
	if !bytes.HasPrefix(text, []byte(attribution)) {
		return text
	}
	if _, rest, ok := bytes.Cut(text, []byte(`\n`)); ok {
		return bytes.TrimPrefix(rest, []byte(`\n`))
	}
	return nil
}

// DocumentText is a text document as text.
func DocumentText(m *Media) rawjson.Escaped {
	out := rawjson.Escaped(`<document>\n`)
	title := m.Title
	if title == nil {
		title = m.Filename
	}
	for _, s := range []rawjson.Escaped{title, m.Context, m.Body} {
		if len(s) > 0 {
			out = append(out, s...)
			out = append(out, `\n`...)
		}
	}
	return append(out, `</document>`...)
}

// MarkError tells the model in words that a tool failed, for protocols without a flag for
// it.
func MarkError(text rawjson.Escaped) rawjson.Escaped {
	const mark = "[tool error]"
	for _, said := range []string{"Error", "<tool_use_error>", mark} {
		if bytes.HasPrefix(text, []byte(said)) {
			return text
		}
	}
	if len(text) == 0 {
		return rawjson.Escaped(mark)
	}
	return append(rawjson.Escaped(mark+" "), text...)
}
