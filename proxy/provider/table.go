package provider

import "apex-ai-proxy/proxy/convert/ir"

// Paths and headers: Cloudflare's pages on the providers of AI Gateway, October 2026.
// Refused fields: the providers' API references and reports of users, November 2026.
var table = []Provider{
	{
		Slug: "openai", Title: "OpenAI",
		Chat: "openai/chat/completions", Responses: "openai/responses", Embeddings: "openai/embeddings", List: "openai/models", Key: bearer,
		Dialect: ir.Dialect{SafetyID: true, OpenAIFields: true},
	},
	{
		Slug: "anthropic", Title: "Anthropic", Aliases: []string{"claude"},
		Messages: "anthropic/v1/messages", List: "anthropic/v1/models", Key: xAPIKey,
		Dialect: ir.Dialect{TopK: true, KeepCache: true},
	},
	{
		Slug: "google-ai-studio", Title: "Google AI Studio", Aliases: []string{"google", "gemini"},
		Chat: "google-ai-studio/v1beta/openai/chat/completions", Embeddings: "google-ai-studio/v1beta/openai/embeddings", List: "google-ai-studio/v1beta/models", Key: googleKey, Quirks: googleQuirks,
		Dialect: ir.Dialect{
			MaxTokens: true, NoParallel: true, NoFiles: true, NoUser: true,
			GeminiSchema: true, NoServiceTier: true, NoLogprobs: true, StopLimit: 5, CallProofs: true,
		},
	},
	{
		Slug: "groq", Title: "Groq",
		Chat: "groq/chat/completions", Key: bearer, Quirks: groqQuirks,
		Dialect: ir.Dialect{NoFiles: true, NoServiceTier: true, NoLogprobs: true},
	},
	{
		Slug: "mistral", Title: "Mistral", Aliases: []string{"mistralai"},
		Chat: "mistral/v1/chat/completions", Embeddings: "mistral/v1/embeddings", Key: bearer, Quirks: mistralQuirks,
		Dialect: ir.Dialect{
			MaxTokens: true, NoStreamOptions: true, NoUser: true, NoFiles: true,
			NineCharIDs: true, NoServiceTier: true, NoLogprobs: true, Reasoning: ir.ReasoningNone,
		},
	},
	{
		Slug: "grok", Title: "xAI Grok", Aliases: []string{"xai", "x-ai"},
		Chat: "grok/v1/chat/completions", List: "grok/v1/models", Key: bearer,
		Dialect: ir.Dialect{NoFiles: true, NoServiceTier: true},
	},
	{
		Slug: "deepseek", Title: "DeepSeek",
		Chat: "deepseek/chat/completions", List: "deepseek/models", Key: bearer, Quirks: deepseekQuirks,
		Dialect: ir.Dialect{
			MaxTokens: true, NoParallel: true, NoFiles: true, NoJSONSchema: true,
			NoUser: true, NoServiceTier: true, ReplayReasoning: true, StopLimit: 16,
		},
	},
	{
		Slug: "cerebras", Title: "Cerebras",
		Chat: "cerebras/chat/completions", Key: bearer, Quirks: cerebrasQuirks,
		Dialect: ir.Dialect{TextOnlySystem: true, NoFiles: true, NoServiceTier: true},
	},
	{
		Slug: "perplexity-ai", Title: "Perplexity", Aliases: []string{"perplexity"},
		Chat: "perplexity-ai/chat/completions", Key: bearer, Quirks: perplexityQuirks,
		Dialect: ir.Dialect{
			MaxTokens: true, NoStreamOptions: true, OneSystem: true, TopK: true,
			NoTools: true, NoToolChoice: true, NoParallel: true, NoFiles: true, NoUser: true,
			Alternate: true, NoServiceTier: true, NoLogprobs: true,
		},
	},
	{
		Slug: "azure-openai", Title: "Azure OpenAI", Aliases: []string{"azure"},
		Chat: "azure-openai/{resource}/{model}/chat/completions", Embeddings: "azure-openai/{resource}/{model}/embeddings", Key: azureKey,
		Dialect: ir.Dialect{NoServiceTier: true},
	},
	{
		Slug: "cohere", Title: "Cohere",
		Chat: "compat/chat/completions", Prefix: "cohere/", Key: bearer,
		Dialect: ir.Dialect{
			MaxTokens: true, NoParallel: true, NoFiles: true, NoUser: true,
			NoServiceTier: true, NoLogprobs: true, StopLimit: 5,
		},
	},
	{
		Slug: "workers-ai", Title: "Workers AI", Aliases: []string{"workersai"},
		Chat: "workers-ai/v1/chat/completions", Embeddings: "workers-ai/v1/embeddings", Key: bearer, GatewayKey: true,
		Dialect: ir.Dialect{
			MaxTokens: true, TextOnlySystem: true, NoParallel: true, NoFiles: true,
			NoUser: true, NoServiceTier: true, NoLogprobs: true, NoNullContent: true,
		},
	},
	{
		Slug: "openrouter", Title: "OpenRouter",
		Chat: "openrouter/v1/chat/completions", Embeddings: "openrouter/v1/embeddings", Key: bearer,
		Dialect: ir.Dialect{
			MaxTokens: true, TopK: true, KeepCache: true, NoServiceTier: true,
			Reasoning: ir.ReasoningObject,
		},
	},
	{
		Slug: "demo", Title: "Built-in demo", Local: true,
		Chat: "v1/chat/completions", Messages: "v1/messages",
	},
}

// googleQuirks: Google answers 400 to a field that it does not know, in a request as well as
// in a schema.
var googleQuirks = Quirks{
	Drop:          []string{"store", "metadata", "safety_identifier", "prompt_cache_key", "logit_bias"},
	GoogleSchemas: true,
}

// groqQuirks: Groq answers 400 to what it does not store, and to reasoning that it sent
// itself when a client sends it back.
var groqQuirks = Quirks{
	Drop:       []string{"store", "metadata", "safety_identifier", "prompt_cache_key", "verbosity"},
	InHistory:  []string{"reasoning", "reasoning_content"},
	SystemRole: true,
}

// mistralQuirks: Mistral checks requests strictly, and sends usage without being asked.
var mistralQuirks = Quirks{
	Drop: []string{
		"stream_options", "store", "metadata", "user", "safety_identifier", "prompt_cache_key",
		"service_tier", "logit_bias", "logprobs", "top_logprobs", "verbosity",
	},
	Rename:      map[string]string{"max_completion_tokens": "max_tokens", "seed": "random_seed"},
	InHistory:   []string{"reasoning_content", "reasoning", "refusal", "annotations", "audio"},
	SystemRole:  true,
	NineCharIDs: true,
}

// deepseekQuirks: DeepSeek knows max_tokens and the role system only.
var deepseekQuirks = Quirks{
	Rename:     map[string]string{"max_completion_tokens": "max_tokens"},
	SystemRole: true,
}

// cerebrasQuirks: Cerebras checks requests strictly.
var cerebrasQuirks = Quirks{
	Drop:       []string{"store", "metadata", "safety_identifier"},
	SystemRole: true,
}

// perplexityQuirks: Perplexity sends usage without being asked.
var perplexityQuirks = Quirks{
	Drop:       []string{"stream_options", "store", "metadata"},
	Rename:     map[string]string{"max_completion_tokens": "max_tokens"},
	SystemRole: true,
}

func init() {
	for i := range table {
		table[i].Models = catalogue[table[i].Slug]
	}
}
