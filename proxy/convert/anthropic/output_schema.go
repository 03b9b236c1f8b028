package anthropic

import (
	"slices"

	"apex-ai-proxy/proxy/rawjson"
)

// moved are the keywords that structured outputs do not enforce; what they say goes into
// the description.
var moved = []string{
	"minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "maxItems", "multipleOf",
	"uniqueItems", "pattern",
}

// appendOutputSchema appends a schema as Anthropic's structured outputs take it: every
// object closed, limits told in words.
func appendOutputSchema(dst []byte, schema rawjson.Value, description rawjson.Escaped) []byte {
	if schema.Kind() != rawjson.Object {
		return append(dst, schema...)
	}
	o := outputSchema{Writer: rawjson.Writer{Buf: dst}, description: description}
	o.Open('{')
	r := rawjson.NewReader(schema)
	r.Object(func(k []byte) { o.keyword(r, string(k)) })
	o.finish()
	o.Close('}')
	return o.Buf
}

// outputSchema is a schema that is written while it is read; what must wait for its end is
// kept.
type outputSchema struct {
	rawjson.Writer
	description, notes rawjson.Escaped
	types, branches    []rawjson.Value
	object             bool
}

func (o *outputSchema) keyword(r *rawjson.Reader, key string) {
	if slices.Contains(moved, key) {
		o.note(key, r.Value())
		return
	}
	switch key {
	case "minItems":
		if v := r.Value(); enforced(v) {
			o.Raw(key, v)
		} else {
			o.note(key, v)
		}
	case "description":
		o.description = r.Value().Text()
	case "additionalProperties":
		r.Value()
	case "type":
		if r.Kind() == rawjson.Array {
			r.Array(func(int) { o.types = append(o.types, r.Value()) })
			return
		}
		v := r.Value()
		o.object = o.object || v.Text().Is("object")
		o.Raw(key, v)
	case "properties", "$defs", "definitions":
		o.object = o.object || key == "properties"
		o.OpenKey(key, '{')
		r.Object(func(name []byte) {
			o.KeyText(string(name))
			o.Buf = appendOutputSchema(o.Buf, r.Value(), nil)
		})
		o.Close('}')
	case "items":
		o.KeyText(key)
		o.Buf = appendOutputSchema(o.Buf, r.Value(), nil)
	case "anyOf", "oneOf":
		r.Array(func(int) { o.branches = append(o.branches, r.Value()) })
	case "allOf":
		var all []rawjson.Value
		r.Array(func(int) { all = append(all, r.Value()) })
		o.list(key, all)
	default:
		o.KeyText(key)
		o.Buf = append(o.Buf, r.Value()...)
	}
}

// enforced tells whether structured outputs hold to a least number of elements.
func enforced(least rawjson.Value) bool {
	n, ok := least.Int()
	return ok && n <= 1
}

func (o *outputSchema) note(key string, v rawjson.Value) {
	if o.notes != nil {
		o.notes = append(o.notes, ", "...)
	}
	o.notes = rawjson.AppendEscape(o.notes, key+": "+string(v))
}

// finish writes what waited for the end.
func (o *outputSchema) finish() {
	if len(o.types) > 2 && o.branches == nil { // one type, or one beside null, may be listed
		for _, t := range o.types {
			o.branches = append(o.branches, rawjson.Value(`{"type":`+string(t)+`}`))
		}
		o.types = nil
	}
	if o.types != nil {
		o.OpenKey("type", '[')
		for _, t := range o.types {
			o.Element(t)
			o.object = o.object || t.Text().Is("object")
		}
		o.Close(']')
	}
	if o.branches != nil {
		o.list("anyOf", o.branches)
	}
	if o.notes != nil {
		if len(o.description) > 0 {
			o.description = append(slices.Clip(o.description), " ("...)
		} else {
			o.description = rawjson.Escaped("(")
		}
		o.description = append(append(o.description, o.notes...), ')')
	}
	if len(o.description) > 0 {
		o.Text("description", o.description)
	}
	if o.object {
		o.Bool("additionalProperties", false)
	}
}

// list writes schemas as a list.
func (o *outputSchema) list(key string, schemas []rawjson.Value) {
	o.OpenKey(key, '[')
	for i, v := range schemas {
		if i > 0 {
			o.Buf = append(o.Buf, ',')
		}
		o.Buf = appendOutputSchema(o.Buf, v, nil)
	}
	o.Close(']')
}
