package ir

import (
	"bytes"
	"encoding/base64"

	"apex-ai-proxy/proxy/rawjson"
)

// Marks of thinking that did not come from Anthropic. Its API refuses signatures it did
// not make, so ours are recognisable: they are stripped before a request goes there.
const (
	foreignMark = "apx1."
	// TextSignature signs thinking of upstreams that sign nothing.
	TextSignature = foreignMark + "txt."
	// anthropicMark begins a wrapped block of Anthropic's, see WrapThinking.
	anthropicMark = foreignMark + "ant."
	// responsesMark begins a wrapped reasoning item of OpenAI's, see WrapItem.
	responsesMark = foreignMark + "oai-r."
)

// Foreign tells whether a signature was made by the proxy.
func Foreign(signature rawjson.Escaped) bool {
	return bytes.HasPrefix(signature, []byte(foreignMark))
}

// WrapThinking packs a block of thinking into one opaque text, which clients of the
// Responses API keep and send back.
func WrapThinking(p *Part) rawjson.Escaped {
	var w rawjson.Writer
	w.Open('{')
	if p.Kind == RedactedThinking {
		w.Text("data", p.Signature)
	} else {
		w.Text("thinking", p.Text)
		w.Text("signature", p.Signature)
	}
	w.Close('}')
	return append(rawjson.Escaped(anthropicMark), base64.RawURLEncoding.EncodeToString(w.Buf)...)
}

// UnwrapThinking is the inverse of WrapThinking. ok is false for texts of other origin.
func UnwrapThinking(e rawjson.Escaped) (parts []Part, ok bool) {
	enc, ok := bytes.CutPrefix(e, []byte(anthropicMark))
	if !ok {
		return nil, false
	}
	v, err := base64.RawURLEncoding.DecodeString(string(enc))
	if err != nil || rawjson.Valid(v) != nil {
		return nil, true
	}
	block := rawjson.Value(v)
	if data := block.Get("data").Text(); data != nil {
		return []Part{{Kind: RedactedThinking, Signature: data}}, true
	}
	return []Part{{Kind: Thinking, Text: block.Get("thinking").Text(), Signature: block.Get("signature").Text()}}, true
}

// WrapItem packs a reasoning item of the Responses API into a signature, which clients of
// Anthropic's API keep and send back.
func WrapItem(item rawjson.Value) rawjson.Escaped {
	return append(rawjson.Escaped(responsesMark), base64.RawURLEncoding.EncodeToString(item)...)
}

// UnwrapItem is the inverse of WrapItem, absent for signatures of other origin.
func UnwrapItem(signature rawjson.Escaped) rawjson.Value {
	enc, ok := bytes.CutPrefix(signature, []byte(responsesMark))
	if !ok {
		return nil
	}
	v, err := base64.RawURLEncoding.DecodeString(string(enc))
	if err != nil || rawjson.Valid(v) != nil {
		return nil
	}
	return v
}
