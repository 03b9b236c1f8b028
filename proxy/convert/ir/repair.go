package ir

import (
	"slices"
	"strconv"

	"apex-ai-proxy/proxy/rawjson"
)

// missingResult is what a model reads where the client's history has no result.
const missingResult = "No result was recorded for this tool call."

// Repair orders a conversation so that every protocol accepts it: each tool call is
// answered exactly once, in the turn right behind it, with the results first and in the
// order of the calls; call ids are unique. Content is moved or labelled, never lost.
// A conversation that ends with unanswered calls is refused, unless it comes from a client
// of the Responses API: Codex goes on from a session that was cut off there, so the
// unfinished turn is left out as a whole. The request is not changed.
func Repair(req *Request) ([]Turn, Losses, error) {
	turns := req.Turns
	r := repairer{
		turns:  turns,
		out:    make([]Turn, 0, len(turns)+2),
		used:   make(map[string]bool),
		placed: make(map[string]place),
	}
	for i := 0; i < len(turns); {
		t := turns[i]
		if t.Role != RoleAssistant {
			r.loose(&t)
			i++
			continue
		}
		end := i + 1
		if hasCalls(&t) {
			for end < len(turns) && turns[end].Role == RoleAssistant {
				t.Parts = slices.Concat(t.Parts, turns[end].Parts)
				end++
			}
		}
		if !hasCalls(&t) {
			r.out = append(r.out, t)
			i = end
			continue
		}
		next := end
		for next < len(turns) && turns[next].Role != RoleAssistant {
			next++
		}
		if next == end && end == len(turns) {
			at := firstCall(&t).At
			if req.Origin == OpenAIResponses {
				r.unfinished(&t)
				break
			}
			return nil, nil, Invalid(at.String(), "the conversation ends with tool calls that have no results: send a result for each")
		}
		r.group(t, turns[end:next])
		i = next
	}
	return r.out, r.losses, nil
}

type repairer struct {
	turns  []Turn
	out    []Turn // whose parts may be those of turns
	losses Losses
	used   map[string]bool  // ids that calls have been given so far
	placed map[string]place // where the result of a call went

	own map[int]bool // turns of out whose parts are not those of turns

	// Of the few conversations in which calls have the same id, or none:
	sent map[string]bool // ids of calls anywhere in the conversation
	next map[string]int  // by id, the number behind the last one that made it another
}

// unfinished reports every part of a turn that is left out.
func (r *repairer) unfinished(t *Turn) {
	var last Pos
	for i := range t.Parts {
		if at := t.Parts[i].At; at != last {
			r.losses.Add("unfinished-turn-dropped", at.String(), "the conversation ends with tool calls that have no results; the unfinished turn was left out")
			last = at
		}
	}
}

// place is a part of the output.
type place struct{ turn, part int }

func hasCalls(t *Turn) bool { return indexPart(t.Parts, ToolCall) >= 0 }

func hasResults(t *Turn) bool { return indexPart(t.Parts, ToolResult) >= 0 }

func firstCall(t *Turn) *Part { return &t.Parts[indexPart(t.Parts, ToolCall)] }

// indexPart is where the first part of a kind is, -1 when there is none.
func indexPart(parts []Part, kind PartKind) int {
	for i := range parts {
		if parts[i].Kind == kind {
			return i
		}
	}
	return -1
}

// loose emits a turn outside of any group; results in it answer no open call.
func (r *repairer) loose(t *Turn) {
	if !hasResults(t) {
		r.out = append(r.out, *t)
		return
	}
	parts := make([]Part, 0, len(t.Parts))
	for i := range t.Parts { // parts are large: nothing copies one to look at it
		if t.Parts[i].Kind == ToolResult {
			parts = r.orphan(parts, &t.Parts[i])
		} else {
			parts = Add(parts, &t.Parts[i])
		}
	}
	if len(parts) > 0 {
		r.out = append(r.out, Turn{Role: t.Role, Parts: parts, At: t.At})
	}
}

// orphan handles a result without an open call: a repeated one replaces the earlier
// content, any other becomes text.
func (r *repairer) orphan(parts []Part, p *Part) []Part {
	if at, ok := r.placed[p.Reply.CallID]; ok && p.Reply.CallID != "" {
		r.losses.Add("duplicate-tool-result", p.At.String(), "a tool call has two results; the last one was used")
		kept := &r.owned(at.turn)[at.part]
		id := kept.Reply.CallID
		*kept = *p
		kept.Reply.CallID = id
		return parts
	}
	r.losses.Add("orphan-tool-result", p.At.String(), "a tool result belongs to no tool call in the conversation; it was sent as text")
	label := rawjson.Escape("[Result of an earlier tool call " + p.Reply.CallID + "]\n")
	if len(p.Reply.Parts) > 0 && p.Reply.Parts[0].Kind == Text {
		label = append(label, p.Reply.Parts[0].Text...)
		return append(AddText(parts, label, p.At), p.Reply.Parts[1:]...)
	}
	return append(AddText(parts, label, p.At), p.Reply.Parts...)
}

// owned is the parts of a turn that has been emitted, to be changed: the request is not.
func (r *repairer) owned(turn int) []Part {
	if !r.own[turn] {
		if r.own == nil {
			r.own = make(map[int]bool)
		}
		r.own[turn] = true
		r.out[turn].Parts = slices.Clone(r.out[turn].Parts)
	}
	return r.out[turn].Parts
}

// unanswered is the result of a call that has none.
func (r *repairer) unanswered(call Pos) *Part {
	r.losses.Add("missing-tool-result", call.String(), "a tool call has no result; the model was told so")
	return &Part{Kind: ToolResult, Reply: Result{
		IsError: true, Plain: true,
		Parts: []Part{{Kind: Text, Text: rawjson.Escape(missingResult)}},
	}}
}

// group emits an assistant turn with calls, then one user turn with their results, then
// whatever else stood between them and the next assistant turn.
func (r *repairer) group(t Turn, following []Turn) {
	if !r.ordered(t, following) {
		r.order(t, following)
	}
}

// order is group for calls and results in any order.
func (r *repairer) order(t Turn, following []Turn) {
	ids, results := r.calls(&t)
	r.out = append(r.out, t)

	lastResult := -1
	for i := range following {
		if hasResults(&following[i]) {
			lastResult = i
		}
	}
	answers := Turn{Role: RoleUser, At: t.At}
	var deferred []Turn
	for i, f := range following {
		var rest []Part
		for j := range f.Parts {
			p := &f.Parts[j]
			switch {
			case p.Kind != ToolResult:
				rest = Add(rest, p)
			default:
				known, again := results.take(p)
				if again {
					r.losses.Add("duplicate-tool-result", p.At.String(), "a tool call has two results; the last one was used")
				}
				if !known {
					rest = r.orphan(rest, p)
				}
			}
		}
		switch {
		case hasResults(&f) && len(deferred) == 0:
			answers.Parts = append(answers.Parts, rest...)
			answers.At = f.At
		case len(rest) > 0:
			if i < lastResult {
				r.losses.Add("message-deferred", f.At.String(), "a message between a tool call and its result was moved after the result")
			}
			f.Parts, f.Plain = rest, f.Plain && len(rest) == len(f.Parts)
			deferred = append(deferred, f)
		}
	}
	parts := make([]Part, 0, len(ids)+len(answers.Parts))
	for i, id := range ids {
		p := results.answer[i]
		if p == nil {
			p = r.unanswered(id.at)
		}
		parts = Add(parts, p)
		parts[i].Reply.CallID = id.now
		r.placed[id.was] = place{len(r.out), i}
	}
	answers.Parts = append(parts, answers.Parts...)
	r.out = append(r.out, answers)
	r.out = append(r.out, deferred...)
}

// ordered emits a group that is as it should be already, as nearly all are, without copying
// its parts. ok is false for any other, of which nothing is emitted.
func (r *repairer) ordered(t Turn, following []Turn) (ok bool) {
	if len(following) == 0 {
		return false
	}
	answers, n := following[0].Parts, 0
	defer func() {
		for i := 0; i < n && !ok; i++ {
			delete(r.used, answers[i].Reply.CallID)
		}
	}()
	for i := range t.Parts {
		if t.Parts[i].Kind != ToolCall {
			continue
		}
		id := t.Parts[i].Call.ID
		if id == "" || r.used[id] || n == len(answers) || answers[n].Kind != ToolResult || answers[n].Reply.CallID != id {
			return false
		}
		r.used[id] = true
		n++
	}
	if indexPart(answers[n:], ToolResult) >= 0 || slices.ContainsFunc(following[1:], func(t Turn) bool { return hasResults(&t) }) {
		return false
	}
	for i := range n {
		r.placed[answers[i].Reply.CallID] = place{len(r.out) + 1, i}
	}
	r.out = append(r.out, t, Turn{Role: RoleUser, Parts: answers, At: following[0].At})
	for _, f := range following[1:] {
		if len(f.Parts) > 0 {
			r.out = append(r.out, f)
		}
	}
	return true
}

// callID is a call's id as the client knows it and as it is sent on.
type callID struct {
	was, now string
	at       Pos
}

// calls makes the ids of a turn's calls unique and prepares the list of their answers.
func (r *repairer) calls(t *Turn) ([]callID, *answers) {
	own := false // parts are large, and few ids are changed
	name := func(i int, id string) {
		if !own {
			t.Parts, own = slices.Clone(t.Parts), true
		}
		t.Parts[i].Call.ID = id
	}
	var ids []callID
	a := &answers{calls: make(map[string][]int)}
	for i := range t.Parts {
		p := &t.Parts[i]
		if p.Kind != ToolCall {
			continue
		}
		was := p.Call.ID
		switch {
		case was == "":
			name(i, r.free("call", len(r.used)+1))
		case r.used[was]:
			name(i, r.free(was, 2))
			r.losses.Add("duplicate-tool-call-id", p.At.String(), "a tool call id was used twice; the later one was renamed")
		}
		now := t.Parts[i].Call.ID
		r.used[now] = true
		ids = append(ids, callID{was: was, now: now, at: p.At})
		a.calls[was] = append(a.calls[was], len(ids)-1)
	}
	a.answer = make([]*Part, len(ids))
	return ids, a
}

// free is an id nobody has, made of base and the first number from n on that is free.
func (r *repairer) free(base string, n int) string {
	if r.sent == nil {
		r.sent, r.next = make(map[string]bool), make(map[string]int)
		for i := range r.turns {
			for j := range r.turns[i].Parts {
				r.sent[r.turns[i].Parts[j].Call.ID] = true
			}
		}
	}
	for n = max(n, r.next[base]); ; n++ {
		r.next[base] = n + 1
		if id := base + "_" + strconv.Itoa(n); !r.used[id] && !r.sent[id] {
			return id
		}
	}
}

// answers matches results to the calls of one turn.
type answers struct {
	calls  map[string][]int // by id, the calls that have it and no answer yet, and the last one
	answer []*Part          // of each call
}

// take assigns a result to its call, if it is one of these. Calls that share an id are
// answered in order; otherwise the last answer of a call counts.
func (a *answers) take(p *Part) (known, again bool) {
	calls := a.calls[p.Reply.CallID]
	if len(calls) == 0 {
		return false, false
	}
	again = a.answer[calls[0]] != nil
	a.answer[calls[0]] = p
	if len(calls) > 1 {
		a.calls[p.Reply.CallID] = calls[1:]
	}
	return true, again
}
