package openaichat

import (
	"slices"
	"strconv"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
)

func (e *requestEncoder) turn(t *ir.Turn, _ int) {
	switch t.Role {
	case ir.RoleSystem:
		if !e.to.Dialect.OneSystem {
			e.message("system", t)
		}
	case ir.RoleAssistant:
		e.assistant(t)
	default:
		e.user(t)
	}
}

// message writes a turn that holds text and media only.
func (e *requestEncoder) message(role string, t *ir.Turn) {
	if len(t.Parts) == 0 && !t.Plain {
		return
	}
	e.Open('{')
	e.Str("role", role)
	e.speaker(t)
	if t.Plain && len(t.Parts) <= 1 {
		var text rawjson.Escaped
		if len(t.Parts) == 1 {
			text = t.Parts[0].Text
		}
		e.Text("content", text)
	} else {
		e.list = refer(e.list[:0], t.Parts)
		e.content(e.list)
	}
	e.Close('}')
}

// refer appends where parts are: they are large, and none is copied to be put into another
// order.
func refer(to []*ir.Part, parts []ir.Part) []*ir.Part {
	for i := range parts {
		to = append(to, &parts[i])
	}
	return to
}

// textOf is a part that says something.
func textOf(text rawjson.Escaped, at ir.Pos) *ir.Part { return &ir.Part{Text: text, At: at} }

// speaker writes who speaks, where several users or models do.
func (e *requestEncoder) speaker(t *ir.Turn) {
	if t.Name != "" {
		e.Str("name", t.Name)
	}
}

// content writes parts as an array, or as one string for upstreams that take no arrays
// and where nothing but text is to be said.
func (e *requestEncoder) content(parts []*ir.Part) {
	if e.to.Dialect.TextOnlySystem && allText(parts) {
		e.joined("content", parts, `\n`)
		return
	}
	e.OpenKey("content", '[')
	for _, p := range parts {
		e.part(p)
	}
	e.Close(']')
}

func allText(parts []*ir.Part) bool {
	for _, p := range parts {
		if p.Kind != ir.Text {
			return false
		}
	}
	return true
}

func anyCache(parts []*ir.Part) bool {
	return slices.ContainsFunc(parts, func(p *ir.Part) bool { return p.Cache.Present() })
}

// joined writes a member with the texts of parts as one string.
func (e *requestEncoder) joined(key string, parts []*ir.Part, sep string) {
	e.Key(key)
	e.Buf = append(e.Buf, '"')
	for i, p := range parts {
		if i > 0 {
			e.Buf = append(e.Buf, sep...)
		}
		e.Buf = append(e.Buf, p.Text...)
	}
	e.Buf = append(e.Buf, '"')
}

// user writes a user turn: first a tool message per result, then one user message with
// the media of those results and everything else, because nothing may stand between
// tool messages.
func (e *requestEncoder) user(t *ir.Turn) {
	e.sawUser = true
	if !answers(t.Parts) {
		e.message("user", t)
		return
	}
	var rest, held []*ir.Part
	for i := range t.Parts {
		p := &t.Parts[i]
		if p.Kind != ir.ToolResult {
			rest = append(rest, p)
			continue
		}
		held = append(held, e.toolMessage(p)...)
	}
	if all := append(held, rest...); len(all) > 0 {
		e.Open('{')
		e.Str("role", "user")
		e.content(all)
		e.Close('}')
	}
}

// answers tells whether parts hold the result of a call.
func answers(parts []ir.Part) bool {
	for i := range parts {
		if parts[i].Kind == ir.ToolResult {
			return true
		}
	}
	return false
}

// toolMessage writes one result and returns what a tool message cannot hold.
func (e *requestEncoder) toolMessage(p *ir.Part) (held []*ir.Part) {
	id := e.callID(p.Reply.CallID)
	texts := e.list[:0]
	media := 0
	for i := range p.Reply.Parts {
		part := &p.Reply.Parts[i]
		switch part.Kind {
		case ir.Text:
			texts = append(texts, part)
		case ir.Image, ir.Document:
			media++
			word := "image"
			if part.Kind == ir.Document {
				word = "document"
			}
			label := word + " " + strconv.Itoa(media) + " of tool result " + id
			texts = append(texts, textOf(rawjson.Escape("["+label+" follows]"), part.At))
			held = append(held, textOf(rawjson.Escape("["+label+"]"), part.At), part)
		default:
			if text := e.asText(part); text != nil {
				texts = append(texts, textOf(text, part.At))
			}
		}
	}
	e.list = texts
	if p.Reply.IsError {
		if len(texts) == 0 {
			texts = append(texts, textOf(nil, p.At))
		}
		first := *texts[0]
		first.Text = ir.MarkError(first.Text)
		texts[0] = &first
	}
	if n := len(texts); n > 0 && p.Cache.Present() && !texts[n-1].Cache.Present() {
		last := *texts[n-1]
		last.Cache = p.Cache
		texts[n-1] = &last
	}
	marked := e.to.Dialect.KeepCache && anyCache(texts)
	e.Open('{')
	e.Str("role", "tool")
	e.Str("tool_call_id", id)
	if marked || len(texts) > 1 && !e.to.Dialect.TextOnlySystem && media == 0 {
		e.OpenKey("content", '[')
		for _, text := range texts {
			e.textPart(text)
		}
		e.Close(']')
	} else {
		e.joined("content", texts, `\n`)
	}
	e.Close('}')
	return held
}

func (e *requestEncoder) callID(id string) string {
	id = ir.UnwrapID(id)
	if e.to.Dialect.NineCharIDs {
		return ir.NineCharID(id)
	}
	return id
}

// assistant writes what the model said before. Thinking is only sent to upstreams that
// ask for it: the others refuse it or read it as an answer.
func (e *requestEncoder) assistant(t *ir.Turn) {
	texts, calls := e.list[:0], e.calls[:0]
	var thoughts []*ir.Part
	for i := range t.Parts {
		p := &t.Parts[i]
		switch p.Kind {
		case ir.Text, ir.Refusal:
			texts = append(texts, p)
		case ir.ToolCall:
			calls = append(calls, p)
		case ir.Thinking:
			thoughts = append(thoughts, p)
		case ir.RedactedThinking:
		case ir.Image, ir.Audio:
			e.fail(ir.Refused(p.At.String(), "the model's own turns can hold text only with this provider: put the picture or sound into a user message"))
		case ir.Document:
			if p.Media.Body == nil {
				e.lose("document-dropped", p.At.String(), "the model's own turns can hold text only with this provider; a document was left out")
				continue
			}
			e.lose("document-as-text", p.At.String(), "this provider does not support text documents; the document was sent as text")
			texts = append(texts, textOf(ir.DocumentText(&p.Media), p.At))
		default:
			if text := e.asText(p); text != nil {
				texts = append(texts, textOf(text, p.At))
			}
		}
	}
	e.list, e.calls = texts, calls
	if len(texts) == 0 && len(calls) == 0 {
		return
	}
	if len(calls) > 0 && e.to.Dialect.NoTools {
		e.fail(ir.Refused(calls[0].At.String(), "models of %s know no tool calls, not even earlier ones: start a new conversation or use another provider", e.to.Provider))
	}
	e.Open('{')
	e.Str("role", "assistant")
	e.speaker(t)
	switch {
	case len(texts) == 0 && e.to.Dialect.NoNullContent:
		e.Str("content", "")
	case len(texts) == 0:
		e.Null("content")
	case e.to.Dialect.KeepCache && anyCache(texts):
		e.content(texts)
	default:
		e.joined("content", texts, "")
	}
	if e.to.Dialect.ReplayReasoning && len(calls) > 0 && len(thoughts) > 0 {
		e.joined("reasoning_content", thoughts, `\n\n`)
	}
	if len(calls) > 0 {
		e.OpenKey("tool_calls", '[')
		for i, p := range calls {
			e.call(p, i == 0)
		}
		e.Close(']')
	}
	e.Close('}')
}

// noProof is the word that Google takes for calls that its models did not make, or whose
// proof is lost.
const noProof = "skip_thought_signature_validator"

func (e *requestEncoder) call(p *ir.Part, first bool) {
	e.Open('{')
	e.Str("id", e.callID(p.Call.ID))
	e.Str("type", "function")
	e.OpenKey("function", '{')
	e.Str("name", e.names.To(p.Call.Name))
	e.Key("arguments")
	if p.Call.Custom {
		e.Buf = rawjson.AppendQuote(e.Buf, ir.WrapInput(p.Call.Input))
	} else {
		args := p.Call.Args
		if !args.Present() {
			args = rawjson.Value("{}")
		}
		e.Buf = rawjson.AppendQuote(e.Buf, []byte(args))
	}
	e.Close('}')
	proof := p.Call.Proof
	if proof == nil && first && e.to.Dialect.AnyProof {
		proof = rawjson.Escaped(noProof)
	}
	if e.to.Dialect.CallProofs && proof != nil {
		e.OpenKey("extra_content", '{')
		e.OpenKey("google", '{')
		e.Text("thought_signature", proof)
		e.Close('}')
		e.Close('}')
	}
	e.Close('}')
}

// part writes a part of a user or system message.
func (e *requestEncoder) part(p *ir.Part) {
	switch p.Kind {
	case ir.Text, ir.Refusal:
		e.textPart(p)
	case ir.Image:
		e.image(p)
	case ir.Document:
		e.document(p)
	case ir.Audio:
		e.fail(ir.Refused(p.At.String(), "sound cannot be sent to this provider"))
	default:
		if text := e.asText(p); text != nil {
			e.textPart(&ir.Part{Text: text, Cache: p.Cache})
		}
	}
}

func (e *requestEncoder) image(p *ir.Part) {
	m := &p.Media
	kind := m.Type
	switch {
	case m.FileID != nil:
		e.fail(ir.Refused(p.At.String()+".source", "files stored elsewhere cannot be read by this provider: send the image itself"))
		return
	case m.URL == nil && kind == "":
		if kind = ir.SniffImage(m.Data); kind == "" {
			e.fail(ir.Invalid(p.At.String()+".source.media_type", "the image has no media type and is no PNG, JPEG, GIF or WebP"))
			return
		}
	}
	e.Open('{')
	e.Str("type", "image_url")
	e.OpenKey("image_url", '{')
	if m.URL != nil {
		e.Text("url", m.URL)
	} else {
		e.Key("url")
		e.Buf = append(e.Buf, '"')
		e.Buf = ir.AppendDataURL(e.Buf, kind, m.Data)
		e.Buf = append(e.Buf, '"')
	}
	if d := m.Detail; d != "" {
		if d == "original" {
			d = "high"
		}
		e.Str("detail", d)
	}
	e.Close('}')
	e.cache(p.Cache)
	e.Close('}')
}

// document writes a PDF as a file and every readable document as text.
func (e *requestEncoder) document(p *ir.Part) {
	m := &p.Media
	at := p.At.String()
	switch {
	case m.FileID != nil && e.req.Origin == ir.OpenAIChat:
		e.Open('{')
		e.Str("type", "file")
		e.OpenKey("file", '{')
		e.Text("file_id", m.FileID)
		e.Close('}')
		e.Close('}')
	case m.Data != nil && (m.Type == "application/pdf" || m.Type == ""):
		if e.to.Dialect.NoFiles {
			e.fail(ir.Refused(at, "PDF documents cannot be sent to %s: send the text instead, or use a model of openai, google-ai-studio or anthropic", e.to.Provider))
			return
		}
		if p.Citations.Get("enabled").True() {
			e.lose("citations-dropped", at, "this provider does not cite documents")
		}
		e.Open('{')
		e.Str("type", "file")
		e.OpenKey("file", '{')
		e.Text("filename", m.Name())
		e.Key("file_data")
		e.Buf = append(e.Buf, '"')
		e.Buf = ir.AppendDataURL(e.Buf, "application/pdf", m.Data)
		e.Buf = append(e.Buf, '"')
		e.Close('}')
		e.Close('}')
	case m.Body != nil:
		e.lose("document-as-text", at, "this provider does not support text documents; the document was sent as text")
		e.textPart(&ir.Part{Text: ir.DocumentText(m), Cache: p.Cache})
	case m.Parts != nil:
		e.lose("document-as-text", at, "this provider does not support documents made of blocks; the blocks were sent one by one")
		for i := range m.Parts {
			e.part(&m.Parts[i])
		}
	default:
		e.fail(ir.Refused(at+".source", "documents given by URL or file id cannot be sent to this provider: send the document itself"))
	}
}

// asText puts a part that only the client's protocol has into words, or refuses it. nil
// means that there is nothing to say.
func (e *requestEncoder) asText(p *ir.Part) rawjson.Escaped {
	if p.Kind == ir.Thinking || p.Kind == ir.RedactedThinking {
		return nil
	}
	text, ok := ir.OpaqueText(p)
	if !ok {
		e.fail(ir.Refused(p.At.String()+".type", "parts of type %q cannot be sent to this provider", p.Type))
		return nil
	}
	if p.Type != "tool_reference" {
		e.lose("part-as-text", p.At.String(), "this provider has no parts of type %s; it was sent as text", p.Type)
	}
	return text
}
