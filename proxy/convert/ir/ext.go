package ir

import "slices"

// ignorable are fields without effect on an answer that is given through a conversion:
// hints for caches, telemetry, and switches for what is not converted anyway.
var ignorable = map[Protocol][]string{
	OpenAIChat: {
		"prompt_cache_retention", "prompt_cache_options", "extra_body", "enable_thinking", "include_reasoning", "usage",
	},
	OpenAIResponses: {
		"store", "include", "stream_options", "client_metadata", "prompt_cache_retention", "prompt_cache_options",
		"background", // true is refused
	},
	// Sent with every request by Claude Code.
	AnthropicMessages: {"context_management", "diagnostics", "cache_control"},
}

// Ignorable tells whether a field of the client's may be left out without a word.
func (r *Request) Ignorable(f Field) bool {
	return f.Value.Empty() || slices.Contains(ignorable[r.Origin], f.Name) ||
		f.Name == "truncation" && f.Value.Text().Is("disabled") ||
		f.Name == "speed" && f.Value.Text().Is("standard")
}
