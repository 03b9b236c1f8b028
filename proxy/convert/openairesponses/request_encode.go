package openairesponses

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

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
	turns, losses, err := ir.Repair(req.Turns)
	if err != nil {
		return ir.Encoded{}, err
	}
	e := requestEncoder{req: req, to: to, names: ir.Names{Max: maxNameLen}, Losses: losses}
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
}

func (e *requestEncoder) fail(err *ir.Error) {
	if e.err == nil {
		e.err = err
	}
}

func (e *requestEncoder) lose(code, path, why string) { e.Losses.Add(code, path, why) }

func (e *requestEncoder) limits() {
	if n, ok := e.req.MaxOutput.Int(); ok && e.req.MaxOutput.Present() {
		switch {
		case n == 0:
			e.fail(ir.Refused("max_tokens", "max_tokens 0 only warms a cache, which is not available on this upstream: ask for at least 1"))
		case n < minOutput:
			e.lose("max-tokens-raised", "max_tokens", "this upstream gives at least "+strconv.Itoa(minOutput)+" tokens")
			e.Int("max_output_tokens", minOutput)
		default:
			e.Raw("max_output_tokens", e.req.MaxOutput)
		}
	}
	for _, s := range e.req.Stop {
		if len(s) > 0 {
			e.lose("stop-dropped", "stop_sequences", "this upstream has no stop sequences")
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
			e.lose("sampling-dropped", f.name, "this model does not take "+f.name)
		default:
			e.Raw(f.name, f.value)
		}
	}
	if n, ok := s.N.Int(); ok && s.N.Present() && n > 1 {
		e.fail(ir.Refused("n", "this upstream gives one answer per request: leave n out or send several requests"))
	}
	for _, f := range []struct {
		name string
		lost bool
	}{
		{"top_k", s.TopK.Present()},
		{"seed", s.Seed.Present()},
		{"frequency_penalty", s.FrequencyPenalty.Present() && s.FrequencyPenalty.Float() != 0},
		{"presence_penalty", s.PresencePenalty.Present() && s.PresencePenalty.Float() != 0},
		{"logit_bias", !s.LogitBias.Empty()},
		{"logprobs", s.Logprobs.True()},
	} {
		if f.lost {
			e.lose("field-dropped", f.name, "this upstream has no "+f.name)
		}
	}
}

// reasoning asks for thinking, for a summary of it when the client shows it, and for what
// is needed to go on from it in the next turn.
func (e *requestEncoder) reasoning() {
	a := &e.to.Ability
	if a.Known && len(a.Efforts) == 0 {
		if r := e.req.Reasoning.Mode; r != ir.ReasoningUnset && r != ir.ReasoningOff {
			e.lose("reasoning-dropped", "thinking", "this model cannot be told how much to think")
		}
		return
	}
	e.Raw("include", rawjson.Value(`["reasoning.encrypted_content"]`))
	effort := ir.EffortOf(&e.req.Reasoning, a.Efforts)
	if effort == "" {
		return
	}
	e.OpenKey("reasoning", '{')
	e.Str("effort", effort)
	if e.req.Reasoning.Mode != ir.ReasoningOff && !e.to.Dialect.NoSummary {
		e.Str("summary", "auto")
	}
	e.Close('}')
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
		strict := ir.StrictSchema(o.Schema)
		if !strict && o.Strict != ir.No {
			e.lose("schema-not-strict", "output_config.format", "the schema is not of the strict kind this upstream enforces; the answer may differ from it")
		}
		e.Bool("strict", strict && o.Strict != ir.No)
		e.Key("schema")
		e.Buf = ir.AppendSchema(e.Buf, o.Schema, false)
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
	switch m.ServiceTier {
	case "":
	case "standard_only":
		e.Str("service_tier", "default")
	default:
		e.Str("service_tier", m.ServiceTier)
	}
	for _, f := range e.req.Ext {
		switch f.Name {
		case "mcp_servers":
			if !f.Value.Empty() {
				e.fail(ir.Refused("mcp_servers", "MCP servers run at Anthropic and are not available on this upstream: use a model of anthropic or remove mcp_servers"))
			}
		case "thread":
			if err := ir.UnknownThread(f.Value); err != nil {
				e.fail(err)
			}
		case "context_management", "diagnostics", "cache_control", "prompt_cache_retention":
		default:
			if f.Value.Present() {
				e.lose("field-dropped", f.Name, "this upstream has no field of that name")
			}
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
		if len(t) == 0 {
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
