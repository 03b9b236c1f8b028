package provider_test

import (
	"errors"
	"strings"
	"testing"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/provider"
)

func TestResolve(t *testing.T) {
	for asked, want := range map[string][2]string{ // slug, model on the wire
		"gpt-5#openai":                           {"openai", "gpt-5"},
		"claude-sonnet-4-5#Anthropic":            {"anthropic", "claude-sonnet-4-5"},
		"claude-opus-4-7[1m]":                    {"anthropic", "claude-opus-4-7"},
		"claude-opus-4-7[1m]#anthropic":          {"anthropic", "claude-opus-4-7"},
		"claude-opus-4-7#anthropic[1M]":          {"anthropic", "claude-opus-4-7"},
		" gpt-4o#openai ":                        {"openai", "gpt-4o"},
		"gpt-4o # openai":                        {"openai", "gpt-4o"},
		"a#b#openai":                             {"openai", "a#b"},
		"@cf/openai/gpt-oss-20b#workers-ai":      {"workers-ai", "@cf/openai/gpt-oss-20b"},
		"workers-ai/@cf/meta/x":                  {"workers-ai", "@cf/meta/x"},
		"@cf/meta/llama":                         {"workers-ai", "@cf/meta/llama"},
		"anthropic/claude-sonnet-4.5#openrouter": {"openrouter", "anthropic/claude-sonnet-4.5"},
		"openrouter/openai/gpt-5":                {"openrouter", "openai/gpt-5"},
		"openai/gpt-5":                           {"openai", "gpt-5"},
		"ft:gpt-4o:acme::id#openai":              {"openai", "ft:gpt-4o:acme::id"},
		"grok-4#xai":                             {"grok", "grok-4"},
		"gemini-2.5-pro#google":                  {"google-ai-studio", "gemini-2.5-pro"},
		"command-r#cohere":                       {"cohere", "cohere/command-r"},
		"cohere/command-r":                       {"cohere", "cohere/command-r"},
		"gpt-4o":                                 {"openai", "gpt-4o"},
		"o3-mini":                                {"openai", "o3-mini"},
		"chatgpt-4o-latest":                      {"openai", "chatgpt-4o-latest"},
		"gemini-3-pro":                           {"google-ai-studio", "gemini-3-pro"},
		"deepseek-chat":                          {"deepseek", "deepseek-chat"},
		"codestral-latest":                       {"mistral", "codestral-latest"},
		"sonar-pro":                              {"perplexity-ai", "sonar-pro"},
		"Claude-Sonnet-4-5":                      {"anthropic", "Claude-Sonnet-4-5"},
		"echo#demo":                              {"demo", "echo"},
		"echo-openai#demo":                       {"demo", "echo"},
	} {
		r, err := provider.Resolve(asked)
		if err != nil || r.Provider.Slug != want[0] || r.WireModel() != want[1] || r.Asked != asked {
			t.Errorf("%q: %s %s %v", asked, r.Provider.Slug, r.WireModel(), err)
		}
	}
	for asked, kind := range map[string]ir.ErrorKind{
		"": ir.InvalidRequest, " ": ir.InvalidRequest, "x#": ir.InvalidRequest, "#openai": ir.InvalidRequest,
		"x#nowhere": ir.ModelNotFound, "x\r\nA: b#openai": ir.InvalidRequest, "x\x00#openai": ir.InvalidRequest,
		strings.Repeat("x", 300): ir.InvalidRequest, "[1m]": ir.ModelNotFound,
		"llama-3": ir.ModelNotFound, "gpt-oss-120b": ir.ModelNotFound, "nobody/x": ir.ModelNotFound, "openai/": ir.ModelNotFound,
		"nobody/gpt-4o": ir.ModelNotFound,
	} {
		_, err := provider.Resolve(asked)
		var e *ir.Error
		if !errors.As(err, &e) || e.Kind != kind || e.Param != "model" {
			t.Errorf("%q: %v", asked, err)
		}
	}
	_, err := provider.Resolve("x#nowhere")
	for _, p := range provider.All() {
		if !strings.Contains(err.Error(), p.Slug) {
			t.Errorf("%s is not listed in %v", p.Slug, err)
		}
	}
	if !strings.Contains(err.Error(), "model#provider") {
		t.Errorf("the right form is not shown in %v", err)
	}
}

// TestResolveSuggests: what a refusal shows uses the caller's own words.
func TestResolveSuggests(t *testing.T) {
	for asked, want := range map[string]string{
		"gpt-4o#opnai":               "\"opnai\" is not a provider: did you mean gpt-4o#openai? Write it as model#provider. Providers: ",
		"claude-opus-4-7#antropic":   "did you mean claude-opus-4-7#anthropic?",
		"my-model#googel":            "did you mean my-model#google-ai-studio?",
		"claude-opus-4-7#bedrock":    "did you mean claude-opus-4-7#anthropic?",
		"llama-3.3-70b-versatile#xy": "did you mean llama-3.3-70b-versatile#groq?",
		"gpt-oss-120b":               "no provider is known for the model \"gpt-oss-120b\": did you mean gpt-oss-120b#cerebras?",
		"qwen3-32b":                  "did you mean qwen/qwen3-32b#groq?",
		"claude-sonnet-4.5#bedrock":  "did you mean anthropic/claude-sonnet-4.5#openrouter?",
		"cluade-sonnet-4-5":          "did you mean cluade-sonnet-4-5#anthropic?",
		"echo#":                      "the provider is missing after #: did you mean echo#demo? Write it as model#provider. Providers: ",
		"nobody#":                    "the provider is missing after #: write it as model#provider. Providers: ",
		"nobody":                     "no provider is known for the model \"nobody\": write it as model#provider. Providers: ",
		"nobody#elsewhere":           "\"elsewhere\" is not a provider: write it as model#provider. Providers: ",
		"#groq":                      "the model is missing before #groq: write it as model#provider, for example openai/gpt-oss-120b#groq",
		"#":                          "the model is missing: write it as model#provider. Providers: ",
	} {
		if _, err := provider.Resolve(asked); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", asked, err, want)
		}
	}
}

func TestUpstreamProtocol(t *testing.T) {
	for _, p := range provider.All() {
		for _, client := range []ir.Protocol{ir.OpenAIChat, ir.AnthropicMessages, ir.OpenAIResponses} {
			r, err := provider.Resolve("gpt-4o#" + p.Slug)
			if err != nil {
				t.Fatal(err)
			}
			up := r.Upstream(client, false)
			want := ir.OpenAIChat
			switch {
			case p.Speaks(client):
				want = client
			case p.Slug == "anthropic" || p.Local:
				want = ir.AnthropicMessages
			}
			if up != want || !p.Speaks(up) {
				t.Errorf("%s, %s: %s", p.Slug, client, up)
			}
		}
	}
	for model, want := range map[string]ir.Protocol{"echo-openai#demo": ir.OpenAIChat, "echo-anthropic#demo": ir.AnthropicMessages} {
		r, err := provider.Resolve(model)
		if err != nil || r.Upstream(ir.OpenAIChat, false) != want || r.Upstream(ir.AnthropicMessages, false) != want {
			t.Errorf("%s: %v", model, err)
		}
	}
}

// TestResponsesModels wants the Responses API where a model needs it or is better there.
func TestResponsesModels(t *testing.T) {
	const chat, messages, responses = ir.OpenAIChat, ir.AnthropicMessages, ir.OpenAIResponses
	for _, c := range []struct {
		model  string
		client ir.Protocol
		stops  bool
		want   ir.Protocol
	}{
		{"gpt-5-pro#openai", chat, false, responses},
		{"gpt-5-pro-2025-10-06#openai", messages, true, responses},
		{"gpt-5-pro#openai", responses, false, responses},
		{"gpt-5-pro#openai", ir.OpenAIEmbeddings, false, ir.OpenAIEmbeddings},
		{"gpt-5.2-pro#openai", chat, false, responses},
		{"gpt-5-codex#openai", chat, false, responses},
		{"gpt-5.1-codex#openai", chat, false, responses},
		{"gpt-5.1-codex-mini#openai", chat, false, responses},
		{"gpt-5.1-codex-max#openai", chat, false, responses},
		{"gpt-5.3-codex#openai", chat, false, responses},
		{"gpt-6-codex#openai", chat, false, responses},
		{"gpt-6-pro#openai", chat, false, responses},
		{"codex-mini-latest#openai", chat, false, responses},
		{"o1-pro#openai", chat, false, responses},
		{"o3-pro#openai", chat, false, responses},
		{"o3-deep-research#openai", chat, false, responses},
		{"o4-mini-deep-research-2025-06-26#openai", chat, false, responses},
		{"computer-use-preview#openai", chat, false, responses},
		{"gpt-5-codex#azure-openai", chat, false, chat}, // it has no Responses API here
		{"openai/gpt-5-pro#openrouter", messages, false, chat},
		{"gpt-5#openai", chat, false, chat},
		{"gpt-5#openai", messages, false, responses},
		{"gpt-5#openai", messages, true, responses}, // it takes no stop sequences anywhere
		{"o3#openai", messages, false, responses},
		{"gpt-5-chat-latest#openai", messages, false, chat},
		{"gpt-5-search-api#openai", messages, false, chat},
		{"o1-mini#openai", messages, false, chat},
		{"gpt-4o#openai", messages, false, chat},
		{"ft:gpt-4o:acme::id#openai", messages, false, chat},
		{"brand-new#openai", messages, false, responses},
		{"brand-new#openai", messages, true, chat},
		{"gpt-5#azure-openai", messages, false, chat},
		{"gpt-oss-120b#groq", messages, false, chat},
	} {
		r, err := provider.Resolve(c.model)
		if err != nil {
			t.Fatal(err)
		}
		if up := r.Upstream(c.client, c.stops); up != c.want {
			t.Errorf("%s for %s, stop sequences %t: %s, want %s", c.model, c.client, c.stops, up, c.want)
		}
	}
}

func TestDeploymentsStayOneSegment(t *testing.T) {
	at := provider.Place{Gateway: "https://gw/a/g", AzureResource: "r/../x", AzureAPIVersion: "v&a=b"}
	r, err := provider.Resolve("my model?x#y%2f#azure-openai")
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.URL(ir.OpenAIChat, at)
	const want = "https://gw/a/g/azure-openai/r%2F..%2Fx/my%20model%3Fx%23y%252f/chat/completions?api-version=v%26a%3Db"
	if err != nil || got != want {
		t.Errorf("%s %v", got, err)
	}
	for _, bad := range []string{"../x", "..", ".", "a/b"} {
		r, err := provider.Resolve(bad + "#azure-openai")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := r.URL(ir.OpenAIChat, at); err == nil {
			t.Errorf("%s became %s", bad, got)
		}
	}
}

func TestAbilities(t *testing.T) {
	type facts struct {
		budget, adaptive, always, noSampling, oneSampling, noPrefill, midSystem, schema bool
		max                                                                             int64
	}
	for model, want := range map[string]facts{
		"claude-3-haiku-20240307":     {max: 4096},
		"claude-3-5-sonnet-20241022":  {max: 8192},
		"claude-3-7-sonnet-latest":    {budget: true, max: 64000},
		"claude-opus-4-20250514":      {budget: true, max: 32000},
		"claude-opus-4-1-20250805":    {budget: true, oneSampling: true, schema: true, max: 32000},
		"claude-sonnet-4-5-20250929":  {budget: true, oneSampling: true, schema: true, max: 64000},
		"anthropic/claude-sonnet-4.5": {budget: true, oneSampling: true, schema: true, max: 64000},
		"claude-opus-4-6":             {adaptive: true, oneSampling: true, noPrefill: true, schema: true, max: 128000},
		"claude-opus-4-7":             {adaptive: true, oneSampling: true, noPrefill: true, noSampling: true, schema: true, max: 128000},
		"claude-opus-4-8":             {adaptive: true, oneSampling: true, noPrefill: true, noSampling: true, midSystem: true, schema: true, max: 128000},
		"claude-fable-5":              {adaptive: true, always: true, oneSampling: true, noPrefill: true, noSampling: true, midSystem: true, schema: true, max: 64000},
	} {
		a := provider.AbilityOf("anthropic", model)
		got := facts{a.Budget, a.Adaptive, a.AlwaysThinks, a.NoSampling, a.OneSampling, a.NoPrefill, a.MidSystem, a.OutputSchema, a.MaxOutput}
		if got != want || !a.Known {
			t.Errorf("%s: %+v, want %+v", model, got, want)
		}
	}
	for model, efforts := range map[string]string{
		"o3": "low medium high", "o4-mini": "low medium high", "gpt-5": "minimal low medium high",
		"gpt-5.1": "none low medium high", "gpt-5.2": "none low medium high xhigh", "gpt-5.6": "none low medium high xhigh max",
		"gpt-4o": "", "gpt-5-chat-latest": "", "o1-mini": "",
	} {
		a := provider.AbilityOf("openai", model)
		if strings.Join(a.Efforts, " ") != efforts || !a.Known || a.NoStop != (efforts != "" || model == "o1-mini") {
			t.Errorf("%s: %+v", model, a)
		}
	}
	if a := provider.AbilityOf("openai", "brand-new"); a.Known || a.Efforts != nil {
		t.Errorf("%+v", a)
	}
}
