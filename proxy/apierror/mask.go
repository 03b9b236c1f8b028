package apierror

import (
	"regexp"
	"strings"
)

// hidden stands where a key was.
const hidden = "[hidden]"

// keys matches what providers' keys look like. Each pattern starts with a literal, so
// that text without keys is scanned quickly.
var keys = regexp.MustCompile(strings.Join([]string{
	`\bsk-[A-Za-z0-9_*.-]{6,}`,                     // OpenAI, Anthropic, DeepSeek, OpenRouter
	`\bgsk_[A-Za-z0-9*]{6,}`,                       // Groq
	`\bxai-[A-Za-z0-9*]{6,}`,                       // xAI
	`\bcsk-[A-Za-z0-9*]{6,}`,                       // Cerebras
	`\bpplx-[A-Za-z0-9*]{6,}`,                      // Perplexity
	`\bAIza[A-Za-z0-9_*-]{10,}`,                    // Google
	`\bya29\.[A-Za-z0-9_.-]{10,}`,                  // Google OAuth
	`\bcfut_[A-Za-z0-9_-]{10,}`,                    // Cloudflare
	`\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_.-]{10,}`, // JWT
	`(?i:bearer|token|api[-_ ]?key)[:= ]+['"]?[A-Za-z0-9_.*/+=-]{16,}`,
}, "|"))

// Mask hides whatever is shaped like a key in text, and every one of secrets wherever it
// stands. Text without keys is returned as it is.
func Mask(text string, secrets ...string) string {
	text = Hide(text, secrets...)
	if !suspicious(text) {
		return text
	}
	return keys.ReplaceAllStringFunc(text, func(found string) string {
		if i := strings.IndexAny(found, ":= "); i >= 0 {
			return found[:i+1] + hidden
		}
		return hidden
	})
}

// Hide hides every one of secrets in text, and nothing else.
func Hide(text string, secrets ...string) string {
	for _, s := range secrets {
		if len(s) >= 4 {
			text = strings.ReplaceAll(text, s, hidden)
		}
	}
	return text
}

// suspicious is a quick test that any text with a key passes.
func suspicious(text string) bool {
	for _, mark := range [...]string{"sk-", "gsk_", "xai-", "pplx-", "AIza", "ya29.", "cfut_", "eyJ"} {
		if strings.Contains(text, mark) {
			return true
		}
	}
	lower := strings.ToLower(text)
	return strings.Contains(lower, "bearer") || strings.Contains(lower, "token") || strings.Contains(lower, "key")
}
