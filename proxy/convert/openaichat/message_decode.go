package openaichat

import (
	"bytes"
	"strconv"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
)

// wireMessage is a message with its fields spanned but not yet read: the role may stand
// behind the content.
type wireMessage struct {
	role, callID, name               string
	content, toolCalls, functionCall rawjson.Value
	reasoning, reasoningAlt, details rawjson.Value
	refusal                          rawjson.Escaped
	cache                            rawjson.Value
}

func (d *requestDecoder) message(i int) {
	var m wireMessage
	d.Object(func(k []byte) {
		switch string(k) {
		case "role":
			m.role = d.Str()
		case "content":
			m.content = d.Value()
		case "tool_calls":
			m.toolCalls = d.Value()
		case "tool_call_id":
			m.callID = d.Str()
		case "function_call":
			m.functionCall = d.Value()
		case "name":
			m.name = d.Value().Str()
		case "refusal":
			m.refusal = d.Text()
		case "reasoning_content":
			m.reasoning = d.Value()
		case "reasoning":
			m.reasoningAlt = d.Value()
		case "reasoning_details":
			m.details = d.Value()
		case "cache_control":
			m.cache = d.Value()
		}
	})
	if d.Err() != nil {
		return
	}
	at := ir.At("messages", i)
	switch m.role {
	case "system", "developer":
		d.instruction(m, at)
	case "user":
		t := d.turn(ir.RoleUser, m.content, at)
		t.Name = m.name
		markLast(t.Parts, m.cache)
		if err := ir.CheckTurn(&t); err != nil {
			d.Fail(err)
		}
		d.req.Turns = append(d.req.Turns, t)
	case "assistant":
		d.assistant(m, at)
	case "tool", "function":
		d.toolMessage(m, at)
	case "":
		d.Fail(ir.Invalid(at.String()+".role", "role is missing: use system, developer, user, assistant or tool"))
	default:
		d.Fail(ir.Invalid(at.String()+".role", "the role %q is not known: use system, developer, user, assistant or tool", m.role))
	}
}

// instruction reads a system or developer message: before the first turn it belongs to
// the instructions, behind it it is a turn of its own.
func (d *requestDecoder) instruction(m wireMessage, at ir.Pos) {
	t := d.turn(ir.RoleSystem, m.content, at)
	markLast(t.Parts, m.cache)
	for _, p := range t.Parts {
		if p.Kind != ir.Text {
			d.Fail(ir.Refused(p.At.String(), "a %s message can hold text only", m.role))
			return
		}
	}
	if len(d.req.Turns) > 0 {
		d.req.Turns = append(d.req.Turns, t)
		return
	}
	d.req.SystemPlain = t.Plain && len(d.req.System) == 0
	for _, p := range t.Parts {
		d.req.System = append(d.req.System, ir.Instruction{Text: p.Text, Cache: p.Cache, At: p.At})
	}
}

// markLast gives a message's own cache_control to its last part, which it means.
func markLast(parts []ir.Part, cache rawjson.Value) {
	if n := len(parts); n > 0 && !parts[n-1].Cache.Present() {
		parts[n-1].Cache = cache
	}
}

// turn reads content, a string or a list of parts.
func (d *requestDecoder) turn(role ir.Role, content rawjson.Value, at ir.Pos) ir.Turn {
	t := ir.Turn{Role: role, At: at}
	switch content.Kind() {
	case rawjson.String:
		t.Plain = true
		if text := content.Text(); len(text) > 0 {
			t.Parts = []ir.Part{{Kind: ir.Text, Text: text, At: at}}
		}
	case rawjson.Array:
		r := rawjson.Within(content)
		r.Array(func(i int) {
			p, err := decodePart(r.Value(), at.In("content", i))
			if err != nil {
				d.Fail(err)
				return
			}
			if p.Kind != ir.Text || len(p.Text) > 0 {
				t.Parts = append(t.Parts, p)
			}
		})
	case rawjson.Null, rawjson.Absent:
	default:
		d.Fail(ir.Invalid(at.String()+".content", "content must be a string or a list of parts, not %s", content.Kind()))
	}
	return t
}

// assistant reads the model's own earlier turn.
func (d *requestDecoder) assistant(m wireMessage, at ir.Pos) {
	t := d.turn(ir.RoleAssistant, m.content, at)
	thinking := historyReasoning(m, at)
	if len(thinking) > 0 {
		t.Parts = append(thinking, t.Parts...)
		t.Plain = false
	}
	if len(m.refusal) > 0 {
		t.Parts = append(t.Parts, ir.Part{Kind: ir.Refusal, Text: m.refusal, At: at})
	}
	r := rawjson.Within(m.toolCalls)
	if m.toolCalls.Present() && m.toolCalls.Kind() != rawjson.Array {
		d.Fail(ir.Invalid(at.String()+".tool_calls", "tool_calls must be a list, not %s", m.toolCalls.Kind()))
		return
	}
	if m.toolCalls.Present() {
		r.Array(func(i int) {
			if p, ok := d.toolCall(r.Value(), at.In("tool_calls", i)); ok {
				t.Parts = append(t.Parts, p)
			}
		})
	}
	if m.functionCall.Present() {
		d.legacyCalls++
		d.lastCall = "call_legacy" + strconv.Itoa(d.legacyCalls)
		p, _ := d.callPart(d.lastCall, m.functionCall, at)
		t.Parts = append(t.Parts, p)
	}
	if len(t.Parts) == 0 {
		return // nothing was said
	}
	markLast(t.Parts, m.cache)
	t.Name = m.name
	if err := ir.CheckTurn(&t); err != nil {
		d.Fail(err)
	}
	d.req.Turns = append(d.req.Turns, t)
}

func (d *requestDecoder) toolCall(v rawjson.Value, at ir.Pos) (ir.Part, bool) {
	var id string
	var function, custom rawjson.Value
	if v.Kind() != rawjson.Object {
		d.Fail(ir.Invalid(at.String(), "a tool call must be an object, not %s", v.Kind()))
		return ir.Part{}, false
	}
	r := rawjson.Within(v)
	r.Object(func(k []byte) {
		switch string(k) {
		case "id":
			id = r.Str()
		case "function":
			function = r.Value()
		case "custom":
			custom = r.Value()
		}
	})
	if err := r.Err(); err != nil {
		d.Fail(ir.Invalid(at.String(), "%v", err))
		return ir.Part{}, false
	}
	if custom.Present() {
		return ir.Part{Kind: ir.ToolCall, At: at, Call: ir.Call{
			ID: id, Name: custom.Get("name").Str(), Input: custom.Get("input").Text(), Custom: true,
		}}, true
	}
	return d.callPart(id, function, at)
}

// callPart reads {"name", "arguments"}. Arguments are a JSON text in a string; some
// clients send the object itself.
func (d *requestDecoder) callPart(id string, function rawjson.Value, at ir.Pos) (ir.Part, bool) {
	p := ir.Part{Kind: ir.ToolCall, At: at, Call: ir.Call{ID: id}}
	var args rawjson.Value
	r := rawjson.Within(function)
	r.Object(func(k []byte) {
		switch string(k) {
		case "name":
			p.Call.Name = r.Str()
		case "arguments":
			args = r.Value()
		}
	})
	if p.Call.Name == "" {
		d.Fail(ir.Invalid(at.String()+".function.name", "the tool call has no name"))
		return p, false
	}
	text := []byte(args)
	if args.Kind() == rawjson.String {
		text = args.Text().Append(nil)
	}
	if args.Kind() == rawjson.Null {
		text = nil
	}
	p.Call.Args, p.Call.BadArgs = ir.ArgsOf(text)
	if p.Call.BadArgs {
		if d.badArgs == nil {
			d.badArgs = make(map[string]rawjson.Escaped)
		}
		d.badArgs[at.String()] = args.Text()
	}
	return p, true
}

// settleArgs decides about arguments that are no JSON object, once all tools are known: to
// a custom tool that was not declared as this protocol's they are its free text (see
// flatCustom), otherwise they are lost.
func (d *requestDecoder) settleArgs() {
	if len(d.badArgs) == 0 {
		return
	}
	custom := make(map[string]bool)
	for i := range d.req.Tools {
		if t := &d.req.Tools[i]; t.Kind == ir.CustomTool && !t.Nested {
			custom[t.Name] = true
		}
	}
	for i := range d.req.Turns {
		for j := range d.req.Turns[i].Parts {
			p := &d.req.Turns[i].Parts[j]
			if p.Kind != ir.ToolCall || !p.Call.BadArgs {
				continue
			}
			text, mine := d.badArgs[p.At.String()]
			if !mine {
				continue
			}
			if text != nil && custom[p.Call.Name] {
				p.Call = ir.Call{ID: p.Call.ID, Name: p.Call.Name, Input: text, Custom: true}
				continue
			}
			d.losses.Add("invalid-tool-arguments", p.At.String(), "the arguments of an earlier tool call are not a JSON object; an empty object was sent")
		}
	}
}

// toolMessage reads a tool's answer; the deprecated role function answers the last
// function_call.
func (d *requestDecoder) toolMessage(m wireMessage, at ir.Pos) {
	id := m.callID
	if m.role == "function" {
		id = d.lastCall
	}
	parts, plain, err := resultParts(m.content, at)
	if err != nil {
		d.Fail(err)
		return
	}
	d.req.Turns = append(d.req.Turns, ir.Turn{Role: ir.RoleUser, At: at, Parts: []ir.Part{{
		Kind: ir.ToolResult, At: at, Cache: m.cache,
		Reply: ir.Result{CallID: id, Parts: parts, Plain: plain},
	}}})
}

// historyReasoning restores the thinking of an earlier answer: signed blocks from
// reasoning_details, otherwise plain text, which only some upstreams want back.
func historyReasoning(m wireMessage, at ir.Pos) []ir.Part {
	if m.details.Kind() == rawjson.Array {
		if parts := detailParts(m.details, at); len(parts) > 0 {
			return parts
		}
	}
	for _, v := range []rawjson.Value{m.reasoning, m.reasoningAlt} {
		if text := v.Text(); len(bytes.TrimSpace(text)) > 0 {
			return []ir.Part{{Kind: ir.Thinking, Text: text, At: at}}
		}
	}
	return nil
}

func detailParts(details rawjson.Value, at ir.Pos) []ir.Part {
	var parts []ir.Part
	r := rawjson.Within(details)
	r.Array(func(int) {
		v := r.Value()
		switch v.Get("type").Str() {
		case "reasoning.text":
			if sig := v.Get("signature").Text(); len(sig) > 0 {
				text := v.Get("text").Text()
				if text == nil {
					text = rawjson.Escaped{}
				}
				parts = append(parts, ir.Part{Kind: ir.Thinking, Text: text, Signature: sig, At: at})
			}
		case "reasoning.encrypted":
			if data := v.Get("data").Text(); len(data) > 0 {
				parts = append(parts, ir.Part{Kind: ir.RedactedThinking, Signature: data, At: at})
			}
		}
	})
	return parts
}
