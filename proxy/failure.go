package proxy

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"apex-ai-proxy/proxy/apierror"
	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/proxy/prose"
	"apex-ai-proxy/proxy/provider"
)

// The reasons, besides the client and a stop, for which an exchange is ended.
var (
	errUpstreamSlow = errors.New("the upstream did not answer in time")
	errStreamIdle   = errors.New("the stream was silent for too long")
	errClientSlow   = errors.New("the client took nothing for too long")
)

// broken tells why reading from the upstream ended with err; nil when the client is gone
// and nobody is left to be told.
func (x *exchange) broken(err error) *ir.Error {
	name := x.route.Provider.Told()
	if x.ctx != nil {
		switch cause := context.Cause(x.ctx); {
		case cause == nil:
		case errors.Is(cause, errStopping):
			return &ir.Error{Kind: ir.Unavailable, Code: "proxy_stopping", Message: prose.New("the proxy is being stopped")}
		case errors.Is(cause, errUpstreamSlow):
			return &ir.Error{Kind: ir.GatewayTimeout, Code: "upstream_timeout", Message: prose.New("%s did not answer within %s", name, prose.Span(x.cfg.UpstreamTimeout))}
		case errors.Is(cause, errStreamIdle):
			return &ir.Error{Kind: ir.GatewayTimeout, Code: "stream_idle", Message: prose.New("%s sent nothing for %s in the middle of its answer", name, prose.Span(x.cfg.StreamIdleTimeout))}
		case errors.Is(cause, errClientSlow):
			return x.clientSlow()
		default:
			return nil
		}
	}
	return x.masked(apierror.FromTransport(err, name))
}

func (x *exchange) clientSlow() *ir.Error {
	return &ir.Error{Kind: ir.RequestTimeout, Code: "client_idle", Message: prose.New("the client took nothing of the answer for %s", prose.Span(x.cfg.StreamIdleTimeout))}
}

// fail answers with an error in the client's own envelope. After the status was sent it
// only notes what happened: the stream has told the client.
func (x *exchange) fail(err error) {
	var e *ir.Error
	if !errors.As(err, &e) {
		e = &ir.Error{Kind: ir.Internal, Message: prose.New("the proxy could not complete the request")}
		x.s.log.Error("internal error", "id", x.id, "error", x.hide(err.Error()))
	}
	x.note(e)
	if x.committed {
		return
	}
	if x.bytes == nil && x.rec.ClientProtocol == "" { // nothing of it has been read
		x.rec.Refused = true
		x.bytes = x.cfg.Captures.OpenRefused(x.id)
		x.rec.Captured = x.bytes != nil
	}
	e = x.explained(e)
	h := x.w.Header()
	setIf(h, "Retry-After", e.RetryAfter)
	setIf(h, "Retry-After-Ms", e.RetryAfterMS)
	setIf(h, "X-Should-Retry", x.shouldRetry(e))
	if e.Kind == ir.TooLarge || e.Code == slowBody {
		h.Set("Connection", "close")
	}
	if e.Kind == ir.TooLarge {
		defer x.linger()
		_ = x.rc.EnableFullDuplex() // or the body could not be read any more after the answer
	}
	status, body := x.codec.EncodeError(e, x.id)
	_ = x.json(status, body)
}

// How much of a body that is too large is taken after it was refused.
const (
	lingerTime  = 5 * time.Second
	lingerBytes = 256 << 20
)

// linger takes what the client goes on sending: were the connection closed at once, most
// clients would see it reset before they see the answer.
func (x *exchange) linger() {
	_ = x.rc.Flush()
	_ = x.rc.SetReadDeadline(time.Now().Add(lingerTime))
	_, _ = io.CopyN(io.Discard, x.r.Body, lingerBytes)
}

// shouldRetry keeps SDKs from repeating what cannot succeed.
func (x *exchange) shouldRetry(e *ir.Error) string {
	if e.ShouldRetry == "" && (e.Kind == ir.UpstreamCredential || e.Kind == ir.QuotaExceeded || e.Kind == ir.Billing || e.Kind == ir.NotImplemented) {
		return "false"
	}
	return e.ShouldRetry
}

func setIf(h http.Header, name, value string) {
	if value != "" {
		h.Set(name, value)
	}
}

// note keeps the error for the record.
func (x *exchange) note(e *ir.Error) {
	x.rec.Phase = event.Failed
	x.rec.ErrorText = e.Told().Map(func(s string) string { return brief(apierror.Mask(s, x.secrets()...), maxRecordedError) })
	x.rec.Error = x.rec.ErrorText.String()
	x.rec.ErrorKind = kindName(e.Kind)
	if word(e.Code) && apierror.Mask(e.Code, x.secrets()...) == e.Code {
		x.rec.ErrorKind = e.Code
	}
}

// word tells whether an upstream's code is fit for a record: short, and a word.
func word(s string) bool {
	for _, c := range []byte(s) {
		if c != '_' && c != '-' && c != '.' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return s != "" && len(s) <= 40
}

// gone notes that the client went away, or was sent away because it took nothing.
func (x *exchange) gone() {
	if x.ctx != nil && x.watch.sentAway() {
		x.note(x.clientSlow())
		return
	}
	x.rec.Phase = event.Cancelled
}

var kindNames = map[ir.ErrorKind]string{
	ir.Internal: "internal", ir.InvalidRequest: "invalid_request", ir.Unsupported: "unsupported",
	ir.ContextTooLong: "context_too_long", ir.ContentPolicy: "content_policy", ir.Unauthenticated: "unauthenticated",
	ir.UpstreamCredential: "upstream_credential", ir.Billing: "billing", ir.Forbidden: "forbidden",
	ir.ModelNotFound: "model_not_found", ir.PathNotFound: "path_not_found", ir.MethodNotAllowed: "method_not_allowed",
	ir.RequestTimeout: "request_timeout", ir.Conflict: "conflict", ir.TooLarge: "too_large",
	ir.UnsupportedMedia: "unsupported_media", ir.Unprocessable: "unprocessable", ir.RateLimited: "rate_limited",
	ir.QuotaExceeded: "quota_exceeded", ir.NotImplemented: "not_implemented", ir.BadGateway: "bad_gateway",
	ir.Unavailable: "unavailable", ir.Overloaded: "overloaded", ir.GatewayTimeout: "gateway_timeout",
	ir.OtherClient: "client_error", ir.OtherServer: "server_error",
}

func kindName(k ir.ErrorKind) string { return kindNames[k] }

// noEmbeddings is the refusal for a provider without an API for embeddings.
func noEmbeddings(p *provider.Provider) *ir.Error {
	var others []string
	for _, other := range provider.All() {
		if other.Speaks(ir.OpenAIEmbeddings) {
			others = append(others, other.Slug)
		}
	}
	return ir.Refused("model", "%s has no embeddings: use a model of %s", p.Told(), strings.Join(others, ", "))
}

// notSetUp is the code of an error about something the user has not set up.
const notSetUp = "not_configured"

func notConfigured(format string, args ...any) *ir.Error {
	return &ir.Error{Kind: ir.UpstreamCredential, Code: notSetUp, Message: prose.New(format, args...), ShouldRetry: "false"}
}
