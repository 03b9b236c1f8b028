package proxy

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"

	"apex-ai-proxy/proxy/apierror"
	"apex-ai-proxy/proxy/convert"
	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/prose"
	"apex-ai-proxy/proxy/provider"
	"apex-ai-proxy/proxy/rawjson"
	"apex-ai-proxy/proxy/spent"
	"apex-ai-proxy/proxy/sse"
)

// pass brings a request to an upstream that speaks the client's own protocol. Only the
// model is replaced, and what the provider is known to refuse.
func (x *exchange) pass(address string, q *provider.Request) error {
	resp, err := x.send(withQuery(address, x.r.URL.RawQuery), x.passed(q)...)
	if err != nil {
		return x.unlessGone(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return x.passError(resp)
	}
	win := newWindow()
	defer win.free()
	buf := win.bytes()
	form := shapeOf(resp.Header)
	// The first bytes decide: what is called a stream may be an error all the same.
	n, err := begin(resp.Body, buf)
	if form == shapeStream && q.Stream && n > 0 && sniff(buf[:n]) != shapeJSON && isEvents(buf[:n]) {
		if e := x.failsAtOnce(resp, buf[:n]); e != nil {
			x.convertHeaders(resp.Header)
			return e
		}
		return x.passStream(resp, win, n)
	}
	if form == shapeStream {
		form = shapeUnknown
	}
	if err == nil {
		n, err = fill(resp.Body, buf, n, form == shapeUnknown)
	}
	head := buf[:n]
	if err != nil && !errors.Is(err, io.EOF) {
		return x.unlessGone(x.cutShort(err))
	}
	if form != shapeStream {
		form = sniff(head) // what it is counts, not what it is called
	}
	switch {
	case form == shapeStream && q.Stream:
		if e := x.failsAtOnce(resp, head); e != nil {
			x.convertHeaders(resp.Header)
			return e
		}
		return x.passStream(resp, win, n)
	case form == shapeStream:
		x.convertHeaders(resp.Header)
		return x.same(q).collect(resp.Body, buf, n, err)
	case form != shapeJSON:
		x.convertHeaders(resp.Header)
		return x.nonsense(resp, head)
	case q.Stream:
		x.convertHeaders(resp.Header)
		t := x.same(q)
		t.enc = x.codec.NewStreamEncoder(t.reply)
		return t.whole(resp, head, true)
	}
	return x.passUnary(resp, buf, n, errors.Is(err, io.EOF))
}

// passed is the body of a request that passes through, in pieces.
func (x *exchange) passed(q *provider.Request) [][]byte {
	model, quirks := x.route.WireModel(), x.route.Provider.Quirks
	var body [][]byte
	if q.Tagged {
		body = [][]byte{convert.StripForeign(x.client, q.Rewrite(model, quirks))}
	} else {
		body = q.Pieces(model, quirks)
	}
	if len(body) == 1 && &body[0][0] == &q.Body[0] {
		x.body.keep() // the transport may read on when the exchange has ended
	}
	return body
}

// unlessGone turns the error of a client that went away into its record.
func (x *exchange) unlessGone(err error) error {
	if errors.Is(err, errGone) {
		x.gone()
		return nil
	}
	return err
}

// failsAtOnce is the error that a stream begins with, so that the client can have its
// status, nil when it begins with anything else. Only whole events among the first bytes
// are looked at.
func (x *exchange) failsAtOnce(resp *http.Response, head []byte) *ir.Error {
	head = head[:lastEvent(head)]
	if markError.index(head) < 0 {
		return nil
	}
	var e *ir.Error
	first := true
	var p sse.Parser
	_ = p.Feed(head, func(f sse.Frame) {
		t := readFrame(f)
		if first && (t.err != nil || t.kind == "error") {
			e = apierror.FromSuccess(x.answer(resp, f.Data))
		}
		first = false
	})
	return e
}

// cutShort is the error for an answer that ended early, or errGone.
func (x *exchange) cutShort(err error) error {
	e := x.broken(err)
	if e == nil {
		return errGone
	}
	if e.Kind == ir.BadGateway {
		e.Message = prose.New("%s broke off in the middle of its answer", x.route.Provider.Told())
	}
	return e
}

// begin reads the first bytes, however many come.
func begin(r io.Reader, buf []byte) (n int, err error) {
	for n == 0 && err == nil {
		n, err = r.Read(buf)
	}
	return n, err
}

// fill reads on, behind the first n bytes, until buf is full or the body ends. once stops
// as soon as it looks like a stream, so that it is not held up.
func fill(r io.Reader, buf []byte, n int, once bool) (int, error) {
	var err error
	for n < len(buf) && err == nil && (!once || sniff(buf[:n]) != shapeStream) {
		var m int
		m, err = r.Read(buf[n:])
		n += m
	}
	return n, err
}

// answer describes an upstream's answer for package apierror.
func (x *exchange) answer(resp *http.Response, body []byte) apierror.Answer {
	p := &x.route.Provider
	return apierror.Answer{
		Status: resp.StatusCode, Header: resp.Header, Body: body, Provider: p.Title,
		ClientKey: x.key.provider != "",
		Stored:    x.key.provider == "" && x.cfg.Keys[p.Slug].Own == "" && !p.GatewayKey,
		Secrets:   x.secrets(),
	}
}

var gzipped = []byte{0x1f, 0x8b}

// refusal reads an answer that is an error.
func (x *exchange) refusal(resp *http.Response) (*ir.Error, []byte, error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, apierror.MaxBody))
	if err != nil && x.r.Context().Err() != nil && x.broken(err) == nil {
		return nil, nil, errGone
	}
	body = unzipped(body)
	return apierror.Decode(x.answer(resp, body)), body, nil
}

// unzipped is the body of an error that may be compressed though no header says so.
func unzipped(body []byte) []byte {
	if bytes.HasPrefix(body, gzipped) {
		if plain, err := decode("gzip", body, maxFailure); err == nil {
			return plain.buf
		}
	}
	return body
}

// passError hands an error on as it is when the client can read it and it tells nothing
// that must be explained or hidden; otherwise it is told anew.
func (x *exchange) passError(resp *http.Response) error {
	e, body, err := x.refusal(resp)
	if err != nil {
		return x.unlessGone(err)
	}
	masked := apierror.MaskJSON(body, x.secrets()...)
	if x.more && transient(e) {
		return e
	}
	misled := x.alias != "" && e.Kind == ir.ModelNotFound && !aboutThread(e)
	same := e.Kind != ir.UpstreamCredential && !misled && !apierror.FromGateway(body) && apierror.IsEnvelope(masked, x.client)
	if !same {
		x.convertHeaders(resp.Header)
		return e
	}
	x.passHeaders(resp.Header)
	setIf(x.w.Header(), "X-Should-Retry", e.ShouldRetry)
	x.note(e)
	h := x.w.Header()
	h["Content-Length"] = []string{strconv.Itoa(len(masked))}
	x.commit(resp.StatusCode)
	x.write(masked)
	return nil
}

// nonsense is the error for a successful answer that no client could read.
func (x *exchange) nonsense(resp *http.Response, head []byte) error {
	e := apierror.Decode(x.answer(resp, head))
	e.Kind, e.Status = ir.BadGateway, http.StatusBadGateway
	return e
}

// passUnary hands on a whole answer, of which the first n bytes are in buf.
func (x *exchange) passUnary(resp *http.Response, buf []byte, n int, whole bool) error {
	obs := observer{proto: x.client}
	if e := x.failsAfterAll(resp, buf[:n], whole); e != nil {
		x.convertHeaders(resp.Header)
		return e
	}
	x.passHeaders(resp.Header)
	x.names = x.renamer(false)
	head := x.names.rename(buf[:n])
	switch h := x.w.Header(); {
	case whole:
		h["Content-Length"] = []string{strconv.Itoa(len(head))}
	case resp.ContentLength >= 0 && x.names.settled():
		h["Content-Length"] = []string{strconv.FormatInt(resp.ContentLength+int64(len(head)-n), 10)}
	}
	x.commit(resp.StatusCode)
	x.progress(x.watch.sinceStart())
	if !x.write(head) {
		x.gone()
		return nil
	}
	if whole {
		obs.unary(buf[:n])
		x.rec.Tokens = obs.tokens
		return nil
	}
	return x.copyRest(resp.Body, buf, &obs)
}

// maxFailure bounds an error that is told with the status of a success.
const maxFailure = 1 << 20

// failsAfterAll is the error that an answer with the status of a success holds, or is: one
// that does not end as JSON does, or that was cut off where nothing but the end of the
// connection marks its end.
func (x *exchange) failsAfterAll(resp *http.Response, head []byte, whole bool) *ir.Error {
	if whole {
		if apierror.MayFail(head) {
			if e := apierror.FromSuccess(x.answer(resp, head)); e != nil {
				return e
			}
		}
		lengthless := resp.ProtoMajor == 1 && resp.ContentLength < 0 && len(resp.TransferEncoding) == 0
		if !ends(head) || lengthless && rawjson.Valid(bytes.TrimPrefix(head, bom)) != nil {
			return &ir.Error{Kind: ir.BadGateway, Code: "upstream_error", Message: prose.New("%s broke off in the middle of its answer", x.route.Provider.Told())}
		}
		return nil
	}
	if !apierror.StartsAsError(head) {
		return nil
	}
	more, _ := io.ReadAll(io.LimitReader(resp.Body, maxFailure)) // a failure is met again below
	if e := apierror.FromSuccess(x.answer(resp, append(head[:len(head):len(head)], more...))); e != nil {
		return e
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(more), resp.Body), resp.Body}
	return nil
}

// ends tells whether a JSON text may end so.
func ends(b []byte) bool {
	b = bytes.TrimRight(b, " \t\r\n")
	return len(b) > 0 && (b[len(b)-1] == '}' || b[len(b)-1] == ']')
}

// tailSize is how much of the end of a long answer is looked at for token counts.
const tailSize = 8 << 10

// copyRest hands on the rest of an answer that is longer than the buffer.
func (x *exchange) copyRest(body io.Reader, buf []byte, obs *observer) error {
	tail := append(make([]byte, 0, 2*tailSize), buf[len(buf)-tailSize:]...)
	for {
		spent.Bytes(buf)
		n, err := body.Read(buf)
		if n > 0 {
			x.progress(x.watch.sinceStart())
			if !x.write(x.names.rename(buf[:n])) {
				x.gone()
				return nil
			}
			tail = append(tail, buf[max(0, n-tailSize):n]...)
			if len(tail) > tailSize {
				tail = append(tail[:0], tail[len(tail)-tailSize:]...)
			}
		}
		switch {
		case err == io.EOF:
			obs.unary(tail)
			x.rec.Tokens = obs.tokens
			return nil
		case err != nil:
			e := x.cutShort(err)
			if errors.Is(e, errGone) {
				x.gone()
				return nil
			}
			x.fail(e)
			panic(http.ErrAbortHandler) // half an answer must not look like a whole one
		}
	}
}
