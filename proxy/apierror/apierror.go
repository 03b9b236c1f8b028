// Package apierror reads what upstreams answer when something is wrong, whatever it
// looks like, and says it in one form: *ir.Error.
//
// It never fails on a body, tells Cloudflare's own refusals from the provider's, explains
// what to do about them, and hides anything that is shaped like a key.
package apierror

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/prose"
	"apex-ai-proxy/proxy/rawjson"
)

// MaxBody is how much of an error's body is worth reading.
const MaxBody = 64 << 10

// Header reads one header; http.Header is one.
type Header interface{ Get(key string) string }

// Answer is an upstream's answer that is, or may be, an error.
type Answer struct {
	Status   int
	Header   Header // may be nil
	Body     []byte // at most MaxBody of it
	Provider string // the provider's title, for messages
	// ClientKey: the provider was shown the client's own key, not one of the proxy.
	ClientKey bool
	// Stored: the key is the one stored at Cloudflare.
	Stored  bool
	Secrets []string // never to be repeated
}

func (a *Answer) header(key string) string {
	if a.Header == nil {
		return ""
	}
	return a.Header.Get(key)
}

// Decode tells what went wrong. The error holds nothing of the body's memory.
func Decode(a Answer) *ir.Error {
	if len(a.Body) > MaxBody {
		a.Body = a.Body[:MaxBody]
	}
	return decode(a, read(a.Body))
}

func decode(a Answer, f found) *ir.Error {
	text := prose.Verbatim(f.message)
	if f.message == "" {
		text = bare(a.Status, a.Body)
		f.message = text.String()
	}
	said := f
	hideAll(&said, a.Secrets)
	e := &ir.Error{
		Status: a.Status, Message: text, Param: said.param, Code: said.code, Type: said.typ,
		RetryAfter:   a.header("Retry-After"),
		RetryAfterMS: a.header("Retry-After-Ms"),
		ShouldRetry:  a.header("X-Should-Retry"),
		Details:      bytes.Clone(said.details), // who reads the body may use its memory again
	}
	if f.gateway {
		gatewayError(e, &f, &a)
	} else {
		e.Kind = classify(a.Status, &f)
		credential(e, &f, &a)
	}
	if permanent(e.Kind) && e.ShouldRetry == "" {
		e.ShouldRetry = "false"
	}
	e.Message = e.Message.Map(func(s string) string { return Mask(s, a.Secrets...) })
	return e
}

// FromSuccess finds the error in the body of an answer with status 200; nil when the
// answer is none. It only looks closely at bodies that could be one.
func FromSuccess(a Answer) *ir.Error {
	if !MayFail(a.Body) {
		return nil
	}
	f := read(a.Body)
	if !f.failed || f.answer {
		return nil
	}
	a.Status = http.StatusBadGateway
	if n, err := strconv.Atoi(f.code); err == nil && n >= 400 && n <= 599 {
		a.Status = n
	} else if s := statusOfType(f.typ); s != 0 {
		a.Status = s
	} else if s := statusOfType(f.code); s != 0 {
		a.Status = s
	} else if f.httpCode >= 400 && f.httpCode <= 599 {
		a.Status = f.httpCode
	}
	return decode(a, f)
}

// StartsAsError tells whether a body that is not read to its end yet may be an error that
// FromSuccess finds: one of its first members says so.
func StartsAsError(head []byte) (may bool) {
	r := rawjson.NewReader(bytes.TrimPrefix(head, []byte("\xEF\xBB\xBF")))
	if r.Kind() != rawjson.Object {
		return false
	}
	r.Object(func(key []byte) {
		switch string(key) {
		case "error", "errors":
			k := r.Kind()
			may = may || k == rawjson.Object || k == rawjson.Array || k == rawjson.String
		case "type":
			may = may || r.Value().Text().Is("error")
		case "success":
			may = may || string(r.Value()) == "false"
		}
	})
	return may
}

// FromGateway tells whether the body is a refusal of Cloudflare rather than of the provider.
func FromGateway(body []byte) bool {
	f := read(body)
	return f.gateway
}

// FromTransport is the error of a request that got no answer at all.
func FromTransport(err error, provider prose.Text) *ir.Error {
	var known *ir.Error
	if errors.As(err, &known) {
		own := *known // which the caller may write to
		return &own
	}
	return &ir.Error{
		Kind: ir.BadGateway, Code: "upstream_error",
		Message: prose.New("%s could not be reached: %s", provider, Mask(plainCause(err))),
	}
}

// plainCause is the innermost reason of a network error, without addresses of requests.
func plainCause(err error) string {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err.Error()
		}
		err = next
	}
}

// permanent tells whether trying again cannot help although the status suggests it.
func permanent(k ir.ErrorKind) bool {
	switch k {
	case ir.UpstreamCredential, ir.Billing, ir.QuotaExceeded, ir.NotImplemented:
		return true
	default:
		return false
	}
}

// credential turns a refused key into an error that says whose key it is.
func credential(e *ir.Error, f *found, a *Answer) {
	refused := a.Status == http.StatusUnauthorized ||
		a.Status == http.StatusForbidden && !f.html && aboutKey(f) ||
		a.Status == http.StatusBadRequest && strings.Contains(strings.ToLower(f.message), "api key not valid")
	if !refused {
		return
	}
	if a.ClientKey {
		if a.Status != http.StatusForbidden {
			e.Kind = ir.Unauthenticated
		}
		e.Message = prose.New("%s refused the key you sent: %s", a.Provider, e.Message)
		return
	}
	e.Kind = ir.UpstreamCredential
	if a.Stored {
		e.Message = prose.New("%s refused the key stored for it at Cloudflare (AI Gateway, Provider Keys), or none is stored there. It said: %s", a.Provider, e.Message)
		return
	}
	e.Message = prose.New("%s refused your own key for it (see Settings, or apex-ai-proxy token set). It said: %s", a.Provider, e.Message)
}

func aboutKey(f *found) bool {
	return containsAny(strings.ToLower(f.message+" "+f.code+" "+f.typ),
		"api key", "api_key", "apikey", "credential", "authenticat", "unauthorized", "invalid token", "access token")
}

// bare describes an answer without a usable message.
func bare(status int, body []byte) prose.Text {
	text := http.StatusText(status)
	if text != "" {
		text = " " + text
	}
	shown := excerpt(body)
	if binary(shown) {
		return prose.New("the provider returned %d%s with a body that cannot be read", status, text)
	}
	if shown != "" {
		return prose.New("the provider returned %d%s: %s", status, text, shown)
	}
	return prose.New("the provider returned %d%s without a body", status, text)
}

func containsAny(text string, words ...string) bool {
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}

// IsEnvelope tells whether the body is an error as clients of the protocol expect it.
func IsEnvelope(body []byte, p ir.Protocol) bool {
	r := rawjson.NewReader(body)
	v := r.Value()
	if r.Close() != nil || v.Kind() != rawjson.Object {
		return false
	}
	e := v.Get("error")
	if e.Get("message").Kind() != rawjson.String {
		return false
	}
	if p == ir.AnthropicMessages {
		return v.Get("type").Text().Is("error") && e.Get("type").Kind() == rawjson.String
	}
	// A number as code is how aggregators write it; typed clients cannot read that.
	return !v.Get("type").Text().Is("error") && e.Get("code").Kind() != rawjson.Number
}
