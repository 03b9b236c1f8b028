package openairesponses

import (
	"bytes"
	"strings"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
)

// items reads the input. It comes last, since instructions count before the items.
func (d *requestDecoder) items() {
	switch d.input.Kind() {
	case rawjson.String:
		text := d.input.Text()
		d.req.Turns = []ir.Turn{{Plain: true, Parts: []ir.Part{{Kind: ir.Text, Text: text}}}}
	case rawjson.Array:
		d.Reset(d.input)
		d.Array(func(i int) { d.item(i) })
		d.attachThoughts(nil) // thinking that nothing follows has no place
	default:
		d.Fail(ir.Invalid("input", "input must be a string or a list of items, not %s", d.input.Kind()))
	}
}

// wireItem is an item with its fields spanned.
type wireItem struct {
	kind, role, id, callID, name, namespace, status string
	content, summary, encrypted                     rawjson.Value
	arguments, input, output, action, operation     rawjson.Value
	tools, raw                                      rawjson.Value
}

func (d *requestDecoder) item(i int) {
	var w wireItem
	start := d.Offset()
	d.Object(func(k []byte) {
		switch string(k) {
		case "type":
			w.kind = d.Str()
		case "role":
			w.role = d.Str()
		case "id":
			w.id = d.Value().Str()
		case "call_id":
			w.callID = d.Value().Str()
		case "name":
			w.name = d.Value().Str()
		case "namespace":
			w.namespace = d.Value().Str()
		case "status":
			w.status = d.Value().Str()
		case "content":
			w.content = d.Value()
		case "summary":
			w.summary = d.Value()
		case "encrypted_content":
			w.encrypted = d.Value()
		case "arguments":
			w.arguments = d.Value()
		case "input":
			w.input = d.Value()
		case "output":
			w.output = d.Value()
		case "action":
			w.action = d.Value()
		case "operation":
			w.operation = d.Value()
		case "tools":
			w.tools = d.Value()
		}
	})
	if d.Err() != nil {
		return
	}
	w.raw = d.Since(start)
	d.take(&w, ir.At("input", i))
}

func (d *requestDecoder) take(w *wireItem, at ir.Pos) {
	switch w.kind {
	case "message", "":
		d.message(w, at)
	case "reasoning":
		d.reasoningItem(w, at)
	case "function_call", "tool_search_call", "local_shell_call", "shell_call", "apply_patch_call":
		d.call(w, at)
	case "custom_tool_call":
		d.addCall(ir.Call{ID: w.callID, Name: d.flat(w), Custom: true, Input: w.input.Text()}, at)
	case "function_call_output", "custom_tool_call_output", "local_shell_call_output", "shell_call_output",
		"apply_patch_call_output", "tool_search_output":
		d.result(w, at)
	case "additional_tools":
		d.moreTools(w.tools, at)
	case "web_search_call", "file_search_call", "code_interpreter_call", "mcp_call", "mcp_list_tools",
		"mcp_approval_request":
		d.assistant([]ir.Part{{Kind: ir.Opaque, Type: w.kind, Raw: w.raw, At: at}}, at)
	case "mcp_approval_response":
		d.req.Turns = append(d.req.Turns, ir.Turn{At: at, Parts: []ir.Part{{Kind: ir.Opaque, Type: w.kind, Raw: w.raw, At: at}}})
	case "image_generation_call":
		d.generatedImage(w, at)
	case "item_reference":
		d.Fail(ir.Refused(at.String(), "answers are not stored here, so items cannot be referred to: send the items themselves (set store to false)"))
	case "compaction", "compaction_summary":
		d.Fail(ir.Refused(at.String(), "a compacted conversation can only be read by OpenAI: start a new session or switch remote compaction off"))
	default:
		d.Fail(ir.Refused(at.String()+".type", "items of type %q cannot be sent to this model's provider", w.kind))
	}
}

// generatedImage shows the model the picture that was made for it, as one from the user:
// on other upstreams it cannot have pictures in its own turns.
func (d *requestDecoder) generatedImage(w *wireItem, at ir.Pos) {
	data := w.raw.Get("result").Text()
	if len(data) == 0 {
		return
	}
	d.losses.Add("image-as-user-message", at.String(), "a generated image was sent as a user message")
	p := ir.Part{Kind: ir.Image, Media: ir.Media{Type: ir.SniffImage(data), Data: data}, At: at}
	d.req.Turns = append(d.req.Turns, ir.Turn{Parts: []ir.Part{p}, At: at})
}

func (d *requestDecoder) message(w *wireItem, at ir.Pos) {
	t := ir.Turn{At: at}
	switch w.role {
	case "user":
	case "assistant":
		t.Role = ir.RoleAssistant
	case "system", "developer":
		t.Role = ir.RoleSystem
	default:
		d.Fail(ir.Invalid(at.String()+".role", "the role %q is not known: use user, assistant, system or developer", w.role))
		return
	}
	parts, plain, err := content(w.content, at)
	if err != nil {
		d.Fail(err)
		return
	}
	t.Parts, t.Plain = parts, plain
	switch {
	case t.Role == ir.RoleSystem && len(d.req.Turns) == 0:
		for _, p := range parts {
			d.req.System = append(d.req.System, ir.Instruction{Text: p.Text, At: p.At})
		}
		d.req.SystemPlain = d.req.SystemPlain && len(d.req.System) == 1
	case t.Role == ir.RoleAssistant:
		d.assistant(parts, at)
	case len(parts) > 0 || plain:
		d.req.Turns = append(d.req.Turns, t)
	}
}

// assistant adds to the model's turn: what belongs to one answer is many items here.
func (d *requestDecoder) assistant(parts []ir.Part, at ir.Pos) {
	parts = d.attachThoughts(parts)
	if len(parts) == 0 {
		return
	}
	if n := len(d.req.Turns); n > 0 && d.req.Turns[n-1].Role == ir.RoleAssistant {
		last := &d.req.Turns[n-1]
		last.Parts = append(last.Parts, parts...)
		return
	}
	d.req.Turns = append(d.req.Turns, ir.Turn{Role: ir.RoleAssistant, Parts: parts, At: at})
}

// attachThoughts puts thinking in front of what it led to.
func (d *requestDecoder) attachThoughts(parts []ir.Part) []ir.Part {
	if len(d.thoughts) > 0 && len(parts) > 0 {
		parts = append(d.thoughts, parts...)
	}
	d.thoughts = nil
	return parts
}

// reasoningItem restores thinking that a client sends back. Only what this proxy wrapped
// can be read; anything else is OpenAI's own and means nothing to other models.
func (d *requestDecoder) reasoningItem(w *wireItem, at ir.Pos) {
	if parts, ok := ir.UnwrapThinking(w.encrypted.Text()); ok {
		for i := range parts {
			parts[i].At = at
		}
		d.thoughts = append(d.thoughts, parts...)
		return
	}
	p := ir.Part{Kind: ir.Thinking, Text: summaryText(w.summary), Signature: rawjson.Escaped(ir.TextSignature), At: at}
	if w.encrypted.Present() {
		p.Signature = ir.WrapItem(w.raw)
	}
	if len(p.Text) == 0 {
		p.Kind = ir.RedactedThinking
	}
	d.thoughts = append(d.thoughts, p)
}

// summaryText joins the parts of a reasoning summary.
func summaryText(list rawjson.Value) rawjson.Escaped {
	if list.Kind() != rawjson.Array {
		return nil
	}
	var text rawjson.Escaped
	r := rawjson.Within(list)
	r.Array(func(i int) {
		if i > 0 {
			text = append(text, `\n\n`...)
		}
		text = append(text, r.Value().Get("text").Text()...)
	})
	return text
}

func (d *requestDecoder) flat(w *wireItem) string {
	return inNamespace(w.namespace, w.name)
}

// call reads a call of a function, or of a tool that has an item type of its own.
func (d *requestDecoder) call(w *wireItem, at ir.Pos) {
	c := ir.Call{ID: w.callID, Name: d.flat(w)}
	args := w.arguments
	switch w.kind {
	case "local_shell_call", "shell_call":
		c.Name, c.Builtin, args = strings.TrimSuffix(w.kind, "_call"), strings.TrimSuffix(w.kind, "_call"), w.action
	case "apply_patch_call":
		c.Name, c.Builtin, args = "apply_patch", "apply_patch", w.operation
	case "tool_search_call":
		c.Builtin = "tool_search"
		if c.Name == "" {
			c.Name = "tool_search"
		}
	}
	if c.ID == "" {
		c.ID = w.id
	}
	text := []byte(args)
	if args.Kind() == rawjson.String {
		text = args.Text().Append(nil)
	}
	if w.kind == "local_shell_call" {
		text = shellArgs(args)
	}
	c.Args, c.BadArgs = ir.ArgsOf(text)
	if c.BadArgs {
		d.losses.Add("invalid-tool-arguments", at.String(), "the arguments of an earlier tool call are not a JSON object; an empty object was sent")
	}
	if c.Name == "" {
		d.Fail(ir.Invalid(at.String()+".name", "the tool call has no name"))
		return
	}
	d.addCall(c, at)
}

// shellArgs is the action of a local shell call as arguments of the function that stands
// for the tool on other upstreams.
func shellArgs(action rawjson.Value) []byte {
	var w rawjson.Writer
	w.Open('{')
	action.Each(func(k []byte, v rawjson.Value) {
		switch key := string(k); key {
		case "type":
		case "working_directory":
			w.RawIf("workdir", v)
		default:
			w.Member(key, v)
		}
	})
	w.Close('}')
	return w.Buf
}

func (d *requestDecoder) addCall(c ir.Call, at ir.Pos) {
	d.assistant([]ir.Part{{Kind: ir.ToolCall, Call: c, At: at}}, at)
}

func (d *requestDecoder) result(w *wireItem, at ir.Pos) {
	if w.kind == "tool_search_output" {
		d.moreTools(w.tools, at)
	}
	out := w.output
	p := ir.Part{Kind: ir.ToolResult, At: at, Reply: ir.Result{CallID: w.callID, IsError: w.status == "failed"}}
	if p.Reply.CallID == "" {
		p.Reply.CallID = w.id
	}
	if w.kind == "shell_call_output" && out.Kind() == rawjson.Array {
		out = shellOutput(out)
	}
	if !out.Present() && w.kind == "tool_search_output" {
		out = foundTools(w.tools)
	}
	var err error
	if p.Reply.Parts, p.Reply.Plain, err = content(out, at); err != nil {
		d.Fail(err)
		return
	}
	d.req.Turns = append(d.req.Turns, ir.Turn{Parts: []ir.Part{p}, At: at})
}

// shellOutput is what the commands of a shell call wrote, and how those that failed ended.
func shellOutput(list rawjson.Value) rawjson.Value {
	text := rawjson.Escaped{}
	add := func(s rawjson.Escaped) {
		if len(s) == 0 {
			return
		}
		if len(text) > 0 && !bytes.HasSuffix(text, []byte(`\n`)) {
			text = append(text, `\n`...)
		}
		text = append(text, s...)
	}
	r := rawjson.Within(list)
	r.Array(func(int) {
		v := r.Value()
		add(v.Get("stdout").Text())
		add(v.Get("stderr").Text())
		outcome := v.Get("outcome")
		switch code := outcome.Get("exit_code"); {
		case outcome.Get("type").Text().Is("timeout"):
			add(rawjson.Escaped("[timed out]"))
		case code.Present() && string(code) != "0":
			add(rawjson.Escape("[exit code " + string(code) + "]"))
		}
	})
	return quoted(text)
}

// foundTools tells which tools a search made available; they are declared from there on.
func foundTools(list rawjson.Value) rawjson.Value {
	text := rawjson.Escaped{}
	if list.Kind() == rawjson.Array {
		r := rawjson.Within(list)
		r.Array(func(i int) {
			if i > 0 {
				text = append(text, `\n`...)
			}
			text = append(append(text, "Tool "...), r.Value().Get("name").Text()...)
			text = append(text, " is now available."...)
		})
	}
	return quoted(text)
}

// quoted is a text as a JSON value.
func quoted(text rawjson.Escaped) rawjson.Value {
	return append(append(rawjson.Value{'"'}, text...), '"')
}

// moreTools takes tools that are declared inside the conversation.
func (d *requestDecoder) moreTools(list rawjson.Value, at ir.Pos) {
	if list.Kind() != rawjson.Array {
		return
	}
	sub := requestDecoder{Reader: rawjson.Within(list)}
	sub.req.Tools = d.req.Tools
	sub.Array(func(i int) { sub.tool(at.In("tools", i), "") })
	d.req.Tools = sub.req.Tools
	if err := sub.Err(); err != nil {
		d.Fail(err)
	}
}
