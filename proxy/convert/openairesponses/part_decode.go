package openairesponses

import (
	"encoding/base64"
	"strings"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
)

// content reads a text or a list of parts.
func content(v rawjson.Value, at ir.Pos) (parts []ir.Part, plain bool, err error) {
	switch v.Kind() {
	case rawjson.String:
		if text := v.Text(); len(text) > 0 {
			parts = []ir.Part{{Kind: ir.Text, Text: text, At: at}}
		}
		return parts, true, nil
	case rawjson.Array:
	case rawjson.Object: // the output of a shell, or another object: its text counts
		return []ir.Part{{Kind: ir.Text, Text: rawjson.AppendEscape(nil, []byte(v)), At: at}}, true, nil
	default:
		return nil, false, nil
	}
	r := rawjson.Within(v)
	r.Array(func(i int) {
		p, perr := part(r.Value(), at.In("content", i))
		if perr != nil {
			r.Fail(perr)
			return
		}
		if p.Kind != ir.Text || len(p.Text) > 0 {
			parts = append(parts, p)
		}
	})
	if r.Err() != nil {
		return nil, false, ir.Unreadable(r.Err())
	}
	return parts, false, nil
}

// part reads one part of a message. The role decides what it is, not the direction that
// its type names.
func part(v rawjson.Value, at ir.Pos) (ir.Part, error) {
	p := ir.Part{At: at}
	var kind, detail string
	var text, refusal, url, fileData, fileURL, fileID, filename rawjson.Escaped
	v.Each(func(k []byte, value rawjson.Value) {
		switch string(k) {
		case "type":
			kind = value.Str()
		case "text":
			text = value.Text()
		case "refusal":
			refusal = value.Text()
		case "image_url":
			url = value.Text()
		case "detail":
			detail = value.Str()
		case "file_data":
			fileData = value.Text()
		case "file_url":
			fileURL = value.Text()
		case "file_id":
			fileID = value.Text()
		case "filename":
			filename = value.Text()
		}
	})
	switch kind {
	case "input_text", "output_text", "text", "summary_text":
		p.Kind, p.Text = ir.Text, text
	case "refusal":
		p.Kind, p.Text = ir.Refusal, refusal
	case "input_image":
		p.Kind = ir.Image
		p.Media.Detail = detail
		return p, image(&p, url, fileID)
	case "input_file":
		return p, file(&p, fileData, fileURL, fileID, filename)
	default:
		return p, ir.Refused(at.String()+".type", "parts of type %q cannot be sent to this model's provider", kind)
	}
	return p, nil
}

func image(p *ir.Part, url, fileID rawjson.Escaped) error {
	if len(url) == 0 {
		if fileID != nil {
			p.Media.FileID = fileID
			return nil
		}
		return ir.Invalid(p.At.String()+".image_url", "the image has no image_url")
	}
	media, data, ok := ir.DataURL(url)
	if ok {
		p.Media.Type, p.Media.Data = media, data
	} else {
		p.Media.URL = url
	}
	return nil
}

func file(p *ir.Part, data, url, id, name rawjson.Escaped) error {
	p.Kind, p.Media.Filename = ir.Document, name
	switch {
	case data != nil:
	case url != nil:
		p.Media.URL = url
		return nil
	case id != nil:
		p.Media.FileID = id
		return nil
	default:
		return ir.Invalid(p.At.String()+".file_data", "the file has no file_data")
	}
	media, body, ok := ir.DataURL(data)
	if !ok {
		body = data
		if ir.IsPDF(data) {
			media = "application/pdf"
		}
	}
	p.Media.Type = media
	switch {
	case media == "application/pdf":
		p.Media.Data = body
	case strings.HasPrefix(media, "image/"):
		p.Kind, p.Media.Data = ir.Image, body
	case strings.HasPrefix(media, "text/"):
		text, err := base64.StdEncoding.DecodeString(body.String())
		if err != nil {
			return ir.Invalid(p.At.String()+".file_data", "the file is not valid base64: %v", err)
		}
		p.Media.Body = rawjson.AppendEscape(nil, text)
	default:
		return ir.Refused(p.At.String()+".file_data", "files of type %q cannot be sent to this model's provider: use a PDF, an image or text", media)
	}
	return nil
}
