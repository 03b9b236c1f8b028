package ir_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/prose"
	"apex-ai-proxy/proxy/rawjson"
)

func TestCallIDsComeBack(t *testing.T) {
	seen := map[string]string{}
	for _, id := range []string{
		"call_1", "toolu_01ABC", "functions.get:0", "a.b", "a_b", "a:b", "", "tc_YQ", "tc_", "über", strings.Repeat("x", 64),
	} {
		w := ir.WrapID(id)
		if len(w) > 64 || strings.Trim(w, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != "" {
			t.Errorf("%q became the illegal %q", id, w)
		}
		if other, dup := seen[w]; dup {
			t.Errorf("%q and %q both became %q", id, other, w)
		}
		seen[w] = id
		if got := ir.UnwrapID(w); got != id && id != "" {
			t.Errorf("%q came back as %q", id, got)
		}
	}
	long := strings.Repeat("a.b", 40)
	if w := ir.WrapID(long); len(w) > 64 || w != ir.WrapID(long) || w == ir.WrapID(long+"x") {
		t.Errorf("a long id became %q", w)
	}
	if got := ir.UnwrapID("tc_not base64"); got != "tc_not base64" {
		t.Errorf("an id that was never wrapped became %q", got)
	}
}

func TestNineCharIDs(t *testing.T) {
	for _, id := range []string{"toolu_1", "toolu_2", "abcdefghi", "a-cdefghi", ""} {
		got := ir.NineCharID(id)
		if len(got) != 9 || strings.ContainsAny(got, "_-") {
			t.Errorf("%q became %q", id, got)
		}
	}
	if ir.NineCharID("abcdefghi") != "abcdefghi" || ir.NineCharID("toolu_1") == ir.NineCharID("toolu_2") {
		t.Error("ids must stay apart, and stay as they are when they fit")
	}
}

func TestDataURL(t *testing.T) {
	for _, c := range []struct {
		url, media, data string
		ok               bool
	}{
		{"data:image/png;base64,AAAA", "image/png", "AAAA", true},
		{"DATA:image/PNG;charset=utf-8;base64,AA", "image/png", "AA", true},
		{"data:text/plain,hi%20you", "text/plain", "aGkgeW91", true},
		{"data:;base64,AA", "", "AA", true},
		{"data:image/png;base64", "", "", false},
		{"https://example.com/data:x,y", "", "", false},
		{"data:text/plain,%zz", "", "", false},
	} {
		media, data, ok := ir.DataURL(rawjson.Escaped(c.url))
		if media != c.media || string(data) != c.data || ok != c.ok {
			t.Errorf("%s: %q %q %t", c.url, media, data, ok)
		}
	}
}

func TestClampEffort(t *testing.T) {
	all := []string{"none", "minimal", "low", "medium", "high", "xhigh", "max"}
	for _, c := range []struct {
		want     string
		accepted []string
		got      string
	}{
		{"max", nil, "max"},
		{"max", []string{"low", "high"}, "high"},
		{"xhigh", []string{"low", "medium"}, "medium"},
		{"minimal", []string{"low", "high"}, "low"},
		{"medium", all, "medium"},
		{"ultra", all, "max"},
		{"low", []string{"none"}, ""},
	} {
		if got := ir.ClampEffort(c.want, c.accepted); got != c.got {
			t.Errorf("%s of %v: %s, want %s", c.want, c.accepted, got, c.got)
		}
	}
}

func TestStrictSchema(t *testing.T) {
	for schema, want := range map[string]bool{
		`{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}`: true,
		`{"type":"object","properties":{"a":{"type":"string"}},"required":[],"additionalProperties":false}`:    false,
		`{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}`:                              false,
		`{"type":"object","properties":{"a":{"type":"object"}},"required":["a"],"additionalProperties":false}`: false,
		`{"type":"array","items":{"type":"string"}}`:                                                           true,
		`{"type":"array","items":{"type":"object"}}`:                                                           false,

		`{"type":"array","items":{}}`:                       false,
		`{"anyOf":[{"type":"object"},{"type":"null"}]}`:     false,
		`{"anyOf":[{"type":"string"},{"type":"null"}]}`:     true,
		`{"type":["object","null"]}`:                        false,
		`{"type":["string","null"]}`:                        true,
		`{"type":"string","default":"a"}`:                   false,
		`{"$ref":"#/$defs/a","$defs":{"a":{"enum":["x"]}}}`: true,
		`{"$ref":"#/$defs/a","$defs":{"a":{}}}`:             false,
		`{"description":"anything"}`:                        false,
		`{"oneOf":[{"type":"string"}]}`:                     false,
		`true`:                                              false,
	} {
		if got := ir.StrictSchema(rawjson.Value(schema)); got != want {
			t.Errorf("%s: %t", schema, got)
		}
	}
}

// A recursive or broken reference must not keep the cleaner busy for ever.
func TestCleanSchemaEnds(t *testing.T) {
	for _, schema := range []string{
		`{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/a"}}}`,
		`{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}}`,
		`{"$ref":"#/nowhere"}`,
		`{"type":"object","properties":{"x":{"$ref":"#/$defs/n"}},"$defs":{"n":{"type":"object","properties":{"l":{"$ref":"#/$defs/n"},"r":{"$ref":"#/$defs/n"}}}}}`,
	} {
		if got, _ := ir.CleanSchema(rawjson.Value(schema)); rawjson.Valid(got) != nil || strings.Contains(string(got), "$ref") {
			t.Errorf("%s became %s", schema, got)
		}
	}
}

// Definitions that refer to each other twice must not double the schema with every level.
func TestCleanSchemaIsBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"$ref":"#/$defs/d0","$defs":{`)
	for i := range 40 {
		fmt.Fprintf(&b, `"d%d":{"type":"object","properties":{"a":{"$ref":"#/$defs/d%d"},"b":{"$ref":"#/$defs/d%d"}}},`, i, i+1, i+1)
	}
	b.WriteString(`"d40":{"type":"string"}}}`)
	got, _ := ir.CleanSchema(rawjson.Value(b.String()))
	if err := rawjson.Valid(got); err != nil || len(got) > 64*b.Len() {
		t.Errorf("%d bytes became %d: %v", b.Len(), len(got), err)
	}
}

func TestReplayAndCollectAreInverse(t *testing.T) {
	res := &ir.Response{
		ID: "1", Model: "m", Created: 5, HasUsage: true, Usage: ir.Usage{Input: 3, Output: 4},
		Stop: ir.Stop{Reason: ir.StopTools, Raw: "tool_use"},
		Parts: []ir.Part{
			{Kind: ir.Thinking, Text: rawjson.Escaped("hm"), Signature: rawjson.Escaped("S")},
			{Kind: ir.Text, Text: rawjson.Escaped(`a\n`)},
			{Kind: ir.ToolCall, Call: ir.Call{ID: "c", Name: "f", Proof: rawjson.Escaped("P"), Args: rawjson.Value(`{"a":"\"x\""}`)}},
			{Kind: ir.ToolCall, Call: ir.Call{ID: "d", Name: "g", Args: rawjson.Value(`{}`)}},
		},
	}
	var c ir.Collector
	ir.Replay(res, c.Add)
	got, err := c.Result()
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Parts) != 4 || string(got.Parts[2].Call.Args) != `{"a":"\"x\""}` || string(got.Parts[0].Signature) != "S" ||
		string(got.Parts[1].Text) != `a\n` || got.Usage != res.Usage || got.Stop.Reason != res.Stop.Reason || string(got.Parts[3].Call.Args) != `{}` ||
		string(got.Parts[2].Call.Proof) != "P" || got.Parts[3].Call.Proof != nil {
		t.Errorf("came back as %+v", got)
	}
}

func TestCollectorReportsFailures(t *testing.T) {
	var c ir.Collector
	c.Add(&ir.Event{Kind: ir.Start})
	if _, err := c.Result(); err == nil {
		t.Error("a stream without an end passes for an answer")
	}
	c.Add(&ir.Event{Kind: ir.Failure, Err: &ir.Error{Kind: ir.Overloaded, Message: prose.Verbatim("busy")}})
	var e *ir.Error
	if _, err := c.Result(); !errors.As(err, &e) || e.Kind != ir.Overloaded {
		t.Errorf("got %v", err)
	}
}

// What is joined of several schemas is bounded too, though nothing is written meanwhile.
func TestCleanSchemaJoins(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"$ref":"#/$defs/d0","$defs":{`)
	for i := range 60 {
		fmt.Fprintf(&b, `"d%d":{"allOf":[{"$ref":"#/$defs/d%d"},{"$ref":"#/$defs/d%d"}]},`, i, i+1, i+1)
	}
	b.WriteString(`"d60":{"type":"object","properties":{"a":{"type":"string"}}}}}`)
	got, _ := ir.CleanSchema(rawjson.Value(b.String()))
	if err := rawjson.Valid(got); err != nil || len(got) > 64*b.Len() {
		t.Errorf("%d bytes became %d: %v", b.Len(), len(got), err)
	}
}

// TestReadSchema: a schema that is whole is one to which nothing is added, and no other is.
func TestReadSchema(t *testing.T) {
	members := []string{
		`"type":"object"`, `"type":"string"`, `"type":null`, `"type":["object"]`, `"properties":{}`, `"properties":null`,
		`"properties":{"type":{"type":"string"}}`, `"required":["a"]`, `"t\u0079pe":"object"`, `"items":{"properties":{}}`,
	}
	for i := range members {
		for j := range members {
			for k := range members {
				doc := "{ " + strings.Join([]string{members[i], members[j], members[k]}, " , ") + "}"
				schema, whole := ir.ReadSchema(rawjson.NewReader([]byte(doc)))
				if string(schema) != doc {
					t.Fatalf("%s was read as %s", doc, schema)
				}
				added := string(ir.AppendSchema(nil, schema))
				if whole != (added == doc) {
					t.Errorf("%s: whole is %t, and it becomes %s", doc, whole, added)
				}
				tool := ir.Tool{Schema: schema, Whole: whole}
				if got := string(tool.AppendSchema(nil)); got != added {
					t.Errorf("%s: %s, want %s", doc, got, added)
				}
			}
		}
	}
	for _, doc := range []string{`{}`, `{ }`, `null`, `true`, `[]`, `"object"`} {
		if schema, whole := ir.ReadSchema(rawjson.NewReader([]byte(doc))); string(schema) != doc || whole {
			t.Errorf("%s: %s, %t", doc, schema, whole)
		}
	}
	r := rawjson.NewReader([]byte(`{"type":"object","properties":{`))
	if schema, whole := ir.ReadSchema(r); schema != nil || whole || r.Err() == nil {
		t.Errorf("half a schema was read as %s", schema)
	}
}
