package e2e

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/openai/openai-go/v3"

	"apex-ai-proxy/proxy/demo/fakegateway"
)

// failure is an error as a client sees it.
type failure struct {
	status int
	text   string // the whole body
	header http.Header
}

func failureOf(err error) (failure, bool) {
	var o *openai.Error
	var a *anthropic.Error
	switch {
	case errors.As(err, &o) && o.Response != nil:
		return failure{o.StatusCode, o.RawJSON(), o.Response.Header}, true
	case errors.As(err, &a) && a.Response != nil:
		return failure{a.StatusCode, a.RawJSON(), a.Response.Header}, true
	}
	return failure{}, false
}

func TestErrorsAreTyped(t *testing.T) {
	p, g := setup(t, fakegateway.Options{}, config{})
	type want struct {
		status int
		text   string
	}
	for _, c := range []struct {
		behaviour string
		script    fakegateway.Answer
		openai    want
		anthropic want
	}{
		{"error", nil, want{400, `"type":"invalid_request_error"`}, want{400, `"type":"invalid_request_error"`}},
		{"error-429", nil, want{429, `"rate_limit_e`}, want{429, `"type":"rate_limit_error"`}},
		{"error-500", nil, want{500, `"message":"The demo failed`}, want{500, `"type":"api_error"`}},
		{"error-529", nil, want{503, `"message":"The demo is overloaded`}, want{529, `"type":"overloaded_error"`}},
		{"gateway token", fakegateway.GatewayError(401, 2009, "Unauthorized"), want{502, "2009"}, want{502, "2009"}},
		{"gateway rate", fakegateway.GatewayError(429, 2003, "Rate limited"), want{429, "2003"}, want{429, `"type":"rate_limit_error"`}},
		{"api", fakegateway.APIError(401, 10000, "Authentication error"), want{502, "Authentication error"}, want{502, `"type":"api_error"`}},
		{"policy", fakegateway.PolicyError(403, "Access denied by policy"), want{403, "Access denied by policy"}, want{403, `"type":"permission_error"`}},
		{"edge", fakegateway.EdgeError(524), want{504, `"type":"timeout"`}, want{504, `"type":"timeout_error"`}},
		{"html 502", fakegateway.EdgeError(502), want{502, `"code":"upstream_error"`}, want{502, `"type":"api_error"`}},
		{"cut head", fakegateway.CutHead(), want{502, `"code":"upstream_error"`}, want{502, `"type":"api_error"`}},
		{"200 that fails", fakegateway.Raw(200, nil, `{"error":{"message":"sorry","type":"server_error","param":null,"code":null}}`), want{500, `"message":"sorry"`}, want{500, `"type":"api_error"`}},
		{"200 of nothing", fakegateway.Raw(200, nil, ``), want{502, `"code":"upstream_error"`}, want{502, `"type":"api_error"`}},
	} {
		t.Run(c.behaviour, func(t *testing.T) {
			each(t, p, func(t *testing.T, model string, client sdk) {
				modes(t, func(t *testing.T, stream bool) {
					if c.script != nil {
						g.Script(c.script)
					}
					_, err := client.ask(deadline(t), question{model: model, text: "[[" + c.behaviour + "]] go"}, stream)
					f, ok := failureOf(err)
					if !ok {
						t.Fatalf("not an error of the API: %v", err)
					}
					w := c.openai
					if _, is := client.(*anthropicSDK); is {
						w = c.anthropic
					}
					if f.status != w.status || !strings.Contains(f.text, w.text) {
						t.Errorf("%d %s, want %d %s", f.status, f.text, w.status, w.text)
					}
					if c.behaviour == "error-429" && f.header.Get("Retry-After") != "1" {
						t.Error("Retry-After got lost")
					}
				})
			})
		})
	}
}

func TestStreamsThatBreakAreErrors(t *testing.T) {
	p, _ := setup(t, fakegateway.Options{}, config{})
	each(t, p, func(t *testing.T, model string, client sdk) {
		for _, behaviour := range []string{"error-midstream", "error-cut"} {
			r, err := client.ask(deadline(t), question{model: model, text: "[[" + behaviour + "]]"}, true)
			if err == nil {
				t.Errorf("%s: %+v", behaviour, r)
			}
			// Without any text it must be an error with a status.
			if f, ok := failureOf(err); r.deltas == 0 && (!ok || f.status < 500) {
				t.Errorf("%s: %v", behaviour, err)
			}
		}
	})
}

// firstWords are the start of a stream in the protocol of the model's provider.
func firstWords(model string) string {
	if strings.HasSuffix(model, "#anthropic") {
		return `event: message_start
data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":1}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello"}}

`
	}
	return `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}

data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":[{"index":0,"delta":{"content":"Hello"},"logprobs":null,"finish_reason":null}]}

`
}

// lastWords complete what firstWords began.
func lastWords(model string) string {
	if strings.HasSuffix(model, "#anthropic") {
		return `event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":2}}

event: message_stop
data: {"type":"message_stop"}

`
	}
	return `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}

data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}

data: [DONE]

`
}

// TestFirstWordComesAtOnce holds the rest of the stream back until the client has read
// the beginning, then hangs up and waits for the gateway to notice.
func TestFirstWordComesAtOnceAndHangingUpIsPassedOn(t *testing.T) {
	p, g := setup(t, fakegateway.Options{}, config{})
	each(t, p, func(t *testing.T, model string, client sdk) {
		ctx, cancel := context.WithCancel(deadline(t))
		defer cancel()
		chunks := make(chan string, 1)
		chunks <- firstWords(model)
		g.Script(fakegateway.Stream(chunks))
		var err error
		switch c := client.(type) {
		case *openaiSDK:
			s := c.client.Chat.Completions.NewStreaming(ctx, c.params(question{model: model, text: "go"}))
			defer s.Close()
			for s.Next() {
				if choices := s.Current().Choices; len(choices) > 0 && choices[0].Delta.Content == "Hello" {
					cancel()
				}
			}
			err = s.Err()
		case *anthropicSDK:
			s := c.client.Messages.NewStreaming(ctx, c.params(question{model: model, text: "go"}))
			defer s.Close()
			for s.Next() {
				if s.Current().Delta.Text == "Hello" {
					cancel()
				}
			}
			err = s.Err()
		case *responsesSDK:
			s := c.client.Responses.NewStreaming(ctx, c.params(question{model: model, text: "go"}))
			defer s.Close()
			for s.Next() {
				if s.Current().Delta == "Hello" {
					cancel()
				}
			}
			err = s.Err()
		}
		if ctx.Err() == nil {
			t.Fatalf("the first word did not come: %v", err)
		}
		if gone, err := g.Last().Cancelled(deadline(t)); err != nil || !gone {
			t.Errorf("the upstream goes on: %v, %v", gone, err)
		}
	})
}

func TestHangingUpBeforeTheAnswerIsPassedOn(t *testing.T) {
	p, g := setup(t, fakegateway.Options{}, config{})
	each(t, p, func(t *testing.T, model string, client sdk) {
		g.Script(fakegateway.Hang(nil, nil))
		ctx, cancel := context.WithCancel(deadline(t))
		done := make(chan error, 1)
		before := len(g.Requests())
		go func() {
			_, err := client.ask(ctx, question{model: model, text: "go"}, false)
			done <- err
		}()
		for len(g.Requests()) == before {
			if _, err := g.Next(deadline(t)); err != nil {
				t.Fatal(err)
			}
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("the client got %v", err)
		}
		if gone, err := g.Last().Cancelled(deadline(t)); err != nil || !gone {
			t.Errorf("the upstream goes on: %v, %v", gone, err)
		}
	})
}
