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
	"computer": {
		"Use the mouse and the keyboard of a computer, and look at its screen.",
		`{"type":"object","properties":{"action":{"type":"string","description":"What to do, such as screenshot, left_click, mouse_move, type, key, scroll or wait."},"coordinate":{"type":"array","items":{"type":"integer"},"description":"x and y in pixels."},"start_coordinate":{"type":"array","items":{"type":"integer"}},"text":{"type":"string"},"duration":{"type":"number"},"scroll_direction":{"type":"string","enum":["up","down","left","right"]},"scroll_amount":{"type":"integer"}},"required":["action"]}`,
	},
}

// Family is the type of a built-in tool of Anthropic's without its date.
func (t *Tool) Family() string {
	if i := strings.LastIndex(t.Type, "_20"); i > 0 {
		return t.Type[:i]
	}
	return t.Type
}

// AsFunction is a tool as a function or custom tool. A built-in one that the client
// executes gets its documented schema. One that its vendor executes cannot be offered
// elsewhere: ok is false, and refusal is set when the request makes no sense without it.
func AsFunction(t *Tool, req *Request) (f Tool, refusal *Error, ok bool) {
	switch {
	case t.Indirect:
		return *t, Refused(t.At.String()+".allowed_callers", "the tool %s may only be called by code that runs at Anthropic: allow direct calls, or use a model of anthropic", t.Name), false
	case t.Kind != BuiltinTool:
		return *t, nil, true
	}
	family := t.Family()
	if c, known := clientTools[family]; known {
		f = Tool{Name: t.Name, Description: rawjson.Escape(c.description), Schema: rawjson.Value(c.schema), At: t.At}
		if w, h := t.Raw.Get("display_width_px"), t.Raw.Get("display_height_px"); w.Present() && h.Present() {
			f.Description = rawjson.AppendEscape(f.Description, " The screen has "+string(w)+" by "+string(h)+" pixels.")
		}
		return f, nil, true
	}
	forced := req.ToolChoice.Mode == ChoiceTool && (req.ToolChoice.Name == t.Name || req.ToolChoice.Name == t.Type)
	if family == "mcp" || len(req.Tools) == 1 || forced {
		return *t, Refused(t.At.String(), "the tool %s runs at another provider and is not available with this one: use a model of that provider, or a tool of your own", t.Type), false
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
		return ClampEffort(WantedEffort(r), accepted)
	}
}

// WantedEffort is the word for how much to think that the client asked for, or that its
// budget of tokens comes to.
func WantedEffort(r *Reasoning) string {
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
