package proxy

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"sync/atomic"
	"time"

	"apex-ai-proxy/proxy/apierror"
	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/event"
)

// A request is sent again where that cannot be paid for twice, and only while the client
// has seen nothing of an answer:
//
//   - when it did not reach the upstream as a whole: no connection could be had, or it broke
//     before the request was written; or a connection that had been idle broke as soon as it
//     was used, as those do that the other side gave up;
//   - when the upstream says that it has not begun: it is busy (429, 503, 529), or the
//     gateway's edge did not reach it (521, 522, 523).
//
// 502 and 504 are no such words: there somebody in the middle lost or gave up an answer that
// may have been worked on, and paid for. Nor is a connection that breaks while an answer is
// waited for. The client is told of these, and decides.

// The waits between two tries.
const (
	firstWait   = 500 * time.Millisecond // doubled with every try
	longestWait = 5 * time.Second        // an upstream that asks for more is not waited for
)

// staleWithin is how soon a connection breaks that the other side gave up while it was idle.
// Its end was on the way before the request could arrive, so it is here within one round trip:
// at most about a second, which is also how long TCP takes one to be before it knows better.
// What breaks later may have had the request, and so may, with little likelihood, what breaks
// sooner: a server that reads a request and ends within that second looks the same.
const staleWithin = time.Second

// streamError has the shape of the error with which an HTTP/2 server ends one request and keeps
// the connection. The type in net/http has no name for others, but fills any of its shape.
type streamError struct {
	StreamID uint32
	Code     uint32
	Cause    error
}

// Error implements error.
func (e streamError) Error() string { return "stream error " + strconv.Itoa(int(e.Code)) }

// refusedStream is the code of requests that the server has not looked at.
const refusedStream = 7

// notBegun are the statuses by which an upstream says that it has done nothing yet.
var notBegun = map[int]bool{
	http.StatusTooManyRequests: true, http.StatusServiceUnavailable: true, 529: true, // busy
	521: true, 522: true, 523: true, // not reached
}

// journey is how far a request has come, as the transport tells.
type journey struct {
	begun    time.Time
	idle     atomic.Bool // its connection was used before, and by nobody else now
	ready    atomic.Bool // there was a connection
	written  atomic.Bool // the whole request was written
	answered atomic.Bool // the first byte of an answer came
}

// trace makes the transport tell j about the requests that have the context.
func (j *journey) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(c httptrace.GotConnInfo) {
			j.idle.Store(c.Reused && c.WasIdle)
			j.written.Store(false) // the transport may have changed the connection
			j.ready.Store(true)
		},
		WroteRequest: func(w httptrace.WroteRequestInfo) {
			if w.Err == nil {
				j.written.Store(true)
			}
		},
		GotFirstResponseByte: func() { j.answered.Store(true) },
	})
}

// untouched tells whether nobody can have worked on a request that failed with err.
func (j *journey) untouched(err error) bool {
	var stream streamError
	switch {
	case j.answered.Load():
		return false
	case errors.As(err, &stream): // which is an answer, of a connection that lives
		return stream.Code == refusedStream
	case !j.ready.Load():
		return passing(err)
	case !j.written.Load():
		return true
	default:
		return j.idle.Load() && time.Since(j.begun) < staleWithin
	}
}

// passing tells whether a connection that could not be had may be had soon. What took its
// time already is not tried again.
func passing(err error) bool {
	var own *ir.Error
	var slow net.Error
	var name *net.DNSError
	var op *net.OpError
	switch {
	case errors.As(err, &own), errors.As(err, &slow) && slow.Timeout():
		return false
	case errors.As(err, &name):
		return !name.IsNotFound
	case errors.As(err, &op):
		return op.Op != "remote error" && op.Op != "local error" // of TLS, which stay
	default:
		return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	}
}

// again tells whether a request that failed is sent again, and waits until then. What is
// returned takes the place of the answer: it may have been read, and is nil when nobody
// waits for it any more. try counts from 0.
func (x *exchange) again(try int, j *journey, resp *http.Response, err error) (bool, *http.Response) {
	if err == nil && !notBegun[resp.StatusCode] || try >= x.cfg.Retries || x.more || x.route.Provider.Local {
		return false, resp
	}
	failed := event.Try{Model: x.target}
	hint := time.Duration(0)
	if err != nil {
		if x.ctx.Err() != nil || !j.untouched(err) {
			return false, nil
		}
		failed.Text = x.masked(apierror.FromTransport(err, x.route.Provider.Told())).Message
	} else {
		if x.repeatedElsewhere() {
			return false, resp
		}
		e, body := x.look(resp)
		var ok bool
		if hint, ok = x.busy(resp, e, body); !ok {
			return false, resp
		}
		failed.Status, failed.Text = resp.StatusCode, e.Message
	}
	failed.Why, failed.Wait = failed.Text.String(), pause(try, hint)
	if resp != nil {
		_ = resp.Body.Close()
	}
	x.watch.rest() // nothing is to come meanwhile
	if !x.s.wait(x.ctx, failed.Wait) {
		return false, nil
	}
	x.rec.Tries = append(x.rec.Tries, failed)
	x.publish(event.Waiting)
	x.s.log.Info("a request that was not begun is sent again", "id", x.id, "provider", x.route.Provider.Slug, "status", failed.Status, "after", failed.Wait)
	return true, nil
}

// repeatedElsewhere tells whether somebody else repeats a request that is turned away: the
// gateway, when it is told how often, or a client that has begun to.
func (x *exchange) repeatedElsewhere() bool {
	count := x.r.Header.Get("X-Stainless-Retry-Count") // of the vendors' own libraries
	return x.r.Header.Get("Cf-Aig-Max-Attempts") != "" || count != "" && count != "0"
}

// look reads an answer that is an error, and puts back what it read.
func (x *exchange) look(resp *http.Response) (*ir.Error, []byte) {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, apierror.MaxBody)) // an error is met again by who reads on
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(body), resp.Body), resp.Body}
	body = unzipped(body)
	return x.masked(apierror.Decode(x.answer(resp, body))), body
}

// busy tells whether an upstream that turned a request away may take it soon, and how long
// it wants to be left alone, 0 when it does not say. A limit of the gateway's own lasts, and
// so does a bill.
func (x *exchange) busy(resp *http.Response, e *ir.Error, body []byte) (hint time.Duration, ok bool) {
	hint, told := retryAfter(resp.Header)
	limited := resp.StatusCode == http.StatusTooManyRequests && apierror.FromGateway(body) && !told
	switch e.Kind {
	case ir.RateLimited, ir.Overloaded, ir.Unavailable, ir.BadGateway:
		return hint, !limited && x.shouldRetry(e) != "false" && hint <= longestWait
	default:
		return 0, false
	}
}

// retryAfter is how long an upstream wants to be left alone.
func retryAfter(h http.Header) (wait time.Duration, told bool) {
	if ms, err := strconv.ParseFloat(h.Get("Retry-After-Ms"), 64); err == nil {
		return seconds(ms / 1000), true
	}
	text := h.Get("Retry-After")
	if s, err := strconv.ParseFloat(text, 64); err == nil {
		return seconds(s), true
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(time.Until(at), 0), true
	}
	return 0, false
}

// seconds is a time that somebody else wrote; more than an hour is as good as an hour.
func seconds(s float64) time.Duration {
	if !(s > 0) { // nor a number
		return 0
	}
	return time.Duration(min(s, 3600) * float64(time.Second))
}

// pause is how long to wait before the next try: as long as the upstream asks for, or else
// longer with every try; and a little more or less, so that those who were turned away
// together do not come back together.
func pause(try int, hint time.Duration) time.Duration {
	wait := min(firstWait<<min(try, 10), longestWait)
	some := rand.N(wait) //nolint:gosec // nobody gains by guessing it
	if hint > 0 {
		return hint + some/4
	}
	return wait/2 + some
}

// lasts waits, and tells whether ctx lasted that long.
func lasts(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
