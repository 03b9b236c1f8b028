package demo

import (
	"net/http"
	"strings"
	"time"
)

// answer is what a behaviour says, before it is written in a protocol.
type answer struct {
	thoughts string
	text     string
	calls    []invocation
	stop     stop
	sequence string        // the stop sequence that ended the text
	pause    time.Duration // before every word
	refusal  *Refusal      // instead of everything, or after the text when late
	late     bool
	cut      bool // the connection breaks after the text
}

type invocation struct {
	tool tool
	args string // JSON, or the text for a custom tool
}

type stop uint8

const (
	stopEnd stop = iota
	stopLength
	stopCalls
	stopSequence
)

// answerFor makes the answer of a behaviour.
func answerFor(behaviour string, req *request) *answer {
	a := &answer{}
	switch behaviour {
	case "tools":
		a.tools(req)
	case "long":
		a.text = longText
	case "reasoning":
		a.text = said(req)
		if req.thinks != thinkingOff {
			a.thoughts = "The user wrote " + quantity(len(strings.Fields(req.text)), "word") + ". I repeat what was said."
		}
	case "error", "error-429", "error-500", "error-529":
		a.refusal = refusalFor(behaviour)
		return a
	case "error-midstream":
		a.text, a.late, a.refusal = "This answer fails half", true, refusalFor("error-500")
		return a
	case "error-cut":
		a.text, a.cut = "This answer breaks off half", true
		return a
	case "slow":
		a.text, a.pause = said(req), slowPause
	default:
		a.obey(req)
	}
	a.limit(req)
	return a
}

// obey says what was said, unless the request demands a call or an answer of some form.
func (a *answer) obey(req *request) {
	switch {
	case (req.choice == "any" || req.choice == "tool") && len(req.results) == 0:
		a.tools(req)
	case req.format != nil:
		a.text = string(appendValue(nil, &node{v: req.format}, "answer", "", 0))
	default:
		a.text = said(req)
	}
}

// said is the user's last text, and what else was in the last turn.
func said(req *request) string {
	var parts []string
	if len(req.results) > 0 {
		parts = append(parts, quoted(req.results))
	}
	if strings.TrimSpace(req.text) != "" {
		parts = append(parts, req.text)
	}
	for _, kind := range []string{"image", "document", "audio"} {
		var what []string
		for _, m := range req.media {
			if m.kind == kind {
				what = append(what, m.what)
			}
		}
		if len(what) > 0 {
			parts = append(parts, "I see "+quantity(len(what), kind)+" ("+strings.Join(what, "; ")+").")
		}
	}
	if len(parts) == 0 {
		return "I heard nothing."
	}
	return strings.Join(parts, "\n\n")
}

// quoted repeats what the tools answered.
func quoted(results []result) string {
	lines := make([]string, len(results))
	for i, r := range results {
		name, verb := r.name, " answered: "
		if name == "" {
			name = "The tool"
		}
		if r.failed {
			verb = " failed: "
		}
		lines[i] = name + verb + r.text
	}
	return strings.Join(lines, "\n")
}

func (a *answer) tools(req *request) {
	switch {
	case len(req.results) > 0:
		a.text = quoted(req.results)
		return
	case len(req.tools) == 0:
		a.text = "No tool was declared."
		return
	case req.choice == "none":
		a.text = "No tool may be called."
		return
	}
	if req.thinks == thinkingOn {
		a.thoughts = "A tool will know."
	}
	called := req.tools[:1]
	for i, t := range req.tools {
		if t.name == req.named {
			called = req.tools[i : i+1]
		}
	}
	if req.parallel && req.named == "" && strings.Contains(strings.ToLower(req.text), "parallel") {
		called = append([]tool{req.tools[0]}, req.tools[min(1, len(req.tools)-1)])
	}
	for i, t := range called {
		a.calls = append(a.calls, invocation{tool: t, args: invent(t, i)})
	}
	a.stop = stopCalls
}

// limit applies max_tokens and stop sequences: a token is a word.
func (a *answer) limit(req *request) {
	at := -1
	for _, s := range req.stopSequences {
		if i := strings.Index(a.text, s); s != "" && i >= 0 && (at < 0 || i < at) {
			at, a.sequence = i, s
		}
	}
	if at >= 0 {
		a.text, a.stop = a.text[:at], stopSequence
	}
	if words := wordsOf(a.text); req.maxTokens > 0 && int64(len(words)) > req.maxTokens {
		a.text = strings.Join(words[:req.maxTokens], "")
		a.stop, a.sequence = stopLength, ""
	}
}

func refusalFor(behaviour string) *Refusal {
	switch behaviour {
	case "error-429":
		return &Refusal{
			Status: http.StatusTooManyRequests, Type: "rate_limit_error", Code: "rate_limit_exceeded",
			Message: "Rate limit reached for the demo. Please try again in 1s.", RetryAfter: "1",
		}
	case "error-500":
		return &Refusal{Status: http.StatusInternalServerError, Type: "api_error", Message: "The demo failed, as it was asked to."}
	case "error-529":
		return &Refusal{Status: 529, Type: "overloaded_error", Message: "The demo is overloaded, as it was asked to be."}
	default:
		return badRequest("messages", "invalid_value", "The demo refuses this request, as it was asked to.")
	}
}

// wordsOf cuts text behind every run of white space.
func wordsOf(text string) []string {
	var words []string
	start := 0
	for i := 1; i < len(text); i++ {
		if isSpace(text[i-1]) && !isSpace(text[i]) {
			words = append(words, text[start:i])
			start = i
		}
	}
	if start < len(text) {
		words = append(words, text[start:])
	}
	return words
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

func quantity(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return itoa(n) + " " + what + "s"
}
