package apierror

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"apex-ai-proxy/proxy/convert/ir"
)

// classify names the kind of a provider's error. The words a provider uses beat the
// status where they are more exact.
func classify(status int, f *found) ir.ErrorKind {
	text := strings.ToLower(f.message)
	code := strings.ToLower(f.code + " " + f.typ)
	switch status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		switch {
		case tooLong(text, code):
			return ir.ContextTooLong
		case containsAny(code, "content_policy_violation", "content_filter", "responsibleaipolicyviolation"):
			return ir.ContentPolicy
		case outOfCredit(text, code):
			return ir.QuotaExceeded
		case status == http.StatusBadRequest && containsAny(code, "model_not_found", "model_not_exist"):
			return ir.ModelNotFound
		}
	case http.StatusTooManyRequests, http.StatusForbidden:
		if outOfCredit(text, code) {
			return ir.QuotaExceeded
		}
	case http.StatusNotFound:
		if containsAny(code, "model") || strings.Contains(text, "model") || strings.Contains(code, "not_found_error") {
			return ir.ModelNotFound
		}
		return ir.PathNotFound
	case http.StatusServiceUnavailable:
		if containsAny(text+" "+code, "overloaded", "capacity") {
			return ir.Overloaded
		}
	}
	return kindOf(status)
}

// kindOf is the kind a status alone stands for.
func kindOf(status int) ir.ErrorKind {
	if kind, ok := kinds[status]; ok {
		return kind
	}
	switch {
	case status >= 520 && status <= 527:
		return ir.BadGateway
	case status >= 500 && status <= 599:
		return ir.OtherServer
	case status >= 400 && status <= 499:
		return ir.OtherClient
	default:
		return ir.BadGateway // a redirect, or no HTTP status at all
	}
}

var kinds = map[int]ir.ErrorKind{
	400: ir.InvalidRequest,
	401: ir.Unauthenticated,
	402: ir.Billing,
	403: ir.Forbidden,
	404: ir.PathNotFound,
	405: ir.MethodNotAllowed,
	408: ir.RequestTimeout,
	409: ir.Conflict,
	413: ir.TooLarge,
	415: ir.UnsupportedMedia,
	422: ir.Unprocessable,
	424: ir.BadGateway,
	425: ir.Unavailable,
	429: ir.RateLimited,
	500: ir.Internal,
	501: ir.NotImplemented,
	502: ir.BadGateway,
	503: ir.Unavailable,
	504: ir.GatewayTimeout,
	524: ir.GatewayTimeout,
	529: ir.Overloaded,
}

func tooLong(text, code string) bool {
	return containsAny(code, "context_length_exceeded", "string_above_max_length", "context_window_exceeded") ||
		containsAny(text, "prompt is too long", "maximum context length", "input token count exceeds",
			"input token count (", "exceeds the context window", "context window exceeded", "too many tokens",
			"context_length_exceeded", "maximum prompt length", "exceed context limit", "exceeds the model's context")
}

func outOfCredit(text, code string) bool {
	return containsAny(code, "insufficient_quota", "insufficient_balance", "billing_hard_limit") ||
		containsAny(text, "exceeded your current quota", "credit balance is too low", "insufficient balance",
			"insufficient_quota", "insufficient credits")
}

// statusOfType is the status that belongs to a type word of an error inside a 200.
func statusOfType(typ string) int {
	switch strings.ToLower(typ) {
	case "invalid_request_error", "invalid_argument", "failed_precondition", "bad_request", "context_length_exceeded":
		return http.StatusBadRequest
	case "authentication_error", "unauthenticated", "invalid_api_key":
		return http.StatusUnauthorized
	case "billing_error":
		return http.StatusPaymentRequired
	case "permission_error", "permission_denied":
		return http.StatusForbidden
	case "not_found_error", "not_found", "model_not_found":
		return http.StatusNotFound
	case "request_too_large":
		return http.StatusRequestEntityTooLarge
	case "rate_limit_error", "resource_exhausted", "rate_limit_exceeded", "insufficient_quota", "tokens", "requests":
		return http.StatusTooManyRequests
	case "api_error", "server_error", "internal", "internal_server_error":
		return http.StatusInternalServerError
	case "timeout_error", "timeout", "deadline_exceeded":
		return http.StatusGatewayTimeout
	case "unavailable", "provider_unavailable":
		return http.StatusServiceUnavailable
	case "overloaded_error", "overloaded":
		return 529
	default:
		return 0
	}
}

// tooLongStart is what Anthropic's clients look for before they shorten a conversation.
const tooLongStart = "prompt is too long"

var bigNumber = regexp.MustCompile(`[0-9][0-9,]{2,}`)

// PromptTooLong says that a prompt exceeds the model's window in the words that
// Anthropic's clients understand, with the two numbers if the message tells them.
func PromptTooLong(message string) string {
	if strings.HasPrefix(message, tooLongStart) {
		return message
	}
	var most, least int64
	for _, word := range bigNumber.FindAllString(message, -1) {
		n, err := strconv.ParseInt(strings.ReplaceAll(word, ",", ""), 10, 64)
		if err != nil || n < 256 {
			continue
		}
		if most = max(most, n); least == 0 || n < least {
			least = n
		}
	}
	if most > least {
		return fmt.Sprintf("%s: %d tokens > %d maximum (%s)", tooLongStart, most, least, message)
	}
	return tooLongStart + ": " + message
}
