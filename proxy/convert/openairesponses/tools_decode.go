package openairesponses

import (
	"strings"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
)

// builtins are tools that the client executes and that have a type of their own. On other
// upstreams they are function tools of the same name.
var builtins = map[string]struct{ description, schema string }{
	"local_shell": {
		"Run a command on the user's computer.",
		`{"type":"object","properties":{"command":{"type":"array","items":{"type":"string"},"description":"The program and its arguments."},"workdir":{"type":"string"},"timeout_ms":{"type":"integer"},"env":{"type":"object","additionalProperties":{"type":"string"}},"user":{"type":"string"}},"required":["command"]}`,
	},
	"shell": {
		"Run commands in a shell.",
		`{"type":"object","properties":{"commands":{"type":"array","items":{"type":"string"}},"timeout_ms":{"type":"integer"},"max_output_length":{"type":"integer"}},"required":["commands"]}`,
	},
	"apply_patch": {
		"Create, change or delete one file.",
		`{"type":"object","properties":{"type":{"type":"string","enum":["create_file","update_file","delete_file"]},"path":{"type":"string"},"diff":{"type":"string","description":"The change as a unified diff; left out to delete a file."}},"required":["type","path"]}`,
	},
}

// tool reads a tool, flat as this protocol has it. namespace is the one it stands in.
func (d *requestDecoder) tool(at ir.Pos, namespace string) {
	t := ir.Tool{At: at}
	var kind, execution string
	var children rawjson.Value
	start := d.Offset()
	d.Object(func(k []byte) {
		switch string(k) {
		case "type":
			kind = d.Str()
		case "name":
			t.Name = d.Value().Str()
		case "description":
			t.Description = d.Value().Text()
		case "parameters", "format":
			t.Schema, t.Whole = ir.ReadSchema(d.Reader)
		case "strict":
			t.Strict.Read(d.Value())
		case "tools":
			children = d.Value()
		case "execution":
			execution = d.Value().Str()
		}
	})
	if d.Err() != nil {
		return
	}
	t.Raw = d.Since(start)
	if !t.Schema.Present() {
		t.Schema = nil
	}
	switch kind {
	case "function":
	case "custom":
		t.Kind = ir.CustomTool
	case "namespace":
		before := len(d.req.Tools)
		d.namespace(children, t.Name, at)
		for i := before; i < len(d.req.Tools); i++ {
			d.req.Tools[i].Raw = t.Raw
		}
		return
	case "tool_search":
		// Where OpenAI searches, the tools that could be found are offered at once instead.
		if execution != "client" {
			return
		}
		t.Builtin = kind
		if t.Name == "" {
			t.Name = kind
		}
	default:
		b, ok := builtins[kind]
		if !ok {
			t.Kind, t.Type = ir.BuiltinTool, kind
			break
		}
		t.Name, t.Builtin = kind, kind
		t.Description, t.Schema = rawjson.Escape(b.description), rawjson.Value(b.schema)
	}
	if t.Kind != ir.BuiltinTool && t.Name == "" {
		d.Fail(ir.Invalid(at.String()+".name", "every tool needs a name"))
		return
	}
	if namespace != "" {
		t.Namespace, t.Child = namespace, t.Name
		t.Name = flatName(namespace, t.Name)
	}
	for i := range d.req.Tools {
		if d.req.Tools[i].Name == t.Name && t.Kind != ir.BuiltinTool {
			return // declared before, for example by an earlier item
		}
	}
	d.req.Tools = append(d.req.Tools, t)
}

// namespace reads the tools inside a namespace.
func (d *requestDecoder) namespace(children rawjson.Value, name string, at ir.Pos) {
	if children.Kind() != rawjson.Array {
		return
	}
	sub := requestDecoder{Reader: rawjson.Within(children)}
	sub.req.Tools = d.req.Tools
	sub.Array(func(i int) { sub.tool(at.In("tools", i), name) })
	d.req.Tools = sub.req.Tools
	if err := sub.Err(); err != nil {
		d.Fail(err)
	}
}

// inNamespace is the flat name of a tool that may stand in a namespace.
func inNamespace(namespace, name string) string {
	if namespace == "" {
		return name
	}
	return flatName(namespace, name)
}

// flatName is the name of a tool in a namespace where there are none.
func flatName(namespace, child string) string {
	if strings.HasPrefix(child, namespace+"__") || strings.HasPrefix(child, "mcp__") {
		return child
	}
	return namespace + "__" + child
}
