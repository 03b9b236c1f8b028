package ir

import "apex-ai-proxy/proxy/rawjson"

// A custom tool takes free text instead of arguments. Upstreams without custom tools get
// a function tool with the one argument "input" instead.

// WrapSchema is the schema of a wrapped custom tool.
const WrapSchema = `{"type":"object","properties":{"input":{"type":"string","description":"The raw text of the input."}},"required":["input"],"additionalProperties":false}`

// WrapDescription is the description of a wrapped custom tool: its own, and the format
// that the text must have.
func WrapDescription(t *Tool) rawjson.Escaped {
	out := append(rawjson.Escaped{}, t.Description...)
	if len(out) > 0 {
		out = append(out, `\n\n`...)
	}
	out = append(out, "Put the raw text into the argument input. "...)
	grammar := t.Schema.Get("definition").Text()
	if grammar == nil {
		grammar = t.Schema.Get("grammar").Get("definition").Text()
	}
	if grammar == nil {
		return append(out, "It is free text."...)
	}
	out = append(out, `It must follow this grammar:\n`...)
	return append(out, grammar...)
}

// WrapInput is the arguments that stand for the free text of a custom call.
func WrapInput(input rawjson.Escaped) []byte {
	out := append([]byte(`{"input":"`), input...)
	return append(out, '"', '}')
}

// UnwrapInput is the free text in the arguments of a wrapped call. When the model
// ignored the wrapper, a single string argument counts, otherwise the whole JSON; no
// arguments are no text.
func UnwrapInput(args rawjson.Value) rawjson.Escaped {
	if text := args.Get("input").Text(); text != nil {
		return text
	}
	var only rawjson.Escaped
	n := 0
	r := rawjson.NewReader(args)
	r.Object(func([]byte) {
		n++
		only = r.Value().Text()
	})
	if r.Err() == nil && (n == 0 || n == 1 && only != nil) {
		return only
	}
	return rawjson.AppendEscape(nil, []byte(args))
}
