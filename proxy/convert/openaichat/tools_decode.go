package openaichat

import (
	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
)

// tool reads a tool. Flat ones, as Cursor sends them in the shape of the Responses API
// or of Anthropic's, are understood too.
func (d *requestDecoder) tool(i int) {
	t := ir.Tool{At: ir.At("tools", i)}
	var kind string
	var inner bool
	start := d.Offset()
	member := func(k []byte) {
		switch string(k) {
		case "name":
			t.Name = d.Str()
		case "description":
			t.Description = d.Text()
		case "parameters", "input_schema", "format":
			t.Schema, t.Whole = ir.ReadSchema(d.Reader)
		case "strict":
			t.Strict.Read(d.Value())
		case "cache_control":
			t.Cache = d.Value()
		}
	}
	d.Object(func(k []byte) {
		switch string(k) {
		case "type":
			kind = d.Str()
		case "function", "custom":
			inner, t.Nested = true, true
			if string(k) == "custom" {
				kind = "custom"
			}
			d.Object(member)
		default:
			member(k)
		}
	})
	if d.Err() != nil {
		return
	}
	switch kind {
	case "function", "":
	case "custom":
		t.Kind = ir.CustomTool
	default:
		t.Kind, t.Type = ir.BuiltinTool, kind
	}
	t.Raw = d.Since(start)
	if t.Kind != ir.BuiltinTool && t.Name == "" {
		where := "name"
		if inner {
			where = "function.name"
		}
		d.Fail(ir.Invalid(t.At.String()+"."+where, "every tool needs a name"))
		return
	}
	if !t.Schema.Present() {
		t.Schema = nil
	}
	if t.Kind == ir.FunctionTool && t.Schema != nil && t.Schema.Kind() != rawjson.Object {
		d.Fail(ir.Invalid(t.At.String()+".function.parameters", "parameters must be a JSON Schema, an object, not %s", t.Schema.Kind()))
	}
	d.req.Tools = append(d.req.Tools, t)
}

func (d *requestDecoder) toolChoice() {
	c := &d.req.ToolChoice
	if d.Kind() == rawjson.String {
		switch w := d.Str(); w {
		case "auto":
			c.Mode = ir.ChoiceAuto
		case "none":
			c.Mode = ir.ChoiceNone
		case "required", "any":
			c.Mode = ir.ChoiceAny
		default:
			d.Fail(ir.Invalid("tool_choice", "tool_choice %q is not known: use none, auto, required or name a function", w))
		}
		return
	}
	d.toolChoiceObject(c)
	if c.Mode == ir.ChoiceTool && c.Name == "" && d.Err() == nil {
		d.Fail(ir.Invalid("tool_choice", "tool_choice names no tool: use none, auto, required or name a function"))
	}
}

func (d *requestDecoder) toolChoiceObject(c *ir.ToolChoice) {
	d.Object(func(k []byte) {
		switch string(k) {
		case "type":
			switch d.Str() {
			case "function", "custom", "tool":
				c.Mode = ir.ChoiceTool
			case "auto":
				c.Mode = ir.ChoiceAuto
			case "any":
				c.Mode = ir.ChoiceAny
			case "none":
				c.Mode = ir.ChoiceNone
			case "allowed_tools":
				if c.Mode == ir.ChoiceUnset {
					c.Mode = ir.ChoiceAuto
				}
			default:
				c.Mode = ir.ChoiceTool // a tool of the vendor's, named by its type
			}
		case "name":
			c.Name = d.Str()
		case "function", "custom":
			d.Object(func(k []byte) {
				if string(k) == "name" {
					c.Name = d.Str()
				}
			})
		case "allowed_tools":
			d.Object(func(k []byte) { d.allowed(c, string(k)) })
		case "mode", "tools":
			d.allowed(c, string(k))
		}
	})
}

func (d *requestDecoder) allowed(c *ir.ToolChoice, key string) {
	switch key {
	case "mode":
		c.Mode = ir.ChoiceAuto
		if d.Str() == "required" {
			c.Mode = ir.ChoiceAny
		}
	case "tools":
		d.Array(func(int) {
			var entry ir.ToolChoice
			d.toolChoiceObject(&entry)
			if entry.Name != "" {
				c.Allowed = append(c.Allowed, entry.Name)
			}
		})
	}
}

// legacyTools turns the deprecated functions and function_call into tools.
func (d *requestDecoder) legacyTools() {
	rest := d.req.Ext[:0]
	for _, f := range d.req.Ext {
		switch f.Name {
		case "functions":
			sub := requestDecoder{Reader: rawjson.Within(f.Value)}
			sub.Array(func(i int) { sub.tool(i) })
			if len(d.req.Tools) == 0 {
				d.req.Tools = sub.req.Tools
			}
		case "function_call":
			sub := requestDecoder{Reader: rawjson.Within(f.Value)}
			if f.Value.Kind() == rawjson.Object {
				d.req.ToolChoice = ir.ToolChoice{Mode: ir.ChoiceTool, Name: f.Value.Get("name").Str()}
			} else if f.Value.Present() {
				sub.toolChoice()
				d.req.ToolChoice = sub.req.ToolChoice
			}
		default:
			rest = append(rest, f)
		}
	}
	d.req.Ext = rest
}
