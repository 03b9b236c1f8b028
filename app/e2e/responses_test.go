package e2e

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	openaioption "github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/responses"

	"apex-ai-proxy/proxy/demo/fakegateway"
	"apex-ai-proxy/proxy/demo/grammar"
)

// responsesSDK is OpenAI's client on the Responses API.
type responsesSDK struct {
	client  openai.Client
	history responses.ResponseInputParam
	calls   []toolCall
}

func newResponses(url, key string) *responsesSDK {
	return &responsesSDK{client: openai.NewClient(
		openaioption.WithBaseURL(url+"/v1"), openaioption.WithAPIKey(key), openaioption.WithMaxRetries(0),
	)}
}

func (s *responsesSDK) params(q question) responses.ResponseNewParams {
	for i, r := range q.results {
		item := responses.ResponseInputItemParamOfFunctionCallOutput(r)
		item.OfFunctionCallOutput.CallID = param.NewOpt(s.calls[i].id)
		s.history = append(s.history, item)
	}
	switch {
	case q.image != "":
		s.history = append(s.history, responses.ResponseInputItemParamOfMessage(responses.ResponseInputMessageContentListParam{
			{OfInputText: &responses.ResponseInputTextParam{Text: q.text}},
			{OfInputImage: &responses.ResponseInputImageParam{Detail: "auto", ImageURL: openai.String("data:image/png;base64," + q.image)}},
		}, "user"))
	case q.text != "":
		s.history = append(s.history, responses.ResponseInputItemParamOfMessage(q.text, "user"))
	}
	p := responses.ResponseNewParams{
		Model: q.model, Store: openai.Bool(false), Input: responses.ResponseNewParamsInputUnion{OfInputItemList: s.history},
	}
	if q.system != "" {
		p.Instructions = openai.String(q.system)
	}
	if q.max > 0 {
		p.MaxOutputTokens = openai.Int(q.max)
	}
	if q.tools {
		for _, name := range []string{"get_weather", "get_forecast"} {
			p.Tools = append(p.Tools, responses.ToolUnionParam{OfFunction: &responses.FunctionToolParam{
				Name: name, Description: openai.String("The weather of a city."), Parameters: schema, Strict: openai.Bool(false),
			}})
		}
	}
	return p
}

func (s *responsesSDK) ask(ctx context.Context, q question, stream bool) (result, error) {
	p := s.params(q)
	if !stream {
		r, err := s.client.Responses.New(ctx, p)
		if err != nil {
			return result{}, err
		}
		return s.understand(r, 0)
	}
	events := s.client.Responses.NewStreaming(ctx, p)
	defer events.Close()
	var last *responses.Response
	deltas := 0
	for events.Next() {
		switch e := events.Current().AsAny().(type) {
		case responses.ResponseTextDeltaEvent:
			deltas++
		case responses.ResponseCompletedEvent:
			last = &e.Response
		case responses.ResponseIncompleteEvent:
			last = &e.Response
		case responses.ResponseFailedEvent:
			return result{deltas: deltas}, errors.New(e.Response.Error.Message)
		}
	}
	if err := events.Err(); err != nil {
		return result{}, err
	}
	if last == nil {
		return result{}, errors.New("the stream has no end")
	}
	return s.understand(last, deltas)
}

// understand keeps the answer as the next turn's history, as programs do.
func (s *responsesSDK) understand(r *responses.Response, deltas int) (result, error) {
	out := result{in: r.Usage.InputTokens, out: r.Usage.OutputTokens, deltas: deltas, stop: "end"}
	s.calls = nil
	for _, item := range r.Output {
		switch it := item.AsAny().(type) {
		case responses.ResponseOutputMessage:
			var text strings.Builder
			for _, c := range it.Content {
				text.WriteString(c.Text)
			}
			out.text += text.String()
			s.history = append(s.history, responses.ResponseInputItemParamOfMessage(text.String(), "assistant"))
		case responses.ResponseReasoningItem:
			for _, part := range it.Summary {
				out.thoughts += part.Text
			}
			back := responses.ResponseInputItemParamOfReasoning(it.ID, []responses.ResponseReasoningItemSummaryParam{})
			back.OfReasoning.EncryptedContent = openai.String(it.EncryptedContent)
			s.history = append(s.history, back)
		case responses.ResponseFunctionToolCall:
			s.calls = append(s.calls, toolCall{it.CallID, it.Name, it.Arguments})
			s.history = append(s.history, responses.ResponseInputItemParamOfFunctionCall(it.Arguments, it.CallID, it.Name))
			out.stop = "tools"
		default:
			return out, fmt.Errorf("unexpected item %s", item.RawJSON())
		}
	}
	if r.Status == "incomplete" {
		out.stop = "length"
	}
	out.calls = s.calls
	return out, nil
}

// Streams of every upstream protocol keep the rules of the Responses API, whatever the
// answer holds.
func TestResponsesStreamsKeepTheGrammar(t *testing.T) {
	p, _ := setup(t, fakegateway.Options{}, config{})
	for _, model := range []string{"claude-sonnet-4-5#anthropic", "llama-3.3-70b-versatile#groq", "echo#demo", "echo-openai#demo"} {
		for _, text := range []string{"hello", "[[tools]] parallel", "[[long]]", "[[reasoning]] go"} {
			t.Run(model+" "+text, func(t *testing.T) {
				got := p.send("POST", "/v1/responses", `{"model":"`+model+`","stream":true,"input":"`+text+`","tools":[{"type":"function","name":"f","strict":false,"parameters":{"type":"object","properties":{}}}]}`)
				if err := grammar.Responses([]byte(got.body)); got.status != 200 || err != nil {
					t.Errorf("status %d: %v\n%s", got.status, err, got.body)
				}
			})
		}
	}
}

func TestResponsesErrors(t *testing.T) {
	p, _ := setup(t, fakegateway.Options{}, config{})
	for name, c := range map[string]struct {
		body string
		want []string
	}{
		"stored state":  {`{"model":"echo#demo","input":"a","previous_response_id":"resp_1"}`, []string{`"param":"previous_response_id"`, `"code":"unsupported_value"`}},
		"no input":      {`{"model":"echo#demo"}`, []string{`"param":"input"`}},
		"unknown item":  {`{"model":"echo#demo","input":[{"type":"surprise"}]}`, []string{`"param":"input[0].type"`}},
		"wrong type":    {`{"model":"echo#demo","input":[{"role":7}]}`, []string{`input[0].role must be a string`}},
		"missing model": {`{"input":"a"}`, []string{`"param":"model"`}},
	} {
		t.Run(name, func(t *testing.T) {
			got := p.send("POST", "/v1/responses", c.body)
			if got.status != 400 {
				t.Errorf("status %d", got.status)
			}
			for _, w := range c.want {
				if !strings.Contains(got.body, w) {
					t.Errorf("%s lacks %s", got.body, w)
				}
			}
		})
	}
	upgrade := p.send("GET", "/v1/responses", "")
	if upgrade.status != 405 || upgrade.header.Get("Allow") != "POST, OPTIONS" {
		t.Errorf("a try for a web socket is answered with %d", upgrade.status)
	}
}
