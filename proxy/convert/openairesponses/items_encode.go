package openairesponses

import (
	"slices"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
)

func (e *requestEncoder) turn(t *ir.Turn) {
	switch t.Role {
	case ir.RoleSystem:
		e.message("developer", "input_text", t.Parts)
	case ir.RoleAssistant:
		e.assistant(t)
	default:
		e.sawUser = true
		var rest []ir.Part
		for i := range t.Parts {
			if p := &t.Parts[i]; p.Kind == ir.ToolResult {
				e.result(p)
			} else {
				rest = append(rest, *p)
			}
		}
		e.message("user", "input_text", rest)
	}
}

// message writes a message item, unless there is nothing to say.
func (e *requestEncoder) message(role, kind string, parts []ir.Part) {
	if len(parts) == 0 {
		return
	}
	e.Open('{')
	e.Str("type", "message")
	e.Str("role", role)
	e.OpenKey("content", '[')
	for i := range parts {
		e.part(&parts[i], kind)
	}
	e.Close(']')
	e.Close('}')
}

func (e *requestEncoder) part(p *ir.Part, kind string) {
	switch p.Kind {
	case ir.Text:
		e.textPart(kind, p.Text)
	case ir.Refusal:
		e.Open('{')
		e.Str("type", "refusal")
		e.Text("refusal", p.Text)
		e.Close('}')
	case ir.Image:
		e.image(p)
	case ir.Document:
		e.document(p, kind)
	case ir.Audio:
		e.fail(ir.Refused(p.At.String(), "sound cannot be sent to this provider"))
	default:
		text, ok := ir.OpaqueText(p)
		if !ok {
			e.fail(ir.Refused(p.At.String()+".type", "parts of type %q cannot be sent to this provider", p.Type))
			return
		}
		if p.Type != "tool_reference" {
			e.lose("part-as-text", p.At.String(), "this provider has no parts of type %s; it was sent as text", p.Type)
		}
		e.textPart(kind, text)
	}
}

func (e *requestEncoder) textPart(kind string, text rawjson.Escaped) {
	e.Open('{')
	e.Str("type", kind)
	e.Text("text", text)
	e.Close('}')
}

func (e *requestEncoder) image(p *ir.Part) {
	m := &p.Media
	kind := m.Type
	switch {
	case m.FileID != nil && e.req.Origin == ir.AnthropicMessages:
		e.fail(ir.Refused(p.At.String()+".source", "files stored elsewhere cannot be read by this provider: send the image itself"))
		return
	case m.Data != nil && kind == "":
		if kind = ir.SniffImage(m.Data); kind == "" {
			e.fail(ir.Invalid(p.At.String()+".source.media_type", "the image has no media type and is no PNG, JPEG, GIF or WebP"))
			return
		}
	}
	e.Open('{')
	e.Str("type", "input_image")
	switch {
	case m.FileID != nil:
		e.Text("file_id", m.FileID)
	case m.URL != nil:
		e.Text("image_url", m.URL)
	default:
		e.dataURL("image_url", kind, m.Data)
	}
	if m.Detail != "" {
		e.Str("detail", m.Detail)
	}
	e.Close('}')
}

func (e *requestEncoder) dataURL(key, media string, data rawjson.Escaped) {
	e.Key(key)
	e.Buf = append(e.Buf, '"')
	e.Buf = ir.AppendDataURL(e.Buf, media, data)
	e.Buf = append(e.Buf, '"')
}

func (e *requestEncoder) document(p *ir.Part, kind string) {
	m := &p.Media
	switch {
	case m.FileID != nil && e.req.Origin == ir.AnthropicMessages:
		e.fail(ir.Refused(p.At.String()+".source", "files stored elsewhere cannot be read by this provider: send the document itself"))
	case m.Body != nil:
		e.lose("document-as-text", p.At.String(), "this provider does not support text documents; the document was sent as text")
		e.textPart(kind, ir.DocumentText(m))
	case m.Parts != nil:
		e.lose("document-as-text", p.At.String(), "this provider does not support documents made of blocks; the blocks were sent one by one")
		for i := range m.Parts {
			e.part(&m.Parts[i], kind)
		}
	default:
		e.Open('{')
		e.Str("type", "input_file")
		switch {
		case m.FileID != nil:
			e.Text("file_id", m.FileID)
		case m.URL != nil:
			e.Text("file_url", m.URL)
		default:
			if p.Citations.Get("enabled").True() {
				e.lose("citations-dropped", p.At.String(), "this provider does not cite documents")
			}
			e.Text("filename", m.Name())
			e.dataURL("file_data", "application/pdf", m.Data)
		}
		e.Close('}')
	}
}

// assistant writes the items of an earlier answer in their order.
func (e *requestEncoder) assistant(t *ir.Turn) {
	var texts []ir.Part
	flush := func() {
		e.message("assistant", "output_text", texts)
		texts = nil
	}
	for _, p := range t.Parts {
		switch p.Kind {
		case ir.ToolCall:
			flush()
			e.call(&p)
		case ir.Thinking, ir.RedactedThinking:
			if item := ir.UnwrapItem(p.Signature); item != nil {
				flush()
				e.Element(item)
			}
		case ir.Image, ir.Audio:
			e.fail(ir.Refused(p.At.String(), "the model's own turns can hold text only with this provider: put the picture or sound into a user message"))
		case ir.Document:
			if p.Media.Body == nil {
				e.lose("document-dropped", p.At.String(), "the model's own turns can hold text only with this provider; a document was left out")
				continue
			}
			texts = append(texts, p)
		case ir.Opaque:
			if e.req.Origin == ir.OpenAIResponses {
				flush()
				e.Element(p.Raw)
				continue
			}
			texts = append(texts, p)
		default:
			texts = append(texts, p)
		}
	}
	flush()
}

func (e *requestEncoder) callID(id string) string {
	id = ir.UnwrapID(id)
	if id == "" || len(id) > maxCallID {
		return ir.WrapID(id)
	}
	return id
}

func (e *requestEncoder) call(p *ir.Part) {
	e.Open('{')
	if p.Call.Custom {
		e.custom[p.Call.ID] = true
		e.Str("type", "custom_tool_call")
	} else {
		e.Str("type", "function_call")
	}
	e.Str("call_id", e.callID(p.Call.ID))
	if t := e.toolNamed(p.Call.Name); t != nil && t.Namespace != "" {
		e.Str("namespace", t.Namespace)
		e.Str("name", t.Child)
	} else {
		e.Str("name", e.names.To(p.Call.Name))
	}
	if p.Call.Custom {
		e.Text("input", p.Call.Input)
	} else {
		args := p.Call.Args
		if !args.Present() {
			args = rawjson.Value("{}")
		}
		e.Key("arguments")
		e.Buf = rawjson.AppendQuote(e.Buf, []byte(args))
	}
	e.Close('}')
}

// result writes a tool's answer: a text, or parts when it holds media.
func (e *requestEncoder) result(p *ir.Part) {
	parts := p.Reply.Parts
	e.Open('{')
	if e.custom[p.Reply.CallID] {
		e.Str("type", "custom_tool_call_output")
	} else {
		e.Str("type", "function_call_output")
	}
	e.Str("call_id", e.callID(p.Reply.CallID))
	plain := !slices.ContainsFunc(parts, func(q ir.Part) bool { return q.Kind != ir.Text })
	if plain && (p.Reply.Plain || e.req.Origin != ir.OpenAIResponses) {
		text := rawjson.Escaped{}
		for i := range parts {
			if i > 0 {
				text = append(text, `\n`...)
			}
			text = append(text, parts[i].Text...)
		}
		if p.Reply.IsError {
			text = ir.MarkError(text)
		}
		e.Text("output", text)
	} else {
		e.OpenKey("output", '[')
		if p.Reply.IsError {
			e.textPart("input_text", ir.MarkError(nil))
		}
		for i := range parts {
			e.part(&parts[i], "input_text")
		}
		e.Close(']')
	}
	e.Close('}')
}
