package grammar

import (
	"errors"
	"fmt"
	"strings"

	"apex-ai-proxy/proxy/rawjson"
)

// Messages accepts the stream of an Anthropic Messages client. The error is a
// *Violation, or a *StreamError for a correct stream that reports one.
func Messages(stream []byte) error {
	m := &messages{}
	return run(stream, m.step, m.end)
}

type messages struct {
	started bool
	next    int64 // index of the next block
	open    string
	input   string
	signed  bool
	tools   int
	broken  error // of a tool's input, which is excused when the answer was cut
	stopped bool  // message_delta was seen
	done    bool
}

func (m *messages) step(f frame) error {
	if err := rawjson.Valid([]byte(f.data)); err != nil {
		return err
	}
	o, err := objectOf(rawjson.Value(f.data))
	if err != nil {
		return err
	}
	kind := o["type"].Str()
	switch {
	case f.name == "":
		return errors.New("the event has no name")
	case f.name != kind:
		return fmt.Errorf("the event is named %q but its type is %q", f.name, kind)
	case m.done:
		return errors.New("nothing may follow message_stop")
	case kind == "ping":
		return nil
	case kind == "error":
		return messagesFailure(o)
	case kind == "message_start":
		return m.start(o)
	case !m.started:
		return errors.New("it comes before message_start")
	case m.stopped && kind != "message_stop":
		return errors.New("only message_stop may follow message_delta")
	}
	switch kind {
	case "content_block_start":
		return m.blockStart(o)
	case "content_block_delta":
		return m.blockDelta(o)
	case "content_block_stop":
		return m.blockStop(o)
	case "message_delta":
		return m.delta(o)
	case "message_stop":
		m.done = true
		if !m.stopped {
			return errors.New("message_stop before message_delta")
		}
		return o.only("message_stop", "type")
	default:
		return fmt.Errorf("unknown event %q", kind)
	}
}

func messagesFailure(o object) error {
	if err := o.only("an error", "type", "error", "request_id"); err != nil {
		return err
	}
	e, err := objectOf(o["error"])
	if err != nil {
		return fmt.Errorf("error: %w", err)
	}
	kind, err := e.str("type")
	if err != nil {
		return err
	}
	if !oneOf(kind, "invalid_request_error", "authentication_error", "billing_error", "permission_error", "not_found_error",
		"rate_limit_error", "timeout_error", "api_error", "overloaded_error", "request_too_large") {
		return fmt.Errorf("unknown error type %q", kind)
	}
	message, err := e.str("message")
	if err != nil || message == "" {
		return errors.New("an error needs a message")
	}
	return &StreamError{Type: kind, Message: message}
}

func (m *messages) start(o object) error {
	if m.started {
		return errors.New("a second message_start")
	}
	m.started = true
	msg, err := objectOf(o["message"])
	if err != nil {
		return fmt.Errorf("message: %w", err)
	}
	for _, key := range []string{"id", "model"} {
		if s, err := msg.str(key); err != nil || s == "" {
			return fmt.Errorf("the message needs %s", key)
		}
	}
	for key, want := range map[string]string{"type": `"message"`, "role": `"assistant"`, "stop_reason": "null", "stop_sequence": "null"} {
		if string(msg[key]) != want {
			return fmt.Errorf("%s of the message is %q, not %s", key, msg[key], want)
		}
	}
	if msg["content"].Kind() != rawjson.Array || !msg["content"].Empty() {
		return errors.New("the message must start with empty content")
	}
	u, err := objectOf(msg["usage"])
	if err != nil {
		return fmt.Errorf("usage: %w", err)
	}
	for _, key := range []string{"input_tokens", "output_tokens"} {
		if _, err := u.count(key); err != nil {
			return err
		}
	}
	return nil
}

func (m *messages) blockStart(o object) error {
	index, err := o.count("index")
	switch {
	case err != nil:
		return err
	case m.open != "":
		return fmt.Errorf("block %d starts while block %d is open", index, m.next-1)
	case index != m.next:
		return fmt.Errorf("block %d starts where block %d is due", index, m.next)
	}
	b, err := objectOf(o["content_block"])
	if err != nil {
		return fmt.Errorf("content_block: %w", err)
	}
	m.next, m.input, m.signed = m.next+1, "", false
	m.open = b["type"].Str()
	return m.blockBegins(b)
}

func (m *messages) blockBegins(b object) error {
	empty := func(keys ...string) error {
		for _, key := range keys {
			if s, err := b.str(key); err != nil || s != "" {
				return fmt.Errorf("a %s block must start with an empty %s", m.open, key)
			}
		}
		return nil
	}
	switch m.open {
	case "text":
		return empty("text")
	case "thinking":
		return empty("thinking", "signature")
	case "redacted_thinking":
		if s, err := b.str("data"); err != nil || s == "" {
			return errors.New("a redacted_thinking block must start whole")
		}
		return nil
	case "tool_use", "server_tool_use":
		m.tools++
		for _, key := range []string{"id", "name"} {
			if s, err := b.str(key); err != nil || s == "" {
				return fmt.Errorf("a %s block needs %s", m.open, key)
			}
		}
		if b["input"].Kind() != rawjson.Object || !b["input"].Empty() {
			return fmt.Errorf("a %s block must start with the input {}", m.open)
		}
		return nil
	default:
		if strings.HasSuffix(m.open, "_tool_result") {
			return nil
		}
		return fmt.Errorf("unknown block %q", m.open)
	}
}

var deltaBlocks = map[string]string{
	"text_delta": "text", "citations_delta": "text", "thinking_delta": "thinking", "signature_delta": "thinking",
	"input_json_delta": "tool_use",
}

var deltaFields = map[string]string{
	"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature", "input_json_delta": "partial_json",
}

func (m *messages) blockDelta(o object) error {
	if err := m.current(o); err != nil {
		return err
	}
	d, err := objectOf(o["delta"])
	if err != nil {
		return fmt.Errorf("delta: %w", err)
	}
	kind := d["type"].Str()
	if block := deltaBlocks[kind]; block == "" || block != strings.TrimPrefix(m.open, "server_") {
		return fmt.Errorf("a %q in a %s block", kind, m.open)
	}
	if m.signed {
		return errors.New("nothing may follow the signature of a block")
	}
	m.signed = kind == "signature_delta"
	if field := deltaFields[kind]; field != "" {
		s, err := d.str(field)
		if err != nil {
			return err
		}
		if kind == "input_json_delta" {
			m.input += s
		}
	}
	return nil
}

// current checks that the event is about the open block.
func (m *messages) current(o object) error {
	index, err := o.count("index")
	switch {
	case err != nil:
		return err
	case m.open == "":
		return fmt.Errorf("block %d is not open", index)
	case index != m.next-1:
		return fmt.Errorf("it is about block %d, but block %d is open", index, m.next-1)
	}
	return nil
}

func (m *messages) blockStop(o object) error {
	if err := m.current(o); err != nil {
		return err
	}
	if m.open == "thinking" && !m.signed {
		return errors.New("a thinking block ends without a signature")
	}
	if m.open == "tool_use" && m.input != "" && !isObject(m.input) && m.broken == nil {
		m.broken = fmt.Errorf("the input of block %d is not an object: %s", m.next-1, m.input)
	}
	if m.open == "server_tool_use" {
		m.tools--
	}
	m.open = ""
	return nil
}

func (m *messages) delta(o object) error {
	m.stopped = true
	if m.open != "" {
		return fmt.Errorf("block %d is still open", m.next-1)
	}
	if err := o.only("message_delta", "type", "delta", "usage", "context_management"); err != nil {
		return err
	}
	d, err := objectOf(o["delta"])
	if err != nil {
		return fmt.Errorf("delta: %w", err)
	}
	reason := d["stop_reason"].Str()
	if !oneOf(reason, "end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn", "refusal", "model_context_window_exceeded", "compaction") {
		return fmt.Errorf("stop_reason is %q", d["stop_reason"])
	}
	if d["stop_sequence"] == nil {
		return errors.New("stop_sequence is missing; it may be null")
	}
	u, err := objectOf(o["usage"])
	if err != nil {
		return fmt.Errorf("usage: %w", err)
	}
	if _, err := u.count("output_tokens"); err != nil {
		return err
	}
	switch {
	case reason == "tool_use" && m.tools == 0:
		return errors.New("stop_reason tool_use without a tool_use block")
	case reason == "end_turn" && m.tools > 0:
		return errors.New("stop_reason end_turn after a tool_use block")
	case reason == "max_tokens":
		return nil
	}
	return m.broken
}

func (m *messages) end() error {
	if !m.done {
		return errors.New("the stream ends without message_stop or an error")
	}
	return nil
}
