package anthropic

import (
	"slices"

	"apex-ai-proxy/proxy/convert/ir"
)

// thinkingPlan is how the request asks for thinking.
type thinkingPlan struct {
	on, off bool
	budget  int64  // tokens, for models that take a budget
	effort  string // for models that take an effort
	show    bool   // the client wants to read the thinking
}

// budgets of the words OpenAI's clients use, for models that take a number of tokens.
var budgets = map[string]int64{
	"minimal": 1024, "low": 2048, "medium": 8192, "high": 24576, "xhigh": 32768, "max": 64000,
}

const minBudget = 1024

// plan decides what depends on each other: the tools that are sent, thinking, the limit of
// the answer and the shape it must have.
func (e *requestEncoder) plan() {
	e.planTools()
	e.planThinking()
	e.planLimit()
	e.planOutput()
	e.planMarks()
}

func (e *requestEncoder) planThinking() {
	r := &e.req.Reasoning
	a := &e.to.Ability
	t := &e.thinking
	switch {
	case r.Mode == ir.ReasoningUnset:
		return
	case r.Mode == ir.ReasoningOff || r.Mode == ir.ReasoningEffort && r.Effort == "none":
		switch {
		case a.AlwaysThinks:
			e.lose("reasoning-not-off", "reasoning_effort", "thinking cannot be turned off for this model; it thinks as little as possible")
			t.effort = "low"
		case a.Adaptive || a.Budget:
			t.off = true
		}
		return
	case a.Adaptive:
		t.on = true
		if r.Mode != ir.ReasoningAdaptive || r.Effort != "" {
			t.effort = ir.ClampEffort(adaptiveEffort(r), a.Efforts)
		}
	case a.Budget:
		t.on = true
		if t.budget = r.Budget; t.budget == 0 {
			t.budget = budgets[ir.ClampEffort(effortOr(r.Effort, "high"), nil)]
		}
	default:
		e.lose("reasoning-dropped", "reasoning_effort", "the amount of thinking cannot be set for this model")
		return
	}
	t.show = r.Summary != ""
	switch {
	case e.choice.Forced():
		e.lose("thinking-disabled-forced-tool", "tool_choice", "a forced tool call cannot be combined with thinking")
		*t = thinkingPlan{}
	case a.Budget && e.unsignedCall():
		e.lose("thinking-disabled-unsigned-history", "messages", "the last tool call has no signed thinking, so the model cannot continue to think")
		*t = thinkingPlan{}
	case e.err == nil && e.out[len(e.out)-1].role == ir.RoleAssistant:
		e.fail(ir.Refused("messages", "a started answer cannot be combined with thinking: end the conversation with a user message, or leave reasoning_effort out"))
	}
}

func effortOr(effort, or string) string {
	if effort == "" {
		return or
	}
	return effort
}

// adaptiveEffort turns what was asked for into one of Anthropic's words.
func adaptiveEffort(r *ir.Reasoning) string {
	if r.Effort == "minimal" {
		return "low"
	}
	return ir.WantedEffort(r)
}

// unsignedCall tells whether the conversation ends with results of a turn that began
// without signed thinking: such a turn cannot be continued with a thinking budget.
func (e *requestEncoder) unsignedCall() bool {
	n := len(e.out)
	if n < 2 || e.out[n-1].role != ir.RoleUser || e.out[n-1].parts[0].Kind != ir.ToolResult {
		return false
	}
	first := e.out[n-2].parts[0].Kind
	return first != ir.Thinking && first != ir.RedactedThinking
}

// planLimit sets max_tokens and fits the thinking budget into it.
func (e *requestEncoder) planLimit() {
	limit := e.to.Ability.MaxOutput
	if limit == 0 {
		limit = defaultMaxOutput
	}
	given, ok := e.req.MaxOutput.Int()
	t := &e.thinking
	if !ok || given <= 0 {
		e.maxTokens = limit
		switch {
		case e.to.Ability.MaxOutput == 0:
			e.maxTokens += t.budget
		case t.budget >= limit:
			t.budget = max(minBudget, limit/2)
		}
		return
	}
	if e.to.Ability.Known && e.to.Ability.MaxOutput > 0 && given > e.to.Ability.MaxOutput {
		e.lose("max-tokens-clamped", "max_tokens", "the highest output limit of this model is %d tokens", e.to.Ability.MaxOutput)
		given = e.to.Ability.MaxOutput
	}
	e.maxTokens = given
	if t.budget == 0 || t.budget < given && e.req.Origin == ir.AnthropicMessages {
		return
	}
	t.budget = min(max(t.budget, minBudget), given/2)
	if t.budget < minBudget {
		e.lose("thinking-disabled-short-answer", "max_tokens", "the output limit is too low for thinking")
		*t = thinkingPlan{}
	}
}

// writeThinking writes thinking and output_config.
func (e *requestEncoder) writeThinking() {
	t := &e.thinking
	switch {
	case t.off:
		e.OpenKey("thinking", '{')
		e.Str("type", "disabled")
		e.Close('}')
	case t.on && t.budget > 0:
		e.OpenKey("thinking", '{')
		e.Str("type", "enabled")
		e.Int("budget_tokens", t.budget)
		if d := e.req.Reasoning.Display; d != "" {
			e.Str("display", d)
		}
		e.Close('}')
	case t.on:
		e.OpenKey("thinking", '{')
		e.Str("type", "adaptive")
		switch d := e.req.Reasoning.Display; {
		case d != "":
			e.Str("display", d)
		case t.show:
			e.Str("display", "summarized")
		}
		e.Close('}')
	}
	o := &e.req.Output
	format := o.Kind == ir.OutputSchema && e.to.Ability.OutputSchema
	if t.effort == "" && !format {
		return
	}
	e.OpenKey("output_config", '{')
	if t.effort != "" {
		e.Str("effort", t.effort)
	}
	if format {
		e.OpenKey("format", '{')
		e.Str("type", "json_schema")
		e.Key("schema")
		e.Buf = appendOutputSchema(e.Buf, o.Schema, o.Description)
		e.Close('}')
	}
	e.Close('}')
}

// planOutput asks in words for a shape that cannot be enforced.
func (e *requestEncoder) planOutput() {
	o := &e.req.Output
	switch {
	case o.Kind == ir.OutputJSON:
		e.lose("json-object-emulated", "response_format", "this provider has no JSON mode; the model was asked for one JSON object")
		e.system = append(slices.Clip(e.system), ir.Instruction{Text: []byte("Answer with one JSON object and nothing else.")})
	case o.Kind == ir.OutputSchema && !e.to.Ability.OutputSchema:
		e.lose("json-schema-not-enforced", "response_format", "this model does not support schemas; it was asked to follow yours")
		e.system = append(slices.Clip(e.system), ir.Instruction{Text: ir.SchemaHint(o.Schema)})
	}
}

// planMarks counts the cache_control marks; of too many, the first ones are left out.
func (e *requestEncoder) planMarks() {
	n := 0
	count := func(present bool) {
		if present {
			n++
		}
	}
	for i := range e.kept {
		count(e.kept[i].Cache.Present())
	}
	for i := range e.system {
		count(e.system[i].Cache.Present())
	}
	for i := range e.out {
		for j := range e.out[i].parts {
			count(e.out[i].parts[j].Cache.Present())
		}
	}
	if n > maxBreakpoints {
		e.skipMarks = n - maxBreakpoints
		e.lose("cache-marks-cut", "cache_control", "this provider accepts at most four cache_control marks; the first ones were left out")
	}
}
