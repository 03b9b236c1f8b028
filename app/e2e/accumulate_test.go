package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	anthropicstream "github.com/anthropics/anthropic-sdk-go/packages/ssestream"
	"github.com/openai/openai-go/v3"
	openaistream "github.com/openai/openai-go/v3/packages/ssestream"
	"github.com/openai/openai-go/v3/responses"
	"golang.org/x/tools/txtar"

	"apex-ai-proxy/proxy/demo/grammar"
)

// accumulators build a whole answer of a stream, each with its vendor's own SDK. failed is
// the error the stream tells, as the SDK reports it.
var accumulators = map[string]func(stream string) (answer string, failed, err error){
	"openai-chat": accumulateChat, "anthropic-messages": accumulateMessages, "openai-responses": accumulateResponses,
}

// TestVendorsUnderstandEveryStream feeds what the conversions write to the accumulators of
// the official SDKs, as a second opinion beside the grammar.
func TestVendorsUnderstandEveryStream(t *testing.T) {
	files, err := filepath.Glob("../../proxy/convert/testdata/stream-*.txtar")
	if err != nil || len(files) < 50 {
		t.Fatalf("%d streams found: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			protocol, stream := "", string(a.Files[1].Data)
			for line := range strings.Lines(string(a.Comment)) {
				if words := strings.Fields(line); len(words) == 4 && words[0] == "stream" {
					protocol = words[3]
				}
			}
			answer, failed, err := accumulators[protocol](stream)
			if err != nil {
				t.Fatalf("%v\n%s", err, stream)
			}
			told := toldError(protocol, stream, strings.Contains(string(a.Comment), "\nusage\n"))
			if (told != nil) != (failed != nil) {
				t.Errorf("the stream tells the error %v, the SDK %v", told, failed)
			}
			for _, word := range spoken(t, stream) {
				if !strings.Contains(answer, word) {
					t.Errorf("%q was streamed and is not in the answer %s", word, answer)
				}
			}
		})
	}
}

// toldError is the error that a stream ends with, by the grammar of its protocol.
func toldError(protocol, stream string, usage bool) error {
	var err error
	switch protocol {
	case "openai-chat":
		err = grammar.Chat([]byte(stream), usage)
	case "anthropic-messages":
		err = grammar.Messages([]byte(stream))
	default:
		err = grammar.Responses([]byte(stream))
	}
	var told *grammar.StreamError
	if errors.As(err, &told) {
		return told
	}
	return nil
}

// spoken are the texts and arguments in the deltas of a stream, read without any SDK.
func spoken(t *testing.T, stream string) (all []string) {
	t.Helper()
	for line := range strings.Lines(stream) {
		data, ok := strings.CutPrefix(line, "data: ")
		if !ok || data == "[DONE]\n" {
			continue
		}
		var e struct {
			Delta   any
			Choices []struct {
				Delta struct {
					Content   string
					ToolCalls []struct{ Function struct{ Arguments string } } `json:"tool_calls"`
				}
			}
		}
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			t.Fatal(err)
		}
		switch d := e.Delta.(type) {
		case string:
			all = append(all, d)
		case map[string]any:
			for _, key := range []string{"text", "thinking"} {
				if s, ok := d[key].(string); ok {
					all = append(all, s)
				}
			}
		}
		for _, c := range e.Choices {
			all = append(all, c.Delta.Content)
			for _, call := range c.Delta.ToolCalls {
				all = append(all, call.Function.Arguments)
			}
		}
	}
	return all
}

func response(stream string) *http.Response {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: io.NopCloser(strings.NewReader(stream)),
	}
}

func accumulateChat(stream string) (answer string, failed, err error) {
	events := openaistream.NewStream[openai.ChatCompletionChunk](openaistream.NewDecoder(response(stream)), nil)
	var acc openai.ChatCompletionAccumulator
	for events.Next() {
		if chunk := events.Current(); !acc.AddChunk(chunk) {
			return "", nil, fmt.Errorf("the accumulator refuses the chunk %s", chunk.RawJSON())
		}
	}
	if failed = events.Err(); failed == nil && (len(acc.Choices) != 1 || acc.Choices[0].FinishReason == "") {
		return "", nil, fmt.Errorf("no whole answer: %+v", acc.Choices)
	}
	if len(acc.Choices) == 0 {
		return "", failed, nil
	}
	m := acc.Choices[0].Message
	answer = m.Content
	for _, call := range m.ToolCalls {
		if call.ID == "" && failed == nil {
			return "", nil, fmt.Errorf("a call without an id: %+v", call)
		}
		answer += "|" + call.Function.Arguments
	}
	return answer, failed, nil
}

func accumulateMessages(stream string) (answer string, failed, err error) {
	events := anthropicstream.NewStream[anthropic.MessageStreamEventUnion](anthropicstream.NewDecoder(response(stream)), nil)
	var m anthropic.Message
	for events.Next() {
		if err := m.Accumulate(events.Current()); err != nil {
			return "", nil, err
		}
	}
	if failed = events.Err(); failed == nil && (m.StopReason == "" || m.ID == "") {
		return "", nil, fmt.Errorf("no whole answer: %s", m.RawJSON())
	}
	for _, b := range m.Content {
		answer += b.Text + b.Thinking + "|"
	}
	return answer, failed, nil
}

func accumulateResponses(stream string) (answer string, failed, err error) {
	var acc responses.ResponseAccumulator
	events := openaistream.NewStream[json.RawMessage](openaistream.NewDecoder(response(stream)), nil)
	for events.Next() {
		var e responses.ResponsesServerEventUnion
		if err := json.Unmarshal(events.Current(), &e); err != nil {
			return "", nil, err
		}
		if err := acc.AddEvent(e); err != nil {
			return "", nil, err
		}
	}
	if events.Err() != nil {
		return "", nil, events.Err()
	}
	whole, err := acc.ReconstructedResponse()
	if err != nil {
		return "", nil, err
	}
	if whole.Status == "failed" {
		failed = fmt.Errorf("%s: %s", whole.Error.Code, whole.Error.Message)
	}
	for _, item := range whole.Output {
		for _, c := range item.Content {
			answer += c.Text + c.Refusal + "|"
		}
		for _, s := range item.Summary {
			answer += s.Text + "|"
		}
		answer += item.Arguments.OfString + item.Input + "|"
	}
	return answer, failed, nil
}
