package openaichat

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
)

// maxNameLen is the longest tool name OpenAI accepts.
const maxNameLen = 64

// EncodeRequest writes a request for a Chat Completions upstream.
func (Codec) EncodeRequest(req *ir.Request, to ir.Target) (ir.Encoded, error) {
	turns, losses, err := ir.Repair(req.Turns)
	if err != nil {
		return ir.Encoded{}, err
	}
	if to.Dialect.Alternate {
		turns = alternate(turns)
	}
	e := requestEncoder{req: req, to: to, names: ir.Names{Max: maxNameLen}, Losses: losses}
	e.Buf = make([]byte, 0, sizeHint(req))
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
// take turns. Instructions in between are moved to the front by those (see OneSystem).
func alternate(turns []ir.Turn) []ir.Turn {
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
	return out
}

// sizeHint guesses how long the encoded request will be.
func sizeHint(req *ir.Request) int {
	n := 4096
	for i := range req.Turns {
		for j := range req.Turns[i].Parts {
			p := &req.Turns[i].Parts[j]
			n += 128 + len(p.Text) + len(p.Media.Data) + len(p.Call.Args)*9/8
			for k := range p.Reply.Parts {
				n += 128 + len(p.Reply.Parts[k].Text) + len(p.Reply.Parts[k].Media.Data)
			}
		}
	}
	for i := range req.Tools {
		n += 128 + len(req.Tools[i].Description) + len(req.Tools[i].Schema)
	}
	for i := range req.System {
		n += 64 + len(req.System[i].Text)
	}
	return n
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
}

func (e *requestEncoder) fail(err *ir.Error) {
	if e.err == nil {
		e.err = err
	}
}

func (e *requestEncoder) lose(code, path, why string) { e.Losses.Add(code, path, why) }

// limits writes the token limit and the stop sequences.
func (e *requestEncoder) limits() {
	if n, ok := e.req.MaxOutput.Int(); ok && e.req.MaxOutput.Present() {
		if n == 0 {
			e.fail(ir.Refused("max_tokens", "max_tokens 0 only warms a cache, which is not available on this upstream: ask for at least 1"))
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
		e.lose("stop-dropped", "stop_sequences", "this model takes no stop sequences")
		return
	case len(stop) > limit:
		e.lose("stop-sequences-cut", "stop_sequences", "this upstream takes "+strconv.Itoa(limit)+" stop sequences; the others were dropped")
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
			e.lose("sampling-dropped", f.name, "this model does not take "+f.name)
		default:
			e.Raw(f.name, f.value)
		}
	}
	if s.TopK.Present() {
		if e.to.Dialect.TopK && !e.to.Ability.NoSampling {
			e.Raw("top_k", s.TopK)
		} else {
			e.lose("top-k-dropped", "top_k", "this upstream has no top_k")
		}
	}
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
	if !e.to.Dialect.NoServiceTier {
		switch m.ServiceTier {
		case "auto":
			e.Str("service_tier", "auto")
		case "standard_only":
			e.Str("service_tier", "default")
		}
	}
	for _, f := range e.req.Ext {
		e.ext(f)
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
	switch f.Name {
	case "mcp_servers":
		if !f.Value.Empty() {
			e.fail(ir.Refused("mcp_servers", "MCP servers run at Anthropic and are not available on this upstream: use a model of anthropic or remove mcp_servers"))
		}
	case "thread":
		if err := ir.UnknownThread(f.Value); err != nil {
			e.fail(err)
		}
	case "context_management", "diagnostics", "cache_control":
		// Sent with every request by Claude Code, and without effect on the answer.
	default:
		if f.Value.Present() {
			e.lose("field-dropped", f.Name, "this upstream has no field of that name")
		}
	}
}

func (e *requestEncoder) instructions() {
	texts := make([]rawjson.Escaped, 0, len(e.req.System)+1)
	for i, s := range e.req.System {
		text := s.Text
		if i == 0 {
			text = ir.WithoutAttribution(text)
		}
		if len(text) > 0 {
			texts = append(texts, text)
		}
	}
	if e.to.Dialect.OneSystem {
		for i := range e.req.Turns {
			t := &e.req.Turns[i]
			if t.Role != ir.RoleSystem {
				continue
			}
			e.lose("system-merged", t.At.String(), "this upstream takes one system message at the start; a later one was moved there")
			for j := range t.Parts {
				texts = append(texts, t.Parts[j].Text)
			}
		}
	}
	if hint := e.outputHint(); hint != nil {
		texts = append(texts, hint)
	}
	if len(texts) == 0 {
		return
	}
	e.Open('{')
	e.Str("role", "system")
	if e.req.SystemPlain && len(texts) == 1 || e.to.Dialect.TextOnlySystem || e.to.Dialect.OneSystem {
		e.Text("content", bytes.Join(texts2bytes(texts), []byte(`\n\n`)))
	} else {
		e.OpenKey("content", '[')
		for _, t := range texts {
			e.textPart(t)
		}
		e.Close(']')
	}
	e.Close('}')
}

func texts2bytes(texts []rawjson.Escaped) [][]byte {
	out := make([][]byte, len(texts))
	for i, t := range texts {
		out[i] = t
	}
	return out
}

func (e *requestEncoder) textPart(text rawjson.Escaped) {
	e.Open('{')
	e.Str("type", "text")
	e.Text("text", text)
	e.Close('}')
}
