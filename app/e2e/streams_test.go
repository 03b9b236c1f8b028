package e2e

import (
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"apex-ai-proxy/proxy/demo/fakegateway"
	"apex-ai-proxy/proxy/demo/grammar"
)

const (
	chatPath     = "/v1/chat/completions"
	messagesPath = "/v1/messages"
)

// streamBody is a streamed request in the protocol of the path.
func streamBody(path, model, text string) string {
	messages := `"messages":[{"role":"user","content":"` + text + `"}]`
	if path == messagesPath {
		return `{"model":"` + model + `","stream":true,"max_tokens":4000,"tools":[` +
			`{"name":"a","input_schema":{"type":"object","properties":{"q":{"type":"string"}}}},` +
			`{"name":"b","input_schema":{"type":"object","properties":{}}}],` + messages + `}`
	}
	return `{"model":"` + model + `","stream":true,"stream_options":{"include_usage":true},"tools":[` +
		`{"type":"function","function":{"name":"a","parameters":{"type":"object","properties":{"q":{"type":"string"}}}}},` +
		`{"type":"function","function":{"name":"b","parameters":{"type":"object","properties":{}}}}],` + messages + `}`
}

// wellFormed checks a stream by the grammar of the path's protocol.
func wellFormed(path, body string, usage bool) error {
	if path == messagesPath {
		return grammar.Messages([]byte(body))
	}
	return grammar.Chat([]byte(body), usage)
}

// foreign are models whose upstream speaks the other protocol than the path.
var foreign = map[string][]string{
	chatPath: {"claude-sonnet-4-5#anthropic", "echo-anthropic#demo"},
	messagesPath: {
		"gpt-4o#openai", "gemini-2.0-flash#google-ai-studio", "mistral-large-latest#mistral", "deepseek-chat#deepseek", "echo-openai#demo",
	},
}

var native = map[string][]string{chatPath: {"gpt-4o#openai", "echo#demo"}, messagesPath: {"claude-sonnet-4-5#anthropic", "echo#demo"}}

func TestStreamsKeepTheGrammar(t *testing.T) {
	p, g := setup(t, fakegateway.Options{}, config{})
	for _, models := range []map[string][]string{foreign, native} {
		for path, list := range models {
			for _, model := range list {
				for _, behaviour := range []string{"echo", "tools", "long", "reasoning"} {
					model := strings.Replace(model, "echo", behaviour, 1)
					text := "[[" + behaviour + "]] two in parallel: \\u00e9 \\ud83d\\ude00 \\\"quoted\\\""
					t.Run(path+" "+model+" "+behaviour, func(t *testing.T) {
						a := p.send("POST", path, streamBody(path, model, text))
						if a.status != http.StatusOK || a.err != nil || !strings.HasPrefix(a.header.Get("Content-Type"), "text/event-stream") {
							t.Fatalf("%d %v %s\n%s", a.status, a.err, a.header.Get("Content-Type"), a.body)
						}
						if err := wellFormed(path, a.body, true); err != nil {
							t.Errorf("%v\n%s", err, a.body)
						}
						if behaviour == "tools" && (!strings.Contains(a.body, `"a"`) || !strings.Contains(a.body, `"b"`)) {
							t.Errorf("two tools should be called: %s", a.body)
						}
						if !strings.HasSuffix(model, "#demo") && g.Last().Refused != "" {
							t.Errorf("refused: %s", g.Last().Refused)
						}
					})
				}
			}
		}
	}
}

func TestChatStreamWithoutUsage(t *testing.T) {
	p, _ := setup(t, fakegateway.Options{}, config{})
	for _, model := range []string{"gpt-4o#openai", "claude-sonnet-4-5#anthropic", "echo-anthropic#demo"} {
		a := p.send("POST", chatPath, `{"model":"`+model+`","stream":true,"messages":[{"role":"user","content":"hi there"}]}`)
		if err := grammar.Chat([]byte(a.body), false); err != nil {
			t.Errorf("%s: %v\n%s", model, err, a.body)
		}
	}
}

// TestBrokenStreams: a stream that fails or breaks off ends in an error of the client's
// protocol, or, where bytes pass through, breaks off for the client too.
func TestBrokenStreams(t *testing.T) {
	p, g := setup(t, fakegateway.Options{}, config{})
	cut := func(model string) fakegateway.Answer { return fakegateway.Cut(firstWords(model)) }
	silent := func(model string) fakegateway.Answer { return fakegateway.Chunks(firstWords(model)) }
	inside := func(model string) fakegateway.Answer {
		if strings.HasSuffix(model, "#anthropic") {
			return fakegateway.Chunks(firstWords(model), "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"busy\"}}\n\n")
		}
		return fakegateway.Chunks(firstWords(model), "data: {\"error\":{\"message\":\"busy\",\"type\":\"server_error\",\"param\":null,\"code\":null}}\n\n")
	}
	for _, models := range []map[string][]string{foreign, native} {
		for path, list := range models {
			for _, model := range list {
				if strings.HasSuffix(model, "#demo") {
					continue // it cannot be scripted
				}
				for name, script := range map[string]func(string) fakegateway.Answer{"cut": cut, "ends early": silent, "error": inside} {
					t.Run(path+" "+model+" "+name, func(t *testing.T) {
						g.Script(script(model))
						a := p.send("POST", path, streamBody(path, model, "go"))
						if a.status >= http.StatusBadRequest && strings.Contains(a.body, "busy") {
							return // the error came before anything had to be sent
						}
						var failed *grammar.StreamError
						switch err := wellFormed(path, a.body, true); {
						case errors.As(err, &failed):
							if failed.Message == "" {
								t.Error("the error says nothing")
							}
						case cutShort(a.err):
						default:
							t.Errorf("%v, reading ended with %v\n%s", err, a.err, a.body)
						}
						if !strings.Contains(a.body, "Hello") {
							t.Errorf("the first words are missing: %s", a.body)
						}
					})
				}
			}
		}
	}
}

func TestDemoStreamsThatFail(t *testing.T) {
	p := start(t, config{})
	for _, path := range []string{chatPath, messagesPath} {
		for _, model := range []string{"error-midstream", "error-midstream-openai", "error-midstream-anthropic", "error-cut", "error-cut-openai", "error-cut-anthropic"} {
			a := p.send("POST", path, streamBody(path, model+"#demo", "go"))
			var failed *grammar.StreamError
			if err := wellFormed(path, a.body, true); !errors.As(err, &failed) && !cutShort(a.err) {
				t.Errorf("%s %s: %v, reading ended with %v\n%s", path, model, err, a.err, a.body)
			}
		}
	}
}

// TestAwkwardFraming feeds a stream in pieces that cut lines, characters and escapes,
// with comments and CRLF between.
func TestAwkwardFraming(t *testing.T) {
	p, g := setup(t, fakegateway.Options{}, config{})
	for path, models := range foreign {
		for _, model := range models {
			if strings.HasSuffix(model, "#demo") {
				continue
			}
			whole := ": OPENROUTER PROCESSING\n\n" + strings.ReplaceAll(firstWords(model), "Hello", `Grüße \ud83d\ude00`) + lastWords(model)
			whole = strings.ReplaceAll(whole, "\n", "\r\n")
			var pieces []string
			for i := 0; i < len(whole); i += 7 {
				pieces = append(pieces, whole[i:min(i+7, len(whole))])
			}
			g.Script(fakegateway.Chunks(pieces...))
			a := p.send("POST", path, streamBody(path, model, "go"))
			if err := wellFormed(path, a.body, true); err != nil {
				t.Errorf("%s: %v\n%s", model, err, a.body)
			}
			if !strings.Contains(a.body, `Grüße 😀`) && !strings.Contains(a.body, `Grüße \ud83d\ude00`) {
				t.Errorf("%s: the text is damaged: %s", model, a.body)
			}
		}
	}
}

var modelName = regexp.MustCompile(`"model":"[^"]*"`)

// TestPassThroughIsByteForByte: where both sides speak the same protocol, only the
// model's name changes, and back in the answer.
func TestPassThroughIsByteForByte(t *testing.T) {
	p, g := setup(t, fakegateway.Options{}, config{})
	for path, model := range map[string]string{chatPath: "gpt-4o#openai", messagesPath: "claude-sonnet-4-5#anthropic"} {
		body := strings.ReplaceAll(streamBody(path, model, `é <b>&amp; \u00e9 \/`), `,"stream"`, ` ,  "stream"`)
		stream := firstWords(model) + lastWords(model)
		g.Script(fakegateway.Chunks(stream))
		a := p.send("POST", path+"?beta=true", body)
		last := g.Last()
		if want := strings.Replace(body, model, strings.Split(model, "#")[0], 1); string(last.Body) != want {
			t.Errorf("%s: sent\n%s\nwant\n%s\n%s", path, last.Body, want, last.Refused)
		}
		if want := modelName.ReplaceAllString(stream, `"model":"`+model+`"`); a.body != want {
			t.Errorf("%s: got\n%q\nwant\n%q", path, a.body, want)
		}
		if last.Query.Get("beta") != "true" {
			t.Errorf("%s: the query got lost: %s", path, last.Query.Encode())
		}
		if a.header.Get("Cf-Aig-Log-Id") == "" || a.header.Get("Set-Cookie") != "" || a.header.Get("Alt-Svc") != "" {
			t.Errorf("%s: headers %v", path, a.header)
		}
	}
}

// TestPassThroughSuitsTheProvider: a conversation with tools that began elsewhere is taken
// by providers that would refuse it as it is.
func TestPassThroughSuitsTheProvider(t *testing.T) {
	p, g := setup(t, fakegateway.Options{}, config{})
	for _, model := range []string{"gemini-2.5-pro#google-ai-studio", "mistral-large-latest#mistral"} {
		a := p.send("POST", chatPath, `{"model":"`+model+`","store":false,"metadata":{"a":"b"},"messages":[{"role":"user","content":"x"},
			{"role":"assistant","content":null,"tool_calls":[{"id":"call_0123456789abcdefghijklmn","type":"function","function":{"name":"look","arguments":"{}"}}]},
			{"role":"tool","tool_call_id":"call_0123456789abcdefghijklmn","content":"seen"}],
			"tools":[{"type":"function","function":{"name":"look","parameters":{"$schema":"s","type":"object","additionalProperties":false,"properties":{"title":{"type":"string"}}}}}]}`)
		if last := g.Last(); a.status != 200 || last.Refused != "" {
			t.Errorf("%s: %d %s\n%s\n%s", model, a.status, a.body, last.Refused, last.Body)
		}
	}
}

// TestTurnsAlternate: messages of one speaker in a row, as tools send them, are put together
// for a provider that refuses them; others pass as they are.
func TestTurnsAlternate(t *testing.T) {
	p, g := setup(t, fakegateway.Options{}, config{})
	for messages, whole := range map[string]bool{
		`[{"role":"system","content":"s"},{"role":"user","content":"one"},{"role":"user","content":"two"}]`:                                                                    false,
		`[{"role":"assistant","content":"welcome"},{"role":"user","content":"one"}]`:                                                                                           false,
		`[{"role":"user","content":"one"},{"role":"assistant","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"two"}]`:                              false,
		`[{"role":"system","content":"s"},{"role":"system","content":"t"},{"role":"user","content":"one"},{"role":"assistant","content":"a"},{"role":"user","content":"two"}]`: true,
	} {
		a := p.send("POST", chatPath, `{"model":"sonar#perplexity-ai","search_mode":"web","messages":`+messages+`}`)
		last := g.Last()
		if a.status != 200 || last.Refused != "" {
			t.Errorf("%s: %d %s\n%s\n%s", messages, a.status, a.body, last.Refused, last.Body)
		}
		if passed := strings.Contains(string(last.Body), messages); passed != whole {
			t.Errorf("%s went up as %s", messages, last.Body)
		}
	}
}
