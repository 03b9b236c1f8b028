package demo

import (
	"encoding/base64"
	"encoding/binary"
	"hash/fnv"
	"math"
	"strconv"

	"apex-ai-proxy/proxy/rawjson"
)

// ValidateEmbeddings refuses what OpenAI refuses of an Embeddings request.
func ValidateEmbeddings(body []byte) *Refusal {
	_, refusal := parseEmbeddings(body)
	return refusal
}

// embeddingSize is how many numbers a vector has unless the request says otherwise.
const embeddingSize = 8

// embedding is an Embeddings request.
type embedding struct {
	model  string
	texts  []string
	size   int64
	base64 bool
}

func parseEmbeddings(body []byte) (*embedding, *Refusal) {
	root, err := parse(body)
	if err != nil {
		return nil, badRequest("", "", "We could not parse the JSON body of your request: %v.", err)
	}
	in := &inspection{dialect: chatDialect{}}
	m := membersOf(root)
	in.only(m, "input", "model", "encoding_format", "dimensions", "user")
	e := &embedding{model: in.need(root, m, "model", rawjson.String).str(), size: embeddingSize}
	in.word(m.get("encoding_format"), "float", "base64")
	e.base64 = m.get("encoding_format").str() == "base64"
	if n := m.get("dimensions"); n.present() {
		e.size = in.integer(n, 1, 4096)
	}
	in.text(m.get("user"), 64)
	switch input := m.get("input"); input.kind() {
	case rawjson.Absent:
		in.refuse(in.missing(root, "input"))
	case rawjson.String:
		e.texts = []string{input.str()}
	case rawjson.Array:
		for _, t := range elementsOf(input) {
			if t.kind() == rawjson.Number { // one text, as tokens
				e.texts = []string{string(input.v)}
				break
			}
			e.texts = append(e.texts, string(t.v))
			if t.kind() == rawjson.String {
				e.texts[len(e.texts)-1] = t.str()
			}
		}
		if len(e.texts) == 0 {
			in.refuse(emptyArray(input))
		}
	default:
		in.refuse(in.mismatch(input, rawjson.String))
	}
	for _, t := range e.texts {
		if t == "" {
			in.refuse(badRequest("input", "", "Invalid 'input': input cannot be an empty string."))
		}
	}
	return e, in.refusal
}

func (h *handler) embeddings(x *exchange, body []byte) {
	e, refusal := parseEmbeddings(body)
	if refusal != nil {
		x.refuse(refusal)
		return
	}
	if h.choose(e.model, "") == "" {
		x.refuse(noChatModel(e.model))
		return
	}
	var w rawjson.Writer
	w.Open('{')
	w.Str("object", "list")
	w.OpenKey("data", '[')
	words := 0
	for i, text := range e.texts {
		words += len(wordsOf(text))
		w.Open('{')
		w.Str("object", "embedding")
		w.Int("index", int64(i))
		w.Raw("embedding", e.render(vector(text, e.size)))
		w.Close('}')
	}
	w.Close(']')
	w.Str("model", e.model)
	w.OpenKey("usage", '{')
	w.Int("prompt_tokens", int64(words))
	w.Int("total_tokens", int64(words))
	w.Close('}')
	w.Close('}')
	x.buf = w.Buf
	x.whole(false)
}

// vector is a vector of length 1, the same for the same text.
func vector(text string, size int64) []float32 {
	v := make([]float32, size)
	sum := 0.0
	for i := range v {
		h := fnv.New32a()
		_, _ = h.Write([]byte(strconv.Itoa(i) + text)) // never fails
		f := float64(h.Sum32())/math.MaxUint32 - 0.5
		v[i] = float32(f)
		sum += f * f
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(sum))
	}
	return v
}

// render writes a vector as the request wants it.
func (e *embedding) render(v []float32) rawjson.Value {
	if !e.base64 {
		out := []byte{'['}
		for i, f := range v {
			if i > 0 {
				out = append(out, ',')
			}
			out = strconv.AppendFloat(out, float64(f), 'g', -1, 32)
		}
		return append(out, ']')
	}
	raw := make([]byte, 0, 4*len(v))
	for _, f := range v {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(f))
	}
	return rawjson.Value(rawjson.AppendQuote(nil, base64.StdEncoding.EncodeToString(raw)))
}
