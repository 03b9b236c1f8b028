package anthropic

import (
	"slices"
	"strings"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
)

// planTools decides which tools are sent and how free the model is to use them.
func (e *requestEncoder) planTools() {
	e.choice = e.req.ToolChoice
	seen := make(map[string]bool, len(e.req.Tools))
	for _, t := range e.req.Tools {
		switch {
		case e.req.Origin == ir.AnthropicMessages:
			e.kept = append(e.kept, t)
		case t.Kind == ir.BuiltinTool:
			e.planBuiltin(&t)
		case seen[t.Name]:
			e.lose("duplicate-tool", t.At.String(), "a tool name is used twice; the first one counts")
		case e.allows(t.Name):
			e.kept = append(e.kept, t)
		case e.called(t.Name):
			e.lose("allowed-tools-widened", "tool_choice", "a tool that may not be called is still offered, because the conversation contains calls to it")
			e.kept = append(e.kept, t)
		default:
		}
		seen[t.Name] = true
	}
	if i := slices.IndexFunc(e.req.Ext, func(f ir.Field) bool { return f.Name == "web_search_options" && f.Value.Present() }); i >= 0 {
		e.search = append(e.search, e.req.Ext[i].Value)
	}
	if len(e.kept) == 0 && len(e.search) == 0 {
		if e.choice.Forced() {
			e.fail(ir.Refused("tool_choice", "a tool call is required, but no tools are declared"))
		}
		e.choice = ir.ToolChoice{}
	}
}

// planBuiltin decides about a tool that runs at OpenAI. Web search exists at Anthropic
// too, unless it is to search a cache only.
func (e *requestEncoder) planBuiltin(t *ir.Tool) {
	search := strings.HasPrefix(t.Type, "web_search")
	switch {
	case search && !e.allows(t.Type) && !e.allows("web_search"):
		return
	case search && string(t.Raw.Get("external_web_access")) != "false":
		e.search = append(e.search, t.Raw)
		if e.choice.Mode == ir.ChoiceTool && e.choice.Name == t.Type {
			e.choice.Name = "web_search"
		}
		return
	}
	if _, refusal, _ := ir.AsFunction(t, e.req); refusal != nil && !search {
		e.fail(refusal)
		return
	}
	e.lose("tool-dropped", t.At.String(), "the tool %s runs at OpenAI and is not available with this provider", t.Type)
}

// writeSearch writes Anthropic's web search for OpenAI's.
func (e *requestEncoder) writeSearch(raw rawjson.Value) {
	e.Open('{')
	e.Str("type", "web_search_20250305")
	e.Str("name", "web_search")
	e.RawIf("allowed_domains", raw.Get("filters").Get("allowed_domains"))
	e.location(raw.Get("user_location"))
	e.Close('}')
}

// location writes where the user is; Chat Completions nests what is flat elsewhere.
func (e *requestEncoder) location(v rawjson.Value) {
	nested := v.Get("approximate")
	if !nested.Present() {
		e.RawIf("user_location", v)
		return
	}
	e.OpenKey("user_location", '{')
	e.Str("type", "approximate")
	nested.Each(func(k []byte, value rawjson.Value) { e.Member(string(k), value) })
	e.Close('}')
}

// allows tells whether the client's choice of tools leaves a name callable.
func (e *requestEncoder) allows(name string) bool {
	return len(e.choice.Allowed) == 0 || slices.Contains(e.choice.Allowed, name)
}

// called tells whether the conversation holds a call of the tool: it must stay declared.
func (e *requestEncoder) called(name string) bool {
	for i := range e.out {
		for j := range e.out[i].parts {
			if p := &e.out[i].parts[j]; p.Kind == ir.ToolCall && p.Call.Name == name {
				return true
			}
		}
	}
	return false
}

func (e *requestEncoder) tools() {
	if len(e.kept) == 0 && len(e.search) == 0 {
		return
	}
	e.OpenKey("tools", '[')
	for i := range e.kept {
		e.tool(&e.kept[i])
	}
	for _, raw := range e.search {
		e.writeSearch(raw)
	}
	e.Close(']')
	e.toolChoice()
}

func (e *requestEncoder) tool(t *ir.Tool) {
	if e.req.Origin == ir.AnthropicMessages {
		e.Element(t.Raw)
		return
	}
	description, schema := t.Description, t.Schema
	name := e.names.To(t.Name)
	if t.Kind == ir.CustomTool {
		description, schema = ir.WrapDescription(t), rawjson.Value(ir.WrapSchema)
		if e.customs == nil {
			e.customs = make(map[string]bool)
		}
		e.customs[name] = true
		e.lose("custom-tool-wrapped", t.At.String(), "this provider has no custom tools; its text travels as an argument and its grammar is not enforced")
	}
	e.Open('{')
	e.Str("name", name)
	if len(description) > 0 {
		e.Text("description", description)
	}
	e.Key("input_schema")
	if t.Kind == ir.CustomTool {
		e.Buf = ir.AppendSchema(e.Buf, schema)
	} else {
		e.Buf = t.AppendSchema(e.Buf)
	}
	if t.Strict == ir.Yes {
		if e.to.Ability.OutputSchema {
			e.Bool("strict", true)
		} else {
			e.lose("strict-dropped", t.At.String(), "this model does not enforce the schemas of tools")
		}
	}
	e.cache(t.Cache)
	e.Close('}')
}

func (e *requestEncoder) toolChoice() {
	single := e.req.Parallel == ir.No && e.choice.Mode != ir.ChoiceNone
	if e.choice.Mode == ir.ChoiceUnset && !single {
		return
	}
	e.OpenKey("tool_choice", '{')
	switch e.choice.Mode {
	case ir.ChoiceNone:
		e.Str("type", "none")
	case ir.ChoiceAny:
		e.Str("type", "any")
	case ir.ChoiceTool:
		e.Str("type", "tool")
		e.Str("name", e.names.To(e.choice.Name))
	default:
		e.Str("type", "auto")
	}
	if single {
		e.Bool("disable_parallel_tool_use", true)
	}
	e.Close('}')
}
