package demo

import (
	"strings"
	"unicode"

	"apex-ai-proxy/proxy/rawjson"
)

// system checks the instructions of a Messages request.
func (c *messagesInspection) system(n *node) {
	if !n.present() {
		return
	}
	heard := c.req.text
	switch n.kind() {
	case rawjson.String:
		c.req.addText(n.str())
	case rawjson.Array:
		for _, block := range elementsOf(n) {
			m := membersOf(block)
			c.word(c.need(block, m, "type", rawjson.String), "text")
			c.cacheControl(m)
			c.textBlock(block, m, "system")
		}
	default:
		c.refuse(c.mismatch(n, rawjson.Array))
	}
	c.req.text = heard
}

// turn is what the rules about neighbours look at: one role's consecutive messages.
type turn struct {
	role   string
	blocks []block
	empty  bool
	at     *node
}

type block struct {
	at   *node
	m    members
	kind string
}

// turns checks the conversation.
func (c *messagesInspection) turns(n *node) {
	if n == nil {
		return
	}
	all := elementsOf(n)
	if len(all) == 0 {
		c.refuse(badRequest("", "", "messages: at least one message is required"))
	}
	var turns []turn
	for i, message := range all {
		m := membersOf(message)
		c.only(m, "role", "content", "id")
		role := c.need(message, m, "role", rawjson.String)
		c.word(role, "user", "assistant", "system")
		c.midSystem(message, role.str(), turns)
		t := c.content(message, m, role.str())
		if t.empty && (role.str() != "assistant" || i < len(all)-1) {
			c.refuse(badRequest("", "", "%s: all messages must have non-empty content except for the optional final assistant message", message.dots()))
		}
		if k := len(turns) - 1; k >= 0 && turns[k].role == t.role {
			turns[k].blocks = append(turns[k].blocks, t.blocks...)
			continue
		}
		turns = append(turns, t)
	}
	if c.refusal == nil {
		c.neighbours(turns)
	}
}

func (c *messagesInspection) midSystem(message *node, role string, before []turn) {
	if role != "system" {
		return
	}
	if c.family.known && !c.family.midSystem {
		c.refuse(badRequest("", "", "%s: role 'system' is not supported on this model", message.dots()))
	}
	if len(before) == 0 || before[len(before)-1].role == "assistant" {
		c.refuse(badRequest("", "", "%s: role 'system' must follow a user message", message.dots()))
	}
}

// content checks a message's content and cuts it into blocks.
func (c *messagesInspection) content(message *node, m members, role string) turn {
	t := turn{role: role, at: message}
	content := m.get("content")
	if role == "assistant" {
		c.req.newTurn()
	}
	heard := c.req.text
	switch content.kind() {
	case rawjson.Absent:
		c.refuse(c.missing(message, "content"))
	case rawjson.String:
		if role == "user" {
			c.req.text = ""
		}
		t.empty = content.str() == ""
		c.req.addText(content.str())
		t.blocks = []block{{at: content, kind: "text"}}
		if !t.empty && strings.TrimSpace(content.str()) == "" {
			c.refuse(badRequest("", "", "messages: text content blocks must contain non-whitespace text"))
		}
	case rawjson.Array:
		all := elementsOf(content)
		t.empty = len(all) == 0
		c.req.text = ""
		results := false
		for _, b := range all {
			t.blocks = append(t.blocks, c.block(b, role))
			results = results || t.blocks[len(t.blocks)-1].kind == "tool_result"
		}
		if results && c.req.text == "" { // the task goes on
			c.req.text = heard
		}
	default:
		c.refuse(c.mismatch(content, rawjson.Array))
	}
	if role != "user" { // only users are heard
		c.req.text = heard
	}
	return t
}

var (
	userBlocks      = []string{"text", "image", "document", "search_result", "tool_result", "container_upload", "mid_conv_system"}
	assistantBlocks = []string{
		"text", "thinking", "redacted_thinking", "tool_use", "server_tool_use", "web_search_tool_result",
		"web_fetch_tool_result", "code_execution_tool_result", "bash_code_execution_tool_result",
		"text_editor_code_execution_tool_result", "tool_search_tool_result", "mcp_tool_use", "mcp_tool_result",
		"container_upload", "compaction", "document",
	}
)

func (c *messagesInspection) block(n *node, role string) block {
	m := membersOf(n)
	if m == nil {
		c.refuse(c.mismatch(n, rawjson.Object))
		return block{at: n}
	}
	kind := c.need(n, m, "type", rawjson.String)
	switch role {
	case "assistant":
		c.word(kind, assistantBlocks...)
	case "system":
		c.word(kind, "text")
	default:
		c.word(kind, userBlocks...)
	}
	c.cacheControl(m)
	switch kind.str() {
	case "text":
		c.textBlock(n, m, "messages")
	case "image":
		c.only(m, "type", "source", "cache_control", "transformations")
		c.source(c.need(n, m, "source", rawjson.Object), "image")
	case "document":
		c.only(m, "type", "source", "title", "context", "citations", "cache_control")
		c.source(c.need(n, m, "source", rawjson.Object), "document")
	case "thinking":
		c.only(m, "type", "thinking", "signature")
		c.need(n, m, "thinking", rawjson.String)
		c.signature(n, c.need(n, m, "signature", rawjson.String))
	case "redacted_thinking":
		c.only(m, "type", "data")
		c.signature(n, c.need(n, m, "data", rawjson.String))
	case "tool_use":
		c.toolUse(n, m)
	case "tool_result":
		c.toolResult(n, m)
	}
	return block{at: n, m: m, kind: kind.str()}
}

func (c *messagesInspection) textBlock(n *node, m members, where string) {
	c.only(m, "type", "text", "citations", "cache_control")
	text := c.need(n, m, "text", rawjson.String)
	if text == nil {
		return
	}
	if text.v.Text().Blank() {
		word := "must contain non-whitespace text"
		if len(text.v.Text()) == 0 {
			word = "must be non-empty"
		}
		c.refuse(badRequest("", "", "%s: text content blocks %s", where, word))
	}
	c.req.addText(text.str())
}

// signature refuses what cannot be one of the vendor's opaque values.
func (c *messagesInspection) signature(at, n *node) {
	if n != nil && !isBase64(plainText(n.v)) {
		c.refuse(badRequest("", "", "%s: Invalid `%s` in `%s` block", at.dots(), n.key, at.v.Get("type").Str()))
	}
}

func (c *messagesInspection) source(n *node, kind string) {
	if n == nil {
		return
	}
	m := membersOf(n)
	what := c.need(n, m, "type", rawjson.String)
	if kind == "image" {
		c.word(what, "base64", "url", "file")
	} else {
		c.word(what, "base64", "url", "file", "text", "content")
	}
	switch what.str() {
	case "base64":
		c.only(m, "type", "media_type", "data")
		mediaType := c.need(n, m, "media_type", rawjson.String)
		data := c.need(n, m, "data", rawjson.String)
		if mediaType != nil && data != nil {
			c.base64(kind, mediaType, data)
		}
	case "url":
		c.only(m, "type", "url")
		address := c.need(n, m, "url", rawjson.String).str()
		if !strings.HasPrefix(address, "https://") && !strings.HasPrefix(address, "http://") {
			c.refuse(badRequest("", "", "%s.url: Only HTTPS URLs are supported.", n.dots()))
		}
		c.req.media = append(c.req.media, media{kind: kind, what: address})
	case "file":
		c.req.media = append(c.req.media, media{kind: kind, what: c.need(n, m, "file_id", rawjson.String).str()})
	case "text":
		c.req.media = append(c.req.media, media{kind: kind, what: "text/plain"})
		c.need(n, m, "data", rawjson.String)
	}
}

func (c *messagesInspection) base64(kind string, mediaType, data *node) {
	if kind == "image" {
		c.word(mediaType, "image/jpeg", "image/png", "image/gif", "image/webp")
	} else {
		c.word(mediaType, "application/pdf")
	}
	raw := plainText(data.v)
	if !isBase64(raw) {
		c.refuse(badRequest("", "", "%s: Invalid base64 data", data.dots()))
	}
	if seen := sniff(raw); seen != "" && seen != mediaType.str() {
		c.refuse(badRequest("", "", "%s: The %s was specified using the %s media type, but it appears to be %s", data.dots(), kind, mediaType.str(), seen))
	}
	c.req.media = append(c.req.media, inlineMedia(kind, mediaType.str(), raw))
}

func (c *messagesInspection) toolUse(n *node, m members) {
	c.only(m, "type", "id", "name", "input", "cache_control", "caller", "toolset_name")
	id := c.need(n, m, "id", rawjson.String)
	if id != nil && !isName(id.str()) {
		c.refuse(badRequest("", "", "%s.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'", n.dots()))
	}
	name := c.need(n, m, "name", rawjson.String)
	c.toolName(name)
	c.need(n, m, "input", rawjson.Object)
	c.req.call(id.str(), name.str())
}

func (c *messagesInspection) toolResult(n *node, m members) {
	c.only(m, "type", "tool_use_id", "content", "is_error", "cache_control", "toolset_name")
	id := c.need(n, m, "tool_use_id", rawjson.String)
	if id != nil && !isName(id.str()) {
		c.refuse(badRequest("", "", "%s.tool_result.tool_use_id: String should match pattern '^[a-zA-Z0-9_-]+$'", n.dots()))
	}
	failed := m.get("is_error")
	c.is(failed, rawjson.Bool)
	heard := c.req.text
	var texts []string
	content := m.get("content")
	switch content.kind() {
	case rawjson.Absent, rawjson.Null:
	case rawjson.String:
		c.req.addText(content.str())
		texts = append(texts, content.str())
	case rawjson.Array:
		for _, e := range elementsOf(content) {
			c.resultBlock(e)
			if e.v.Get("type").Str() == "text" {
				texts = append(texts, e.v.Get("text").Str())
			}
		}
	default:
		c.refuse(c.mismatch(content, rawjson.Array))
	}
	c.req.text = heard
	c.req.results = append(c.req.results, result{
		name: c.req.callNames[id.str()], text: strings.Join(texts, "\n"), failed: failed.present() && failed.v.True(),
	})
}

func (c *messagesInspection) resultBlock(n *node) {
	m := membersOf(n)
	kind := c.need(n, m, "type", rawjson.String)
	c.word(kind, "text", "image", "document", "search_result", "tool_reference")
	c.cacheControl(m)
	switch kind.str() {
	case "text":
		c.textBlock(n, m, "messages")
	case "image", "document":
		c.source(c.need(n, m, "source", rawjson.Object), kind.str())
	}
}

// neighbours checks what the turns mean to each other.
func (c *messagesInspection) neighbours(turns []turn) {
	if len(turns) > 0 && turns[0].role == "assistant" {
		c.refuse(badRequest("", "", "messages: first message must use the \"user\" role"))
	}
	seen := map[string]bool{}
	for i, t := range turns {
		switch t.role {
		case "assistant":
			calls := c.callsOf(t, seen)
			var next turn
			if i+1 < len(turns) {
				next = turns[i+1]
			}
			c.answers(t, calls, next)
		case "user":
			if i == 0 || turns[i-1].role != "assistant" {
				c.answers(turn{}, nil, t)
			}
		}
	}
	if last := len(turns) - 1; last >= 0 && turns[last].role == "assistant" {
		c.prefill(turns[last])
	}
	c.startsThinking(turns)
}

// callsOf are the ids of a turn's calls, which must differ from all before.
func (c *messagesInspection) callsOf(t turn, seen map[string]bool) []string {
	var ids []string
	for _, b := range t.blocks {
		if b.kind != "tool_use" {
			continue
		}
		id := b.m.get("id").str()
		if seen[id] {
			c.refuse(badRequest("", "", "%s: `tool_use` ids must be unique", b.at.dots()))
		}
		seen[id] = true
		ids = append(ids, id)
	}
	return ids
}

// answers checks that the user turn answers every call once, before anything else.
func (c *messagesInspection) answers(calling turn, ids []string, t turn) {
	waiting := map[string]bool{}
	for _, id := range ids {
		waiting[id] = true
	}
	known := len(waiting)
	other := false
	for _, b := range t.blocks {
		if t.role != "user" || b.kind != "tool_result" {
			other = true
			continue
		}
		id := b.m.get("tool_use_id").str()
		switch open, asked := waiting[id]; {
		case known == 0 || !asked:
			c.refuse(badRequest("", "", "%s: unexpected `tool_use_id` found in `tool_result` blocks: %s. Each `tool_result` block must have a corresponding `tool_use` block in the previous message.", b.at.dots(), id))
		case !open:
			c.refuse(badRequest("", "", "%s: each tool_use must have a single result. Found multiple `tool_result` blocks with id: %s", b.at.dots(), id))
		case other:
			// A result behind other blocks does not count as an answer.
			continue
		}
		waiting[id] = false
	}
	var missing []string
	for _, id := range ids {
		if waiting[id] {
			missing = append(missing, id)
		}
	}
	if len(missing) > 0 {
		c.refuse(badRequest("", "", "%s: `tool_use` ids were found without `tool_result` blocks immediately after: %s. Each `tool_use` block must have a corresponding `tool_result` block in the next message.",
			calling.at.dots(), strings.Join(missing, ", ")))
	}
}

// prefill checks an answer that the client began.
func (c *messagesInspection) prefill(t turn) {
	if c.family.noPrefill {
		c.refuse(badRequest("", "", "This model does not support assistant message prefill. The conversation must end with a user message."))
	}
	if c.req.thinks == thinkingOn && !t.empty {
		c.refuse(badRequest("", "", "Prefilling assistant messages is not supported when thinking is enabled."))
	}
	if len(t.blocks) == 0 {
		return
	}
	last := t.blocks[len(t.blocks)-1]
	text := last.at.str()
	if last.m != nil {
		text = last.m.get("text").str()
	}
	if last.kind == "text" && text != strings.TrimRightFunc(text, unicode.IsSpace) {
		c.refuse(badRequest("", "", "messages: final assistant content cannot end with trailing whitespace"))
	}
}

// startsThinking checks that a loop of tools that began with thinking keeps it.
func (c *messagesInspection) startsThinking(turns []turn) {
	if c.thinks != "enabled" {
		return
	}
	for i := len(turns) - 1; i > 0; i-- {
		if turns[i].role != "assistant" {
			continue
		}
		if len(turns[i].blocks) == 0 || i+1 == len(turns) || len(turns[i+1].blocks) == 0 {
			return
		}
		first, next := turns[i].blocks[0], turns[i+1].blocks[0]
		if next.kind == "tool_result" && first.kind != "thinking" && first.kind != "redacted_thinking" {
			c.refuse(badRequest("", "", "%s.type: Expected `thinking` or `redacted_thinking`, but found `%s`. When `thinking` is enabled, a final `assistant` message must start with a thinking block.", first.at.dots(), first.kind))
		}
		return
	}
}
