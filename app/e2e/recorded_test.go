package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"apex-ai-proxy/proxy/demo/fakegateway"
	"apex-ai-proxy/proxy/demo/grammar"
)

// TestRecordedRequests sends what clients sent in the second turn of a tool loop, with
// their long texts cut and spread over many lines, to upstreams of every protocol.
func TestRecordedRequests(t *testing.T) {
	p, g := setup(t, fakegateway.Options{}, config{})
	files, err := filepath.Glob("testdata/clients/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recorded requests: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var recorded struct {
			Path string
			Body json.RawMessage
		}
		if err := json.Unmarshal(text, &recorded); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, model := range []string{
			"gpt-5.5#openai", "o3-pro#openai", "claude-sonnet-4-5#anthropic", "claude-opus-4-8#anthropic", "mistral-large-latest#mistral",
			"gemini-2.5-pro#google-ai-studio", "llama-3.3-70b-versatile#groq", "deepseek-chat#deepseek", "grok-4#grok",
			"@cf/openai/gpt-oss-120b#workers-ai", "anthropic/claude-sonnet-4.5#openrouter",
		} {
			if recorded.Path == "/v1/chat/completions" && strings.HasPrefix(model, "gemini") {
				continue // it passes untouched, and Gemini refuses words of these schemas
			}
			t.Run(strings.TrimSuffix(filepath.Base(file), ".json")+"/"+model, func(t *testing.T) {
				body := strings.Replace(string(recorded.Body), `"MODEL"`, `"`+model+`"`, 1)
				got := p.send(http.MethodPost, recorded.Path, body)
				if got.status != http.StatusOK {
					t.Fatalf("%d %s\n%s", got.status, got.body, sent(g, model))
				}
				// What passes untouched keeps the vendor's own rules.
				if !strings.HasSuffix(g.Last().Path, strings.TrimPrefix(recorded.Path, "/v1")) {
					if err := streamFault(recorded.Path, body, got.body); err != nil {
						t.Errorf("%v\n%s", err, got.body)
					}
				}
				if !strings.Contains(got.body, "answered: ") {
					t.Errorf("the tool's result did not reach the model: %s", sent(g, model))
				}
			})
		}
	}
}

// streamFault says what is wrong with a stream for the client of a path.
func streamFault(path, request, stream string) error {
	switch path {
	case "/v1/messages":
		return grammar.Messages([]byte(stream))
	case "/v1/responses":
		return grammar.Responses([]byte(stream))
	default:
		return grammar.Chat([]byte(stream), strings.Contains(request, "include_usage"))
	}
}
