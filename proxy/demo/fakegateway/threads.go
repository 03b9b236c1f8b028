package fakegateway

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"apex-ai-proxy/proxy/rawjson"
	"apex-ai-proxy/proxy/sse"
)

// threads are the conversations that Anthropic keeps for clients that ask for it.
type threads struct {
	mu   sync.Mutex
	held map[string]map[string]json.RawMessage // the request, with all that was said, by the answer's id
}

// threadBeta is the value of anthropic-beta without which there are no threads.
const threadBeta = "message-threads-2026-08-12"

// expand makes the whole request of one that goes on with a thread. The result is nil
// for requests without a thread.
func (t *threads) expand(in *Request) (map[string]json.RawMessage, *fault) {
	thread := rawjson.Value(in.Body).Get("thread")
	if !thread.Present() {
		return nil, nil
	}
	refuse := func(format string, args ...any) *fault {
		r := messagesRefusal(fmt.Sprintf(format, args...))
		return &fault{why: r.Error(), status: r.Status, body: string(r.AppendMessages(nil, "req_fake"))}
	}
	if !strings.Contains(in.Header.Get("Anthropic-Beta"), threadBeta) {
		return nil, refuse("thread: Extra inputs are not permitted")
	}
	var sent map[string]json.RawMessage
	if err := json.Unmarshal(in.Body, &sent); err != nil {
		return nil, refuse("The request body is not valid JSON: %v", err)
	}
	delete(sent, "thread")
	switch kind := thread.Get("type").Str(); kind {
	case "create":
		return sent, nil
	case "continue":
	default:
		return nil, refuse("thread.type: Input tag '%s' does not match any of the expected tags", kind)
	}
	for _, key := range []string{"system", "tools"} {
		if sent[key] != nil {
			return nil, refuse("%s: it belongs to the thread and cannot be sent again", key)
		}
	}
	t.mu.Lock()
	before := t.held[thread.Get("previous_message_id").Str()]
	t.mu.Unlock()
	if before == nil {
		const message = "The thread was not found."
		return nil, &fault{
			why: message, status: http.StatusNotFound,
			body: `{"type":"error","error":{"type":"not_found_error","message":"` + message + `","details":{"error_code":"thread_not_found"}},"request_id":"req_fake"}`,
		}
	}
	whole := map[string]json.RawMessage{}
	for _, key := range []string{"system", "tools"} { // the rest is said anew in every turn
		if before[key] != nil {
			whole[key] = before[key]
		}
	}
	for key, value := range sent {
		whole[key] = value
	}
	whole["messages"] = join(before["messages"], sent["messages"])
	return whole, nil
}

// join makes one array of two.
func join(a, b json.RawMessage) json.RawMessage {
	var all, more []json.RawMessage
	_ = json.Unmarshal(a, &all) // what is no array is refused by the provider's rules
	_ = json.Unmarshal(b, &more)
	out, _ := json.Marshal(append(all, more...)) // it was JSON before
	return out
}

// keep remembers a conversation with its answer.
func (t *threads) keep(request map[string]json.RawMessage, answer []byte) {
	id, content := told(answer)
	if id == "" {
		return
	}
	said, _ := json.Marshal(map[string]any{"role": "assistant", "content": content}) // it was JSON before
	kept := map[string]json.RawMessage{}
	for key, value := range request {
		kept[key] = value
	}
	kept["messages"] = join(request["messages"], json.RawMessage("["+string(said)+"]"))
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held == nil {
		t.held = map[string]map[string]json.RawMessage{}
	}
	t.held[id] = kept
}

// told reads the id and the content out of an answer, whole or streamed.
func told(answer []byte) (id string, content []map[string]any) {
	type message struct {
		ID      string
		Content []map[string]any
	}
	var whole message
	if json.Unmarshal(answer, &whole) == nil {
		return whole.ID, whole.Content
	}
	inputs := map[int]string{}
	var parser sse.Parser
	_ = parser.Feed(answer, func(f sse.Frame) {
		var e struct {
			Message message
			Index   int
			Block   map[string]any `json:"content_block"`
			Delta   map[string]any
		}
		if json.Unmarshal(f.Data, &e) != nil {
			return
		}
		switch {
		case e.Message.ID != "":
			id = e.Message.ID
		case e.Block != nil:
			content = append(content, e.Block)
		case e.Delta["type"] != nil && e.Index < len(content):
			for key, value := range e.Delta {
				text, ok := value.(string)
				switch {
				case key == "partial_json":
					inputs[e.Index] += text
				case ok && key != "type":
					before, _ := content[e.Index][key].(string)
					content[e.Index][key] = before + text
				}
			}
		}
	})
	for i, input := range inputs {
		content[i]["input"] = json.RawMessage(input)
	}
	return id, content
}

// tee writes an answer and keeps it.
type tee struct {
	http.ResponseWriter
	kept bytes.Buffer
}

func (t *tee) Write(b []byte) (int, error) {
	t.kept.Write(b)
	return t.ResponseWriter.Write(b)
}

// Flush sends what was written so far.
func (t *tee) Flush() { flush(t.ResponseWriter) }
