package demo

import (
	"strconv"
	"strings"

	"apex-ai-proxy/proxy/rawjson"
)

// ValidateMessages refuses what Anthropic refuses of a Messages request.
func ValidateMessages(body []byte) *Refusal {
	_, refusal := parseMessages(body)
	return refusal
}

type messagesDialect struct{}

var messagesKinds = [...]string{"", "null", "boolean", "number", "string", "list", "dictionary"}

func (messagesDialect) mismatch(n *node, want rawjson.Kind) *Refusal {
	if want == rawjson.Number && n.kind() == rawjson.Number {
		return badRequest("", "", "%s: Input should be a valid integer, got a number with a fractional part", n.dots())
	}
	return badRequest("", "", "%s: Input should be a valid %s", n.dots(), messagesKinds[want])
}

func (messagesDialect) missing(up *node, key string) *Refusal {
	return badRequest("", "", "%s: Field required", (&node{up: up, key: key}).dots())
}

func (messagesDialect) unknown(n *node) *Refusal {
	return badRequest("", "", "%s: Extra inputs are not permitted", n.dots())
}

func (messagesDialect) outOfRange(n *node, least, most float64) *Refusal {
	if n.v.Float() < least {
		return badRequest("", "", "%s: Input should be greater than or equal to %s", n.dots(), trimFloat(least))
	}
	return badRequest("", "", "%s: Input should be less than or equal to %s", n.dots(), trimFloat(most))
}

func (messagesDialect) notOneOf(n *node, words []string) *Refusal {
	return badRequest("", "", "%s: Input should be one of %s, not '%s'", n.dots(), quoteAll(words), n.str())
}

func (messagesDialect) tooLong(n *node, most int) *Refusal {
	return badRequest("", "", "%s: String should have at most %d characters", n.dots(), most)
}

var messagesFields = []string{
	"model", "messages", "max_tokens", "system", "metadata", "stop_sequences", "stream", "temperature", "top_p", "top_k",
	"tools", "tool_choice", "thinking", "service_tier", "container", "mcp_servers", "context_management", "output_config",
	"output_format", "cache_control", "inference_geo", "speed", "fallbacks", "fallback_credit_token", "diagnostics",
	"compaction", "thread",
}

// messagesInspection is one Messages request under inspection.
type messagesInspection struct {
	inspection
	top         members
	family      claude
	thinks      string // the type of thinking, "" when unset
	breakpoints int
	req         request
}

func parseMessages(body []byte) (*request, *Refusal) {
	root, err := parse(body)
	if err != nil {
		return nil, badRequest("", "", "The request body is not valid JSON: %v", err)
	}
	c := inspectMessages(root, false)
	return &c.req, c.refusal
}

// inspectMessages inspects a request; one that only asks for a count of tokens needs
// no max_tokens.
func inspectMessages(root *node, counting bool) *messagesInspection {
	c := &messagesInspection{inspection: inspection{dialect: messagesDialect{}}, top: membersOf(root)}
	c.only(c.top, messagesFields...)
	model := c.need(root, c.top, "model", rawjson.String)
	c.req.model = model.str()
	c.family = claudeOf(c.req.model)
	if model != nil && c.req.model == "" {
		c.refuse(badRequest("", "", "model: String should have at least 1 character"))
	}
	if counting {
		c.req.maxTokens = 1 << 31
	} else {
		c.limits(root)
	}
	c.thinking(c.top.get("thinking"))
	c.tools(c.top.get("tools"))
	c.choice(c.top.get("tool_choice"))
	c.system(c.top.get("system"))
	c.turns(c.need(root, c.top, "messages", rawjson.Array))
	c.sampling()
	c.output(c.top.get("output_config"))
	c.labels()
	if c.breakpoints > 4 {
		c.refuse(badRequest("", "", "A maximum of 4 blocks with cache_control may be provided. Found %d.", c.breakpoints))
	}
	return c
}

func (c *messagesInspection) limits(root *node) {
	most := c.need(root, c.top, "max_tokens", rawjson.Number)
	c.req.maxTokens = c.integer(most, 0, 1<<31)
	if limit := c.family.maxOutput; limit > 0 && c.req.maxTokens > limit {
		c.refuse(badRequest("", "", "max_tokens: %d > %d, which is the maximum allowed number of output tokens for %s", c.req.maxTokens, limit, c.req.model))
	}
	if s := c.top.get("stream"); c.is(s, rawjson.Bool) {
		c.req.stream = s.v.True()
	}
	stops := c.top.get("stop_sequences")
	if !c.is(stops, rawjson.Array) {
		return
	}
	for _, s := range elementsOf(stops) {
		if !c.is(s, rawjson.String) || strings.TrimSpace(s.str()) == "" {
			c.refuse(badRequest("", "", "stop_sequences: each stop sequence must contain non-whitespace"))
		}
		c.req.stopSequences = append(c.req.stopSequences, s.str())
	}
}

func (c *messagesInspection) sampling() {
	temperature, topP, topK := c.top.get("temperature"), c.top.get("top_p"), c.top.get("top_k")
	c.number(temperature, 0, 1)
	c.number(topP, 0, 1)
	c.integer(topK, 0, 1<<31)
	if c.family.noSampling {
		for _, n := range []*node{temperature, topP, topK} {
			if n.present() {
				c.refuse(badRequest("", "", "`%s` is deprecated for this model.", n.key))
			}
		}
	}
	if c.family.oneSampling && temperature.present() && topP.present() {
		c.refuse(badRequest("", "", "`temperature` and `top_p` cannot both be specified for this model. Please use only one."))
	}
	if c.req.thinks != thinkingOn {
		return
	}
	if temperature.present() && temperature.v.Float() != 1 {
		c.refuse(badRequest("", "", "`temperature` may only be set to 1 when thinking is enabled or in adaptive mode."))
	}
	if topP.present() && topP.v.Float() < 0.95 {
		c.refuse(badRequest("", "", "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled or in adaptive mode."))
	}
	if topK.present() {
		c.refuse(badRequest("", "", "`top_k` must be unset when thinking is enabled or in adaptive mode."))
	}
}

func (c *messagesInspection) thinking(n *node) {
	if !c.is(n, rawjson.Object) {
		return
	}
	m := membersOf(n)
	kind := c.need(n, m, "type", rawjson.String)
	c.word(kind, "enabled", "disabled", "adaptive")
	c.word(m.get("display"), "summarized", "omitted")
	c.req.omitThoughts = m.get("display").str() == "omitted"
	c.thinks = kind.str()
	switch c.thinks {
	case "disabled":
		c.only(m, "type")
		c.req.thinks = thinkingOff
		if c.family.alwaysThinks {
			c.refuse(badRequest("", "", "thinking: \"disabled\" is not supported on this model."))
		}
	case "enabled":
		c.only(m, "type", "budget_tokens", "display")
		c.req.thinks = thinkingOn
		c.budget(c.need(n, m, "budget_tokens", rawjson.Number))
	case "adaptive":
		c.only(m, "type", "display")
		c.req.thinks = thinkingOn
		if c.family.known && !c.family.adaptive {
			c.refuse(badRequest("", "", "adaptive thinking is not supported on this model"))
		}
	}
}

func (c *messagesInspection) budget(n *node) {
	if c.family.noBudget {
		c.refuse(badRequest("", "", "\"thinking.type.enabled\" is not supported for this model. Use \"thinking.type.adaptive\" and \"output_config.effort\" to control thinking behavior."))
	}
	if c.family.known && !c.family.thinks {
		c.refuse(badRequest("", "", "this model does not support thinking"))
	}
	if budget := c.integer(n, 1024, 1<<31); n != nil && budget >= c.req.maxTokens {
		c.refuse(badRequest("", "", "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult the documentation."))
	}
}

// output checks output_config.
func (c *messagesInspection) output(n *node) {
	if !c.is(n, rawjson.Object) {
		return
	}
	m := membersOf(n)
	c.only(m, "effort", "format", "task_budget")
	effort := m.get("effort")
	c.word(effort, "low", "medium", "high", "xhigh", "max")
	if effort.present() && c.family.known && !c.family.effort {
		c.refuse(badRequest("", "", "This model does not support the effort parameter."))
	}
	format := m.get("format")
	if !c.is(format, rawjson.Object) {
		return
	}
	f := membersOf(format)
	c.only(f, "type", "schema")
	c.word(c.need(format, f, "type", rawjson.String), "json_schema")
	schema := c.need(format, f, "schema", rawjson.Object)
	c.req.format = schema.value()
	if why := closedFault(schema); why != "" {
		c.refuse(badRequest("", "", "output_config.format.schema: %s", why))
	}
}

// closedFault says why a schema cannot be used for structured outputs, "" when it can.
func closedFault(n *node) string {
	m := membersOf(n)
	if m == nil {
		return ""
	}
	t := typeOf(m)
	if t == "object" {
		if extra := m.get("additionalProperties"); extra == nil || string(extra.v) != "false" {
			return "For 'object' type, 'additionalProperties' must be explicitly set to false"
		}
	}
	for _, keyword := range []string{"minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "maxItems", "multipleOf", "uniqueItems"} {
		if m.get(keyword) != nil {
			return "For '" + t + "' type, property '" + keyword + "' is not supported"
		}
	}
	for _, p := range membersOf(m.get("properties")) {
		if why := closedFault(p); why != "" {
			return why
		}
	}
	return closedFault(m.get("items"))
}

// labels checks the fields that describe the request and change no answer.
func (c *messagesInspection) labels() {
	c.word(c.top.get("service_tier"), "auto", "standard_only")
	c.word(c.top.get("speed"), "standard", "fast")
	c.cacheControl(c.top)
	labels := c.top.get("metadata")
	if !c.is(labels, rawjson.Object) {
		return
	}
	m := membersOf(labels)
	c.only(m, "user_id")
	id := m.get("user_id")
	c.text(id, 256)
	if strings.Contains(id.str(), "@") {
		c.refuse(badRequest("", "", "metadata.user_id: user_id appears to contain an email address"))
	}
}

// cacheControl checks the cache_control among the members of a block, tool or request.
func (c *messagesInspection) cacheControl(m members) {
	n := m.get("cache_control")
	if !c.is(n, rawjson.Object) {
		return
	}
	c.breakpoints++
	f := membersOf(n)
	c.only(f, "type", "ttl", "scope")
	c.word(c.need(n, f, "type", rawjson.String), "ephemeral")
	c.word(f.get("ttl"), "5m", "1h")
}

// tools checks the declared tools.
func (c *messagesInspection) tools(n *node) {
	if !c.is(n, rawjson.Array) {
		return
	}
	for _, t := range elementsOf(n) {
		m := membersOf(t)
		if m == nil {
			c.refuse(c.mismatch(t, rawjson.Object))
			return
		}
		c.cacheControl(m)
		if kind := m.get("type").str(); kind != "" && kind != "custom" {
			c.serverTool(t, m, kind)
			continue
		}
		c.only(m, "type", "name", "description", "input_schema", "cache_control", "strict", "eager_input_streaming",
			"defer_loading", "allowed_callers", "input_examples")
		name := c.need(t, m, "name", rawjson.String)
		c.toolName(name)
		c.is(m.get("description"), rawjson.String)
		c.req.words += len(strings.Fields(m.get("description").str()))
		schema := c.need(t, m, "input_schema", rawjson.Object)
		if schema != nil {
			c.inputSchema(schema)
		}
		if declared(c.req.tools, name.str()) {
			c.refuse(badRequest("", "", "tools: Tool names must be unique."))
		}
		c.req.tools = append(c.req.tools, tool{name: name.str(), schema: schema.value()})
	}
}

func (c *messagesInspection) inputSchema(schema *node) {
	m := membersOf(schema)
	kind := c.need(schema, m, "type", rawjson.String)
	if kind != nil && kind.str() != "object" {
		c.refuse(badRequest("", "", "%s: Input should be 'object'", kind.dots()))
	}
	c.is(m.get("properties"), rawjson.Object)
	c.is(m.get("required"), rawjson.Array)
}

var serverTools = []string{
	"bash_", "text_editor_", "computer_", "web_search_", "web_fetch_", "code_execution_", "memory_", "advisor_",
	"tool_search_tool_", "mcp_toolset", "browser_",
}

func (c *messagesInspection) serverTool(t *node, m members, kind string) {
	for _, prefix := range serverTools {
		if strings.HasPrefix(kind, prefix) {
			return
		}
	}
	c.refuse(badRequest("", "", "%s: Input tag '%s' found using 'type' does not match any of the expected tags", t.dots(), kind))
}

func (c *messagesInspection) toolName(n *node) {
	if n == nil {
		return
	}
	if !isName(n.str()) || len(n.str()) > 128 {
		c.refuse(badRequest("", "", "%s: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'", n.dots()))
	}
}

// choice checks tool_choice.
func (c *messagesInspection) choice(n *node) {
	c.req.parallel = true
	if !c.is(n, rawjson.Object) {
		return
	}
	if len(elementsOf(c.top.get("tools"))) == 0 {
		c.refuse(badRequest("", "", "tool_choice: `tool_choice` may only be specified while providing `tools`."))
	}
	m := membersOf(n)
	kind := c.need(n, m, "type", rawjson.String)
	c.word(kind, "auto", "any", "tool", "none")
	c.req.choice = kind.str()
	switch kind.str() {
	case "none":
		c.only(m, "type")
	case "tool":
		c.only(m, "type", "name", "disable_parallel_tool_use")
		c.req.named = c.need(n, m, "name", rawjson.String).str()
		if !strings.Contains(string(c.top.get("tools").value()), strconv.Quote(c.req.named)) {
			c.refuse(badRequest("", "", "Tool '%s' not found in provided tools", c.req.named))
		}
	default:
		c.only(m, "type", "disable_parallel_tool_use")
	}
	if off := m.get("disable_parallel_tool_use"); c.is(off, rawjson.Bool) {
		c.req.parallel = !off.v.True()
	}
	if c.req.thinks == thinkingOn && (kind.str() == "any" || kind.str() == "tool") {
		c.refuse(badRequest("", "", "Thinking may not be enabled when tool_choice forces tool use."))
	}
}
