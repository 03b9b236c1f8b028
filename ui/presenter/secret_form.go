package presenter

import (
	"strings"

	"apex-ai-proxy/app/secret/pasted"
	"apex-ai-proxy/ui/words"
)

// keyStarts are how secrets begin whose owner is beyond doubt, with the provider that takes
// them. The first that fits counts.
var keyStarts = []struct{ start, provider, title string }{
	{"sk-ant-", "anthropic", "Anthropic"},
	{"sk-or-v1-", "openrouter", "OpenRouter"},
	{"sk-proj-", "openai", "OpenAI"},
	{"sk-svcacct-", "openai", "OpenAI"},
	{"sk-admin-", "openai", "OpenAI"},
	{"AIza", "google-ai-studio", "Google"},
	{"gsk_", "groq", "Groq"},
	{"xai-", "grok", "xAI"},
	{"csk-", "cerebras", "Cerebras"},
	{"pplx-", "perplexity-ai", "Perplexity"},
	{"cfut_", cloudflare, "Cloudflare"},
	{"cfat_", cloudflare, "Cloudflare"},
}

// cloudflare is the provider whose keys are tokens as the gateway takes them, too.
const cloudflare = "workers-ai"

// DoubtSecret says what a text looks like that cannot be the secret it was entered for, and
// what is wanted, "" when it may be. account is that of the gateway. Forms that are not known
// are not doubted.
func DoubtSecret(name SecretName, text, account string) string {
	text = pasted.Secret(text)
	provider := strings.TrimPrefix(string(name), string(ProviderKey("")))
	gateway := name == GatewayToken
	switch {
	case text == "":
		return ""
	case strings.ContainsAny(text, " \t\r\n"):
		return words.T("This holds a space or a line break. Paste only the secret itself.")
	case account != "" && strings.EqualFold(text, account):
		return wanted(words.T("This is the account ID."), gateway)
	case strings.HasPrefix(text, "apx-"):
		return wanted(words.T("This is the local key, which clients give to this program."), gateway)
	case strings.HasPrefix(text, "https://"), strings.HasPrefix(text, "http://"):
		return wanted(words.T("This is an address."), gateway)
	}
	for _, k := range keyStarts {
		switch {
		case !strings.HasPrefix(text, k.start):
		case gateway && k.provider == cloudflare, !gateway && k.provider == provider:
			return ""
		case k.provider == cloudflare:
			return wanted(words.T("This looks like a token of Cloudflare."), gateway)
		default:
			return wanted(words.F("This looks like a key of {{.Provider}}.", words.V{"Provider": k.title}), gateway)
		}
	}
	if gateway && strings.HasPrefix(text, "sk-") {
		return wanted(words.T("This looks like a provider's key."), gateway)
	}
	return ""
}

// wanted is what a text looks like, with what to enter in its place.
func wanted(looks string, gateway bool) string {
	if gateway {
		return both(looks, words.T("Enter the token that Cloudflare made for the gateway."))
	}
	return both(looks, words.T("Enter the key that the provider itself gave you."))
}
