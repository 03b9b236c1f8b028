package demo

import (
	"strings"

	"apex-ai-proxy/proxy/rawjson"
)

// messages checks the conversation and the pairing of tool calls with results.
func (c *chatInspection) messages(n *node) {
	if n == nil {
		return
	}
	all := elementsOf(n)
	if len(all) == 0 {
		c.refuse(emptyArray(n))
	}
	var open pairing
	for _, message := range all {
		m := membersOf(message)
		if m == nil {
			c.refuse(c.mismatch(message, rawjson.Object))
			return
		}
		role := c.need(message, m, "role", rawjson.String).str()
		if role != "tool" {
			c.answered(open)
			open = pairing{}
		}
		heard := c.req.text
		switch role {
		case "system", "developer":
			c.only(m, "role", "content", "name")
			c.parts(message, m, "text")
		case "user":
			c.only(m, "role", "content", "name")
			c.req.text = ""
			c.parts(message, m, "text", "image_url", "input_audio", "file")
		case "assistant":
			c.req.newTurn()
			open = c.assistant(message, m)
		case "tool":
			c.toolMessage(message, m, &open)
		case "function":
			c.only(m, "role", "content", "name")
		default:
			c.word(m.get("role"), "system", "assistant", "user", "function", "tool", "developer")
		}
		if role != "user" { // only users are heard
			c.req.text = heard
		}
	}
	c.answered(open)
}

// pairing are the calls of an assistant message and which of them were answered.
type pairing struct {
	at    *node
	ids   []string
	names map[string]string
	done  map[string]bool
}

func (c *chatInspection) answered(p pairing) {
	var missing []string
	for _, id := range p.ids {
		if !p.done[id] {
			missing = append(missing, id)
		}
	}
	if len(missing) > 0 {
		c.refuse(badRequest(p.at.path(), "",
			"An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: %s",
			strings.Join(missing, ", ")))
	}
}

func emptyArray(n *node) *Refusal {
	return badRequest(n.path(), "empty_array",
		"Invalid '%s': empty array. Expected an array with minimum length 1, but got an empty array instead.", n.path())
}

// parts checks content that is a string or an array of the given types of parts.
func (c *chatInspection) parts(message *node, m members, types ...string) {
	content := m.get("content")
	switch content.kind() {
	case rawjson.Absent:
		c.refuse(c.missing(message, "content"))
	case rawjson.Null:
		c.refuse(badRequest(content.path(), "", "Invalid value for 'content': expected a string, got null."))
	case rawjson.String:
		c.req.addText(content.str())
	case rawjson.Array:
		all := elementsOf(content)
		if len(all) == 0 {
			c.refuse(emptyArray(content))
		}
		for _, part := range all {
			c.part(part, types)
		}
	default:
		c.refuse(badRequest(content.path(), "invalid_type",
			"Invalid type for '%s': expected one of a string or array of objects, but got %s instead.", content.path(), chatKinds[content.kind()]))
	}
}

func (c *chatInspection) part(part *node, types []string) {
	m := membersOf(part)
	if m == nil {
		c.refuse(c.mismatch(part, rawjson.Object))
		return
	}
	kind := c.need(part, m, "type", rawjson.String)
	c.word(kind, types...)
	switch kind.str() {
	case "text":
		c.only(m, "type", "text", "prompt_cache_breakpoint")
		c.req.addText(c.need(part, m, "text", rawjson.String).str())
	case "refusal":
		c.only(m, "type", "refusal")
		c.need(part, m, "refusal", rawjson.String)
	case "image_url":
		c.only(m, "type", "image_url", "prompt_cache_breakpoint")
		c.image(c.need(part, m, "image_url", rawjson.Object))
	case "input_audio":
		c.only(m, "type", "input_audio", "prompt_cache_breakpoint")
		c.need(part, m, "input_audio", rawjson.Object)
		c.req.media = append(c.req.media, media{kind: "audio", what: m.get("input_audio").value().Get("format").Str()})
	case "file":
		c.only(m, "type", "file", "prompt_cache_breakpoint")
		c.file(c.need(part, m, "file", rawjson.Object))
	}
}

func (c *chatInspection) image(n *node) {
	if n == nil {
		return
	}
	m := membersOf(n)
	c.only(m, "url", "detail")
	c.word(m.get("detail"), "auto", "low", "high", "original")
	c.imageAddress(c.need(n, m, "url", rawjson.String))
}

// imageAddress checks where an image is, or the image itself in a data URL.
func (c *chatInspection) imageAddress(address *node) {
	if address == nil {
		return
	}
	raw := plainText(address.v)
	if web := string(raw[:min(len(raw), 8)]); strings.HasPrefix(web, "https://") || strings.HasPrefix(web, "http://") {
		c.req.media = append(c.req.media, media{kind: "image", what: string(raw)})
		return
	}
	mediaType, data, ok := cutDataURL(raw)
	if !ok || !strings.HasPrefix(mediaType, "image/") {
		c.refuse(badRequest(address.path(), "invalid_value",
			"Invalid '%s'. Expected a base64-encoded data URL with an image MIME type (e.g. 'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU=').", address.path()))
		return
	}
	if !oneOf(mediaType, imageTypes) || !isBase64(data) {
		c.refuse(badRequest(address.path(), "invalid_image_format",
			"You uploaded an unsupported image. Please make sure your image has of one the following formats: ['png', 'jpeg', 'gif', 'webp']."))
	}
	c.req.media = append(c.req.media, inlineMedia("image", mediaType, data))
}

var imageTypes = []string{"image/png", "image/jpeg", "image/gif", "image/webp"}

// plainText is the text of a string without copying it when it holds no escapes.
func plainText(v rawjson.Value) rawjson.Escaped {
	e := v.Text()
	for _, c := range e {
		if c == '\\' {
			return e.Append(nil)
		}
	}
	return e
}

// cutDataURL splits data:type;base64,data.
func cutDataURL(s rawjson.Escaped) (mediaType string, data rawjson.Escaped, ok bool) {
	head := string(s[:min(len(s), 256)])
	rest, isData := strings.CutPrefix(head, "data:")
	params, _, found := strings.Cut(rest, ",")
	if !isData || !found || !strings.HasSuffix(params, ";base64") {
		return "", nil, false
	}
	mediaType, _, _ = strings.Cut(params, ";")
	return mediaType, s[len("data:")+len(params)+1:], true
}

func (c *chatInspection) file(n *node) {
	if n == nil {
		return
	}
	m := membersOf(n)
	c.only(m, "file_data", "file_id", "filename")
	id, data := m.get("file_id"), m.get("file_data")
	if id.present() == data.present() {
		c.refuse(badRequest(n.path(), "", "Invalid '%s': expected exactly one of 'file_id' and 'file_data'.", n.path()))
		return
	}
	if !c.is(data, rawjson.String) {
		c.is(id, rawjson.String)
		c.req.media = append(c.req.media, media{kind: "document", what: id.str()})
		return
	}
	mediaType, content, ok := cutDataURL(plainText(data.v))
	if !ok || !isBase64(content) {
		c.refuse(badRequest(data.path(), "invalid_value", "Invalid '%s'. Expected a base64-encoded data URL with a MIME type.", data.path()))
		return
	}
	c.need(n, m, "filename", rawjson.String)
	c.req.media = append(c.req.media, inlineMedia("document", mediaType, content))
}

// assistant checks an assistant message and returns the calls it waits for.
func (c *chatInspection) assistant(message *node, m members) pairing {
	known := []string{"role", "content", "refusal", "name", "audio", "function_call", "tool_calls", "annotations", "parsed"}
	c.only(m, append(known, c.rules.MessageFields...)...)
	calls, content := m.get("tool_calls"), m.get("content")
	said := calls.present() || m.get("refusal").present() || m.get("function_call").present() || m.get("audio").present()
	if content.present() || !said {
		c.parts(message, m, "text", "refusal")
	}
	open := pairing{at: message, done: map[string]bool{}, names: map[string]string{}}
	if !c.is(calls, rawjson.Array) {
		return open
	}
	all := elementsOf(calls)
	if len(all) == 0 {
		c.refuse(emptyArray(calls))
	}
	for _, call := range all {
		id, name := c.call(call)
		if open.names[id] != "" {
			c.refuse(badRequest(call.path(), "", "Duplicate value for 'tool_call_id' of '%s'.", id))
		}
		open.ids = append(open.ids, id)
		open.names[id] = name
	}
	return open
}

// call checks one tool call of the history.
func (c *chatInspection) call(n *node) (id, name string) {
	m := membersOf(n)
	c.only(m, append([]string{"id", "type", "function", "custom"}, c.rules.CallFields...)...)
	idNode := c.need(n, m, "id", rawjson.String)
	most := c.rules.MaxToolID
	if most == 0 {
		most = 40
	}
	c.text(idNode, most)
	if idNode != nil && idNode.str() == "" {
		c.refuse(badRequest(idNode.path(), "empty_string", "Invalid '%s': empty string.", idNode.path()))
	}
	kind := c.need(n, m, "type", rawjson.String)
	c.word(kind, "function", "custom")
	what := kind.str()
	if what != "function" && what != "custom" {
		return idNode.str(), ""
	}
	body := c.need(n, m, what, rawjson.Object)
	f := membersOf(body)
	if body != nil && what == "function" {
		c.only(f, "name", "arguments")
		c.need(body, f, "arguments", rawjson.String)
	}
	if body != nil && what == "custom" {
		c.only(f, "name", "input")
		c.need(body, f, "input", rawjson.String)
	}
	nameNode := c.need(body, f, "name", rawjson.String)
	c.name(nameNode)
	return idNode.str(), nameNode.str()
}

// toolMessage checks the answer to a call.
func (c *chatInspection) toolMessage(message *node, m members, open *pairing) {
	c.only(m, "role", "content", "tool_call_id", "name")
	id := c.need(message, m, "tool_call_id", rawjson.String)
	c.req.text = ""
	if m.get("content").kind() == rawjson.Array {
		var texts []string
		for _, part := range elementsOf(m.get("content")) {
			c.part(part, []string{"text"})
			texts = append(texts, part.v.Get("text").Str())
		}
		c.req.text = strings.Join(texts, "\n")
	} else {
		c.parts(message, m, "text")
	}
	c.req.results = append(c.req.results, result{name: open.names[id.str()], text: c.req.text})
	switch {
	case id == nil:
	case len(open.ids) == 0:
		c.refuse(badRequest(message.path()+".role", "",
			"Invalid parameter: messages with role 'tool' must be a response to a preceding message with 'tool_calls'."))
	case open.names[id.str()] == "":
		c.refuse(badRequest(id.path(), "", "Invalid parameter: 'tool_call_id' of '%s' not found in 'tool_calls' of previous message.", id.str()))
	case open.done[id.str()]:
		c.refuse(badRequest(id.path(), "", "Duplicate value for 'tool_call_id' of '%s'.", id.str()))
	default:
		open.done[id.str()] = true
	}
}

// tools checks the declared tools.
func (c *chatInspection) tools(n *node) {
	c.req.parallel = true
	if p := c.top.get("parallel_tool_calls"); c.is(p, rawjson.Bool) {
		c.req.parallel = p.v.True()
		if !n.present() {
			c.refuse(badRequest("parallel_tool_calls", "", "Invalid value for 'parallel_tool_calls': 'parallel_tool_calls' is only allowed when 'tools' are specified."))
		}
	}
	if !c.is(n, rawjson.Array) {
		return
	}
	all := elementsOf(n)
	if len(all) == 0 {
		c.refuse(emptyArray(n))
	}
	if len(all) > 128 {
		c.refuse(badRequest("tools", "array_above_max_length",
			"Invalid 'tools': array too long. Expected an array with maximum length 128, but got an array with length %d instead.", len(all)))
	}
	for _, t := range all {
		c.tool(t)
	}
}

func (c *chatInspection) tool(n *node) {
	m := membersOf(n)
	if m == nil {
		c.refuse(c.mismatch(n, rawjson.Object))
		return
	}
	c.only(m, "type", "function", "custom")
	kind := c.need(n, m, "type", rawjson.String)
	c.word(kind, "function", "custom")
	body := c.need(n, m, kind.str(), rawjson.Object)
	if body == nil {
		return
	}
	f := membersOf(body)
	name := c.need(body, f, "name", rawjson.String)
	c.name(name)
	c.is(f.get("description"), rawjson.String)
	c.req.words += len(strings.Fields(f.get("description").str()))
	if kind.str() == "custom" {
		c.only(f, "name", "description", "format")
		c.req.tools = append(c.req.tools, tool{name: name.str(), custom: true})
		return
	}
	c.only(f, "name", "description", "parameters", "strict")
	c.is(f.get("strict"), rawjson.Bool)
	schema := f.get("parameters")
	if c.is(schema, rawjson.Object) {
		strict := f.get("strict").present() && f.get("strict").v.True()
		if why := chatSchemaFault(schema, strict); why != "" {
			c.refuse(badRequest(schema.path(), "invalid_function_parameters", "Invalid schema for function '%s': %s", name.str(), why))
		}
	}
	c.req.tools = append(c.req.tools, tool{name: name.str(), schema: schema.value()})
}

func chatSchemaFault(schema *node, strict bool) string {
	m := membersOf(schema)
	if t := m.get("type"); t.str() != "object" {
		got := "None"
		if t.present() {
			got = t.str()
		}
		return `schema must be a JSON Schema of 'type: "object"', got 'type: "` + got + `"'.`
	}
	if m.get("properties") == nil {
		return "In context=(), object schema missing properties."
	}
	for _, p := range membersOf(m.get("properties")) {
		pm := membersOf(p)
		if typeOf(pm) == "array" && pm.get("items") == nil {
			return "In context=('properties', '" + p.key + "'), array schema missing items."
		}
	}
	if strict {
		return strictFault(schema, "")
	}
	return ""
}

// choice checks tool_choice.
func (c *chatInspection) choice(n *node) {
	if !n.present() {
		return
	}
	if !c.top.get("tools").present() {
		c.refuse(badRequest("tool_choice", "", "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified."))
	}
	switch n.kind() {
	case rawjson.String:
		c.word(n, "none", "auto", "required")
		c.req.choice = strings.Replace(n.str(), "required", "any", 1)
	case rawjson.Object:
		m := membersOf(n)
		kind := c.need(n, m, "type", rawjson.String)
		c.word(kind, "function", "custom", "allowed_tools")
		if kind.str() == "allowed_tools" {
			c.need(n, m, "allowed_tools", rawjson.Object)
			return
		}
		c.only(m, "type", "function", "custom")
		body := c.need(n, m, kind.str(), rawjson.Object)
		c.req.choice, c.req.named = "tool", c.need(body, membersOf(body), "name", rawjson.String).str()
		if !declared(c.req.tools, c.req.named) {
			c.refuse(badRequest("tool_choice", "", "Invalid value for 'tool_choice': the function '%s' is not among the 'tools'.", c.req.named))
		}
	default:
		c.refuse(c.mismatch(n, rawjson.String))
	}
}

func declared(tools []tool, name string) bool {
	for _, t := range tools {
		if t.name == name {
			return true
		}
	}
	return false
}
