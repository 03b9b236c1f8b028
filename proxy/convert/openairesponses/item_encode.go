package openairesponses

import (
	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
)

// item is the open output item.
type item struct {
	kind      ir.PartKind
	id        string
	parts     []contentPart   // of a message
	text      rawjson.Escaped // thinking, arguments or the words of a search so far
	signature rawjson.Escaped
	call      ir.Call
	tool      *ir.Tool // as the client declared it, nil when it did not
	status    string
}

// contentPart is one part of a message.
type contentPart struct {
	kind  ir.PartKind
	text  rawjson.Escaped
	links []ir.Link
}

// isMessage tells whether parts of the kind belong into messages.
func isMessage(kind ir.PartKind) bool { return kind == ir.Text || kind == ir.Refusal }

// builtin is the type of the tool when its calls have an item type of their own.
func (it *item) builtin() string {
	if it.tool == nil {
		return ""
	}
	return it.tool.Builtin
}

// prefix is how the id of a call's item must begin.
func (it *item) prefix() string {
	switch {
	case it.call.Custom:
		return "ctc_"
	case it.builtin() == "local_shell":
		return "lsh_"
	case it.builtin() == "shell":
		return "sh_"
	case it.builtin() == "apply_patch":
		return "apc_"
	case it.builtin() == "tool_search":
		return "tsc_"
	default:
		return "fc_"
	}
}

// name is the tool's name as the client declared it, without its namespace.
func (it *item) name() string {
	if it.tool != nil && it.tool.Child != "" {
		return it.tool.Child
	}
	return it.call.Name
}

// write appends the item in its present state.
func (it *item) write(w *rawjson.Writer) {
	w.Open('{')
	w.Str("id", it.id)
	switch it.kind {
	case ir.Thinking, ir.RedactedThinking:
		it.writeReasoning(w)
	case ir.ToolCall:
		it.writeCall(w)
	case ir.Search:
		w.Str("type", "web_search_call")
		w.Str("status", it.status)
		w.OpenKey("action", '{')
		w.Str("type", "search")
		w.Text("query", it.text)
		w.Close('}')
	default:
		w.Str("type", "message")
		w.Str("status", it.status)
		w.Str("role", "assistant")
		w.OpenKey("content", '[')
		for i := range it.parts {
			it.parts[i].write(w)
		}
		w.Close(']')
	}
	w.Close('}')
}

func (c *contentPart) write(w *rawjson.Writer) {
	w.Open('{')
	if c.kind == ir.Refusal {
		w.Str("type", "refusal")
		w.Text("refusal", c.text)
	} else {
		w.Str("type", "output_text")
		w.Text("text", c.text)
		w.OpenKey("annotations", '[')
		for i := range c.links {
			c.annotation(w, i)
		}
		w.Close(']')
		w.Raw("logprobs", rawjson.Value("[]"))
	}
	w.Close('}')
}

// annotation writes one of the pages that a text cites.
func (c *contentPart) annotation(w *rawjson.Writer, i int) {
	l := c.links[i]
	if l.End == 0 {
		l.Start, l.End = 0, c.text.Runes()
	}
	w.Open('{')
	w.Str("type", "url_citation")
	w.Int("start_index", int64(l.Start))
	w.Int("end_index", int64(l.End))
	w.Text("url", l.URL)
	w.Text("title", l.Title)
	w.Close('}')
}

func (it *item) writeSummary(w *rawjson.Writer) {
	w.Open('{')
	w.Str("type", "summary_text")
	w.Text("text", it.text)
	w.Close('}')
}

// writeReasoning writes thinking. What proves its origin is packed into the encrypted
// content, so that the client can send it back.
func (it *item) writeReasoning(w *rawjson.Writer) {
	w.Str("type", "reasoning")
	w.OpenKey("summary", '[')
	if it.status != "in_progress" && it.kind == ir.Thinking {
		it.writeSummary(w)
	}
	w.Close(']')
	if it.status == "in_progress" || len(it.signature) == 0 {
		return
	}
	w.Text("encrypted_content", ir.WrapThinking(&ir.Part{Kind: it.kind, Text: it.text, Signature: it.signature}))
}

func (it *item) writeCall(w *rawjson.Writer) {
	kind := it.builtin()
	switch {
	case it.call.Custom:
		w.Str("type", "custom_tool_call")
	case kind != "":
		w.Str("type", kind+"_call")
	default:
		w.Str("type", "function_call")
	}
	w.Str("status", it.status)
	w.Str("call_id", it.call.ID)
	switch {
	case it.call.Custom:
		w.Str("name", it.name())
		it.writeNamespace(w)
		w.Text("input", it.text)
	case kind == "local_shell":
		w.Key("action")
		it.writeExec(w)
	case kind == "shell":
		w.Raw("action", it.args())
	case kind == "apply_patch":
		w.Raw("operation", it.args())
	case kind == "tool_search":
		w.Str("execution", "client")
		w.Raw("arguments", it.args())
	default:
		w.Str("name", it.name())
		it.writeNamespace(w)
		w.Text("arguments", it.text)
	}
}

func (it *item) writeNamespace(w *rawjson.Writer) {
	if it.tool != nil && it.tool.Namespace != "" {
		w.Str("namespace", it.tool.Namespace)
	}
}

// args are the arguments as an object; a call that is still open or cut has none.
func (it *item) args() rawjson.Value {
	if v := it.call.Args; it.status != "in_progress" && rawjson.Valid(v) == nil && v.Kind() == rawjson.Object {
		return v
	}
	return rawjson.Value("{}")
}

// writeExec writes the action of a local shell call.
func (it *item) writeExec(w *rawjson.Writer) {
	w.Open('{')
	w.Str("type", "exec")
	var command, env rawjson.Value
	it.args().Each(func(k []byte, v rawjson.Value) {
		switch string(k) {
		case "command":
			command = v
		case "env":
			env = v
		case "workdir", "working_directory":
			w.Raw("working_directory", v)
		case "timeout_ms", "user":
			w.Raw(string(k), v)
		}
	})
	switch {
	case command.Kind() == rawjson.String:
		command = append(append(rawjson.Value{'['}, command...), ']')
	case command.Kind() != rawjson.Array:
		command = rawjson.Value("[]")
	}
	if env.Kind() != rawjson.Object {
		env = rawjson.Value("{}")
	}
	w.Raw("command", command)
	w.Raw("env", env)
	w.Close('}')
}
