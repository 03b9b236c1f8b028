package remedy

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
)

// row is a message that upstreams refuse with, and what is done about it.
type row struct {
	pattern *regexp.Regexp
	// cure changes the draft; args are what the groups of the pattern found. It is false
	// when there is nothing to change.
	cure func(d *Draft, args []string) bool
	// lasts: it is so for every request to the model, not only for this conversation.
	lasts bool
}

// rows is the table. All rows that fit count, from the top.
var rows = sync.OnceValue(func() []row {
	table := []struct {
		pattern string
		cure    func(*Draft, []string) bool
		lasts   bool
	}{
		// The model's own limit of an answer: Anthropic, then OpenAI.
		{`max_tokens: \d+ > (\d+), which is the maximum allowed number of output tokens`, limitTo, true},
		{`max_(?:completion_)?tokens is too large: \d+\. This model supports at most (\d+) completion tokens`, limitTo, true},
		// Fields that are not known at all, as each provider puts it.
		{`unsupported parameter: '([\w.]+)'`, withoutField, true},
		{`unrecognized request arguments? supplied: ([\w.]+)`, withoutField, true},
		{`unknown parameter: '([\w.\[\]]+)'`, withoutField, true},
		{`([\w.\[\]-]+): extra inputs are not permitted`, withoutField, true},
		{`extra inputs are not permitted, field: '([\w.\[\]]+)'`, withoutField, true},
		{`property '([\w.]+)' is unsupported`, withoutField, true},
		{`unknown name "(\w+)": cannot find field`, withoutField, true},
		{`argument not supported on this model: (\w+)`, withoutField, true},
		{`unknown field "(\w+)"`, withoutField, true},
		// Fields that are known, but not with this model.
		{`unsupported value: '(temperature|top_p)' does not support`, withoutField, true},
		{`(temperature)\W+and\W+top_p\W+cannot both be specified`, oneSampling, true},
		{`unsupported value: '\w+' is not supported with the '[^']+' model\. Supported values are: ((?:(?:and )?'\w+'[, ]*)+)`, effortsOf, true},
		{`organization must be verified to generate reasoning (summaries)`, withoutSummary, true},
		{`(encrypted content) is not supported with this model`, withoutReasoning, true},
		{`not support(?:ed)? (?:the )?response format ['\x60]?json_schema|response format ['\x60]?json_schema['\x60]? is not (?:supported|available)|response_format type is unavailable`, withoutSchema, true},
		// Thinking in the history that the upstream does not recognise as its own.
		{`invalid ['"\x60]?signature['"\x60]? in ['"\x60]?thinking`, withoutThoughts, false},
		{`must start with a thinking block`, withoutThoughts, false},
		{`expected ['"\x60]?thinking['"\x60]? or ['"\x60]?redacted_thinking['"\x60]?, but found`, withoutThoughts, false},
		{`thinking['"\x60]? (?:or ['"\x60]?redacted_thinking['"\x60]? )?blocks .*cannot be modified`, withoutThoughts, false},
		{`thought signature is not valid`, withoutProofs, false},
		{`missing a ['"\x60]?(thought_signature)`, anyProof, true},
		{`encrypted content .*could not be (?:verified|decrypted)`, withoutThoughts, false},
		{`of type 'reasoning' was provided without its required following item`, withoutThoughts, false},
		// How thinking is asked for.
		{`thinking\.type\.enabled['"\x60]? is not supported`, adaptive, true},
		{`adaptive thinking is not supported|thinking\.type\.adaptive['"\x60]? is not supported`, budget, true},
		{`budget_tokens\b.*(?:\b1024\b|less than)|max_tokens\W.*\bgreater than\W.*budget_tokens`, withoutThinking, false},
		// Schemas and roles.
		{`unknown name "[^"]+" at '(tools)\b`, plainSchema, true},
		{`role\W+system\W+is not supported|(?:invalid|unsupported|unknown) (?:message )?role\W+(?:system|developer)\b`, systemFirst, true},
		{`system message must be at the beginning|only (?:one|a single) system message`, systemFirst, true},
	}
	out := make([]row, len(table))
	for i := range table {
		out[i] = row{regexp.MustCompile(`(?is)` + table[i].pattern), table[i].cure, table[i].lasts}
	}
	return out
})

// change sets a switch and tells whether that changed anything.
func change[T comparable](v *T, to T) bool {
	if *v == to {
		return false
	}
	*v = to
	return true
}

// limitTo is the model's own limit of an answer.
func limitTo(d *Draft, args []string) bool {
	limit, err := strconv.ParseInt(args[0], 10, 64)
	if err != nil || limit < 1 {
		return false
	}
	changed := change(&d.Target.Ability.MaxOutput, limit)
	if n, ok := d.Req.MaxOutput.Int(); ok && n > limit {
		d.edit().MaxOutput = strconv.AppendInt(nil, limit, 10)
		d.Losses.Add("max-tokens-clamped", "max_tokens", "the highest output limit of this model is %d tokens", limit)
		changed = true
	}
	return changed
}

// withoutField leaves out a field that the upstream does not take.
func withoutField(d *Draft, args []string) bool {
	name := strings.TrimRight(args[0], ".")
	for name != "" {
		if remove, ok := fields[name]; ok {
			return remove(d)
		}
		i := strings.IndexAny(name, ".]")
		if i < 0 {
			return false
		}
		name = name[i+1:] // as in messages.0.content.1.cache_control
	}
	return false
}

// fields are what a conversion may send and a request can do without, by name.
var fields = map[string]func(*Draft) bool{
	"temperature": func(d *Draft) bool {
		return drop(d, "temperature", func(q *ir.Request) *rawjson.Value { return &q.Sampling.Temperature })
	},
	"top_p": func(d *Draft) bool {
		return drop(d, "top_p", func(q *ir.Request) *rawjson.Value { return &q.Sampling.TopP })
	},
	"top_k": func(d *Draft) bool {
		return drop(d, "top_k", func(q *ir.Request) *rawjson.Value { return &q.Sampling.TopK })
	},
	"seed": func(d *Draft) bool {
		return drop(d, "seed", func(q *ir.Request) *rawjson.Value { return &q.Sampling.Seed })
	},
	"verbosity":      withoutVerbosity,
	"text.verbosity": withoutVerbosity,

	"stop": withoutStop, "stop_sequences": withoutStop,
	"parallel_tool_calls": withoutParallel, "disable_parallel_tool_use": withoutParallel,
	"reasoning_effort": withoutThinkingField, "reasoning": withoutThinkingField, "reasoning.effort": withoutThinkingField,
	"thinking": withoutThinkingField, "enable_thinking": withoutThinkingField,
	"reasoning.summary": func(d *Draft) bool { return withoutSummary(d, nil) },

	"stream_options": func(d *Draft) bool { return change(&d.Target.Dialect.NoStreamOptions, true) },
	// The limit of an answer has two names, of which a model takes one.
	"max_completion_tokens": func(d *Draft) bool { return change(&d.Target.Dialect.MaxTokens, true) },
	"max_tokens":            func(d *Draft) bool { return change(&d.Target.Dialect.MaxTokens, false) },
	"service_tier": func(d *Draft) bool {
		if d.Req.Meta.ServiceTier == "" {
			return false
		}
		d.edit().Meta.ServiceTier = ""
		d.lose("service_tier", "this model does not support service tiers")
		return true
	},
	"user": withoutUser, "safety_identifier": withoutUser, "metadata": withoutUser,
	"prompt_cache_key": func(d *Draft) bool {
		if d.Req.Meta.CacheKey == nil {
			return false
		}
		d.edit().Meta.CacheKey = nil
		return true
	},
	"response_format": func(d *Draft) bool { return withoutSchema(d, nil) },

	"cache_control":     withoutMarks,
	"reasoning_content": func(d *Draft) bool { return change(&d.Target.Dialect.ReplayReasoning, false) },
}

func drop(d *Draft, name string, at func(*ir.Request) *rawjson.Value) bool {
	if !at(d.Req).Present() {
		return false
	}
	*at(d.edit()) = nil
	d.lose(name, "this model does not support %s", name)
	return true
}

func withoutVerbosity(d *Draft) bool {
	return drop(d, "verbosity", func(q *ir.Request) *rawjson.Value { return &q.Sampling.Verbosity })
}

func withoutStop(d *Draft) bool {
	if len(d.Req.Stop) == 0 {
		return false
	}
	d.edit().Stop = nil
	d.lose("stop", "this model does not support stop sequences")
	return true
}

func withoutParallel(d *Draft) bool {
	if d.Req.Parallel == ir.Unset {
		return false
	}
	d.edit().Parallel = ir.Unset
	d.lose("parallel_tool_calls", "parallel tool calls cannot be turned off for this model")
	return true
}

func withoutUser(d *Draft) bool {
	if d.Req.Meta.UserID == nil {
		return false
	}
	d.edit().Meta.UserID = nil
	return true
}

func withoutThinkingField(d *Draft) bool { return withoutThinking(d, nil) }

// withoutThinking stops asking for thinking.
func withoutThinking(d *Draft, _ []string) bool {
	if d.Req.Reasoning.Mode == ir.ReasoningUnset {
		return false
	}
	d.edit().Reasoning = ir.Reasoning{}
	d.lose("reasoning", "the amount of thinking cannot be set for this model")
	return true
}

func withoutSummary(d *Draft, _ []string) bool { return change(&d.Target.Dialect.NoSummary, true) }

// withoutReasoning is for models of the Responses API that do not reason.
func withoutReasoning(d *Draft, _ []string) bool {
	a := &d.Target.Ability
	changed := !a.Known || len(a.Efforts) > 0
	a.Known, a.Efforts = true, nil
	return changed
}

func oneSampling(d *Draft, _ []string) bool {
	return d.Req.Sampling.Temperature.Present() &&
		drop(d, "top_p", func(q *ir.Request) *rawjson.Value { return &q.Sampling.TopP })
}

var quoted = regexp.MustCompile(`'(\w+)'`)

// effortsOf are the efforts that a model takes, out of the list in its refusal.
func effortsOf(d *Draft, args []string) bool {
	var efforts []string
	for _, m := range quoted.FindAllStringSubmatch(args[0], maxMatches) {
		if ir.CheckEffort("", m[1]) != nil {
			return false
		}
		efforts = append(efforts, m[1])
	}
	a := &d.Target.Ability
	if len(efforts) == 0 || slices.Equal(a.Efforts, efforts) {
		return false
	}
	a.Known, a.Efforts = true, efforts
	return true
}

func withoutSchema(d *Draft, _ []string) bool {
	return d.Req.Output.Kind == ir.OutputSchema && change(&d.Target.Dialect.NoJSONSchema, true)
}

// adaptive is for models that take an effort instead of a number of tokens.
func adaptive(d *Draft, _ []string) bool {
	a := &d.Target.Ability
	changed := a.Budget || !a.Adaptive
	a.Budget, a.Adaptive = false, true
	return changed
}

// budget is for models that take a number of tokens instead of an effort.
func budget(d *Draft, _ []string) bool {
	a := &d.Target.Ability
	changed := !a.Budget || a.Adaptive
	a.Budget, a.Adaptive, a.AlwaysThinks, a.Efforts = true, false, false, nil
	return changed
}

func plainSchema(d *Draft, _ []string) bool { return change(&d.Target.Dialect.GeminiSchema, true) }

// systemFirst is for models that take instructions only in front of the conversation.
func systemFirst(d *Draft, _ []string) bool {
	changed := change(&d.Target.Dialect.OneSystem, true)
	return change(&d.Target.Ability.MidSystem, false) || changed
}

// anyProof is for models that want a proof with each call.
func anyProof(d *Draft, _ []string) bool {
	return d.Target.Dialect.CallProofs && change(&d.Target.Dialect.AnyProof, true)
}

// withoutProofs leaves out the proofs of earlier thinking, wherever the upstream has them.
func withoutProofs(d *Draft, args []string) bool {
	if !d.Target.Dialect.CallProofs {
		return withoutThoughts(d, args)
	}
	req := d.edit()
	req.Turns = slices.Clone(req.Turns)
	for i := range req.Turns {
		t := &req.Turns[i]
		t.Parts = slices.Clone(t.Parts)
		for j := range t.Parts {
			t.Parts[j].Call.Proof = nil
		}
	}
	d.Target.Dialect.AnyProof = true
	return true
}

// withoutThoughts leaves out the thinking of earlier turns. A loop of tools cannot be gone
// on with thinking then, so thinking is switched off in it.
func withoutThoughts(d *Draft, _ []string) bool {
	found, calls := false, false
	for i := range d.Req.Turns {
		for j := range d.Req.Turns[i].Parts {
			kind := d.Req.Turns[i].Parts[j].Kind
			found = found || thought(kind)
			calls = calls || kind == ir.ToolCall
		}
	}
	off := calls && d.Target.Ability.Budget || calls && d.Target.Ability.Adaptive
	off = off && d.Req.Reasoning.Mode != ir.ReasoningUnset && d.Req.Reasoning.Mode != ir.ReasoningOff
	if !found && !off {
		return false
	}
	req := d.edit()
	req.Turns = slices.Clone(req.Turns)
	for i := range req.Turns {
		t := &req.Turns[i]
		t.Parts = slices.DeleteFunc(slices.Clone(t.Parts), func(p ir.Part) bool { return thought(p.Kind) })
	}
	if off {
		req.Reasoning = ir.Reasoning{Mode: ir.ReasoningOff}
	}
	d.Losses.Add("thinking-dropped", "messages", "the provider refused the thinking of earlier turns; it was left out")
	return true
}

func thought(k ir.PartKind) bool { return k == ir.Thinking || k == ir.RedactedThinking }

// withoutMarks leaves out the marks for prompt caches.
func withoutMarks(d *Draft) bool {
	changed := change(&d.Target.Dialect.KeepCache, false)
	req := *d.Req
	req.System, req.Tools, req.Turns = slices.Clone(req.System), slices.Clone(req.Tools), slices.Clone(req.Turns)
	for i := range req.System {
		changed = unmark(&req.System[i].Cache) || changed
	}
	for i := range req.Tools {
		changed = unmark(&req.Tools[i].Cache) || changed
	}
	for i := range req.Turns {
		t := &req.Turns[i]
		t.Parts = slices.Clone(t.Parts)
		for j := range t.Parts {
			changed = unmark(&t.Parts[j].Cache) || changed
		}
	}
	if changed {
		*d.edit() = req
	}
	return changed
}

func unmark(mark *rawjson.Value) bool {
	had := mark.Present()
	*mark = nil
	return had
}
