package demo

import (
	"fmt"
	"strconv"
	"strings"

	"apex-ai-proxy/proxy/rawjson"
)

// ChatRules widens OpenAI's own rules by what another provider of the same API knows.
// The zero ChatRules are OpenAI's.
type ChatRules struct {
	Fields        []string // more fields of the request
	MessageFields []string // more fields of assistant messages
	CallFields    []string // more fields of tool calls
	MaxToolID     int      // longest tool call id; 0 means 40
}

// ValidateChat refuses what OpenAI refuses of a Chat Completions request.
func ValidateChat(body []byte) *Refusal { return ChatRules{}.Validate(body) }

// Validate refuses what these rules do not allow.
func (rules ChatRules) Validate(body []byte) *Refusal {
	_, refusal := rules.parse(body)
	return refusal
}

type chatDialect struct{}

var chatKinds = [...]string{
	"nothing", "null", "a boolean", "a number", "a string", "an array", "an object",
}

func (chatDialect) mismatch(n *node, want rawjson.Kind) *Refusal {
	got := chatKinds[n.kind()]
	if want == rawjson.Number && n.kind() == rawjson.Number {
		return badRequest(n.path(), "invalid_type", "Invalid type for '%s': expected an integer, but got a decimal number instead.", n.path())
	}
	return badRequest(n.path(), "invalid_type", "Invalid type for '%s': expected %s, but got %s instead.", n.path(), chatKinds[want], got)
}

func (chatDialect) missing(up *node, key string) *Refusal {
	path := (&node{up: up, key: key}).path()
	return badRequest(path, "missing_required_parameter", "Missing required parameter: '%s'.", path)
}

func (chatDialect) unknown(n *node) *Refusal {
	return badRequest(n.path(), "unknown_parameter", "Unknown parameter: '%s'.", n.path())
}

func (chatDialect) outOfRange(n *node, least, most float64) *Refusal {
	code, word, edge := "integer_below_min_value", "below minimum value. Expected a value >=", least
	if n.v.Float() > most {
		code, word, edge = "integer_above_max_value", "above maximum value. Expected a value <=", most
	}
	return badRequest(n.path(), code, "Invalid '%s': %s %s, but got %s instead.", n.path(), word, trimFloat(edge), n.v)
}

func (chatDialect) notOneOf(n *node, words []string) *Refusal {
	return badRequest(n.path(), "invalid_value", "Invalid value: '%s'. Supported values are: %s.", n.str(), quoteAll(words))
}

func (chatDialect) tooLong(n *node, most int) *Refusal {
	return badRequest(n.path(), "string_above_max_length",
		"Invalid '%s': string too long. Expected a string with maximum length %d, but got a string with length %d instead.",
		n.path(), most, len([]rune(n.str())))
}

func trimFloat(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func quoteAll(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = "'" + w + "'"
	}
	if n := len(quoted); n > 1 {
		quoted[n-1] = "and " + quoted[n-1]
	}
	return strings.Join(quoted, ", ")
}

var chatFields = []string{
	"messages", "model", "audio", "frequency_penalty", "function_call", "functions", "logit_bias", "logprobs",
	"max_completion_tokens", "max_tokens", "metadata", "modalities", "moderation", "n", "parallel_tool_calls",
	"prediction", "presence_penalty", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention",
	"reasoning_effort", "response_format", "safety_identifier", "seed", "service_tier", "stop", "store", "stream",
	"stream_options", "temperature", "tool_choice", "tools", "top_logprobs", "top_p", "user", "verbosity",
	"web_search_options",
}

// chatInspection is one Chat Completions request under inspection.
type chatInspection struct {
	inspection
	rules ChatRules
	top   members
	req   request
}

func (rules ChatRules) parse(body []byte) (*request, *Refusal) {
	root, err := parse(body)
	if err != nil {
		return nil, badRequest("", "", "We could not parse the JSON body of your request: %v.", err)
	}
	c := &chatInspection{inspection: inspection{dialect: chatDialect{}}, rules: rules, top: membersOf(root)}
	c.only(c.top, append(chatFields[:len(chatFields):len(chatFields)], rules.Fields...)...)
	c.req.model = c.need(root, c.top, "model", rawjson.String).str()
	if c.req.model == "" {
		c.refuse(badRequest("", "", "you must provide a model parameter"))
	}
	c.messages(c.need(root, c.top, "messages", rawjson.Array))
	c.tools(c.top.get("tools"))
	c.choice(c.top.get("tool_choice"))
	c.limits()
	c.sampling()
	c.streaming()
	c.format(c.top.get("response_format"))
	c.labels()
	c.family()
	return &c.req, c.refusal
}

func (c *chatInspection) limits() {
	most, newer := c.top.get("max_tokens"), c.top.get("max_completion_tokens")
	if most.present() && newer.present() {
		c.refuse(badRequest("max_tokens", "invalid_request_error",
			"Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported."))
	}
	c.req.maxTokens = max(c.integer(most, 1, 1<<31), c.integer(newer, 1, 1<<31))
	stop := c.top.get("stop")
	switch stop.kind() {
	case rawjson.Absent, rawjson.Null:
	case rawjson.String:
		c.req.stopSequences = []string{stop.str()}
	case rawjson.Array:
		all := elementsOf(stop)
		if len(all) > 4 {
			c.refuse(badRequest("stop", "array_above_max_length",
				"Invalid 'stop': array too long. Expected an array with maximum length 4, but got an array with length %d instead.", len(all)))
		}
		for _, s := range all {
			if s.kind() != rawjson.String {
				c.refuse(c.mismatch(s, rawjson.String))
			}
			c.req.stopSequences = append(c.req.stopSequences, s.str())
		}
	default:
		c.refuse(c.mismatch(stop, rawjson.String))
	}
}

func (c *chatInspection) sampling() {
	c.number(c.top.get("temperature"), 0, 2)
	c.number(c.top.get("top_p"), 0, 1)
	c.number(c.top.get("frequency_penalty"), -2, 2)
	c.number(c.top.get("presence_penalty"), -2, 2)
	c.integer(c.top.get("n"), 1, 128)
	c.integer(c.top.get("seed"), -1<<63, 1<<63)
	c.is(c.top.get("logit_bias"), rawjson.Object)
	logprobs, alternatives := c.top.get("logprobs"), c.top.get("top_logprobs")
	c.is(logprobs, rawjson.Bool)
	c.integer(alternatives, 0, 20)
	if alternatives.present() && !(logprobs.present() && logprobs.v.True()) {
		c.refuse(badRequest("top_logprobs", "", "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled."))
	}
}

func (c *chatInspection) streaming() {
	if s := c.top.get("stream"); c.is(s, rawjson.Bool) {
		c.req.stream = s.v.True()
	}
	options := c.top.get("stream_options")
	if !c.is(options, rawjson.Object) {
		return
	}
	if !c.req.stream {
		c.refuse(badRequest("stream_options", "", "The 'stream_options' parameter is only allowed when 'stream' is enabled."))
	}
	m := membersOf(options)
	c.only(m, "include_usage", "include_obfuscation")
	if usage := m.get("include_usage"); c.is(usage, rawjson.Bool) {
		c.req.includeUsage = usage.v.True()
	}
}

// format checks response_format.
func (c *chatInspection) format(n *node) {
	if !c.is(n, rawjson.Object) {
		return
	}
	m := membersOf(n)
	kind := c.need(n, m, "type", rawjson.String)
	c.word(kind, "text", "json_object", "json_schema")
	switch kind.str() {
	case "json_object":
		if !strings.Contains(strings.ToLower(string(c.top.get("messages").value())), "json") {
			c.refuse(badRequest("messages", "", "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."))
		}
		c.only(m, "type")
	case "json_schema":
		c.only(m, "type", "json_schema")
		if schema := c.need(n, m, "json_schema", rawjson.Object); schema != nil {
			c.namedSchema(schema)
		}
	}
}

func (c *chatInspection) namedSchema(n *node) {
	m := membersOf(n)
	c.only(m, "name", "description", "schema", "strict")
	c.name(c.need(n, m, "name", rawjson.String))
	schema := m.get("schema")
	c.is(schema, rawjson.Object)
	c.req.format = schema.value()
	if m.get("strict").present() && m.get("strict").v.True() {
		if why := strictFault(schema, ""); why != "" {
			c.refuse(badRequest("response_format", "", "Invalid schema for response_format '%s': %s", m.get("name").str(), why))
		}
	}
}

// labels checks the fields that describe the request and change no answer.
func (c *chatInspection) labels() {
	c.text(c.top.get("user"), 64)
	c.text(c.top.get("safety_identifier"), 64)
	c.text(c.top.get("prompt_cache_key"), 64)
	c.is(c.top.get("store"), rawjson.Bool)
	c.word(c.top.get("service_tier"), "auto", "default", "flex", "scale", "priority")
	c.word(c.top.get("verbosity"), "low", "medium", "high")
	c.word(c.top.get("reasoning_effort"), "none", "minimal", "low", "medium", "high", "xhigh", "max")
	c.is(c.top.get("modalities"), rawjson.Array)
	labels := c.top.get("metadata")
	if !c.is(labels, rawjson.Object) {
		return
	}
	if store := c.top.get("store"); !store.present() || !store.v.True() {
		c.refuse(badRequest("metadata", "", "The 'metadata' parameter is only allowed when 'store' is enabled."))
	}
	c.pairs(labels)
}

// pairs checks metadata.
func (c *chatInspection) pairs(n *node) {
	m := membersOf(n)
	if len(m) > 16 {
		c.refuse(badRequest("metadata", "object_above_max_properties", "Invalid 'metadata': too many properties. Expected at most 16, but got %d.", len(m)))
	}
	for _, n := range m {
		if n.kind() != rawjson.String {
			c.refuse(c.mismatch(n, rawjson.String))
		}
		c.text(n, 512)
	}
}

// family checks what some families of models refuse.
func (c *chatInspection) family() {
	f := chatFamilyOf(c.req.model)
	unsupported := func(param, hint string) {
		if c.top.get(param).present() {
			c.refuse(badRequest(param, "unsupported_parameter", "Unsupported parameter: '%s' is not supported with this model.%s", param, hint))
		}
	}
	if f.reasons {
		unsupported("max_tokens", " Use 'max_completion_tokens' instead.")
		unsupported("stop", "")
		for _, param := range []string{"temperature", "top_p", "presence_penalty", "frequency_penalty"} {
			n, usual := c.top.get(param), 1.0
			if strings.HasSuffix(param, "penalty") {
				usual = 0
			}
			if n.kind() == rawjson.Number && n.v.Float() != usual {
				c.refuse(badRequest(param, "unsupported_value",
					"Unsupported value: '%s' does not support %s with this model. Only the default (%s) value is supported.", param, n.v, trimFloat(usual)))
			}
		}
	}
	if f.known && !f.reasons {
		unsupported("reasoning_effort", "")
	}
	if effort := c.top.get("reasoning_effort"); effort.present() && f.reasons && !oneOf(effort.str(), f.efforts) {
		c.refuse(badRequest("reasoning_effort", "unsupported_value",
			"Unsupported value: 'reasoning_effort' does not support '%s' with this model. Supported values are: %s.", effort.str(), quoteAll(f.efforts)))
	}
}

// chatFamily is what is known of one of OpenAI's families of models.
type chatFamily struct {
	known, reasons bool
	efforts        []string
}

func chatFamilyOf(model string) chatFamily {
	switch {
	case strings.HasPrefix(model, "gpt-5-chat"), strings.HasPrefix(model, "gpt-4"), strings.HasPrefix(model, "gpt-3.5"), strings.HasPrefix(model, "chatgpt-4"):
		return chatFamily{known: true}
	case model == "gpt-5", strings.HasPrefix(model, "gpt-5-"):
		return chatFamily{known: true, reasons: true, efforts: []string{"minimal", "low", "medium", "high"}}
	case strings.HasPrefix(model, "o1"), strings.HasPrefix(model, "o3"), strings.HasPrefix(model, "o4"):
		return chatFamily{known: true, reasons: true, efforts: []string{"low", "medium", "high"}}
	default:
		return chatFamily{}
	}
}

// name checks a name of a function or schema.
func (c *chatInspection) name(n *node) {
	if n == nil {
		return
	}
	if !isName(n.str()) {
		c.refuse(badRequest(n.path(), "invalid_value",
			"Invalid '%s': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.", n.path()))
	}
	c.text(n, 64)
}

func (n *node) value() rawjson.Value {
	if n == nil {
		return nil
	}
	return n.v
}

// strictFault says what a strict schema lacks, "" when nothing.
func strictFault(n *node, at string) string {
	m := membersOf(n)
	if m == nil {
		return ""
	}
	where := "In context=(" + at + "), "
	if oneOf(typeOf(m), []string{"object"}) {
		if extra := m.get("additionalProperties"); extra == nil || string(extra.v) != "false" {
			return where + "'additionalProperties' is required to be supplied and to be false."
		}
		required := map[string]bool{}
		for _, name := range elementsOf(m.get("required")) {
			required[name.str()] = true
		}
		for _, p := range membersOf(m.get("properties")) {
			if !required[p.key] {
				return where + fmt.Sprintf("'required' is required to be supplied and to be an array including every key in properties. Missing '%s'.", p.key)
			}
			if why := strictFault(p, at+"'properties', '"+p.key+"'"); why != "" {
				return why
			}
		}
	}
	if typeOf(m) == "array" {
		return strictFault(m.get("items"), at+"'items'")
	}
	return ""
}

// typeOf is the type of a schema; of several types the first that is not null.
func typeOf(m members) string {
	t := m.get("type")
	if t.kind() == rawjson.Array {
		for _, e := range elementsOf(t) {
			if e.str() != "null" {
				return e.str()
			}
		}
		return ""
	}
	return t.str()
}
