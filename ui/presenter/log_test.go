package presenter

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"apex-ai-proxy/proxy/event"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.Local)

func exchange(n, revision int, p event.Phase) event.Exchange {
	return event.Exchange{ID: fmt.Sprintf("req_%d", n), Revision: revision, Start: noon.Add(time.Duration(n) * time.Second), Phase: p}
}

func ids(l *Log) (out []string) {
	for i := range l.Len() {
		out = append(out, strings.TrimPrefix(l.Row(i, noon).ID, "req_"))
	}
	return out
}

func TestLogApplies(t *testing.T) {
	l := NewLog(100)
	l.Apply([]event.Exchange{exchange(1, 1, event.Waiting), exchange(3, 1, event.Waiting)})
	l.Apply([]event.Exchange{exchange(1, 3, event.Done), exchange(1, 2, event.Streaming)}) // the older one late
	l.Apply([]event.Exchange{exchange(2, 2, event.Streaming)})                             // its first state was missed
	if got := ids(l); !slices.Equal(got, []string{"1", "2", "3"}) {
		t.Fatalf("rows %v", got)
	}
	if p := l.Row(0, noon).Phase; p != event.Done {
		t.Errorf("row 1 went back to %v", p)
	}
	if l.Running() != 2 || l.Summary() != "3 requests, 2 running" {
		t.Errorf("%d running, %q", l.Running(), l.Summary())
	}
}

func TestLogKeepsTheSelection(t *testing.T) {
	l := NewLog(100)
	l.Apply([]event.Exchange{exchange(5, 1, event.Waiting), exchange(7, 1, event.Waiting)})
	l.Select(0)
	l.Apply([]event.Exchange{exchange(1, 1, event.Waiting), exchange(9, 1, event.Waiting)})
	if i := l.Selected(); i != 1 || l.Row(i, noon).ID != "req_5" {
		t.Errorf("selected is row %d", i)
	}
	l.Apply([]event.Exchange{exchange(5, 2, event.Done), exchange(1, 2, event.Done)})
	l.Clear(noon)
	if got := ids(l); !slices.Equal(got, []string{"7", "9"}) {
		t.Errorf("after clear: %v", got)
	}
	if _, ok := l.Detail(noon); ok || l.Selected() != -1 {
		t.Error("a row that is gone is still selected")
	}
	l.Select(17)
	if l.Selected() != -1 {
		t.Error("a row that does not exist is selected")
	}
}

func TestVacancy(t *testing.T) {
	l := NewLog(100)
	is := func(want Vacancy, when string) {
		t.Helper()
		if got := l.Vacancy(); got != want {
			t.Errorf("%s: %d, want %d", when, got, want)
		}
	}
	is(Untouched, "at first")
	if l.Clear(noon); l.Vacancy() != Untouched {
		t.Error("a list without requests counts as cleared")
	}
	l.Apply([]event.Exchange{exchange(1, 1, event.Done), exchange(2, 1, event.Waiting)})
	is(Occupied, "with requests")
	l.Clear(noon)
	is(Occupied, "with one that runs")
	l.Apply([]event.Exchange{exchange(2, 2, event.Done)})
	l.SetFilter(Filter{Text: "nobody"})
	is(Unmatched, "with a filter")
	l.Clear(noon)
	is(Cleared, "cleared")
	l.SetFilter(Filter{})
	l.Pause(true)
	is(Halted, "paused")
	l.Apply([]event.Exchange{exchange(3, 1, event.Done)})
	is(Halted, "with a request since the pause")
	l.Pause(false)
	is(Occupied, "going on")
	l.Clear(noon)
	is(Cleared, "cleared again")
}

func TestLogIsBounded(t *testing.T) {
	l := NewLog(100)
	gone := 0
	for n := range 1000 {
		gone += len(l.Apply([]event.Exchange{exchange(n, 1, event.Waiting)}))
		if l.Len() > 100 {
			t.Fatalf("%d rows", l.Len())
		}
	}
	if gone+l.Len() != 1000 {
		t.Errorf("%d gone and %d left do not make 1000", gone, l.Len())
	}
	if last := l.Row(l.Len()-1, noon).ID; last != "req_999" {
		t.Errorf("the last row is %s", last)
	}
	before := l.Len()
	l.Apply([]event.Exchange{exchange(3, 2, event.Done)}) // left the log long ago
	if l.Len() != before {
		t.Error("an exchange that had left came back")
	}
}

// TestRefusalsMakeWay: a client with a wrong key, which asks again and again, does not push out
// the others.
func TestRefusalsMakeWay(t *testing.T) {
	refused := func(n int) event.Exchange {
		x := exchange(n, 1, event.Failed)
		x.Refused = true
		return x
	}
	l := NewLog(100)
	n := 0
	for ; n < 30; n++ {
		l.Apply([]event.Exchange{exchange(n, 1, event.Done)})
	}
	for ; n < 100; n++ {
		l.Apply([]event.Exchange{refused(n)})
	}
	l.Select(5)
	gone := l.Apply([]event.Exchange{refused(n)})
	if want := []int{30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40}; !slices.Equal(gone, want) || l.Selected() != 5 {
		t.Errorf("rows %v went, want %v; selected %d", gone, want, l.Selected())
	}
	l.SetFilter(Filter{Errors: true})
	for range 11 {
		n++
		gone = l.Apply([]event.Exchange{refused(n)})
	}
	if want := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}; !slices.Equal(gone, want) || l.Len() != 60 {
		t.Errorf("of the errors, rows %v went, want %v; %d left", gone, want, l.Len())
	}
	l.SetFilter(Filter{})
	for range 1000 {
		n++
		l.Apply([]event.Exchange{refused(n)})
	}
	if first, of := l.Row(29, noon).ID, l.Total(); first != "req_29" || of > 100 {
		t.Errorf("the thirtieth of %d rows is %s", of, first)
	}
	for range 1000 {
		n++
		l.Apply([]event.Exchange{exchange(n, 1, event.Done)})
	}
	if slices.ContainsFunc(l.All(), func(x event.Exchange) bool { return x.Refused }) || l.Total() > 100 {
		t.Errorf("of %d rows, some tell of what was refused long ago", l.Total())
	}
	l = NewLog(100)
	for n := range 100 {
		x := exchange(n, 1, event.Done)
		x.Refused = n >= 50 && n < 60
		l.Apply([]event.Exchange{x})
	}
	if gone := l.Apply([]event.Exchange{exchange(100, 1, event.Done)}); len(gone) != 11 || gone[10] != 10 {
		t.Errorf("rows %v went, although there are few that were refused", gone)
	}
}

func TestRow(t *testing.T) {
	x := event.Exchange{
		ID: "req_1", Start: noon, Phase: event.Done, Status: 200, Client: "Claude Code", Provider: "openai",
		ModelAsked: "gpt-5#openai", ModelUsed: "gpt-5", ClientProtocol: "anthropic-messages", UpstreamProtocol: "openai-chat",
		FirstByte: 812 * time.Millisecond, Duration: 6400 * time.Millisecond,
		Tokens: event.Tokens{Input: 18204, Output: 642, Known: true},
	}
	for name, c := range map[string]struct {
		change func(*event.Exchange)
		get    func(Row) string
		want   string
	}{
		"time":             {nil, func(r Row) string { return r.Time }, "12:00:00"},
		"model":            {nil, func(r Row) string { return r.Model }, "gpt-5"},
		"model by alias":   {func(x *event.Exchange) { x.ModelAsked = "claude-haiku" }, func(r Row) string { return r.Model }, "claude-haiku → gpt-5"},
		"model not found":  {func(x *event.Exchange) { x.ModelAsked, x.ModelUsed, x.Provider = "what", "", "" }, func(r Row) string { return r.Model }, "what"},
		"no model":         {func(x *event.Exchange) { x.ModelAsked, x.ModelUsed, x.Method, x.Path = "", "", "GET", "/v1/models" }, func(r Row) string { return r.Model }, "GET /v1/models"},
		"no client":        {func(x *event.Exchange) { x.Client = "" }, func(r Row) string { return r.Client }, "–"},
		"done":             {nil, func(r Row) string { return r.State }, "200 Done"},
		"waiting":          {func(x *event.Exchange) { x.Phase, x.Status = event.Waiting, 0 }, func(r Row) string { return r.State }, "Waiting"},
		"streaming":        {func(x *event.Exchange) { x.Phase, x.BytesOut = event.Streaming, 6120 }, func(r Row) string { return r.State }, "Streaming 6.1 KB"},
		"failed":           {func(x *event.Exchange) { x.Phase, x.Status = event.Failed, 429 }, func(r Row) string { return r.State }, "429 Rate limit"},
		"failed in stream": {func(x *event.Exchange) { x.Phase = event.Failed }, func(r Row) string { return r.State }, "200 Broken off"},
		"failed early":     {func(x *event.Exchange) { x.Phase, x.Status = event.Failed, 0 }, func(r Row) string { return r.State }, "Failed"},
		"cancelled":        {func(x *event.Exchange) { x.Phase = event.Cancelled }, func(r Row) string { return r.State }, "Cancelled"},
		"converted":        {nil, func(r Row) string { return r.Via }, "converted"},
		"lossy":            {func(x *event.Exchange) { x.Warnings = []event.Warning{{Why: "a"}, {Why: "b"}} }, func(r Row) string { return r.Via }, "converted −2"},
		"as is":            {func(x *event.Exchange) { x.UpstreamProtocol = x.ClientProtocol }, func(r Row) string { return r.Via }, "as is"},
		"first byte":       {nil, func(r Row) string { return r.First }, "812 ms"},
		"duration":         {nil, func(r Row) string { return r.Duration }, "6.4 s"},
		"running duration": {func(x *event.Exchange) { x.Phase, x.Duration = event.Streaming, 0 }, func(r Row) string { return r.Duration }, "9.0 s"},
		"tokens":           {nil, func(r Row) string { return r.Tokens }, "18,204 → 642"},
		"no tokens":        {func(x *event.Exchange) { x.Tokens = event.Tokens{} }, func(r Row) string { return r.Tokens }, none},
		"an estimate":      {func(x *event.Exchange) { x.Tokens.Known = false }, func(r Row) string { return r.Tokens }, "~18,204 → ~642"},
		"half an estimate": {func(x *event.Exchange) { x.Tokens = event.Tokens{Output: 642} }, func(r Row) string { return r.Tokens }, "→ ~642"},
	} {
		y := x
		if c.change != nil {
			c.change(&y)
		}
		if got := c.get(rowOf(&y, noon.Add(9*time.Second))); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// A state must be told by its word and not only by its tone.
func TestEveryPhaseHasItsWordAndTone(t *testing.T) {
	words, tones := map[string]bool{}, map[Tone]bool{}
	for p := event.Waiting; p <= event.Cancelled; p++ {
		r := rowOf(&event.Exchange{Phase: p, Status: 200}, noon)
		words[r.State], tones[r.Tone] = true, true
	}
	if len(words) != 5 || len(tones) != 5 {
		t.Errorf("5 phases have the words %v and the tones %v", words, tones)
	}
}

// What was not read has no size.
func TestSizes(t *testing.T) {
	for want, x := range map[string]event.Exchange{
		"": {}, "300 B out": {BytesOut: 300}, "5 B in, 0 B out": {BytesIn: 5}, "5 B in, 300 B out": {BytesIn: 5, BytesOut: 300},
	} {
		got := ""
		for _, f := range detailOf(&x, noon).Facts {
			if f.Name == "Sizes" {
				got = f.Value
			}
		}
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestDetail(t *testing.T) {
	x := event.Exchange{
		ID: "req_1", Start: noon, Phase: event.Failed, Status: 401, ModelAsked: "a", ModelUsed: "b",
		ClientProtocol: "anthropic-messages", UpstreamProtocol: "openai-chat", Duration: time.Second,
		Error: "The gateway refused the token (2009).", ErrorKind: "gateway_token",
		Warnings: []event.Warning{{Path: "$.top_k", Why: "left out"}, {Why: "shortened"}},
		Tokens:   event.Tokens{Input: 5000, CacheRead: 4000, Output: 9, Reasoning: 3, Known: true},
		Tries:    []event.Try{{Model: "a", Status: 529, Why: "overloaded", Wait: 700 * time.Millisecond}},
	}
	d := detailOf(&x, noon)
	text := d.Text()
	for _, want := range []string{
		"a → b", "401 Refused", "Messages → Chat, converted", "The gateway refused the token (2009).",
		"$.top_k: left out", "Not carried over: shortened", "in 5,000 (4,000 from cache), out 9 (3 reasoning)", "gateway_token", "req_1", "Retried: after 700 ms: overloaded",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in:\n%s", want, text)
		}
	}
	for want, tokens := range map[string]event.Tokens{
		"in ~5,000, out ~9 (an estimate: the provider reported no count)": {Input: 5000, Output: 9},
		"Tokens: out ~9 (an estimate: the provider":                       {Output: 9},
	} {
		y := x
		if y.Tokens = tokens; !strings.Contains(detailOf(&y, noon).Text(), want) {
			t.Errorf("%q is not in:\n%s", want, detailOf(&y, noon).Text())
		}
		if y.Phase = event.Streaming; !strings.Contains(detailOf(&y, noon).Text(), "out ~9 (an estimate, so far)") {
			t.Errorf("while it runs:\n%s", detailOf(&y, noon).Text())
		}
	}
	if strings.Contains(text, "First byte") {
		t.Error("a first byte that never came is listed")
	}
}
