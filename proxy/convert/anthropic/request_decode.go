package anthropic

import (
	"bytes"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
)

// DecodeRequest reads the body of a POST to /v1/messages.
func (Codec) DecodeRequest(body []byte) (*ir.Request, ir.Losses, error) {
	d := requestDecoder{Reader: rawjson.NewReader(body)}
	d.req.Origin = ir.AnthropicMessages
	d.Object(func(key []byte) { d.field(string(key)) })
	if err := d.Close(); err != nil {
		return nil, nil, ir.Unreadable(err)
	}
	if err := ir.CheckLimit("max_tokens", d.req.MaxOutput, 0); err != nil {
		return nil, nil, err
	}
	if !d.sawMessages {
		return nil, nil, ir.Invalid("messages", "messages is missing: send the conversation as a list of messages")
	}
	if len(d.req.Turns) == 0 {
		return nil, nil, ir.Invalid("messages", "messages must contain at least one message")
	}
	return &d.req, nil, nil
}

// The least for which there is room at once.
const (
	fewTurns = 8
	fewTools = 8
)

type requestDecoder struct {
	*rawjson.Reader
	req         ir.Request
	room        room // of the turns' parts
	sawMessages bool
}

func (d *requestDecoder) field(key string) {
	q := &d.req
	switch key {
	case "model":
		q.Model = d.Str()
	case "max_tokens":
		q.MaxOutput = d.Num()
	case "messages":
		d.sawMessages = true
		q.Turns = make([]ir.Turn, 0, fewTurns) // of a repeated field the last one counts
		d.Array(d.message)
	case "system":
		d.system()
	case "stream":
		q.Stream = d.Bool()
	case "temperature":
		q.Sampling.Temperature = d.Num()
	case "top_p":
		q.Sampling.TopP = d.Num()
	case "top_k":
		q.Sampling.TopK = d.Num()
	case "stop_sequences":
		q.Stop = nil
		d.Array(func(int) { q.Stop = append(q.Stop, d.Text()) })
	case "tools":
		q.Tools = make([]ir.Tool, 0, fewTools)
		d.Array(d.tool)
	case "tool_choice":
		q.ToolChoice = ir.ToolChoice{}
		d.toolChoice()
	case "thinking":
		d.thinking()
	case "output_config":
		d.outputConfig()
	case "output_format":
		d.format()
	case "metadata":
		d.Object(func(k []byte) {
			if string(k) == "user_id" {
				q.Meta.UserID = d.Text()
				q.Meta.CacheKey = sessionOf(q.Meta.UserID)
			}
		})
	case "service_tier":
		q.Meta.ServiceTier = d.Str()
	case "speed":
		v := d.Value()
		q.Meta.Fast = v.Text().Is("fast")
		if !q.Meta.Fast {
			q.Ext = append(q.Ext, ir.Field{Name: key, Value: v})
		}
	default:
		q.Ext = append(q.Ext, ir.Field{Name: key, Value: d.Value()})
	}
}

// sessionOf is the session that Claude Code's id of the user names, nil for other ids. It
// keeps the requests of one conversation at one prompt cache.
func sessionOf(userID rawjson.Escaped) rawjson.Escaped {
	if id := userID.Append(nil); rawjson.Value(id).Kind() == rawjson.Object && rawjson.Valid(id) == nil {
		return rawjson.Value(id).Get("session_id").Text()
	}
	if _, session, ok := bytes.Cut(userID, []byte("_session_")); ok {
		return session
	}
	return nil
}

func (d *requestDecoder) thinking() {
	r := &d.req.Reasoning
	d.Object(func(k []byte) {
		switch string(k) {
		case "type":
			switch kind := d.Str(); kind {
			case "enabled":
				r.Mode = ir.ReasoningBudget
			case "adaptive":
				r.Mode = ir.ReasoningAdaptive
			case "disabled":
				r.Mode = ir.ReasoningOff
			default:
				d.Fail(ir.Invalid("thinking.type", "thinking of type %q is not known: use enabled, adaptive or disabled", kind))
			}
		case "budget_tokens":
			r.Budget = d.Int()
		case "display":
			r.Display = d.Str()
		}
	})
}

func (d *requestDecoder) outputConfig() {
	d.Object(func(k []byte) {
		switch string(k) {
		case "effort":
			if e := d.Str(); e != "" {
				if err := ir.CheckEffort("output_config.effort", e); err != nil {
					d.Fail(err)
				}
				d.req.Reasoning.Effort = e
				if d.req.Reasoning.Mode == ir.ReasoningUnset {
					d.req.Reasoning.Mode = ir.ReasoningEffort
				}
			}
		case "format":
			d.format()
		}
	})
}

func (d *requestDecoder) format() {
	d.Object(func(k []byte) {
		switch string(k) {
		case "type":
			if d.Str() == "json_schema" {
				d.req.Output.Kind = ir.OutputSchema
			}
		case "schema":
			d.req.Output.Schema = d.Value()
		}
	})
}

func (d *requestDecoder) system() {
	d.req.System, d.req.SystemPlain = nil, false
	if d.Kind() != rawjson.Array {
		if text := d.Text(); len(text) > 0 {
			d.req.SystemPlain = true
			d.req.System = append(d.req.System, ir.Instruction{Text: text})
		}
		return
	}
	d.Array(func(i int) {
		s := ir.Instruction{At: ir.At("system", i)}
		kind := "text"
		d.Object(func(k []byte) {
			switch string(k) {
			case "type":
				kind = word(d.Text())
			case "text":
				s.Text = d.Text()
			case "cache_control":
				s.Cache = d.Value()
			}
		})
		if kind != "text" {
			d.Fail(ir.Invalid(s.At.String()+".type", "system can hold text blocks only, not %q", kind))
		}
		d.req.System = append(d.req.System, s)
	})
}
