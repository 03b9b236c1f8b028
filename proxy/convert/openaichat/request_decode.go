package openaichat

import (
	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
)

// DecodeRequest reads the body of a POST to /v1/chat/completions.
func (Codec) DecodeRequest(body []byte) (*ir.Request, ir.Losses, error) {
	d := requestDecoder{Reader: rawjson.NewReader(body)}
	d.req.Origin = ir.OpenAIChat
	d.Object(func(key []byte) { d.field(string(key)) })
	if err := d.Close(); err != nil {
		return nil, nil, ir.Unreadable(err)
	}
	if err := ir.CheckLimit("max_tokens", d.req.MaxOutput, 1); err != nil {
		return nil, nil, err
	}
	if !d.sawMessages {
		return nil, nil, ir.Invalid("messages", "messages is missing: send the conversation as a list of messages")
	}
	if len(d.req.Turns) == 0 {
		return nil, nil, ir.Invalid("messages", "messages must contain at least one user message")
	}
	d.legacyTools()
	d.settleArgs()
	return &d.req, d.losses, nil
}

type requestDecoder struct {
	*rawjson.Reader
	req         ir.Request
	losses      ir.Losses
	sawMessages bool
	maxTokens   rawjson.Value
	lastCall    string // id given to the last legacy function_call
	legacyCalls int
	badArgs     map[string]rawjson.Escaped // what is no JSON object, by the call's place
}

// field reads one top-level member. Limits and other numbers stay as written.
func (d *requestDecoder) field(key string) {
	q := &d.req
	switch key {
	case "model":
		q.Model = d.Str()
	case "messages":
		d.sawMessages = true
		d.req.Turns, d.req.System = nil, nil // of a repeated field the last one counts
		d.Array(d.message)
	case "stream":
		q.Stream = d.Bool()
	case "stream_options":
		d.Object(func(k []byte) {
			if string(k) == "include_usage" {
				q.IncludeUsage = d.Bool()
			}
		})
	case "max_completion_tokens":
		q.MaxOutput = pick(d.Num(), q.MaxOutput)
	case "max_tokens":
		d.maxTokens = d.Num()
		q.MaxOutput = pick(q.MaxOutput, d.maxTokens)
	case "stop":
		d.stop()
	case "tools":
		q.Tools = nil
		d.Array(func(i int) { d.tool(i) })
	case "tool_choice":
		q.ToolChoice = ir.ToolChoice{}
		d.toolChoice()
	case "parallel_tool_calls":
		q.Parallel.Read(d.Value())
	case "response_format":
		d.responseFormat()
	case "store":
		q.Meta.Store = ir.TriOf(d.Bool())
	case "metadata":
		q.Meta.Metadata = d.Value()
	case "user":
		if v := d.Text(); q.Meta.UserID == nil {
			q.Meta.UserID = v
		}
	case "safety_identifier":
		if v := d.Text(); v != nil {
			q.Meta.UserID = v
		}
	case "prompt_cache_key":
		q.Meta.CacheKey = d.Text()
	case "service_tier":
		q.Meta.ServiceTier = d.Str()
	default:
		if !d.sampling(key) && !d.reasoning(key) && !d.modalities(key) {
			q.Ext = append(q.Ext, ir.Field{Name: key, Value: d.Value()})
		}
	}
}

// pick is the first of two values that is present.
func pick(a, b rawjson.Value) rawjson.Value {
	if a.Present() {
		return a
	}
	return b
}

func (d *requestDecoder) sampling(key string) bool {
	s := &d.req.Sampling
	switch key {
	case "temperature":
		s.Temperature = d.Num()
	case "top_p":
		s.TopP = d.Num()
	case "top_k":
		s.TopK = d.Num()
	case "n":
		s.N = d.Num()
	case "seed":
		s.Seed = d.Num()
	case "frequency_penalty":
		s.FrequencyPenalty = d.Num()
	case "presence_penalty":
		s.PresencePenalty = d.Num()
	case "logit_bias":
		s.LogitBias = d.Value()
	case "logprobs":
		s.Logprobs = d.Value()
	case "top_logprobs":
		s.TopLogprobs = d.Num()
	case "verbosity":
		s.Verbosity = d.Value()
	default:
		return false
	}
	return true
}

// reasoning reads OpenAI's field and the dialects clients use toward other vendors.
func (d *requestDecoder) reasoning(key string) bool {
	r := &d.req.Reasoning
	switch key {
	case "reasoning_effort":
		d.effort("reasoning_effort")
	case "reasoning":
		d.Object(func(k []byte) {
			switch string(k) {
			case "effort":
				d.effort("reasoning.effort")
			case "max_tokens":
				if n := d.Int(); n > 0 {
					r.Mode, r.Budget = ir.ReasoningBudget, n
				}
			case "summary":
				r.Summary = d.Str()
			case "enabled":
				if v := d.Value(); v.Present() && !v.True() {
					r.Mode = ir.ReasoningOff
				} else if v.True() && r.Mode == ir.ReasoningUnset {
					r.Mode = ir.ReasoningAdaptive
				}
			}
		})
	case "thinking":
		d.Object(func(k []byte) {
			switch string(k) {
			case "type":
				switch d.Str() {
				case "enabled":
					r.Mode = ir.ReasoningBudget
				case "adaptive":
					r.Mode = ir.ReasoningAdaptive
				case "disabled":
					r.Mode = ir.ReasoningOff
				}
			case "budget_tokens":
				r.Budget = d.Int()
			}
		})
	default:
		return false
	}
	return true
}

func (d *requestDecoder) effort(path string) {
	e := d.Str()
	if e == "" {
		return
	}
	if err := ir.CheckEffort(path, e); err != nil {
		d.Fail(err)
	}
	d.req.Reasoning.Mode, d.req.Reasoning.Effort = ir.ReasoningEffort, e
}

// modalities refuses answers that are not text: no other protocol can carry them.
func (d *requestDecoder) modalities(key string) bool {
	switch key {
	case "modalities":
		d.Array(func(int) {
			if m := d.Str(); m != "" && m != "text" {
				d.Fail(ir.Refused("modalities", "the output modality %q is not available with this model's provider: ask for text only", m))
			}
		})
	case "audio":
		if v := d.Value(); v.Present() {
			d.Fail(ir.Refused("audio", "audio output is not available with this model's provider: ask for text only"))
		}
	default:
		return false
	}
	return true
}

func (d *requestDecoder) stop() {
	d.req.Stop = nil
	switch d.Kind() {
	case rawjson.Array:
		d.Array(func(int) { d.req.Stop = append(d.req.Stop, d.Text()) })
	default:
		if s := d.Text(); s != nil {
			d.req.Stop = append(d.req.Stop, s)
		}
	}
}

func (d *requestDecoder) responseFormat() {
	o := &d.req.Output
	d.Object(func(k []byte) {
		switch string(k) {
		case "type":
			switch t := d.Str(); t {
			case "json_object":
				o.Kind = ir.OutputJSON
			case "json_schema":
				o.Kind = ir.OutputSchema
			case "text", "":
			default:
				d.Fail(ir.Refused("response_format.type", "the response format %q is not known: use text, json_object or json_schema", t))
			}
		case "json_schema":
			d.Object(func(k []byte) {
				switch string(k) {
				case "name":
					o.Name = d.Text()
				case "description":
					o.Description = d.Text()
				case "schema":
					o.Schema = d.Value()
				case "strict":
					o.Strict.Read(d.Value())
				}
			})
		}
	})
}
