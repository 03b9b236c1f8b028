package proxy

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"

	"apex-ai-proxy/proxy/apierror"
	"apex-ai-proxy/proxy/convert"
	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/proxy/prose"
	"apex-ai-proxy/proxy/provider"
	"apex-ai-proxy/proxy/sse"
)

// passStream hands a stream on, read by read; held bytes of it are in the window already. Only
// whole events are written, so that an error can still be told when the upstream breaks
// off in the middle of one.
func (x *exchange) passStream(resp *http.Response, win *window, held int) error {
	x.passHeaders(resp.Header)
	x.streamHeaders()
	x.commit(resp.StatusCode)
	_ = x.rc.Flush()
	x.names = x.renamer(true)
	obs := observer{proto: x.client}
	buf, filled := win.bytes(), held
	if held > 0 {
		held = x.forward(buf, held, &obs)
	}
	for held >= 0 {
		buf = win.next(held, filled)
		n, err := resp.Body.Read(buf[held:])
		filled = held + n
		if n > 0 {
			if held = x.forward(buf, filled, &obs); held < 0 {
				break
			}
		}
		if err != nil {
			x.rec.Tokens = obs.counted()
			return x.endStream(err, buf[:held], &obs)
		}
	}
	x.rec.Tokens = obs.counted()
	x.gone()
	return nil
}

// forward writes the whole events among the first n bytes of buf and moves the rest to
// its start. It returns how much is left, or -1 when the client is gone.
func (x *exchange) forward(buf []byte, n int, obs *observer) int {
	end := lastEvent(buf[:n])
	if end == 0 && n == bufferSize {
		end = n // an event larger than any window
	}
	if end > 0 {
		obs.stream(buf[:end])
		if !x.write(x.names.rename(x.cleaned(buf[:end], obs))) || x.rc.Flush() != nil {
			return -1
		}
		x.rec.Tokens = obs.counted()
		copy(buf, buf[end:n])
	}
	x.progress(x.watch.sinceStart())
	return n - end
}

// cleaned is a piece of a stream without the secrets that its errors hold, and without
// errors that are none: to some clients of the Chat protocol a member "error" is a failure
// even when it is null. What the model says is never touched.
func (x *exchange) cleaned(b []byte, obs *observer) []byte {
	if !obs.isErr && !obs.noErr {
		return b
	}
	obs.noErr = false
	secrets := x.secrets()
	var out []byte
	for line := range bytes.Lines(b) {
		data, ok := bytes.CutPrefix(line, []byte("data:"))
		t := told{}
		if ok && markError.index(data) >= 0 {
			t = readFrame(sse.Frame{Data: data})
		}
		end := bytes.TrimRight(data, "\r\n")
		switch {
		case t.failed() && x.client == ir.OpenAIChat && !t.plain:
			// Inside a choice, or told by its type: clients of this protocol would miss it.
			e := x.masked(&ir.Error{Kind: ir.Internal, Code: "upstream_error", Message: x.failure(t.reason())})
			_, body := x.codec.EncodeError(e, x.id)
			out = append(append(out, "data: "...), body...)
			line = data[len(end):]
		case t.failed():
			out = append(append(out, "data:"...), apierror.MaskJSON(end, secrets...)...)
			line = data[len(end):]
		case t.noErr:
			out = append(append(out, "data:"...), provider.Without(end, "error")...)
			line = data[len(end):]
		}
		out = append(out, line...)
	}
	return out
}

// counted are the tokens so far: as reported, or, as long as nothing of the answer's are, about
// one per event, which is an estimate and stays one where the stream ends without a report.
func (o *observer) counted() event.Tokens {
	t := o.tokens
	if t.Known && (t.Output > 0 || o.ended) {
		return t
	}
	events := o.frames
	if o.isErr {
		events-- // that tells the error
	}
	t.Output = max(events, 0)
	t.Known = t.Known && t.Output == 0
	return t
}

// lastEvent is the length of b up to the end of its last whole event, 0 when it has none.
func lastEvent(b []byte) int {
	for i := len(b) - 1; i > 0; i-- {
		switch b[i] {
		case '\n':
			p := i - 1
			if b[p] == '\r' {
				p--
			}
			if p >= 0 && (b[p] == '\n' || b[p] == '\r') {
				return i + 1
			}
		case '\r':
			if b[i-1] == '\n' || b[i-1] == '\r' {
				return i + 1
			}
		}
	}
	return 0
}

// firstEvent is the length of b up to the end of its first event, 0 when it has none.
func firstEvent(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch {
		case b[i] == '\n' && (b[i-1] == '\n' || b[i-1] == '\r' && i > 1 && (b[i-2] == '\n' || b[i-2] == '\r')),
			b[i] == '\r' && b[i-1] == '\r',
			b[i] == '\r' && b[i-1] == '\n' && (i+1 == len(b) || b[i+1] != '\n'):
			return i + 1
		}
	}
	return 0
}

// endStream ends a stream that passes through: as it is when the upstream told its end,
// with the protocol's own error when it did not.
func (x *exchange) endStream(err error, tail []byte, obs *observer) error {
	mid, sent := obs.mid, obs.seq // half an event has been sent, and so many before
	if len(tail) > 0 && errors.Is(err, io.EOF) {
		obs.stream(tail)
		if obs.ended || x.route.Provider.Dialect.LenientEOF {
			x.write(x.names.rename(x.cleaned(tail, obs)))
			_ = x.rc.Flush()
		}
	}
	lenient := errors.Is(err, io.EOF) && (obs.ended || x.route.Provider.Dialect.LenientEOF)
	if obs.isErr {
		x.note(&ir.Error{Kind: ir.Internal, Code: "upstream_error", Message: x.failure(obs.failed)})
		return nil
	}
	if lenient || obs.closed {
		return nil
	}
	var e *ir.Error
	stopping := errors.Is(context.Cause(x.ctx), errStopping) // the upstream may have heard of it first
	if errors.Is(err, io.EOF) && !stopping {
		e = &ir.Error{Kind: ir.BadGateway, Code: "upstream_error", Message: prose.New("%s ended its stream early", x.route.Provider.Told())}
	} else if cut := x.cutShort(err); !errors.As(cut, &e) || errors.Is(cut, errGone) {
		x.gone()
		return nil
	}
	if mid {
		x.write(blankLine)
	}
	reply := ir.Reply{Model: x.rec.ModelAsked, ID: replyID(x.id), Created: x.rec.Start.Unix(), Sequence: sent}
	if obs.id != "" {
		reply.ID = obs.id
	}
	x.failStream(x.codec.NewStreamEncoder(reply), e)
	return nil
}

// failure is what an upstream said of its error inside a stream.
func (x *exchange) failure(said string) prose.Text {
	if said == "" {
		return prose.New("%s reported an error in its stream", x.route.Provider.Told())
	}
	return prose.Verbatim(said)
}

// failStream ends a stream with an error of the client's protocol.
func (x *exchange) failStream(enc convert.StreamEncoder, e *ir.Error) {
	x.note(e)
	x.write(enc.Append(nil, &ir.Event{Kind: ir.Failure, Err: e}))
	_ = x.rc.Flush()
}

var (
	mediaStream = []string{"text/event-stream; charset=utf-8"}
	noCache     = []string{"no-cache, no-transform"}
	no          = []string{"no"}
)

// streamHeaders are those of every stream.
func (x *exchange) streamHeaders() {
	h := x.w.Header()
	h["Content-Type"], h["Cache-Control"], h["X-Accel-Buffering"] = mediaStream, noCache, no
}
