package grammar

import (
	"errors"
	"fmt"

	"apex-ai-proxy/proxy/rawjson"
)

// Chat accepts the stream of a Chat Completions client, who asked for a usage chunk or
// did not. The error is a *Violation, or a *StreamError for a correct stream that
// reports one.
func Chat(stream []byte, includeUsage bool) error {
	c := &chat{wantsUsage: includeUsage}
	return run(stream, c.step, c.end)
}

type chat struct {
	wantsUsage bool

	id, model, created string
	role               bool
	calls              []chatCall
	finish             string
	usage, done        bool
}

type chatCall struct{ kind, args string }

func (c *chat) step(f frame) error {
	switch {
	case f.name != "":
		return fmt.Errorf("a chat stream has no event names, but this one is %q", f.name)
	case c.done:
		return errors.New("nothing may follow [DONE]")
	case f.data == "[DONE]":
		c.done = true
		return c.mayEnd()
	}
	if err := rawjson.Valid([]byte(f.data)); err != nil {
		return err
	}
	o, err := objectOf(rawjson.Value(f.data))
	if err != nil {
		return err
	}
	if failure, ok := o["error"]; ok {
		return chatFailure(o, failure)
	}
	if err := c.envelope(o); err != nil {
		return err
	}
	choices := elements(o["choices"])
	switch {
	case o["choices"].Kind() != rawjson.Array:
		return errors.New("choices must be an array")
	case len(choices) > 1:
		return errors.New("more than one choice")
	case len(choices) == 0:
		return c.usageChunk(o["usage"])
	case o["usage"].Present():
		return errors.New("usage with values on a chunk that has a choice")
	case !c.wantsUsage && o["usage"] != nil:
		return errors.New("a usage key that the client did not ask for")
	}
	return c.choice(choices[0])
}

func chatFailure(o object, failure rawjson.Value) error {
	if err := o.only("an error", "error"); err != nil {
		return err
	}
	e, err := objectOf(failure)
	if err != nil {
		return fmt.Errorf("error: %w", err)
	}
	for _, key := range []string{"message", "type", "param", "code"} {
		if e[key] == nil {
			return fmt.Errorf("the error has no %s", key)
		}
	}
	message, err := e.str("message")
	if err != nil {
		return err
	}
	kind, err := e.str("type")
	if err != nil {
		return err
	}
	if message == "" || kind == "" {
		return errors.New("an error needs a message and a type")
	}
	return &StreamError{Type: kind, Code: e["code"].Str(), Message: message}
}

// envelope checks what every chunk has and that it stays the same.
func (c *chat) envelope(o object) error {
	if err := o.only("a chunk", "id", "object", "created", "model", "choices", "usage", "system_fingerprint", "service_tier", "obfuscation"); err != nil {
		return err
	}
	if kind := o["object"].Str(); kind != "chat.completion.chunk" {
		return fmt.Errorf("object is %q", kind)
	}
	if _, err := o.count("created"); err != nil {
		return err
	}
	id, err := o.str("id")
	if err != nil {
		return err
	}
	model, err := o.str("model")
	if err != nil {
		return err
	}
	if id == "" || model == "" {
		return errors.New("id and model must not be empty")
	}
	created := string(o["created"])
	if c.id != "" && (id != c.id || model != c.model || created != c.created) {
		return errors.New("id, model or created changed within the stream")
	}
	c.id, c.model, c.created = id, model, created
	return nil
}

func (c *chat) usageChunk(v rawjson.Value) error {
	switch {
	case !c.wantsUsage:
		return errors.New("a chunk without choices that the client did not ask for")
	case c.finish == "":
		return errors.New("the usage chunk comes before the finish reason")
	case c.usage:
		return errors.New("a second usage chunk")
	}
	c.usage = true
	u, err := objectOf(v)
	if err != nil {
		return fmt.Errorf("usage: %w", err)
	}
	var sum int64
	for _, key := range []string{"prompt_tokens", "completion_tokens"} {
		n, err := u.count(key)
		if err != nil {
			return err
		}
		sum += n
	}
	if total, err := u.count("total_tokens"); err != nil || total != sum {
		return fmt.Errorf("total_tokens is not the sum %d", sum)
	}
	return nil
}

func (c *chat) choice(v rawjson.Value) error {
	o, err := objectOf(v)
	if err != nil {
		return fmt.Errorf("choice: %w", err)
	}
	if err := o.only("a choice", "index", "delta", "logprobs", "finish_reason"); err != nil {
		return err
	}
	switch {
	case string(o["index"]) != "0":
		return errors.New("the index of a choice is not 0")
	case c.finish != "":
		return errors.New("a choice after the finish reason")
	case o["finish_reason"] == nil:
		return errors.New("finish_reason is missing; it must be null until the end")
	}
	d, err := objectOf(o["delta"])
	if err != nil {
		return fmt.Errorf("delta: %w", err)
	}
	if err := c.delta(d); err != nil {
		return err
	}
	if !o["finish_reason"].Present() {
		return nil
	}
	return c.finished(o["finish_reason"].Str())
}

func (c *chat) delta(d object) error {
	if err := d.only("a delta", "role", "content", "refusal", "reasoning_content", "reasoning_details", "tool_calls", "annotations"); err != nil {
		return err
	}
	if role, ok := d["role"]; ok {
		if c.role || role.Str() != "assistant" {
			return errors.New("the role must be assistant, once")
		}
		c.role = true
	}
	if !c.role {
		return errors.New("the first delta has no role")
	}
	for _, key := range []string{"content", "refusal", "reasoning_content"} {
		if d[key].Present() {
			if _, err := d.str(key); err != nil {
				return err
			}
		}
	}
	if d["tool_calls"] == nil {
		return nil
	}
	fragments := elements(d["tool_calls"])
	if len(fragments) == 0 {
		return errors.New("tool_calls is empty")
	}
	for _, f := range fragments {
		if err := c.fragment(f); err != nil {
			return err
		}
	}
	return nil
}

// fragment checks a piece of a tool call.
func (c *chat) fragment(v rawjson.Value) error {
	o, err := objectOf(v)
	if err != nil {
		return fmt.Errorf("tool call: %w", err)
	}
	if err := o.only("a tool call", "index", "id", "type", "function", "custom"); err != nil {
		return err
	}
	index, err := o.count("index")
	if err != nil {
		return err
	}
	if index > int64(len(c.calls)) {
		return fmt.Errorf("tool call %d begins before tool call %d", index, len(c.calls))
	}
	kind, content := "function", "arguments"
	if o["custom"] != nil {
		kind, content = "custom", "input"
	}
	body, err := objectOf(o[kind])
	if err != nil {
		return fmt.Errorf("%s: %w", kind, err)
	}
	if err := body.only(kind, "name", content); err != nil {
		return err
	}
	begins := index == int64(len(c.calls))
	for key, value := range map[string]rawjson.Value{"id": o["id"], "type": o["type"], "name": body["name"]} {
		if begins && value.Str() == "" {
			return fmt.Errorf("tool call %d begins without %s", index, key)
		}
		if !begins && value != nil {
			return fmt.Errorf("tool call %d repeats %s", index, key)
		}
	}
	args, err := body.str(content)
	if err != nil {
		return err
	}
	if begins {
		c.calls = append(c.calls, chatCall{kind: kind})
	}
	c.calls[index].args += args
	return nil
}

func (c *chat) finished(reason string) error {
	if !oneOf(reason, "stop", "length", "tool_calls", "content_filter") {
		return fmt.Errorf("finish_reason is %q", reason)
	}
	c.finish = reason
	switch {
	case reason == "tool_calls" && len(c.calls) == 0:
		return errors.New("finish_reason tool_calls without a tool call")
	case reason == "stop" && len(c.calls) > 0:
		return errors.New("finish_reason stop after a tool call")
	case reason == "length":
		return nil // the last call may be cut
	}
	for i, call := range c.calls {
		if call.kind == "function" && !isObject(call.args) {
			return fmt.Errorf("the arguments of tool call %d are not an object: %s", i, call.args)
		}
	}
	return nil
}

func (c *chat) mayEnd() error {
	switch {
	case c.finish == "":
		return errors.New("[DONE] before the finish reason")
	case c.wantsUsage && !c.usage:
		return errors.New("[DONE] before the usage chunk that the client asked for")
	}
	return nil
}

func (c *chat) end() error {
	if !c.done {
		return errors.New("the stream ends without [DONE] or an error")
	}
	return nil
}
