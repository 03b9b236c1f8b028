package provider

import (
	"errors"
	"slices"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
)

// Request is the body of a request, read as far as routing needs: the model, whether a
// stream is wanted, and where each top-level field stands, so that fields can be edited
// in the bytes without touching anything else.
type Request struct {
	Body   []byte
	Model  string
	Stream bool

	// Tagged: a string begins as what this program put into the history of a conversation.
	Tagged bool
	// AnthropicParts: a string is the name of a part for tools in Anthropic's API.
	AnthropicParts bool

	fields []field
	named  string // the model that the body names
	models int    // how often it names one
}

// field is a member of the top-level object. key is the span of its name with quotes.
type field struct {
	name       string
	key, value rawjson.Span
}

// Peek reads the body. It checks that the body is one JSON object, whatever the strings hold
// that are not looked at here: a wrong escape in them changes nothing, and it is for the
// upstream, or for the codec that reads it all, to refuse it. Of duplicate fields the last
// one counts, as in every common parser.
func Peek(body []byte) (*Request, error) { return PeekOver(body, nil) }

// PeekOver is Peek for a body of which gaps are known; see [rawjson.Gaps].
func PeekOver(body []byte, gaps []rawjson.Span) (*Request, error) {
	q := &Request{Body: body, fields: make([]field, 0, 12)}
	r := rawjson.NewReader(body)
	r.PassOver(gaps)
	r.WatchStrings(q.mark)
	r.Outline()
	if k := r.Kind(); k != rawjson.Object {
		r.Mismatch(rawjson.Object, k)
	}
	end := r.Offset() + 1
	r.Object(func(key []byte) {
		start := r.Offset()
		v := r.Value()
		if v == nil {
			return
		}
		f := field{name: string(key), value: rawjson.Span{Start: start, End: start + len(v)}}
		f.key = keySpan(body, end, start)
		end = f.value.End
		q.fields = append(q.fields, f)
		switch f.name {
		case "model":
			q.Model = v.Str()
			q.named = q.Model
			q.models++
			if v.Present() && v.Kind() != rawjson.String {
				r.Fail(ir.Invalid("model", "model must be a string"))
			}
			var wrong *rawjson.SyntaxError
			if errors.As(rawjson.Valid(v), &wrong) {
				wrong.Offset += start
				r.Fail(wrong)
			}
		case "stream":
			q.Stream = v.True()
		}
	})
	if err := r.Close(); err != nil {
		var known *ir.Error
		if errors.As(err, &known) {
			return nil, known
		}
		return nil, ir.Invalid("", "the request body cannot be read: %v", err)
	}
	return q, nil
}

// mark notes what the content of a string tells, which costs less than looking for it in
// the whole body.
func (q *Request) mark(content []byte) {
	switch {
	case len(content) < len(tag):
	case string(content[:len(tag)]) == tag:
		q.Tagged = true
	case string(content) == "tool_use", string(content) == "tool_result":
		q.AnthropicParts = true
	}
}

// tag begins what this program puts into the history of a conversation; see convert.StripForeign.
const tag = "apx1."

// Has tells whether the body has a top-level field of the name.
func (q *Request) Has(name string) bool {
	return slices.ContainsFunc(q.fields, func(f field) bool { return f.name == name })
}

// Field is the value of a top-level field, absent when there is none.
func (q *Request) Field(name string) rawjson.Value {
	for _, f := range slices.Backward(q.fields) {
		if f.name == name {
			return rawjson.Value(q.Body[f.value.Start:f.value.End])
		}
	}
	return nil
}

// keySpan finds the name of a member between the end of what came before it and its value.
func keySpan(body []byte, from, value int) rawjson.Span {
	i := from
	for i < value && body[i] != '"' {
		i++
	}
	end := value
	for end > i && body[end-1] != '"' {
		end--
	}
	return rawjson.Span{Start: i, End: end}
}

// Rewrite is the body with the model replaced and the quirks applied. All other bytes
// stay as they are; a body that needs no edit is returned itself.
func (q *Request) Rewrite(model string, quirks Quirks) []byte {
	e := q.edits(model, quirks)
	return e.apply()
}

// Pieces is what Rewrite returns, in pieces that follow each other: a large body is not
// copied for a small edit.
func (q *Request) Pieces(model string, quirks Quirks) [][]byte {
	e := q.edits(model, quirks)
	if len(q.Body) < copied {
		return [][]byte{e.apply()}
	}
	return e.pieces()
}

// copied is the size, in bytes, below which a copy costs less than several pieces.
const copied = 64 << 10

func (q *Request) edits(model string, quirks Quirks) *edits {
	e := &edits{body: q.Body}
	if q.named != model || q.models > 1 { // not every parser takes the last one
		literal := rawjson.AppendQuote(nil, model)
		for i := range q.fields {
			if q.fields[i].name == "model" {
				e.replace(q.fields[i].value, literal)
			}
		}
	}
	kept := len(q.fields) > 0
	if !quirks.None() {
		kept = e.members(q.fields, rawjson.Span{Start: q.open(), End: len(q.Body)}, quirks.Drop, q.renames(quirks.Rename))
		if len(quirks.InHistory) > 0 || quirks.SystemRole || quirks.NineCharIDs {
			q.editMessages(e, quirks)
		}
		if quirks.GoogleSchemas {
			q.editSchemas(e)
		}
	}
	if model != "" && !q.Has("model") { // the path named it
		member := append([]byte(`"model":`), rawjson.AppendQuote(nil, model)...)
		if kept {
			member = append(member, ',')
		}
		// First, for what is removed may start at the same place.
		e.list = slices.Insert(e.list, 0, edit{rawjson.Span{Start: q.open(), End: q.open()}, member})
	}
	return e
}

// open is the index behind the brace that opens the body.
func (q *Request) open() int {
	for i, c := range q.Body {
		if c == '{' {
			return i + 1
		}
	}
	return 0
}

// renames leaves out what the body holds under its new name already.
func (q *Request) renames(all map[string]string) map[string]string {
	for _, f := range q.fields {
		for from, to := range all {
			if f.name != to {
				continue
			}
			left := make(map[string]string, len(all))
			for k, v := range all {
				if k != from {
					left[k] = v
				}
			}
			left[from] = ""
			all = left
		}
	}
	return all
}

// editMessages applies the quirks to each message.
func (q *Request) editMessages(e *edits, quirks Quirks) {
	for i := range q.fields {
		f := &q.fields[i]
		if f.name == "messages" {
			e.each(f.value, func(message rawjson.Span) { e.message(message.Start, e.at(message), quirks) })
		}
	}
}

// editSchemas cleans the schemas of tools and of the answer.
func (q *Request) editSchemas(e *edits) {
	for i := range q.fields {
		switch f := &q.fields[i]; f.name {
		case "tools":
			e.each(f.value, func(tool rawjson.Span) { e.schema(tool, "function", "parameters") })
		case "response_format":
			e.schema(f.value, "json_schema", "schema")
		}
	}
}
