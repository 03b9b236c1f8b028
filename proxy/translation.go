package proxy

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"apex-ai-proxy/proxy/apierror"
	"apex-ai-proxy/proxy/convert"
	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/proxy/prose"
	"apex-ai-proxy/proxy/provider"
	"apex-ai-proxy/proxy/spent"
	"apex-ai-proxy/proxy/sse"
	"apex-ai-proxy/proxy/thoughts"
)

// translation turns one upstream's answer into the client's protocol.
type translation struct {
	up     convert.Codec
	reply  ir.Reply
	source ir.Source
	losses ir.Losses // of the request

	x *exchange
	// restore undoes in the answer what encoding the request did to tools.
	restore *ir.Restorer
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
	over    bool      // nothing more is sent to keep the stream alive
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
	err := t.readAlive(resp)
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

// readAlive reads an answer whose client is kept from taking it for dead meanwhile. After it
// returns nobody else writes.
func (t *translation) readAlive(resp *http.Response) error {
	t.x.watch.keepAlive(t.x.s.aliveAfter, t.keepAlive)
	defer func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.over = true
	}()
	return t.read(resp, true)
}

func (t *translation) read(resp *http.Response, stream bool) error {
	x := t.x
	win := newWindow()
	defer win.free()
	buf := win.bytes()
	n, err := fill(resp.Body, buf, 0, true)
	if err != nil && !errors.Is(err, io.EOF) {
		return x.cutShort(err)
	}
	switch form := sniff(buf[:n]); {
	case form == shapeStream && stream:
		return t.stream(resp.Body, win, n, err)
	case form == shapeStream:
		return t.collect(resp.Body, buf, n, err)
	case form != shapeJSON:
		return x.nonsense(resp, buf[:n])
	default:
		return t.whole(resp, buf[:n], stream)
	}
}

// stream converts what one read brought, writes it at once and flushes it once. n bytes
// and perhaps the end of the body have been read already.
func (t *translation) stream(body io.Reader, win *window, n int, err error) error {
	x, buf := t.x, win.bytes()
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
		buf = win.next(0, n)
		n, err = body.Read(buf)
	}
}

// take converts the next bytes of the upstream's stream.
func (t *translation) take(b []byte, feed func(sse.Frame)) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.out = spent.Empty(t.out)
	if err := t.parser.Feed(b, feed); err != nil {
		return t.unreadable(err)
	}
	if t.size > maxText {
		return t.tooLong()
	}
	return t.flush()
}

func (t *translation) unreadable(err error) error {
	return &ir.Error{Kind: ir.BadGateway, Code: "upstream_error", Message: prose.New("%s: %s", t.x.route.Provider.Told(), prose.Of(err))}
}

// Of an answer that comes as a stream, much is held until it ends: the text is told again
// then, or only then.
const (
	maxText  = 32 << 20 // bytes
	partSize = 512      // of a part of the answer besides its text, about
)

// weigh counts what a step adds to what is held.
func (t *translation) weigh(ev *ir.Event) {
	t.size += int64(len(ev.Text))
	if ev.Kind == ir.PartOpen || ev.Kind == ir.CitationEv {
		t.size += int64(partSize + len(ev.Link.URL) + len(ev.Link.Title))
	}
}

// tooLong is the error for an answer without an end in sight, nil as long as there is one.
func (t *translation) tooLong() error {
	if t.size <= maxText {
		return nil
	}
	return &ir.Error{Kind: ir.BadGateway, Code: "upstream_error", Message: prose.New("%s streamed more than 32 MiB of text", t.x.route.Provider.Told())}
}

// finish tells the decoder that the body has ended.
func (t *translation) finish(err error, feed func(sse.Frame), emit func(*ir.Event)) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.out = spent.Empty(t.out)
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
	default:
		if !t.note(ev) {
			return
		}
	}
	t.restore.Event(ev, t.put)
}

// note takes what a step besides the text means for the record, and tells whether the client
// is told the step.
func (t *translation) note(ev *ir.Event) bool {
	switch ev.Kind {
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
		return t.x.committed
	default:
	}
	return true
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

func (t *translation) keep() { t.kept.Keep(t.x.s.thoughts, t.x.clientID()) }

// keepAlive sends what may be sent while nothing happens, and nothing while somebody writes.
func (t *translation) keepAlive() {
	if !t.mu.TryLock() {
		return
	}
	defer t.mu.Unlock()
	if t.over {
		return
	}
	if b := t.enc.AppendKeepAlive(nil); len(b) > 0 {
		t.commit()
		t.x.write(b)
		_ = t.x.rc.Flush()
	}
}

var lostUsage = ir.Loss{Code: "usage-estimated", Why: prose.New("the provider did not report token usage; the numbers are an estimate")}

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
			return &ir.Error{Kind: ir.BadGateway, Message: prose.New("%s: %s", x.route.Provider.Told(), prose.Of(e))}
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
		spent.Bytes(buf[:n])
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
	switch {
	case errors.Is(err, errTooLarge):
		return &ir.Error{Kind: ir.BadGateway, Code: "upstream_error", Message: prose.New("%s sent an answer larger than 64 MiB", x.route.Provider.Told())}
	case err != nil:
		return x.unlessGone(x.cutShort(err))
	}
	if e := apierror.FromSuccess(x.answer(resp, body)); e != nil {
		return e
	}
	res, err := t.up.DecodeResponse(body, t.source)
	if err != nil {
		var e *ir.Error
		if !errors.As(err, &e) || e.Kind == ir.InvalidRequest {
			return &ir.Error{Kind: ir.BadGateway, Code: "upstream_error", Message: prose.New("%s sent an answer that is not valid in its protocol", x.route.Provider.Told())}
		}
		return err
	}
	if !stream {
		return t.write(res)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.out = spent.Empty(t.out)
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

// rest is a whole body, of which head has been read, or errTooLarge.
func rest(resp *http.Response, head []byte) ([]byte, error) {
	size := max(resp.ContentLength, int64(len(head)))
	if size > maxAnswer {
		return nil, errTooLarge
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
			return nil, errTooLarge
		}
	}
}

var errTooLarge = errors.New("more than is held of an answer")

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
