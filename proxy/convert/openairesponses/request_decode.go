package openairesponses

import (
	"bytes"
	"errors"
	"strings"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
)

// DecodeRequest reads the body of a POST to /v1/responses.
func (Codec) DecodeRequest(body []byte) (*ir.Request, ir.Losses, error) {
	d := requestDecoder{Reader: rawjson.NewReader(body)}
	d.req.Origin = ir.OpenAIResponses
	d.Object(func(key []byte) {
		name, start := string(key), d.Offset()
		d.field(name)
		if echoed[name] && d.Err() == nil {
			d.req.Echo = append(d.req.Echo, ir.Field{Name: name, Value: d.Since(start)})
		}
	})
	if err := d.Close(); err != nil {
		return nil, nil, ir.Unreadable(err)
	}
	if err := ir.CheckLimit("max_output_tokens", d.req.MaxOutput, 1); err != nil {
		return nil, nil, err
	}
	if !d.sawInput {
		return nil, nil, ir.Invalid("input", "input is missing: send a text or a list of items")
	}
	d.items()
	if err := d.Err(); err != nil {
		var typ *rawjson.TypeError
		if errors.As(err, &typ) && strings.HasPrefix(typ.Path, "[") {
			typ.Path = "input" + typ.Path
		}
		return nil, nil, ir.Unreadable(err)
	}
	if len(d.req.Turns) == 0 {
		return nil, nil, ir.Invalid("input", "input must contain at least one user message")
	}
	return &d.req, d.losses, nil
}

type requestDecoder struct {
	*rawjson.Reader
	req      ir.Request
	losses   ir.Losses
	sawInput bool
	input    rawjson.Value
	thoughts []ir.Part // of reasoning items that await their turn
}

func (d *requestDecoder) field(key string) {
	q := &d.req
	switch key {
	case "model":
		q.Model = d.Str()
	case "input":
		d.sawInput = true
		d.input = d.Value()
	case "instructions":
		d.instructions()
	case "max_output_tokens":
		q.MaxOutput = d.Num()
	case "stream":
		q.Stream = d.Bool()
	case "temperature":
		q.Sampling.Temperature = d.Num()
	case "top_p":
		q.Sampling.TopP = d.Num()
	case "top_logprobs":
		if n := d.Num(); n.Present() && string(n) != "0" {
			q.Sampling.TopLogprobs = n
			q.Sampling.Logprobs = rawjson.Value("true")
		}
	case "tools":
		q.Tools = nil
		d.Array(func(i int) { d.tool(ir.At("tools", i), "") })
	case "tool_choice":
		d.toolChoice()
	case "parallel_tool_calls":
		q.Parallel.Read(d.Value())
	case "text":
		d.text()
	case "reasoning":
		d.reasoning()
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
		d.rest(key)
	}
}

// rest handles fields that refer to stored state, which is refused, and those without a
// counterpart.
func (d *requestDecoder) rest(key string) {
	v := d.Value()
	switch key {
	case "previous_response_id", "conversation":
		if v.Present() {
			d.Fail(ir.Refused(key, "answers are not stored here: send the whole conversation as input and leave %s out", key))
		}
	case "prompt":
		if v.Present() {
			d.Fail(ir.Refused(key, "prompt templates are stored at OpenAI and are not available with this model's provider: send the text itself"))
		}
	case "background":
		if v.True() {
			d.Fail(ir.Refused(key, "answers in the background are not available with this model's provider"))
		}
	case "include":
		if bytes.Contains(v, []byte(`"message.output_text.logprobs"`)) {
			d.losses.Add("field-dropped", key, "log probabilities are not available in converted requests")
		}
	}
	if !v.Empty() {
		d.req.Ext = append(d.req.Ext, ir.Field{Name: key, Value: v})
	}
}

func (d *requestDecoder) instructions() {
	switch d.Kind() {
	case rawjson.String:
		if text := d.Text(); len(text) > 0 {
			d.req.System = append([]ir.Instruction{{Text: text}}, d.req.System...)
			d.req.SystemPlain = true
		}
	case rawjson.Null:
		d.Value()
	default:
		d.Mismatch(rawjson.String, d.Kind())
	}
}

func (d *requestDecoder) reasoning() {
	r := &d.req.Reasoning
	d.Object(func(k []byte) {
		switch string(k) {
		case "effort":
			if e := d.Str(); e != "" {
				if err := ir.CheckEffort("reasoning.effort", e); err != nil {
					d.Fail(err)
				}
				r.Mode, r.Effort = ir.ReasoningEffort, e
			}
		case "summary", "generate_summary":
			if s := d.Str(); s != "" {
				r.Summary = s
			}
		case "mode", "context":
			name := string(k)
			if v := d.Value(); v.Present() {
				d.losses.Add("field-dropped", "reasoning."+name, "only models of OpenAI's own API support this")
			}
		}
	})
}

func (d *requestDecoder) text() {
	o := &d.req.Output
	d.Object(func(k []byte) {
		switch string(k) {
		case "verbosity":
			d.req.Sampling.Verbosity = d.Value()
		case "format":
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
						d.Fail(ir.Refused("text.format.type", "the format %q is not known: use text, json_object or json_schema", t))
					}
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

func (d *requestDecoder) toolChoice() {
	c := &d.req.ToolChoice
	if d.Kind() == rawjson.String {
		switch w := d.Str(); w {
		case "auto":
			c.Mode = ir.ChoiceAuto
		case "none":
			c.Mode = ir.ChoiceNone
		case "required":
			c.Mode = ir.ChoiceAny
		default:
			d.Fail(ir.Invalid("tool_choice", "tool_choice %q is not known: use none, auto, required or name a tool", w))
		}
		return
	}
	var kind, mode, namespace string
	d.Object(func(k []byte) {
		switch string(k) {
		case "type":
			kind = d.Str()
		case "name":
			c.Name = d.Str()
		case "mode":
			mode = d.Str()
		case "namespace":
			namespace = d.Str()
		case "tools":
			d.Array(func(int) {
				v := d.Value()
				name := v.Get("name").Str()
				if name == "" {
					name = v.Get("type").Str()
				}
				c.Allowed = append(c.Allowed, inNamespace(v.Get("namespace").Str(), name))
			})
		}
	})
	switch {
	case kind == "allowed_tools":
		c.Mode = ir.ChoiceAuto
		if mode == "required" {
			c.Mode = ir.ChoiceAny
		}
	case kind != "":
		c.Mode = ir.ChoiceTool
		if c.Name == "" { // a built-in tool is named by its type
			c.Name = kind
		}
		c.Name = inNamespace(namespace, c.Name)
	}
}
