package demo

import (
	"net/http"
	"strconv"

	"apex-ai-proxy/proxy/rawjson"
)

// answerChat writes an answer as a chat completion.
func (x *exchange) answerChat(req *request, a *answer) {
	if a.refusal != nil && (!a.late || !req.stream) {
		x.refuse(a.refusal)
		return
	}
	c := &chatWriter{exchange: x, req: req, id: "chatcmpl-" + x.h.id(), created: x.h.now().Unix(), usage: a.usage(req)}
	if req.stream {
		c.streamed(a)
		return
	}
	c.unary(a)
}

type chatWriter struct {
	*exchange
	req     *request
	id      string
	created int64
	usage   usage
}

var chatStops = [...]string{stopEnd: "stop", stopLength: "length", stopCalls: "tool_calls", stopSequence: "stop"}

// head appends what every object of the answer begins with.
func (c *chatWriter) head(dst []byte, object string) []byte {
	dst = append(dst, `{"id":`...)
	dst = rawjson.AppendQuote(dst, c.id)
	dst = append(dst, `,"object":"`...)
	dst = append(dst, object...)
	dst = append(dst, `","created":`...)
	dst = strconv.AppendInt(dst, c.created, 10)
	dst = append(dst, `,"model":`...)
	return rawjson.AppendQuote(dst, c.req.model)
}

func (c *chatWriter) unary(a *answer) {
	dst := c.head(nil, "chat.completion")
	dst = append(dst, `,"choices":[{"index":0,"message":{"role":"assistant","content":`...)
	if a.text == "" && len(a.calls) > 0 {
		dst = append(dst, "null"...)
	} else {
		dst = rawjson.AppendQuote(dst, a.text)
	}
	dst = append(dst, `,"refusal":null`...)
	if a.thoughts != "" {
		dst = append(dst, `,"reasoning_content":`...)
		dst = rawjson.AppendQuote(dst, a.thoughts)
	}
	if len(a.calls) > 0 {
		dst = append(dst, `,"tool_calls":[`...)
		for i, call := range a.calls {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(dst, '{')
			dst = append(c.call(dst, call, call.args), '}')
		}
		dst = append(dst, ']')
	}
	dst = append(dst, `},"logprobs":null,"finish_reason":"`...)
	dst = append(dst, chatStops[a.stop]...)
	dst = append(dst, `"}],"usage":`...)
	dst = appendChatUsage(dst, c.usage)
	c.buf = append(dst, '}')
	c.whole(a.cut)
}

// call appends the inside of a tool call with a new id.
func (c *chatWriter) call(dst []byte, call invocation, args string) []byte {
	kind, content := "function", "arguments"
	if call.tool.custom {
		kind, content = "custom", "input"
	}
	dst = append(dst, `"id":`...)
	dst = rawjson.AppendQuote(dst, c.h.callID(c.h.id()))
	dst = append(dst, `,"type":"`+kind+`","`+kind+`":{"name":`...)
	dst = rawjson.AppendQuote(dst, call.tool.name)
	dst = append(dst, `,"`+content+`":`...)
	dst = rawjson.AppendQuote(dst, args)
	return append(dst, '}')
}

func appendChatUsage(dst []byte, u usage) []byte {
	dst = append(dst, `{"prompt_tokens":`...)
	dst = strconv.AppendInt(dst, int64(u.in), 10)
	dst = append(dst, `,"completion_tokens":`...)
	dst = strconv.AppendInt(dst, int64(u.out), 10)
	dst = append(dst, `,"total_tokens":`...)
	dst = strconv.AppendInt(dst, int64(u.in+u.out), 10)
	dst = append(dst, `,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":`...)
	dst = strconv.AppendInt(dst, int64(u.thought), 10)
	return append(dst, `,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}`...)
}

// chunk appends an event with one choice; delta is the inside of its delta.
func (c *chatWriter) chunk(dst []byte, finish string, delta func([]byte) []byte) []byte {
	dst = append(dst, "data: "...)
	dst = c.head(dst, "chat.completion.chunk")
	dst = append(dst, `,"choices":[{"index":0,"delta":{`...)
	dst = delta(dst)
	dst = append(dst, `},"logprobs":null,"finish_reason":`...)
	dst = appendQuoteOrNull(dst, finish)
	dst = append(dst, "}]"...)
	switch {
	case c.h.eager && finish != "":
		dst = append(dst, `,"usage":`...)
		dst = appendChatUsage(dst, c.usage)
	case c.req.includeUsage:
		dst = append(dst, `,"usage":null`...)
	}
	return append(dst, "}\n\n"...)
}

// content appends chunks whose delta has one string.
func (c *chatWriter) content(field string) func([]byte, string) []byte {
	return func(dst []byte, word string) []byte {
		return c.chunk(dst, "", func(dst []byte) []byte {
			dst = append(dst, `"`+field+`":`...)
			return rawjson.AppendQuote(dst, word)
		})
	}
}

func (c *chatWriter) streamed(a *answer) {
	c.stream()
	c.buf = c.chunk(c.buf, "", func(dst []byte) []byte {
		return append(dst, `"role":"assistant","content":"","refusal":null`...)
	})
	c.send()
	c.speak(a, a.thoughts, c.content("reasoning_content"))
	c.speak(a, a.text, c.content("content"))
	for i, call := range a.calls {
		c.streamCall(i, call)
	}
	switch {
	case a.cut:
		panic(http.ErrAbortHandler)
	case a.refusal != nil:
		c.buf = append(c.buf, "data: "...)
		c.buf = append(c.envelope(c.buf, c.worded(a.refusal)), "\n\n"...)
		c.send()
		return
	}
	c.buf = c.chunk(c.buf, chatStops[a.stop], func(dst []byte) []byte { return dst })
	c.send()
	if c.req.includeUsage && !c.h.eager {
		c.buf = append(c.buf, "data: "...)
		c.buf = c.head(c.buf, "chat.completion.chunk")
		c.buf = append(c.buf, `,"choices":[],"usage":`...)
		c.buf = appendChatUsage(c.buf, c.usage)
		c.buf = append(c.buf, "}\n\n"...)
	}
	c.buf = append(c.buf, "data: [DONE]\n\n"...)
	c.send()
}

func (c *chatWriter) streamCall(index int, call invocation) {
	at := `"tool_calls":[{"index":` + itoa(index) + `,`
	c.buf = c.chunk(c.buf, "", func(dst []byte) []byte {
		return append(c.call(append(dst, at...), call, ""), "}]"...)
	})
	c.send()
	start, end := `"function":{"arguments":`, "}}]"
	if call.tool.custom {
		start = `"custom":{"input":`
	}
	for _, piece := range pieces(call.args) {
		c.buf = c.chunk(c.buf, "", func(dst []byte) []byte {
			dst = append(append(dst, at...), start...)
			return append(rawjson.AppendQuote(dst, piece), end...)
		})
		c.send()
	}
}
