package provider

import (
	"bytes"
	"slices"
	"sort"

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
// new name of "" removes the member.
func (e *edits) members(fields []field, inside rawjson.Span, drop []string, rename map[string]string) {
	end, kept := inside.Start, false
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

// message edits one message, which stands at byte at.
func (e *edits) message(at int, v rawjson.Value, quirks Quirks) {
	var local [16]field
	fields := local[:0]
	r := rawjson.NewReader(v)
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
		if quirks.SystemRole && f.name == "role" && value.Text().Is("developer") {
			e.replace(f.value, []byte(`"system"`))
		}
	})
	e.members(fields, rawjson.Span{Start: at + 1, End: at + len(v)}, quirks.InHistory, nil)
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
	if at < 0 {
		return doc
	}
	e := edits{body: doc}
	e.message(at, doc[at:], Quirks{InHistory: []string{name}})
	return e.apply()
}
