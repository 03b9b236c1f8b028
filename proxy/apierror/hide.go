package apierror

import "apex-ai-proxy/proxy/rawjson"

// MaskJSON hides in the strings of a JSON text what Mask hides, however they are escaped.
// A text without secrets is returned as it is; one that is not JSON is masked as it stands.
func MaskJSON(body []byte, secrets ...string) []byte {
	if rawjson.Valid(body) != nil {
		return []byte(Mask(string(body), secrets...))
	}
	var out []byte
	from := 0
	for i := 0; i < len(body); i++ {
		if body[i] != '"' {
			continue
		}
		start := i
		for i++; body[i] != '"'; i++ {
			if body[i] == '\\' {
				i++
			}
		}
		text := rawjson.Value(body[start : i+1]).Str()
		if shown := Mask(text, secrets...); shown != text {
			out = rawjson.AppendQuote(append(out, body[from:start]...), shown)
			from = i + 1
		}
	}
	if from == 0 {
		return body
	}
	return append(out, body[from:]...)
}

// hideAll masks everything in an error that a client or a record could see.
func hideAll(e *found, secrets []string) {
	e.typ, e.code, e.param = Mask(e.typ, secrets...), Mask(e.code, secrets...), Mask(e.param, secrets...)
	if e.details != nil {
		e.details = MaskJSON(e.details, secrets...)
	}
}
