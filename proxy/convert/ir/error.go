package ir

import (
	"errors"
	"strings"

	"apex-ai-proxy/proxy/prose"
	"apex-ai-proxy/proxy/rawjson"
)

// ErrorKind is what went wrong, in terms that every protocol can express.
type ErrorKind uint8

// The kinds of errors. Each codec maps them to its own status, type and code.
const (
	Internal           ErrorKind = iota // 500, also of the upstream
	InvalidRequest                      // 400
	Unsupported                         // 400: valid, but not to be had on this route
	ContextTooLong                      // 400: the prompt exceeds the model's window
	ContentPolicy                       // 400: refused before anything was generated
	Unauthenticated                     // 401: the client's own key
	UpstreamCredential                  // 502: the proxy's key for the upstream
	Billing                             // 402: no credit
	Forbidden                           // 403
	ModelNotFound                       // 404
	PathNotFound                        // 404
	MethodNotAllowed                    // 405
	RequestTimeout                      // 408
	Conflict                            // 409
	TooLarge                            // 413
	UnsupportedMedia                    // 415
	Unprocessable                       // 422
	RateLimited                         // 429
	QuotaExceeded                       // 429, but waiting does not help
	NotImplemented                      // 501
	BadGateway                          // 502: the upstream cannot be reached or talks nonsense
	Unavailable                         // 503
	Overloaded                          // 529
	GatewayTimeout                      // 504
	OtherClient                         // another 4xx, in Status
	OtherServer                         // another 5xx, in Status
)

// Error is a failure as the client should see it. Message is for people and holds no secret.
type Error struct {
	Kind    ErrorKind
	Status  int        // the upstream's, 0 for errors of the proxy
	Message prose.Text // a sentence: what is wrong and what to do
	Param   string     // JSON path of the field at fault, "" when there is none
	Code    string     // machine-readable code of the upstream or the proxy
	Type    string     // the upstream's type word
	// Headers the client needs to react: retry-after, retry-after-ms, x-should-retry.
	RetryAfter, RetryAfterMS, ShouldRetry string
	// Details is passed to Anthropic clients as error.details.
	Details rawjson.Value
}

func (e *Error) Error() string { return e.Told().String() }

// Told is the message, and the field that it is about.
func (e *Error) Told() prose.Text {
	if e.Param != "" && !strings.HasPrefix(e.Message.String(), e.Param) {
		return prose.New("%s: %s", e.Param, e.Message)
	}
	return e.Message
}

// Invalid is an InvalidRequest about the field at path.
func Invalid(path, format string, args ...any) *Error {
	return &Error{Kind: InvalidRequest, Param: path, Message: prose.New(format, args...)}
}

// Unreadable turns an error of reading JSON into one for the client.
func Unreadable(err error) error {
	var typ *rawjson.TypeError
	if errors.As(err, &typ) {
		return Invalid(typ.Path, "%s", typ)
	}
	var own *Error
	if errors.As(err, &own) {
		return own
	}
	return Invalid("", "the body is not valid JSON: %v", err)
}

// Refused is an Unsupported error about the field at path: the conversion would lose
// something that must not be lost.
func Refused(path, format string, args ...any) *Error {
	return &Error{Kind: Unsupported, Code: "unsupported_value", Param: path, Message: prose.New(format, args...)}
}

// UnknownThread refuses to go on with a conversation that is stored at Anthropic, in the
// words that make Anthropic's SDK send the whole history instead. It is nil for a request
// that brings its history.
func UnknownThread(thread rawjson.Value) *Error {
	switch thread.Get("type").Str() {
	case "", "create":
		return nil
	case "continue":
		return &Error{
			Kind: ModelNotFound, Type: "not_found_error", Code: "thread_not_found", Param: "thread",
			Message: prose.New("the thread is not known here: send the whole conversation"),
			Details: rawjson.Value(`{"error_code":"thread_not_found"}`),
		}
	default:
		return &Error{
			Kind: Unsupported, Code: "thread_unsupported_request", Param: "thread.type",
			Message: prose.New("threads of this type are there with models of anthropic only"),
			Details: rawjson.Value(`{"error_code":"thread_unsupported_request"}`),
		}
	}
}

// Loss is something a conversion could not carry over.
type Loss struct {
	Code string     // "stop-sequences-cut", short and stable
	Path string     // JSON path in the client's request, "" when it concerns the whole
	Why  prose.Text // one sentence
}

// Losses collects what was lost.
type Losses []Loss

// Add records a loss.
func (l *Losses) Add(code, path, format string, args ...any) {
	*l = append(*l, Loss{Code: code, Path: path, Why: prose.New(format, args...)})
}

// UpstreamError classifies an error that an upstream told inside a successful answer, by
// its type, code and message. status is 0 when it told none.
func UpstreamError(status int, kind, code, said string) *Error {
	e := &Error{Kind: Internal, Status: status, Type: kind, Code: code, Message: prose.Verbatim(said)}
	if said == "" {
		e.Message = prose.New("the provider reported an error without a message")
	}
	switch code {
	case "context_length_exceeded":
		e.Kind = ContextTooLong
		return e
	case "insufficient_quota":
		e.Kind = QuotaExceeded
		return e
	case "rate_limit_exceeded":
		e.Kind = RateLimited
		return e
	case "content_policy_violation", "content_filter":
		e.Kind = ContentPolicy
		return e
	}
	kinds := map[string]ErrorKind{
		"invalid_request_error": InvalidRequest, "authentication_error": UpstreamCredential,
		"permission_error": Forbidden, "not_found_error": ModelNotFound, "billing_error": Billing,
		"rate_limit_error": RateLimited, "insufficient_quota": QuotaExceeded, "timeout_error": GatewayTimeout,
		"overloaded_error": Overloaded, "request_too_large": TooLarge,
	}
	if k, ok := kinds[kind]; ok {
		e.Kind = k
		return e
	}
	switch status {
	case 400:
		e.Kind = InvalidRequest
	case 401:
		e.Kind = UpstreamCredential
	case 402:
		e.Kind = Billing
	case 403:
		e.Kind = Forbidden
	case 404:
		e.Kind = ModelNotFound
	case 429:
		e.Kind = RateLimited
	case 502:
		e.Kind = BadGateway
	case 503:
		e.Kind = Unavailable
	case 504, 524:
		e.Kind = GatewayTimeout
	case 529:
		e.Kind = Overloaded
	}
	return e
}

// Broken is the error for a stream that ended before the answer was complete. An *Error
// as cause is taken as it is.
func Broken(cause error) *Error {
	if e, ok := cause.(*Error); ok { //nolint:errorlint // an *Error is never wrapped here
		return e
	}
	msg := prose.New("the provider's stream ended early")
	if cause != nil {
		msg = prose.New("the provider's stream ended early: %s", prose.Of(cause))
	}
	return &Error{Kind: BadGateway, Message: msg}
}
