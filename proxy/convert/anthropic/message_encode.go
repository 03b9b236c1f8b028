package anthropic

import (
	"slices"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
)

func (e *requestEncoder) messages() {
	e.OpenKey("messages", '[')
	for i := range e.out {
		m := &e.out[i]
		e.Open('{')
		switch m.role {
		case ir.RoleAssistant:
			e.Str("role", "assistant")
		case ir.RoleSystem:
			e.Str("role", "system")
		default:
			e.Str("role", "user")
		}
		e.OpenKey("content", '[')
		for j := range m.parts {
			e.part(&m.parts[j])
		}
		e.Close(']')
		e.Close('}')
	}
	e.Close(']')
}

func (e *requestEncoder) part(p *ir.Part) {
	switch p.Kind {
	case ir.Text, ir.Refusal:
		e.textBlock(p)
	case ir.Image:
		e.image(p)
	case ir.Document:
		e.document(p)
	case ir.ToolCall:
		e.call(p)
	case ir.ToolResult:
		e.result(p)
	case ir.Thinking:
		e.Open('{')
		e.Str("type", "thinking")
		e.Text("thinking", p.Text)
		e.Text("signature", p.Signature)
		e.Close('}')
	case ir.RedactedThinking:
		e.Open('{')
		e.Str("type", "redacted_thinking")
		e.Text("data", p.Signature)
		e.Close('}')
	case ir.Opaque:
		e.opaque(p)
	default:
	}
}

// opaque writes a block of Anthropic's own as it was, and puts any other into words.
func (e *requestEncoder) opaque(p *ir.Part) {
	if e.req.Origin == ir.AnthropicMessages {
		e.Element(p.Raw)
		return
	}
	text, ok := ir.OpaqueText(p)
	if !ok {
		e.fail(ir.Refused(p.At.String()+".type", "parts of type %q cannot be sent to this provider", p.Type))
		return
	}
	e.lose("part-as-text", p.At.String(), "this provider has no parts of type %s; it was sent as text", p.Type)
	e.textBlock(&ir.Part{Text: text})
}

func (e *requestEncoder) textBlock(p *ir.Part) {
	e.Open('{')
	e.Str("type", "text")
	e.Text("text", p.Text)
	if e.req.Origin == ir.AnthropicMessages {
		e.RawIf("citations", p.Citations)
	}
	e.cache(p.Cache)
	e.Close('}')
}

// images lists the media types the API takes.
var images = []string{"image/png", "image/jpeg", "image/gif", "image/webp"}

func (e *requestEncoder) image(p *ir.Part) {
	m := &p.Media
	kind := m.Type
	if e.foreignFile(p) {
		return
	}
	if kind == "image/jpg" {
		kind = "image/jpeg"
	}
	if m.Data != nil && !slices.Contains(images, kind) {
		if kind = ir.SniffImage(m.Data); kind == "" {
			e.fail(ir.Invalid(p.At.String(), "the image is no PNG, JPEG, GIF or WebP: convert it first"))
			return
		}
	}
	e.Open('{')
	e.Str("type", "image")
	e.source(m, kind)
	e.cache(p.Cache)
	e.Close('}')
}

func (e *requestEncoder) source(m *ir.Media, kind string) {
	e.OpenKey("source", '{')
	switch {
	case m.URL != nil:
		e.Str("type", "url")
		e.Text("url", m.URL)
	case m.FileID != nil:
		e.Str("type", "file")
		e.Text("file_id", m.FileID)
	case m.Body != nil:
		e.Str("type", "text")
		e.Str("media_type", "text/plain")
		e.Text("data", m.Body)
	case m.Parts != nil:
		e.Str("type", "content")
		e.OpenKey("content", '[')
		for i := range m.Parts {
			e.part(&m.Parts[i])
		}
		e.Close(']')
	default:
		e.Str("type", "base64")
		e.Str("media_type", kind)
		e.Text("data", m.Data)
	}
	e.Close('}')
}

// foreignFile refuses files that are stored at another vendor.
func (e *requestEncoder) foreignFile(p *ir.Part) bool {
	if p.Media.FileID == nil || e.req.Origin == ir.AnthropicMessages {
		return false
	}
	e.fail(ir.Refused(p.At.String()+".file_id", "files stored at OpenAI cannot be read by models of anthropic: send the file itself"))
	return true
}

func (e *requestEncoder) document(p *ir.Part) {
	m := &p.Media
	if e.foreignFile(p) {
		return
	}
	e.Open('{')
	e.Str("type", "document")
	e.source(m, "application/pdf")
	title := m.Title
	if title == nil {
		title = m.Filename
	}
	if len(title) > 0 {
		e.Text("title", title)
	}
	e.TextIf("context", m.Context)
	e.RawIf("citations", p.Citations)
	e.cache(p.Cache)
	e.Close('}')
}

func (e *requestEncoder) call(p *ir.Part) {
	e.Open('{')
	e.Str("type", "tool_use")
	e.Str("id", ir.WrapID(p.Call.ID))
	e.Str("name", e.names.To(p.Call.Name))
	e.Key("input")
	switch {
	case p.Call.Custom:
		e.Buf = append(e.Buf, ir.WrapInput(p.Call.Input)...)
	case p.Call.Args.Present():
		e.Buf = append(e.Buf, p.Call.Args...)
	default:
		e.Buf = append(e.Buf, '{', '}')
	}
	e.cache(p.Cache)
	e.Close('}')
}

func (e *requestEncoder) result(p *ir.Part) {
	e.Open('{')
	e.Str("type", "tool_result")
	e.Str("tool_use_id", ir.WrapID(p.Reply.CallID))
	if p.Reply.IsError {
		e.Bool("is_error", true)
	}
	parts := slices.DeleteFunc(slices.Clone(p.Reply.Parts), func(q ir.Part) bool { return q.Kind == ir.Text && q.Text.Blank() })
	switch {
	case p.Reply.Plain && len(parts) == 1:
		e.Text("content", parts[0].Text)
	case len(parts) == 0:
		e.Text("content", rawjson.Escaped{})
	default:
		e.OpenKey("content", '[')
		for i := range parts {
			e.part(&parts[i])
		}
		e.Close(']')
	}
	e.cache(p.Cache)
	e.Close('}')
}
