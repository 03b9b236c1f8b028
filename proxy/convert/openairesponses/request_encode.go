package openairesponses

import (
	"crypto/sha256"
	"encoding/hex"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
)

const (
	maxNameLen = 64 // longest tool name accepted
	maxCallID  = 64
	minOutput  = 16 // least output tokens that may be asked for
)

// EncodeRequest writes a request for a Responses upstream. Nothing is stored there, so
// thinking travels with the conversation.
func (Codec) EncodeRequest(req *ir.Request, to ir.Target) (ir.Encoded, error) {
	turns, losses, err := ir.Repair(req)
	if err != nil {
		return ir.Encoded{}, err
	}
	e := requestEncoder{req: req, to: to, names: ir.Names{Max: maxNameLen}, Losses: losses, custom: map[string]bool{}}
	e.Buf = make([]byte, 0, req.Size())
	e.Open('{')
	e.Str("model", to.Model)
	e.Bool("store", false)
	if req.Stream {
		e.Bool("stream", true)
	}
	e.limits()
	e.sampling()
	e.reasoning()
	e.output()
	e.tools()
	e.meta()
	e.instructions()
	e.OpenKey("input", '[')
	e.leading()
	for i := range turns {
		e.turn(&turns[i])
	}
	e.Close(']')
	e.Close('}')
	if e.err != nil {
		return ir.Encoded{}, e.err
	}
	if !e.sawUser {
		return ir.Encoded{}, ir.Invalid("messages", "at least one user message is required")
	}
	return ir.Encoded{Body: e.Buf, Losses: e.Losses, Names: e.names.Back()}, nil
}

type requestEncoder struct {
	rawjson.Writer
	req     *ir.Request
	to      ir.Target
	names   ir.Names
	Losses  ir.Losses
	err     error
	sawUser bool
	calls   rawjson.Value   // most calls of built-in tools
	custom  map[string]bool // ids of the calls so far that are of custom tools
}

func (e *requestEncoder) fail(err *ir.Error) {
	if e.err == nil {
		err.Param = e.req.NameOf(err.Param)
		e.err = err
	}
}

func (e *requestEncoder) lose(code, path, format string, args ...any) {
	e.Losses.Add(code, e.req.NameOf(path), format, args...)
}

func (e *requestEncoder) limits() {
	if n, ok := e.req.MaxOutput.Int(); ok && e.req.MaxOutput.Present() {
		switch {
		case n == 0:
			e.fail(ir.Refused("max_tokens", "max_tokens 0 only warms a cache, which is not available with this provider: ask for at least 1"))
		case n < minOutput:
			e.lose("max-tokens-raised", "max_tokens", "the lowest output limit with this provider is %d tokens", minOutput)
			e.Int("max_output_tokens", minOutput)
		default:
			e.Raw("max_output_tokens", e.req.MaxOutput)
		}
	}
	for _, s := range e.req.Stop {
		if len(s) > 0 {
			e.lose("stop-dropped", "stop_sequences", "this provider does not support stop sequences")
			return
		}
	}
}

func (e *requestEncoder) sampling() {
	s := &e.req.Sampling
	for _, f := range []struct {
		name  string
		value rawjson.Value
	}{{"temperature", s.Temperature}, {"top_p", s.TopP}} {
		switch {
		case !f.value.Present():
		case e.to.Ability.NoSampling:
			e.lose("sampling-dropped", f.name, "this model does not support %s", f.name)
		default:
			e.Raw(f.name, f.value)
		}
	}
	if n, ok := s.N.Int(); ok && s.N.Present() && n > 1 {
		e.fail(ir.Refused("n", "this provider returns only one answer per request: leave out n, or send several requests"))
	}
	e.RawIf("top_logprobs", s.TopLogprobs)
	for _, f := range []struct {
		name string
		lost bool
	}{
		{"top_k", s.TopK.Present()},
		{"seed", s.Seed.Present()},
		{"frequency_penalty", s.FrequencyPenalty.Present() && s.FrequencyPenalty.Float() != 0},
		{"presence_penalty", s.PresencePenalty.Present() && s.PresencePenalty.Float() != 0},
		{"logit_bias", !s.LogitBias.Empty()},
	} {
		if f.lost {
			e.lose("field-dropped", f.name, "this provider does not support %s", f.name)
		}
	}
}

// reasoning asks for thinking, for a summary of it when the client shows it, and for what
// is needed to go on from it in the next turn.
func (e *requestEncoder) reasoning() {
	a, r := &e.to.Ability, &e.req.Reasoning
	none := a.Known && len(a.Efforts) == 0
	e.include(!none)
	if none {
		if r.Mode != ir.ReasoningUnset && r.Mode != ir.ReasoningOff {
			e.lose("reasoning-dropped", "thinking", "the amount of thinking cannot be set for this model")
		}
		return
	}
	effort, summary := ir.EffortOf(r, a.Efforts), r.Summary
	if summary == "" && effort != "" && r.Mode != ir.ReasoningOff {
		summary = "auto"
	}
	if e.to.Dialect.NoSummary {
		summary = ""
	}
	if effort == "" && a.Known && r.Mode == ir.ReasoningOff {
		e.lose("reasoning-not-off", "thinking", "thinking cannot be turned off for this model")
	}
	if effort == "" && summary == "" {
		return
	}
	e.OpenKey("reasoning", '{')
	if effort != "" {
		e.Str("effort", effort)
	}
	if summary != "" {
		e.Str("summary", summary)
	}
	e.Close('}')
}

// include asks for what an answer does not hold by itself.
func (e *requestEncoder) include(thinks bool) {
	var list []rawjson.Escaped
	if thinks {
		list = append(list, rawjson.Escaped("reasoning.encrypted_content"))
	}
	if e.req.Sampling.Logprobs.True() {
		list = append(list, rawjson.Escaped("message.output_text.logprobs"))
	}
	if list == nil {
		return
	}
	e.OpenKey("include", '[')
	for _, s := range list {
		e.ElementText(s)
	}
	e.Close(']')
}

func (e *requestEncoder) output() {
	o := &e.req.Output
	verbosity := e.req.Sampling.Verbosity
	if o.Kind == ir.OutputText && !verbosity.Present() {
		return
	}
	e.OpenKey("text", '{')
	switch o.Kind {
	case ir.OutputJSON:
		e.Raw("format", rawjson.Value(`{"type":"json_object"}`))
	case ir.OutputSchema:
		e.OpenKey("format", '{')
		e.Str("type", "json_schema")
		if len(o.Name) > 0 {
			e.Text("name", o.Name)
		} else {
			e.Str("name", "output")
		}
		e.TextIf("description", o.Description)
		strict := ir.StrictSchema(o.Schema)
		if !strict && o.Strict != ir.No {
			e.lose("schema-not-strict", "output_config.format", "the schema is not of the strict kind this provider enforces; the answer may differ from it")
		}
		e.Bool("strict", strict && o.Strict != ir.No)
		e.Key("schema")
		e.Buf = ir.AppendSchema(e.Buf, o.Schema)
		e.Close('}')
	default:
	}
	e.RawIf("verbosity", verbosity)
	e.Close('}')
}

func (e *requestEncoder) meta() {
	m := &e.req.Meta
	if len(m.UserID) > 0 {
		id := m.UserID.String()
		if len(id) > 64 {
			sum := sha256.Sum256([]byte(id))
			id = hex.EncodeToString(sum[:])
		}
		e.Str("safety_identifier", id)
	}
	if len(m.CacheKey) > 0 {
		e.Text("prompt_cache_key", m.CacheKey)
	}
	e.RawIf("metadata", m.Metadata)
	if m.Store == ir.Yes {
		e.lose("field-dropped", "store", "answers are not stored")
	}
	switch {
	case m.Fast:
		e.Str("service_tier", "priority")
	case m.ServiceTier == "standard_only":
		e.Str("service_tier", "default")
	case m.ServiceTier != "":
		e.Str("service_tier", m.ServiceTier)
	}
	for _, f := range e.req.Ext {
		e.ext(f)
	}
}

// ext decides about a field that only the client's protocol has, or only OpenAI's two.
func (e *requestEncoder) ext(f ir.Field) {
	shared := f.Name == "prompt_cache_retention" || f.Name == "prompt_cache_options" || f.Name == "moderation"
	switch {
	case f.Name == "include" || f.Name == "store" || f.Name == "web_search_options": // written already
	case e.req.Origin == ir.OpenAIResponses || e.req.Origin == ir.OpenAIChat && shared:
		e.Member(f.Name, f.Value)
	default:
		if refusal, lost := e.req.Foreign(f); refusal != nil {
			e.fail(refusal)
		} else if lost {
			e.lose("field-dropped", f.Name, "this provider does not have this field")
		}
	}
}

// instructions writes what stands in front of the conversation.
func (e *requestEncoder) instructions() {
	text := rawjson.Escaped{}
	for i, s := range e.req.System {
		t := s.Text
		if i == 0 {
			t = ir.WithoutAttribution(t)
		}
		if len(t) == 0 || s.At.List == "input" {
			continue
		}
		if len(text) > 0 {
			text = append(text, `\n\n`...)
		}
		text = append(text, t...)
	}
	if len(text) > 0 {
		e.Text("instructions", text)
	}
}

// leading writes the instructions that stood in the input, where they stood.
func (e *requestEncoder) leading() {
	for i := 0; i < len(e.req.System); {
		at := e.req.System[i].At
		var parts []ir.Part
		for ; i < len(e.req.System) && e.req.System[i].At.List == at.List && e.req.System[i].At.Index == at.Index; i++ {
			parts = append(parts, ir.Part{Kind: ir.Text, Text: e.req.System[i].Text})
		}
		if at.List == "input" {
			e.message("developer", "input_text", parts)
		}
	}
}
