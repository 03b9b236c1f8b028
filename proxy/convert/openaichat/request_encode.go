package openaichat

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
)

// maxNameLen is the longest tool name OpenAI accepts.
const maxNameLen = 64

// EncodeRequest writes a request for a Chat Completions upstream.
func (Codec) EncodeRequest(req *ir.Request, to ir.Target) (ir.Encoded, error) {
	turns, losses, err := ir.Repair(req)
	if err != nil {
		return ir.Encoded{}, err
	}
	e := requestEncoder{req: req, to: to, Losses: losses}
	if to.Dialect.Alternate {
		turns = e.alternate(turns)
	}
	e.names = ir.Names{Max: maxNameLen, LetterFirst: to.Dialect.GeminiSchema}
	e.Buf = make([]byte, 0, req.Size())
	e.Open('{')
	e.Str("model", to.Model)
	e.limits()
	e.sampling()
	e.stream()
	e.tools()
	e.reasoning()
	e.output()
	e.meta()
	e.OpenKey("messages", '[')
	e.instructions()
	for i := range turns {
		e.turn(&turns[i], i)
	}
	e.Close(']')
	e.Close('}')
	if e.err != nil {
		return ir.Encoded{}, e.err
	}
	if !e.sawUser {
		return ir.Encoded{}, ir.Invalid("messages", "at least one user message is required")
	}
	return ir.Encoded{Body: e.Buf, Losses: e.Losses, Names: e.names.Back(), Customs: e.customs}, nil
}

// alternate joins turns of the same role, for upstreams that want user and assistant to
// take turns, the user first and last. Instructions in between are moved to the front by
// those (see OneSystem).
func (e *requestEncoder) alternate(turns []ir.Turn) []ir.Turn {
	out := make([]ir.Turn, 0, len(turns))
	for _, t := range turns {
		if t.Role == ir.RoleSystem {
			continue
		}
		if n := len(out); n > 0 && out[n-1].Role == t.Role {
			out[n-1].Parts = slices.Concat(out[n-1].Parts, t.Parts)
			out[n-1].Plain = false
			continue
		}
		out = append(out, t)
	}
	switch {
	case len(out) == 0:
	case out[len(out)-1].Role == ir.RoleAssistant:
		e.fail(ir.Refused("messages", "%s models cannot continue a started answer: end the conversation with a user message", e.to.Provider))
	case out[0].Role == ir.RoleAssistant:
		e.lose("first-turn-added", "messages[0]", "the conversation starts with the model's turn; a user message was added before it")
		first := ir.Turn{Plain: true, Parts: []ir.Part{{Kind: ir.Text, Text: rawjson.Escaped("(conversation continues)")}}}
		out = slices.Insert(out, 0, first)
	}
	return out
}

type requestEncoder struct {
	rawjson.Writer
	req     *ir.Request
	to      ir.Target
	names   ir.Names
	customs map[string]bool
	Losses  ir.Losses
	err     error
	sawUser bool

	list, calls []*ir.Part // parts of what is being written; the memory is used again
	// searches: web search is switched on.
	searches bool
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

// limits writes the token limit and the stop sequences.
func (e *requestEncoder) limits() {
	if n, ok := e.req.MaxOutput.Int(); ok && e.req.MaxOutput.Present() {
		if n == 0 {
			e.fail(ir.Refused("max_tokens", "max_tokens 0 only warms a cache, which is not available with this provider: ask for at least 1"))
		}
		key := "max_completion_tokens"
		if e.to.Dialect.MaxTokens {
			key = "max_tokens"
		}
		e.Raw(key, e.req.MaxOutput)
	}
	var stop []rawjson.Escaped
	for _, s := range e.req.Stop {
		if len(s) > 0 {
			stop = append(stop, s)
		}
	}
	limit := e.to.Dialect.StopLimit
	if limit == 0 {
		limit = 4
	}
	switch {
	case len(stop) == 0:
		return
	case e.to.Ability.NoStop:
		e.lose("stop-dropped", "stop_sequences", "this model does not support stop sequences")
		return
	case len(stop) > limit:
		e.lose("stop-sequences-cut", "stop_sequences", "this provider takes %d stop sequences; the others were dropped", limit)
		stop = stop[:limit]
	}
	e.OpenKey("stop", '[')
	for _, s := range stop {
		e.ElementText(s)
	}
	e.Close(']')
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
	if s.TopK.Present() {
		if e.to.Dialect.TopK && !e.to.Ability.NoSampling {
			e.Raw("top_k", s.TopK)
		} else {
			e.lose("top-k-dropped", "top_k", "this provider does not support top_k")
		}
	}
	e.RawIf("n", s.N)
	e.RawIf("seed", s.Seed)
	e.RawIf("frequency_penalty", s.FrequencyPenalty)
	e.RawIf("presence_penalty", s.PresencePenalty)
	e.RawIf("logit_bias", s.LogitBias)
	e.logprobs()
	if v := s.Verbosity; v.Present() && e.to.Dialect.OpenAIFields {
		e.Raw("verbosity", v)
	}
}

func (e *requestEncoder) logprobs() {
	s := &e.req.Sampling
	if e.to.Dialect.NoLogprobs {
		if s.Logprobs.True() {
			e.lose("field-dropped", "top_logprobs", "this provider does not return log probabilities")
		}
		return
	}
	e.RawIf("logprobs", s.Logprobs)
	e.RawIf("top_logprobs", s.TopLogprobs)
}

// stream asks for usage too: without it a client would count no tokens.
func (e *requestEncoder) stream() {
	if !e.req.Stream {
		return
	}
	e.Bool("stream", true)
	if !e.to.Dialect.NoStreamOptions {
		e.Raw("stream_options", rawjson.Value(`{"include_usage":true}`))
	}
}

// meta writes what is said about the request.
func (e *requestEncoder) meta() {
	m := &e.req.Meta
	if len(m.UserID) > 0 && !e.to.Dialect.NoUser {
		key := "user"
		if e.to.Dialect.SafetyID {
			key = "safety_identifier"
		}
		e.Str(key, userID(m.UserID))
	}
	e.serviceTier()
	if len(m.CacheKey) > 0 && e.to.Dialect.OpenAIFields {
		e.Text("prompt_cache_key", m.CacheKey)
	}
	if e.req.Origin == ir.OpenAIChat {
		e.RawIf("metadata", m.Metadata)
		if m.Store != ir.Unset {
			e.Bool("store", m.Store == ir.Yes)
		}
	}
	for _, f := range e.req.Ext {
		e.ext(f)
	}
}

// serviceTier asks for the speed and price the client wants. Only those that cost more or
// less are worth a warning where there is no choice.
func (e *requestEncoder) serviceTier() {
	tier, path := e.req.Meta.ServiceTier, "service_tier"
	switch {
	case e.req.Meta.Fast:
		tier, path = "priority", "speed"
	case tier == "standard_only":
		tier = "default"
	}
	switch {
	case tier == "":
	case !e.to.Dialect.NoServiceTier:
		e.Str("service_tier", tier)
	case tier != "auto" && tier != "default":
		e.lose("field-dropped", path, "this provider has only one speed")
	}
}

// userID fits the client's id into the 64 characters OpenAI takes. Claude Code sends
// far longer ones.
func userID(id rawjson.Escaped) string {
	s := id.String()
	if len(s) <= 64 {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// ext decides about a field that only the client's protocol has.
func (e *requestEncoder) ext(f ir.Field) {
	if e.req.Origin == ir.OpenAIChat {
		e.Member(f.Name, f.Value)
		return
	}
	if refusal, lost := e.req.Foreign(f); refusal != nil {
		e.fail(refusal)
	} else if lost {
		e.lose("field-dropped", f.Name, "this provider does not have this field")
	}
}

func (e *requestEncoder) instructions() {
	texts := e.list[:0]
	for i, s := range e.req.System {
		text := s.Text
		if i == 0 {
			text = ir.WithoutAttribution(text)
		}
		if len(text) > 0 {
			p := textOf(text, s.At)
			p.Cache = s.Cache
			texts = append(texts, p)
		}
	}
	if e.to.Dialect.OneSystem {
		for i := range e.req.Turns {
			t := &e.req.Turns[i]
			if t.Role != ir.RoleSystem {
				continue
			}
			e.lose("system-merged", t.At.String(), "this provider takes one system message at the start; a later one was moved there")
			texts = refer(texts, t.Parts)
		}
	}
	if hint := e.outputHint(); hint != nil {
		texts = append(texts, textOf(hint, ir.Pos{}))
	}
	e.list = texts
	if len(texts) == 0 {
		return
	}
	e.Open('{')
	e.Str("role", "system")
	if e.req.SystemPlain && len(texts) == 1 || e.to.Dialect.TextOnlySystem || e.to.Dialect.OneSystem {
		e.joined("content", texts, `\n\n`)
	} else {
		e.OpenKey("content", '[')
		for _, p := range texts {
			e.textPart(p)
		}
		e.Close(']')
	}
	e.Close('}')
}

func (e *requestEncoder) textPart(p *ir.Part) {
	e.Open('{')
	e.Str("type", "text")
	e.Text("text", p.Text)
	e.cache(p.Cache)
	e.Close('}')
}

// cache writes a cache_control mark for upstreams that pass it on to Anthropic.
func (e *requestEncoder) cache(mark rawjson.Value) {
	if mark.Present() && e.to.Dialect.KeepCache {
		e.Raw("cache_control", mark)
	}
}
