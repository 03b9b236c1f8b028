package ir

import (
	"strings"

	"apex-ai-proxy/proxy/rawjson"
)

// clientTools are Anthropic's tools without a schema that the client executes itself.
var clientTools = map[string]struct{ description, schema string }{
	"bash": {
		"Run a command in a persistent bash session. Set restart to true to start a new session.",
		`{"type":"object","properties":{"command":{"type":"string"},"restart":{"type":"boolean"}}}`,
	},
	"text_editor": {
		"View, create and edit text files.",
		`{"type":"object","properties":{"command":{"type":"string","enum":["view","create","str_replace","insert"]},"path":{"type":"string"},"file_text":{"type":"string"},"old_str":{"type":"string"},"new_str":{"type":"string"},"insert_line":{"type":"integer"},"insert_text":{"type":"string"},"view_range":{"type":"array","items":{"type":"integer"}}},"required":["command","path"]}`,
	},
}

// AsFunction is a tool as a function or custom tool. A built-in one that the client
// executes gets its documented schema. One that its vendor executes cannot be offered
// elsewhere: ok is false, and refusal is set when the request makes no sense without it.
func AsFunction(t *Tool, req *Request) (f Tool, refusal *Error, ok bool) {
	if t.Kind != BuiltinTool {
		return *t, nil, true
	}
	family := t.Type
	if i := strings.LastIndex(family, "_20"); i > 0 {
		family = family[:i]
	}
	if c, known := clientTools[family]; known {
		return Tool{Name: t.Name, Description: rawjson.Escape(c.description), Schema: rawjson.Value(c.schema), At: t.At}, nil, true
	}
	forced := req.ToolChoice.Mode == ChoiceTool && (req.ToolChoice.Name == t.Name || req.ToolChoice.Name == t.Type)
	if family == "computer" || len(req.Tools) == 1 || forced {
		return *t, Refused(t.At.String(), "the tool %s runs at its vendor and is not available on this upstream: use a model of that vendor, or a tool of your own", t.Type), false
	}
	return *t, nil, false
}

// EffortOf is the word for how much to think that a model with the given efforts is told,
// "" when it is told nothing.
func EffortOf(r *Reasoning, accepted []string) string {
	switch r.Mode {
	case ReasoningUnset:
		return ""
	case ReasoningOff:
		for _, off := range []string{"none", "minimal"} {
			for _, a := range accepted {
				if a == off {
					return off
				}
			}
		}
		return ""
	default:
		return ClampEffort(wantedEffort(r), accepted)
	}
}

// wantedEffort turns a budget of tokens into a word.
func wantedEffort(r *Reasoning) string {
	switch {
	case r.Effort != "":
		return r.Effort
	case r.Mode != ReasoningBudget || r.Budget == 0:
		return "high"
	case r.Budget < 4096:
		return "low"
	case r.Budget < 16384:
		return "medium"
	case r.Budget < 32768:
		return "high"
	default:
		return "xhigh"
	}
}
