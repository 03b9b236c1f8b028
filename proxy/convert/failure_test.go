package convert_test

import (
	"strings"
	"testing"

	"apex-ai-proxy/proxy/convert"
	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/prose"
)

// TestFailedAnswers: Codex acts on the code of a failed answer, and waits as long as the
// message says.
func TestFailedAnswers(t *testing.T) {
	for _, c := range []struct {
		err        ir.Error
		code, text string
	}{
		{ir.Error{Kind: ir.RateLimited, Message: prose.Verbatim("Slow."), RetryAfter: "7"}, "rate_limit_exceeded", "Slow. Please try again in 7s."},
		{ir.Error{Kind: ir.RateLimited, Message: prose.Verbatim("Please try again in 700ms."), RetryAfter: "1"}, "rate_limit_exceeded", "Please try again in 700ms."},
		{ir.Error{Kind: ir.RateLimited, Message: prose.Verbatim("Slow."), RetryAfter: "Mon, 23 Nov 2026 02:00:00 GMT"}, "rate_limit_exceeded", "Slow."},
		{ir.Error{Kind: ir.ContextTooLong, Message: prose.Verbatim("m")}, "context_length_exceeded", "m"},
		{ir.Error{Kind: ir.QuotaExceeded, Message: prose.Verbatim("m")}, "insufficient_quota", "m"},
		{ir.Error{Kind: ir.Billing, Message: prose.Verbatim("m")}, "insufficient_quota", "m"},
		{ir.Error{Kind: ir.InvalidRequest, Message: prose.Verbatim("m")}, "invalid_prompt", "m"},
		{ir.Error{Kind: ir.Overloaded, Message: prose.Verbatim("m")}, "server_is_overloaded", "m"},
		{ir.Error{Kind: ir.BadGateway, Message: prose.Verbatim("m"), RetryAfter: "7"}, "server_error", "m"},
	} {
		enc := convert.For(ir.OpenAIResponses).NewStreamEncoder(ir.Reply{Model: "m", ID: "x"})
		out := string(enc.Append(nil, &ir.Event{Kind: ir.Failure, Err: &c.err}))
		if want := `"error":{"code":"` + c.code + `","message":"` + c.text + `"}`; !strings.Contains(out, want) {
			t.Errorf("%+v: no %s in %s", c.err, want, out)
		}
	}
}
