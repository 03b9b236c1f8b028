package grammar

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// answerObject is a response object with the given status, output and usage.
func answerObject(status, output, usage string) string {
	return fmt.Sprintf(`{"id":"resp_1","object":"response","created_at":1,"status":%q,"error":null,"incomplete_details":null,"instructions":null,`+
		`"metadata":{},"model":"m","output":[%s],"parallel_tool_calls":true,"temperature":1,"tool_choice":"auto","tools":[],"top_p":1,"usage":%s}`, status, output, usage)
}

const (
	wholeUsage = `{"input_tokens":1,"input_tokens_details":{"cached_tokens":0},"output_tokens":1,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":2}`
	textItem   = `{"id":"msg_1","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":"hi"}]}`
)

// responsesStream numbers and joins events given as name and members.
func responsesStream(events ...[2]string) []byte {
	var b strings.Builder
	for i, e := range events {
		fmt.Fprintf(&b, "event: %s\ndata: {\"type\":%q,\"sequence_number\":%d,%s}\n\n", e[0], e[0], i, e[1])
	}
	return []byte(b.String())
}

func goodResponses() [][2]string {
	at := `"item_id":"msg_1","output_index":0,"content_index":0,`
	return [][2]string{
		{"response.created", `"response":` + answerObject("in_progress", "", "null")},
		{"response.in_progress", `"response":` + answerObject("in_progress", "", "null")},
		{"response.output_item.added", `"output_index":0,"item":{"id":"msg_1","type":"message"}`},
		{"response.content_part.added", at + `"part":{}`},
		{"response.output_text.delta", at + `"delta":"hi"`},
		{"response.output_text.done", at + `"text":"hi"`},
		{"response.content_part.done", at + `"part":{}`},
		{"response.output_item.done", `"output_index":0,"item":` + textItem},
		{"response.completed", `"response":` + answerObject("completed", textItem, wholeUsage)},
	}
}

func TestResponses(t *testing.T) {
	if err := Responses(responsesStream(goodResponses()...)); err != nil {
		t.Fatalf("a correct stream is refused: %v", err)
	}
	var told *StreamError
	failed := strings.Replace(answerObject("failed", "", "null"), `"error":null`, `"error":{"code":"server_error","message":"x"}`, 1)
	if err := Responses(responsesStream([2]string{"response.failed", `"response":` + failed})); !errors.As(err, &told) || told.Code != "server_error" {
		t.Errorf("a failed answer is told as %v", err)
	}
}

func TestResponsesRefuses(t *testing.T) {
	for name, spoil := range map[string]func(e [][2]string) [][2]string{
		"no end":              func(e [][2]string) [][2]string { return e[:8] },
		"no beginning":        func(e [][2]string) [][2]string { return e[1:] },
		"no in_progress":      func(e [][2]string) [][2]string { return append(e[:1:1], e[2:]...) },
		"two ends":            func(e [][2]string) [][2]string { return append(e, e[8]) },
		"delta without item":  func(e [][2]string) [][2]string { return append(e[:2:2], e[4:]...) },
		"item never done":     func(e [][2]string) [][2]string { return append(e[:7:7], e[8]) },
		"sum of deltas":       func(e [][2]string) [][2]string { e[4][1] = strings.Replace(e[4][1], `"hi"`, `"ho"`, 1); return e },
		"wrong item":          func(e [][2]string) [][2]string { e[4][1] = strings.Replace(e[4][1], `msg_1`, `msg_2`, 1); return e },
		"wrong index":         func(e [][2]string) [][2]string { e[2][1] = strings.Replace(e[2][1], `:0`, `:1`, 1); return e },
		"wrong prefix":        func(e [][2]string) [][2]string { e[2][1] = strings.Replace(e[2][1], `msg_1`, `fc_1`, 1); return e },
		"unknown event":       func(e [][2]string) [][2]string { e[3][0] = "response.surprise"; return e },
		"event of other item": func(e [][2]string) [][2]string { e[4][0] = "response.function_call_arguments.delta"; return e },
		"item still open": func(e [][2]string) [][2]string {
			e[7][1] = strings.Replace(e[7][1], "completed", "in_progress", 1)
			return e
		},
		"output differs": func(e [][2]string) [][2]string {
			e[8][1] = strings.Replace(e[8][1], `"text":"hi"`, `"text":"x"`, 1)
			return e
		},
		"output missing": func(e [][2]string) [][2]string { e[8][1] = strings.Replace(e[8][1], textItem, "", 1); return e },
		"usage missing":  func(e [][2]string) [][2]string { e[8][1] = strings.Replace(e[8][1], wholeUsage, "null", 1); return e },
		"usage details": func(e [][2]string) [][2]string {
			e[8][1] = strings.Replace(e[8][1], `"cached_tokens":0`, "", 1)
			return e
		},
		"status": func(e [][2]string) [][2]string {
			e[8][1] = strings.Replace(e[8][1], `"completed"`, `"incomplete"`, 1)
			return e
		},
		"required member":   func(e [][2]string) [][2]string { e[0][1] = strings.Replace(e[0][1], `"tools":[],`, "", 1); return e },
		"id without prefix": func(e [][2]string) [][2]string { e[0][1] = strings.Replace(e[0][1], `resp_1`, "1", 1); return e },
		"created is completed": func(e [][2]string) [][2]string {
			e[0][1] = strings.Replace(e[0][1], `in_progress`, "completed", 1)
			return e
		},
	} {
		var wrong *Violation
		if err := Responses(responsesStream(spoil(goodResponses())...)); !errors.As(err, &wrong) {
			t.Errorf("%s: accepted with %v", name, err)
		}
	}
	numbered := strings.Replace(string(responsesStream(goodResponses()...)), `"sequence_number":3`, `"sequence_number":4`, 1)
	named := strings.Replace(string(responsesStream(goodResponses()...)), "event: response.created", "event: created", 1)
	for _, s := range []string{numbered, named, string(responsesStream(goodResponses()...)) + "data: [DONE]\n\n"} {
		var wrong *Violation
		if err := Responses([]byte(s)); !errors.As(err, &wrong) {
			t.Errorf("accepted with %v", err)
		}
	}
}
