package proxy

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"apex-ai-proxy/proxy/apierror"
	"apex-ai-proxy/proxy/convert"
	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/proxy/provider"
	"apex-ai-proxy/proxy/rawjson"
	"apex-ai-proxy/proxy/remedy"
	"apex-ai-proxy/proxy/sse"
	"apex-ai-proxy/proxy/thoughts"
)

// translate brings a request to an upstream of another protocol, and the answer back.
// from reads the request.
func (x *exchange) translate(address string, q *provider.Request, from convert.Codec) error {
	req, losses, err := from.DecodeRequest(q.Body)
	if err != nil {
		return err
	}
	kept := x.recall(req)
	x.session(req)
	up := convert.For(x.up)
	resp, enc, err := x.ask(address, up, req, losses)
	if err != nil {
		return x.unlessGone(err)
	}
	defer resp.Body.Close()
	source := ir.SourceOf(req, &enc, x.route.Provider.Dialect.LenientEOF)
	t := &translation{x: x, up: up, restore: ir.RestorerFor(&enc), source: source, losses: enc.Losses, kept: kept, reply: ir.Reply{
		Model: q.Model, ID: replyID(x.id), Created: x.rec.Start.Unix(),
		IncludeUsage: req.IncludeUsage, InputEstimate: estimate(req), Request: req,
	}}
	return t.answer(resp, req.Stream)
}

// ask sends a request in the upstream's protocol and returns the answer, which is no
// refusal. A request that is refused for what could be otherwise is changed and sent once
// more: nothing has been written to the client yet. losses are those of reading it; those
// of what was sent come with it.
func (x *exchange) ask(address string, up convert.Codec, req *ir.Request, losses ir.Losses) (*http.Response, ir.Encoded, error) {
	model := remedy.Model{Provider: x.route.Provider.Slug, Model: x.route.Model, Protocol: x.up}
	draft := x.s.book.Draft(model, req, x.route.Target())
	first, err := x.encode(up, draft, losses)
	if err != nil {
		return nil, first, err
	}
	told := len(x.rec.Warnings)
	x.warnings(first.Losses)
	resp, refused, err := x.taken(address, first.Body)
	if err != nil || refused == nil {
		return resp, first, err
	}
	if !remedy.Refused(refused.Status) {
		return nil, first, refused
	}
	learned, ok := draft.Cure(refused.Message)
	if !ok {
		return nil, first, refused
	}
	second, err := x.encode(up, draft, losses)
	if err != nil || bytes.Equal(second.Body, first.Body) {
		return nil, first, refused
	}
	x.s.log.Info("a refused request is changed and sent again", "id", x.id, "provider", model.Provider, "model", model.Model)
	x.rec.Warnings = slices.Clone(x.rec.Warnings[:told]) // what is published is not written to
	x.warnings(second.Losses)
	resp, refused, err = x.taken(address, second.Body)
	switch {
	case err != nil:
		return nil, second, err
	case refused != nil:
		return nil, second, refused
	}
	x.s.book.Learn(model, learned)
	return resp, second, nil
}

// encode writes a draft. Its losses are all there are: of reading, changing and writing.
// A client of the upstream's own protocol may have sent fields that the provider refuses.
func (x *exchange) encode(up convert.Codec, d *remedy.Draft, losses ir.Losses) (ir.Encoded, error) {
	enc, err := up.EncodeRequest(d.Req, d.Target)
	if quirks := x.route.Provider.Quirks; err == nil && d.Req.Origin == x.up && !quirks.None() {
		q, perr := provider.Peek(enc.Body)
		if perr != nil {
			return enc, perr
		}
		enc.Body = q.Rewrite(q.Model, quirks)
	}
	enc.Losses = slices.Concat(losses, d.Losses, enc.Losses)
	return enc, err
}

// taken sends a request. refused is the upstream's error when it does not take it.
func (x *exchange) taken(address string, body []byte) (resp *http.Response, refused *ir.Error, err error) {
	resp, err = x.send(address, body)
	if err != nil {
		return nil, nil, err
	}
	x.convertHeaders(resp.Header)
	if resp.StatusCode >= 200 && resp.StatusCode <= 299 {
		return resp, nil, nil
	}
	defer resp.Body.Close()
	refused, _, err = x.refusal(resp)
	return nil, refused, err
}

// replyID is what stands for an id that an upstream did not give.
func replyID(id string) string { return id[len("req_"):] }

// estimate is about how many tokens the text of a request has.
func estimate(req *ir.Request) int64 {
	n := 0
	for i := range req.System {
		n += len(req.System[i].Text)
	}
	for i := range req.Turns {
		for j := range req.Turns[i].Parts {
			p := &req.Turns[i].Parts[j]
			n += len(p.Text) + len(p.Call.Args) + len(p.Call.Input)
			for k := range p.Reply.Parts {
				n += len(p.Reply.Parts[k].Text)
			}
		}
	}
	for i := range req.Tools {
		n += len(req.Tools[i].Description) + len(req.Tools[i].Schema)
	}
	return int64(n/4) + 1
}

// translation turns one upstream's answer into the client's protocol.
type translation struct {
	x     *exchange
	up    convert.Codec
	reply ir.Reply
	// restore undoes in the answer what encoding the request did to tools.
	restore *ir.Restorer
	source  ir.Source
	losses  ir.Losses // of the request
	kept    *thoughts.Collector

	// Of a stream:
	mu      sync.Mutex // held while the fields below or the client's connection are used
	dec     convert.StreamDecoder
	enc     convert.StreamEncoder
	parser  sse.Parser
	out     []byte
	deltas  int64
	chars   int64     // bytes of text given out
	size    int64     // about how much memory the answer takes that is told again at its end, in bytes
	counted bool      // the usage is told, or guessed
	cause   *ir.Error // why the upstream's stream broke, when known better than by its decoder
	failure *ir.Error
}

// answer reads the upstream's answer in the form it came in and writes it in the form
// the client asked for.
func (t *translation) answer(resp *http.Response, stream bool) error {
	x := t.x
	if !stream {
		return t.read(resp, false)
	}
	t.dec = t.up.NewStreamDecoder(t.source)
	t.enc = x.codec.NewStreamEncoder(t.reply)
	x.watch.keepAlive(keepAliveAfter, t.keepAlive)
	err := t.read(resp, true)
	x.watch.stop() // from here on nobody else writes
	if err == nil || !x.committed {
		return x.unlessGone(err)
	}
	var e *ir.Error
	if errors.Is(err, errGone) || !errors.As(err, &e) {
		return x.unlessGone(err)
	}
	x.failStream(t.enc, e)
	return nil
}

func (t *translation) read(resp *http.Response, stream bool) error {
	x := t.x
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	n, err := fill(resp.Body, *buf, 0, true)
	if err != nil && !errors.Is(err, io.EOF) {
		return x.cutShort(err)
	}
	switch form := sniff((*buf)[:n]); {
	case form == shapeStream && stream:
		return t.stream(resp.Body, *buf, n, err)
	case form == shapeStream:
		return t.collect(resp.Body, *buf, n, err)
	case form != shapeJSON:
		return x.nonsense(resp, (*buf)[:n])
	default:
		return t.whole(resp, (*buf)[:n], stream)
	}
}

// stream converts what one read brought, writes it at once and flushes it once. n bytes
// and perhaps the end of the body have been read already.
func (t *translation) stream(body io.Reader, buf []byte, n int, err error) error {
	x := t.x
	emit := t.emit
	feed := func(f sse.Frame) { t.dec.Decode(f, emit) }
	for {
		if n > 0 {
			if e := t.take(buf[:n], feed); e != nil {
				return e
			}
		}
		switch {
		case t.dec.Done():
			drain(body, buf, x, err)
			return t.end()
		case err != nil:
			if e := t.finish(err, feed, emit); e != nil {
				return e
			}
			return t.end()
		}
		n, err = body.Read(buf)
	}
}

// take converts the next bytes of the upstream's stream.
func (t *translation) take(b []byte, feed func(sse.Frame)) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.out = t.out[:0]
	if err := t.parser.Feed(b, feed); err != nil {
		return &ir.Error{Kind: ir.BadGateway, Code: "upstream_error", Message: t.x.route.Provider.Title + ": " + err.Error()}
	}
	if err := t.tooLong(); err != nil {
		return err
	}
	return t.flush()
}

// Of an answer that comes as a stream, much is held until it ends: the text is told again
// then, or only then.
const (
	maxText  = 32 << 20 // bytes
	partSize = 512      // of a part of the answer besides its text, about
)

// weigh counts what a step adds to what is held.
func (t *translation) weigh(ev *ir.Event) {
	t.size += int64(len(ev.Text) + len(ev.Link.URL) + len(ev.Link.Title))
	if ev.Kind == ir.PartOpen || ev.Kind == ir.CitationEv {
		t.size += partSize
	}
}

// tooLong is the error for an answer without an end in sight, nil as long as there is one.
func (t *translation) tooLong() error {
	if t.size <= maxText {
		return nil
	}
	return &ir.Error{Kind: ir.BadGateway, Code: "upstream_error", Message: t.x.route.Provider.Title + " streamed more than 32 MiB of text"}
}

// finish tells the decoder that the body has ended.
func (t *translation) finish(err error, feed func(sse.Frame), emit func(*ir.Event)) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.out = t.out[:0]
	if errors.Is(err, io.EOF) {
		t.parser.Close(feed)
		t.dec.Close(nil, emit)
		return t.flush()
	}
	cut := t.x.cutShort(err)
	if errors.Is(cut, errGone) || !errors.As(cut, &t.cause) {
		return cut
	}
	t.dec.Close(err, emit)
	return t.flush()
}

// flush sends what was converted. The status is only sent once there is something to
// send, so that a stream that starts with an error can still have its status.
func (t *translation) flush() error {
	x := t.x
	if len(t.out) == 0 || t.failure != nil && !x.committed {
		return nil
	}
	t.commit()
	if !x.write(t.out) || x.rc.Flush() != nil {
		return errGone
	}
	if !t.counted {
		x.rec.Tokens.Output = t.deltas
	}
	x.progress(x.watch.sinceStart())
	return nil
}

func (t *translation) commit() {
	if !t.x.committed {
		t.x.streamHeaders()
		t.x.commit(http.StatusOK)
	}
}

// end is the outcome of a stream that has told its end or its failure.
func (t *translation) end() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.failure == nil:
		t.commit()
		return nil
	case t.x.committed:
		t.x.note(t.failure) // the client has been told
		return nil
	default:
		return t.failure
	}
}

// emit hands one step of the answer to the client's encoder.
func (t *translation) emit(ev *ir.Event) {
	t.weigh(ev)
	switch ev.Kind {
	case ir.Delta:
		t.deltas++
		t.chars += int64(len(ev.Text))
	case ir.UsageEvent:
		t.counted = true
		t.x.rec.Tokens = tokensOf(ev.Usage)
	case ir.Finish:
		if !t.counted {
			t.counted = true
			t.x.rec.Tokens = guessed(t.reply.InputEstimate, t.chars)
			t.x.recordLosses(ir.Losses{lostUsage})
			t.restore.Event(&ir.Event{Kind: ir.UsageEvent, Usage: guess(t.reply.InputEstimate, t.chars)}, t.put)
		}
	case ir.Lost: // too late for a header
		t.x.recordLosses(ir.Losses{ev.Loss})
	case ir.End:
		if ev.Created == 0 {
			ev.Created = time.Now().Unix()
		}
	case ir.Failure:
		if t.cause != nil {
			ev.Err = t.cause
		}
		e := *ev.Err
		t.failure = t.x.masked(&e)
		ev.Err = t.failure
		if !t.x.committed {
			return
		}
	default:
	}
	t.restore.Event(ev, t.put)
}

func (t *translation) put(ev *ir.Event) {
	if t.kept != nil {
		t.kept.Event(ev)
		if ev.Kind == ir.Finish {
			t.keep()
		}
	}
	t.out = t.enc.Append(t.out, ev)
}

// recall puts back into the conversation what the model thought before it called a tool,
// as far as the client has no place for it, and returns what collects it from the next
// answer; nil for clients and upstreams that need no such help.
func (x *exchange) recall(req *ir.Request) *thoughts.Collector {
	helped := x.client == ir.OpenAIChat && x.up != ir.OpenAIChat || x.up == ir.OpenAIChat && x.route.Provider.Dialect.CallProofs
	if !helped || len(req.Tools) == 0 {
		return nil
	}
	x.s.thoughts.Restore(x.clientID(), req.Turns)
	return &thoughts.Collector{}
}

// maxSession bounds a session's id that serves as a key of prompt caches, in bytes.
const maxSession = 64

// session tells OpenAI's prompt caches which requests belong together, where Claude Code
// says it. It goes to no other provider.
func (x *exchange) session(req *ir.Request) {
	if id := x.r.Header.Get("X-Claude-Code-Session-Id"); id != "" && len(id) <= maxSession && req.Meta.CacheKey == nil {
		req.Meta.CacheKey = rawjson.Escape(id)
	}
}

func (t *translation) keep() { t.kept.Keep(t.x.s.thoughts, t.x.clientID()) }

// clientID tells clients apart by the credentials they bring.
func (x *exchange) clientID() thoughts.Client {
	h := sha256.New()
	for _, name := range append([]string{"Cf-Aig-Authorization"}, keyHeaders[:]...) {
		for _, value := range x.r.Header[name] {
			_, _ = io.WriteString(h, name+": "+value+"\n") // never fails
		}
	}
	return thoughts.Client(h.Sum(nil))
}

// keepAlive sends what may be sent while nothing happens.
func (t *translation) keepAlive() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if b := t.enc.AppendKeepAlive(nil); len(b) > 0 {
		t.commit()
		t.x.write(b)
		_ = t.x.rc.Flush()
	}
}

var lostUsage = ir.Loss{Code: "usage-estimated", Why: "the upstream did not tell the usage, so it is an estimate"}

// guess is what an answer may have cost of which the upstream does not tell it: about a
// token for four characters.
func guess(input, chars int64) ir.Usage {
	return ir.Usage{Input: input, Output: (chars + 3) / 4}
}

// guessed is a guess for the record, which says that nobody knows.
func guessed(input, chars int64) event.Tokens {
	t := tokensOf(guess(input, chars))
	t.Known = false
	return t
}

// length is how much text an answer has.
func length(res *ir.Response) (chars int64) {
	for i := range res.Parts {
		p := &res.Parts[i]
		chars += int64(len(p.Text) + len(p.Call.Args) + len(p.Call.Input))
	}
	return chars
}

func tokensOf(u ir.Usage) event.Tokens {
	return event.Tokens{
		Input: u.Prompt(), CacheRead: u.CacheRead, CacheWrite: u.CacheWrite,
		Output: u.Output, Reasoning: u.Reasoning, Known: true,
	}
}

// What is read behind the end of a stream, so that its connection can be used again.
const (
	drainBytes = 64 << 10
	drainTime  = 500 * time.Millisecond
)

func drain(body io.Reader, buf []byte, x *exchange, err error) {
	if err != nil {
		return
	}
	timer := time.AfterFunc(drainTime, func() { x.cancel(nil) })
	defer timer.Stop()
	for left := drainBytes; left > 0 && err == nil; {
		var n int
		n, err = body.Read(buf)
		left -= n
	}
}

// collect makes a whole answer of a stream, for a client that wants no stream.
func (t *translation) collect(body io.Reader, buf []byte, n int, err error) error {
	x := t.x
	var c ir.Collector
	dec := t.up.NewStreamDecoder(t.source)
	add := func(ev *ir.Event) {
		if ev.Kind == ir.Failure && t.cause != nil {
			ev.Err = t.cause
		}
		t.weigh(ev)
		c.Add(ev)
	}
	feed := func(f sse.Frame) { dec.Decode(f, add) }
	for !dec.Done() {
		if e := t.parser.Feed(buf[:n], feed); e != nil {
			return &ir.Error{Kind: ir.BadGateway, Message: x.route.Provider.Title + ": " + e.Error()}
		}
		if e := t.tooLong(); e != nil {
			return e
		}
		if errors.Is(err, io.EOF) {
			t.parser.Close(feed)
			dec.Close(nil, add)
			break
		}
		if err != nil {
			cut := x.cutShort(err)
			if errors.Is(cut, errGone) {
				return x.unlessGone(cut)
			}
			return cut
		}
		n, err = body.Read(buf)
	}
	res, err := c.Result()
	if err != nil {
		var e *ir.Error
		if errors.As(err, &e) {
			own := *e
			return x.masked(&own)
		}
		return err
	}
	return t.write(res)
}

// whole converts an answer that came as one JSON object, of which head has been read.
func (t *translation) whole(resp *http.Response, head []byte, stream bool) error {
	x := t.x
	body, err := rest(resp, head)
	if err != nil {
		return x.unlessGone(x.cutShort(err))
	}
	if e := apierror.FromSuccess(x.answer(resp, body)); e != nil {
		return e
	}
	res, err := t.up.DecodeResponse(body, t.source)
	if err != nil {
		var e *ir.Error
		if !errors.As(err, &e) || e.Kind == ir.InvalidRequest {
			return &ir.Error{Kind: ir.BadGateway, Code: "upstream_error", Message: x.route.Provider.Title + " answered with something that is not an answer of its protocol"}
		}
		return err
	}
	if !stream {
		return t.write(res)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.out = t.out[:0]
	ir.Replay(res, t.emit)
	return t.flush()
}

// write sends a whole answer.
func (t *translation) write(res *ir.Response) error {
	x := t.x
	t.restore.Response(res)
	if t.kept != nil {
		t.kept.Response(res.Parts)
		t.keep()
	}
	if res.Completed == 0 {
		res.Completed = time.Now().Unix()
	}
	if res.HasUsage {
		x.rec.Tokens = tokensOf(res.Usage)
	} else {
		chars := length(res)
		x.rec.Tokens = guessed(t.reply.InputEstimate, chars)
		res.Usage, res.HasUsage = guess(t.reply.InputEstimate, chars), true
		res.Losses = append(res.Losses, lostUsage)
	}
	if len(res.Losses) > 0 {
		x.recordLosses(res.Losses)
		x.tellLosses(append(t.losses, res.Losses...))
	}
	body, err := x.codec.EncodeResponse(res, t.reply)
	if err != nil {
		return err
	}
	x.progress(x.watch.sinceStart())
	return x.json(http.StatusOK, body)
}

// rest is a whole body, of which head has been read.
func rest(resp *http.Response, head []byte) ([]byte, error) {
	size := max(resp.ContentLength, int64(len(head)))
	if size > maxAnswer {
		return nil, errAnswerTooLarge
	}
	out := make([]byte, len(head), size+1)
	copy(out, head)
	for {
		if len(out) == cap(out) {
			out = append(out, 0)[:len(out)]
		}
		n, err := resp.Body.Read(out[len(out):cap(out)])
		out = out[:len(out)+n]
		switch {
		case err == io.EOF:
			return out, nil
		case err != nil:
			return nil, err
		case len(out) > maxAnswer:
			return nil, errAnswerTooLarge
		}
	}
}

var errAnswerTooLarge = &ir.Error{Kind: ir.BadGateway, Code: "upstream_error", Message: "the upstream's answer is larger than 256 MiB"}

// same turns the form of an answer without leaving the protocol: an upstream answered a
// request for a stream with a whole answer, or the other way round.
func (x *exchange) same(q *provider.Request) *translation {
	source := ir.Source{LenientEOF: x.route.Provider.Dialect.LenientEOF}
	return &translation{x: x, up: x.codec, restore: &ir.Restorer{}, source: source, reply: ir.Reply{
		Model: q.Model, ID: replyID(x.id), Created: x.rec.Start.Unix(),
		InputEstimate: int64(len(q.Body)/4) + 1,
		IncludeUsage:  q.Field("stream_options").Get("include_usage").True(),
	}}
}
