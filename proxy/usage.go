package proxy

import (
	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
)

// unary looks at a whole answer, or at the end of one.
func (o *observer) unary(b []byte) {
	o.usage(b)
	if !o.tokens.Known {
		return
	}
	o.ended = true
}

// usage reads every token count in b.
func (o *observer) usage(b []byte) {
	for {
		v, rest := behind(b, markUsage)
		if rest == nil {
			return
		}
		if len(v) > 0 && v[0] == '{' {
			o.count(v)
		}
		b = rest
	}
}

// count reads one usage object. A later one completes or replaces what came before.
func (o *observer) count(b []byte) {
	t := o.tokens
	var cacheRead, cacheWrite, input int64
	var hasInput bool
	r := rawjson.NewReader(b)
	r.Object(func(key []byte) {
		switch string(key) {
		case "prompt_tokens", "input_tokens":
			input, hasInput = whole(r.Value()), true
		case "completion_tokens", "output_tokens":
			t.Output, t.Known = whole(r.Value()), true
		case "cache_read_input_tokens":
			cacheRead = whole(r.Value())
		case "cache_creation_input_tokens":
			cacheWrite = whole(r.Value())
		case "prompt_tokens_details", "input_tokens_details":
			t.CacheRead, t.CacheWrite = 0, 0
			details(r, func(name string, n int64) {
				switch name {
				case "cached_tokens":
					t.CacheRead = n
				case "cache_write_tokens":
					t.CacheWrite = n
				}
			})
		case "completion_tokens_details", "output_tokens_details":
			var reasoning, thinking int64
			details(r, func(name string, n int64) {
				switch name {
				case "reasoning_tokens":
					reasoning = n
				case "thinking_tokens":
					thinking = n
				}
			})
			t.Reasoning = reasoning + thinking
		}
	})
	if r.Err() != nil {
		return
	}
	if hasInput {
		t.Known = true
		if o.proto == ir.AnthropicMessages {
			// Counted apart here, together in a record.
			t.CacheRead, t.CacheWrite = cacheRead, cacheWrite
			t.Input = input + cacheRead + cacheWrite
		} else {
			t.Input = input
		}
	}
	o.tokens = t
}

// details calls f with each count in an object; anything else has none.
func details(r *rawjson.Reader, f func(name string, n int64)) {
	if r.Kind() != rawjson.Object {
		r.Value()
		return
	}
	r.Object(func(key []byte) { f(string(key), whole(r.Value())) })
}

func whole(v rawjson.Value) int64 {
	if v.Kind() != rawjson.Number {
		return 0
	}
	n, _ := v.Int()
	return n
}
