package anthropic

import (
	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
)

func (d *requestDecoder) tool(i int) {
	t := ir.Tool{At: ir.At("tools", i)}
	kind := "custom"
	start := d.Offset()
	d.Object(func(k []byte) {
		switch string(k) {
		case "type":
			if s := d.Str(); s != "" {
				kind = s
			}
		case "name":
			t.Name = d.Str()
		case "description":
			t.Description = d.Text()
		case "input_schema":
			t.Schema, t.Whole = ir.ReadSchema(d.Reader)
		case "strict":
			t.Strict.Read(d.Value())
		case "cache_control":
			t.Cache = d.Value()
		case "allowed_callers":
			if d.Kind() != rawjson.Array {
				d.Value()
				return
			}
			t.Indirect = true
			d.Array(func(int) {
				if d.Str() == "direct" {
					t.Indirect = false
				}
			})
		}
	})
	if d.Err() != nil {
		return
	}
	t.Raw = d.Since(start)
	if kind != "custom" {
		t.Kind, t.Type = ir.BuiltinTool, kind
	} else if t.Name == "" {
		d.Fail(ir.Invalid(t.At.String()+".name", "every tool needs a name"))
		return
	} else if t.Schema.Present() && t.Schema.Kind() != rawjson.Object {
		d.Fail(ir.Invalid(t.At.String()+".input_schema", "input_schema must be a JSON Schema, an object, not %s", t.Schema.Kind()))
	}
	d.req.Tools = append(d.req.Tools, t)
}

func (d *requestDecoder) toolChoice() {
	c := &d.req.ToolChoice
	d.Object(func(k []byte) {
		switch string(k) {
		case "type":
			switch kind := d.Str(); kind {
			case "auto":
				c.Mode = ir.ChoiceAuto
			case "any":
				c.Mode = ir.ChoiceAny
			case "tool":
				c.Mode = ir.ChoiceTool
			case "none":
				c.Mode = ir.ChoiceNone
			default:
				d.Fail(ir.Invalid("tool_choice.type", "tool_choice %q is not known: use auto, any, tool or none", kind))
			}
		case "name":
			c.Name = d.Str()
		case "disable_parallel_tool_use":
			if d.Bool() {
				d.req.Parallel = ir.No
			}
		}
	})
	if c.Mode == ir.ChoiceTool && c.Name == "" && d.Err() == nil {
		d.Fail(ir.Invalid("tool_choice.name", "tool_choice names no tool"))
	}
}
