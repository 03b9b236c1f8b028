package provider_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/provider"
)

func quirksOf(t testing.TB, slug string) provider.Quirks {
	t.Helper()
	p, ok := provider.Lookup(slug)
	if !ok {
		t.Fatalf("no provider %s", slug)
	}
	return p.Quirks
}

// TestRewriteModel: nothing but the value of the model changes.
func TestRewriteModel(t *testing.T) {
	for _, tc := range []struct{ in, out, model string }{
		{`{"model":"a#b"}`, `{"model":"NEW"}`, "a#b"},
		{" \r\n{ \"x\" : 12345678901234567890.10 ,\t\"model\" :\n \"a\\u0023b\" , \"y\":{ \"model\":\"keep\" } }\n", " \r\n{ \"x\" : 12345678901234567890.10 ,\t\"model\" :\n \"NEW\" , \"y\":{ \"model\":\"keep\" } }\n", "a#b"},
		{`{"mod\u0065l":"a","tools":[{"model":"keep"}]}`, `{"mod\u0065l":"NEW","tools":[{"model":"keep"}]}`, "a"},
		{`{"stream":true,"messages":[{"content":"\"model\":\"keep\""}],"model":"a","é":"\ud83d\ude00"}`, `{"stream":true,"messages":[{"content":"\"model\":\"keep\""}],"model":"NEW","é":"\ud83d\ude00"}`, "a"},
	} {
		q, err := provider.Peek([]byte(tc.in))
		if err != nil || q.Model != tc.model {
			t.Errorf("%s: %q %v", tc.in, q.Model, err)
			continue
		}
		if got := string(q.Rewrite("NEW", provider.Quirks{})); got != tc.out {
			t.Errorf("%s\nbecame %s", tc.in, got)
		}
		if same := q.Rewrite(tc.model, provider.Quirks{}); &same[0] != &q.Body[0] {
			t.Errorf("%s: copied without need", tc.in)
		}
	}
	q, err := provider.Peek([]byte(`{"model":"first","model":"last"}`))
	if err != nil || q.Model != "last" {
		t.Fatal(q, err)
	}
	for _, model := range []string{"NEW", "last"} { // an upstream may take the first one
		if got, want := string(q.Rewrite(model, provider.Quirks{})), `{"model":"`+model+`","model":"`+model+`"}`; got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	q, err = provider.Peek([]byte(`{"model":"a"}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(q.Rewrite("q\"\\\n", provider.Quirks{})); got != `{"model":"q\"\\\n"}` {
		t.Errorf("%s", got)
	}
	for _, bad := range []string{
		``, `[]`, `null`, `{`, `{"model":"a"} x`, `{"model":5}`, `{"model":"a",}`, `{"model":"\x"}`, `{"mod\xel":"a"}`,
		`{"m":[{"c":"x"]}`, `{"m":[{"c":"x}]}`, `{"m":[{"c" "x"}]}`, `{"m":[{c:"x"}]}`, `{"m":[01]}`, `{"m":["\"]}`, `{"m":["\\\"]}`,
	} {
		if _, err := provider.Peek([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

// TestWrongModel: what is said of a model that is no text is right, with its place.
func TestWrongModel(t *testing.T) {
	for body, want := range map[string]string{
		`{"x":1,"model":5}`:       "model must be a string",
		`{"x":1,"model":["a"]}`:   "model must be a string",
		`{"x":1,"model":"abc\q"}`: "the request body cannot be read: invalid JSON at byte 19: a string holds an invalid escape",
		"{\"model\":\"a\x00\"}":   "the request body cannot be read: invalid JSON at byte 11: a string holds an unescaped control character",
	} {
		if _, err := provider.Peek([]byte(body)); err == nil || err.Error() != want {
			t.Errorf("%q: %v", body, err)
		}
	}
}

// TestSchemaThatCannotBeRead: a schema is cleaned as a whole or stays as it is. Where only a part
// can be read, the rest must not be left out: the upstream would take it for what was meant.
func TestSchemaThatCannotBeRead(t *testing.T) {
	const body = `{"model":"a","tools":[{"type":"function","function":{"name":"f","parameters":{"title":"T","properties":{"a":{"description":"TEXT"},"b":{"type":"string"}}}}}],` +
		`"response_format":{"type":"json_schema","json_schema":{"schema":{"title":"T","type":"object"}}}}`
	for text, clean := range map[string]bool{"right": true, `\\ \"`: true, `\q`: false, `\u12`: false, "\n": false, "\x00": false} {
		in := strings.Replace(body, "TEXT", text, 1)
		q, err := provider.Peek([]byte(in))
		if err != nil {
			t.Fatal(err)
		}
		got := string(q.Rewrite("a", quirksOf(t, "google-ai-studio")))
		if !strings.Contains(got, text) || !strings.Contains(got, `"b":{"type":"string"}`) {
			t.Errorf("%q: something is lost: %s", text, got)
		}
		if titles := strings.Count(got, "title"); (titles == 0) != clean || titles > 1 {
			t.Errorf("%q: %d titles are left: %s", text, titles, got)
		}
	}
}

// TestStringsCannotHideTheModel: whatever is in a nested string, right or wrong, it ends where
// a parser says it ends.
func TestStringsCannotHideTheModel(t *testing.T) {
	for _, text := range []string{
		`\"`, `\\`, `\\\"`, `\"}],\"model\":\"no\",\"x\":[{\"`, `\\\\\"],\"model\":\"no`, `\x`, `\u12`, `\ud83d`, "\x00\n\x1f", "\xff\xfe", `\'`,
	} {
		for n := range 40 {
			filled := strings.Repeat("a", n) + text
			for _, s := range []string{filled, filled + strings.Repeat("b", 40)} {
				body := `{"messages":[{"` + s + `":"` + s + `"},"` + s + `"],"model":"a","tools":["` + s + `"]}`
				q, err := provider.Peek([]byte(body))
				if err != nil || q.Model != "a" {
					t.Fatalf("%q: model %q, error %v", body, q.Model, err)
				}
				if got := string(q.Rewrite("NEW", provider.Quirks{})); got != strings.Replace(body, `:"a"`, `:"NEW"`, 1) {
					t.Fatalf("%q became %q", body, got)
				}
			}
		}
	}
}

func TestQuirks(t *testing.T) {
	for _, tc := range []struct{ slug, in, out string }{
		{
			"mistral",
			`{ "stream_options":{"include_usage":true}, "model":"x", "max_completion_tokens":5, "user" : "u" }`,
			`{  "model":"x", "max_tokens":5 }`,
		},
		{"mistral", `{"model":"x","max_tokens":4,"max_completion_tokens":5}`, `{"model":"x","max_tokens":4}`},
		{"mistral", `{"store":true,"metadata":{}}`, `{}`},
		{
			"groq",
			`{"model":"x","messages":[{"role":"developer","content":"d"},{"reasoning":"r","role":"assistant","content":"a","reasoning_content":"b"}],"store":false}`,
			`{"model":"x","messages":[{"role":"system","content":"d"},{"role":"assistant","content":"a"}]}`,
		},
		{"groq", `{"messages":[{"reasoning":"r"},{"content":{"reasoning":1}}]}`, `{"messages":[{},{"content":{"reasoning":1}}]}`},
		{"deepseek", `{"max_completion_tokens":1,"messages":[{"role":"user","content":"developer"}]}`, `{"max_tokens":1,"messages":[{"role":"user","content":"developer"}]}`},
		{"openai", `{"stream_options":{"include_usage":true},"store":true}`, `{"stream_options":{"include_usage":true},"store":true}`},
		{"mistral", `{"messages":null,"user":"u"}`, `{"messages":null}`},
		{"mistral", `{"messages":"odd","user":"u"}`, `{"messages":"odd"}`},
		{
			"mistral", // a conversation that began with another provider
			`{"messages":[{"role":"assistant","tool_calls":[{"id":"call_1","function":{"arguments":"{\"id\":\"call_1\"}"}},{"id":"aB3456789"},{"id":null},7]},{"role":"tool","tool_call_id":"call_1","content":"call_1"}]}`,
			`{"messages":[{"role":"assistant","tool_calls":[{"id":"` + ir.NineCharID("call_1") + `","function":{"arguments":"{\"id\":\"call_1\"}"}},{"id":"aB3456789"},{"id":null},7]},{"role":"tool","tool_call_id":"` + ir.NineCharID("call_1") + `","content":"call_1"}]}`,
		},
		{
			"google",
			`{"store":true,"tools":[{"type":"function","function":{"name":"a","parameters":{"type":"object", "additionalProperties":false,"properties":{"title":{"type":"string"},"store":{"$schema":"x","type":"string","format":"uri"}}}}},{"function":{"name":"b"}},null],"messages":[{"role":"user","content":"$schema"}]}`,
			`{"tools":[{"type":"function","function":{"name":"a","parameters":{"type":"object","properties":{"title":{"type":"string"},"store":{"type":"string"}}}}},{"function":{"name":"b"}},null],"messages":[{"role":"user","content":"$schema"}]}`,
		},
		{"google", `{"tools":[{"function":{"parameters":{"type":"object","properties":{"a":{"type":"integer"}}}}}] , "tool_choice": "auto"}`, `{"tools":[{"function":{"parameters":{"type":"object","properties":{"a":{"type":"integer"}}}}}] , "tool_choice": "auto"}`},
		{"google", `{"tools":null,"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"$id":"i","type":"object","properties":{}}}}}`, `{"tools":null,"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}}}`},
		{"google", `{"tools":{"function":1},"response_format":{"json_schema":[]}}`, `{"tools":{"function":1},"response_format":{"json_schema":[]}}`},
	} {
		q, err := provider.Peek([]byte(tc.in))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(q.Rewrite(q.Model, quirksOf(t, tc.slug))); got != tc.out {
			t.Errorf("%s: %s\nbecame %s\nwant   %s", tc.slug, tc.in, got, tc.out)
		}
	}
}

// FuzzRewrite compares the edits with doing the same on parsed values.
func FuzzRewrite(f *testing.F) {
	f.Add([]byte(`{"model":"a","store":1,"messages":[{"role":"developer","reasoning":1},{"x":[]}],"user":2,"max_completion_tokens":3}`))
	f.Add([]byte(`{ "user":1 , "store":{} , "model" : "b" }`))
	f.Fuzz(func(t *testing.T, body []byte) {
		q, err := provider.Peek(body)
		if err != nil {
			return
		}
		p, _ := provider.Lookup("mistral")
		out := q.Rewrite("NEW", p.Quirks)
		if !json.Valid(body) {
			return // rawjson is a little more lenient than encoding/json with bad UTF-8
		}
		var got, want map[string]any
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatalf("%s became %s: %v", body, out, err)
		}
		d := json.NewDecoder(bytes.NewReader(body))
		if d.Decode(&want) != nil || duplicates(body) {
			return
		}
		for _, name := range p.Quirks.Drop {
			delete(want, name)
		}
		for from, to := range p.Quirks.Rename {
			v, ok := want[from]
			if _, there := want[to]; ok && !there {
				want[to] = v
			}
			delete(want, from)
		}
		want["model"] = "NEW" // also where the path named it
		delete(want, "messages")
		delete(got, "messages")
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%s\nbecame %s", body, out)
		}
	})
}

// duplicates tells whether some key stands twice in the top-level object.
func duplicates(body []byte) bool {
	d := json.NewDecoder(bytes.NewReader(body))
	seen := map[string]bool{}
	depth, key := 0, false
	for {
		tok, err := d.Token()
		if err != nil {
			return false
		}
		switch v := tok.(type) {
		case json.Delim:
			if v == '{' || v == '[' {
				depth++
			} else {
				depth--
			}
			key = depth == 1
		case string:
			if depth == 1 && key {
				if seen[v] {
					return true
				}
				seen[v] = true
				key = false
				continue
			}
			key = depth == 1
		default:
			key = depth == 1
		}
	}
}

func BenchmarkPeekRewrite(b *testing.B) {
	body := []byte(`{"stream":true,"messages":[{"role":"user","content":"` + strings.Repeat("some words of a prompt ", 13_000) + `"}],"model":"gpt-5#openai"}`)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		q, err := provider.Peek(body)
		if err != nil {
			b.Fatal(err)
		}
		_ = q.Rewrite("gpt-5", provider.Quirks{})
	}
}

// TestPeekAllocations: however long a conversation is, looking at it and replacing its model
// costs the same few allocations.
func TestPeekAllocations(t *testing.T) {
	count := func(messages int) float64 {
		body := []byte(`{"stream":true,"messages":[` + strings.Repeat(`{"role":"user","content":[{"type":"text","text":"some \"words\""}]},`, messages) + `{}],"model":"gpt-5#openai"}`)
		return testing.AllocsPerRun(10, func() {
			q, err := provider.Peek(body)
			if err != nil {
				t.Fatal(err)
			}
			_ = q.Pieces("gpt-5", provider.Quirks{})
		})
	}
	if few, many := count(10), count(5000); few > 20 || many > few+5 {
		t.Errorf("%.0f allocations for a short conversation, %.0f for a long one", few, many)
	}
}

// TestPieces: what is sent in pieces is what Rewrite makes in one.
func TestPieces(t *testing.T) {
	for name, body := range map[string]string{
		"small":          `{"model":"a","messages":[]}`,
		"large":          `{"model":"a","messages":["` + strings.Repeat("x", 100<<10) + `"],"model":"b"}`,
		"large, no edit": `{"model":"NEW","messages":["` + strings.Repeat("x", 100<<10) + `"]}`,
		"large, no name": `{"messages":["` + strings.Repeat("x", 100<<10) + `"]}`,
	} {
		q, err := provider.Peek([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := bytes.Join(q.Pieces("NEW", provider.Quirks{}), nil), q.Rewrite("NEW", provider.Quirks{}); !bytes.Equal(got, want) {
			t.Errorf("%s: %.80s\nwant %.80s", name, got, want)
		}
	}
}

func TestMarks(t *testing.T) {
	for body, want := range map[string][2]bool{
		`{"messages":[{"content":[{"type":"thinking","signature":"apx1.txt.eyJ9"}]}]}`: {true, false},
		`{"messages":[{"content":[{"type":"tool_use"}]}]}`:                             {false, true},
		`{"messages":[{"content":[{"type":"tool_result","x":"apx1.a"}]}]}`:             {true, true},
		`{"messages":[{"content":"say \"apx1.txt\" and tool_use"}]}`:                   {false, false},
		`{"model":"apx1","user":"apx2.x"}`:                                             {false, false},
	} {
		q, err := provider.Peek([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		if q.Tagged != want[0] || q.AnthropicParts != want[1] {
			t.Errorf("%s: tagged %t, parts %t", body, q.Tagged, q.AnthropicParts)
		}
	}
}
