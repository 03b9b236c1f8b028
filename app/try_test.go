package app

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"apex-ai-proxy/app/secret"
	"apex-ai-proxy/proxy/event"
)

func TestTry(t *testing.T) {
	a := opened(t, map[string]string{"APEX_LOCAL_KEY": "a-local-key-of-some-length"}, &secret.Memory{})
	if _, err := a.Try(t.Context(), "echo#demo"); !errors.Is(err, ErrNotRunning) {
		t.Errorf("stopped: %v", err)
	}
	must(t, a.Start(context.Background()))
	s := a.Settings()
	s.Aliases = map[string]any{"mine": "echo#demo", "spare": []string{"error-529#demo", "echo#demo"}}
	must(t, a.SaveSettings(t.Context(), s.WithTier("opus", "reasoning#demo")))
	for name, c := range map[string]struct{ model, answered, problem string }{
		"a model":              {"echo#demo", "echo", ""},
		"an alias":             {"mine", "echo", ""},
		"a tier":               {"claude-opus", "reasoning", ""},
		"the second choice":    {"spare", "echo", ""},
		"a refusal":            {"error-429#demo", "error-429", "Rate limit"},
		"an error on its way":  {"error-midstream#demo", "error-midstream", "failed"},
		"an answer cut off":    {"error-cut#demo", "error-cut", "broke off"},
		"no account":           {"gpt-5#openai", "", "account"},
		"an unknown name":      {"no such model", "", "no such model"},
		"a quote in the model": {`say "hi"#demo`, "", `say \"hi\"`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := a.Try(t.Context(), c.model)
			list := a.Bus().Recent()
			if x := list[len(list)-1]; x.ModelAsked != c.model || x.Client != "Tried here" || x.Phase == event.Waiting {
				t.Errorf("recorded %+v", x)
			}
			if c.problem != "" {
				var refused *TrialError
				if !errors.As(err, &refused) || !strings.Contains(err.Error(), c.problem) {
					t.Errorf("%+v, %v", got, err)
				}
				return
			}
			if err != nil || got.Model != c.answered || got.First <= 0 || got.Took < got.First {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
	var refused *TrialError
	if _, err := a.Try(t.Context(), "gpt-5#openai"); !errors.As(err, &refused) || !refused.Told().Ours() || refused.Told().String() != refused.Message {
		t.Errorf("a refusal of the proxy cannot be told in another language: %+v", err)
	}
	s = a.Settings()
	s.Aliases = map[string]any{"busy": "error-429#demo"}
	must(t, a.SaveSettings(t.Context(), s))
	if _, err := a.Try(t.Context(), "busy"); !errors.As(err, &refused) || !strings.HasSuffix(refused.Told().String(), " (busy leads to error-429#demo)") {
		t.Errorf("the model behind a name cannot be told in another language: %+v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.Try(ctx, "echo#demo"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestListen(t *testing.T) {
	const words, end = `data: {"choices":[{"delta":{"role":"assistant","content":""}}]}` + "\n\n" + `data: {"choices":[{"delta":{"content":"OK"}}]}` + "\n\n", "data: [DONE]\n\n"
	for name, c := range map[string]struct {
		answer  string
		said    bool
		problem string
	}{
		"words":            {words + end, true, ""},
		"thoughts":         {`data: {"choices":[{"delta":{"reasoning_content":"hm"}}]}` + "\n\n" + end, true, ""},
		"nothing":          {`data: {"choices":[{"delta":{"role":"assistant"}}]}` + "\n\n" + end, false, ""},
		"no end":           {words, true, "broke off"},
		"an error":         {words + `data: {"error":{"message":"too much"}}` + "\n\n" + end, true, "too much"},
		"an error's shape": {`data: {"error":"odd"}` + "\n\n", false, "answered 200"},
		"no answer":        {"", false, "broke off"},
		"far too much":     {strings.Repeat(words, trialAnswer/len(words)+1) + end, true, "broke off"},
	} {
		first, err := listen(io.LimitReader(strings.NewReader(c.answer), trialAnswer), time.Now().Add(-time.Second))
		if (first >= time.Second) != c.said || (err == nil) != (c.problem == "") || err != nil && !strings.Contains(err.Error(), c.problem) {
			t.Errorf("%s: %v, %v", name, first, err)
		}
	}
}
