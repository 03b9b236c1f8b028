package apierror_test

import (
	"net/http"
	"strings"
	"testing"

	"apex-ai-proxy/proxy/apierror"
	"apex-ai-proxy/proxy/convert/ir"
)

func TestMask(t *testing.T) {
	for _, secret := range []string{
		"sk-abcdef123456", "sk-ant-api03-AbC_def-123456", "sk-proj-abc123456", "sk-or-v1-0123456789abcdef", "gsk_abcdefghijklmnop",
		"xai-abcdefghijklmnop", "csk-abcdefghijkl", "pplx-abcdefghijkl", "AIzaSyA1234567890abcdefgh", "ya29.abcdefghijklmnop",
		"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc", "sk-****************abcd",
	} {
		for _, text := range []string{"bad key " + secret, `{"error":{"message":"Incorrect API key provided: ` + secret + `. See docs"}}`, "(" + secret + ")"} {
			got := apierror.Mask(text)
			if strings.Contains(got, secret) || strings.Contains(got, secret[len(secret)-4:]) || !strings.Contains(got, "[hidden]") {
				t.Errorf("%s became %s", text, got)
			}
		}
	}
	if got := apierror.Mask("Bearer abcdefghijklmnopqrstuvwxyz"); got != "Bearer [hidden]" {
		t.Errorf("%s", got)
	}
	if got := apierror.Mask("my own-secret here", "own-secret", ""); got != "my [hidden] here" {
		t.Errorf("%s", got)
	}
	for _, plain := range []string{
		"the model is too long: 9001 tokens", "maximum context length is 8192 tokens", "risk-averse task-list", "api_key is missing",
		"Use a bearer token", "invalid x-api-key", "no key",
	} {
		if got := apierror.Mask(plain); got != plain {
			t.Errorf("%q became %q", plain, got)
		}
	}
}

func TestExtraction(t *testing.T) {
	long := strings.Repeat("word ", 100)
	for body, want := range map[string]string{
		`{"error":{"message":"m"}}`: "m",
		`{"error":"m"}`:             "m",
		`{"type":"error","error":{"type":"x","message":"m"}}`: "m",
		`[{"error":{"message":"m"}}]`:                         "m",
		`{"message":"m"}`:                                     "m",
		`{"detail":"m"}`:                                      "m",
		`{"detail":[{"msg":"m","loc":["body","a",0]}]}`:       "a.0: m",
		`{"object":"error","message":{"detail":[{"msg":"m","loc":["body","a"]}]}}`: "a: m",
		`{"msg":"m"}`:       "m",
		`{"error_msg":"m"}`: "m",
		`{"base_resp":{"status_code":3,"status_msg":"m"}}`: "m",
		`"m"`: "m",
		"<html><head><title> A\n b </title></head>x</html>":    "the provider returned 400 Bad Request: A b",
		"<html><script>x()</script><h1>A</h1> <p>b</p></html>": "the provider returned 400 Bad Request: A b",
		"plain  text\n":                "the provider returned 400 Bad Request: plain text",
		"":                             "the provider returned 400 Bad Request without a body",
		" \n":                          "the provider returned 400 Bad Request without a body",
		`{"error":{"message":"cut`:     `the provider returned 400 Bad Request: {"error":{"message":"cut`,
		"\x1f\x8b\x00\xff":             "the provider returned 400 Bad Request with a body that cannot be read",
		`{"error":{}}`:                 `the provider returned 400 Bad Request: {"error":{}}`,
		`[]`:                           "the provider returned 400 Bad Request: []",
		`null`:                         "the provider returned 400 Bad Request: null",
		`{"error":null,"message":"m"}`: "m",
		long:                           "the provider returned 400 Bad Request: " + strings.TrimSpace(long)[:200] + "…",
		`{"error":{"message":"outer","metadata":{"raw":{"message":"inner"}}}}`: "inner",
	} {
		e := apierror.Decode(apierror.Answer{Status: 400, Body: []byte(body), Provider: "P"})
		if e.Message.String() != want {
			t.Errorf("%q: %q, want %q", body, e.Message, want)
		}
	}
}

// TestErrorsOutliveTheirBody: what they were read from is used for the answers of others before
// the client is told.
func TestErrorsOutliveTheirBody(t *testing.T) {
	for name, decode := range map[string]func(apierror.Answer) *ir.Error{"error": apierror.Decode, "success": apierror.FromSuccess} {
		body := []byte(`{"type":"error","error":{"type":"not_found_error","message":"gone","details":{"error_code":"thread_not_found"}}}`)
		e := decode(apierror.Answer{Status: 404, Body: body})
		for i := range body {
			body[i] = 'x'
		}
		if e == nil || e.Message.String() != "gone" || e.Type != "not_found_error" || string(e.Details) != `{"error_code":"thread_not_found"}` {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

func TestDetailsAndHeadersAreKept(t *testing.T) {
	h := http.Header{"Retry-After": {"3"}, "Retry-After-Ms": {"3000"}, "X-Should-Retry": {"true"}}
	e := apierror.Decode(apierror.Answer{
		Status: 404, Header: h, Provider: "P",
		Body: []byte(`{"type":"error","error":{"type":"not_found_error","message":"gone","details":{"error_code":"thread_not_found"}}}`),
	})
	if e.Kind != ir.ModelNotFound || string(e.Details) != `{"error_code":"thread_not_found"}` || e.RetryAfter != "3" || e.RetryAfterMS != "3000" || e.ShouldRetry != "true" {
		t.Errorf("%+v", e)
	}
}

func TestSuccessIsNoError(t *testing.T) {
	for _, body := range []string{
		`{"id":"x","choices":[{"message":{"content":"the \"error\" is"}}]}`,
		`{"error":null,"choices":[]}`, `{"error":{"message":"m"},"choices":[{}]}`, `{"type":"message","content":[{"type":"text","text":"{\"error\":1}"}]}`,
		`{"success":true,"output":[]}`, `{"base_resp":{"status_code":0},"choices":[]}`, `{"error":""}`,
	} {
		if e := apierror.FromSuccess(apierror.Answer{Status: 200, Body: []byte(body)}); e != nil {
			t.Errorf("%s: %v", body, e)
		}
	}
}

func TestPromptTooLong(t *testing.T) {
	for in, want := range map[string]string{
		"prompt is too long: 9 tokens > 8 maximum":                                                               "prompt is too long: 9 tokens > 8 maximum",
		"This model's maximum context length is 8,192 tokens. However, your messages resulted in 10,001 tokens.": "prompt is too long: 10001 tokens > 8192 maximum (This",
		"input is too large": "prompt is too long: input is too large",
	} {
		if got := apierror.PromptTooLong(in); !strings.HasPrefix(got, want) {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(400, []byte(`{"error":{"message":"m","metadata":{"raw":"{}"}}}`))
	f.Add(0, []byte("<title>"))
	f.Add(502, []byte(`[[{"errors":[{"code":"x"}]}]]`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		a := apierror.Answer{Status: status, Body: body, Provider: "P", Secrets: []string{"hunter2-secret"}}
		e := apierror.Decode(a)
		if e == nil || e.Message.Empty() || strings.Contains(e.Message.String(), "hunter2-secret") {
			t.Fatalf("%+v", e)
		}
		_ = apierror.FromSuccess(a)
		_ = apierror.IsEnvelope(body, ir.AnthropicMessages)
	})
}

func TestSecretsAreHiddenEverywhere(t *testing.T) {
	const secret = "hunter2-secret"
	e := apierror.Decode(apierror.Answer{
		Status: 400, Provider: "P", Secrets: []string{secret, "with/slash-1234"},
		Body: []byte(`{"error":{"message":"m with\/slash-1234","type":"` + secret + `","code":"` + secret + `","param":"` + secret + `","details":{"a":["\u0068unter2-secret",1.50]}}}`),
	})
	if e.Message.String() != "m [hidden]" || e.Type != "[hidden]" || e.Code != "[hidden]" || e.Param != "[hidden]" || string(e.Details) != `{"a":["[hidden]",1.50]}` {
		t.Errorf("%+v", e)
	}
}

func TestMaskJSON(t *testing.T) {
	for in, want := range map[string]string{
		`{"a": "x\"y\\", "b":[1e5]}`:    `{"a": "x\"y\\", "b":[1e5]}`,
		`{"a":"s\/ecret","b":"\u00e9"}`: `{"a":"[hidden]","b":"\u00e9"}`,
		`{"s/ecret":1}`:                 `{"[hidden]":1}`,
		`["sk-abcdef123456"]`:           `["[hidden]"]`,
		`s/ecret {`:                     `[hidden] {`,
		``:                              ``,
	} {
		if got := string(apierror.MaskJSON([]byte(in), "s/ecret")); got != want {
			t.Errorf("%s became %s", in, got)
		}
	}
}

// TestMayFail: the quick test passes what holds one of its words as a whole name, wherever it
// stands, and nothing else.
func TestMayFail(t *testing.T) {
	for body, want := range map[string]bool{
		``: false, `"`: false, `""`: false, `"erro`: false, `{"a":"error"}`: true, `"error`: true, `"errors":[]`: true,
		`{"object":"chat.completion"}`: false, `{"success":true}`: true, `{"successes":1}`: false, `{"a":1,"base_resp":{}}`: true,
		`{"base_resp":{}}`: true, `"state`: false, `"state"`: true, `"estate"`: false, `""state"`: true, `an error`: false, `no "quote`: false,
	} {
		if got := apierror.MayFail([]byte(body)); got != want {
			t.Errorf("%s: %t", body, got)
		}
	}
}

func BenchmarkMayFail(b *testing.B) {
	body := []byte(`{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"gpt-5","choices":[{"index":0,"message":{"role":"assistant","content":"` +
		strings.Repeat("some words ", 40) + `"},"finish_reason":"stop"}],"usage":{"prompt_tokens":321,"completion_tokens":123,"total_tokens":444}}`)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if apierror.MayFail(body) {
			b.Fatal("taken for an error")
		}
	}
}
