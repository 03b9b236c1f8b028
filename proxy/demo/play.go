package demo

import "apex-ai-proxy/proxy/rawjson"

// Turn is a request as a scripted model sees it, in whatever protocol it came.
type Turn struct {
	Model   string
	Text    string // the user's last
	Tools   []Tool
	Results []Result // answers to the calls of the turn before
}

// Tool is a tool that the client declared.
type Tool struct {
	Name   string
	Space  string        // the namespace around it, of the Responses API
	Schema rawjson.Value // of its arguments; nil for a tool that takes text
}

// Result is what a tool answered.
type Result struct {
	Name   string // of the tool
	Text   string
	Failed bool
}

// Reply is what a scripted model says: a text, or calls of declared tools.
type Reply struct {
	Text  string
	Calls []Call
}

// Call is a call of a tool.
type Call struct {
	Name  string
	Input string // arguments in JSON, or text for a tool that takes text
}

// WithPlay has play answer instead of the models.
func WithPlay(play func(Turn) Reply) Option { return func(h *handler) { h.play = play } }

func (r *request) turn() Turn {
	t := Turn{Model: r.model, Text: r.text}
	for _, tool := range r.tools {
		t.Tools = append(t.Tools, Tool{Name: tool.name, Space: tool.space, Schema: tool.schema})
	}
	for _, res := range r.results {
		t.Results = append(t.Results, Result{Name: res.name, Text: res.text, Failed: res.failed})
	}
	return t
}

// answer is the reply in the form in which the models answer. Calls of tools that were
// not declared are left out, as no model makes them.
func (r Reply) answer(req *request) *answer {
	a := &answer{text: r.Text}
	if req.thinks == thinkingOn { // or the answer could not be sent back
		a.thoughts = "The script says what to do."
	}
	for _, call := range r.Calls {
		for _, t := range req.tools {
			if t.name == call.Name {
				a.calls = append(a.calls, invocation{tool: t, args: call.Input})
				a.stop = stopCalls
				break
			}
		}
	}
	return a
}
