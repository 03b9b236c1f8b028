package anthropic

import (
	"errors"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
)

func (d *requestDecoder) message(i int) {
	var role string
	var wrong error // of the content, which may stand before the role
	t := ir.Turn{At: ir.At("messages", i)}
	d.Object(func(k []byte) {
		switch string(k) {
		case "role":
			role = word(d.Text())
		case "content":
			t.Parts, t.Plain, wrong = d.room.content(d.Reader, t.At)
		}
	})
	if d.Err() != nil {
		return
	}
	switch role {
	case "user":
	case "assistant":
		t.Role = ir.RoleAssistant
	case "system":
		t.Role = ir.RoleSystem
	default:
		d.Fail(ir.Invalid(t.At.String()+".role", "the role %q is not known: use user or assistant", role))
		return
	}
	if wrong != nil {
		d.Fail(wrong)
		return
	}
	d.addTurn(t)
}

// room is where the parts of many turns stand side by side: most turns have one or two, and
// parts are large. The zero room is ready for use.
type room struct {
	free []ir.Part // empty, with capacity
	size int       // of the last piece of memory, in parts
}

const mostRoom = 32 // parts

// content is decodeContent into the room.
func (m *room) content(r *rawjson.Reader, at ir.Pos) (parts []ir.Part, plain bool, err error) {
	if len(m.free) == cap(m.free) {
		m.size = min(max(2*m.size, 4), mostRoom)
		m.free = make([]ir.Part, 0, m.size)
	}
	had := cap(m.free)
	parts, plain, err = decodeContent(r, at, m.free)
	n := len(parts)
	if n == 0 {
		return nil, plain, err
	}
	if cap(parts) == had { // it was enough for them
		m.free = m.free[n:n]
	}
	return parts[:n:n], plain, err
}

// addTurn keeps turns that say something, and gives instructions inside a turn a turn of
// their own behind it.
func (d *requestDecoder) addTurn(t ir.Turn) {
	system := d.instructions(&t)
	if err := ir.CheckTurn(&t); err != nil {
		d.Fail(err)
	}
	if len(t.Parts) > 0 || t.Plain || t.Role == ir.RoleUser && len(system) == 0 {
		d.req.Turns = append(d.req.Turns, t)
	}
	if len(system) > 0 {
		d.req.Turns = append(d.req.Turns, ir.Turn{Role: ir.RoleSystem, Parts: system, At: t.At})
	}
}

// instructions takes those out of a turn that stand between its parts.
func (d *requestDecoder) instructions(t *ir.Turn) (system []ir.Part) {
	n := 0
	for i := range t.Parts {
		p := &t.Parts[i]
		if p.Kind != ir.Opaque || p.Type != "mid_conv_system" {
			if n < i { // most turns have none, and parts are large
				t.Parts[n] = *p
			}
			n++
			continue
		}
		parts, _, err := contentOf(p.Raw.Get("content"), t.At, "content")
		if err != nil {
			d.Fail(err)
		}
		if text := p.Raw.Get("text").Text(); text != nil {
			parts = append(parts, ir.Part{Kind: ir.Text, Text: text, At: p.At})
		}
		system = append(system, parts...)
	}
	t.Parts = t.Parts[:n]
	return system
}

// decodeContent reads content, a string or a list of blocks, and appends its parts to a list
// that is empty. What is wrong with it is returned, except for what the Reader finds.
func decodeContent(r *rawjson.Reader, at ir.Pos, to []ir.Part) (parts []ir.Part, plain bool, err error) {
	switch k := r.Kind(); k {
	case rawjson.String:
		if text := r.Text(); len(text) > 0 {
			to = ir.AddText(to, text, at)
		}
		return to, true, nil
	case rawjson.Array:
	case rawjson.Null, rawjson.Absent:
		r.Value()
		return nil, false, nil
	default:
		r.Value()
		return nil, false, ir.Invalid(at.String()+".content", "content must be a string or a list of blocks, not %s", k)
	}
	r.Array(func(i int) {
		where := at
		if !at.HasSub {
			where = at.In("content", i)
		}
		to = append(to, ir.Part{})
		p := &to[len(to)-1]
		if wrong := decodeBlock(r, where, p); err == nil {
			err = wrong
		}
		if p.Kind == ir.Text && len(p.Text) == 0 {
			to = to[:len(to)-1]
		}
	})
	if err != nil {
		return nil, false, err
	}
	return to, false, nil
}

// contentOf is decodeContent of content that a Reader has returned, a field of what stands at
// the given place.
func contentOf(content rawjson.Value, at ir.Pos, field string) (parts []ir.Part, plain bool, err error) {
	if content == nil {
		return nil, false, nil
	}
	r := rawjson.Within(content)
	parts, plain, err = decodeContent(r, at, nil)
	var wrong *rawjson.TypeError
	if errors.As(r.Err(), &wrong) {
		whole := *wrong
		whole.Path = at.String() + "." + field + wrong.Path
		return nil, false, ir.Unreadable(&whole)
	}
	return parts, plain, err
}

// wireBlock is a block with its fields spanned.
type wireBlock struct {
	kind                                  string
	text, thinking, signature, data       rawjson.Escaped
	id, name, toolUseID                   rawjson.Value
	source, input, content, isError       rawjson.Value
	cache, citations, title, documentNote rawjson.Value
}

// read spans the fields of a block that a Reader has returned.
func (b *wireBlock) read(v rawjson.Value) error {
	r := rawjson.Within(v)
	b.readFrom(r)
	return r.Err()
}

// readFrom spans the fields of the block that comes next, unless the Reader has failed.
func (b *wireBlock) readFrom(r *rawjson.Reader) (ok bool) {
	r.Object(func(k []byte) {
		switch string(k) {
		case "type":
			b.kind = word(r.Text())
		case "text":
			b.text = r.Text()
		case "thinking":
			b.thinking = r.Text()
		case "signature":
			b.signature = r.Text()
		case "data":
			b.data = r.Value().Text()
		case "id":
			b.id = r.Value()
		case "name":
			b.name = r.Value()
		case "tool_use_id":
			b.toolUseID = r.Value()
		case "source":
			b.source = r.Value()
		case "input":
			b.input = r.Value()
		case "content":
			b.content = r.Value()
		case "is_error":
			b.isError = r.Value()
		case "cache_control":
			b.cache = r.Value()
		case "citations":
			b.citations = r.Value()
		case "title":
			b.title = r.Value()
		case "context":
			b.documentNote = r.Value()
		}
	})
	return r.Err() == nil
}

// words are those that nearly every block or message has.
var words = [...]string{"text", "tool_use", "tool_result", "user", "assistant", "thinking", "image"}

// word is the text with its escapes resolved.
func word(e rawjson.Escaped) string {
	for _, w := range words {
		if string(e) == w {
			return w // instead of another copy
		}
	}
	return e.String()
}

// decodeBlock reads the next value, a block, into a part, which is empty.
func decodeBlock(r *rawjson.Reader, at ir.Pos, p *ir.Part) (err error) {
	var b wireBlock
	start := r.Offset()
	if !b.readFrom(r) {
		return nil
	}
	p.At, p.Cache = at, b.cache
	switch b.kind {
	case "text":
		p.Kind, p.Text, p.Citations = ir.Text, b.text, b.citations
	case "image":
		p.Kind = ir.Image
		err = decodeSource(b.source, at, &p.Media)
	case "document":
		p.Kind = ir.Document
		err = decodeSource(b.source, at, &p.Media)
		p.Media.Title, p.Media.Context = b.title.Text(), b.documentNote.Text()
		p.Citations = b.citations
	case "tool_use":
		p.Kind = ir.ToolCall
		args, bad := ir.ArgsOf(b.input)
		p.Call.ID, p.Call.Name, p.Call.Args, p.Call.BadArgs = b.id.Str(), b.name.Str(), args, bad
		if bad {
			err = ir.Invalid(at.String()+".input", "input must be an object")
		}
	case "tool_result":
		p.Kind = ir.ToolResult
		p.Reply.CallID, p.Reply.IsError = b.toolUseID.Str(), b.isError.True()
		p.Reply.Parts, p.Reply.Plain, err = contentOf(b.content, at, "content")
	case "thinking":
		p.Kind, p.Text, p.Signature = ir.Thinking, b.thinking, b.signature
	case "redacted_thinking":
		p.Kind, p.Signature = ir.RedactedThinking, b.data
	case "":
		err = ir.Invalid(at.String()+".type", "the block has no type")
	default:
		p.Kind, p.Type, p.Raw = ir.Opaque, b.kind, r.Since(start)
	}
	return err
}

// decodeSource reads where the bytes of an image or document are.
func decodeSource(v rawjson.Value, at ir.Pos, m *ir.Media) error {
	var kind string
	var data, link, file, content rawjson.Value
	v.Members(func(k []byte, value rawjson.Value) {
		switch string(k) {
		case "type":
			kind = value.Str()
		case "media_type":
			m.Type = value.Str()
		case "data":
			data = value
		case "url":
			link = value
		case "file_id":
			file = value
		case "content":
			content = value
		}
	})
	switch kind {
	case "base64":
		m.Data = data.Text()
		if media, inner, ok := ir.DataURL(m.Data); ok { // some clients send the whole data URL
			m.Type, m.Data = media, inner
		}
	case "url":
		m.URL = link.Text()
	case "file":
		m.FileID = file.Text()
	case "text":
		m.Body = data.Text()
	case "content":
		parts, _, err := contentOf(content, at, "source.content")
		if err != nil {
			return err
		}
		m.Parts = append([]ir.Part{}, parts...)
	default:
		return ir.Invalid(at.String()+".source.type", "the source type %q is not known: use base64, url, file, text or content", kind)
	}
	if m.Data == nil && m.URL == nil && m.FileID == nil && m.Body == nil && m.Parts == nil {
		return ir.Invalid(at.String()+".source", "the source is empty")
	}
	return nil
}
