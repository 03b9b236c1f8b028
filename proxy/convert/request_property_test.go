package convert_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"apex-ai-proxy/proxy/convert"
	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/demo"
	"apex-ai-proxy/proxy/rawjson"
)

// vendorErrors is what the real API would say to an encoded request, "" when it would take it.
func vendorErrors(to convert.Codec, body []byte) string {
	validate := demo.ValidateChat
	if to == convert.For(ir.AnthropicMessages) {
		validate = demo.ValidateMessages
	}
	if r := validate(body); r != nil {
		return r.Error()
	}
	return ""
}

// Every golden request that a conversion accepts, the vendor accepts too, unless the case
// is about another provider's dialect.
func TestEncodedRequestsAreValid(t *testing.T) {
	files, err := filepath.Glob("testdata/request-*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no golden requests")
	}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		c := parseCase(t, a)
		if c.target.Dialect != (ir.Dialect{SafetyID: c.target.Dialect.SafetyID}) || c.to == convert.For(ir.OpenAIResponses) {
			continue
		}
		body, _, err := convertRequest(c.from, c.to, c.in, c.target)
		if err != nil {
			continue
		}
		if refusal := vendorErrors(c.to, body); refusal != "" {
			t.Errorf("%s: %s\n%s", filepath.Base(file), refusal, body)
		}
		again, _, err := convertRequest(c.from, c.to, c.in, c.target)
		if err != nil || !bytes.Equal(body, again) {
			t.Errorf("%s: the same request converts to other bytes the second time", filepath.Base(file))
		}
	}
}

// FuzzRequest feeds arbitrary bodies to both decoders and their answers to the other
// encoder: nothing panics, errors are for the client, output is JSON with unique calls and
// the results of tools where they belong.
func FuzzRequest(f *testing.F) {
	files, err := filepath.Glob("testdata/request-*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(a.Files[0].Data)
	}
	pairs := [][2]convert.Codec{
		{convert.For(ir.AnthropicMessages), convert.For(ir.OpenAIChat)},
		{convert.For(ir.OpenAIChat), convert.For(ir.AnthropicMessages)},
		{convert.For(ir.OpenAIResponses), convert.For(ir.OpenAIChat)},
		{convert.For(ir.OpenAIResponses), convert.For(ir.AnthropicMessages)},
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, p := range pairs {
			out, _, err := convertRequest(p[0], p[1], body, ir.Target{Provider: "test", Model: "m"})
			var told *ir.Error
			if err != nil {
				if !errors.As(err, &told) {
					t.Fatalf("an error that is not for the client: %v", err)
				}
				continue
			}
			if !json.Valid(out) {
				t.Fatalf("not JSON: %s", out)
			}
			checkOrder(t, p[1], out)
		}
	})
}

// checkOrder checks that every tool call is answered once, right behind it, and that no
// two have the same id.
func checkOrder(t *testing.T, to convert.Codec, out []byte) {
	t.Helper()
	var open []string
	seen := make(map[string]bool)
	r := rawjson.NewReader(rawjson.Value(out).Get("messages"))
	answer := func(id string) {
		i := slices.Index(open, id)
		if i < 0 {
			t.Fatalf("a result for %q answers no call: %s", id, out)
		}
		open = slices.Delete(open, i, i+1)
	}
	r.Array(func(int) {
		m := r.Value()
		switch m.Get("role").Str() {
		case "tool":
			answer(m.Get("tool_call_id").Str())
			return
		case "user":
			blocks := rawjson.NewReader(m.Get("content"))
			if m.Get("content").Kind() == rawjson.Array {
				blocks.Array(func(int) {
					if b := blocks.Value(); b.Get("type").Str() == "tool_result" {
						answer(b.Get("tool_use_id").Str())
					}
				})
			}
		}
		if len(open) > 0 {
			t.Fatalf("calls %q are not answered at once: %s", open, out)
		}
		calls := func(v rawjson.Value, kind string) {
			if v.Kind() != rawjson.Array {
				return
			}
			list := rawjson.NewReader(v)
			list.Array(func(int) {
				if c := list.Value(); kind == "" || c.Get("type").Str() == kind {
					id := c.Get("id").Str()
					if seen[id] {
						t.Fatalf("the call id %q is used twice: %s", id, out)
					}
					seen[id] = true
					open = append(open, id)
				}
			})
		}
		if to == convert.For(ir.OpenAIChat) {
			calls(m.Get("tool_calls"), "")
		} else {
			calls(m.Get("content"), "tool_use")
		}
	})
}

// Text longer than a few characters reaches the upstream or is reported.
func TestNoTextDisappears(t *testing.T) {
	files, _ := filepath.Glob("testdata/request-*.txtar")
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		c := parseCase(t, a)
		body, losses, err := convertRequest(c.from, c.to, c.in, c.target)
		if err != nil || slices.ContainsFunc(losses, func(l ir.Loss) bool { return l.Code == "duplicate-tool-result" || l.Code == "item-dropped" }) {
			continue
		}
		var all strings.Builder
		sent := func(s string) { all.WriteString(s); all.WriteByte('\n') }
		texts(rawjson.Value(body), sent)
		texts(rawjson.Value(body).Get("input"), sent)
		said := func(s string) {
			s = strings.TrimSpace(s) // at the end of a started answer it may not stay
			if len(s) > 8 && !strings.Contains(all.String(), s) && !strings.HasPrefix(s, "toolu_") && !strings.HasPrefix(s, "data:") &&
				!strings.HasPrefix(s, "tc_") && s != "ephemeral" && s != "tool_result" && s != "assistant" && s != "input_json" && !strings.Contains(s, "apx1.") &&
				!strings.HasPrefix(s, "x-anthropic-billing-header:") {
				t.Errorf("%s: %q disappeared", filepath.Base(file), s)
			}
		}
		for _, field := range []string{"messages", "system", "instructions", "input"} {
			texts(rawjson.Value(c.in).Get(field), said)
		}
	}
}

// texts visits every text a user wrote, at any depth; words of the protocol are left out
// by their keys.
func texts(v rawjson.Value, visit func(string)) {
	switch v.Kind() {
	case rawjson.String:
		visit(v.Str())
	case rawjson.Array:
		r := rawjson.NewReader(v)
		r.Array(func(int) { texts(r.Value(), visit) })
	case rawjson.Object:
		v.Each(func(key []byte, value rawjson.Value) {
			switch string(key) {
			case "arguments", "input": // a text inside a text on the other side
			case "id", "status", "namespace", "type", "name", "media_type", "role", "tool_use_id", "tool_call_id", "format", "signature", "encrypted_content":
			default:
				texts(value, visit)
			}
		})
	default:
	}
}
