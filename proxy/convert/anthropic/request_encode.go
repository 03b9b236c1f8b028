package anthropic

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/prose"
	"apex-ai-proxy/proxy/rawjson"
)

const (
	// maxNameLen is the longest tool name Anthropic accepts.
	maxNameLen = 128
	// defaultMaxOutput is sent when neither the client nor the model's record sets a
	// limit: the protocol demands one.
	defaultMaxOutput = 8192
	// maxBreakpoints is how many cache_control marks a request may hold.
	maxBreakpoints = 4
)

// EncodeRequest writes a request for a Messages upstream.
func (Codec) EncodeRequest(req *ir.Request, to ir.Target) (ir.Encoded, error) {
	turns, losses, err := ir.Repair(req)
	if err != nil {
		return ir.Encoded{}, err
	}
	e := requestEncoder{req: req, to: to, names: ir.Names{Max: maxNameLen}, Losses: losses}
	e.Buf = make([]byte, 0, req.Size())
	e.arrange(turns)
	e.plan()
	e.Open('{')
	e.Str("model", to.Model)
	e.Int("max_tokens", e.maxTokens)
	e.stop()
	e.sampling()
	if req.Stream {
		e.Bool("stream", true)
	}
	e.writeThinking()
	e.tools()
	e.meta()
	e.instructions()
	e.messages()
	e.Close('}')
	if e.err != nil {
		return ir.Encoded{}, e.err
	}
	return ir.Encoded{Body: e.Buf, Losses: e.Losses, Names: e.names.Back(), Customs: e.customs}, nil
}

type requestEncoder struct {
	rawjson.Writer
	req     *ir.Request
	to      ir.Target
	names   ir.Names
	customs map[string]bool
	Losses  ir.Losses
	err     error

	system   []ir.Instruction
	out      []message
	waiting  []ir.Turn       // instructions that wait for a user turn
	kept     []ir.Tool       // the tools that are sent
	search   []rawjson.Value // OpenAI's web search tools, to become Anthropic's
	choice   ir.ToolChoice
	thinking thinkingPlan

	maxTokens int64
	skipMarks int // cache_control marks to leave out, from the start
}

// message is one message of the request to be.
type message struct {
	role  ir.Role
	parts []ir.Part
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

// arrange turns the conversation into messages that alternate, start with the user and
// hold no empty text.
func (e *requestEncoder) arrange(turns []ir.Turn) {
	for _, s := range e.req.System {
		if !s.Text.Blank() {
			e.system = append(e.system, s)
		}
	}
	for i := range turns {
		e.arrangeTurn(&turns[i])
	}
	e.release()
	for i := range e.waiting { // nobody spoke after them
		e.hoist(&e.waiting[i])
	}
	if len(e.out) == 0 {
		e.fail(ir.Invalid("messages", "at least one user message is required"))
		return
	}
	if e.out[0].role == ir.RoleAssistant {
		e.lose("first-turn-added", "messages[0]", "the conversation starts with the model's turn; a user message was added before it")
		first := message{role: ir.RoleUser, parts: []ir.Part{{Kind: ir.Text, Text: rawjson.Escaped("(conversation continues)")}}}
		e.out = slices.Insert(e.out, 0, first)
	}
	e.prefill(&e.out[len(e.out)-1])
}

func (e *requestEncoder) arrangeTurn(t *ir.Turn) {
	if t.Role == ir.RoleSystem && !e.midSystem(t) {
		return
	}
	if t.Role == ir.RoleAssistant {
		e.release()
	}
	parts := make([]ir.Part, 0, len(t.Parts))
	for _, p := range t.Parts {
		if e.sendable(&p) {
			parts = append(parts, p)
		}
	}
	if len(parts) == 0 {
		return
	}
	if n := len(e.out); n > 0 && e.out[n-1].role == t.Role {
		e.out[n-1].parts = append(e.out[n-1].parts, parts...)
		return
	}
	e.out = append(e.out, message{t.Role, parts})
}

// release puts the instructions that wait for a user turn behind the one that came.
func (e *requestEncoder) release() {
	if len(e.waiting) == 0 || len(e.out) == 0 || e.out[len(e.out)-1].role != ir.RoleUser {
		return
	}
	waiting := e.waiting
	e.waiting = nil
	for i := range waiting {
		e.arrangeTurn(&waiting[i])
	}
}

// midSystem tells whether an instruction stays where it is inside the conversation. Where
// the model takes it only behind a user turn it waits for one; other models get it with
// the instructions in front.
func (e *requestEncoder) midSystem(t *ir.Turn) bool {
	if !e.to.Ability.MidSystem || len(e.out) == 0 {
		e.hoist(t)
		return false
	}
	if e.out[len(e.out)-1].role == ir.RoleAssistant {
		e.waiting = append(e.waiting, *t)
		return false
	}
	return true
}

// hoist moves an instruction in front of the conversation.
func (e *requestEncoder) hoist(t *ir.Turn) {
	e.lose("system-hoisted", t.At.String(), "this model takes instructions only in front of the conversation; one was moved there")
	for _, p := range t.Parts {
		if p.Kind == ir.Text && !p.Text.Blank() {
			e.system = append(e.system, ir.Instruction{Text: p.Text, Cache: p.Cache, At: p.At})
		}
	}
}

// sendable tells whether a part may be sent at all: the API refuses blank text, and
// thinking without its own signature.
func (e *requestEncoder) sendable(p *ir.Part) bool {
	switch p.Kind {
	case ir.Text, ir.Refusal:
		return !p.Text.Blank()
	case ir.Thinking:
		return len(p.Signature) > 0 && !ir.Foreign(p.Signature)
	case ir.RedactedThinking:
		return !ir.Foreign(p.Signature)
	case ir.Audio:
		e.fail(ir.Refused(p.At.String(), "models of anthropic cannot hear: send text, images or documents"))
		return false
	default:
		return true
	}
}

// prefill treats a conversation that ends with the model's words, which the model is to
// go on from.
func (e *requestEncoder) prefill(last *message) {
	if last.role != ir.RoleAssistant {
		return
	}
	if e.to.Ability.NoPrefill {
		e.fail(ir.Refused("messages", "this model cannot continue a started answer: end the conversation with a user message"))
		return
	}
	p := &last.parts[len(last.parts)-1]
	if p.Kind == ir.Text {
		p.Text = trimRight(p.Text)
	}
}

// trimRight removes white space at the end of escaped text.
func trimRight(text rawjson.Escaped) rawjson.Escaped {
	for {
		switch {
		case bytes.HasSuffix(text, []byte(" ")):
			text = text[:len(text)-1]
		case (bytes.HasSuffix(text, []byte(`\n`)) || bytes.HasSuffix(text, []byte(`\t`)) || bytes.HasSuffix(text, []byte(`\r`))) &&
			!bytes.HasSuffix(text[:len(text)-1], []byte(`\\`)):
			text = text[:len(text)-2]
		default:
			return text
		}
	}
}

func (e *requestEncoder) stop() {
	var stop []rawjson.Escaped
	for _, s := range e.req.Stop {
		switch {
		case len(s) == 0:
		case s.Blank():
			e.lose("stop-dropped", "stop", "this provider does not support stop sequences that contain only white space")
		default:
			stop = append(stop, s)
		}
	}
	if len(stop) == 0 {
		return
	}
	e.OpenKey("stop_sequences", '[')
	for _, s := range stop {
		e.ElementText(s)
	}
	e.Close(']')
}

// sampling writes the knobs that the model takes, in the range it takes them.
func (e *requestEncoder) sampling() {
	s := &e.req.Sampling
	temperature, topP, topK := s.Temperature, s.TopP, s.TopK
	drop := func(v *rawjson.Value, name string, why prose.Text) {
		if v.Present() {
			e.lose("sampling-dropped", name, "%s", why)
		}
		*v = nil
	}
	if e.to.Ability.NoSampling {
		why := prose.New("this model does not take it")
		drop(&temperature, "temperature", why)
		drop(&topP, "top_p", why)
		drop(&topK, "top_k", why)
	}
	if e.thinking.on {
		why := prose.New("it cannot be combined with thinking")
		drop(&topK, "top_k", why)
		if temperature.Present() && temperature.Float() != 1 {
			drop(&temperature, "temperature", why)
		}
		if f := topP.Float(); topP.Present() && (f < 0.95 || f > 1) {
			drop(&topP, "top_p", why)
		}
	}
	if e.to.Ability.OneSampling && temperature.Present() {
		drop(&topP, "top_p", prose.New("this model takes temperature or top_p, not both"))
	}
	if temperature.Present() && temperature.Float() > 1 {
		e.lose("temperature-clamped", "temperature", "this provider supports temperatures up to 1")
		temperature = rawjson.Value("1")
	}
	e.RawIf("temperature", temperature)
	e.RawIf("top_p", topP)
	e.RawIf("top_k", topK)
	e.lostSampling()
}

// lostSampling reports the knobs that Anthropic does not have.
func (e *requestEncoder) lostSampling() {
	s := &e.req.Sampling
	if n, ok := s.N.Int(); ok && s.N.Present() && n > 1 {
		e.fail(ir.Refused("n", "this provider returns only one answer per request: leave out n, or send several requests"))
	}
	for _, f := range []struct {
		name string
		lost bool
	}{
		{"seed", s.Seed.Present()},
		{"frequency_penalty", s.FrequencyPenalty.Present() && s.FrequencyPenalty.Float() != 0},
		{"presence_penalty", s.PresencePenalty.Present() && s.PresencePenalty.Float() != 0},
		{"logit_bias", !s.LogitBias.Empty()},
		{"logprobs", s.Logprobs.True()},
		// Codex sends it with every request of the Responses API.
		{"verbosity", s.Verbosity.Present() && e.req.Origin == ir.OpenAIChat},
	} {
		if f.lost {
			e.lose("field-dropped", f.name, "this provider does not support %s", f.name)
		}
	}
}

func (e *requestEncoder) meta() {
	m := &e.req.Meta
	if len(m.UserID) > 0 {
		e.OpenKey("metadata", '{')
		e.Str("user_id", userID(m.UserID))
		e.Close('}')
	}
	switch m.ServiceTier {
	case "":
	case "auto":
		e.Str("service_tier", "auto")
	case "default", "standard_only":
		e.Str("service_tier", "standard_only")
	default:
		e.lose("field-dropped", "service_tier", "this provider has no such service tier")
	}
	if m.Fast {
		e.Str("speed", "fast")
	}
	if m.Store == ir.Yes {
		e.lose("field-dropped", "store", "answers are not stored")
	}
	for _, f := range e.req.Ext {
		switch {
		case e.req.Origin == ir.AnthropicMessages:
			e.Member(f.Name, f.Value)
		case f.Name != "web_search_options" && !e.req.Ignorable(f):
			e.lose("field-dropped", f.Name, "this provider does not have this field")
		}
	}
}

// userID is an id without personal data, which the API forbids.
func userID(id rawjson.Escaped) string {
	s := id.String()
	if !strings.Contains(s, "@") && len(s) <= 256 {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func (e *requestEncoder) instructions() {
	if len(e.system) == 0 {
		return
	}
	e.OpenKey("system", '[')
	for _, s := range e.system {
		e.Open('{')
		e.Str("type", "text")
		e.Text("text", s.Text)
		e.cache(s.Cache)
		e.Close('}')
	}
	e.Close(']')
}

// cache writes a cache_control mark, unless it is one of the surplus ones in front.
func (e *requestEncoder) cache(mark rawjson.Value) {
	if !mark.Present() {
		return
	}
	if e.skipMarks > 0 {
		e.skipMarks--
		return
	}
	e.Raw("cache_control", mark)
}
