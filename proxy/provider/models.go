package provider

// catalogue lists models worth offering in a picker, per provider. It is not a limit:
// any other id works as well. Taken from the providers' model pages, November 2026.
var catalogue = map[string][]string{
	"openai": {
		"gpt-5.2", "gpt-5.1", "gpt-5", "gpt-5-mini", "gpt-5-nano", "gpt-4.1", "gpt-4.1-mini",
		"gpt-4o", "gpt-4o-mini", "o3", "o4-mini", "gpt-5-pro", "gpt-5.1-codex",
	},
	"anthropic": {
		"claude-opus-4-7", "claude-opus-4-6", "claude-sonnet-4-6", "claude-opus-4-5",
		"claude-sonnet-4-5", "claude-haiku-4-5",
	},
	"google-ai-studio": {"gemini-3-pro-preview", "gemini-2.5-pro", "gemini-2.5-flash", "gemini-2.5-flash-lite"},
	"groq":             {"openai/gpt-oss-120b", "openai/gpt-oss-20b", "llama-3.3-70b-versatile", "qwen/qwen3-32b"},
	"mistral":          {"mistral-large-latest", "mistral-medium-latest", "mistral-small-latest", "codestral-latest", "magistral-medium-latest"},
	"grok":             {"grok-4", "grok-4-fast-reasoning", "grok-code-fast-1", "grok-3", "grok-3-mini"},
	"deepseek":         {"deepseek-chat", "deepseek-reasoner"},
	"cerebras":         {"gpt-oss-120b", "llama-3.3-70b", "qwen-3-32b"},
	"perplexity-ai":    {"sonar", "sonar-pro", "sonar-reasoning-pro", "sonar-deep-research"},
	"cohere":           {"command-a-03-2025", "command-r-plus-08-2024", "command-r7b-12-2024"},
	"workers-ai":       {"@cf/openai/gpt-oss-120b", "@cf/openai/gpt-oss-20b", "@cf/meta/llama-3.3-70b-instruct-fp8-fast"},
	"demo":             {"echo"},
	"openrouter":       {"anthropic/claude-sonnet-4.5", "openai/gpt-5", "google/gemini-2.5-pro", "deepseek/deepseek-chat"},
}
