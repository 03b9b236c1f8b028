package demo

import (
	"net/http"
	"strings"

	"apex-ai-proxy/proxy/rawjson"
)

// itemKind is what is known of a type of input items.
type itemKind struct {
	prefix string   // of its id; "" when any will do
	fields []string // besides type, id and status
	needed []string // those that must be strings
	answer string   // the type that answers it, for calls
	loose  bool     // the fields are not checked further
}

var itemKinds = map[string]itemKind{
	"message":                 {prefix: "msg", fields: []string{"role", "content", "phase"}},
	"reasoning":               {prefix: "rs", fields: []string{"summary", "encrypted_content", "content"}},
	"function_call":           {prefix: "fc", fields: []string{"call_id", "name", "arguments", "namespace", "caller"}, needed: []string{"call_id", "name", "arguments"}, answer: "function_call_output"},
	"function_call_output":    {fields: []string{"call_id", "output"}, needed: []string{"call_id"}},
	"custom_tool_call":        {prefix: "ctc", fields: []string{"call_id", "name", "input", "namespace", "caller"}, needed: []string{"call_id", "name", "input"}, answer: "custom_tool_call_output"},
	"custom_tool_call_output": {fields: []string{"call_id", "output", "name"}, needed: []string{"call_id"}},
	"local_shell_call":        {prefix: "lsh", fields: []string{"call_id", "action"}, needed: []string{"call_id"}, answer: "local_shell_call_output"},
	"local_shell_call_output": {fields: []string{"call_id", "output"}, needed: []string{"call_id"}},
	"shell_call":              {prefix: "sh", needed: []string{"call_id"}, answer: "shell_call_output", loose: true},
	"shell_call_output":       {needed: []string{"call_id"}, loose: true},
	"apply_patch_call":        {prefix: "apc", needed: []string{"call_id"}, answer: "apply_patch_call_output", loose: true},
	"apply_patch_call_output": {needed: []string{"call_id"}, loose: true},
	"tool_search_call":        {loose: true},
	"tool_search_output":      {loose: true},
	"additional_tools":        {loose: true},
	"web_search_call":         {prefix: "ws", loose: true},
	"file_search_call":        {prefix: "fs", loose: true},
	"computer_call":           {loose: true},
	"computer_call_output":    {loose: true},
	"code_interpreter_call":   {prefix: "ci", loose: true},
	"image_generation_call":   {prefix: "ig", loose: true},
	"mcp_list_tools":          {loose: true},
	"mcp_approval_request":    {loose: true},
	"mcp_approval_response":   {loose: true},
	"mcp_call":                {loose: true},
	"compaction":              {loose: true},
}

// openCall is a call of the history that waits for its answer.
type openCall struct{ id, name, answer string }

// input checks the conversation and the pairing of calls with their outputs.
func (c *responsesInspection) input(root, n *node) {
	switch n.kind() {
	case rawjson.Absent, rawjson.Null:
		c.refuse(badRequest("", "missing_required_parameter", "One of 'input' or 'previous_response_id' or 'prompt' or 'conversation' must be provided."))
	case rawjson.String:
		c.req.addText(n.str())
	case rawjson.Array:
		var calls []openCall
		for _, item := range elementsOf(n) {
			calls = c.item(item, calls)
		}
		for _, call := range calls {
			c.refuse(badRequest("input", "", "No tool output found for %s %s.", words(strings.TrimSuffix(call.answer, "_output")), call.id))
		}
	default:
		c.refuse(badRequest("input", "invalid_type", "Invalid type for 'input': expected one of an array of objects or string, but got %s instead.", chatKinds[n.kind()]))
	}
}

// words is a type as a text names it.
func words(kind string) string { return strings.ReplaceAll(kind, "_", " ") }

// item checks an item and returns the calls that are still open after it.
func (c *responsesInspection) item(n *node, calls []openCall) []openCall {
	m := membersOf(n)
	if m == nil {
		c.refuse(c.mismatch(n, rawjson.Object))
		return calls
	}
	kind := m.get("type").str()
	if m.get("type") == nil && m.get("role") != nil {
		kind = "message"
	}
	if kind == "item_reference" {
		c.refuse(stored(m.get("id").str()))
		return calls
	}
	k, known := itemKinds[kind]
	if !known {
		c.refuse(badRequest(n.path()+".type", "invalid_value", "Invalid value: '%s'. Supported values are: 'message', 'reasoning', 'function_call', and so on.", kind))
		return calls
	}
	c.common(n, m, k)
	switch {
	case kind == "message":
		c.message(n, m)
	case kind == "reasoning":
		c.modelSpeaks()
		c.thoughts(n, m)
	case k.answer != "":
		c.modelSpeaks()
		return append(calls, openCall{m.get("call_id").str(), m.get("name").str(), k.answer})
	case strings.HasSuffix(kind, "_output") && !k.loose:
		return c.output(n, m, kind, calls)
	case oneOf("call_id", k.needed):
		calls, _ = c.close(m, kind, calls)
	}
	return calls
}

// common checks what items of all types have.
func (c *responsesInspection) common(n *node, m members, k itemKind) {
	if !k.loose {
		c.only(m, append([]string{"type", "id", "status"}, k.fields...)...)
	}
	c.word(m.get("status"), "in_progress", "completed", "incomplete")
	for _, key := range k.needed {
		c.need(n, m, key, rawjson.String)
	}
	if id := m.get("call_id"); id != nil {
		c.text(id, 64)
		if id.str() == "" {
			c.refuse(badRequest(id.path(), "empty_string", "Invalid '%s': empty string. Expected a string with minimum length 1, but got an empty string instead.", id.path()))
		}
	}
	if name := m.get("name"); name != nil && len(k.needed) > 1 {
		c.name(name)
	}
	if id := m.get("id"); c.is(id, rawjson.String) && k.prefix != "" && !strings.HasPrefix(id.str(), k.prefix) {
		c.refuse(badRequest(id.path(), "invalid_value", "Invalid '%s': '%s'. Expected an ID that begins with '%s'.", id.path(), id.str(), k.prefix))
	}
	c.text(m.get("id"), 64)
}

// modelSpeaks begins a new turn when the model speaks after the client.
func (c *responsesInspection) modelSpeaks() {
	if !c.answering {
		c.req.newTurn()
	}
	c.answering = true
}

func (c *responsesInspection) message(n *node, m members) {
	role := c.need(n, m, "role", rawjson.String)
	c.word(role, "assistant", "system", "developer", "user")
	c.word(m.get("phase"), "commentary", "final_answer")
	heard := c.req.text
	switch role.str() {
	case "assistant":
		c.modelSpeaks()
		c.content(n, m, "output_text", "refusal")
		c.req.text = heard
	case "user":
		c.answering = false
		c.req.text = ""
		c.content(n, m, "input_text", "input_image", "input_file", "input_audio")
	default:
		c.content(n, m, "input_text", "input_image", "input_file")
		c.req.text = heard
	}
}

// content checks the content of a message.
func (c *responsesInspection) content(n *node, m members, types ...string) {
	content := m.get("content")
	switch content.kind() {
	case rawjson.Absent:
		c.refuse(c.missing(n, "content"))
	case rawjson.String:
		c.req.addText(content.str())
	case rawjson.Array:
		for _, part := range elementsOf(content) {
			c.part(part, types)
		}
	default:
		c.refuse(badRequest(content.path(), "invalid_type",
			"Invalid type for '%s': expected one of an array of objects or string, but got %s instead.", content.path(), chatKinds[content.kind()]))
	}
}

func (c *responsesInspection) part(n *node, types []string) {
	m := membersOf(n)
	if m == nil {
		c.refuse(c.mismatch(n, rawjson.Object))
		return
	}
	kind := c.need(n, m, "type", rawjson.String)
	c.word(kind, types...)
	switch kind.str() {
	case "input_text", "output_text":
		c.only(m, "type", "text", "annotations", "logprobs", "prompt_cache_breakpoint")
		c.is(m.get("annotations"), rawjson.Array)
		c.req.addText(c.need(n, m, "text", rawjson.String).str())
	case "refusal":
		c.only(m, "type", "refusal")
		c.need(n, m, "refusal", rawjson.String)
	case "input_image":
		c.only(m, "type", "image_url", "file_id", "detail", "prompt_cache_breakpoint")
		c.word(m.get("detail"), "auto", "low", "high", "original")
		if c.oneSource(n, m, "image_url", "file_id") == "image_url" {
			c.imageAddress(c.need(n, m, "image_url", rawjson.String))
		}
	case "input_file":
		c.only(m, "type", "file_data", "file_id", "file_url", "filename", "detail", "prompt_cache_breakpoint")
		c.document(n, m)
	case "input_audio":
		c.only(m, "type", "input_audio")
		c.need(n, m, "input_audio", rawjson.Object)
	}
}

// oneSource refuses a part whose content comes from nowhere or from several places.
func (c *responsesInspection) oneSource(n *node, m members, names ...string) string {
	found := ""
	for _, name := range names {
		if !m.get(name).present() {
			continue
		}
		if found != "" {
			c.refuse(badRequest(n.path(), "mutually_exclusive_parameters", "Mutually exclusive parameters: '%s'. Ensure you are only providing one of: %s.", n.path(), quoteAll(names)))
		}
		found = name
	}
	if found == "" {
		c.refuse(badRequest(n.path(), "missing_required_parameter", "Missing required parameter: '%s': one of %s must be provided.", n.path(), quoteAll(names)))
	}
	return found
}

func (c *responsesInspection) document(n *node, m members) {
	switch source := c.oneSource(n, m, "file_data", "file_id", "file_url"); source {
	case "":
	case "file_data":
		c.need(n, m, "filename", rawjson.String)
		data := m.get("file_data")
		mediaType, content, ok := cutDataURL(plainText(data.v))
		if !ok || !isBase64(content) {
			c.refuse(badRequest(data.path(), "invalid_value", "Invalid '%s'. Expected a base64-encoded data URL with a MIME type.", data.path()))
			return
		}
		c.req.media = append(c.req.media, inlineMedia("document", mediaType, content))
	default:
		c.req.media = append(c.req.media, media{kind: "document", what: m.get(source).str()})
	}
}

// thoughts checks reasoning that comes back. Nothing is stored, so all of it must.
func (c *responsesInspection) thoughts(n *node, m members) {
	id := c.need(n, m, "id", rawjson.String)
	c.need(n, m, "summary", rawjson.Array)
	for _, part := range elementsOf(m.get("summary")) {
		p := membersOf(part)
		c.only(p, "type", "text")
		c.word(c.need(part, p, "type", rawjson.String), "summary_text")
		c.need(part, p, "text", rawjson.String)
	}
	sealed := m.get("encrypted_content")
	switch {
	case id == nil:
	case !sealed.present():
		c.refuse(stored(id.str()))
	case !c.is(sealed, rawjson.String) || !strings.HasPrefix(sealed.str(), sealOf(id.str())):
		c.refuse(badRequest("", "invalid_encrypted_content", "The encrypted content for item %s could not be verified. Reason: Encrypted content could not be decrypted or parsed.", id.str()))
	}
}

func stored(id string) *Refusal {
	r := badRequest("input", "", "Item with id '%s' not found. Items are not persisted when `store` is set to false. Try again with `store` set to true, or remove this item from your input.", id)
	r.Status = http.StatusNotFound
	return r
}

// sealOf is how the sealed reasoning of the item with the id begins.
func sealOf(id string) string { return "gAAAAA" + sign(id) }

// output checks the answer to a call.
func (c *responsesInspection) output(n *node, m members, kind string, calls []openCall) []openCall {
	heard := c.req.text
	c.answering = false
	c.req.text = ""
	said := m.get("output")
	switch said.kind() {
	case rawjson.String:
		c.req.text = said.str()
		c.req.words += len(strings.Fields(c.req.text))
	case rawjson.Array:
		var texts []string
		for _, part := range elementsOf(said) {
			c.part(part, []string{"input_text", "input_image", "input_file"})
			if text := part.v.Get("text"); text.Present() {
				texts = append(texts, text.Str())
			}
		}
		c.req.text = strings.Join(texts, "\n")
	default:
		c.need(n, m, "output", rawjson.String)
	}
	rest, name := c.close(m, kind, calls)
	c.req.results = append(c.req.results, result{name: name, text: c.req.text})
	c.req.text = heard
	return rest
}

// close finds the call that an item answers.
func (c *responsesInspection) close(m members, kind string, calls []openCall) (rest []openCall, name string) {
	id := m.get("call_id").str()
	for i, call := range calls {
		if call.id == id && call.answer == kind {
			return append(calls[:i:i], calls[i+1:]...), call.name
		}
	}
	c.refuse(badRequest("input", "", "No tool call found for %s with call_id %s.", words(kind), id))
	return calls, ""
}
