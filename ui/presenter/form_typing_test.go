package presenter

import (
	"strings"
	"testing"

	"apex-ai-proxy/app/settings"
)

// TestTypingIsCalm types values that are right in the end: nothing is said against them on
// the way.
func TestTypingIsCalm(t *testing.T) {
	const id = "0123456789abcdef0123456789abcdef"
	for name, values := range map[Field][]string{
		FieldAccount: {
			id, strings.ToUpper(id), "dash.cloudflare.com/" + id, "https://dash.cloudflare.com/" + id + "/ai/ai-gateway/gateways/home",
			"https://gateway.ai.cloudflare.com/v1/" + id + "/home/openai", "https://api.cloudflare.com/client/v4/accounts/" + id,
		},
		FieldGateway:           {"office", "a_b-1", "https://dash.cloudflare.com/" + id + "/ai/ai-gateway/gateways/home/logs"},
		FieldGatewayURL:        {"https://ai.example.com:8443/v1", "http://127.0.0.1:8080", "http://[::1]:8080/v1", "https://gateway.ai.cloudflare.com/v1/" + id + "/home"},
		FieldAzureResource:     {"my-resource-1"},
		FieldAzureAPIVersion:   {"2025-04-01-preview", "2025-11-30", "preview", "v1"},
		FieldListen:            {"127.0.0.1:8787", "192.168.100.20:80", "localhost:9000", ":8080", "[::1]:8787", "[fe80::12:3]:8787"},
		FieldUpstreamTimeout:   {"90s", "10m", "1h30m", "1.5h"},
		FieldStreamIdleTimeout: {"5m"},
		FieldRetries:           {"5"},
		FieldExchanges:         {"1000"},
		FieldMemory:            {"1024"},
		FieldOrigins:           {"https://app.example:8443 vscode-webview://x, *"},
	} {
		for _, value := range values {
			f := NewForm(settings.Default(), nil, nil)
			f.Type(name, "")
			for i := range value {
				f.Type(name, value[:i+1])
				if told := f.Problem(name); told != "" || f.Marked() {
					t.Errorf("%s = %q: %s", name, value[:i+1], told)
				}
			}
			if f.Settle(); f.Problem(name) != "" || !f.Valid() {
				t.Errorf("%s = %q: %s", name, value, f.Problem(name))
			}
		}
	}
}

// TestHalfAValueIsWrong: what is not told while it is typed is not right for that, and told
// when the field is left.
func TestHalfAValueIsWrong(t *testing.T) {
	for name, half := range map[Field]string{
		FieldAccount: "0123", FieldGateway: "https:", FieldGatewayURL: "https://", FieldAzureResource: "x", FieldAzureAPIVersion: "2025-",
		FieldListen: "127.0.0.1", FieldUpstreamTimeout: "10", FieldRetries: "", FieldExchanges: "", FieldMemory: "", FieldOrigins: "https",
	} {
		for how, leave := range map[string]func(*Form){
			"left": (*Form).Settle, "another is typed": func(f *Form) { f.Type(FieldLanguage, "en") }, "read anew": (*Form).Recheck,
		} {
			f := NewForm(settings.Default(), nil, nil)
			f.Type(name, half)
			if f.Problem(name) != "" || f.Right(name) || f.Valid() {
				t.Errorf("%s = %q: right %t, valid %t, told %q", name, half, f.Right(name), f.Valid(), f.Problem(name))
			}
			if leave(f); f.Problem(name) == "" || f.Valid() || !f.Marked() {
				t.Errorf("%s = %q, %s: nothing is told", name, half, how)
			}
		}
	}
}

// TestTheHopelessIsToldAtOnce: typing on cannot put these right.
func TestTheHopelessIsToldAtOnce(t *testing.T) {
	for name, values := range map[Field][]string{
		FieldAccount:       {"n", "0123g", strings.Repeat("0", 33), "https://example.com/"},
		FieldGateway:       {"Home", "my gateway", strings.Repeat("a", 65)},
		FieldGatewayURL:    {"ftp:", "gateway", "https://a b", "https://me@a.example/v1", "https://a.example/?x"},
		FieldAzureResource: {"-", "a_b", "https:"},
		FieldListen:        {"127.0.0.1:99999", "127.0.0.1:x", "here and"}, FieldUpstreamTimeout: {"x", "5x", "-"},
		FieldRetries: {"6", "x", "-"}, FieldExchanges: {"1001"}, FieldMemory: {"2000"}, FieldOrigins: {"HTTPS://"},
	} {
		for _, value := range values {
			f := NewForm(settings.Default(), nil, nil)
			f.Type(name, value)
			if f.Problem(name) == "" || !f.Marked() {
				t.Errorf("%s = %q: nothing is told", name, value)
			}
		}
	}
}

// TestTypingWarnsOfWhatStays: a warning that typing on can avert waits.
func TestTypingWarnsOfWhatStays(t *testing.T) {
	for _, c := range []struct {
		name  Field
		text  string
		warns bool
	}{
		{FieldListen, "0.0.0.0:8787", true}, {FieldGatewayURL, "http://a.example", true}, {FieldGatewayURL, "http://127", false}, {FieldOrigins, "*", true},
	} {
		f := NewForm(settings.Default(), nil, nil)
		f.Type(c.name, c.text)
		if got := f.Warning(c.name); (got != "") != c.warns {
			t.Errorf("%s = %q: %q", c.name, c.text, got)
		}
		if f.Settle(); f.Warning(c.name) == "" {
			t.Errorf("%s = %q: no warning when it is left", c.name, c.text)
		}
	}
}
