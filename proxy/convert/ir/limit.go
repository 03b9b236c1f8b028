package ir

import "apex-ai-proxy/proxy/rawjson"

// CheckLimit refuses a limit of tokens that is no whole number of at least least.
func CheckLimit(path string, v rawjson.Value, least int64) error {
	if !v.Present() {
		return nil
	}
	if n, ok := v.Int(); !ok || n < least {
		return Invalid(path, "%s must be a whole number of at least %d, not %s", path, least, string(v[:min(len(v), 40)]))
	}
	return nil
}

// CheckTurn refuses parts that stand in the wrong turn: the model calls tools, the user's
// side answers.
func CheckTurn(t *Turn) error {
	for i := range t.Parts {
		p := &t.Parts[i]
		switch {
		case p.Kind == ToolCall && t.Role != RoleAssistant:
			return Invalid(p.At.String()+".type", "a tool_use block belongs into an assistant message")
		case p.Kind == ToolResult && t.Role != RoleUser:
			return Invalid(p.At.String()+".type", "a tool_result block belongs into a user message")
		}
	}
	return nil
}
