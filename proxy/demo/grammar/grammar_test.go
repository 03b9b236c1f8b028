package grammar

import (
	"errors"
	"strings"
	"testing"
)

// chatStream builds a chat stream out of the insides of chunks.
func chatStream(chunks ...string) []byte {
	var b strings.Builder
	for _, c := range chunks {
		if strings.HasPrefix(c, "choices") {
			c = `{"id":"chatcmpl-1","object":"chat.completion.chunk","created":5,"model":"m",` + `"` + strings.Replace(c, "choices", `choices"`, 1) + `}`
		}
		b.WriteString("data: " + c + "\n\n")
	}
	return []byte(b.String())
}

func delta(inside, finish string) string {
	return `choices:[{"index":0,"delta":{` + inside + `},"finish_reason":` + finish + `}]`
}

const (
	chatUsage = `choices:[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}`
	chatError = `{"error":{"message":"m","type":"server_error","param":null,"code":null}}`
)

var (
	role    = delta(`"role":"assistant","content":""`, "null")
	hello   = delta(`"content":"hello"`, "null")
	stopped = delta("", `"stop"`)
	call0   = delta(`"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]`, "null")
	args0   = delta(`"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]`, "null")
	call1   = delta(`"tool_calls":[{"index":1,"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}]`, "null")
	called  = delta("", `"tool_calls"`)
)

func TestChatAccepts(t *testing.T) {
	for name, c := range map[string]struct {
		usage  bool
		stream []byte
	}{
		"text":            {false, chatStream(role, hello, stopped, "[DONE]")},
		"usage":           {true, chatStream(role, hello, stopped, chatUsage, "[DONE]")},
		"null usage":      {true, chatStream(role, strings.Replace(hello, "}]", `}],"usage":null`, 1), stopped, chatUsage, "[DONE]")},
		"tools":           {false, chatStream(role, call0, args0, call1, called, "[DONE]")},
		"interleaved":     {false, chatStream(role, call0, call1, args0, called, "[DONE]")},
		"cut arguments":   {false, chatStream(role, call0, delta("", `"length"`), "[DONE]")},
		"reasoning":       {false, chatStream(role, delta(`"reasoning_content":"hm"`, "null"), hello, stopped, "[DONE]")},
		"comments":        {false, append([]byte(": keep-alive\n\n"), chatStream(role, stopped, "[DONE]")...)},
		"last with text":  {false, chatStream(role, delta(`"content":"x"`, `"stop"`), "[DONE]")},
		"content refused": {false, chatStream(role, delta(`"refusal":"no"`, "null"), delta("", `"content_filter"`), "[DONE]")},
	} {
		if err := Chat(c.stream, c.usage); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestChatRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		usage  bool
		stream []byte
		event  int
		why    string
	}{
		"nothing":            {false, nil, 1, "without [DONE]"},
		"no end":             {false, chatStream(role, hello, stopped), 4, "without [DONE]"},
		"unfinished":         {false, chatStream(role, hello, "[DONE]"), 3, "before the finish"},
		"after done":         {false, chatStream(role, stopped, "[DONE]", hello), 4, "follow [DONE]"},
		"open last event":    {false, []byte("data: [DONE]"), 1, "empty line"},
		"event name":         {false, []byte("event: x\ndata: {}\n\n"), 1, "event names"},
		"not json":           {false, chatStream("{"), 1, "invalid JSON"},
		"not an object":      {false, chatStream("[]"), 1, "expected an object"},
		"unknown key":        {false, chatStream(role, strings.Replace(hello, "}]", `}],"extra":1`, 1)), 2, "unknown key"},
		"object":             {false, chatStream(`{"id":"a","object":"x","created":1,"model":"m","choices":[]}`), 1, "object is"},
		"created":            {false, chatStream(`{"id":"a","object":"chat.completion.chunk","created":"1","model":"m","choices":[]}`), 1, "created must"},
		"id":                 {false, chatStream(`{"id":"","object":"chat.completion.chunk","created":1,"model":"m","choices":[]}`), 1, "not be empty"},
		"id changes":         {false, chatStream(role, `{"id":"x","object":"chat.completion.chunk","created":5,"model":"m","choices":[]}`), 2, "changed"},
		"two choices":        {false, chatStream(`choices:[{},{}]`), 1, "more than one"},
		"choices missing":    {false, chatStream(`choices:null`), 1, "must be an array"},
		"choice index":       {false, chatStream(`choices:[{"index":1,"delta":{},"finish_reason":null}]`), 1, "not 0"},
		"finish missing":     {false, chatStream(`choices:[{"index":0,"delta":{}}]`), 1, "finish_reason is missing"},
		"finish word":        {false, chatStream(role, delta("", `"end_turn"`)), 2, "finish_reason is"},
		"finish empty":       {false, chatStream(delta(`"role":"assistant"`, `""`)), 1, "finish_reason is"},
		"choice key":         {false, chatStream(`choices:[{"index":0,"delta":{},"finish_reason":null,"text":""}]`), 1, "unknown key"},
		"delta key":          {false, chatStream(delta(`"role":"assistant","thinking":""`, "null")), 1, "unknown key"},
		"no role":            {false, chatStream(hello), 1, "no role"},
		"role twice":         {false, chatStream(role, role), 2, "once"},
		"text after finish":  {false, chatStream(role, stopped, hello), 3, "after the finish"},
		"content kind":       {false, chatStream(role, delta(`"content":[]`, "null")), 2, "must be a string"},
		"half a character":   {false, chatStream(role, delta(`"content":"\ud83d"`, "null")), 2, "half a character"},
		"usage not asked":    {false, chatStream(role, stopped, chatUsage), 3, "did not ask"},
		"usage key":          {false, chatStream(role, strings.Replace(hello, "}]", `}],"usage":null`, 1)), 2, "did not ask"},
		"usage missing":      {true, chatStream(role, stopped, "[DONE]"), 3, "before the usage"},
		"usage early":        {true, chatStream(role, chatUsage), 2, "before the finish"},
		"usage twice":        {true, chatStream(role, stopped, chatUsage, chatUsage), 4, "second usage"},
		"usage on content":   {true, chatStream(role, strings.Replace(hello, "}]", `}],"usage":{"prompt_tokens":1}`, 1)), 2, "has a choice"},
		"usage sum":          {true, chatStream(role, stopped, strings.Replace(chatUsage, ":3", ":4", 1)), 3, "sum"},
		"empty calls":        {false, chatStream(role, delta(`"tool_calls":[]`, "null")), 2, "is empty"},
		"call gap":           {false, chatStream(role, call1), 2, "begins before"},
		"call without id":    {false, chatStream(role, args0), 2, "begins without"},
		"call repeats":       {false, chatStream(role, call0, call0), 3, "repeats"},
		"call key":           {false, chatStream(role, delta(`"tool_calls":[{"index":0,"extra":1}]`, "null")), 2, "unknown key"},
		"arguments kind":     {false, chatStream(role, delta(`"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":{}}}]`, "null")), 2, "must be a string"},
		"arguments broken":   {false, chatStream(role, call0, called), 3, "not an object"},
		"calls but stop":     {false, chatStream(role, call0, args0, stopped), 4, "stop after"},
		"tool_calls without": {false, chatStream(role, called), 2, "without a tool call"},
		"error key null":     {false, chatStream(role, `{"error":null}`), 2, "expected an object"},
		"error incomplete":   {false, chatStream(role, `{"error":{"message":"m","type":"t"}}`), 2, "has no"},
		"after error":        {false, chatStream(role, chatError, "[DONE]"), 3, "follow an error"},
	} {
		expect(t, name, Chat(c.stream, c.usage), c.event, c.why)
	}
}

func expect(t *testing.T, name string, err error, event int, why string) {
	t.Helper()
	var v *Violation
	if !errors.As(err, &v) {
		t.Errorf("%s: accepted or wrong error: %v", name, err)
		return
	}
	if v.Event != event || !strings.Contains(v.Why, why) {
		t.Errorf("%s: got %v, want event %d, %q", name, v, event, why)
	}
}

func TestErrorsInStreams(t *testing.T) {
	var failed *StreamError
	if err := Chat(chatStream(role, hello, chatError), true); !errors.As(err, &failed) || failed.Type != "server_error" {
		t.Errorf("chat: %v", err)
	}
	if err := Messages(messagesStream(start, text0, errorEvent)); !errors.As(err, &failed) || failed.Type != "overloaded_error" {
		t.Errorf("messages: %v", err)
	}
}

func messagesStream(events ...string) []byte {
	var b strings.Builder
	for _, e := range events {
		name, rest, _ := strings.Cut(e, " ")
		if rest != "" {
			rest = "," + rest
		}
		b.WriteString("event: " + name + "\ndata: {\"type\":\"" + name + "\"" + rest + "}\n\n")
	}
	return []byte(b.String())
}

const (
	start      = `message_start "message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":0}}`
	text0      = `content_block_start "index":0,"content_block":{"type":"text","text":""}`
	hello0     = `content_block_delta "index":0,"delta":{"type":"text_delta","text":"hello"}`
	stop0      = `content_block_stop "index":0`
	think0     = `content_block_start "index":0,"content_block":{"type":"thinking","thinking":"","signature":""}`
	hm0        = `content_block_delta "index":0,"delta":{"type":"thinking_delta","thinking":"hm"}`
	sign0      = `content_block_delta "index":0,"delta":{"type":"signature_delta","signature":"s"}`
	tool0      = `content_block_start "index":0,"content_block":{"type":"tool_use","id":"a","name":"f","input":{}}`
	input0     = `content_block_delta "index":0,"delta":{"type":"input_json_delta","partial_json":"{\"a\""}`
	inputEnd0  = `content_block_delta "index":0,"delta":{"type":"input_json_delta","partial_json":":1}"}`
	ended      = `message_delta "delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":2}`
	toolEnded  = `message_delta "delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":2}`
	cutEnded   = `message_delta "delta":{"stop_reason":"max_tokens","stop_sequence":null},"usage":{"output_tokens":2}`
	final      = "message_stop"
	errorEvent = `error "error":{"type":"overloaded_error","message":"m"},"request_id":"req_1"`
)

func at(index, event string) string {
	return strings.Replace(event, `"index":0`, `"index":`+index, 1)
}

func TestMessagesAccepts(t *testing.T) {
	for name, events := range map[string][]string{
		"text":      {start, text0, "ping", hello0, stop0, ended, final},
		"empty":     {start, ended, final},
		"thinking":  {"ping", start, think0, hm0, sign0, stop0, at("1", text0), at("1", hello0), at("1", stop0), ended, final},
		"omitted":   {start, think0, sign0, stop0, ended, final},
		"tool":      {start, tool0, input0, inputEnd0, stop0, toolEnded, final},
		"no input":  {start, tool0, stop0, toolEnded, final},
		"cut input": {start, tool0, input0, stop0, cutEnded, final},
		"redacted":  {start, `content_block_start "index":0,"content_block":{"type":"redacted_thinking","data":"x"}`, stop0, ended, final},
	} {
		if err := Messages(messagesStream(events...)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMessagesRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		events []string
		event  int
		why    string
	}{
		"nothing":           {nil, 1, "without message_stop"},
		"no stop":           {[]string{start, ended}, 3, "without message_stop"},
		"no delta":          {[]string{start, final}, 2, "before message_delta"},
		"after stop":        {[]string{start, ended, final, "ping"}, 4, "follow message_stop"},
		"after delta":       {[]string{start, ended, text0}, 3, "only message_stop"},
		"two deltas":        {[]string{start, ended, ended}, 3, "only message_stop"},
		"before start":      {[]string{text0}, 1, "before message_start"},
		"two starts":        {[]string{start, start}, 2, "second message_start"},
		"start id":          {[]string{strings.Replace(start, "msg_1", "", 1)}, 1, "needs id"},
		"start role":        {[]string{strings.Replace(start, "assistant", "user", 1)}, 1, "role"},
		"start stop_reason": {[]string{strings.Replace(start, `"stop_reason":null,`, "", 1)}, 1, "stop_reason"},
		"start content":     {[]string{strings.Replace(start, "[]", "[1]", 1)}, 1, "empty content"},
		"start usage":       {[]string{strings.Replace(start, `"input_tokens":1,`, "", 1)}, 1, "input_tokens"},
		"unknown event":     {[]string{start, "message_pause"}, 2, "unknown event"},
		"index gap":         {[]string{start, at("1", text0)}, 2, "is due"},
		"index repeats":     {[]string{start, text0, stop0, text0}, 4, "is due"},
		"two open":          {[]string{start, text0, at("1", text0)}, 3, "is open"},
		"delta not open":    {[]string{start, hello0}, 2, "not open"},
		"delta elsewhere":   {[]string{start, text0, at("1", hello0)}, 3, "is about block 1"},
		"delta kind":        {[]string{start, text0, hm0}, 3, "in a text block"},
		"stop twice":        {[]string{start, text0, stop0, stop0}, 4, "not open"},
		"still open":        {[]string{start, text0, ended}, 3, "still open"},
		"text not empty":    {[]string{start, strings.Replace(text0, `"text":""`, `"text":"x"`, 1)}, 2, "empty text"},
		"no signature key":  {[]string{start, strings.Replace(think0, `,"signature":""`, "", 1)}, 2, "empty signature"},
		"unsigned":          {[]string{start, think0, hm0, stop0}, 4, "without a signature"},
		"after signature":   {[]string{start, think0, sign0, hm0}, 4, "follow the signature"},
		"tool id":           {[]string{start, strings.Replace(tool0, `"id":"a",`, "", 1)}, 2, "needs id"},
		"tool input":        {[]string{start, strings.Replace(tool0, `,"input":{}`, "", 1)}, 2, "input {}"},
		"broken input":      {[]string{start, tool0, input0, stop0, toolEnded}, 5, "not an object"},
		"redacted empty":    {[]string{start, `content_block_start "index":0,"content_block":{"type":"redacted_thinking","data":""}`}, 2, "whole"},
		"block kind":        {[]string{start, `content_block_start "index":0,"content_block":{"type":"audio"}`}, 2, "unknown block"},
		"half a character":  {[]string{start, text0, strings.Replace(hello0, "hello", `\ud83d`, 1)}, 3, "half a character"},
		"stop_reason null":  {[]string{start, strings.Replace(ended, `"end_turn"`, "null", 1)}, 2, "stop_reason is"},
		"stop_sequence":     {[]string{start, strings.Replace(ended, `,"stop_sequence":null`, "", 1)}, 2, "stop_sequence is missing"},
		"usage":             {[]string{start, strings.Replace(ended, `"output_tokens":2`, "", 1)}, 2, "output_tokens"},
		"delta key":         {[]string{start, ended + `,"extra":1`}, 2, "unknown key"},
		"tools but end":     {[]string{start, tool0, stop0, ended}, 4, "end_turn after"},
		"tool_use without":  {[]string{start, toolEnded}, 2, "without a tool_use"},
		"error type":        {[]string{start, strings.Replace(errorEvent, "overloaded_error", "stream_error", 1)}, 2, "unknown error type"},
		"error flat":        {[]string{start, `error "message":"m"`}, 2, "unknown key"},
		"after error":       {[]string{start, errorEvent, final}, 3, "follow an error"},
	} {
		expect(t, name, Messages(messagesStream(c.events...)), c.event, c.why)
	}
	expect(t, "no name", Messages([]byte("data: {\"type\":\"ping\"}\n\n")), 1, "no name")
	expect(t, "other name", Messages([]byte("event: pong\ndata: {\"type\":\"ping\"}\n\n")), 1, "named")
	expect(t, "not json", Messages([]byte("event: ping\ndata: {\n\n")), 1, "invalid JSON")
}
