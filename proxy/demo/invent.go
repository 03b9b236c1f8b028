package demo

import (
	"strconv"

	"apex-ai-proxy/proxy/rawjson"
)

func itoa(n int) string { return strconv.Itoa(n) }

// inventDepth bounds how deep invented arguments are nested.
const inventDepth = 8

// invent makes arguments that fit a tool's schema: always the same for the same
// schema, and different for the nth call beside it.
func invent(t tool, nth int) string {
	suffix := ""
	if nth > 0 {
		suffix = " " + itoa(nth+1)
	}
	if t.custom {
		return "sample input" + suffix
	}
	if t.schema.Kind() != rawjson.Object {
		return "{}"
	}
	return string(appendObject(nil, &node{v: t.schema}, suffix, 0))
}

// appendObject appends an object with the properties that are required, or all of them
// when the schema does not say.
func appendObject(dst []byte, schema *node, suffix string, depth int) []byte {
	m := membersOf(schema)
	required := map[string]bool{}
	for _, name := range elementsOf(m.get("required")) {
		required[name.str()] = true
	}
	dst = append(dst, '{')
	first := true
	for _, p := range membersOf(m.get("properties")) {
		if len(required) > 0 && !required[p.key] || depth == inventDepth {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = rawjson.AppendQuote(dst, p.key)
		dst = append(dst, ':')
		dst = appendValue(dst, p, p.key, suffix, depth+1)
	}
	return append(dst, '}')
}

// appendValue appends a value that fits the schema of the property called name.
func appendValue(dst []byte, schema *node, name, suffix string, depth int) []byte {
	m := membersOf(schema)
	for _, key := range []string{"const", "default"} {
		if v := m.get(key); v.present() {
			return rawjson.AppendCompact(dst, v.v)
		}
	}
	if all := elementsOf(m.get("enum")); len(all) > 0 {
		return rawjson.AppendCompact(dst, all[0].v)
	}
	for _, key := range []string{"anyOf", "oneOf"} {
		if all := elementsOf(m.get(key)); len(all) > 0 && depth < inventDepth {
			return appendValue(dst, all[0], name, suffix, depth+1)
		}
	}
	switch typeOf(m) {
	case "integer", "number":
		if least := m.get("minimum"); least.kind() == rawjson.Number {
			return append(dst, least.v...)
		}
		return append(dst, '1')
	case "boolean":
		return append(dst, "true"...)
	case "null":
		return append(dst, "null"...)
	case "array":
		dst = append(dst, '[')
		if items := m.get("items"); items != nil && depth < inventDepth {
			dst = appendValue(dst, items, name, suffix, depth+1)
		}
		return append(dst, ']')
	case "object":
		return appendObject(dst, schema, suffix, depth)
	default:
		return rawjson.AppendQuote(dst, "sample "+name+suffix)
	}
}
