package openaichat

import (
	"slices"
	"strings"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/prose"
	"apex-ai-proxy/proxy/rawjson"
)

// DecodeResponse reads a chat.completion object.
func (Codec) DecodeResponse(body []byte, from ir.Source) (*ir.Response, error) {
	body = ir.ValidUTF8(body)
	var res ir.Response
	var choice, failure rawjson.Value
	r := rawjson.NewReader(body)
	r.Object(func(k []byte) {
		switch string(k) {
		case "id":
			res.ID = r.Value().Str()
		case "model":
			res.Model = r.Value().Str()
		case "created":
			res.Created, _ = r.Value().Int()
		case "choices":
			r.Array(func(i int) {
				if v := r.Value(); i == 0 {
					choice = v
				}
			})
		case "usage":
			if v := r.Value(); v.Present() {
				res.Usage, res.HasUsage = decodeUsage(v), true
			}
		case "system_fingerprint":
			res.Fingerprint = r.Value().Text()
		case "service_tier":
			res.Tier = r.Value().Str()
		case "error":
			failure = r.Value()
		}
	})
	if err := r.Close(); err != nil {
		return nil, &ir.Error{Kind: ir.BadGateway, Message: prose.New("the provider's answer is not valid JSON: %v", err)}
	}
	if failure.Present() && !choice.Present() {
		return nil, errorOf(failure)
	}
	if !choice.Present() {
		return nil, &ir.Error{Kind: ir.BadGateway, Message: prose.New("the provider's answer holds no choices")}
	}
	var message, reason, failed rawjson.Value
	choice.Members(func(k []byte, v rawjson.Value) {
		switch string(k) {
		case "message":
			message = v
		case "finish_reason":
			reason = v
		case "error":
			failed = v
		}
	})
	finish := reason.Str()
	if failed.Present() {
		failure = failed
	}
	if err := failedFinish(finish, failure); err != nil {
		return nil, err
	}
	d := answerDecoder{res: &res, from: from, cut: stopOf(finish).Reason == ir.StopLength}
	if err := d.message(message); err != nil {
		return nil, err
	}
	res.Stop = stopOf(finish).Fit(has(res.Parts, ir.ToolCall), has(res.Parts, ir.Refusal))
	return &res, nil
}

func has(parts []ir.Part, kind ir.PartKind) bool {
	return slices.ContainsFunc(parts, func(p ir.Part) bool { return p.Kind == kind })
}

// failedFinish is the error that a finish reason stands for, nil for one that ends an
// answer. failure is what the upstream told beside it.
func failedFinish(word string, failure rawjson.Value) error {
	switch {
	case failure.Present():
		return errorOf(failure)
	case strings.EqualFold(word, "error"):
		return ir.UpstreamError(0, "", "", "")
	case strings.EqualFold(word, "malformed_function_call"):
		return &ir.Error{Kind: ir.BadGateway, Message: prose.New("the model wrote a tool call that cannot be read")}
	default:
		return nil
	}
}

// errorOf reads an error object, or the bare message some servers send.
func errorOf(v rawjson.Value) *ir.Error {
	if v.Kind() == rawjson.String {
		return ir.UpstreamError(0, "", "", v.Str())
	}
	code := v.Get("code")
	status := 0
	if n, ok := code.Int(); ok && n >= 400 && n < 600 {
		status = int(n)
	}
	return ir.UpstreamError(status, v.Get("type").Str(), code.Str(), v.Get("message").Str())
}

// answerDecoder reads the message of a whole answer.
type answerDecoder struct {
	res  *ir.Response
	from ir.Source
	cut  bool // the answer was cut at a limit, which excuses half a call
}

// answer holds the members of an answer's message.
type answer struct {
	content, annotations, refusal, toolCalls, functionCall, details rawjson.Value

	thoughts [3]rawjson.Value // what the model thought, by what servers call it
}

// readAnswer looks a message through once.
func readAnswer(v rawjson.Value) (m answer) {
	v.Members(func(key []byte, value rawjson.Value) {
		if at := m.member(key); at != nil {
			*at = value
		}
	})
	return m
}

// member is where the member with the key belongs, nil for one of no interest.
func (m *answer) member(key []byte) *rawjson.Value {
	switch string(key) {
	case "content":
		return &m.content
	case "annotations":
		return &m.annotations
	case "refusal":
		return &m.refusal
	case "tool_calls":
		return &m.toolCalls
	case "function_call":
		return &m.functionCall
	case "reasoning_details":
		return &m.details
	case "reasoning_content":
		return &m.thoughts[0]
	case "reasoning":
		return &m.thoughts[1]
	case "thinking":
		return &m.thoughts[2]
	default:
		return nil
	}
}

// message reads an answer's message in the order in which a reader should see it:
// thinking, text, refusal, tool calls.
func (d *answerDecoder) message(v rawjson.Value) error {
	m := readAnswer(v)
	d.res.Parts = append(d.res.Parts, m.reasoning()...)
	switch m.content.Kind() {
	case rawjson.String:
		d.text(ir.Text, m.content.Text())
	case rawjson.Array:
		r := rawjson.Within(m.content)
		r.Array(func(int) { d.text(contentPart(r.Value())) })
	default:
	}
	d.links(m.annotations)
	d.text(ir.Refusal, m.refusal.Text())
	if !m.toolCalls.Empty() && m.toolCalls.Kind() == rawjson.Array {
		var failure error
		r := rawjson.Within(m.toolCalls)
		r.Array(func(int) {
			if err := d.call(r.Value()); err != nil && failure == nil {
				failure = err
			}
		})
		return failure
	}
	if m.functionCall.Kind() == rawjson.Object {
		return d.function("", m.functionCall)
	}
	return nil
}

func (d *answerDecoder) text(kind ir.PartKind, text rawjson.Escaped) {
	if len(text) > 0 {
		d.res.Parts = append(d.res.Parts, ir.Part{Kind: kind, Text: text})
	}
}

// links gives the last text the sources that the answer cites.
func (d *answerDecoder) links(list rawjson.Value) {
	if n := len(d.res.Parts); n > 0 && d.res.Parts[n-1].Kind == ir.Text {
		d.res.Parts[n-1].Links = linksOf(list)
	}
}

func linksOf(list rawjson.Value) (links []ir.Link) {
	if list.Kind() != rawjson.Array {
		return nil
	}
	r := rawjson.Within(list)
	r.Array(func(int) {
		c := r.Value().Get("url_citation")
		if url := c.Get("url").Text(); len(url) > 0 {
			l := ir.Link{URL: url, Title: c.Get("title").Text()}
			l.Start, l.End = int(ir.Count(c.Get("start_index"))), int(ir.Count(c.Get("end_index")))
			links = append(links, l)
		}
	})
	return links
}

func (d *answerDecoder) call(v rawjson.Value) error {
	var ident, custom, function, extra rawjson.Value
	v.Members(func(k []byte, value rawjson.Value) {
		switch string(k) {
		case "id":
			ident = value
		case "custom":
			custom = value
		case "function":
			function = value
		case "extra_content":
			extra = value
		}
	})
	id := ident.Str()
	if custom.Kind() == rawjson.Object {
		name, err := d.from.ToolName(custom.Get("name").Str())
		if err != nil {
			return err
		}
		d.res.Parts = append(d.res.Parts, ir.Part{Kind: ir.ToolCall, Call: ir.Call{
			ID: id, Name: name, Custom: true, Input: custom.Get("input").Text(), BadArgs: d.cut,
		}})
		return nil
	}
	if err := d.function(id, function); err != nil {
		return err
	}
	d.res.Parts[len(d.res.Parts)-1].Call.Proof = proofOf(extra)
	return nil
}

// proofOf is the proof that Google's models put beside their calls.
func proofOf(extra rawjson.Value) rawjson.Escaped {
	return extra.Get("google").Get("thought_signature").Text()
}

func (d *answerDecoder) function(id string, function rawjson.Value) error {
	var raw, called rawjson.Value
	function.Members(func(k []byte, value rawjson.Value) {
		switch string(k) {
		case "arguments":
			raw = value
		case "name":
			called = value
		}
	})
	text := []byte(raw)
	switch raw.Kind() {
	case rawjson.String:
		text = raw.Text().Append(nil)
	case rawjson.Null:
		text = nil
	default:
	}
	args, bad := ir.ArgsOf(text)
	if bad && !d.cut {
		return badArguments()
	}
	if bad {
		d.res.Losses.Add("tool-arguments-cut", "", "the output limit was reached inside the arguments of a tool call; they were left out")
	}
	name, err := d.from.ToolName(called.Str())
	if err != nil {
		return err
	}
	d.res.Parts = append(d.res.Parts, ir.Part{Kind: ir.ToolCall, Call: ir.Call{ID: id, Name: name, Args: args, BadArgs: bad}})
	return nil
}

// contentPart reads a part of content that is a list, as Mistral sends it.
func contentPart(v rawjson.Value) (ir.PartKind, rawjson.Escaped) {
	if v.Get("type").Str() != "thinking" {
		return ir.Text, v.Get("text").Text()
	}
	inner := v.Get("thinking")
	if inner.Kind() == rawjson.String {
		return ir.Thinking, inner.Text()
	}
	var text rawjson.Escaped
	r := rawjson.Within(inner)
	r.Array(func(int) { text = append(text, r.Value().Get("text").Text()...) })
	return ir.Thinking, text
}

// reasoning is what the model thought, under whichever name it came.
func (m *answer) reasoning() []ir.Part {
	for _, v := range m.thoughts {
		if text := v.Text(); len(text) > 0 {
			return []ir.Part{{Kind: ir.Thinking, Text: text}}
		}
	}
	if text := detailTexts(m.details); len(text) > 0 {
		return []ir.Part{{Kind: ir.Thinking, Text: text}}
	}
	return nil
}

func detailTexts(details rawjson.Value) rawjson.Escaped {
	if details.Kind() != rawjson.Array {
		return nil
	}
	var text rawjson.Escaped
	r := rawjson.Within(details)
	r.Array(func(int) {
		v := r.Value()
		text = append(text, v.Get("text").Text()...)
		text = append(text, v.Get("summary").Text()...)
	})
	return text
}

// stopOf tells why the model stopped, in the words of many servers.
func stopOf(word string) ir.Stop {
	s := ir.Stop{Raw: word}
	switch strings.ToLower(word) {
	case "stop", "eos", "end_turn", "":
		s.Reason = ir.StopEnd
	case "tool_calls", "function_call", "tool_use":
		s.Reason = ir.StopTools
	case "length", "max_tokens":
		s.Reason = ir.StopLength
	case "content_filter", "safety", "recitation", "prohibited_content", "blocklist":
		s.Reason = ir.StopRefusal
	case "stop_sequence":
		s.Reason = ir.StopSequence
	}
	return s
}

// decodeUsage reads a usage object of OpenAI or of the servers modelled on it. OpenAI's
// prompt total includes what was read from and written to a cache.
func decodeUsage(v rawjson.Value) ir.Usage {
	var prompt, completion, total int64
	var u ir.Usage
	num := func(r *rawjson.Reader) int64 { return ir.Count(r.Value()) }
	r := rawjson.Within(v)
	r.Object(func(k []byte) {
		switch string(k) {
		case "prompt_tokens", "input_tokens":
			prompt = num(r)
		case "completion_tokens", "output_tokens":
			completion = num(r)
		case "total_tokens":
			total = num(r)
		case "cache_read_input_tokens", "prompt_cache_hit_tokens":
			u.CacheRead = max(u.CacheRead, num(r))
		case "cache_creation_input_tokens":
			u.CacheWrite = max(u.CacheWrite, num(r))
		case "prompt_tokens_details", "completion_tokens_details":
			r.Object(func(k []byte) {
				switch string(k) {
				case "cached_tokens":
					u.CacheRead = max(u.CacheRead, num(r))
				case "cache_write_tokens":
					u.CacheWrite = max(u.CacheWrite, num(r))
				case "reasoning_tokens":
					u.Reasoning = num(r)
				}
			})
		}
	})
	u.Input = max(0, prompt-u.CacheRead-u.CacheWrite)
	u.Output = completion
	if u.Reasoning > 0 && total == prompt+completion+u.Reasoning {
		u.Output += u.Reasoning // xAI counts reasoning beside the completion
	}
	return u
}
