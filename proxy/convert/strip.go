package convert

import (
	"bytes"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
)

// StripForeign removes from a request that passes through what only this proxy can read:
// thinking that another vendor's model had before the user switched models. The vendor
// would refuse the whole conversation for it. A body without any is returned as it is;
// otherwise all other bytes stay.
func StripForeign(p ir.Protocol, body []byte) []byte {
	if !bytes.Contains(body, []byte(`"apx1.`)) {
		return body
	}
	var s stripper
	switch p {
	case ir.AnthropicMessages:
		s.list(body, "messages", s.message)
	case ir.OpenAIResponses:
		s.list(body, "input", func(item rawjson.Value) rawjson.Value {
			if item.Get("type").Str() == "reasoning" && ir.Foreign(item.Get("encrypted_content").Text()) {
				return nil
			}
			return item
		})
	default:
		return body
	}
	if s.out == nil {
		return body
	}
	return s.out
}

type stripper struct{ out []byte }

// list rewrites the array under a top-level key: keep returns what stays of an element,
// nil when nothing does.
func (s *stripper) list(body []byte, key string, keep func(rawjson.Value) rawjson.Value) {
	r := rawjson.NewReader(body)
	var at rawjson.Span
	r.Object(func(k []byte) {
		if string(k) == key && r.Kind() == rawjson.Array {
			at.Start = r.Offset()
			at.End = at.Start + len(r.Value())
		}
	})
	if r.Err() != nil || at.End == 0 {
		return
	}
	if list, changed := filter(body[at.Start:at.End], keep); changed {
		s.out = rawjson.Splice(body, at, list)
	}
}

// filter keeps what keep returns of the elements of an array.
func filter(list rawjson.Value, keep func(rawjson.Value) rawjson.Value) (out rawjson.Value, changed bool) {
	w := rawjson.Writer{Buf: []byte{'['}}
	r := rawjson.NewReader(list)
	r.Array(func(int) {
		v := r.Value()
		kept := keep(v)
		changed = changed || len(kept) != len(v)
		if kept != nil {
			w.Element(kept)
		}
	})
	w.Close(']')
	return w.Buf, changed && r.Err() == nil
}

// message removes foreign thinking from a message, and the message with it when nothing
// else is left.
func (s *stripper) message(m rawjson.Value) rawjson.Value {
	r := rawjson.NewReader(m)
	var at rawjson.Span
	r.Object(func(k []byte) {
		if string(k) == "content" && r.Kind() == rawjson.Array {
			at.Start = r.Offset()
			at.End = at.Start + len(r.Value())
		}
	})
	if r.Err() != nil || at.End == 0 {
		return m
	}
	content, changed := filter(m[at.Start:at.End], func(b rawjson.Value) rawjson.Value {
		switch b.Get("type").Str() {
		case "thinking":
			if ir.Foreign(b.Get("signature").Text()) {
				return nil
			}
		case "redacted_thinking":
			if ir.Foreign(b.Get("data").Text()) {
				return nil
			}
		}
		return b
	})
	switch {
	case !changed:
		return m
	case content.Empty():
		return nil
	default:
		return rawjson.Splice(m, at, content)
	}
}
