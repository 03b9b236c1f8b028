package settings

import (
	"regexp"
	"strings"
	"unicode"
)

// hidden stands for what may be a secret.
const hidden = "…"

var (
	maskWords = regexp.MustCompile(`[^\s"'=,;<>()\[\]{}]+`)
	// letterRuns are what secrets are made of, and what names of models hold only short ones of.
	letterRuns   = regexp.MustCompile(`[A-Za-z0-9]{16,}`)
	wholeSecret  = regexp.MustCompile(`^[A-Za-z0-9_-]{20,}$`)
	secretStarts = regexp.MustCompile(`^(?i:sk|pk|rk|gsk|xai|apx|csk|pplx|ghp|hf|cfut|cfat)[-_][A-Za-z0-9_-]{6,}|^AIza[A-Za-z0-9_-]{8,}|^eyJ[A-Za-z0-9_-]{8,}`)
	withPassword = regexp.MustCompile(`://[^/@]*@`)
)

// Masked is a text with dots for the words that look like secrets. People put secrets where
// they do not belong, and what is said about that must not repeat them.
func Masked(text string) string {
	return maskWords.ReplaceAllStringFunc(text, func(word string) string {
		if looksLikeSecret(word) {
			return hidden
		}
		return word
	})
}

// looksLikeSecret tells whether a word is like a key or a token, rather than a name, an
// address or a model. An account ID is like a key.
func looksLikeSecret(word string) bool {
	if secretStarts.MatchString(word) || withPassword.MatchString(word) {
		return true
	}
	for _, run := range letterRuns.FindAllString(word, -1) {
		if len(run) >= 24 || strings.ContainsFunc(run, unicode.IsDigit) && strings.ContainsFunc(run, unicode.IsLetter) {
			return true
		}
	}
	return wholeSecret.MatchString(word) && strings.ContainsFunc(word, unicode.IsUpper) &&
		strings.ContainsFunc(word, unicode.IsLower) && strings.ContainsFunc(word, unicode.IsDigit)
}
