package presenter

import (
	"strings"
	"testing"
	"unicode"

	"apex-ai-proxy/proxy/demo"
	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/proxy/prose"
	"apex-ai-proxy/ui/words"
)

func chinese(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}

// speakChinese has the words of a test in Chinese.
func speakChinese(t *testing.T) {
	t.Helper()
	if err := words.Use("zh-Hans"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := words.Use("en"); err != nil {
			t.Fatal(err)
		}
	})
}

// Messages of errors are English. Whoever reads Chinese is told in Chinese what to do.
func TestEveryErrorHasACureInChinese(t *testing.T) {
	cases := []event.Exchange{
		{ErrorKind: "cf_2001"},
		{ErrorKind: "cf_2009"},
		{ErrorKind: "cf_10000"},
		{ErrorKind: "cf_2044"},
		{ErrorKind: "not_configured"},
		{ErrorKind: "rate_limited"},
		{ErrorKind: "rate_limit_exceeded"},
		{ErrorKind: "upstream_error"},
		{ErrorKind: "upstream_timeout"},
		{ErrorKind: "unsupported_value"},
		{ErrorKind: "model_not_found"},
		{ErrorKind: "unknown_url"},
		{ErrorKind: "strange", Status: 429},
		{ErrorKind: "cf_9999", Status: 500},
		{Status: 200},
	}
	speakChinese(t)
	for _, x := range cases {
		x.Phase = event.Failed
		if got := cure(&x); !chinese(got) {
			t.Errorf("%s with status %d: %q", x.ErrorKind, x.Status, got)
		}
		x.Phase = event.Done
		if got := cure(&x); got != "" {
			t.Errorf("%s, done: %q", x.ErrorKind, got)
		}
	}
	for code, r := range untold {
		if !chinese(r.text()) {
			t.Errorf("%s: %q", code, r.text())
		}
	}
}

func TestCure(t *testing.T) {
	if err := words.Use("en"); err != nil {
		t.Fatal(err)
	}
	for code, want := range map[string]string{
		"not_configured": "Fill in account, gateway and token in Settings.",
		"cf_2009":        "The gateway refused the token. Replace it in Settings.",
		"strange":        "The provider cannot be reached or is failing. Try again later.",
	} {
		if got := cure(&event.Exchange{Phase: event.Failed, ErrorKind: code, Status: 500}); got != want {
			t.Errorf("%s: %q, want %q", code, got, want)
		}
	}
	for want, text := range map[string]prose.Text{
		checkNetwork.text(): prose.New("%s could not be reached: %s", "OpenAI", prose.Verbatim("no such host")),
		giveTime.text():     prose.New("%s did not answer within %s", "OpenAI", "5m"),
		tryLater.text():     prose.New("the provider returned %d%s without a body", 500, ""),
		"":                  prose.New("%s sent an answer larger than 64 MiB", "OpenAI"),
	} {
		if got := cure(&event.Exchange{Phase: event.Failed, ErrorKind: "upstream_error", ErrorText: text}); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	if got := cure(&event.Exchange{Phase: event.Failed, ErrorKind: "model_not_found", ErrorText: noDefaultModel.With()}); got != "" {
		t.Errorf("no default model: %q, though the message says what to do", got)
	}
	speakChinese(t)
	if words.Of(string(noDefaultModel)) == string(noDefaultModel) {
		t.Errorf("%q is no sentence of the proxy", noDefaultModel)
	}
	for format := range silent {
		if words.Of(string(format)) == string(format) {
			t.Errorf("%q is no sentence of the proxy", format)
		}
	}
	mine := cure(&event.Exchange{Phase: event.Failed, ErrorKind: "invalid_api_key"})
	theirs := cure(&event.Exchange{Phase: event.Failed, ErrorKind: "invalid_api_key", UpstreamProtocol: "openai-chat"})
	if mine != copyKey.text() || theirs != checkCredentials.text() {
		t.Errorf("%q and %q", mine, theirs)
	}
}

// TestCureOfUnknownDemoModels: the demo names its own models, all but those of single errors.
func TestCureOfUnknownDemoModels(t *testing.T) {
	if err := words.Use("en"); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, m := range demo.Models() {
		if !strings.HasPrefix(m, "error-") {
			all = append(all, m+"#demo")
		}
	}
	want := "The demo has these models: " + strings.Join(all, ", ") + "."
	x := event.Exchange{Phase: event.Failed, ErrorKind: "model_not_found", Provider: demoProvider, Status: 404}
	if got := cure(&x); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if x.Provider = "openai"; cure(&x) != checkModel.text() {
		t.Errorf("elsewhere: %q", cure(&x))
	}
}

func TestLossText(t *testing.T) {
	text := prose.New("the highest output limit of this model is %d tokens", 5)
	w := event.Warning{Code: "max-tokens-clamped", Path: "max_tokens", Why: text.String(), Text: text}
	if got := lossText(w); got != "max_tokens: the highest output limit of this model is 5 tokens" {
		t.Errorf("%q", got)
	}
	speakChinese(t)
	if got := lossText(w); !strings.HasPrefix(got, "max_tokens：") || !chinese(got) || !strings.Contains(got, " 5 ") {
		t.Errorf("%q", got)
	}
	if got := lossText(event.Warning{Code: "something-else", Why: "the vendor paused"}); got != "the vendor paused" {
		t.Errorf("%q", got)
	}
}
