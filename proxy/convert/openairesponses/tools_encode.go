package openairesponses

import (
	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
)

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
			e.lose("tool-dropped", t.At.String(), "the tool %s runs at Anthropic and is not available with this provider", t.Type)
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
			e.fail(ir.Refused("tool_choice", "a tool call is required, but none of the tools is available with this provider"))
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
			return ir.Tool{}, ir.Refused(t.At.String()+".blocked_domains", "web search with this provider cannot leave out domains: remove blocked_domains, or name the allowed ones"), false
		}
		if uses := t.Raw.Get("max_uses"); uses.Present() {
			e.maxCalls(t, uses)
		}
		return searchTool(t.At, t.Raw), nil, true
	case "code_execution":
		e.lose("tool-replaced", t.At.String(), "code runs in this provider's own container instead of Anthropic's")
		return ir.Tool{Kind: ir.BuiltinTool, Type: "code_interpreter", Raw: rawjson.Value(`{"type":"code_interpreter","container":{"type":"auto"}}`), At: t.At}, nil, true
	case "computer":
		return ir.Tool{}, ir.Refused(t.At.String(), "the tool %s works differently with this provider: use a model of anthropic", t.Type), false
	default:
		return ir.Tool{}, nil, false
	}
}

// maxCalls limits the calls of a built-in tool, which is possible only for all together.
func (e *requestEncoder) maxCalls(t *ir.Tool, uses rawjson.Value) {
	for i := range e.req.Tools {
		if o := &e.req.Tools[i]; o.Kind == ir.BuiltinTool && o.At != t.At {
			e.lose("field-dropped", t.At.String()+".max_uses", "the uses of one tool among several cannot be limited with this provider")
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
		e.Buf = t.AppendSchema(e.Buf)
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
		e.lose("strict-dropped", t.At.String(), "the schema is not of the strict kind this provider enforces")
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
