package settings

import (
	"strings"
	"testing"
)

func TestLocate(t *testing.T) {
	const id = "0123456789abcdef0123456789abcdef"
	for address, want := range map[string]Located{
		"https://dash.cloudflare.com/" + id + "/ai/ai-gateway/gateways/home":                       {id, "home"},
		"https://dash.cloudflare.com/" + id + "/ai/ai-gateway/gateways/home/settings?tab=logs#top": {id, "home"},
		" dash.cloudflare.com/" + strings.ToUpper(id) + "/ai/ai-gateway/gateways/my_own-1/logs \n": {id, "my_own-1"},
		"https://dash.cloudflare.com/" + id + "/ai/ai-gateway":                                     {id, ""},
		"https://dash.cloudflare.com/" + id + "/home":                                              {id, ""},
		"https://dash.cloudflare.com/" + id:                                                        {id, ""},
		"https://dash.cloudflare.com/" + id + "/ai/ai-gateway/gateways/new":                        {id, ""},
		"https://gateway.ai.cloudflare.com/v1/" + id + "/home":                                     {id, "home"},
		"https://gateway.ai.cloudflare.com/v1/" + id + "/home/openai/chat/completions":             {id, "home"},
		"https://gateway.ai.cloudflare.com/v1/" + id + "/":                                         {id, ""},
		"https://api.cloudflare.com/client/v4/accounts/" + id + "/ai-gateway/gateways/home/logs":   {id, "home"},
		"https://dash.cloudflare.com/":                                                             {},
		"https://dash.cloudflare.com/" + id[1:] + "/ai":                                            {},
		"https://dash.cloudflare.com.example/" + id + "/ai":                                        {},
		"https://example.com/" + id + "/ai/ai-gateway/gateways/home":                               {},
		"https://gateway.ai.cloudflare.com/v1":                                                     {},
		"ftp://dash.cloudflare.com/" + id:                                                          {},
		id:                                                                                         {},
		"home":                                                                                     {},
		"":                                                                                         {},
		"https://%zz":                                                                              {},
	} {
		got, ok := Locate(address)
		if got != want || ok != (want.Account != "") {
			t.Errorf("%q: %+v, %v, want %+v", address, got, ok, want)
		}
	}
}

func TestWithoutAccount(t *testing.T) {
	const id = "0123456789abcdef0123456789abcdef"
	for address, want := range map[string]string{
		"https://gateway.ai.cloudflare.com/v1":                        "https://gateway.ai.cloudflare.com/v1",
		"https://gateway.ai.cloudflare.com/v1/" + id:                  "https://gateway.ai.cloudflare.com/v1",
		"https://gateway.ai.cloudflare.com/v1/" + id + "/home/openai": "https://gateway.ai.cloudflare.com/v1",
	} {
		if got := WithoutAccount(address); got != want {
			t.Errorf("%q becomes %q", address, got)
		}
	}
}
