package rawjson_test

import (
	"strings"
	"testing"

	"apex-ai-proxy/proxy/rawjson"
)

func TestTemplate(t *testing.T) {
	learned := `{"id":"a","text":"one","end":null}`
	for _, c := range []struct {
		name, data, text string
		ok               bool
	}{
		{"the same", learned, "one", true},
		{"another text", `{"id":"a","text":"a longer one, \"quoted\" and \\","end":null}`, `a longer one, \"quoted\" and \\`, true},
		{"no text", `{"id":"a","text":"","end":null}`, "", true},
		{"the text looks like the end", `{"id":"a","text":"\",\"end\":null}","end":null}`, `\",\"end\":null}`, true},
		{"another id", `{"id":"b","text":"one","end":null}`, "", false},
		{"another end", `{"id":"a","text":"one","end":true}`, "", false},
		{"a member more", `{"id":"a","text":"one","more":1,"end":null}`, "", false},
		{"more behind", learned + " ", "", false},
		{"no string", `{"id":"a","text":null,"end":null}`, "", false},
		{"cut off in the text", `{"id":"a","text":"on`, "", false},
		{"cut off behind the text", `{"id":"a","text":"one"`, "", false},
		{"cut off before the text", `{"id":"a","te`, "", false},
		{"an escape that is none", `{"id":"a","text":"\x","end":null}`, "", false},
		{"a control character", "{\"id\":\"a\",\"text\":\"\n\",\"end\":null}", "", false},
		{"nothing", "", "", false},
	} {
		var p rawjson.Template
		data := []byte(learned)
		if _, ok := p.Match(data); ok {
			t.Fatal("a template that has learned nothing matches")
		}
		p.Learn(data, textOf(data))
		text, ok := p.Match([]byte(c.data))
		if string(text) != c.text || ok != c.ok {
			t.Errorf("%s: %q, %t", c.name, text, ok)
		}
	}
}

func textOf(data []byte) rawjson.Escaped { return rawjson.Value(data).Get("text").Text() }

// TestTemplateGivesUp: where each document has a number of its own nothing is gained.
func TestTemplateGivesUp(t *testing.T) {
	var p rawjson.Template
	numbered := func(n int) []byte {
		return []byte(`{"text":"one","n":"` + strings.Repeat("i", n) + `"}`)
	}
	for n := range 100 {
		data := numbered(n)
		p.Learn(data, textOf(data))
	}
	if _, ok := p.Match(numbered(99)); ok {
		t.Error("the hundredth document was learned")
	}
	p = rawjson.Template{}
	for n := range 100 {
		data := numbered(n / 3)
		if _, ok := p.Match(data); !ok {
			p.Learn(data, textOf(data))
		}
	}
	if _, ok := p.Match(numbered(33)); !ok {
		t.Error("a document that came three times was not learned")
	}
}

// TestTemplateIgnoresForeignText: a text that was copied, as one with escapes may be, is no
// part of the document.
func TestTemplateIgnoresForeignText(t *testing.T) {
	var p rawjson.Template
	data := []byte(`{"text":"one"}`)
	p.Learn(data, rawjson.Escaped("one"))
	if _, ok := p.Match(data); ok {
		t.Error("matches without knowing where")
	}
}

func BenchmarkTemplate(b *testing.B) {
	const chunk = `{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1750000000,"model":"m","choices":[{"index":0,"delta":{"text":"word"},"logprobs":null,"finish_reason":null}]}`
	data := []byte(chunk)
	var p rawjson.Template
	at := strings.Index(chunk, "word")
	p.Learn(data, rawjson.Escaped(data[at:at+4]))
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := p.Match(data); !ok {
			b.Fatal("no match")
		}
	}
}
