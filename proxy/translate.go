package proxy

import (
	"bytes"
	"crypto/sha256"
	"io"
	"net/http"
	"slices"

	"apex-ai-proxy/proxy/convert"
	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/provider"
	"apex-ai-proxy/proxy/rawjson"
	"apex-ai-proxy/proxy/remedy"
	"apex-ai-proxy/proxy/thoughts"
)

// translate brings a request to an upstream of another protocol, and the answer back.
// from reads the request.
func (x *exchange) translate(address string, q *provider.Request, from convert.Codec) error {
	req, losses, err := from.DecodeRequest(q.Body)
	if err != nil {
		return err
	}
	kept := x.recall(req)
	x.session(req)
	up := convert.For(x.up)
	resp, enc, err := x.ask(address, up, req, losses)
	if err != nil {
		return x.unlessGone(err)
	}
	defer resp.Body.Close()
	return x.translation(q, req, &enc, kept).answer(resp, req.Stream)
}

// translation is how the answer to a request that was sent as enc becomes the client's.
func (x *exchange) translation(q *provider.Request, req *ir.Request, enc *ir.Encoded, kept *thoughts.Collector) *translation {
	t := &translation{
		x: x, up: convert.For(x.up), restore: ir.RestorerFor(enc), kept: kept, losses: enc.Losses,
		source: ir.SourceOf(req, enc, x.route.Provider.Dialect.LenientEOF),
		reply: ir.Reply{
			Model: q.Model, ID: replyID(x.id), Created: x.rec.Start.Unix(),
			IncludeUsage: req.IncludeUsage, InputEstimate: estimate(req), Request: req,
		},
	}
	req.System, req.Turns = nil, nil // of the rest some is told again: this need not wait for the end
	return t
}

// ask sends a request in the upstream's protocol and returns the answer, which is no
// refusal. A request that is refused for what could be otherwise is changed and sent once
// more: nothing has been written to the client yet. losses are those of reading it; those
// of what was sent come with it.
func (x *exchange) ask(address string, up convert.Codec, req *ir.Request, losses ir.Losses) (*http.Response, ir.Encoded, error) {
	draft := x.draft(req)
	first, err := x.encode(up, draft, losses)
	if err != nil {
		return nil, first, err
	}
	told := len(x.rec.Warnings)
	x.warnings(first.Losses)
	resp, refused, err := x.taken(address, first.Body)
	if err != nil || refused == nil {
		return resp, first, err
	}
	learned, second, ok := x.changed(up, draft, losses, refused)
	if !ok || bytes.Equal(second.Body, first.Body) {
		return nil, first, refused
	}
	x.s.log.Info("a refused request is changed and sent again", "id", x.id, "provider", x.route.Provider.Slug, "model", x.route.Model)
	x.rec.Warnings = slices.Clone(x.rec.Warnings[:told]) // what is published is not written to
	x.warnings(second.Losses)
	resp, refused, err = x.taken(address, second.Body)
	switch {
	case err != nil:
		return nil, second, err
	case refused != nil:
		return nil, second, refused
	}
	x.s.book.Learn(x.model(), learned)
	return resp, second, nil
}

// draft is a request as it is known to be wanted.
func (x *exchange) draft(req *ir.Request) *remedy.Draft {
	return x.s.book.Draft(x.model(), req, x.route.Target())
}

// model is what is asked, as what is learned of it is kept under.
func (x *exchange) model() remedy.Model {
	return remedy.Model{Provider: x.route.Provider.Slug, Model: x.route.Model, Protocol: x.up}
}

// changed is a draft as an upstream wants it that refused it, and what was learned from that.
func (x *exchange) changed(up convert.Codec, d *remedy.Draft, losses ir.Losses, refused *ir.Error) (learned []remedy.Lesson, enc ir.Encoded, ok bool) {
	if !remedy.Refused(refused.Status) {
		return nil, enc, false
	}
	if learned, ok = d.Cure(refused.Message.String()); !ok {
		return nil, enc, false
	}
	enc, err := x.encode(up, d, losses)
	return learned, enc, err == nil
}

// encode writes a draft. Its losses are all there are: of reading, changing and writing.
// A client of the upstream's own protocol may have sent fields that the provider refuses.
func (x *exchange) encode(up convert.Codec, d *remedy.Draft, losses ir.Losses) (ir.Encoded, error) {
	enc, err := up.EncodeRequest(d.Req, d.Target)
	if err == nil && d.Req.Origin == x.up {
		enc.Body, err = x.tolerated(enc.Body)
	}
	enc.Losses = slices.Concat(losses, d.Losses, enc.Losses)
	return enc, err
}

// tolerated is a body without the fields that the provider refuses.
func (x *exchange) tolerated(body []byte) ([]byte, error) {
	quirks := x.route.Provider.Quirks
	if quirks.None() {
		return body, nil
	}
	q, err := provider.Peek(body)
	if err != nil {
		return body, err
	}
	return q.Rewrite(q.Model, quirks), nil
}

// taken sends a request. refused is the upstream's error when it does not take it.
func (x *exchange) taken(address string, body []byte) (resp *http.Response, refused *ir.Error, err error) {
	resp, err = x.send(address, body)
	if err != nil {
		return nil, nil, err
	}
	x.convertHeaders(resp.Header)
	if resp.StatusCode >= 200 && resp.StatusCode <= 299 {
		return resp, nil, nil
	}
	defer resp.Body.Close()
	refused, _, err = x.refusal(resp)
	return nil, refused, err
}

// replyID is what stands for an id that an upstream did not give.
func replyID(id string) string { return id[len("req_"):] }

// estimate is about how many tokens the text of a request has.
func estimate(req *ir.Request) int64 {
	n := 0
	for i := range req.System {
		n += len(req.System[i].Text)
	}
	for i := range req.Turns {
		for j := range req.Turns[i].Parts {
			p := &req.Turns[i].Parts[j]
			n += len(p.Text) + len(p.Call.Args) + len(p.Call.Input)
			for k := range p.Reply.Parts {
				n += len(p.Reply.Parts[k].Text)
			}
		}
	}
	for i := range req.Tools {
		n += len(req.Tools[i].Description) + len(req.Tools[i].Schema)
	}
	return int64(n/4) + 1
}

// recall puts back into the conversation what the model thought before it called a tool,
// as far as the client has no place for it, and returns what collects it from the next
// answer; nil for clients and upstreams that need no such help.
func (x *exchange) recall(req *ir.Request) *thoughts.Collector {
	helped := x.client == ir.OpenAIChat && x.up != ir.OpenAIChat || x.up == ir.OpenAIChat && x.route.Provider.Dialect.CallProofs
	if !helped || len(req.Tools) == 0 {
		return nil
	}
	x.s.thoughts.Restore(x.clientID(), req.Turns)
	return &thoughts.Collector{}
}

// maxSession bounds a session's id that serves as a key of prompt caches, in bytes.
const maxSession = 64

// session tells OpenAI's prompt caches which requests belong together, where Claude Code
// says it. It goes to no other provider.
func (x *exchange) session(req *ir.Request) {
	if id := x.r.Header.Get("X-Claude-Code-Session-Id"); id != "" && len(id) <= maxSession && req.Meta.CacheKey == nil {
		req.Meta.CacheKey = rawjson.Escape(id)
	}
}

// clientID tells clients apart by the credentials they bring.
func (x *exchange) clientID() thoughts.Client {
	h := sha256.New()
	for _, name := range append([]string{"Cf-Aig-Authorization"}, keyHeaders[:]...) {
		for _, value := range x.r.Header[name] {
			_, _ = io.WriteString(h, name+": "+value+"\n") // never fails
		}
	}
	return thoughts.Client(h.Sum(nil))
}
