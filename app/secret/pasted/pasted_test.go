package pasted

import "testing"

func TestSecret(t *testing.T) {
	for in, want := range map[string]string{
		" abc\n": "abc", `"abc"`: "abc", "Bearer abc": "abc", "'bearer abc' ": "abc", "  ": "", "a b": "a b", "Bearer": "Bearer",
		"CLOUDFLARE_API_TOKEN=abc": "abc", `export CF_AIG_TOKEN="abc"`: "abc", "set GATEWAY_TOKEN = abc\r\n": "abc", `$env:OPENAI_API_KEY = 'abc'`: "abc",
		"cf-aig-authorization: Bearer abc": "abc", "Authorization: Bearer abc": "abc", "x-api-key:abc": "abc", `"abc",`: "abc", "TOKEN: abc;": "abc",
		"“abc”": "abc", "`abc`": "abc", "abc=": "abc=", "abc==": "abc==", "AB=CD": "AB=CD", "a_b=c": "a_b=c", "abc_-./+~": "abc_-./+~", "key:abc": "key:abc",
	} {
		if got := Secret(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
