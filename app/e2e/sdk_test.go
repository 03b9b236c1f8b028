package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	anthropicoption "github.com/anthropics/anthropic-sdk-go/option"
	"github.com/openai/openai-go/v3"
	openaioption "github.com/openai/openai-go/v3/option"

	"apex-ai-proxy/proxy/demo/fakegateway"
)

// result is what a client understood of an answer, whatever its protocol.
type result struct {
	text     string
	thoughts string
	calls    []toolCall
	stop     string // end, tools, length
	in, out  int64
	deltas   int // events that carried text
}

type toolCall struct{ id, name, args string }

// question is what a client asks, whatever its protocol.
type question struct {
	model   string
	system  string
	text    string
	image   string // base64 PNG
	tools   bool
	max     int64
	results []string // answers to the calls of the turn before
}

// sdk is a vendor's client. A conversation keeps what was said.
type sdk interface {
	ask(ctx context.Context, q question, stream bool) (result, error)
}

// clients makes a client of each protocol for the program.
func clients(p *program) map[string]func() sdk {
	return map[string]func() sdk{
		"openai":    func() sdk { return newOpenAI(p.URL, localKey) },
		"anthropic": func() sdk { return newAnthropic(p.URL, localKey) },
		"responses": func() sdk { return newResponses(p.URL, localKey) },
	}
}

type openaiSDK struct {
	client  openai.Client
	history []openai.ChatCompletionMessageParamUnion
	calls   []toolCall
}

func newOpenAI(url, key string, opts ...openaioption.RequestOption) *openaiSDK {
	opts = append([]openaioption.RequestOption{
		openaioption.WithBaseURL(url + "/v1"), openaioption.WithAPIKey(key), openaioption.WithMaxRetries(0),
	}, opts...)
	return &openaiSDK{client: openai.NewClient(opts...)}
}

var schema = map[string]any{
	"type":       "object",
	"properties": map[string]any{"city": map[string]any{"type": "string"}, "days": map[string]any{"type": "integer", "minimum": 3}},
	"required":   []string{"city", "days"},
}

func (s *openaiSDK) params(q question) openai.ChatCompletionNewParams {
	if len(s.history) == 0 && q.system != "" {
		s.history = append(s.history, openai.SystemMessage(q.system))
	}
	for i, r := range q.results {
		s.history = append(s.history, openai.ToolMessage(r, s.calls[i].id))
	}
	switch {
	case q.image != "":
		s.history = append(s.history, openai.UserMessage([]openai.ChatCompletionContentPartUnionParam{
			openai.TextContentPart(q.text),
			openai.ImageContentPart(openai.ChatCompletionContentPartImageImageURLParam{URL: "data:image/png;base64," + q.image}),
		}))
	case q.text != "":
		s.history = append(s.history, openai.UserMessage(q.text))
	}
	params := openai.ChatCompletionNewParams{Model: q.model, Messages: s.history}
	if q.max > 0 {
		params.MaxTokens = openai.Int(q.max)
	}
	if q.tools {
		for _, name := range []string{"get_weather", "get_forecast"} {
			params.Tools = append(params.Tools, openai.ChatCompletionFunctionTool(openai.FunctionDefinitionParam{
				Name: name, Description: openai.String("The weather of a city."), Parameters: schema,
			}))
		}
	}
	return params
}

func (s *openaiSDK) ask(ctx context.Context, q question, stream bool) (result, error) {
	params := s.params(q)
	if !stream {
		c, err := s.client.Chat.Completions.New(ctx, params)
		if err != nil {
			return result{}, err
		}
		return s.understand(c)
	}
	params.StreamOptions = openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)}
	events := s.client.Chat.Completions.NewStreaming(ctx, params)
	defer events.Close()
	var acc openai.ChatCompletionAccumulator
	deltas := 0
	for events.Next() {
		chunk := events.Current()
		if !acc.AddChunk(chunk) {
			return result{}, fmt.Errorf("the accumulator refuses the chunk %s", chunk.RawJSON())
		}
		if len(chunk.Choices) > 0 && chunk.Choices[0].Delta.Content != "" {
			deltas++
		}
	}
	if err := events.Err(); err != nil {
		return result{deltas: deltas}, err
	}
	r, err := s.understand(&acc.ChatCompletion)
	r.deltas = deltas
	return r, err
}

func (s *openaiSDK) understand(c *openai.ChatCompletion) (result, error) {
	if len(c.Choices) != 1 {
		return result{}, fmt.Errorf("%d choices", len(c.Choices))
	}
	m := c.Choices[0].Message
	r := result{text: m.Content, in: c.Usage.PromptTokens, out: c.Usage.CompletionTokens}
	if f, ok := m.JSON.ExtraFields["reasoning_content"]; ok {
		_ = json.Unmarshal([]byte(f.Raw()), &r.thoughts)
	}
	r.stop = map[string]string{"stop": "end", "tool_calls": "tools", "length": "length"}[c.Choices[0].FinishReason]
	s.calls = nil
	for _, call := range m.ToolCalls {
		s.calls = append(s.calls, toolCall{call.ID, call.Function.Name, call.Function.Arguments})
	}
	r.calls = s.calls
	s.history = append(s.history, m.ToParam())
	return r, nil
}

type anthropicSDK struct {
	client  anthropic.Client
	history []anthropic.MessageParam
	calls   []toolCall
}

func newAnthropic(url, key string, opts ...anthropicoption.RequestOption) *anthropicSDK {
	opts = append([]anthropicoption.RequestOption{
		anthropicoption.WithBaseURL(url), anthropicoption.WithAPIKey(key), anthropicoption.WithMaxRetries(0),
	}, opts...)
	return &anthropicSDK{client: anthropic.NewClient(opts...)}
}

func (s *anthropicSDK) params(q question) anthropic.MessageNewParams {
	var blocks []anthropic.ContentBlockParamUnion
	for i, r := range q.results {
		blocks = append(blocks, anthropic.NewToolResultBlock(s.calls[i].id, r, false))
	}
	if q.text != "" {
		blocks = append(blocks, anthropic.NewTextBlock(q.text))
	}
	if q.image != "" {
		blocks = append(blocks, anthropic.NewImageBlockBase64("image/png", q.image))
	}
	s.history = append(s.history, anthropic.NewUserMessage(blocks...))
	params := anthropic.MessageNewParams{Model: q.model, MaxTokens: max(q.max, 1), Messages: s.history}
	if q.max == 0 {
		params.MaxTokens = 4000
	}
	if q.system != "" {
		params.System = []anthropic.TextBlockParam{{Text: q.system}}
	}
	if q.tools {
		for _, name := range []string{"get_weather", "get_forecast"} {
			tool := anthropic.ToolUnionParamOfTool(anthropic.ToolInputSchemaParam{
				Properties: schema["properties"], Required: schema["required"].([]string),
			}, name)
			tool.OfTool.Description = anthropic.String("The weather of a city.")
			params.Tools = append(params.Tools, tool)
		}
	}
	return params
}

func (s *anthropicSDK) ask(ctx context.Context, q question, stream bool) (result, error) {
	params := s.params(q)
	if !stream {
		m, err := s.client.Messages.New(ctx, params)
		if err != nil {
			return result{}, err
		}
		return s.understand(m), nil
	}
	events := s.client.Messages.NewStreaming(ctx, params)
	defer events.Close()
	var m anthropic.Message
	deltas := 0
	for events.Next() {
		e := events.Current()
		if err := m.Accumulate(e); err != nil {
			return result{}, fmt.Errorf("the accumulator refuses the event %s: %w", e.RawJSON(), err)
		}
		if d, ok := e.AsAny().(anthropic.ContentBlockDeltaEvent); ok && d.Delta.Text != "" {
			deltas++
		}
	}
	if err := events.Err(); err != nil {
		return result{deltas: deltas}, err
	}
	r := s.understand(&m)
	r.deltas = deltas
	return r, nil
}

func (s *anthropicSDK) understand(m *anthropic.Message) result {
	r := result{in: m.Usage.InputTokens + m.Usage.CacheReadInputTokens + m.Usage.CacheCreationInputTokens, out: m.Usage.OutputTokens}
	r.stop = map[string]string{"end_turn": "end", "tool_use": "tools", "max_tokens": "length"}[string(m.StopReason)]
	s.calls = nil
	for _, block := range m.Content {
		switch b := block.AsAny().(type) {
		case anthropic.TextBlock:
			r.text += b.Text
		case anthropic.ThinkingBlock:
			r.thoughts += b.Thinking
		case anthropic.ToolUseBlock:
			s.calls = append(s.calls, toolCall{b.ID, b.Name, string(b.Input)})
		}
	}
	r.calls = s.calls
	s.history = append(s.history, m.ToParam())
	return r
}

// providers has a model of every provider of the gateway.
var providers = []struct{ model, slug string }{
	{"gpt-4o#openai", "openai"},
	{"claude-sonnet-4-5#anthropic", "anthropic"},
	{"gemini-2.0-flash#google-ai-studio", "google-ai-studio"},
	{"llama-3.3-70b-versatile#groq", "groq"},
	{"mistral-large-latest#mistral", "mistral"},
	{"grok-3#grok", "grok"},
	{"deepseek-chat#deepseek", "deepseek"},
	{"llama-3.3-70b#cerebras", "cerebras"},
	{"sonar#perplexity-ai", "perplexity-ai"},
	{"gpt-4o#azure-openai", "azure-openai"},
	{"command-r-plus-08-2024#cohere", "cohere"},
	{"@cf/meta/llama-3.1-8b-instruct#workers-ai", "workers-ai"},
	{"openai/gpt-4o#openrouter", "openrouter"},
}

// crossed are a model for each upstream protocol: both clients with both models are
// every combination of protocols.
var crossed = []string{"gpt-4o#openai", "claude-sonnet-4-5#anthropic"}

func modes(t *testing.T, f func(t *testing.T, stream bool)) {
	t.Helper()
	t.Run("whole", func(t *testing.T) { f(t, false) })
	t.Run("stream", func(t *testing.T) { f(t, true) })
}

func TestEveryProviderAnswersBothClients(t *testing.T) {
	p, g := setup(t, fakegateway.Options{}, config{})
	for vendor, client := range clients(p) {
		for _, provider := range providers {
			if vendor == "responses" && provider.slug == "openai" {
				continue // passes through to an API that the gateway of these tests has not
			}
			t.Run(vendor+"/"+provider.slug, func(t *testing.T) {
				modes(t, func(t *testing.T, stream bool) {
					text := "hello from " + vendor + " to " + provider.slug
					r, err := client().ask(deadline(t), question{model: provider.model, system: "Be brief.", text: text, max: 100}, stream)
					if err != nil {
						t.Fatalf("%v\nrefused: %q, sent: %s", err, g.Last().Refused, g.Last().Body)
					}
					if r.text != text || r.stop != "end" {
						t.Errorf("answer %q, stop %q", r.text, r.stop)
					}
					if r.in != 7 || r.out != 5 {
						t.Errorf("usage is %d in, %d out, want 7 and 5", r.in, r.out)
					}
					if stream && r.deltas < 5 {
						t.Errorf("the text came in %d pieces", r.deltas)
					}
					if last := g.Last(); last.Provider != provider.slug {
						t.Errorf("the request went to %s", last.Path)
					}
				})
			})
		}
	}
}

func TestConversation(t *testing.T) {
	p, g := setup(t, fakegateway.Options{}, config{})
	each(t, p, func(t *testing.T, model string, client sdk) {
		modes(t, func(t *testing.T, stream bool) {
			for _, text := range []string{"first words", "second words", "third words"} {
				r, err := client.ask(deadline(t), question{model: model, system: "Be brief.", text: text}, stream)
				if err != nil || r.text != text {
					t.Fatalf("%q: %q, %v\nrefused: %q, sent: %s", text, r.text, err, g.Last().Refused, g.Last().Body)
				}
			}
		})
	})
}

// each runs f for every combination of protocols.
func each(t *testing.T, p *program, f func(t *testing.T, model string, client sdk)) {
	t.Helper()
	for vendor, client := range clients(p) {
		for _, model := range crossed {
			if vendor == "responses" {
				model = strings.Replace(model, "gpt-4o#openai", "llama-3.3-70b-versatile#groq", 1)
			}
			t.Run(vendor+" to "+model, func(t *testing.T) { f(t, model, client()) })
		}
	}
}

func TestToolLoop(t *testing.T) {
	p, g := setup(t, fakegateway.Options{}, config{})
	for _, text := range []string{"[[tools]] weather, please", "[[tools]] both in parallel, please"} {
		want := []string{"get_weather"}
		if strings.Contains(text, "parallel") {
			want = append(want, "get_forecast")
		}
		t.Run(fmt.Sprint(len(want)), func(t *testing.T) {
			each(t, p, func(t *testing.T, model string, client sdk) {
				modes(t, func(t *testing.T, stream bool) {
					toolLoop(t, g, client, question{model: model, text: text, tools: true}, stream, want)
				})
			})
		})
	}
}

// toolLoop asks, answers the calls and asks something else in the same conversation.
func toolLoop(t *testing.T, g *fakegateway.Gateway, client sdk, q question, stream bool, want []string) {
	t.Helper()
	r, err := client.ask(deadline(t), q, stream)
	if err != nil {
		t.Fatalf("%v\nrefused: %q, sent: %s", err, g.Last().Refused, g.Last().Body)
	}
	if r.stop != "tools" || len(r.calls) != len(want) || r.out == 0 {
		t.Fatalf("stop %q, calls %v, %d tokens out", r.stop, r.calls, r.out)
	}
	q.text, q.results = "", nil
	for i, call := range r.calls {
		var args struct {
			City string
			Days int
		}
		if err := json.Unmarshal([]byte(call.args), &args); err != nil || !strings.HasPrefix(args.City, "sample city") || args.Days != 3 {
			t.Errorf("call %d: arguments %s: %v", i, call.args, err)
		}
		if call.name != want[i] || call.id == "" {
			t.Errorf("call %d is %v", i, call)
		}
		q.results = append(q.results, fmt.Sprintf("result %d with \"quotes\" & <marks>", i))
	}
	r, err = client.ask(deadline(t), q, stream)
	if err != nil {
		t.Fatalf("%v\nrefused: %q, sent: %s", err, g.Last().Refused, g.Last().Body)
	}
	for i, name := range want {
		if line := name + " answered: " + q.results[i]; !strings.Contains(r.text, line) || r.stop != "end" {
			t.Errorf("the answer %q (%s) lacks %q", r.text, r.stop, line)
		}
	}
	r, err = client.ask(deadline(t), question{model: q.model, text: "thank you", tools: true}, stream)
	if err != nil || r.text != "thank you" {
		t.Errorf("afterwards: %q, %v\nrefused: %q", r.text, err, g.Last().Refused)
	}
}

const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

func TestImage(t *testing.T) {
	p, g := setup(t, fakegateway.Options{}, config{})
	each(t, p, func(t *testing.T, model string, client sdk) {
		modes(t, func(t *testing.T, stream bool) {
			r, err := client.ask(deadline(t), question{model: model, text: "what is this?", image: pixel}, stream)
			if err != nil || r.text != "what is this?\n\nI see 1 image (image/png, 70 bytes)." {
				t.Errorf("%q, %v, refused: %q", r.text, err, g.Last().Refused)
			}
		})
	})
}

func TestLengthAndUsage(t *testing.T) {
	p, _ := setup(t, fakegateway.Options{}, config{})
	each(t, p, func(t *testing.T, model string, client sdk) {
		modes(t, func(t *testing.T, stream bool) {
			r, err := client.ask(deadline(t), question{model: model, text: "one two three four", max: 2}, stream)
			if err != nil || r.text != "one two " || r.stop != "length" || r.in < 4 || r.out != 2 {
				t.Errorf("%+v, %v", r, err)
			}
		})
	})
}

func TestLongTextArrivesWhole(t *testing.T) {
	p, _ := setup(t, fakegateway.Options{}, config{})
	var texts []string
	each(t, p, func(t *testing.T, model string, client sdk) {
		modes(t, func(t *testing.T, stream bool) {
			r, err := client.ask(deadline(t), question{model: model, text: "[[long]]"}, stream)
			if err != nil || !strings.Contains(r.text, "東京からこんにちは") || !strings.Contains(r.text, `backslash \ in`) {
				t.Errorf("%q, %v", r.text, err)
			}
			texts = append(texts, r.text)
		})
	})
	for _, text := range texts {
		if text != texts[0] {
			t.Errorf("%q differs from %q", text, texts[0])
		}
	}
}

func TestReasoningIsShown(t *testing.T) {
	p, _ := setup(t, fakegateway.Options{}, config{})
	each(t, p, func(t *testing.T, model string, client sdk) {
		for _, stream := range []bool{true, false} {
			r, err := client.ask(deadline(t), question{model: model, text: "[[reasoning]] go"}, stream)
			if err != nil || !strings.Contains(r.text, "go") {
				t.Fatalf("stream %v: %+v, %v", stream, r, err)
			}
			// The accumulator of openai-go keeps no fields that it does not know.
			if _, deaf := client.(*openaiSDK); !(deaf && stream) && r.thoughts != "The user wrote 2 words. I repeat what was said." {
				t.Errorf("stream %v: the thoughts are %q", stream, r.thoughts)
			}
		}
	})
}
