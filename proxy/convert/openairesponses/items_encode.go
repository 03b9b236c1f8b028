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
		e.fail(ir.Refused(p.At.String(), "sound cannot be sent to this upstream"))
	default:
		text, ok := ir.OpaqueText(p)
		if !ok {
			e.fail(ir.Refused(p.At.String()+".type", "parts of type %q cannot be sent to this upstream", p.Type))
			return
		}
		e.lose("part-as-text", p.At.String(), "this upstream has no parts of type "+p.Type+"; it was sent as text")
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
	case m.FileID != nil:
		e.fail(ir.Refused(p.At.String()+".source", "files stored elsewhere cannot be read by this upstream: send the image itself"))
		return
	case m.URL == nil && kind == "":
		if kind = ir.SniffImage(m.Data); kind == "" {
			e.fail(ir.Invalid(p.At.String()+".source.media_type", "the image has no media type and is no PNG, JPEG, GIF or WebP"))
			return
		}
	}
	e.Open('{')
	e.Str("type", "input_image")
	if m.URL != nil {
		e.Text("image_url", m.URL)
	} else {
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
	case m.FileID != nil:
		e.fail(ir.Refused(p.At.String()+".source", "files stored elsewhere cannot be read by this upstream: send the document itself"))
	case m.Body != nil:
		e.lose("document-as-text", p.At.String(), "this upstream has no text documents; it was sent as text")
		e.textPart(kind, ir.DocumentText(m))
	case m.Parts != nil:
		e.lose("document-as-text", p.At.String(), "this upstream has no documents made of blocks; the blocks were sent one by one")
		for i := range m.Parts {
			e.part(&m.Parts[i], kind)
		}
	default:
		e.Open('{')
		e.Str("type", "input_file")
		if m.URL != nil {
			e.Text("file_url", m.URL)
		} else {
			name := m.Filename
			if name == nil {
				name = m.Title
			}
			if name == nil {
				name = rawjson.Escaped("document.pdf")
			}
			e.Text("filename", name)
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
		e.Str("type", "custom_tool_call")
	} else {
		e.Str("type", "function_call")
	}
	e.Str("call_id", e.callID(p.Call.ID))
	e.Str("name", e.names.To(p.Call.Name))
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
	if e.customCall(p.Reply.CallID) {
		e.Str("type", "custom_tool_call_output")
	} else {
		e.Str("type", "function_call_output")
	}
	e.Str("call_id", e.callID(p.Reply.CallID))
	plain := !slices.ContainsFunc(parts, func(q ir.Part) bool { return q.Kind != ir.Text })
	if plain {
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

// customCall tells whether the call with the id is one of a custom tool.
func (e *requestEncoder) customCall(id string) bool {
	for i := range e.req.Turns {
		for j := range e.req.Turns[i].Parts {
			if p := &e.req.Turns[i].Parts[j]; p.Kind == ir.ToolCall && p.Call.ID == id {
				return p.Call.Custom
			}
		}
	}
	return false
}

func (e *requestEncoder) tools() {
	choice := e.req.ToolChoice
	kept := make([]ir.Tool, 0, len(e.req.Tools))
	seen := make(map[string]bool, len(e.req.Tools))
	for i := range e.req.Tools {
		t, refusal, ok := ir.AsFunction(&e.req.Tools[i], e.req)
		switch {
		case refusal != nil:
			e.fail(refusal)
		case !ok:
			e.lose("tool-dropped", t.At.String(), "the tool "+e.req.Tools[i].Type+" runs at Anthropic and is not available on this upstream")
		case seen[t.Name]:
			e.lose("duplicate-tool", t.At.String(), "a tool name is used twice; the first one counts")
		case len(choice.Allowed) == 0 || slices.Contains(choice.Allowed, t.Name):
			kept = append(kept, t)
		}
		seen[t.Name] = true
	}
	if len(kept) == 0 {
		if choice.Forced() {
			e.fail(ir.Refused("tool_choice", "a tool call is demanded, but none of the tools can be offered on this upstream"))
		}
		return
	}
	e.OpenKey("tools", '[')
	for i := range kept {
		e.tool(&kept[i])
	}
	e.Close(']')
	e.toolChoice(choice, kept)
}

// tool writes a tool. Functions are marked as not strict unless the client wanted it:
// left out, this protocol takes them for strict.
func (e *requestEncoder) tool(t *ir.Tool) {
	e.Open('{')
	if t.Kind == ir.CustomTool {
		e.Str("type", "custom")
	} else {
		e.Str("type", "function")
	}
	e.Str("name", e.names.To(t.Name))
	if len(t.Description) > 0 {
		e.Text("description", t.Description)
	}
	if t.Kind == ir.CustomTool {
		if g := t.Schema.Get("grammar"); g.Present() { // Chat nests what is flat here
			e.OpenKey("format", '{')
			e.Str("type", "grammar")
			e.Raw("syntax", g.Get("syntax"))
			e.Raw("definition", g.Get("definition"))
			e.Close('}')
		} else {
			e.RawIf("format", t.Schema)
		}
	} else {
		e.Key("parameters")
		e.Buf = ir.AppendSchema(e.Buf, t.Schema, false)
		e.Bool("strict", t.Strict == ir.Yes)
	}
	e.Close('}')
}

func (e *requestEncoder) toolChoice(c ir.ToolChoice, kept []ir.Tool) {
	switch c.Mode {
	case ir.ChoiceAuto:
		e.Str("tool_choice", "auto")
	case ir.ChoiceNone:
		e.Str("tool_choice", "none")
	case ir.ChoiceAny:
		e.Str("tool_choice", "required")
	case ir.ChoiceTool:
		kind := "function"
		for i := range kept {
			if kept[i].Name == c.Name && kept[i].Kind == ir.CustomTool {
				kind = "custom"
			}
		}
		e.OpenKey("tool_choice", '{')
		e.Str("type", kind)
		e.Str("name", e.names.To(c.Name))
		e.Close('}')
	default:
	}
	if e.req.Parallel == ir.No {
		e.Bool("parallel_tool_calls", false)
	}
}
