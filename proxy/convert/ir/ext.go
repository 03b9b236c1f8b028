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

// Foreign decides about a field that only the client's protocol has, for an upstream of
// OpenAI's: it is refused where the answer would be another without it; otherwise lost tells
// whether the client should know that it is left out.
func (r *Request) Foreign(f Field) (refusal *Error, lost bool) {
	switch {
	case f.Name == "mcp_servers" && !f.Value.Empty():
		return Refused("mcp_servers", "MCP servers run at Anthropic and are not available with this provider: use a model of anthropic or remove mcp_servers"), false
	case f.Name == "thread":
		return UnknownThread(f.Value), false
	default:
		return nil, !r.Ignorable(f)
	}
}

// fieldNames are the names of a field in Messages, Chat Completions and Responses, where
// they differ; "" where there is none.
var fieldNames = [][3]string{
	{"max_tokens", "max_tokens", "max_output_tokens"},
	{"stop_sequences", "stop", ""},
	{"thinking", "reasoning_effort", "reasoning"},
	{"output_config.format", "response_format", "text.format"},
	{"tool_choice.disable_parallel_tool_use", "parallel_tool_calls", "parallel_tool_calls"},
	{"", "logprobs", "top_logprobs"},
	{"", "verbosity", "text.verbosity"},
	{"messages", "messages", "input"},
	{"messages[0]", "messages[0]", "input[0]"},
}

// NameOf is the client's name of a field that an encoder knows under another protocol's,
// for warnings and errors. Any other path stays as it is.
func (r *Request) NameOf(path string) string {
	column := slices.Index([]Protocol{AnthropicMessages, OpenAIChat, OpenAIResponses}, r.Origin)
	if column < 0 {
		return path
	}
	for _, names := range fieldNames {
		if path != "" && slices.Contains(names[:], path) && names[column] != "" {
			return names[column]
		}
	}
	return path
}
