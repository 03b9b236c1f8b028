package demo

import (
	"net/http"
	"strings"

	"apex-ai-proxy/proxy/rawjson"
)

// ValidateResponses refuses what OpenAI refuses of a Responses request.
func ValidateResponses(body []byte) *Refusal {
	_, refusal := parseResponses(body)
	return refusal
}

var responsesFields = []string{
	"background", "client_metadata", "context_management", "conversation", "include", "input", "instructions",
	"max_output_tokens", "max_tool_calls", "metadata", "model", "moderation", "parallel_tool_calls",
	"previous_response_id", "prompt", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "reasoning",
	"safety_identifier", "service_tier", "store", "stream", "stream_options", "temperature", "text", "tool_choice",
	"tools", "top_logprobs", "top_p", "truncation", "user",
}

// responsesIncludes are what a request may want besides the answer.
var responsesIncludes = []string{
	"file_search_call.results", "web_search_call.results", "web_search_call.action.sources", "message.input_image.image_url",
	"computer_call_output.output.image_url", "code_interpreter_call.outputs", "reasoning.encrypted_content", "message.output_text.logprobs",
}

// responsesInspection is one Responses request under inspection. It shares what both of
// OpenAI's protocols check alike.
type responsesInspection struct {
	chatInspection
	encrypted  bool // the client wants to send the reasoning back
	summarized bool // and to see it
	answering  bool // the last item was the model's
}

func parseResponses(body []byte) (*responsesInspection, *Refusal) {
	root, err := parse(body)
	if err != nil {
		return nil, badRequest("", "", "We could not parse the JSON body of your request: %v.", err)
	}
	c := &responsesInspection{chatInspection: chatInspection{inspection: inspection{dialect: chatDialect{}}, top: membersOf(root)}}
	c.only(c.top, responsesFields...)
	c.req.model = c.need(root, c.top, "model", rawjson.String).str()
	c.switches()
	c.state()
	c.numbers()
	c.reasoning(c.top.get("reasoning"))
	c.includes(c.top.get("include"))
	c.tools(c.top.get("tools"))
	c.choice(c.top.get("tool_choice"))
	if n := c.top.get("instructions"); c.is(n, rawjson.String) {
		c.req.words += len(strings.Fields(n.str()))
	}
	c.input(root, c.top.get("input"))
	c.format(c.top.get("text"))
	c.tags()
	return c, c.refusal
}

func (c *responsesInspection) switches() {
	for _, key := range []string{"background", "store", "stream", "parallel_tool_calls"} {
		c.is(c.top.get(key), rawjson.Bool)
	}
	c.req.stream = c.top.get("stream").value().True()
	c.req.parallel = !c.top.get("parallel_tool_calls").present() || c.top.get("parallel_tool_calls").v.True()
	options := c.top.get("stream_options")
	if !c.is(options, rawjson.Object) {
		return
	}
	if !c.req.stream {
		c.refuse(badRequest("stream_options", "", "The 'stream_options' parameter is only allowed when 'stream' is enabled."))
	}
	c.only(membersOf(options), "include_obfuscation")
}

// state refuses what refers to something stored: nothing is.
func (c *responsesInspection) state() {
	if n := c.top.get("previous_response_id"); c.is(n, rawjson.String) {
		c.refuse(badRequest(n.path(), "previous_response_not_found", "Previous response with id '%s' not found.", n.str()))
	}
	for _, key := range []string{"conversation", "prompt"} {
		if n := c.top.get(key); n.present() {
			r := badRequest(key, key+"_not_found", "The %s does not exist.", key)
			r.Status = http.StatusNotFound
			c.refuse(r)
		}
	}
	c.word(c.top.get("truncation"), "auto", "disabled")
}

func (c *responsesInspection) numbers() {
	c.req.maxTokens = c.integer(c.top.get("max_output_tokens"), 16, 1<<31)
	c.integer(c.top.get("max_tool_calls"), 1, 1<<31)
	c.integer(c.top.get("top_logprobs"), 0, 20)
	c.number(c.top.get("temperature"), 0, 2)
	c.number(c.top.get("top_p"), 0, 1)
	if !chatFamilyOf(c.req.model).reasons {
		return
	}
	for _, param := range []string{"temperature", "top_p", "top_logprobs"} {
		if c.top.get(param).present() {
			c.unsupported(param)
		}
	}
}

func (c *responsesInspection) unsupported(param string) {
	c.refuse(badRequest(param, "unsupported_parameter", "Unsupported parameter: '%s' is not supported with this model.", param))
}

func (c *responsesInspection) reasoning(n *node) {
	if !c.is(n, rawjson.Object) {
		return
	}
	m := membersOf(n)
	c.only(m, "effort", "summary", "generate_summary", "context", "mode")
	effort, summary := m.get("effort"), m.get("summary")
	c.word(effort, "none", "minimal", "low", "medium", "high", "xhigh", "max")
	c.word(summary, "auto", "concise", "detailed")
	c.summarized = summary.present()
	f := chatFamilyOf(c.req.model)
	switch {
	case f.known && !f.reasons && effort.present():
		c.unsupported("reasoning.effort")
	case f.known && !f.reasons && summary.present():
		c.unsupported("reasoning.summary")
	case f.reasons && effort.present() && !oneOf(effort.str(), f.efforts):
		c.refuse(badRequest("reasoning.effort", "unsupported_value",
			"Unsupported value: '%s' is not supported with the '%s' model. Supported values are: %s.", effort.str(), c.req.model, quoteAll(f.efforts)))
	}
	if effort.str() == "none" {
		c.req.thinks = thinkingOff
	}
}

func (c *responsesInspection) includes(n *node) {
	if !c.is(n, rawjson.Array) {
		return
	}
	f := chatFamilyOf(c.req.model)
	for _, e := range elementsOf(n) {
		c.word(e, responsesIncludes...)
		if e.str() != "reasoning.encrypted_content" {
			continue
		}
		c.encrypted = true
		if f.known && !f.reasons {
			c.refuse(badRequest("include", "", "Encrypted content is not supported with this model."))
		}
	}
}

// format checks the field text.
func (c *responsesInspection) format(n *node) {
	if !c.is(n, rawjson.Object) {
		return
	}
	m := membersOf(n)
	c.only(m, "format", "verbosity")
	c.word(m.get("verbosity"), "low", "medium", "high")
	format := m.get("format")
	if !c.is(format, rawjson.Object) {
		return
	}
	f := membersOf(format)
	kind := c.need(format, f, "type", rawjson.String)
	c.word(kind, "text", "json_object", "json_schema")
	switch kind.str() {
	case "json_object":
		c.only(f, "type")
		if !strings.Contains(strings.ToLower(string(c.top.get("input").value())+string(c.top.get("instructions").value())), "json") {
			c.refuse(badRequest("input", "", "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'."))
		}
	case "json_schema":
		c.only(f, "type", "name", "description", "schema", "strict")
		c.name(c.need(format, f, "name", rawjson.String))
		schema := c.need(format, f, "schema", rawjson.Object)
		c.req.format = schema.value()
		if strict := f.get("strict"); c.is(strict, rawjson.Bool) && strict.v.True() {
			if why := strictFault(schema, ""); why != "" {
				c.refuse(badRequest("text.format.schema", "invalid_json_schema", "Invalid schema for response_format '%s': %s", f.get("name").str(), why))
			}
		}
	}
}

// tags checks the fields that describe the request and change no answer.
func (c *responsesInspection) tags() {
	for _, key := range []string{"user", "safety_identifier", "prompt_cache_key"} {
		c.text(c.top.get(key), 64)
	}
	c.word(c.top.get("service_tier"), "auto", "default", "flex", "scale", "priority")
	c.is(c.top.get("client_metadata"), rawjson.Object)
	if n := c.top.get("metadata"); c.is(n, rawjson.Object) {
		c.pairs(n)
	}
}

// tools checks the declared tools.
func (c *responsesInspection) tools(n *node) {
	if !c.is(n, rawjson.Array) {
		return
	}
	for _, t := range elementsOf(n) {
		c.tool(t, "")
	}
}

// hostedTools run at OpenAI, or on the client's side in a form that the model knows.
var hostedTools = []string{
	"file_search", "computer", "computer_use", "computer_use_preview", "web_search", "web_search_2025_08_26", "web_search_preview",
	"web_search_preview_2025_03_11", "mcp", "code_interpreter", "programmatic_tool_calling", "image_generation", "local_shell",
	"shell", "apply_patch", "tool_search",
}

// tool checks a tool; space is the namespace around it.
func (c *responsesInspection) tool(n *node, space string) {
	m := membersOf(n)
	if m == nil {
		c.refuse(c.mismatch(n, rawjson.Object))
		return
	}
	kind := c.need(n, m, "type", rawjson.String)
	words := []string{"function", "custom"}
	if space == "" {
		words = append(append(words, "namespace"), hostedTools...)
	}
	c.word(kind, words...)
	if !oneOf(kind.str(), []string{"function", "custom", "namespace"}) {
		return
	}
	name := c.need(n, m, "name", rawjson.String)
	c.name(name)
	c.is(m.get("description"), rawjson.String)
	c.req.words += len(strings.Fields(m.get("description").str()))
	t := tool{name: name.str(), space: space, custom: kind.str() == "custom"}
	switch kind.str() {
	case "namespace":
		c.only(m, "type", "name", "description", "tools")
		for _, inner := range elementsOf(c.need(n, m, "tools", rawjson.Array)) {
			c.tool(inner, t.name)
		}
		return
	case "custom":
		c.only(m, "type", "name", "description", "format", "defer_loading", "allowed_callers")
		c.grammar(m.get("format"))
	default:
		c.only(m, "type", "name", "description", "parameters", "strict", "defer_loading", "allowed_callers", "output_schema")
		t.schema = c.parameters(m, t.name)
	}
	c.req.tools = append(c.req.tools, t)
}

func (c *responsesInspection) parameters(m members, name string) rawjson.Value {
	strict := m.get("strict")
	c.is(strict, rawjson.Bool)
	schema := m.get("parameters")
	if !c.is(schema, rawjson.Object) {
		return nil
	}
	if why := chatSchemaFault(schema, strict.value().True()); why != "" {
		c.refuse(badRequest(schema.path(), "invalid_function_parameters", "Invalid schema for function '%s': %s", name, why))
	}
	return schema.v
}

// grammar checks the format of a custom tool.
func (c *responsesInspection) grammar(n *node) {
	if !c.is(n, rawjson.Object) {
		return
	}
	m := membersOf(n)
	kind := c.need(n, m, "type", rawjson.String)
	c.word(kind, "text", "grammar")
	if kind.str() != "grammar" {
		c.only(m, "type")
		return
	}
	c.only(m, "type", "syntax", "definition")
	c.word(c.need(n, m, "syntax", rawjson.String), "lark", "regex")
	c.need(n, m, "definition", rawjson.String)
}

// choice checks tool_choice.
func (c *responsesInspection) choice(n *node) {
	switch n.kind() {
	case rawjson.Absent, rawjson.Null:
	case rawjson.String:
		c.word(n, "none", "auto", "required")
		c.req.choice = strings.Replace(n.str(), "required", "any", 1)
	case rawjson.Object:
		m := membersOf(n)
		kind := c.need(n, m, "type", rawjson.String)
		c.word(kind, append([]string{"function", "custom", "allowed_tools"}, hostedTools...)...)
		switch kind.str() {
		case "allowed_tools":
			c.only(m, "type", "mode", "tools")
			c.word(c.need(n, m, "mode", rawjson.String), "auto", "required")
			c.need(n, m, "tools", rawjson.Array)
		case "function", "custom":
			c.only(m, "type", "name", "namespace")
			c.req.choice, c.req.named = "tool", c.need(n, m, "name", rawjson.String).str()
			if !declared(c.req.tools, c.req.named) {
				c.refuse(badRequest("tool_choice", "", "Tool choice '%s' not found in 'tools' parameter.", c.req.named))
			}
		}
	default:
		c.refuse(c.mismatch(n, rawjson.String))
	}
}
