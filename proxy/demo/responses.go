package demo

import (
	"net/http"
	"strings"

	"apex-ai-proxy/proxy/rawjson"
)

// answerResponses writes an answer as a response object, or as the events that build one.
func (x *exchange) answerResponses(in *responsesInspection, a *answer) {
	if a.refusal != nil && (!a.late || !in.req.stream) {
		x.refuse(a.refusal)
		return
	}
	r := &responsesWriter{exchange: x, in: in, id: "resp_" + x.h.id(), created: x.h.now().Unix(), usage: a.usage(&in.req)}
	if in.req.stream {
		r.streamed(a)
		return
	}
	r.unary(a)
}

type responsesWriter struct {
	*exchange
	in       *responsesInspection
	id       string
	created  int64
	usage    usage
	sequence int64
	output   []rawjson.Value // finished items
}

// outItem is an item of the answer.
type outItem struct {
	id   string
	kind string
	text string // what it holds in the end
	call invocation
	sent string // call_id
}

// items are what an answer consists of, in order.
func (r *responsesWriter) items(a *answer) []*outItem {
	var all []*outItem
	if a.thoughts != "" {
		all = append(all, &outItem{id: "rs_" + r.h.id(), kind: "reasoning", text: a.thoughts})
	}
	if a.text != "" || len(a.calls) == 0 {
		all = append(all, &outItem{id: "msg_" + r.h.id(), kind: "message", text: a.text})
	}
	for _, call := range a.calls {
		it := &outItem{id: "fc_" + r.h.id(), kind: "function_call", text: call.args, call: call, sent: r.h.callID(r.h.id())}
		if call.tool.custom {
			it.id, it.kind = "ctc_"+strings.TrimPrefix(it.id, "fc_"), "custom_tool_call"
		}
		all = append(all, it)
	}
	return all
}

// item writes an item that holds text so far; a reasoning item shows it only when asked to.
func (r *responsesWriter) item(it *outItem, text, status string) rawjson.Value {
	var w rawjson.Writer
	w.Open('{')
	w.Str("id", it.id)
	w.Str("type", it.kind)
	switch it.kind {
	case "reasoning":
		w.OpenKey("summary", '[')
		if text != "" && r.in.summarized {
			w.Element(summaryPart(text))
		}
		w.Close(']')
		if r.in.encrypted {
			w.Str("encrypted_content", sealOf(it.id)+itoa(len(text)))
		}
	case "message":
		w.Str("status", status)
		w.Str("role", "assistant")
		w.OpenKey("content", '[')
		if status != "in_progress" {
			w.Element(textPart(text))
		}
		w.Close(']')
	default:
		w.Str("status", status)
		w.Str("call_id", it.sent)
		w.Str("name", it.call.tool.name)
		if it.call.tool.space != "" {
			w.Str("namespace", it.call.tool.space)
		}
		w.Str(argumentsOf(it.kind), text)
	}
	w.Close('}')
	return rawjson.Value(w.Buf)
}

// argumentsOf names the field that holds what a tool is called with.
func argumentsOf(kind string) string {
	if kind == "custom_tool_call" {
		return "input"
	}
	return "arguments"
}

func textPart(text string) rawjson.Value {
	var w rawjson.Writer
	w.Open('{')
	w.Str("type", "output_text")
	w.Raw("annotations", rawjson.Value("[]"))
	w.Raw("logprobs", rawjson.Value("[]"))
	w.Str("text", text)
	w.Close('}')
	return rawjson.Value(w.Buf)
}

func summaryPart(text string) rawjson.Value {
	var w rawjson.Writer
	w.Open('{')
	w.Str("type", "summary_text")
	w.Str("text", text)
	w.Close('}')
	return rawjson.Value(w.Buf)
}

// responsesEchoes are the fields of the request that the answer repeats, with what they
// are when the request lacks them.
var responsesEchoes = []struct{ key, value string }{
	{"instructions", "null"},
	{"max_output_tokens", "null"},
	{"max_tool_calls", "null"},
	{"metadata", "{}"},
	{"parallel_tool_calls", "true"},
	{"prompt_cache_key", "null"},
	{"reasoning", `{"effort":null,"summary":null}`},
	{"safety_identifier", "null"},
	{"service_tier", `"default"`},
	{"store", "true"},
	{"temperature", "1"},
	{"text", `{"format":{"type":"text"},"verbosity":"medium"}`},
	{"tool_choice", `"auto"`},
	{"tools", "[]"},
	{"top_logprobs", "0"},
	{"top_p", "1"},
	{"truncation", `"disabled"`},
	{"user", "null"},
}

// object appends the response object as it stands.
func (r *responsesWriter) object(w *rawjson.Writer, status string, refusal *Refusal) {
	w.Open('{')
	w.Str("id", r.id)
	w.Str("object", "response")
	w.Int("created_at", r.created)
	w.Str("status", status)
	w.Bool("background", false)
	if refusal != nil {
		w.OpenKey("error", '{')
		w.Str("code", "server_error")
		w.Str("message", refusal.Message)
		w.Close('}')
	} else {
		w.Null("error")
	}
	if status == "incomplete" {
		w.Raw("incomplete_details", rawjson.Value(`{"reason":"max_output_tokens"}`))
	} else {
		w.Null("incomplete_details")
	}
	w.Str("model", r.in.req.model)
	w.OpenKey("output", '[')
	for _, item := range r.output {
		w.Element(item)
	}
	w.Close(']')
	w.Null("previous_response_id")
	for _, e := range responsesEchoes {
		value := rawjson.Value(e.value)
		if sent := r.in.top.get(e.key); sent.present() {
			value = rawjson.AppendCompact(nil, sent.v) // an event is one line
		}
		w.Raw(e.key, value)
	}
	if status == "in_progress" {
		w.Null("usage")
	} else {
		r.counts(w)
	}
	w.Close('}')
}

func (r *responsesWriter) counts(w *rawjson.Writer) {
	w.OpenKey("usage", '{')
	w.Int("input_tokens", int64(r.usage.in))
	w.Raw("input_tokens_details", rawjson.Value(`{"cached_tokens":0,"cache_write_tokens":0}`))
	w.Int("output_tokens", int64(r.usage.out))
	w.OpenKey("output_tokens_details", '{')
	w.Int("reasoning_tokens", int64(r.usage.thought))
	w.Close('}')
	w.Int("total_tokens", int64(r.usage.in+r.usage.out))
	w.Close('}')
}

// endOf is the status of an answer that ended.
func endOf(a *answer) string {
	if a.stop == stopLength {
		return "incomplete"
	}
	return "completed"
}

func (r *responsesWriter) unary(a *answer) {
	for _, it := range r.items(a) {
		r.output = append(r.output, r.item(it, it.text, endOf(a)))
	}
	var w rawjson.Writer
	r.object(&w, endOf(a), nil)
	r.buf = w.Buf
	r.whole(a.cut)
}

// event appends an event; fields writes what it holds besides its type and number.
func (r *responsesWriter) event(dst []byte, name string, fields func(w *rawjson.Writer)) []byte {
	w := rawjson.Writer{Buf: append(dst, "event: "+name+"\ndata: "...)}
	w.Open('{')
	w.Str("type", name)
	w.Int("sequence_number", r.sequence)
	r.sequence++
	fields(&w)
	return append(w.Buf, "}\n\n"...)
}

func (r *responsesWriter) emit(name string, fields func(w *rawjson.Writer)) {
	r.buf = r.event(r.buf, name, fields)
	r.send()
}

// state sends an event that carries the response object.
func (r *responsesWriter) state(name, status string, refusal *Refusal) {
	r.emit(name, func(w *rawjson.Writer) {
		w.Key("response")
		r.object(w, status, refusal)
	})
}

func (r *responsesWriter) streamed(a *answer) {
	r.stream()
	r.state("response.created", "in_progress", nil)
	r.state("response.in_progress", "in_progress", nil)
	for _, it := range r.items(a) {
		r.show("response.output_item.added", r.item(it, "", "in_progress"))
		r.inside(a, it)
		switch {
		case it.kind == "message" && a.cut:
			panic(http.ErrAbortHandler)
		case it.kind == "message" && a.refusal != nil:
			r.state("response.failed", "failed", a.refusal)
			return
		}
		done := r.item(it, it.text, endOf(a))
		r.show("response.output_item.done", done)
		r.output = append(r.output, done)
	}
	r.state("response."+endOf(a), endOf(a), nil)
}

// show sends an event that carries an item.
func (r *responsesWriter) show(name string, item rawjson.Value) {
	r.emit(name, func(w *rawjson.Writer) {
		w.Int("output_index", int64(len(r.output)))
		w.Raw("item", item)
	})
}

// about writes where in the answer an event belongs; index is the field that counts the
// parts of the item, "" when it has none.
func (r *responsesWriter) about(it *outItem, index string, fields func(w *rawjson.Writer)) func(w *rawjson.Writer) {
	return func(w *rawjson.Writer) {
		w.Str("item_id", it.id)
		w.Int("output_index", int64(len(r.output)))
		if index != "" {
			w.Int(index, 0)
		}
		fields(w)
	}
}

// inside sends what an item holds, piece by piece.
func (r *responsesWriter) inside(a *answer, it *outItem) {
	switch it.kind {
	case "reasoning":
		if r.in.summarized {
			r.spoken(a, it, "response.reasoning_summary_part", "response.reasoning_summary_text", "summary_index", summaryPart)
		}
	case "message":
		r.spoken(a, it, "response.content_part", "response.output_text", "content_index", textPart)
	default:
		field := argumentsOf(it.kind)
		name := "response.function_call_arguments"
		if field == "input" {
			name = "response.custom_tool_call_input"
		}
		for _, piece := range pieces(it.text) {
			r.emit(name+".delta", r.about(it, "", func(w *rawjson.Writer) { w.Str("delta", piece) }))
		}
		r.emit(name+".done", r.about(it, "", func(w *rawjson.Writer) {
			if field == "arguments" {
				w.Str("name", it.call.tool.name)
			}
			w.Str(field, it.text)
		}))
	}
}

// spoken sends a part of an item word by word. An answer that breaks off has no end.
func (r *responsesWriter) spoken(a *answer, it *outItem, part, text, index string, render func(string) rawjson.Value) {
	logprobs := func(w *rawjson.Writer) {
		if it.kind == "message" {
			w.Raw("logprobs", rawjson.Value("[]"))
		}
	}
	r.emit(part+".added", r.about(it, index, func(w *rawjson.Writer) { w.Raw("part", render("")) }))
	r.speak(a, it.text, func(dst []byte, word string) []byte {
		return r.event(dst, text+".delta", r.about(it, index, func(w *rawjson.Writer) {
			w.Str("delta", word)
			logprobs(w)
		}))
	})
	if it.kind == "message" && (a.cut || a.refusal != nil) {
		return
	}
	r.emit(text+".done", r.about(it, index, func(w *rawjson.Writer) {
		w.Str("text", it.text)
		logprobs(w)
	}))
	r.emit(part+".done", r.about(it, index, func(w *rawjson.Writer) { w.Raw("part", render(it.text)) }))
}
