package rawjson_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"apex-ai-proxy/proxy/rawjson"
)

var documents = []string{
	`{}`, `[]`, `""`, `null`, `true`, `false`, `0`, `-1.5e+10`, `[1,2,3]`, ` { "a" : [ 1 , { "b" : null } ] } `,
	`{"a":"\u00e9\n\"\\","b":"\ud83d\ude00"}`, `{"":0}`, `[[[]]]`, `{"a":{},"b":[]}`, `1e3`, `"long enough for a whole word of eight\n"`,
}

var broken = []string{
	``, ` `, `{`, `}`, `[1,]`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{a:1}`, `[1 2]`, `01`, `1.`, `-`, `+1`, `1e`, `tru`, `nul`, `"`, `"\x"`,
	`"\u12g4"`, "\"\n\"", `{} {}`, `"a" "b"`, `[}`, `{]`, `nan`, `.5`,
}

func TestValidAgreesWithEncodingJSON(t *testing.T) {
	for _, doc := range documents {
		if err := rawjson.Valid([]byte(doc)); err != nil {
			t.Errorf("%s: %v", doc, err)
		}
	}
	for _, doc := range broken {
		if rawjson.Valid([]byte(doc)) == nil {
			t.Errorf("%s passes for JSON", doc)
		}
	}
}

// document appends a random value to b: nested, spaced and escaped in every way.
func document(r *rand.Rand, b []byte, depth int) []byte {
	space := func() { b = append(b, []string{"", "", "", " ", "\n\t", "\r\n  "}[r.IntN(6)]...) }
	text := func() {
		b = append(b, '"')
		for range r.IntN(24) {
			b = append(b, []string{"a", "word ", "é", `\n`, `\"`, `\\`, `\u003c`, `\uD83D\uDE00`, "{", "]", ",", ":"}[r.IntN(12)]...)
		}
		b = append(b, '"')
	}
	space()
	switch k := r.IntN(7); {
	case depth > 0 && k < 4:
		open := []byte("{[")[k%2]
		b = append(b, open)
		for i := range r.IntN(4) {
			if i > 0 {
				b = append(b, ',')
			}
			space()
			if open == '{' {
				text()
				space()
				b = append(b, ':')
			}
			b = document(r, b, depth-1)
		}
		space()
		b = append(b, open+2)
	case k == 5:
		b = append(b, []string{"0", "-1.5e+3", "true", "false", "null"}[r.IntN(5)]...)
	default:
		text()
	}
	space()
	return b
}

// TestValidOfNearlyValid: a document in which one byte is wrong, or gone.
func TestValidOfNearlyValid(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		doc := document(r, nil, 4)
		if err := rawjson.Valid(doc); err != nil {
			t.Fatalf("%q: %v", doc, err)
		}
		i := r.IntN(len(doc))
		switch r.IntN(3) {
		case 0:
			doc = doc[:i]
		case 1:
			doc = slices.Delete(doc, i, i+1)
		default:
			doc[i] = []byte("\"\\{}[],: u0\n\x01x")[r.IntN(14)]
		}
		if got, want := rawjson.Valid(doc) == nil, json.Valid(doc); got != want {
			t.Fatalf("%q: valid is %t, encoding/json says %t", doc, got, want)
		}
	}
}

func FuzzReader(f *testing.F) {
	for _, doc := range append(documents, broken...) {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		valid := json.Valid(doc)
		deep := bytes.Count(doc, []byte("[")) + bytes.Count(doc, []byte("{"))
		if got := rawjson.Valid(doc) == nil; got != valid && deep < 500 {
			t.Fatalf("valid is %t, encoding/json says %t", got, valid)
		}
		var c rawjson.Checker
		c.Feed(doc)
		c.Byte(' ')
		if got := c.Complete && !c.Bad; got != valid && deep < 500 {
			t.Fatalf("the checker says %t, encoding/json %t", got, valid)
		}
		outline := rawjson.NewReader(slices.Concat([]byte("["), doc, []byte("]")))
		outline.Outline()
		outline.Value()
		if got, want := outline.Close() == nil, json.Valid(slices.Concat([]byte("["), tame(doc), []byte("]"))); got != want && deep < 500 {
			t.Fatalf("its outline is valid: %t, want %t", got, want)
		}
		checked := parts(rawjson.Within(doc)) // of nonsense it may read anything, but must end
		if !valid {
			return
		}
		if want := parts(rawjson.NewReader(doc)); !slices.Equal(checked, want) {
			t.Fatalf("read as checked: %q, want %q", checked, want)
		}
		outline = rawjson.NewReader(doc)
		outline.Outline()
		if got := parts(outline); !slices.Equal(got, checked) {
			t.Fatalf("read in outline: %q, want %q", got, checked)
		}
		compact := rawjson.AppendCompact(nil, bytes.TrimSpace(doc))
		var want bytes.Buffer
		if err := json.Compact(&want, doc); err != nil || !bytes.Equal(compact, want.Bytes()) {
			t.Fatalf("compact: %s, want %s", compact, want.Bytes())
		}
		var text string
		if json.Unmarshal(doc, &text) == nil && doc[0] == '"' {
			if got := rawjson.Value(bytes.TrimSpace(doc)).Str(); utf8.Valid(doc) && got != text {
				t.Fatalf("text %q, want %q", got, text)
			}
		}
	})
}

// tame is a document whose strings hold nothing but plain text of the same lengths.
func tame(doc []byte) []byte {
	out, inside := bytes.Clone(doc), false
	for i := 0; i < len(out); i++ {
		switch {
		case out[i] == '"':
			inside = !inside
		case inside && out[i] == '\\':
			out[i] = 'x'
			if i++; i < len(out) {
				out[i] = 'x'
			}
		case inside:
			out[i] = 'x'
		}
	}
	return out
}

// parts are the keys and values of an object, or the values of an array, two levels deep.
func parts(r *rawjson.Reader) (found []string) {
	var value func(depth int)
	value = func(depth int) {
		switch k := r.Kind(); {
		case depth < 2 && k == rawjson.Object:
			r.Object(func(key []byte) {
				found = append(found, "key "+string(key))
				value(depth + 1)
			})
		case depth < 2 && k == rawjson.Array:
			r.Array(func(int) { value(depth + 1) })
		default:
			found = append(found, string(r.Value()))
		}
	}
	value(0)
	return append(found, fmt.Sprint(r.Close()))
}

func FuzzEscape(f *testing.F) {
	f.Add("plain")
	f.Add("quotes \" and \\ and \n\t\r\x00 and é and 😀 and \xff")
	f.Fuzz(func(t *testing.T, s string) {
		e := rawjson.Escape(s)
		want := strings.ToValidUTF8(s, "\uFFFD")
		if utf8.ValidString(s) && e.String() != want {
			t.Fatalf("%q came back as %q", s, e.String())
		}
		if !json.Valid(rawjson.AppendText(nil, e)) {
			t.Fatalf("not a string literal: %s", e)
		}
	})
}

func TestErrorsNameThePlace(t *testing.T) {
	r := rawjson.NewReader([]byte(`{"messages":[{"role":"user"},{"role":7}]}`))
	r.Object(func([]byte) {
		r.Array(func(int) {
			r.Object(func([]byte) { r.Str() })
		})
	})
	want := "messages[1].role must be a string, not a number"
	if err := r.Close(); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestCutHighSurrogate(t *testing.T) {
	for _, c := range []struct{ in, text, half string }{
		{`abc`, `abc`, ``},
		{`x\ud83d`, `x`, `\ud83d`},
		{`x\uD83D`, `x`, `\uD83D`},
		{`x\\ud83d`, `x\\ud83d`, ``},
		{`x\\\ud83d`, `x\\`, `\ud83d`},
		{`\ud83d\ude00`, `\ud83d\ude00`, ``},
		{`ud83d`, `ud83d`, ``},
	} {
		text, half := rawjson.Escaped(c.in).CutHighSurrogate()
		if string(text) != c.text || string(half) != c.half {
			t.Errorf("%s: %s and %s", c.in, text, half)
		}
	}
}

func TestWriterPutsCommas(t *testing.T) {
	var w rawjson.Writer
	w.Open('{')
	w.Str("a", "x\"y")
	w.OpenKey("b", '[')
	w.Open('{')
	w.Close('}')
	w.Element(rawjson.Value("1"))
	w.ElementText(rawjson.Escaped(`\n`))
	w.Close(']')
	w.Int("c", -5)
	w.Bool("d", true)
	w.Null("e")
	w.RawIf("f", rawjson.Value("null"))
	w.TextIf("g", nil)
	w.KeyText("h\n")
	w.Buf = append(w.Buf, '2')
	w.Close('}')
	want := `{"a":"x\"y","b":[{},1,"\n"],"c":-5,"d":true,"e":null,"h\n":2}`
	if string(w.Buf) != want {
		t.Errorf("got  %s\nwant %s", w.Buf, want)
	}
}

func TestSplice(t *testing.T) {
	doc := []byte(`{"n":12345678901234567890, "model" :  "a" ,"model2":1}`)
	r := rawjson.NewReader(doc)
	var at rawjson.Span
	r.Object(func(k []byte) {
		if string(k) == "model" {
			at.Start = r.Offset()
			at.End = at.Start + len(r.Value())
		}
	})
	want := `{"n":12345678901234567890, "model" :  "b" ,"model2":1}`
	if got := rawjson.Splice(doc, at, []byte(`"b"`)); string(got) != want {
		t.Errorf("got %s", got)
	}
}

// TestBytesThatAreSpecialAnywhere: strings are looked at many bytes at once, so whatever is
// special in one is put at every place of strings of many lengths.
func TestBytesThatAreSpecialAnywhere(t *testing.T) {
	pieces := []string{`"`, `\n`, `\"`, `\\`, `\\\`, `\x`, `\u12aF`, `\u12g4`, `\u`, "\x01", "\x1f", "\x7f", "\u0080", "ä", "\u00a3", " ", "!", "#", `\"\"\n\t\\`}
	check := func(doc []byte) {
		if got, want := rawjson.Valid(doc) == nil, json.Valid(doc); got != want {
			t.Fatalf("%q: valid is %t, encoding/json says %t", doc, got, want)
		}
		var text string
		if json.Unmarshal(doc, &text) == nil {
			if got := rawjson.Value(doc).Str(); got != text {
				t.Fatalf("%q: text %q, want %q", doc, got, text)
			}
			if got := string(rawjson.Within([]byte("[" + string(doc) + "]")).Value()); got != "["+string(doc)+"]" {
				t.Fatalf("%q within an array is %q", doc, got)
			}
			if again := rawjson.AppendCompact(nil, rawjson.Value(doc)); !bytes.Equal(again, doc) {
				t.Fatalf("%q became %q", doc, again)
			}
		}
	}
	for _, filler := range []string{"a", "ä"} {
		for n := 0; n <= 150; n += 1 + n/24 {
			text := strings.Repeat(filler, n)
			for at := 0; at <= len(text); at += len(filler) {
				for _, p := range pieces {
					check([]byte(`"` + text[:at] + p + text[at:] + `"`))
				}
			}
		}
	}
}

func BenchmarkValid(b *testing.B) {
	doc := []byte(`{"messages":[` + strings.Repeat(`{"role":"user","content":"Some text of a usual length, with \"quotes\" in it."},`, 200) + `{}]}`)
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		if err := rawjson.Valid(doc); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkValidImage(b *testing.B) {
	doc := []byte(`{"data":"` + strings.Repeat("iVBORw0KGgoAAAAN", 1<<16) + `"}`)
	b.SetBytes(int64(len(doc)))
	for b.Loop() {
		if err := rawjson.Valid(doc); err != nil {
			b.Fatal(err)
		}
	}
}
