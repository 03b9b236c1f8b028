package proxy_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"apex-ai-proxy/proxy/event"
)

// Embeddings pass through to the providers that have them, both ways byte for byte but for
// the model's name.
func TestEmbeddings(t *testing.T) {
	const answer = `{"object":"list","data":[{"object":"embedding","index":0,"embedding":"AACAPw=="}],"model":"m","usage":{"prompt_tokens":5,"total_tokens":5}}`
	u := newUpstream(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, answer)
	})
	f := start(t, u)
	for model, path := range map[string]string{
		"text-embedding-3-small#openai":            "/openai/embeddings",
		"gemini-embedding-001#google-ai-studio":    "/google-ai-studio/v1beta/openai/embeddings",
		"mistral-embed#mistral":                    "/mistral/v1/embeddings",
		"my-embeddings#azure-openai":               "/azure-openai/res/my-embeddings/embeddings",
		"@cf/baai/bge-m3#workers-ai":               "/workers-ai/v1/embeddings",
		"openai/text-embedding-3-small#openrouter": "/openrouter/v1/embeddings",
	} {
		got := f.post("/v1/embeddings", `{"input": ["a",  "b"], "model":"`+model+`", "encoding_format":"base64"}`)
		if got.status != 200 || got.body != named(answer, model) {
			t.Errorf("%s: %d %s", model, got.status, got.body)
		}
		in := u.last(t)
		id, _, _ := strings.Cut(model, "#")
		if want := `{"input": ["a",  "b"], "model":"` + id + `", "encoding_format":"base64"}`; in.path != "/v1/acc/gw"+path || in.body != want {
			t.Errorf("%s reached %s with %s", model, in.path, in.body)
		}
	}
	records := f.bus.Recent()
	if x := records[len(records)-1]; x.Phase != event.Done || x.Tokens.Input != 5 || x.Converted() {
		t.Errorf("the record is %+v", x)
	}
	reached := u.count()
	for _, model := range []string{"claude-sonnet-4-5#anthropic", "llama#groq", "echo#demo", "command-a#cohere"} {
		got := f.post("/v1/embeddings", `{"input":"a","model":"`+model+`"}`)
		if got.status != 400 || !strings.Contains(got.body, "has no embeddings: use a model of openai,") || !strings.Contains(got.body, `"param":"model"`) {
			t.Errorf("%s: %d %s", model, got.status, got.body)
		}
	}
	if u.count() != reached {
		t.Error("a refused request reached the upstream")
	}
}

// The Responses API passes through where the provider has it, and thinking of another
// vendor's is left out.
func TestResponsesPassThrough(t *testing.T) {
	events := "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"error\":null,\"usage\":null}}\n\n" +
		"event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"usage\":{\"input_tokens\":7,\"output_tokens\":3}}}\n\n"
	body := events
	u := newUpstream(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, body)
	})
	f := start(t, u)
	got := f.post("/v1/responses", `{ "model":"gpt-5#openai","stream":true, "input":[{"type":"reasoning","encrypted_content":"apx1.ant.e30"},{"role":"user","content":"a"}],"x":1.50}`)
	if got.status != 200 || got.body != events {
		t.Errorf("%d %s", got.status, got.body)
	}
	in := u.last(t)
	if want := `{ "model":"gpt-5","stream":true, "input":[{"role":"user","content":"a"}],"x":1.50}`; in.path != "/v1/acc/gw/openai/responses" || in.body != want {
		t.Errorf("%s was reached with %s", in.path, in.body)
	}
	records := f.bus.Recent()
	if x := records[len(records)-1]; x.Phase != event.Done || x.Tokens.Input != 7 || x.Tokens.Output != 3 {
		t.Errorf("the record is %+v", x)
	}
	body = events[:strings.Index(events, "event: response.completed")]
	got = f.post("/v1/responses", `{"model":"gpt-5#openai","stream":true,"input":"a"}`)
	if !strings.HasPrefix(got.body, body) || !strings.Contains(got.body, `"type":"response.failed"`) {
		t.Errorf("a cut stream ends in %s", got.body)
	}
}
