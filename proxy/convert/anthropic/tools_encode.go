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
			e.lose("allowed-tools-widened", "tool_choice", "a tool that may not be called stays offered, since the conversation holds calls of it")
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
			e.fail(ir.Refused("tool_choice", "a tool call is demanded, but no tools are declared"))
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
	e.lose("tool-dropped", t.At.String(), "the tool "+t.Type+" runs at OpenAI and is not available on this upstream")
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
		e.lose("custom-tool-wrapped", t.At.String(), "this upstream has no custom tools; its text travels as an argument and its grammar is not enforced")
	}
	e.Open('{')
	e.Str("name", name)
	if len(description) > 0 {
		e.Text("description", description)
	}
	e.Key("input_schema")
	e.Buf = ir.AppendSchema(e.Buf, schema)
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

// moved are the keywords that structured outputs do not enforce; what they say goes into
// the description.
var moved = []string{
	"minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "maxItems", "multipleOf",
	"uniqueItems", "pattern",
}

// appendOutputSchema appends a schema as Anthropic's structured outputs take it: every
// object closed, limits told in words.
func appendOutputSchema(dst []byte, schema rawjson.Value, description rawjson.Escaped) []byte {
	if schema.Kind() != rawjson.Object {
		return append(dst, schema...)
	}
	w := rawjson.Writer{Buf: dst}
	w.Open('{')
	var notes rawjson.Escaped
	var types, any []rawjson.Value
	var isObject bool
	r := rawjson.NewReader(schema)
	r.Object(func(k []byte) {
		key := string(k)
		if slices.Contains(moved, key) || key == "minItems" {
			v := r.Value()
			if n, ok := v.Int(); key == "minItems" && ok && n <= 1 {
				w.Raw(key, v)
				return
			}
			if notes != nil {
				notes = append(notes, ", "...)
			}
			notes = rawjson.AppendEscape(notes, key+": "+string(v))
			return
		}
		switch key {
		case "description":
			description = r.Value().Text()
			return
		case "additionalProperties":
			r.Value()
			return
		case "type":
			if r.Kind() == rawjson.Array {
				r.Array(func(int) { types = append(types, r.Value()) })
				return
			}
			v := r.Value()
			isObject = v.Text().Is("object")
			w.Raw(key, v)
			return
		case "properties", "$defs", "definitions":
			isObject = isObject || key == "properties"
			w.OpenKey(key, '{')
			r.Object(func(name []byte) {
				w.KeyText(string(name))
				w.Buf = appendOutputSchema(w.Buf, r.Value(), nil)
			})
			w.Close('}')
			return
		case "items":
			if r.Kind() == rawjson.Object {
				w.Key(key)
				w.Buf = appendOutputSchema(w.Buf, r.Value(), nil)
				return
			}
		case "anyOf", "oneOf":
			r.Array(func(int) { any = append(any, r.Value()) })
			return
		case "allOf":
			w.OpenKey(key, '[')
			r.Array(func(int) { appendBranch(&w, r.Value()) })
			w.Close(']')
			return
		}
		w.KeyText(key)
		w.Buf = append(w.Buf, r.Value()...)
	})
	if len(types) > 2 && any == nil { // one type, or one beside null, may be listed
		for _, t := range types {
			any = append(any, rawjson.Value(`{"type":`+string(t)+`}`))
		}
		types = nil
	}
	if types != nil {
		w.OpenKey("type", '[')
		for _, t := range types {
			w.Element(t)
			isObject = isObject || t.Text().Is("object")
		}
		w.Close(']')
	}
	if any != nil {
		w.OpenKey("anyOf", '[')
		for _, v := range any {
			appendBranch(&w, v)
		}
		w.Close(']')
	}
	if notes != nil {
		if len(description) > 0 {
			description = append(append(rawjson.Escaped{}, description...), " ("...)
		} else {
			description = rawjson.Escaped("(")
		}
		description = append(append(description, notes...), ')')
	}
	if len(description) > 0 {
		w.Text("description", description)
	}
	if isObject {
		w.Bool("additionalProperties", false)
	}
	w.Close('}')
	return w.Buf
}

func appendBranch(w *rawjson.Writer, v rawjson.Value) {
	if n := len(w.Buf); w.Buf[n-1] != '[' {
		w.Buf = append(w.Buf, ',')
	}
	w.Buf = appendOutputSchema(w.Buf, v, nil)
}
