package convert_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"apex-ai-proxy/proxy/convert"
	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/provider"
)

// protocols are those that requests are converted between.
var protocols = []ir.Protocol{ir.AnthropicMessages, ir.OpenAIChat, ir.OpenAIResponses}

// sample is a client's request.
type sample struct {
	name, model string // model is one that takes what the request asks for, "" for any
	protocol    ir.Protocol
	body        []byte
}

// samples are realistic requests of every protocol.
func samples(t testing.TB) []sample {
	t.Helper()
	var all []sample
	for _, p := range protocols {
		a, err := txtar.ParseFile(filepath.Join("testdata", "corpus", string(p)+".txtar"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			name, model, _ := strings.Cut(f.Name, " ")
			all = append(all, sample{name, model, p, f.Data})
		}
	}
	return all
}

// targetFor is an upstream that takes everything its protocol has.
func targetFor(p ir.Protocol, model string) ir.Target {
	t := ir.Target{Provider: "test", Model: "m", Dialect: ir.Dialect{OpenAIFields: true}}
	switch {
	case model != "":
		t.Ability = provider.AbilityOf("anthropic", model)
	case p == ir.AnthropicMessages:
		t.Ability = provider.AbilityOf("anthropic", "claude-sonnet-4-5")
	}
	return t
}

// A request that is read and written in its own protocol means what it meant. Only how it
// is written may change, see canonical.
func TestRoundTrip(t *testing.T) {
	count := map[ir.Protocol]int{}
	for _, s := range samples(t) {
		count[s.protocol]++
		t.Run(string(s.protocol)+"/"+s.name, func(t *testing.T) {
			c := convert.For(s.protocol)
			out, losses, err := convertRequest(c, c, s.body, targetFor(s.protocol, s.model))
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range losses {
				t.Errorf("lost %s at %s", l.Code, l.Path)
			}
			want, got := canonical(t, s.protocol, s.body), canonical(t, s.protocol, out)
			if !reflect.DeepEqual(want, got) {
				t.Errorf("became\n%s\nwant\n%s", pretty(t, got), pretty(t, want))
			}
		})
	}
	for _, p := range protocols {
		if count[p] < 6 {
			t.Errorf("only %d requests of %s", count[p], p)
		}
	}
}

// refused are the requests that other protocols cannot serve without losing what they ask
// for.
var refused = map[string][]ir.Protocol{
	"server-tools":  {ir.OpenAIChat, ir.OpenAIResponses}, // MCP servers
	"sdk-documents": {ir.OpenAIChat},                     // a document to be fetched
	"sdk-hosted":    {ir.OpenAIChat},                     // web search and no other tool
	"ai-sdk-vision": {ir.AnthropicMessages},              // a stored file
}

// Every realistic request converts to every protocol as the vendor takes it, and to the
// same bytes each time.
func TestSamplesConvert(t *testing.T) {
	for _, s := range samples(t) {
		for _, to := range protocols {
			from, up := convert.For(s.protocol), convert.For(to)
			body, _, err := convertRequest(from, up, s.body, targetFor(to, ""))
			if slices.Contains(refused[s.name], to) {
				if err == nil {
					t.Errorf("%s to %s: something was lost", s.name, to)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s to %s: %v", s.name, to, err)
				continue
			}
			again, _, _ := convertRequest(from, up, s.body, targetFor(to, ""))
			if !bytes.Equal(body, again) {
				t.Errorf("%s to %s: the same request converts to other bytes the second time", s.name, to)
			}
			if to == s.protocol {
				continue
			}
			if refusal := vendorErrors(up, body); refusal != "" {
				t.Errorf("%s to %s: %s\n%s", s.name, to, refusal, body)
			}
		}
	}
}

// canonical is a request without what may be written in several ways: a text as a bare
// string or as a list with one part, a default as itself or left out, ids and states of
// items that nobody refers to, an old name of a field.
func canonical(t *testing.T, p ir.Protocol, body []byte) map[string]any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var q map[string]any
	if err := d.Decode(&q); err != nil {
		t.Fatal(err)
	}
	delete(q, "model")
	q = withoutNulls(q).(map[string]any)
	switch p {
	case ir.AnthropicMessages:
		asList(q, "system", "text")
		for _, m := range objects(q["messages"]) {
			asList(m, "content", "text")
		}
	case ir.OpenAIChat:
		rename(q, "max_tokens", "max_completion_tokens")
		for _, m := range objects(q["messages"]) {
			canonicalMessage(m)
		}
		for _, tool := range objects(q["tools"]) {
			f, _ := tool["function"].(map[string]any)
			if f["parameters"] == nil {
				f["parameters"] = map[string]any{"type": "object", "properties": map[string]any{}}
			}
		}
	default:
		for _, item := range objects(q["input"]) {
			canonicalItem(item)
		}
	}
	return q
}

func canonicalMessage(m map[string]any) {
	if m["role"] == "developer" {
		m["role"] = "system"
	}
	asList(m, "content", "text")
	for _, empty := range []string{"annotations", "tool_calls"} {
		if list, ok := m[empty].([]any); ok && len(list) == 0 {
			delete(m, empty)
		}
	}
}

func canonicalItem(item map[string]any) {
	if item["type"] == nil {
		item["type"] = "message"
	}
	if item["type"] == "message" || item["type"] == "function_call" || strings.HasPrefix(item["type"].(string), "custom_tool") ||
		item["type"] == "function_call_output" {
		delete(item, "id")
		delete(item, "status")
		delete(item, "phase")
	}
	if item["role"] == "system" {
		item["role"] = "developer"
	}
	asList(item, "content", "input_text")
	for _, part := range objects(item["content"]) {
		if list, ok := part["annotations"].([]any); ok && len(list) == 0 {
			delete(part, "annotations")
		}
	}
}

// asList turns a bare text into a list with one part.
func asList(m map[string]any, key, kind string) {
	if text, ok := m[key].(string); ok {
		m[key] = []any{map[string]any{"type": kind, "text": text}}
	}
}

func rename(m map[string]any, from, to string) {
	if v, ok := m[from]; ok {
		m[to] = v
		delete(m, from)
	}
}

func objects(list any) []map[string]any {
	var out []map[string]any
	all, _ := list.([]any)
	for _, v := range all {
		if m, ok := v.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

// withoutNulls removes members that are null, except from opaque content.
func withoutNulls(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			if e == nil {
				delete(v, k)
			} else {
				v[k] = withoutNulls(e)
			}
		}
	case []any:
		for i := range v {
			v[i] = withoutNulls(v[i])
		}
	}
	return v
}

func pretty(t *testing.T, v any) string {
	t.Helper()
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
