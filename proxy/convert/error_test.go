package convert_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"apex-ai-proxy/proxy/convert"
	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/prose"
)

// anthropicTypes are all that Anthropic's strict clients know.
var anthropicTypes = []string{
	"invalid_request_error", "authentication_error", "billing_error", "permission_error", "not_found_error",
	"request_too_large", "rate_limit_error", "timeout_error", "api_error", "overloaded_error",
}

// openAITypes are those that clients of OpenAI's APIs meet.
var openAITypes = []string{
	"invalid_request_error", "permission_error", "rate_limit_error", "insufficient_quota", "server_error", "timeout",
}

// TestEveryErrorHasItsEnvelope: whatever the upstream called it, clients get a status and a
// type that they know.
func TestEveryErrorHasItsEnvelope(t *testing.T) {
	for kind := ir.Internal; kind <= ir.OtherServer; kind++ {
		for _, status := range []int{0, 418, 599, 1000} {
			e := &ir.Error{Kind: kind, Status: status, Type: "made_up_error", Message: prose.Verbatim("m")}
			if status > 0 {
				e.Code, e.Param = "made_up", "p"
			}
			got, body := convert.For(ir.AnthropicMessages).EncodeError(e, "req_1")
			var a struct {
				Type      string
				Error     struct{ Type, Message string }
				RequestID string `json:"request_id"`
			}
			if err := json.Unmarshal(body, &a); err != nil || a.Type != "error" || a.RequestID != "req_1" || !slices.Contains(anthropicTypes, a.Error.Type) || !strings.Contains(a.Error.Message, "m") || got < 400 || got > 599 {
				t.Errorf("kind %d, status %d: %d %s %v", kind, status, got, body, err)
			}
			for _, p := range []ir.Protocol{ir.OpenAIChat, ir.OpenAIResponses} {
				got, body := convert.For(p).EncodeError(e, "req_1")
				var o map[string]map[string]any
				err := json.Unmarshal(body, &o)
				typ, _ := o["error"]["type"].(string)
				_, hasParam := o["error"]["param"]
				_, hasCode := o["error"]["code"]
				if err != nil || !slices.Contains(openAITypes, typ) || !hasParam || !hasCode || got < 400 || got > 599 || got == 529 {
					t.Errorf("%s, kind %d, status %d: %d %s %v", p, kind, status, got, body, err)
				}
			}
		}
	}
}
