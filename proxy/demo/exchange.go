package demo

import (
	"context"
	"net/http"
	"unicode/utf8"

	"apex-ai-proxy/proxy/spent"
)

// exchange writes one answer.
type exchange struct {
	h         *handler
	w         http.ResponseWriter
	ctx       context.Context
	chat      bool
	requestID string
	buf       []byte
	gone      bool // nobody listens any more
}

// refuse answers with an error and its status.
func (x *exchange) refuse(r *Refusal) {
	r = x.worded(r)
	if r.RetryAfter != "" {
		x.w.Header().Set("Retry-After", r.RetryAfter)
	}
	x.w.WriteHeader(r.Status)
	_, _ = x.w.Write(x.envelope(x.buf[:0], r)) // a client that went away needs no answer
}

func (x *exchange) envelope(dst []byte, r *Refusal) []byte {
	if x.chat {
		return r.AppendChat(dst)
	}
	return r.AppendMessages(dst, x.requestID)
}

// worded gives a refusal the type that OpenAI has for it: the types of refusals made
// for both vendors are Anthropic's.
func (x *exchange) worded(r *Refusal) *Refusal {
	if !x.chat {
		return r
	}
	c := *r
	switch {
	case r.Status == 529:
		c.Status, c.Type, c.Code = http.StatusServiceUnavailable, "server_error", "overloaded"
	case r.Status >= 500:
		c.Type = "server_error"
	case r.Status == http.StatusTooManyRequests:
	default:
		c.Type = "invalid_request_error"
	}
	return &c
}

// stream sends the header of a stream.
func (x *exchange) stream() {
	x.w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	x.w.Header().Set("Cache-Control", "no-cache")
	x.w.WriteHeader(http.StatusOK)
}

// send writes what is in buf and flushes it.
func (x *exchange) send() {
	if x.gone || x.ctx.Err() != nil {
		x.gone = true
		return
	}
	if _, err := x.w.Write(x.buf); err != nil {
		x.gone = true
		return
	}
	x.buf = spent.Empty(x.buf)
	if f, ok := x.w.(http.Flusher); ok {
		f.Flush()
	}
}

// whole writes the answer in buf as one body.
func (x *exchange) whole(cut bool) {
	if !cut {
		_, _ = x.w.Write(x.buf) // a client that went away needs no answer
		return
	}
	x.w.Header().Set("Content-Length", itoa(len(x.buf)))
	x.buf = x.buf[:len(x.buf)/2]
	x.send()
	panic(http.ErrAbortHandler)
}

// speak sends the words of a text one after the other.
func (x *exchange) speak(a *answer, text string, appendWord func(dst []byte, word string) []byte) {
	for _, word := range wordsOf(text) {
		if a.pause > 0 && !x.gone && x.h.pause(x.ctx, a.pause) != nil {
			x.gone = true
		}
		if x.gone {
			return
		}
		x.buf = appendWord(x.buf, word)
		x.send()
	}
}

// pieces cuts JSON text as models stream it: a few characters at a time.
func pieces(s string) []string {
	const size = 10
	var all []string
	for len(s) > size {
		n := size
		for n < len(s) && !utf8.RuneStart(s[n]) {
			n++
		}
		all = append(all, s[:n])
		s = s[n:]
	}
	return append(all, s)
}

// usage are the counts of an answer: a token is a word.
type usage struct{ in, out, thought int }

func (a *answer) usage(req *request) usage {
	u := usage{in: max(1, req.words), thought: len(wordsOf(a.thoughts))}
	u.out = len(wordsOf(a.text)) + u.thought
	for _, c := range a.calls {
		u.out += 1 + len(pieces(c.args))
	}
	u.out = max(1, u.out)
	return u
}

func (h *handler) countTokens(x *exchange, body []byte) {
	root, err := parse(body)
	if err != nil {
		x.refuse(badRequest("", "", "The request body is not valid JSON: %v", err))
		return
	}
	c := inspectMessages(root, true)
	if c.refusal != nil {
		x.refuse(c.refusal)
		return
	}
	x.buf = append(x.buf, `{"input_tokens":`...)
	x.buf = append(x.buf, itoa(max(1, c.req.words))...)
	x.buf = append(x.buf, '}')
	x.whole(false)
}
