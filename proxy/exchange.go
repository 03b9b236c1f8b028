package proxy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"apex-ai-proxy/proxy/capture"
	"apex-ai-proxy/proxy/convert"
	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/proxy/prose"
	"apex-ai-proxy/proxy/provider"
)

// exchange is one request on its way: it is filled step by step, and its record is
// published as it moves on.
type exchange struct {
	// What every piece of a stream needs stands together: a stream that waits for its next
	// one finds the memory cold.
	w         http.ResponseWriter
	rc        *http.ResponseController
	bytes     *capture.Record // what people may look at, nil when nothing is kept
	committed bool            // the status has been sent
	more      bool            // another model is tried when this one fails
	published time.Duration   // when the record was last published, since its start
	watch     watch           // over the upstream's silence
	rec       event.Exchange

	s     *Server
	cfg   *Config
	r     *http.Request
	codec convert.Codec // of the client

	ctx    context.Context // of the upstream request: ends with the client, a stop or a time limit
	cancel context.CancelCauseFunc

	id     string
	client ir.Protocol
	key    credentials
	alias  string // the user's own name that the model asked for is, "" when it is none
	target string // the model that is tried: the one asked for, or one its alias leads to
	route  provider.Route
	up     ir.Protocol

	deployment string // the model, where the path names it
	stops      bool   // the request has stop sequences of Anthropic's protocol

	names *renamer // of an answer that passes through
	asked []byte   // the body of the client's request
	body  *lease   // holds it, nil before it has come
}

// front takes every request: it sets up the exchange, keeps strangers out, hands it on and
// closes the record, whatever happens.
func (s *Server) front(next func(*exchange)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if run, ok := r.Context().Value(runKey{}).(*run); ok {
			run.begin()
			defer run.end()
		}
		x := s.begin(w, r)
		defer x.end()
		if err := x.admit(); err != nil {
			x.fail(err)
			return
		}
		if x.r.Method == http.MethodOptions {
			preflight(w, x.r)
			x.rec.Status = http.StatusNoContent
			return
		}
		if needsNoKey(x.rec.Path) { // with any method: there is nothing to keep
			next(x)
			return
		}
		if x.key = check(r.Header, x.cfg); !x.key.ok {
			x.fail(unauthenticated(r.Header, x.cfg))
			return
		}
		next(x)
	})
}

func (s *Server) begin(w http.ResponseWriter, r *http.Request) *exchange {
	path := tidy(r.URL.Path)
	x := &exchange{
		s: s, cfg: s.cfg.Load(), w: w, rc: http.NewResponseController(w),
		id: newID(), client: protocolOf(path, r),
	}
	x.codec = convert.For(x.client)
	x.rec = event.Exchange{
		ID: x.id, Start: time.Now(), Client: x.hide(clientName(r.Header)), Method: brief(r.Method, maxRecorded), Path: x.recorded(path),
	}
	if path != r.URL.Path {
		u := *r.URL
		u.Path, u.RawPath = path, ""
		plain := *r
		plain.URL = &u
		r = &plain
	}
	x.r = r
	h, id := w.Header(), []string{x.id}
	h["X-Apex-Request-Id"], h["Request-Id"], h["X-Request-Id"] = id, id, id
	return x
}

// admit applies the guard, and adds what pages need to read even an error.
func (x *exchange) admit() error {
	if x.s.up.came(x.r) {
		return loop()
	}
	if err := refuse(x.r, x.cfg); err != nil {
		return err
	}
	if o := first(x.r.Header, "Origin"); o != "" {
		cors(x.w.Header(), o)
	}
	return nil
}

// quiet tells whether the request is one of those that need no key and leave no record.
func (x *exchange) quiet() bool {
	_, ok := open[x.rec.Path]
	return ok && (x.r.Method == http.MethodGet || x.r.Method == http.MethodHead)
}

// prepare reads the request.
func (x *exchange) prepare() (*provider.Request, error) {
	x.rec.ClientProtocol = string(x.client)
	x.bytes = x.cfg.Captures.Open(x.id)
	x.rec.Captured = x.bytes != nil
	x.rec.ReplayOf = replayed(x.r.Header)
	x.publish(event.Waiting)
	body, held, err := x.read()
	x.asked, x.body = body, held
	x.bytes.Request(capture.ClientRequest, x.rec.Method, x.r.URL.RequestURI(), x.r.Header, body)
	if err != nil {
		return nil, err
	}
	x.rec.BytesIn = int64(len(body))
	q, err := provider.PeekOver(body, held.gaps.Spans())
	if err != nil {
		return nil, err
	}
	if x.deployment != "" {
		q.Model = x.deployment
	}
	x.rec.ModelAsked, x.rec.Stream = x.recorded(q.Model), q.Stream
	x.stops = !q.Field("stop_sequences").Empty()
	return q, nil
}

// read reads the body, as long as it keeps coming.
func (x *exchange) read() (body []byte, held *lease, err error) {
	p := &patient{Reader: x.r.Body, watch: &x.watch, rc: x.rc, silence: x.s.bodySilence}
	defer func() { p.end(err) }()
	if l := newLowWater(x.r, p.silence/8); l != nil {
		defer l.end()
		p.Reader = l
	}
	return readBody(x.r, p, x.cfg.MaxBody)
}

// ReplayHeader names, in a request that repeats one, the exchange that it repeats.
const ReplayHeader = "X-Apex-Replay-Of"

// replayed is the id of the exchange that a request repeats, "" for none.
func replayed(h http.Header) string {
	if id := first(h, ReplayHeader); strings.HasPrefix(id, "req_") && word(id) {
		return id
	}
	return ""
}

// choose decides for a model: a provider, and the protocol to speak to it.
func (x *exchange) choose(model string) (err error) {
	x.target = model
	if x.route, err = resolve(model, x.alias); err != nil {
		return err
	}
	if x.client == ir.OpenAIEmbeddings && !x.route.Provider.Speaks(x.client) {
		return noEmbeddings(&x.route.Provider)
	}
	x.up = x.route.Upstream(x.client, x.stops)
	x.rec.Provider, x.rec.ModelUsed = x.route.Provider.Slug, x.recorded(x.route.Model)
	x.rec.UpstreamProtocol = string(x.up)
	return nil
}

// complete is the way of a completion, from the client to the provider and back. A model
// that cannot answer is followed by the next one of its alias, as long as the client has
// seen nothing yet.
func (x *exchange) complete() error {
	q, err := x.prepare()
	if err != nil {
		return err
	}
	models, alias := targets(x.cfg.Aliases, q.Model)
	x.alias = alias
	for i, model := range models {
		x.more = i+1 < len(models)
		err = x.attempt(q, model)
		var e *ir.Error
		if err == nil || !x.more || x.committed || !errors.As(err, &e) || !transient(e) {
			return err
		}
		x.fallBack(model, e)
	}
	return err
}

// attempt asks one model.
func (x *exchange) attempt(q *provider.Request, model string) error {
	if err := x.choose(model); err != nil {
		return err
	}
	address, err := x.address()
	if err != nil {
		return err
	}
	x.publish(event.Waiting)
	if x.client == ir.AnthropicMessages && x.route.Provider.Local { // it keeps no conversations
		if err := ir.UnknownThread(q.Field("thread")); err != nil {
			return err
		}
	}
	defer x.follow()()
	x.w.Header()["X-Upstream-Model"] = []string{x.route.WireModel()}
	if from := x.reader(q); from != nil {
		return x.translate(address, q, from)
	}
	return x.pass(address, q)
}

// address is where the request goes.
func (x *exchange) address() (string, error) {
	c := x.cfg
	if !x.route.Provider.Local {
		own := c.Keys[x.route.Provider.Slug]
		if c.Lacking != nil && c.Account != "" && (c.GatewayToken == "" || own.Need && own.Own == "" && x.key.provider == "") {
			c.Lacking()
		}
		switch {
		case c.Account == "" || c.Gateway == "":
			return "", notConfigured("the Cloudflare account and gateway are not set: enter the account ID and the gateway name in Settings, or start with --account and --gateway")
		case c.GatewayURL == "":
			return "", notConfigured("the address of the gateway is not set: enter it in Settings, or start with --gateway-url")
		case c.TokenUnread:
			return "", unread(prose.New("the gateway token"))
		case own.Unread && own.Own == "" && x.key.provider == "":
			return "", unread(prose.New("your own key for %s", x.route.Provider.Told()))
		case x.route.Provider.GatewayKey && c.GatewayToken == "" && own.Own == "" && x.key.provider == "":
			return "", notConfigured("%s needs the gateway token: enter it in Settings, run apex-ai-proxy token set, or set GATEWAY_TOKEN", x.route.Provider.Told())
		case own.Need && own.Own == "" && x.key.provider == "":
			return "", notConfigured("your own key for %s is not set: enter it in Settings, or run apex-ai-proxy token set %s", x.route.Provider.Told(), x.route.Provider.Slug)
		}
	}
	return x.route.URL(x.up, provider.Place{
		Gateway:         c.gateway,
		AzureResource:   c.AzureResource,
		AzureAPIVersion: c.AzureAPIVersion,
	})
}

// follow ties the upstream request to the client: when the client goes, or the server is
// stopped for good, it is cancelled at once.
func (x *exchange) follow() (release func()) {
	parent := x.r.Context()
	x.ctx, x.cancel = context.WithCancelCause(parent)
	x.watch.reset(x.cfg.StreamIdleTimeout, x.cancel, x.rc)
	return func() {
		x.watch.stop()
		x.cancel(nil)
	}
}

// json writes a whole answer.
func (x *exchange) json(status int, body []byte) error {
	h := x.w.Header()
	h["Content-Type"] = mediaJSON
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	x.commit(status)
	if x.r.Method != http.MethodHead && !x.write(body) && x.rec.Phase != event.Failed {
		x.gone()
	}
	return nil
}

// commit sends the status and the headers.
func (x *exchange) commit(status int) {
	if x.committed {
		return
	}
	x.committed = true
	exposeGateway(x.w.Header())
	x.rec.Status = status
	x.bytes.Answer(capture.ClientAnswer, status, x.w.Header())
	x.w.WriteHeader(status)
}

// write sends bytes of the answer's body and tells whether the client took them.
func (x *exchange) write(b []byte) bool {
	n, err := x.w.Write(b)
	x.rec.BytesOut += int64(n)
	x.bytes.Write(capture.ClientAnswer, b[:n])
	return err == nil
}

// publish tells the world how far the exchange is.
func (x *exchange) publish(p event.Phase) {
	x.rec.Phase = p
	x.rec.Revision++
	x.published = time.Since(x.rec.Start)
	x.s.bus.Publish(x.rec)
}

// publishEvery bounds how often a running stream publishes its progress.
const publishEvery = 250 * time.Millisecond

// progress marks the arrival of bytes at the given time since the start.
func (x *exchange) progress(now time.Duration) {
	switch {
	case x.rec.FirstByte == 0:
		x.rec.FirstByte = max(now, 1)
		x.publish(event.Streaming)
	case now-x.published >= publishEvery:
		x.publish(event.Streaming)
	}
}

// end closes the record, also after a panic.
func (x *exchange) end() {
	crash := recover()
	aborted := false
	if err, ok := crash.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		aborted = true
	} else if crash != nil {
		x.s.log.Error("panic in an exchange", "id", x.id, "panic", x.hide(fmt.Sprint(crash)), "stack", string(debug.Stack()))
		aborted = x.committed
		x.fail(&ir.Error{Kind: ir.Internal, Message: prose.New("an internal error occurred in the proxy")})
	}
	x.finish()
	if aborted {
		panic(http.ErrAbortHandler) // breaks the connection, so that the client notices
	}
}

func (x *exchange) finish() {
	defer func() {
		x.bytes.End(x.rec.Phase == event.Failed)
		x.body.release()
		x.names.free()
	}()
	if x.rec.Phase == event.Waiting || x.rec.Phase == event.Streaming {
		x.rec.Phase = event.Done
	}
	if !x.rec.Phase.Final() || x.rec.Phase == event.Done && (x.quiet() || x.rec.Method == http.MethodOptions) {
		return
	}
	x.rec.Duration = max(time.Since(x.rec.Start), 1)
	x.publish(x.rec.Phase)
	if !x.s.log.Enabled(context.Background(), slog.LevelDebug) {
		return
	}
	x.s.log.LogAttrs(context.Background(), slog.LevelDebug, "exchange",
		slog.String("id", x.id), slog.String("client", x.rec.Client), slog.String("path", x.rec.Path),
		slog.String("provider", x.rec.Provider), slog.String("asked", x.hide(x.rec.ModelAsked)), slog.String("model", x.rec.ModelUsed),
		slog.Bool("converted", x.rec.Converted()), slog.Bool("stream", x.rec.Stream),
		slog.String("phase", x.rec.Phase.String()), slog.Int("status", x.rec.Status),
		slog.Duration("first", x.rec.FirstByte), slog.Duration("took", x.rec.Duration),
		slog.String("error", x.rec.ErrorKind), slog.String("upstream_id", x.hide(x.w.Header().Get("X-Upstream-Request-Id"))))
}
