package convert_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
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
	switch to {
	case convert.For(ir.AnthropicMessages):
		validate = demo.ValidateMessages
	case convert.For(ir.OpenAIResponses):
		validate = demo.ValidateResponses
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
		if c.target.Dialect != (ir.Dialect{SafetyID: c.target.Dialect.SafetyID, OpenAIFields: c.target.Dialect.OpenAIFields}) {
			continue
		}
		body, _, err := convertRequest(c.from, c.to, c.in, c.target)
		if err != nil || bytes.Contains(body, []byte(`"rs_1"`)) || bytes.Contains(body, []byte(`"REDACTED="`)) {
			continue // a vendor takes its own reasoning only, which these made up
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

// reordered is a request whose messages have their members in another order: the role at the
// end, or at the start.
func reordered(body rawjson.Value, roleLast bool) []byte {
	messages := body.Get("messages")
	if messages.Kind() != rawjson.Array {
		return body
	}
	w := rawjson.Writer{}
	w.Open('[')
	r := rawjson.Within(messages)
	r.Array(func(int) {
		m := r.Value()
		w.Open('{')
		role := func() { w.RawIf("role", m.Get("role")) }
		if !roleLast {
			role()
		}
		m.Each(func(k []byte, v rawjson.Value) {
			if string(k) != "role" {
				w.KeyText(string(k))
				w.Buf = append(w.Buf, v...)
			}
		})
		if roleLast {
			role()
		}
		w.Close('}')
	})
	w.Close(']')
	return bytes.Replace(body, messages, w.Buf, 1)
}

// TestRoleBehindContent: content is read before it is known whose it is.
func TestRoleBehindContent(t *testing.T) {
	bodies := make(map[string][]byte)
	for _, s := range samples(t) {
		if s.protocol == ir.AnthropicMessages {
			bodies[s.name] = s.body
		}
	}
	files, err := filepath.Glob("testdata/request-a2*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		bodies[filepath.Base(file)] = a.Files[0].Data
	}
	for name, body := range bodies {
		outcome := func(roleLast bool) string {
			out, losses, err := convertRequest(convert.For(ir.AnthropicMessages), convert.For(ir.OpenAIChat), reordered(body, roleLast), ir.Target{Model: "m"})
			return fmt.Sprint(string(out), losses, err)
		}
		if first, last := outcome(false), outcome(true); first != last {
			t.Errorf("%s:\n%s\nwith the role behind the content:\n%s", name, first, last)
		}
	}
}

// FuzzRequest feeds arbitrary bodies to every decoder and what it reads to every encoder:
// nothing panics, errors are for the client, output is JSON with unique calls and
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
	for _, s := range samples(f) {
		f.Add(s.body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, from := range protocols {
			for _, to := range protocols {
				fuzzRequest(t, from, to, body)
			}
		}
	})
}

func fuzzRequest(t *testing.T, from, to ir.Protocol, body []byte) {
	t.Helper()
	target := ir.Target{Provider: "test", Model: "m"}
	out, _, err := convertRequest(convert.For(from), convert.For(to), body, target)
	if err != nil {
		var told *ir.Error
		if !errors.As(err, &told) {
			t.Fatalf("an error that is not for the client: %v", err)
		}
		return
	}
	if !json.Valid(out) {
		t.Fatalf("not JSON: %s", out)
	}
	if to != ir.OpenAIResponses {
		checkOrder(t, convert.For(to), out)
	}
	if again, _, err := convertRequest(convert.For(from), convert.For(to), body, target); err != nil || !bytes.Equal(out, again) {
		t.Fatalf("the same request converts to other bytes the second time: %v", err)
	}
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

// Text longer than eight characters reaches the upstream, or a warning says from which
// message it was lost: whatever the request, between all protocols.
func TestNoTextDisappears(t *testing.T) {
	for _, s := range everyRequest(t) {
		for _, to := range protocols {
			checkTexts(t, s, to, s.target)
			checkTexts(t, s, to, targetFor(to, ""))
		}
	}
}

// anyRequest is a request of a golden file or of the samples.
type anyRequest struct {
	name   string
	from   convert.Codec
	target ir.Target
	body   []byte
}

func everyRequest(t *testing.T) []anyRequest {
	t.Helper()
	files, err := filepath.Glob("testdata/request-*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no golden requests")
	}
	var all []anyRequest
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		c := parseCase(t, a)
		all = append(all, anyRequest{filepath.Base(file), c.from, c.target, c.in})
	}
	for _, s := range samples(t) {
		all = append(all, anyRequest{s.name, convert.For(s.protocol), targetFor(s.protocol, s.model), s.body})
	}
	return all
}

func checkTexts(t *testing.T, s anyRequest, to ir.Protocol, target ir.Target) {
	t.Helper()
	body, losses, err := convertRequest(s.from, convert.For(to), s.body, target)
	if err != nil {
		return // refused, so nothing is lost
	}
	var sent strings.Builder
	for _, field := range conversation {
		texts(rawjson.Value(body).Get(field), func(text string) { sent.WriteString(text + "\n") })
	}
	for _, field := range conversation {
		eachMessage(lastOf(s.body, field), func(i int, v rawjson.Value) {
			at := field + "[" + strconv.Itoa(i) + "]"
			if slices.ContainsFunc(losses, func(l ir.Loss) bool { return l.Path == at || strings.HasPrefix(l.Path, at+".") }) {
				return
			}
			texts(v, func(text string) {
				text = strings.TrimSpace(text) // at the end of a started answer it may not stay
				if len(text) > 8 && !strings.Contains(sent.String(), text) && !strings.HasPrefix(text, "x-anthropic-billing-header:") {
					t.Errorf("%s to %s: %q of %s disappeared", s.name, to, text, at)
				}
			})
		})
	}
}

// conversation are the fields that hold what the model is to read.
var conversation = []string{"messages", "system", "instructions", "input"}

// lastOf is the value of a field, of a repeated one the last.
func lastOf(body []byte, field string) (last rawjson.Value) {
	rawjson.Value(body).Each(func(key []byte, v rawjson.Value) {
		if string(key) == field {
			last = v
		}
	})
	return last
}

func eachMessage(v rawjson.Value, visit func(int, rawjson.Value)) {
	if v.Kind() != rawjson.Array {
		visit(0, v)
		return
	}
	r := rawjson.NewReader(v)
	r.Array(func(i int) { visit(i, r.Value()) })
}

// texts visits every text a user wrote, at any depth. Left out are the words of the
// protocols, by their keys, and what no other vendor's model may see: its thinking and
// what is encrypted. Of a data URL only the data counts.
func texts(v rawjson.Value, visit func(string)) {
	switch v.Kind() {
	case rawjson.String:
		text := v.Str()
		if strings.HasPrefix(text, "data:text/") || strings.HasPrefix(text, "data:") && !strings.Contains(text, ";base64,") {
			return // travels as text, or becomes base64
		}
		if strings.HasPrefix(text, "data:") {
			_, text, _ = strings.Cut(text, ",")
		}
		visit(text)
	case rawjson.Array:
		r := rawjson.NewReader(v)
		r.Array(func(int) { texts(r.Value(), visit) })
	case rawjson.Object:
		switch v.Get("type").Str() {
		case "redacted_thinking", "reasoning", "additional_tools":
			return
		}
		v.Each(func(key []byte, value rawjson.Value) {
			switch string(key) {
			case "arguments": // a text inside a text
				texts(rawjson.Value(value.Str()), visit)
			case "id", "status", "namespace", "type", "name", "media_type", "role", "tool_use_id", "tool_call_id", "call_id",
				"approval_request_id", "format", "cache_control", "citations", "annotations", "phase", "server_name",
				"thinking", "signature", "encrypted_content", "reasoning", "reasoning_content", "reasoning_details", "tools":
			default:
				texts(value, visit)
			}
		})
	default:
	}
}
