package openaichat

import (
	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
)

// wirePart is a part of content with its fields spanned.
type wirePart struct {
	kind                        string
	text, refusal               rawjson.Escaped
	imageURL, inputAudio, file  rawjson.Value
	source, id, name, input     rawjson.Value
	toolUseID, content, isError rawjson.Value
	cache                       rawjson.Value
}

func readPart(v rawjson.Value) (wirePart, error) {
	var p wirePart
	r := rawjson.Within(v)
	r.Object(func(k []byte) {
		switch string(k) {
		case "type":
			p.kind = r.Str()
		case "text":
			p.text = r.Text()
		case "refusal":
			p.refusal = r.Text()
		case "image_url":
			p.imageURL = r.Value()
		case "input_audio":
			p.inputAudio = r.Value()
		case "file":
			p.file = r.Value()
		case "source":
			p.source = r.Value()
		case "id":
			p.id = r.Value()
		case "name":
			p.name = r.Value()
		case "input":
			p.input = r.Value()
		case "tool_use_id":
			p.toolUseID = r.Value()
		case "content":
			p.content = r.Value()
		case "is_error":
			p.isError = r.Value()
		case "cache_control":
			p.cache = r.Value()
		}
	})
	return p, r.Err()
}

// decodePart reads one part of a message.
func decodePart(v rawjson.Value, at ir.Pos) (ir.Part, error) {
	if v.Kind() == rawjson.String {
		return ir.Part{Kind: ir.Text, Text: v.Text(), At: at}, nil
	}
	w, err := readPart(v)
	if err != nil {
		return ir.Part{}, ir.Invalid(at.String(), "%v", err)
	}
	p := ir.Part{At: at, Cache: w.cache}
	switch w.kind {
	case "text", "input_text", "output_text":
		p.Kind, p.Text = ir.Text, w.text
	case "refusal":
		p.Kind, p.Text = ir.Refusal, w.refusal
	case "image_url", "input_image":
		p.Kind = ir.Image
		return p, imageURL(&p, w.imageURL)
	case "input_audio":
		p.Kind = ir.Audio
		p.Media = ir.Media{Data: w.inputAudio.Get("data").Text(), Type: w.inputAudio.Get("format").Str()}
	case "file":
		return p, filePart(&p, w.file)
	case "image":
		p.Kind = ir.Image
		p.Media = anthropicSource(w.source)
	case "tool_use":
		p.Kind = ir.ToolCall
		args, bad := ir.ArgsOf(w.input)
		p.Call = ir.Call{ID: w.id.Str(), Name: w.name.Str(), Args: args, BadArgs: bad}
	case "tool_result":
		return toolResultPart(p, w, at)
	case "":
		return p, ir.Invalid(at.String()+".type", "the part has no type")
	default:
		return p, ir.Refused(at.String()+".type", "parts of type %q cannot be sent to this model's provider: use text, image_url or file", w.kind)
	}
	return p, nil
}

// imageURL reads {"url", "detail"}, or the bare URL some clients send.
func imageURL(p *ir.Part, v rawjson.Value) error {
	u := v.Text()
	v.Each(func(k []byte, value rawjson.Value) {
		switch string(k) {
		case "url":
			u = value.Text()
		case "detail":
			p.Media.Detail = value.Str()
		}
	})
	if len(u) == 0 {
		return ir.Invalid(p.At.String()+".image_url.url", "the image has no url")
	}
	media, data, ok := ir.DataURL(u)
	if !ok {
		if len(u) >= 5 && string(u[:5]) == "data:" {
			return ir.Invalid(p.At.String()+".image_url.url", "the data URL of the image cannot be read")
		}
		p.Media.URL = u
		return nil
	}
	p.Media.Type, p.Media.Data = media, data
	return nil
}

// filePart reads a file by what it holds: a PDF, an image or plain text.
func filePart(p *ir.Part, v rawjson.Value) error {
	p.Media.Filename = v.Get("filename").Text()
	raw := v.Get("file_data").Text()
	if raw == nil {
		if id := v.Get("file_id").Text(); id != nil {
			p.Kind, p.Media.FileID = ir.Document, id
			return nil
		}
		return ir.Invalid(p.At.String()+".file.file_data", "the file has no file_data")
	}
	media, data, ok := ir.DataURL(raw)
	if !ok {
		data = raw
		if ir.IsPDF(raw) {
			media = "application/pdf"
		}
	}
	p.Media.Type = media
	switch {
	case media == "application/pdf":
		p.Kind, p.Media.Data = ir.Document, data
	case len(media) > 6 && media[:6] == "image/":
		p.Kind, p.Media.Data = ir.Image, data
	case len(media) > 5 && media[:5] == "text/":
		text, err := decodeBase64(data)
		if err != nil {
			return ir.Invalid(p.At.String()+".file.file_data", "the file is not valid base64: %v", err)
		}
		p.Kind, p.Media.Body = ir.Document, rawjson.AppendEscape(nil, text)
	default:
		return ir.Refused(p.At.String()+".file.file_data", "files of type %q cannot be sent to this model's provider: use a PDF, an image or text", media)
	}
	return nil
}

// anthropicSource reads the source of an image in Anthropic's shape.
func anthropicSource(v rawjson.Value) ir.Media {
	m := ir.Media{Type: v.Get("media_type").Str()}
	switch v.Get("type").Str() {
	case "url":
		m.URL = v.Get("url").Text()
	case "file":
		m.FileID = v.Get("file_id").Text()
	default:
		m.Data = v.Get("data").Text()
	}
	return m
}

// toolResultPart reads a result in Anthropic's shape, as Cursor sends it.
func toolResultPart(p ir.Part, w wirePart, at ir.Pos) (ir.Part, error) {
	p.Kind = ir.ToolResult
	p.Reply = ir.Result{CallID: w.toolUseID.Str(), IsError: w.isError.True()}
	parts, plain, err := resultParts(w.content, at)
	p.Reply.Parts, p.Reply.Plain = parts, plain
	return p, err
}

func resultParts(content rawjson.Value, at ir.Pos) (parts []ir.Part, plain bool, err error) {
	if content.Kind() == rawjson.String {
		return []ir.Part{{Kind: ir.Text, Text: content.Text(), At: at}}, true, nil
	}
	r := rawjson.Within(content)
	if content.Kind() == rawjson.Array {
		r.Array(func(i int) {
			var p ir.Part
			if p, err = decodePart(r.Value(), at); err != nil {
				r.Fail(err)
				return
			}
			parts = append(parts, p)
		})
	}
	return parts, false, err
}
