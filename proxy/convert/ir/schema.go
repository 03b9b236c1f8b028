package ir

import (
	"slices"
	"strings"

	"apex-ai-proxy/proxy/rawjson"
)

// emptySchema is the schema of a tool without arguments.
const emptySchema = `{"type":"object","properties":{}}`

// AppendSchema appends a tool's schema as the vendors accept it: as it is, but with a
// type and properties at the root.
func AppendSchema(dst []byte, schema rawjson.Value) []byte {
	if schema.Kind() != rawjson.Object || schema.Empty() {
		return append(dst, emptySchema...)
	}
	r := rawjson.NewReader(schema)
	r.Outline()
	kind, properties := schemaRoot(r)
	if !isObject(kind) {
		return append(dst, schema...)
	}
	dst = append(dst, '{')
	if !kind.Present() {
		dst = append(dst, `"type":"object",`...)
	}
	if !properties.Present() {
		dst = append(dst, `"properties":{},`...)
	}
	return append(dst, schema[1:]...)
}

// schemaRoot reads a schema and tells of its root what AppendSchema may have to add.
func schemaRoot(r *rawjson.Reader) (kind, properties rawjson.Value) {
	r.Object(func(key []byte) {
		switch string(key) {
		case "type":
			kind = r.Value()
		case "properties":
			properties = r.Value()
		}
	})
	return kind, properties
}

// isObject tells whether arguments of the type are an object, which is what they are unless
// another type is named.
func isObject(kind rawjson.Value) bool { return !kind.Present() || kind.Text().Is("object") }

// ReadSchema reads a value that should be a tool's schema. whole tells that AppendSchema would
// add nothing to it.
func ReadSchema(r *rawjson.Reader) (schema rawjson.Value, whole bool) {
	if r.Kind() != rawjson.Object {
		return r.Value(), false
	}
	start := r.Offset()
	kind, properties := schemaRoot(r)
	if r.Err() != nil {
		return nil, false
	}
	return r.Since(start), kind.Present() && (properties.Present() || !isObject(kind))
}

// AppendSchema appends the schema of a function; see the function of that name.
func (t *Tool) AppendSchema(dst []byte) []byte {
	if t.Whole {
		return append(dst, t.Schema...)
	}
	return AppendSchema(dst, t.Schema)
}

// StrictSchema tells whether a schema is of the kind OpenAI enforces: every object
// closed, every property required, and a type, a choice or a reference everywhere.
func StrictSchema(schema rawjson.Value) bool {
	if schema.Kind() != rawjson.Object {
		return false
	}
	strict := true
	var properties, required []string
	closed, isObject, typed := false, false, false
	r := rawjson.NewReader(schema)
	r.Object(func(key []byte) {
		switch string(key) {
		case "type":
			isObject, typed = hasType(r.Value(), "object"), true
		case "$ref", "enum", "const":
			typed = true
			r.Value()
		case "additionalProperties":
			closed = string(r.Value()) == "false"
		case "properties", "$defs", "definitions":
			isMap := string(key) == "properties"
			r.Object(func(name []byte) {
				if isMap {
					properties = append(properties, string(name))
				}
				strict = StrictSchema(r.Value()) && strict
			})
		case "required":
			r.Array(func(int) { required = append(required, r.Value().Str()) })
		case "items":
			strict = StrictSchema(r.Value()) && strict
		case "anyOf":
			typed = true
			r.Array(func(int) { strict = StrictSchema(r.Value()) && strict })
		case "oneOf", "allOf", "not", "if", "then", "else", "patternProperties", "prefixItems", "dependentRequired",
			"dependentSchemas", "default":
			strict = false
		}
	})
	if r.Err() != nil || !strict || !typed {
		return false
	}
	if isObject || properties != nil {
		if !closed {
			return false
		}
		for _, p := range properties {
			if !slices.Contains(required, p) {
				return false
			}
		}
	}
	return true
}

// hasType tells whether a type is the one named, or a list with it.
func hasType(types rawjson.Value, name string) (found bool) {
	if types.Kind() != rawjson.Array {
		return types.Text().Is(name)
	}
	r := rawjson.NewReader(types)
	r.Array(func(int) { found = r.Value().Text().Is(name) || found })
	return found
}

// SchemaHint asks in words for an answer that follows a schema.
func SchemaHint(schema rawjson.Value) rawjson.Escaped {
	out := rawjson.Escape("Answer with one JSON value that follows this JSON Schema, and nothing else:\n")
	return rawjson.AppendEscape(out, []byte(schema))
}

// efforts in rising order.
var efforts = []string{"none", "minimal", "low", "medium", "high", "xhigh", "max"}

// CheckEffort refuses a word for how much to think that no vendor knows. Codex's "ultra"
// stands for the strongest.
func CheckEffort(path, word string) error {
	if word == "ultra" || slices.Contains(efforts, word) {
		return nil
	}
	return Invalid(path, "%q is not a reasoning effort: use %s", word, strings.Join(efforts, ", "))
}

// ClampEffort is the accepted effort nearest to the wanted one: the same, else the next
// weaker, else the weakest. Without a list everything is accepted. A word nobody knows
// (Codex has "ultra") is the strongest.
func ClampEffort(want string, accepted []string) string {
	rank := slices.Index(efforts, want)
	if rank < 0 {
		rank = len(efforts) - 1
		want = efforts[rank]
	}
	if len(accepted) == 0 || slices.Contains(accepted, want) {
		return want
	}
	for ; rank > 0; rank-- {
		if slices.Contains(accepted, efforts[rank]) {
			return efforts[rank]
		}
	}
	for _, e := range accepted {
		if e != "none" {
			return e
		}
	}
	return ""
}
