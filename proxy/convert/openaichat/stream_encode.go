package openaichat

import (
	"strconv"

	"apex-ai-proxy/proxy/convert/internal/openaierror"
	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
)

// StreamEncoder writes a stream of chat.completion.chunk objects.
type StreamEncoder struct {
	rep ir.Reply

	// head and tail of every chunk, around the delta; set once the id is known.
	head, tail []byte

	kind     ir.PartKind // of the open part
	custom   bool
	argsSent bool
	calls    int    // tool calls so far; their index counts calls only
	thoughts int    // signed pieces of thinking so far
	thought  []byte // text of the open thinking part, which its signature belongs to
	mused    bool   // an earlier thinking part had text
	before   int    // characters of text in front of the open part
	length   int    // characters of the open text part
	links    []ir.Link

	refused bool // a refusal was told
	usage   ir.Usage
	done    bool
}

// NewStreamEncoder returns an encoder for one answer.
func NewStreamEncoder(rep ir.Reply) *StreamEncoder { return &StreamEncoder{rep: rep} }

// AppendKeepAlive appends a comment, which clients skip.
func (e *StreamEncoder) AppendKeepAlive(dst []byte) []byte { return append(dst, ": keep-alive\n\n"...) }

// Append appends the chunks that tell the event.
func (e *StreamEncoder) Append(dst []byte, ev *ir.Event) []byte {
	if e.done {
		return dst
	}
	if e.head == nil && ev.Kind != ir.Failure {
		dst = e.start(dst, ev)
	}
	switch ev.Kind {
	case ir.PartOpen:
		return e.open(dst, ev)
	case ir.Delta:
		return e.delta(dst, ev.Text)
	case ir.SignatureEv:
		dst = e.signature(dst, `"type":"reasoning.text","text":"`+string(e.thought)+`","signature":"`, ev.Text)
		e.thought = nil
	case ir.PartClose:
		return e.closePart(dst)
	case ir.CitationEv:
		l := ev.Link // told when the length of its text is known
		l.URL, l.Title = append(rawjson.Escaped{}, l.URL...), append(rawjson.Escaped{}, l.Title...)
		e.links = append(e.links, l)
	case ir.UsageEvent:
		e.usage = ev.Usage
	case ir.Finish:
		return e.finish(dst, ev.Stop)
	case ir.Ping:
		return e.AppendKeepAlive(dst)
	case ir.End:
		return e.end(dst)
	case ir.Failure:
		e.done = true
		w := rawjson.Writer{Buf: append(dst, "data: "...)}
		openaierror.Append(&w, ev.Err)
		return append(w.Buf, '\n', '\n')
	default:
	}
	return dst
}

// start prepares what all chunks share and writes the chunk with the role.
func (e *StreamEncoder) start(dst []byte, ev *ir.Event) []byte {
	id, at, tier := "", int64(0), ""
	if ev.Kind == ir.Start {
		id, at, tier = ev.ID, ev.Created, serviceTier(ev.Tier)
	}
	w := rawjson.Writer{Buf: []byte("data: ")}
	w.Open('{')
	w.Str("id", ir.AnswerID(idPrefix, id, e.rep.ID))
	w.Str("object", "chat.completion.chunk")
	w.Int("created", created(at, e.rep))
	w.Str("model", e.rep.Model)
	if tier != "" {
		w.Str("service_tier", tier)
	}
	e.head = append(w.Buf, `,"choices":[{"index":0,"delta":{`...)
	e.tail = []byte(`},"logprobs":null,"finish_reason":null}]}` + "\n\n")
	return e.chunk(dst, `"role":"assistant","content":""`)
}

func (e *StreamEncoder) chunk(dst []byte, delta string) []byte {
	dst = append(dst, e.head...)
	dst = append(dst, delta...)
	return append(dst, e.tail...)
}

func (e *StreamEncoder) open(dst []byte, ev *ir.Event) []byte {
	e.kind, e.thought, e.length = ev.Part, nil, 0
	switch ev.Part {
	case ir.RedactedThinking:
		return e.signature(dst, `"type":"reasoning.encrypted","data":"`, ev.Text)
	case ir.ToolCall:
	default:
		return dst
	}
	e.calls++
	e.custom, e.argsSent = ev.Custom, false
	if ev.Custom && flatCustom(e.rep, ev.Name) { // told as the arguments of a function, and complete without any
		e.custom, e.argsSent = false, true
	}
	w := rawjson.Writer{Buf: append(dst, e.head...)}
	w.Buf = append(w.Buf, `"tool_calls":[{"index":`...)
	w.Buf = strconv.AppendInt(w.Buf, int64(e.calls-1), 10)
	w.Str("id", callID(ev.ID, e.rep, e.calls-1))
	if e.custom {
		w.Str("type", "custom")
		w.OpenKey("custom", '{')
		w.Str("name", ev.Name)
		w.Str("input", "")
	} else {
		w.Str("type", "function")
		w.OpenKey("function", '{')
		w.Str("name", ev.Name)
		w.Str("arguments", "")
	}
	w.Buf = append(w.Buf, "}}]"...)
	return append(w.Buf, e.tail...)
}

func (e *StreamEncoder) closePart(dst []byte) []byte {
	switch e.kind {
	case ir.ToolCall:
		if !e.argsSent {
			return e.delta(dst, e.emptyArgs())
		}
	case ir.Thinking:
		e.mused = e.mused || e.length > 0
	case ir.Text:
		links := placed(e.links, e.before, e.length)
		e.before += e.length
		e.links = e.links[:0]
		if len(links) == 0 {
			return dst
		}
		w := rawjson.Writer{Buf: append(dst, e.head...)}
		w.Buf = append(w.Buf, `"annotations":[`...)
		for i := range links {
			appendLink(&w, &links[i])
		}
		return append(append(w.Buf, ']'), e.tail...)
	default:
	}
	return dst
}

// emptyArgs is what a call without arguments is completed with, so that clients can
// parse the sum of its fragments.
func (e *StreamEncoder) emptyArgs() rawjson.Escaped {
	if e.custom {
		return nil
	}
	return rawjson.Escaped("{}")
}

func (e *StreamEncoder) delta(dst []byte, text rawjson.Escaped) []byte {
	if len(text) == 0 {
		return dst
	}
	if e.kind == ir.RedactedThinking || e.kind == ir.Search {
		return dst
	}
	dst = append(dst, e.head...)
	end := `"`
	switch e.kind {
	case ir.ToolCall:
		e.argsSent = true
		dst = append(dst, `"tool_calls":[{"index":`...)
		dst = strconv.AppendInt(dst, int64(e.calls-1), 10)
		if e.custom {
			dst = append(dst, `,"custom":{"input":"`...)
		} else {
			dst = append(dst, `,"function":{"arguments":"`...)
		}
		end = `"}}]`
	case ir.Thinking:
		dst = append(dst, `"reasoning_content":"`...)
		if e.mused && len(e.thought) == 0 {
			dst = append(dst, `\n\n`...)
		}
		e.thought = append(e.thought, text...)
		e.length++
	case ir.Refusal:
		e.refused = true
		dst = append(dst, `"refusal":"`...)
	default:
		e.length += text.Runes()
		dst = append(dst, `"content":"`...)
	}
	dst = append(dst, text...)
	dst = append(dst, end...)
	return append(dst, e.tail...)
}

// signature tells the proof of origin of thinking; clients that send it back let the
// model go on from it.
func (e *StreamEncoder) signature(dst []byte, members string, text rawjson.Escaped) []byte {
	dst = append(dst, e.head...)
	dst = append(dst, `"reasoning_details":[{`...)
	dst = append(dst, members...)
	dst = append(dst, text...)
	dst = append(dst, `","format":"anthropic-claude-v1","index":`...)
	dst = strconv.AppendInt(dst, int64(e.thoughts), 10)
	e.thoughts++
	dst = append(dst, "}]"...)
	return append(dst, e.tail...)
}

func (e *StreamEncoder) finish(dst []byte, s ir.Stop) []byte {
	if s.Reason == ir.StopRefusal && len(s.Explanation) > 0 && !e.refused {
		e.kind = ir.Refusal
		dst = e.delta(dst, s.Explanation)
	}
	dst = append(dst, e.head...)
	dst = append(dst, `},"logprobs":null,"finish_reason":"`...)
	dst = append(dst, finishWord(s.Fit(e.calls > 0, false))...)
	return append(dst, "\"}]}\n\n"...)
}

// end writes the usage, if the client asked for it, and the mark of the end.
func (e *StreamEncoder) end(dst []byte) []byte {
	e.done = true
	if e.rep.IncludeUsage {
		w := rawjson.Writer{Buf: append(dst, e.head[:len(e.head)-len(`[{"index":0,"delta":{`)]...)}
		w.Buf = append(w.Buf, "[]"...)
		w.Key("usage")
		appendUsage(&w, e.usage)
		dst = append(w.Buf, "}\n\n"...)
	}
	return append(dst, "data: [DONE]\n\n"...)
}
