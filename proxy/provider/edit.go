package provider

import (
	"bytes"
	"slices"
	"sort"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
)

// edits collects changes to a document and applies them at once.
type edits struct {
	body []byte
	list []edit
}

type edit struct {
	at   rawjson.Span
	with []byte
}

func (e *edits) replace(at rawjson.Span, with []byte) {
	e.list = append(e.list, edit{at, with})
}

// members removes and renames members of the object that opens before inside.Start. A
// new name of "" removes the member. It tells whether any member is left.
func (e *edits) members(fields []field, inside rawjson.Span, drop []string, rename map[string]string) (kept bool) {
	end := inside.Start
	for i := range fields {
		f := &fields[i]
		to, renamed := rename[f.name]
		switch {
		case slices.Contains(drop, f.name) || renamed && to == "":
			e.remove(f, end, kept)
		case renamed:
			e.replace(f.key, rawjson.AppendQuote(nil, to))
			kept = true
		default:
			kept = true
		}
		end = f.value.End
	}
	return kept
}

// remove cuts a member out, with the comma before it, or behind it when no member
// before it is left.
func (e *edits) remove(f *field, prevEnd int, kept bool) {
	if kept {
		e.replace(rawjson.Span{Start: prevEnd, End: f.value.End}, nil)
		return
	}
	end := f.value.End
	for i := end; i < len(e.body); i++ {
		switch e.body[i] {
		case ' ', '\t', '\n', '\r':
			continue
		case ',':
			end = i + 1
		}
		break
	}
	e.replace(rawjson.Span{Start: f.key.Start, End: end}, nil)
}

// message edits one message, which stands at byte at. Peek has read over it, as over all that
// is edited here.
func (e *edits) message(at int, v rawjson.Value, quirks Quirks) {
	var local [16]field
	fields := local[:0]
	r := rawjson.Within(v)
	end := r.Offset() + 1
	r.Object(func(key []byte) {
		start := r.Offset()
		value := r.Value()
		span := keySpan(v, end, start)
		end = start + len(value)
		f := field{
			name:  string(key),
			key:   rawjson.Span{Start: at + span.Start, End: at + span.End},
			value: rawjson.Span{Start: at + start, End: at + end},
		}
		fields = append(fields, f)
		switch {
		case quirks.SystemRole && f.name == "role" && value.Text().Is("developer"):
			e.replace(f.value, []byte(`"system"`))
		case quirks.NineCharIDs && f.name == "tool_call_id":
			e.nineChars(f.value)
		case quirks.NineCharIDs && f.name == "tool_calls":
			e.each(f.value, func(call rawjson.Span) { e.nineChars(e.member(call, "id")) })
		}
	})
	e.members(fields, rawjson.Span{Start: at + 1, End: at + len(v)}, quirks.InHistory, nil)
}

// at is the value that stands there, absent for none.
func (e *edits) at(s rawjson.Span) rawjson.Value { return rawjson.Value(e.body[s.Start:s.End]) }

// member is where the last member of a name stands in the object at outer; an empty span
// when there is none.
func (e *edits) member(outer rawjson.Span, name string) (at rawjson.Span) {
	if e.at(outer).Kind() != rawjson.Object {
		return at
	}
	r := rawjson.Within(e.at(outer))
	r.Object(func(key []byte) {
		start := outer.Start + r.Offset()
		if v := r.Value(); string(key) == name {
			at = rawjson.Span{Start: start, End: start + len(v)}
		}
	})
	return at
}

// each calls f with every element of the array at list that is an object.
func (e *edits) each(list rawjson.Span, f func(element rawjson.Span)) {
	if e.at(list).Kind() != rawjson.Array {
		return
	}
	r := rawjson.Within(e.at(list))
	r.Array(func(int) {
		start := list.Start + r.Offset()
		if v := r.Value(); v.Kind() == rawjson.Object {
			f(rawjson.Span{Start: start, End: start + len(v)})
		}
	})
}

// nineChars makes the id of a tool call one that Mistral takes: the same for the call and
// for its result.
func (e *edits) nineChars(at rawjson.Span) {
	if e.at(at).Kind() != rawjson.String {
		return
	}
	if id := e.at(at).Str(); ir.NineCharID(id) != id {
		e.replace(at, rawjson.AppendQuote(nil, ir.NineCharID(id)))
	}
}

// schema cleans the schema that is reached from outer by a path of names. What is wrong inside
// of its strings would be lost, with all behind it: such a schema is the upstream's to refuse.
func (e *edits) schema(outer rawjson.Span, path ...string) {
	for _, name := range path {
		outer = e.member(outer, name)
	}
	if old := e.at(outer); old.Kind() == rawjson.Object && rawjson.Valid(old) == nil {
		if cleaned, _ := ir.CleanSchema(old); !bytes.Equal(cleaned, old) {
			e.replace(outer, cleaned)
		}
	}
}

// apply is the document with every change made.
func (e *edits) apply() []byte {
	if len(e.list) == 0 {
		return e.body
	}
	if len(e.list) == 1 {
		return rawjson.Splice(e.body, e.list[0].at, e.list[0].with)
	}
	return bytes.Join(e.pieces(), nil)
}

// pieces is the document with every change made, without a copy of what stays.
func (e *edits) pieces() [][]byte {
	sort.SliceStable(e.list, func(i, j int) bool { return e.list[i].at.Start < e.list[j].at.Start })
	out := make([][]byte, 0, 2*len(e.list)+1)
	pos := 0
	for _, c := range e.list {
		if c.at.Start < pos {
			continue // inside something that was removed
		}
		out = append(out, e.body[pos:c.at.Start], c.with)
		pos = c.at.End
	}
	return append(out, e.body[pos:])
}

// Without is a JSON object without its members of a name. All other bytes stay.
func Without(doc []byte, name string) []byte {
	at := bytes.IndexByte(doc, '{')
	if at < 0 || rawjson.Valid(doc) != nil {
		return doc
	}
	e := edits{body: doc}
	e.message(at, doc[at:], Quirks{InHistory: []string{name}})
	return e.apply()
}
