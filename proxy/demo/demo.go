// Package demo is an upstream inside the program: the provider "demo", which answers
// without an account, and the strict vendor behind the tests' gateway.
//
// It speaks Chat Completions, Responses and Messages, whole and streamed, refuses whatever the
// real vendors refuse, in their words and envelopes, and always answers a request with
// the same text. What it does is chosen by the model's name, see [Models].
package demo

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"io"
	"net/http"
	"strings"
	"time"
)

// maxBody bounds a request, in bytes: more than the largest a vendor takes.
const maxBody = 64 << 20

// slowPause is the time between two words of the model slow.
const slowPause = 150 * time.Millisecond

// Option changes a handler that New makes.
type Option func(*handler)

// WithIDs replaces the random part of ids.
func WithIDs(next func() string) Option { return func(h *handler) { h.id = next } }

// WithCallIDs replaces how ids of tool calls are made of random parts.
func WithCallIDs(make func(random string) string) Option {
	return func(h *handler) { h.callID = make }
}

// WithClock replaces the clock behind the created fields.
func WithClock(now func() time.Time) Option { return func(h *handler) { h.now = now } }

// WithPause replaces the waiting between the words of slow answers. It returns an
// error when ctx ended.
func WithPause(pause func(ctx context.Context, d time.Duration) error) Option {
	return func(h *handler) { h.pause = pause }
}

// WithChatRules replaces OpenAI's rules for Chat Completions requests.
func WithChatRules(rules ChatRules) Option { return func(h *handler) { h.rules = rules } }

// WithEagerUsage sends the usage of a chat stream with the finish reason, asked for or
// not, as some providers do.
func WithEagerUsage() Option { return func(h *handler) { h.eager = true } }

// WithChoice replaces how a behaviour, one of [Models], is chosen; text is the user's
// last. "" stands for a model that does not exist.
func WithChoice(choose func(model, text string) string) Option {
	return func(h *handler) { h.choose = choose }
}

type handler struct {
	id     func() string
	callID func(random string) string
	now    func() time.Time
	pause  func(ctx context.Context, d time.Duration) error
	choose func(model, text string) string
	rules  ChatRules
	eager  bool
	play   func(Turn) Reply
}

// New makes the upstream. It serves POST /v1/chat/completions, /v1/responses,
// /v1/embeddings, /v1/messages and /v1/messages/count_tokens.
func New(opts ...Option) http.Handler {
	h := &handler{id: randomID, callID: func(random string) string { return "call_" + random }, now: time.Now, pause: wait, choose: byName}
	for _, opt := range opts {
		opt(h)
	}
	return h
}

var models = []string{
	"echo", "slow", "tools", "long", "reasoning",
	"error", "error-429", "error-500", "error-529", "error-midstream", "error-cut",
}

// Models are the names of the models, without the suffixes -openai and -anthropic that
// every one of them may carry:
//
//	echo             repeats the user's last text and names the images it saw; calls a tool
//	                 or invents JSON where the request leaves no other choice
//	slow             the same, one word at a time
//	tools            calls the first tool (two when the text says "parallel"), then quotes the results
//	long             a long text in Markdown
//	reasoning        thinks before it answers
//	error, error-N   refuses, as the vendor would with status N
//	error-midstream  fails after a few words
//	error-cut        breaks the connection after a few words
func Models() []string { return append([]string(nil), models...) }

// Knows tells whether a model answers, with any of its suffixes.
func Knows(model string) bool { return byName(model, "") != "" }

// byName is the behaviour of a demo model.
func byName(model, _ string) string {
	model = strings.TrimSuffix(strings.TrimSuffix(model, "-openai"), "-anthropic")
	if oneOf(model, models) {
		return model
	}
	return ""
}

func randomID() string {
	var b [15]byte
	_, _ = rand.Read(b[:]) // never fails
	return strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var serve func(*exchange, []byte)
	chat := false
	switch r.URL.Path {
	case "/v1/chat/completions":
		serve, chat = h.chat, true
	case "/v1/responses":
		serve, chat = h.responses, true
	case "/v1/embeddings":
		serve, chat = h.embeddings, true
	case "/v1/messages":
		serve = h.messages
	case "/v1/messages/count_tokens":
		serve = h.countTokens
	}
	x := &exchange{h: h, w: w, ctx: r.Context(), chat: chat, requestID: "req_" + h.id()}
	w.Header().Set("Content-Type", "application/json")
	if chat {
		w.Header().Set("X-Request-Id", x.requestID)
	} else {
		w.Header().Set("Request-Id", x.requestID)
	}
	switch {
	case serve == nil:
		x.chat = !strings.HasPrefix(r.URL.Path, "/v1/messages")
		x.refuse(notFound(r.URL.Path))
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		x.refuse(&Refusal{Status: http.StatusMethodNotAllowed, Type: "invalid_request_error", Message: "Method not allowed: use POST."})
	default:
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			x.refuse(&Refusal{Status: http.StatusRequestEntityTooLarge, Type: "request_too_large", Message: "Request exceeds the maximum size."})
			return
		}
		serve(x, body)
	}
}

func notFound(what string) *Refusal {
	return &Refusal{Status: http.StatusNotFound, Type: "not_found_error", Code: "unknown_url", Message: "Not found: " + what}
}

func (h *handler) chat(x *exchange, body []byte) {
	req, refusal := h.rules.parse(body)
	if refusal != nil {
		x.refuse(refusal)
		return
	}
	if a := h.answer(x, req, noChatModel); a != nil {
		x.answerChat(req, a)
	}
}

func (h *handler) responses(x *exchange, body []byte) {
	in, refusal := parseResponses(body)
	if refusal != nil {
		x.refuse(refusal)
		return
	}
	if a := h.answer(x, &in.req, noChatModel); a != nil {
		x.answerResponses(in, a)
	}
}

func (h *handler) messages(x *exchange, body []byte) {
	req, refusal := parseMessages(body)
	if refusal != nil {
		x.refuse(refusal)
		return
	}
	if a := h.answer(x, req, noMessagesModel); a != nil {
		x.answerMessages(req, a)
	}
}

// answer makes the answer to a request, or refuses a model that does not exist and
// returns nil.
func (h *handler) answer(x *exchange, req *request, missing func(model string) *Refusal) *answer {
	if h.play != nil {
		return h.play(req.turn()).answer(req)
	}
	behaviour := h.choose(req.model, req.text)
	if behaviour == "" {
		x.refuse(missing(req.model))
		return nil
	}
	return answerFor(behaviour, req)
}

func noChatModel(model string) *Refusal {
	return &Refusal{
		Status: http.StatusNotFound, Type: "invalid_request_error", Code: "model_not_found",
		Message: "The model `" + model + "` does not exist or you do not have access to it.",
	}
}

func noMessagesModel(model string) *Refusal {
	return &Refusal{Status: http.StatusNotFound, Type: "not_found_error", Message: "model: " + model}
}
