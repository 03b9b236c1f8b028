package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// answer is what is looked at in an answer, or in an event of one, of any protocol.
type answer struct {
	Type    string
	Choices []struct {
		Message, Delta struct {
			Content string
			Calls   []struct{ Function struct{ Arguments string } } `json:"tool_calls"`
		}
	}
	Content []part
	Output  []struct {
		Type, Arguments string
		Content         []part
	}
	Delta json.RawMessage // a string in Responses, an object in Messages
}

type part struct {
	Type, Text string
	Input      json.RawMessage
}

// read is what an answer says, and the arguments of the call that it makes.
func read(protocol string, stream bool, body []byte) (said, args string, err error) {
	var text, input strings.Builder
	take := func(data []byte) error {
		var a answer
		if err := json.Unmarshal(data, &a); err != nil {
			return fmt.Errorf("%w in %.300s", err, data)
		}
		a.read(&text, &input, stream && protocol != "/v1/chat/completions")
		return nil
	}
	if !stream {
		err = take(body)
		return text.String(), input.String(), err
	}
	for line := range bytes.Lines(body) {
		data, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte("data: "))
		if !ok || string(data) == "[DONE]" {
			continue
		}
		if err := take(data); err != nil {
			return "", "", err
		}
	}
	return text.String(), input.String(), nil
}

// read adds what a says. Of an event only the delta counts: others repeat it.
func (a *answer) read(text, input *strings.Builder, event bool) {
	if event {
		a.readEvent(text, input)
		return
	}
	for _, c := range a.Choices {
		text.WriteString(c.Message.Content + c.Delta.Content)
		for _, call := range append(c.Message.Calls, c.Delta.Calls...) {
			input.WriteString(call.Function.Arguments)
		}
	}
	for _, p := range a.Content {
		text.WriteString(p.Text)
		input.Write(p.Input)
	}
	for _, o := range a.Output {
		input.WriteString(o.Arguments)
		for _, p := range o.Content {
			text.WriteString(p.Text)
		}
	}
}

func (a *answer) readEvent(text, input *strings.Builder) {
	switch a.Type {
	case "response.output_text.delta", "response.function_call_arguments.delta":
		var s string
		_ = json.Unmarshal(a.Delta, &s) // "" is noticed by who compares
		if a.Type == "response.output_text.delta" {
			text.WriteString(s)
		} else {
			input.WriteString(s)
		}
	case "content_block_delta":
		var d struct {
			Text    string
			Partial string `json:"partial_json"`
		}
		_ = json.Unmarshal(a.Delta, &d)
		text.WriteString(d.Text)
		input.WriteString(d.Partial)
	}
}
