package openaichat

import (
	"slices"
	"strings"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
)

// maxTools is the most tools OpenAI accepts in one request.
const maxTools = 128

// tools writes the tools that can be carried over, and the choice among them.
func (e *requestEncoder) tools() {
	kept := make([]*ir.Tool, 0, len(e.req.Tools))
	seen := make(map[string]bool, len(e.req.Tools))
	choice := e.req.ToolChoice
	for i := range e.req.Tools {
		if e.webSearch(&e.req.Tools[i], &choice) {
			continue
		}
		t, ok := e.convertible(&e.req.Tools[i])
		if !ok {
			continue
		}
		if seen[t.Name] {
			e.lose("duplicate-tool", t.At.String(), "a tool name is used twice; the first one counts")
			continue
		}
		seen[t.Name] = true
		kept = append(kept, t)
	}
	if len(choice.Allowed) > 0 && !e.to.Dialect.OpenAIFields {
		kept = slices.DeleteFunc(kept, func(t *ir.Tool) bool { return !slices.Contains(choice.Allowed, t.Name) })
	}
	switch {
	case len(kept) == 0 && choice.Forced():
		e.fail(ir.Refused("tool_choice", "a tool call is required, but none of the tools is available with this provider"))
		return
	case len(kept) == 0:
		return
	case e.to.Dialect.NoTools:
		e.fail(ir.Refused("tools", "%s models cannot call tools: remove tools or use another provider", e.to.Provider))
		return
	case len(kept) > maxTools:
		e.fail(ir.Refused("tools", "%d tools are more than the %d that this provider accepts: declare fewer", len(kept), maxTools))
		return
	}
	e.OpenKey("tools", '[')
	for _, t := range kept {
		e.tool(t)
	}
	e.Close(']')
	e.toolChoice(choice)
}

// webSearch switches on the search of models that have one, in place of another vendor's
// tool for it. Such a model always searches, so demanding it is met as well.
func (e *requestEncoder) webSearch(t *ir.Tool, choice *ir.ToolChoice) bool {
	if !e.to.Ability.WebSearch || t.Kind != ir.BuiltinTool || !strings.HasPrefix(t.Type, "web_search") {
		return false
	}
	if e.searches {
		return true
	}
	e.searches = true
	if choice.Mode == ir.ChoiceTool && (choice.Name == t.Name || choice.Name == t.Type) {
		*choice = ir.ToolChoice{}
	}
	for _, domains := range []string{"allowed_domains", "blocked_domains", "filters"} {
		if !t.Raw.Get(domains).Empty() {
			e.lose("field-dropped", t.At.String()+"."+domains, "this model cannot be told where to search")
		}
	}
	e.OpenKey("web_search_options", '{')
	e.RawIf("search_context_size", t.Raw.Get("search_context_size"))
	if where := t.Raw.Get("user_location"); where.Present() {
		e.OpenKey("user_location", '{')
		e.Str("type", "approximate")
		e.OpenKey("approximate", '{')
		where.Each(func(k []byte, v rawjson.Value) {
			if string(k) != "type" {
				e.Member(string(k), v)
			}
		})
		e.Close('}')
		e.Close('}')
	}
	e.Close('}')
	return true
}

// convertible turns a tool into a function tool, or tells why it cannot be one.
func (e *requestEncoder) convertible(t *ir.Tool) (*ir.Tool, bool) {
	if t.Kind != ir.BuiltinTool && !t.Indirect {
		return t, true // as it is
	}
	f, refusal, ok := ir.AsFunction(t, e.req)
	if refusal != nil {
		e.fail(refusal)
	} else if !ok {
		e.lose("tool-dropped", t.At.String(), "the tool %s runs at another provider and is not available with this one", t.Type)
	}
	return &f, ok
}

func (e *requestEncoder) tool(t *ir.Tool) {
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
	e.Str("type", "function")
	e.OpenKey("function", '{')
	e.Str("name", name)
	if len(description) > 0 {
		e.Text("description", description)
	}
	e.Key("parameters")
	if t.Kind == ir.CustomTool || e.to.Dialect.GeminiSchema {
		cleaned, guessed := e.schema(schema)
		if guessed {
			e.guessed(t.At.String())
		}
		e.Buf = ir.AppendSchema(e.Buf, cleaned)
	} else {
		e.Buf = t.AppendSchema(e.Buf)
	}
	if t.Strict == ir.Yes {
		if ir.StrictSchema(schema) {
			e.Bool("strict", true)
		} else {
			e.lose("strict-dropped", t.At.String(), "the schema is not of the strict kind this provider enforces")
		}
	}
	e.Close('}')
	e.Close('}')
}

// schema is a schema as the upstream accepts it. guessed tells that it had to be told more
// than the client said.
func (e *requestEncoder) schema(v rawjson.Value) (cleaned rawjson.Value, guessed bool) {
	if !e.to.Dialect.GeminiSchema || v.Kind() != rawjson.Object {
		return v, false
	}
	return ir.CleanSchema(v)
}

func (e *requestEncoder) guessed(path string) {
	e.lose("array-items-guessed", path, "a list without a type for its elements was declared as a list of texts")
}

func (e *requestEncoder) toolChoice(c ir.ToolChoice) {
	if e.to.Dialect.NoToolChoice {
		if c.Mode == ir.ChoiceNone || c.Forced() {
			e.lose("tool-choice-dropped", "tool_choice", "this provider lets the model choose its tools freely")
		}
		return
	}
	mode := c.Mode
	if len(c.Allowed) > 0 && e.to.Dialect.OpenAIFields && mode != ir.ChoiceNone {
		e.allowedTools(c)
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
		e.Str("type", "function")
		e.OpenKey("function", '{')
		e.Str("name", e.names.To(c.Name))
		e.Close('}')
		e.Close('}')
	default:
	}
	if e.req.Parallel == ir.No {
		if e.to.Dialect.NoParallel {
			e.lose("parallel-dropped", "tool_choice.disable_parallel_tool_use", "parallel tool calls cannot be turned off with this provider")
		} else {
			e.Bool("parallel_tool_calls", false)
		}
	}
}

// allowedTools offers some of the tools only, and leaves the list as it is: a changed one
// would miss the prompt's cache.
func (e *requestEncoder) allowedTools(c ir.ToolChoice) {
	e.OpenKey("tool_choice", '{')
	e.Str("type", "allowed_tools")
	e.OpenKey("allowed_tools", '{')
	if c.Mode == ir.ChoiceAny {
		e.Str("mode", "required")
	} else {
		e.Str("mode", "auto")
	}
	e.OpenKey("tools", '[')
	for _, name := range c.Allowed {
		e.Open('{')
		e.Str("type", "function")
		e.OpenKey("function", '{')
		e.Str("name", e.names.To(name))
		e.Close('}')
		e.Close('}')
	}
	e.Close(']')
	e.Close('}')
	e.Close('}')
}

// reasoning tells the upstream how much to think, in its own dialect.
func (e *requestEncoder) reasoning() {
	r := &e.req.Reasoning
	if r.Mode == ir.ReasoningUnset {
		return
	}
	if e.to.Dialect.Reasoning == ir.ReasoningObject && e.to.Ability.Budget {
		e.reasoningBudget(r)
		return
	}
	effort := e.effort(r)
	if effort == "" {
		return
	}
	switch e.to.Dialect.Reasoning {
	case ir.ReasoningObject:
		e.OpenKey("reasoning", '{')
		e.Str("effort", effort)
		e.Close('}')
	case ir.ReasoningEffortField:
		e.Str("reasoning_effort", effort)
	default:
	}
}

// reasoningBudget asks an aggregator for the thinking of a model that takes a number of
// tokens: with that number, or with a word that the aggregator turns into one.
func (e *requestEncoder) reasoningBudget(r *ir.Reasoning) {
	e.OpenKey("reasoning", '{')
	switch {
	case r.Mode == ir.ReasoningOff || r.Effort == "none":
		e.Bool("enabled", false)
	case r.Mode == ir.ReasoningBudget && r.Effort == "" && r.Budget > 0:
		e.Int("max_tokens", r.Budget)
	default:
		e.Str("effort", ir.ClampEffort(ir.WantedEffort(r), []string{"low", "medium", "high"}))
	}
	e.Close('}')
}

// effort is the word for how much to think, "" when the upstream takes none.
func (e *requestEncoder) effort(r *ir.Reasoning) string {
	ability := &e.to.Ability
	if e.to.Dialect.Reasoning == ir.ReasoningNone || ability.Known && len(ability.Efforts) == 0 {
		if r.Mode != ir.ReasoningOff {
			e.lose("reasoning-dropped", "thinking", "the amount of thinking cannot be set for this model")
		}
		return ""
	}
	effort := ir.EffortOf(r, ability.Efforts)
	if effort == "" && ability.Known && r.Mode == ir.ReasoningOff {
		e.lose("reasoning-not-off", "thinking", "thinking cannot be turned off for this model")
	}
	return effort
}

// output writes the shape the answer must have.
func (e *requestEncoder) output() {
	o := &e.req.Output
	switch {
	case o.Kind == ir.OutputText:
	case o.Kind == ir.OutputJSON || e.to.Dialect.NoJSONSchema:
		e.Raw("response_format", rawjson.Value(`{"type":"json_object"}`))
	default:
		e.OpenKey("response_format", '{')
		e.Str("type", "json_schema")
		e.OpenKey("json_schema", '{')
		if len(o.Name) > 0 {
			e.Text("name", o.Name)
		} else {
			e.Str("name", "output")
		}
		e.TextIf("description", o.Description)
		strict := ir.StrictSchema(o.Schema)
		if !strict && o.Strict != ir.No {
			e.lose("schema-not-strict", "output_config.format", "the schema is not of the strict kind this provider enforces; the answer may differ from it")
		}
		e.Bool("strict", strict && o.Strict != ir.No)
		e.Key("schema")
		cleaned, guessed := e.schema(o.Schema)
		if guessed {
			e.guessed("response_format")
		}
		e.Buf = ir.AppendSchema(e.Buf, cleaned)
		e.Close('}')
		e.Close('}')
	}
}

// outputHint is an instruction for upstreams that cannot enforce a schema.
func (e *requestEncoder) outputHint() rawjson.Escaped {
	if e.req.Output.Kind != ir.OutputSchema || !e.to.Dialect.NoJSONSchema {
		return nil
	}
	e.lose("json-schema-not-enforced", "output_config.format", "this provider does not support schemas; the model was asked to follow yours")
	return ir.SchemaHint(e.req.Output.Schema)
}
