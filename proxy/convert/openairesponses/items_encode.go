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
		if p.Type != "tool_reference" {
			e.lose("part-as-text", p.At.String(), "this upstream has no parts of type %s; it was sent as text", p.Type)
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
		e.fail(ir.Refused(p.At.String()+".source", "files stored elsewhere cannot be read by this upstream: send the image itself"))
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
		e.fail(ir.Refused(p.At.String()+".source", "files stored elsewhere cannot be read by this upstream: send the document itself"))
	case m.Body != nil:
		e.lose("document-as-text", p.At.String(), "this upstream does not support text documents; the document was sent as text")
		e.textPart(kind, ir.DocumentText(m))
	case m.Parts != nil:
		e.lose("document-as-text", p.At.String(), "this upstream does not support documents made of blocks; the blocks were sent one by one")
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
				e.lose("citations-dropped", p.At.String(), "this upstream does not cite documents")
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
			e.fail(ir.Refused(p.At.String(), "the model's own turns can hold text only on this upstream: put the picture or sound into a user message"))
		case ir.Document:
			if p.Media.Body == nil {
				e.lose("document-dropped", p.At.String(), "the model's own turns can hold text only on this upstream; a document was left out")
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

func (e *requestEncoder) tools() {
	choice := e.req.ToolChoice
	kept := make([]ir.Tool, 0, len(e.req.Tools))
	seen := make(map[string]bool, len(e.req.Tools))
	for i := range e.req.Tools {
		t := &e.req.Tools[i]
		f, refusal, ok := e.native(t)
		if !ok && refusal == nil {
			f, refusal, ok = ir.AsFunction(t, e.req)
		}
		switch {
		case refusal != nil:
			e.fail(refusal)
		case !ok:
			e.lose("tool-dropped", t.At.String(), "the tool %s runs at Anthropic and is not available on this upstream", t.Type)
		case seen[f.Name] && f.Name != "":
			e.lose("duplicate-tool", t.At.String(), "a tool name is used twice; the first one counts")
		default:
			kept = append(kept, f)
		}
		seen[f.Name] = true
	}
	for _, f := range e.req.Ext {
		if f.Name == "web_search_options" && f.Value.Present() {
			kept = append(kept, searchTool(ir.At("web_search_options", 0), f.Value))
		}
	}
	if len(kept) == 0 {
		if choice.Forced() {
			e.fail(ir.Refused("tool_choice", "a tool call is required, but none of the tools is available on this upstream"))
		}
		return
	}
	e.OpenKey("tools", '[')
	for i := range kept {
		if i == 0 || kept[i].Namespace == "" || kept[i].Namespace != kept[i-1].Namespace {
			e.tool(&kept[i])
		}
	}
	e.Close(']')
	e.toolChoice(choice, kept)
}

// native is a built-in tool as this protocol has it, when it does.
func (e *requestEncoder) native(t *ir.Tool) (ir.Tool, *ir.Error, bool) {
	if t.Kind != ir.BuiltinTool {
		return ir.Tool{}, nil, false
	}
	if e.req.Origin == ir.OpenAIResponses {
		return *t, nil, true
	}
	switch t.Family() {
	case "web_search":
		if !t.Raw.Get("blocked_domains").Empty() {
			return ir.Tool{}, ir.Refused(t.At.String()+".blocked_domains", "web search on this upstream cannot leave out domains: remove blocked_domains, or name the allowed ones"), false
		}
		if uses := t.Raw.Get("max_uses"); uses.Present() {
			e.maxCalls(t, uses)
		}
		return searchTool(t.At, t.Raw), nil, true
	case "code_execution":
		e.lose("tool-replaced", t.At.String(), "code runs in this upstream's own container instead of Anthropic's")
		return ir.Tool{Kind: ir.BuiltinTool, Type: "code_interpreter", Raw: rawjson.Value(`{"type":"code_interpreter","container":{"type":"auto"}}`), At: t.At}, nil, true
	case "computer":
		return ir.Tool{}, ir.Refused(t.At.String(), "the tool %s works differently on this upstream: use a model of anthropic", t.Type), false
	default:
		return ir.Tool{}, nil, false
	}
}

// maxCalls limits the calls of a built-in tool, which is possible only for all together.
func (e *requestEncoder) maxCalls(t *ir.Tool, uses rawjson.Value) {
	for i := range e.req.Tools {
		if o := &e.req.Tools[i]; o.Kind == ir.BuiltinTool && o.At != t.At {
			e.lose("field-dropped", t.At.String()+".max_uses", "the uses of one tool among several cannot be limited on this upstream")
			return
		}
	}
	e.calls = uses
}

// searchTool is web search as this protocol has it, from Anthropic's tool or from the
// options of Chat Completions.
func searchTool(at ir.Pos, v rawjson.Value) ir.Tool {
	var w rawjson.Writer
	w.Open('{')
	w.Str("type", "web_search")
	if domains := v.Get("allowed_domains"); !domains.Empty() {
		w.OpenKey("filters", '{')
		w.Raw("allowed_domains", domains)
		w.Close('}')
	}
	where := v.Get("user_location")
	if nested := where.Get("approximate"); nested.Present() {
		w.OpenKey("user_location", '{')
		w.Str("type", "approximate")
		nested.Each(func(k []byte, value rawjson.Value) { w.Member(string(k), value) })
		w.Close('}')
	} else {
		w.RawIf("user_location", where)
	}
	w.RawIf("search_context_size", v.Get("search_context_size"))
	w.Close('}')
	return ir.Tool{Kind: ir.BuiltinTool, Name: "web_search", Type: "web_search", Raw: w.Buf, At: at}
}

// toolNamed is the declared tool of a name, nil when there is none.
func (e *requestEncoder) toolNamed(name string) *ir.Tool {
	for i := range e.req.Tools {
		if e.req.Tools[i].Name == name {
			return &e.req.Tools[i]
		}
	}
	return nil
}

// tool writes a tool. Functions are marked as not strict unless the client wanted it:
// left out, this protocol takes them for strict.
func (e *requestEncoder) tool(t *ir.Tool) {
	if t.Kind == ir.BuiltinTool || t.Namespace != "" {
		e.Element(t.Raw)
		return
	}
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
			e.RawIf("syntax", g.Get("syntax"))
			e.RawIf("definition", g.Get("definition"))
			e.Close('}')
		} else {
			e.RawIf("format", t.Schema)
		}
	} else {
		e.Key("parameters")
		e.Buf = ir.AppendSchema(e.Buf, t.Schema)
		e.strict(t)
	}
	e.Close('}')
}

// strict says whether the schema is enforced. Only a client that knows this protocol means
// yes by saying nothing.
func (e *requestEncoder) strict(t *ir.Tool) {
	own := e.req.Origin == ir.OpenAIResponses
	switch {
	case own && t.Strict == ir.Unset:
	case t.Strict == ir.Yes && !own && !ir.StrictSchema(t.Schema):
		e.lose("strict-dropped", t.At.String(), "the schema is not of the strict kind this upstream enforces")
		e.Bool("strict", false)
	default:
		e.Bool("strict", t.Strict == ir.Yes)
	}
}

func (e *requestEncoder) toolChoice(c ir.ToolChoice, kept []ir.Tool) {
	if e.calls != nil {
		e.Raw("max_tool_calls", e.calls)
	}
	mode := c.Mode
	if len(c.Allowed) > 0 && mode != ir.ChoiceNone {
		e.allowedTools(c, kept)
		mode = ir.ChoiceUnset
	}
	switch mode {
	case ir.ChoiceAuto:
		e.Str("tool_choice", "auto")
	case ir.ChoiceNone:
		e.Str("tool_choice", "none")
	case ir.ChoiceAny:
		e.Str("tool_choice", "required")
	case ir.ChoiceTool:
		e.OpenKey("tool_choice", '{')
		e.choose(c.Name, kept)
		e.Close('}')
	default:
	}
	if e.req.Parallel == ir.No {
		e.Bool("parallel_tool_calls", false)
	}
}

// choose names a tool in a choice.
func (e *requestEncoder) choose(name string, kept []ir.Tool) {
	kind := "function"
	for i := range kept {
		switch t := &kept[i]; {
		case t.Name == name && t.Kind == ir.CustomTool:
			kind = "custom"
		case t.Kind == ir.BuiltinTool && (t.Name == name || t.Type == name):
			e.Str("type", t.Type)
			return
		}
	}
	e.Str("type", kind)
	e.Str("name", e.names.To(name))
}

// allowedTools offers some of the tools only.
func (e *requestEncoder) allowedTools(c ir.ToolChoice, kept []ir.Tool) {
	e.OpenKey("tool_choice", '{')
	e.Str("type", "allowed_tools")
	if c.Mode == ir.ChoiceAny {
		e.Str("mode", "required")
	} else {
		e.Str("mode", "auto")
	}
	e.OpenKey("tools", '[')
	for _, name := range c.Allowed {
		e.Open('{')
		e.choose(name, kept)
		e.Close('}')
	}
	e.Close(']')
	e.Close('}')
}
