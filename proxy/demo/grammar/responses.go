package grammar

import (
	"errors"
	"fmt"
	"strings"

	"apex-ai-proxy/proxy/rawjson"
)

// Responses accepts the stream of a client of the Responses API. The error is a
// *Violation, or a *StreamError for a correct stream that reports one.
func Responses(stream []byte) error {
	r := &responses{}
	return run(stream, r.step, r.end)
}

type responses struct {
	seq    int64
	begun  int // created, in_progress
	ended  bool
	open   *openItem
	output []string // finished items as they were told
}

// openItem is the item between added and done.
type openItem struct {
	id, kind string
	content  int             // parts of a message so far
	text     strings.Builder // sum of the deltas of the open part
	whole    string          // told by a done event
	told     bool
}

func (r *responses) step(f frame) error {
	if r.ended {
		return errors.New("nothing may follow the end of the answer")
	}
	if err := rawjson.Valid([]byte(f.data)); err != nil {
		return err
	}
	o, err := objectOf(rawjson.Value(f.data))
	if err != nil {
		return err
	}
	kind, err := o.str("type")
	switch {
	case err != nil:
		return err
	case kind != f.name:
		return fmt.Errorf("the event is named %q but its type is %q", f.name, kind)
	}
	if seq, err := o.count("sequence_number"); err != nil || seq != r.seq {
		return fmt.Errorf("sequence_number must be %d", r.seq)
	}
	r.seq++
	switch kind {
	case "response.created":
		return r.begin(o, 0)
	case "response.in_progress":
		return r.begin(o, 1)
	case "response.completed", "response.incomplete", "response.failed":
		return r.final(o, strings.TrimPrefix(kind, "response."))
	}
	if r.begun != 2 {
		return errors.New("it comes before response.in_progress")
	}
	return r.inside(kind, o)
}

func (r *responses) begin(o object, want int) error {
	if r.begun != want {
		return errors.New("it is out of order")
	}
	r.begun++
	answer, err := objectOf(o["response"])
	if err != nil {
		return err
	}
	if answer["status"].Str() != "in_progress" {
		return errors.New("status must be in_progress")
	}
	return requireAnswer(answer)
}

// requireAnswer checks the members that typed clients demand of a response object.
func requireAnswer(answer object) error {
	for _, key := range []string{
		"id", "object", "created_at", "status", "error", "incomplete_details", "instructions", "metadata", "model", "output",
		"parallel_tool_calls", "temperature", "tool_choice", "tools", "top_p", "usage",
	} {
		if _, ok := answer[key]; !ok {
			return fmt.Errorf("the response object lacks %s", key)
		}
	}
	if !strings.HasPrefix(answer["id"].Str(), "resp_") {
		return errors.New("the response's id must begin with resp_")
	}
	return nil
}

// inside takes an event about an item.
func (r *responses) inside(kind string, o object) error {
	if index, err := o.count("output_index"); err != nil || int(index) != len(r.output) {
		return fmt.Errorf("output_index must be %d", len(r.output))
	}
	switch kind {
	case "response.output_item.added":
		return r.added(o)
	case "response.output_item.done":
		return r.itemDone(o)
	}
	if r.open == nil {
		return errors.New("no item is open")
	}
	if id, err := o.str("item_id"); err != nil || id != r.open.id {
		return fmt.Errorf("item_id must be %s", r.open.id)
	}
	return r.content(kind, o)
}

// prefixes are how the ids of items begin.
var prefixes = map[string]string{
	"message": "msg_", "reasoning": "rs_", "function_call": "fc_", "custom_tool_call": "ctc_", "local_shell_call": "lsh_",
	"shell_call": "sh_", "apply_patch_call": "apc_", "tool_search_call": "tsc_",
	"web_search_call": "ws_",
}

func (r *responses) added(o object) error {
	if r.open != nil {
		return errors.New("another item is open")
	}
	item, err := objectOf(o["item"])
	if err != nil {
		return err
	}
	it := &openItem{id: item["id"].Str(), kind: item["type"].Str()}
	if p, ok := prefixes[it.kind]; !ok || !strings.HasPrefix(it.id, p) {
		return fmt.Errorf("an item of type %q cannot have the id %q", it.kind, it.id)
	}
	r.open = it
	return nil
}

// content takes an event about the inside of the open item.
func (r *responses) content(kind string, o object) error {
	belongs := map[string]string{
		"response.content_part.added": "message", "response.content_part.done": "message",
		"response.output_text.delta": "message", "response.output_text.done": "message",
		"response.output_text.annotation.added": "message",
		"response.web_search_call.in_progress":  "web_search_call", "response.web_search_call.searching": "web_search_call",
		"response.web_search_call.completed": "web_search_call",
		"response.refusal.delta":             "message", "response.refusal.done": "message",
		"response.reasoning_summary_part.added": "reasoning", "response.reasoning_summary_part.done": "reasoning",
		"response.reasoning_summary_text.delta": "reasoning", "response.reasoning_summary_text.done": "reasoning",
		"response.function_call_arguments.delta": "function_call", "response.function_call_arguments.done": "function_call",
		"response.custom_tool_call_input.delta": "custom_tool_call", "response.custom_tool_call_input.done": "custom_tool_call",
	}
	switch of, known := belongs[kind]; {
	case !known:
		return fmt.Errorf("the event %q is not known", kind)
	case of != r.open.kind:
		return fmt.Errorf("it does not belong to an item of type %s", r.open.kind)
	}
	if r.open.kind == "message" {
		if err := r.contentIndex(kind, o); err != nil {
			return err
		}
	}
	if strings.HasSuffix(kind, ".delta") {
		text, err := o.str("delta")
		r.open.text.WriteString(text)
		return err
	}
	for _, key := range []string{"text", "refusal", "arguments", "input"} {
		if v := o[key]; v.Present() {
			r.open.whole, r.open.told = v.Str(), true
		}
	}
	if kind == "response.function_call_arguments.done" {
		if _, err := o.str("name"); err != nil {
			return err
		}
	}
	if r.open.told && r.open.whole != r.open.text.String() {
		return fmt.Errorf("the whole %q is not the sum of its deltas %q", r.open.whole, r.open.text.String())
	}
	return nil
}

// contentIndex checks that an event is about the last part of the open message.
func (r *responses) contentIndex(kind string, o object) error {
	it := r.open
	if kind == "response.content_part.added" {
		it.content++
		it.text.Reset()
		it.whole, it.told = "", false
	}
	if n, err := o.count("content_index"); err != nil || int(n) != it.content-1 {
		return fmt.Errorf("content_index must be %d", it.content-1)
	}
	return nil
}

func (r *responses) itemDone(o object) error {
	if r.open == nil {
		return errors.New("no item is open")
	}
	item, err := objectOf(o["item"])
	if err != nil {
		return err
	}
	if item["id"].Str() != r.open.id || item["type"].Str() != r.open.kind {
		return errors.New("it is not the item that was added")
	}
	if n := len(elements(item["content"])); r.open.kind == "message" && n != r.open.content {
		return fmt.Errorf("the message has %d parts, %d were streamed", n, r.open.content)
	}
	if item["status"].Str() == "in_progress" {
		return errors.New("a finished item cannot be in progress")
	}
	if item["type"].Str() == "function_call" && item["status"].Str() == "completed" && rawjson.Valid([]byte(item["arguments"].Str())) != nil {
		return errors.New("a completed call must have whole arguments")
	}
	r.output = append(r.output, string(o["item"]))
	r.open = nil
	return nil
}

// final takes the last event, which repeats the whole answer.
func (r *responses) final(o object, status string) error {
	if r.begun != 2 && (status != "failed" || r.begun > 0) {
		return errors.New("it comes before response.in_progress")
	}
	answer, err := objectOf(o["response"])
	if err != nil {
		return err
	}
	if err := requireAnswer(answer); err != nil {
		return err
	}
	if got := answer["status"].Str(); got != status {
		return fmt.Errorf("status must be %s, not %s", status, got)
	}
	r.ended = true
	output := elements(answer["output"])
	if status == "failed" {
		failure, err := objectOf(answer["error"])
		if err != nil {
			return err
		}
		r.open = nil
		return &StreamError{Type: "failed", Code: failure["code"].Str(), Message: failure["message"].Str()}
	}
	if r.open != nil {
		return errors.New("an item is still open")
	}
	if len(output) != len(r.output) {
		return fmt.Errorf("the answer holds %d items, %d were streamed", len(output), len(r.output))
	}
	for i := range output {
		if string(output[i]) != r.output[i] {
			return fmt.Errorf("item %d of the answer is not what was streamed: %s", i, output[i])
		}
	}
	return requireUsage(answer["usage"])
}

func requireUsage(v rawjson.Value) error {
	usage, err := objectOf(v)
	if err != nil {
		return err
	}
	for _, key := range []string{"input_tokens", "output_tokens", "total_tokens"} {
		if _, err := usage.count(key); err != nil {
			return err
		}
	}
	for key, inner := range map[string]string{"input_tokens_details": "cached_tokens", "output_tokens_details": "reasoning_tokens"} {
		details, err := objectOf(usage[key])
		if err != nil {
			return err
		}
		if _, err := details.count(inner); err != nil {
			return err
		}
	}
	return nil
}

func (r *responses) end() error {
	if !r.ended {
		return errors.New("the stream ends without response.completed, incomplete or failed")
	}
	return nil
}
