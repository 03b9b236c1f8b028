package openairesponses

import (
	"strconv"
	"strings"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
)

// echoed are the request's fields that the answer repeats.
var echoed = map[string]bool{
	"instructions": true, "max_output_tokens": true, "max_tool_calls": true, "metadata": true, "parallel_tool_calls": true,
	"reasoning": true, "safety_identifier": true, "prompt_cache_key": true, "temperature": true, "text": true,
	"tool_choice": true, "tools": true, "top_logprobs": true, "top_p": true, "truncation": true, "user": true,
}

// defaults are the fields every answer must have, with what they are when the client set nothing.
var defaults = []ir.Field{
	{Name: "instructions", Value: rawjson.Value("null")},
	{Name: "max_output_tokens", Value: rawjson.Value("null")},
	{Name: "metadata", Value: rawjson.Value("{}")},
	{Name: "parallel_tool_calls", Value: rawjson.Value("true")},
	{Name: "reasoning", Value: rawjson.Value(`{"effort":null,"summary":null}`)},
	{Name: "temperature", Value: rawjson.Value("1")},
	{Name: "text", Value: rawjson.Value(`{"format":{"type":"text"}}`)},
	{Name: "tool_choice", Value: rawjson.Value(`"auto"`)},
	{Name: "tools", Value: rawjson.Value("[]")},
	{Name: "top_p", Value: rawjson.Value("1")},
	{Name: "truncation", Value: rawjson.Value(`"disabled"`)},
}

// object is the state of an answer as the response object tells it.
type object struct {
	id        string
	stem      string // of the ids of its items
	created   int64
	completed int64  // 0 while it is not
	tier      string // "" when it was not told
	model     string
	echo      []byte // the members that never change

	status     string
	incomplete string // reason, "" for none
	failure    *ir.Error
	usage      ir.Usage
	hasUsage   bool
	output     []byte // finished items, separated by commas
}

const idPrefix = "resp_"

// newObject is the object of the answer that start begins; a nil start tells nothing.
func newObject(start *ir.Event, rep ir.Reply) *object {
	o := &object{created: rep.Created, model: rep.Model, status: "in_progress"}
	id := ""
	if start != nil {
		id, o.tier = start.ID, serviceTier(start.Tier)
		if start.Created != 0 {
			o.created = start.Created
		}
	}
	o.id = ir.AnswerID(idPrefix, id, rep.ID)
	o.stem = strings.TrimPrefix(o.id, idPrefix)
	var sent []ir.Field
	if rep.Request != nil {
		for _, f := range rep.Request.Echo { // an event is one line, however the request was laid out
			sent = append(sent, ir.Field{Name: f.Name, Value: rawjson.AppendCompact(nil, f.Value)})
		}
	}
	var w rawjson.Writer
	for _, f := range defaults {
		value := f.Value
		for _, s := range sent {
			if s.Name == f.Name && s.Value.Present() {
				value = s.Value
			}
		}
		w.Raw(f.Name, value)
	}
	for _, s := range sent {
		if s.Value.Present() && !isDefault(s.Name) {
			w.Raw(s.Name, s.Value)
		}
	}
	o.echo = w.Buf
	return o
}

func isDefault(name string) bool {
	for _, f := range defaults {
		if f.Name == name {
			return true
		}
	}
	return false
}

// write appends the response object.
func (o *object) write(w *rawjson.Writer) {
	w.Open('{')
	w.Str("id", o.id)
	w.Str("object", "response")
	w.Int("created_at", o.created)
	if o.completed != 0 {
		w.Int("completed_at", o.completed)
	} else {
		w.Null("completed_at")
	}
	w.Str("status", o.status)
	w.Bool("background", false)
	if o.failure != nil {
		w.OpenKey("error", '{')
		w.Str("code", failureCode(o.failure))
		w.Str("message", failureMessage(o.failure))
		w.Close('}')
	} else {
		w.Null("error")
	}
	if o.incomplete != "" {
		w.OpenKey("incomplete_details", '{')
		w.Str("reason", o.incomplete)
		w.Close('}')
	} else {
		w.Null("incomplete_details")
	}
	w.Str("model", o.model)
	w.OpenKey("output", '[')
	w.Buf = append(w.Buf, o.output...)
	w.Close(']')
	w.Null("previous_response_id")
	w.Bool("store", false)
	w.Buf = append(w.Buf, ',')
	w.Buf = append(w.Buf, o.echo...)
	if o.tier != "" {
		w.Str("service_tier", o.tier)
	}
	if o.hasUsage {
		w.Key("usage")
		appendUsage(w, o.usage)
	} else {
		w.Null("usage")
	}
	w.Close('}')
}

// appendUsage writes all members: clients fail to read an answer without one of them.
func appendUsage(w *rawjson.Writer, u ir.Usage) {
	w.Open('{')
	w.Int("input_tokens", u.Prompt())
	w.OpenKey("input_tokens_details", '{')
	w.Int("cached_tokens", u.CacheRead)
	w.Int("cache_write_tokens", u.CacheWrite)
	w.Close('}')
	w.Int("output_tokens", u.Output)
	w.OpenKey("output_tokens_details", '{')
	w.Int("reasoning_tokens", u.Reasoning)
	w.Close('}')
	w.Int("total_tokens", u.Prompt()+u.Output)
	w.Close('}')
}

// serviceTier is the word for a tier, "" for one that the protocol has not.
func serviceTier(word string) string {
	switch word {
	case "auto", "default", "flex", "scale", "priority":
		return word
	default:
		return ""
	}
}

// failureMessage says in the words that Codex looks for how long to wait.
func failureMessage(e *ir.Error) string {
	if n, err := strconv.Atoi(e.RetryAfter); e.Kind == ir.RateLimited && err == nil && n > 0 && !strings.Contains(e.Message.String(), "try again in") {
		return e.Message.String() + " Please try again in " + strconv.Itoa(n) + "s."
	}
	return e.Message.String()
}

// failureCode is the code of a failed answer; Codex acts on some of them.
func failureCode(e *ir.Error) string {
	switch e.Kind {
	case ir.ContextTooLong:
		return "context_length_exceeded"
	case ir.RateLimited:
		return "rate_limit_exceeded"
	case ir.QuotaExceeded, ir.Billing:
		return "insufficient_quota"
	case ir.Overloaded:
		return "server_is_overloaded"
	case ir.InvalidRequest, ir.Unsupported, ir.ContentPolicy, ir.Unprocessable:
		return "invalid_prompt"
	default:
		return "server_error"
	}
}
