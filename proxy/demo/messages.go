package demo

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"

	"apex-ai-proxy/proxy/rawjson"
)

// answerMessages writes an answer as a message.
func (x *exchange) answerMessages(req *request, a *answer) {
	if a.refusal != nil && (!a.late || !req.stream) {
		x.refuse(a.refusal)
		return
	}
	m := &messagesWriter{exchange: x, req: req}
	if req.stream {
		m.streamed(a)
		return
	}
	m.unary(a)
}

type messagesWriter struct {
	*exchange
	req   *request
	index int // of the block being written
}

var messagesStops = [...]string{stopEnd: "end_turn", stopLength: "max_tokens", stopCalls: "tool_use", stopSequence: "stop_sequence"}

func (m *messagesWriter) head(dst []byte) []byte {
	dst = append(dst, `{"id":`...)
	dst = rawjson.AppendQuote(dst, "msg_"+m.h.id())
	dst = append(dst, `,"type":"message","role":"assistant","model":`...)
	dst = rawjson.AppendQuote(dst, m.req.model)
	return append(dst, `,"content":[`...)
}

func (m *messagesWriter) unary(a *answer) {
	dst := m.head(nil)
	first := len(dst)
	block := func(open []byte) {
		if len(dst) > first {
			dst = append(dst, ',')
		}
		dst = append(dst, open...)
	}
	if a.thoughts != "" {
		block(m.thinkingBlock(nil, m.shown(a.thoughts), sign(a.thoughts)))
	}
	if a.text != "" {
		block(append(rawjson.AppendQuote([]byte(`{"type":"text","text":`), a.text), '}'))
	}
	for _, call := range a.calls {
		block(m.toolBlock(nil, call, call.args))
	}
	dst = append(dst, `],"stop_reason":"`...)
	dst = append(dst, messagesStops[a.stop]...)
	dst = append(dst, `","stop_sequence":`...)
	dst = appendQuoteOrNull(dst, a.sequence)
	dst = append(dst, `,"usage":`...)
	u := a.usage(m.req)
	dst = appendMessagesUsage(dst, u.in, u.out)
	m.buf = append(dst, '}')
	m.whole(a.cut)
}

// shown is what a client sees of the thoughts.
func (m *messagesWriter) shown(thoughts string) string {
	if m.req.omitThoughts {
		return ""
	}
	return thoughts
}

// sign makes the opaque value that belongs to the thoughts.
func sign(thoughts string) string {
	sum := sha256.Sum256([]byte("demo " + thoughts))
	return base64.StdEncoding.EncodeToString(sum[:])
}

func (m *messagesWriter) thinkingBlock(dst []byte, thoughts, signature string) []byte {
	dst = append(dst, `{"type":"thinking","thinking":`...)
	dst = rawjson.AppendQuote(dst, thoughts)
	dst = append(dst, `,"signature":`...)
	dst = rawjson.AppendQuote(dst, signature)
	return append(dst, '}')
}

func (m *messagesWriter) toolBlock(dst []byte, call invocation, input string) []byte {
	dst = append(dst, `{"type":"tool_use","id":`...)
	dst = rawjson.AppendQuote(dst, "toolu_"+m.h.id())
	dst = append(dst, `,"name":`...)
	dst = rawjson.AppendQuote(dst, call.tool.name)
	dst = append(dst, `,"input":`...)
	dst = append(dst, input...)
	return append(dst, '}')
}

func appendMessagesUsage(dst []byte, in, out int) []byte {
	dst = append(dst, `{"input_tokens":`...)
	dst = strconv.AppendInt(dst, int64(in), 10)
	dst = append(dst, `,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":`...)
	dst = strconv.AppendInt(dst, int64(out), 10)
	return append(dst, `,"service_tier":"standard"}`...)
}

// event appends the start of an event's data, up to its type.
func event(dst []byte, name string) []byte {
	dst = append(dst, "event: "...)
	dst = append(dst, name...)
	dst = append(dst, "\ndata: {\"type\":\""...)
	dst = append(dst, name...)
	return append(dst, '"')
}

// blockEvent appends an event about the current block, up to its index.
func (m *messagesWriter) blockEvent(dst []byte, name string) []byte {
	dst = append(event(dst, name), `,"index":`...)
	return strconv.AppendInt(dst, int64(m.index), 10)
}

func (m *messagesWriter) open(block []byte) {
	m.buf = append(m.blockEvent(m.buf, "content_block_start"), `,"content_block":`...)
	m.buf = append(m.buf, block...)
	m.buf = append(m.buf, "}\n\n"...)
	m.send()
}

// delta makes a function that appends a delta of a kind with its one field.
func (m *messagesWriter) delta(kind, field string) func([]byte, string) []byte {
	return func(dst []byte, s string) []byte {
		dst = append(m.blockEvent(dst, "content_block_delta"), `,"delta":{"type":"`...)
		dst = append(dst, kind...)
		dst = append(dst, `","`+field+`":`...)
		dst = rawjson.AppendQuote(dst, s)
		return append(dst, "}}\n\n"...)
	}
}

func (m *messagesWriter) close() {
	m.buf = append(m.blockEvent(m.buf, "content_block_stop"), "}\n\n"...)
	m.send()
	m.index++
}

func (m *messagesWriter) streamed(a *answer) {
	m.stream()
	u := a.usage(m.req)
	m.buf = append(event(m.buf, "message_start"), `,"message":`...)
	m.buf = append(m.head(m.buf), `],"stop_reason":null,"stop_sequence":null,"usage":`...)
	m.buf = append(appendMessagesUsage(m.buf, u.in, 1), "}}\n\n"...)
	m.send()
	if a.thoughts != "" {
		m.open(m.thinkingBlock(nil, "", ""))
		m.speak(a, m.shown(a.thoughts), m.delta("thinking_delta", "thinking"))
		m.buf = m.delta("signature_delta", "signature")(m.buf, sign(a.thoughts))
		m.close()
	}
	m.buf = append(event(m.buf, "ping"), "}\n\n"...)
	if a.text != "" {
		m.open([]byte(`{"type":"text","text":""}`))
		m.speak(a, a.text, m.delta("text_delta", "text"))
		if a.cut {
			panic(http.ErrAbortHandler)
		}
		if a.refusal != nil {
			m.buf = append(m.buf, "event: error\ndata: "...)
			m.buf = append(m.envelope(m.buf, a.refusal), "\n\n"...)
			m.send()
			return
		}
		m.close()
	}
	for _, call := range a.calls {
		m.open(m.toolBlock(nil, call, "{}"))
		for _, piece := range pieces(call.args) {
			m.buf = m.delta("input_json_delta", "partial_json")(m.buf, piece)
			m.send()
		}
		m.close()
	}
	m.end(a, u)
}

func (m *messagesWriter) end(a *answer, u usage) {
	m.buf = append(event(m.buf, "message_delta"), `,"delta":{"stop_reason":"`...)
	m.buf = append(m.buf, messagesStops[a.stop]...)
	m.buf = append(m.buf, `","stop_sequence":`...)
	m.buf = appendQuoteOrNull(m.buf, a.sequence)
	m.buf = append(m.buf, `},"usage":{"output_tokens":`...)
	m.buf = strconv.AppendInt(m.buf, int64(u.out), 10)
	m.buf = append(m.buf, "}}\n\n"...)
	m.buf = append(event(m.buf, "message_stop"), "}\n\n"...)
	m.send()
}
