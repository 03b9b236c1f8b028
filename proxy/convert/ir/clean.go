package ir

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"apex-ai-proxy/proxy/rawjson"
)

// CleanSchema rewrites a JSON Schema for Google's API, which knows only a part of the
// standard. Only keywords are touched: a property may be called "title" or "format".
// References are resolved in place; what a removed keyword said goes into the description.
// guessed tells that a list did not say what its elements are, which the API wants to know.
func CleanSchema(schema rawjson.Value) (cleaned rawjson.Value, guessed bool) {
	c := cleaner{root: schema, budget: 16*len(schema) + 16<<10}
	w := rawjson.Writer{Buf: make([]byte, 0, len(schema))}
	c.schema(&w, schema, nil)
	return w.Buf, c.guessed
}

type cleaner struct {
	root rawjson.Value
	// budget is how many bytes references may still bring in: those that refer to each other
	// twice would otherwise double them with every level. Past it they stay unresolved.
	budget  int
	guessed bool
}

// maxRefs bounds how many references may lead from one to the next.
const maxRefs = 100

// open tells whether a reference is to be resolved, behind those that led to it.
func (c *cleaner) open(ref string, seen []string) bool {
	return c.budget > 0 && len(seen) < maxRefs && !slices.Contains(seen, ref)
}

// dropped keywords mean nothing to Google's API; noted ones are told in the description,
// and noted schemas too unless they only forbid or allow everything.
var (
	droppedKeywords = []string{
		"$schema", "$id", "$comment", "$anchor", "title", "examples", "example", "deprecated", "readOnly", "writeOnly",
		"enumDescriptions", "enumTitles", "encrypted", "contentEncoding", "contentMediaType", "$defs", "definitions",
		"strict",
	}
	notedSchemas = []string{
		"additionalProperties", "patternProperties", "propertyNames", "unevaluatedProperties", "unevaluatedItems",
		"dependentRequired", "dependentSchemas", "dependencies", "if", "then", "else", "not", "contains",
	}
	notedKeywords = []string{
		"exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern", "uniqueItems", "default",
	}
	keptFormats = []string{"enum", "date-time", "int32", "int64", "float", "double"}
)

// node is one schema with its keywords sorted out.
type node struct {
	notes       []string
	description rawjson.Escaped
	types       []string
	nullable    bool
	members     []Field
	enum        []rawjson.Value
	properties  []Field
	required    []rawjson.Value
	items       rawjson.Value
	tuple       []rawjson.Value
	any         []rawjson.Value
}

func (c *cleaner) schema(w *rawjson.Writer, v rawjson.Value, seen []string) {
	if v.Kind() != rawjson.Object {
		w.Open('{')
		w.Close('}')
		return
	}
	var n node
	if ref := v.Get("$ref").Str(); ref != "" {
		if !c.open(ref, seen) || c.resolve(ref) == nil {
			w.Open('{')
			w.Str("type", "object")
			w.Str("description", "See "+ref[strings.LastIndexByte(ref, '/')+1:])
			w.Close('}')
			return
		}
		c.read(&n, v, seen)
		c.write(w, &n, append(slices.Clip(seen), ref))
		return
	}
	c.read(&n, v, seen)
	c.write(w, &n, seen)
}

// resolve follows a JSON Pointer into the schema itself.
func (c *cleaner) resolve(ref string) rawjson.Value {
	path, ok := strings.CutPrefix(ref, "#")
	if !ok {
		return nil
	}
	v := c.root
	for _, step := range strings.Split(path, "/")[1:] {
		if plain, err := url.PathUnescape(step); err == nil {
			step = plain
		}
		v = v.Get(strings.NewReplacer("~1", "/", "~0", "~").Replace(step))
	}
	if v.Kind() != rawjson.Object {
		return nil
	}
	return v
}

// read sorts out the keywords of a schema; those beside a reference add to what it
// refers to.
func (c *cleaner) read(n *node, v rawjson.Value, seen []string) {
	if ref := v.Get("$ref").Str(); ref != "" && c.open(ref, seen) {
		if target := c.resolve(ref); target != nil {
			c.budget -= len(target)
			c.read(n, target, append(slices.Clip(seen), ref))
		}
	}
	r := rawjson.NewReader(v)
	r.Object(func(k []byte) {
		key := string(k)
		switch {
		case key == "$ref":
			return
		case slices.Contains(droppedKeywords, key) || len(key) > 2 && key[:2] == "x-":
			return
		case slices.Contains(notedKeywords, key):
			n.notes = append(n.notes, key+": "+string(r.Value()))
			return
		case slices.Contains(notedSchemas, key):
			if v := r.Value(); v.Kind() == rawjson.Object && !v.Empty() {
				n.notes = append(n.notes, key+": "+string(v))
			}
			return
		}
		switch key {
		case "description":
			n.description = r.Value().Text()
		case "type":
			readTypes(n, r.Value())
		case "const":
			n.enum = append(n.enum, r.Value())
		case "enum":
			r.Array(func(int) {
				if v := r.Value(); v.Kind() == rawjson.Null {
					n.nullable = true
				} else {
					n.enum = append(n.enum, v)
				}
			})
		case "properties":
			r.Object(func(name []byte) {
				if p := r.Value(); string(p) != "false" {
					n.properties = append(n.properties, Field{string(name), p})
				}
			})
		case "required":
			r.Array(func(int) { n.required = append(n.required, r.Value()) })
		case "items":
			if r.Kind() == rawjson.Array {
				r.Array(func(int) { n.tuple = append(n.tuple, r.Value()) })
			} else {
				n.items = r.Value()
			}
		case "prefixItems":
			r.Array(func(int) { n.tuple = append(n.tuple, r.Value()) })
		case "anyOf", "oneOf":
			r.Array(func(int) { n.any = append(n.any, r.Value()) })
		case "allOf":
			r.Array(func(int) { c.read(n, r.Value(), seen) })
		case "format":
			if f := r.Value(); slices.Contains(keptFormats, f.Str()) {
				n.members = append(n.members, Field{key, f})
			}
		default:
			n.members = append(n.members, Field{key, r.Value()})
		}
	})
}

func readTypes(n *node, v rawjson.Value) {
	add := func(t string) {
		if t == "null" {
			n.nullable = true
		} else if t != "" {
			n.types = append(n.types, t)
		}
	}
	if v.Kind() == rawjson.Array {
		r := rawjson.NewReader(v)
		r.Array(func(int) { add(r.Value().Str()) })
		return
	}
	add(v.Str())
}

func (c *cleaner) write(w *rawjson.Writer, n *node, seen []string) {
	w.Open('{')
	c.writeType(w, n)
	if n.nullable {
		w.Bool("nullable", true)
	}
	c.writeDescription(w, n)
	for _, m := range n.members {
		w.KeyText(m.Name)
		w.Buf = append(w.Buf, m.Value...)
	}
	if n.properties != nil {
		w.OpenKey("properties", '{')
		for _, p := range n.properties {
			w.KeyText(p.Name)
			c.schema(w, p.Value, seen)
		}
		w.Close('}')
	}
	c.writeRequired(w, n)
	switch {
	case n.tuple != nil:
		w.OpenKey("items", '{')
		w.OpenKey("anyOf", '[')
		for _, t := range n.tuple {
			c.schema(w, t, seen)
		}
		w.Close(']')
		w.Close('}')
		w.Int("minItems", int64(len(n.tuple)))
		w.Int("maxItems", int64(len(n.tuple)))
	case n.items != nil:
		w.Key("items")
		c.schema(w, n.items, seen)
	case slices.Contains(n.types, "array"):
		c.guessed = true
		w.Raw("items", rawjson.Value(`{"type":"string"}`))
	}
	if n.any != nil {
		w.OpenKey("anyOf", '[')
		for _, a := range n.any {
			c.schema(w, a, seen)
		}
		w.Close(']')
	}
	w.Close('}')
}

// writeType writes the type and the values allowed. Google takes strings only in an enum.
func (c *cleaner) writeType(w *rawjson.Writer, n *node) {
	if len(n.enum) > 0 {
		asText := false
		for _, v := range n.enum {
			asText = asText || v.Kind() != rawjson.String
		}
		if asText && len(n.types) == 1 && n.types[0] != "string" {
			n.notes = append(n.notes, "of type "+n.types[0])
		}
		w.Str("type", "string")
		w.OpenKey("enum", '[')
		for _, v := range n.enum {
			if v.Kind() == rawjson.String {
				w.Element(v)
			} else {
				w.ElementText(rawjson.Escape(string(v)))
			}
		}
		w.Close(']')
		return
	}
	switch len(n.types) {
	case 0:
		if n.properties != nil {
			w.Str("type", "object")
		}
	case 1:
		w.Str("type", n.types[0])
	default:
		for _, t := range n.types {
			n.any = append(n.any, rawjson.Value(`{"type":`+strconv.Quote(t)+`}`))
		}
	}
}

func (c *cleaner) writeDescription(w *rawjson.Writer, n *node) {
	if n.description == nil && len(n.notes) == 0 {
		return
	}
	text := append(rawjson.Escaped{}, n.description...)
	for i, note := range n.notes {
		switch {
		case i > 0:
			text = append(text, ", "...)
		case len(text) > 0:
			text = append(text, " ("...)
		default:
			text = append(text, '(')
		}
		text = rawjson.AppendEscape(text, note)
	}
	if len(n.notes) > 0 {
		text = append(text, ')')
	}
	w.Text("description", text)
}

// writeRequired writes the required names that still have a property.
func (c *cleaner) writeRequired(w *rawjson.Writer, n *node) {
	kept := slices.DeleteFunc(slices.Clone(n.required), func(v rawjson.Value) bool {
		name := v.Str()
		return !slices.ContainsFunc(n.properties, func(f Field) bool { return f.Name == name })
	})
	if len(kept) == 0 {
		return
	}
	w.OpenKey("required", '[')
	for _, v := range kept {
		w.Element(v)
	}
	w.Close(']')
}
