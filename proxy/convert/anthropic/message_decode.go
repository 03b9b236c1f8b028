package anthropic

import (
	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
)

func (d *requestDecoder) message(i int) {
	var role string
	var content rawjson.Value
	d.Object(func(k []byte) {
		switch string(k) {
		case "role":
			role = d.Str()
		case "content":
			content = d.Value()
		}
	})
	if d.Err() != nil {
		return
	}
	t := ir.Turn{At: ir.At("messages", i)}
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
	var err error
	if t.Parts, t.Plain, err = decodeContent(content, t.At); err != nil {
		d.Fail(err)
		return
	}
	d.addTurn(t)
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
		parts, _, err := decodeContent(p.Raw.Get("content"), t.At)
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

// decodeContent reads content, a string or a list of blocks.
func decodeContent(content rawjson.Value, at ir.Pos) (parts []ir.Part, plain bool, err error) {
	switch content.Kind() {
	case rawjson.String:
		if text := content.Text(); len(text) > 0 {
			parts = []ir.Part{{Kind: ir.Text, Text: text, At: at}}
		}
		return parts, true, nil
	case rawjson.Array:
	case rawjson.Null, rawjson.Absent:
		return nil, false, nil
	default:
		return nil, false, ir.Invalid(at.String()+".content", "content must be a string or a list of blocks, not %s", content.Kind())
	}
	r := rawjson.Within(content)
	r.Array(func(i int) {
		where := at
		if !at.HasSub {
			where = at.In("content", i)
		}
		parts = append(parts, ir.Part{})
		p := &parts[len(parts)-1]
		if perr := decodeBlock(r.Value(), where, p); perr != nil {
			r.Fail(perr)
			return
		}
		if p.Kind == ir.Text && len(p.Text) == 0 {
			parts = parts[:len(parts)-1]
		}
	})
	if r.Err() != nil {
		return nil, false, ir.Unreadable(r.Err())
	}
	return parts, false, nil
}

// wireBlock is a block with its fields spanned.
type wireBlock struct {
	kind                                  string
	text, thinking, signature, data       rawjson.Escaped
	id, name, toolUseID                   rawjson.Value
	source, input, content, isError       rawjson.Value
	cache, citations, title, documentNote rawjson.Value
}

// read spans the fields of a block.
func (b *wireBlock) read(v rawjson.Value) error {
	r := rawjson.Within(v)
	r.Object(func(k []byte) {
		switch string(k) {
		case "type":
			b.kind = r.Str()
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
	return r.Err()
}

// decodeBlock reads a block into a part, which is empty.
func decodeBlock(v rawjson.Value, at ir.Pos, p *ir.Part) error {
	var b wireBlock
	err := b.read(v)
	if err != nil {
		return ir.Invalid(at.String(), "%v", err)
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
		p.Reply.Parts, p.Reply.Plain, err = decodeContent(b.content, at)
	case "thinking":
		p.Kind, p.Text, p.Signature = ir.Thinking, b.thinking, b.signature
	case "redacted_thinking":
		p.Kind, p.Signature = ir.RedactedThinking, b.data
	case "":
		err = ir.Invalid(at.String()+".type", "the block has no type")
	default:
		p.Kind, p.Type, p.Raw = ir.Opaque, b.kind, v
	}
	return err
}

// decodeSource reads where the bytes of an image or document are.
func decodeSource(v rawjson.Value, at ir.Pos, m *ir.Media) error {
	var kind string
	var data, link, file, content rawjson.Value
	v.Each(func(k []byte, value rawjson.Value) {
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
		parts, _, err := decodeContent(content, at)
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
