package presenter

import (
	"errors"
	"strings"

	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/proxy/prose"
	"apex-ai-proxy/ui/words"
)

// said is what the core says, in the language of now. Where there is no translation, and
// where the words are an upstream's or the system's, it stays as it came.
func said(t prose.Text) string { return t.In(words.Of) }

// Say is what the core says, in the language of now, as a sentence.
func Say(t prose.Text) string { return Sentence(said(t)) }

// Tell is an error in the language of now, as a sentence.
func Tell(err error) string {
	var t prose.Teller
	// In the language of the core, what an error says may hold more than what is told of it.
	if words.Tag() == errorLanguage || !errors.As(err, &t) {
		return Sentence(words.Of(err.Error()))
	}
	return Say(t.Told())
}

// named is a text with what it is about before it.
func named(name, text string) string {
	return words.F("{{.Name}}: {{.Text}}", words.V{"Name": name, "Text": text})
}

// failure is why an exchange failed, "" when nothing is known.
func failure(x *event.Exchange) string { return toldOr(x.ErrorText, x.Error) }

// begun is a text that begins like a sentence, unless it begins with a name: a path in a request,
// or a model.
func begun(s string) string {
	first, _, _ := strings.Cut(s, " ")
	if first == "" || strings.ContainsFunc(first, func(r rune) bool { return r != '\'' && (r < 'a' || r > 'z') }) {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// toldOr is a text, or the words that are there when it has none.
func toldOr(t prose.Text, plain string) string {
	if t.Empty() {
		return words.Of(plain)
	}
	return said(t)
}
