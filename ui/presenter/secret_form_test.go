package presenter

import (
	"strings"
	"testing"

	"apex-ai-proxy/app/secret/pasted"
)

func TestDoubtSecret(t *testing.T) {
	const account = "0123456789abcdef0123456789abcdef"
	for _, c := range []struct {
		name SecretName
		text string
		want string // a part of the doubt, "" for none
	}{
		{GatewayToken, "", ""},
		{GatewayToken, " x ", ""},
		{GatewayToken, "some_new-form.of/2030", ""},
		{GatewayToken, strings.Repeat("f", 32), ""},
		{GatewayToken, "cfut_made-up", ""},
		{GatewayToken, "CF_AIG_TOKEN=cfat_made-up", ""},
		{GatewayToken, "made up", "space"},
		{GatewayToken, "made\nup", "line break"},
		{GatewayToken, " " + strings.ToUpper(account), "account ID"},
		{GatewayToken, "https://dash.cloudflare.com/", "address"},
		{GatewayToken, "sk-made-up", "provider's key"},
		{GatewayToken, "sk-proj-made-up", "OpenAI"},
		{GatewayToken, "OPENAI_API_KEY=sk-ant-made-up", "Anthropic"},
		{GatewayToken, "AIzamade-up", "Google"},
		{GatewayToken, "sk", ""},
		{GatewayToken, "apx-made-up", "local key"},
		{ProviderKey("openai"), "sk-made-up", ""},
		{ProviderKey("openai"), "sk-proj-made-up", ""},
		{ProviderKey("openai"), "sk-ant-made-up", "Anthropic"},
		{ProviderKey("anthropic"), "sk-ant-made-up", ""},
		{ProviderKey("anthropic"), "sk-proj-x", "OpenAI"},
		{ProviderKey("anthropic"), account, "account ID"},
		{ProviderKey("deepseek"), "sk-made-up", ""},
		{ProviderKey("groq"), "gsk_made-up", ""},
		{ProviderKey("groq"), "cfut_made-up", "Cloudflare"},
		{ProviderKey("workers-ai"), "cfut_made-up", ""},
		{ProviderKey("workers-ai"), "cfat_made-up", ""},
		{ProviderKey("workers-ai"), "sk-proj-x", "OpenAI"},
		{ProviderKey("a-new-one"), "a new form", "space"},
		{ProviderKey("a-new-one"), "anything", ""},
	} {
		got := DoubtSecret(c.name, c.text, account)
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s %q: %q, want %q", c.name, c.text, got, c.want)
		}
		if secret := pasted.Secret(c.text); got != "" && len(secret) > 6 && strings.Contains(got, secret) {
			t.Errorf("the doubt tells the secret: %q", got)
		}
	}
	if got := DoubtSecret(GatewayToken, account, ""); got != "" {
		t.Errorf("without an account: %q", got)
	}
}
