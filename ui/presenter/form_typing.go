package presenter

import (
	"slices"
	"strings"
)

// Type takes over what is being typed into a field that has the cursor. Until Settle, nothing
// is said against it that typing on can still put right.
func (f *Form) Type(name Field, value string) {
	if f.typing != name {
		f.Settle()
	}
	f.typing = name
	f.SetText(name, value)
}

// calm tells whether a field is still being typed and can become what good accepts.
func (f *Form) calm(name Field, good func(*Form) bool) bool {
	if f.typing != name || f.rejected[name] != "" {
		return false
	}
	text := strings.TrimSpace(f.text[name])
	return slices.ContainsFunc(endings(name, text), func(end string) bool {
		ended := *f
		ended.text, ended.typing = map[Field]string{}, ""
		for n, t := range f.text {
			ended.text[n] = t
		}
		ended.text[name] = text + end
		ended.check()
		return good(&ended)
	})
}

// endings are what may still be typed behind a text: the rest of an example as long as it, or
// something short. They need not be all: what cannot be put right with one of them is only
// told before the field is left.
func endings(name Field, text string) []string {
	out := slices.Clone(shortEndings[name])
	for _, example := range examples[name] {
		out = append(out, example[min(len(text), len(example)):])
	}
	return out
}

const (
	exampleAccount = "00000000000000000000000000000000"
	examplePage    = "dash.cloudflare.com/" + exampleAccount + "/ai/ai-gateway/gateways/a"
	exampleBase    = "gateway.ai.cloudflare.com/v1/" + exampleAccount + "/a"
	exampleCall    = "api.cloudflare.com/client/v4/accounts/" + exampleAccount + "/ai-gateway/gateways/a"
)

// exampleAddresses are the addresses that name an account and a gateway.
var exampleAddresses = []string{
	examplePage, "https://" + examplePage, "http://" + examplePage,
	exampleBase, "https://" + exampleBase, "http://" + exampleBase,
	exampleCall, "https://" + exampleCall, "http://" + exampleCall,
}

// examples are values that a field takes.
var examples = map[Field][]string{
	FieldAccount:         append([]string{exampleAccount}, exampleAddresses...),
	FieldGateway:         exampleAddresses,
	FieldGatewayURL:      append([]string{"https://a.example", "http://127.0.0.1", "http://localhost", "http://[::1]"}, exampleAddresses...),
	FieldAzureAPIVersion: {"2024-02-01", "2024-02-01-preview", "2024-12-11", "preview", "latest", "v1"},
	FieldListen:          {"127.0.0.1:8787", "localhost:8787", "[::1]:8787"},
}

// shortEndings are what makes something whole of a text that varies more than examples can
// show.
var shortEndings = map[Field][]string{
	FieldGatewayURL:        {"1", "a", "]"},
	FieldAzureResource:     {"a", "aa"},
	FieldListen:            {":1", "1", "1:1", ".1:1", "1.1:1", ".1.1:1", "1.1.1:1", ".1.1.1:1", "]:1", "1]:1", ":1]:1", "::1]:1"},
	FieldOrigins:           {"://a", "//a", "/a", "a"},
	FieldUpstreamTimeout:   {"s", "1s"},
	FieldStreamIdleTimeout: {"s", "1s"},
	FieldRetries:           {"1"},
	FieldExchanges:         {"1"},
	FieldMemory:            {"1"},
}
