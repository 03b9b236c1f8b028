package remedy

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/rawjson"
)

const noTemperature = "Unsupported parameter: 'temperature' is not supported with this model."

func request() *ir.Request {
	return &ir.Request{
		Sampling: ir.Sampling{Temperature: rawjson.Value("0.5"), TopP: rawjson.Value("0.9")},
		Turns: []ir.Turn{{Role: ir.RoleAssistant, Parts: []ir.Part{
			{Kind: ir.Thinking, Cache: rawjson.Value("{}")}, {Kind: ir.Text, Cache: rawjson.Value("{}")},
		}}},
		System: []ir.Instruction{{Cache: rawjson.Value("{}")}}, Tools: []ir.Tool{{Cache: rawjson.Value("{}")}},
		MaxOutput: rawjson.Value("100"), Stop: []rawjson.Escaped{rawjson.Escaped("x")}, Parallel: ir.No,
	}
}

// TestTheRequestIsNotWrittenTo: the client's request is needed as it was for its answer.
func TestTheRequestIsNotWrittenTo(t *testing.T) {
	req := request()
	d := NewBook(time.Now).Draft(Model{}, req, ir.Target{})
	for _, message := range []string{
		noTemperature, "messages.0.content.1.cache_control: Extra inputs are not permitted",
		"Invalid signature in thinking block", "max_tokens: 100 > 5, which is the maximum allowed number of output tokens for m",
		"Unsupported parameter: 'stop'", "Unknown parameter: 'parallel_tool_calls'.",
	} {
		if _, ok := d.Cure(message); !ok {
			t.Errorf("%q changed nothing", message)
		}
	}
	if want := request(); fmt.Sprint(req) != fmt.Sprint(want) {
		t.Errorf("the request became %v", req)
	}
	if d.Req.Sampling.Temperature.Present() || len(d.Req.Turns[0].Parts) != 1 || d.Req.Tools[0].Cache.Present() || string(d.Req.MaxOutput) != "5" {
		t.Errorf("the draft is %v", d.Req)
	}
}

func TestBookIsBounded(t *testing.T) {
	b := NewBook(time.Now)
	learn := func(m Model, message string) {
		d := &Draft{Req: request()}
		learned, _ := d.Cure(message)
		b.Learn(m, learned)
	}
	for i := range 3 * maxModels {
		learn(Model{Model: fmt.Sprint(i)}, noTemperature)
		b.lessons(Model{Model: "0"}) // in use, so it stays
	}
	if len(b.models) != maxModels || b.order.Len() != maxModels {
		t.Errorf("%d models, %d pages", len(b.models), b.order.Len())
	}
	if len(b.lessons(Model{Model: "0"})) != 1 || b.lessons(Model{Model: "1"}) != nil {
		t.Error("not the models used last were kept")
	}
	m := Model{Model: "0"}
	learn(m, noTemperature)
	if n := len(b.lessons(m)); n != 1 {
		t.Errorf("the same was learned %d times", n)
	}
	for i := range 2 * maxLessons {
		learn(m, fmt.Sprintf("max_tokens: 100 > %d, which is the maximum allowed number of output tokens", 1+i))
	}
	lessons := b.lessons(m)
	if len(lessons) != maxLessons || lessons[maxLessons-1].args[0] != fmt.Sprint(2*maxLessons) {
		t.Errorf("%d lessons, %v", len(lessons), lessons)
	}
}

// TestNewestLessonCounts: a provider may change its mind about the name of a field.
func TestNewestLessonCounts(t *testing.T) {
	b := NewBook(time.Now)
	m := Model{Model: "m"}
	for i, c := range []struct {
		message string
		old     bool
	}{
		{"Unrecognized request argument supplied: max_completion_tokens", true},
		{"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.", false},
		{"Unrecognized request argument supplied: max_completion_tokens", true},
	} {
		learned, ok := b.Draft(m, request(), ir.Target{}).Cure(c.message)
		if !ok {
			t.Fatalf("%d changed nothing", i)
		}
		b.Learn(m, learned)
		if got := b.Draft(m, request(), ir.Target{}).Target.Dialect.MaxTokens; got != c.old {
			t.Errorf("%d: MaxTokens is %t", i, got)
		}
	}
}

// TestLessonsLapse: a lesson that was wrong, or is no longer right, is not kept for ever.
func TestLessonsLapse(t *testing.T) {
	now := time.Unix(1e9, 0)
	b := NewBook(func() time.Time { return now })
	m := Model{Model: "m"}
	learn := func() {
		learned, _ := (&Draft{Req: request()}).Cure(noTemperature)
		b.Learn(m, learned)
	}
	taken := func() bool { return b.Draft(m, request(), ir.Target{}).Req.Sampling.Temperature.Present() }
	learn()
	now = now.Add(lifetime - 1)
	if taken() {
		t.Error("forgotten too early")
	}
	learn() // again does not make it younger
	now = now.Add(1)
	if !taken() || len(b.models) != 0 || b.order.Len() != 0 {
		t.Error("the lesson is still believed")
	}
	if learn(); taken() {
		t.Error("nothing is learned any more")
	}
}

// TestOtherComplaints: a client's own mistake teaches nothing about the model.
func TestOtherComplaints(t *testing.T) {
	req := request()
	req.Output.Kind = ir.OutputSchema
	for _, message := range []string{
		"Invalid response format json_schema: the schema is not valid",
		"response format `json_schema`: schema must have a type",
	} {
		if learned, ok := (&Draft{Req: req}).Cure(message); ok {
			t.Errorf("%q: %v", message, learned)
		}
	}
}

func TestBookInUse(t *testing.T) {
	b := NewBook(time.Now)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 200 {
				m := Model{Model: fmt.Sprint(j % 7)}
				d := b.Draft(m, request(), ir.Target{})
				learned, _ := d.Cure(fmt.Sprintf("max_tokens: 100 > %d, which is the maximum allowed number of output tokens", 1+i))
				b.Learn(m, learned)
			}
		})
	}
	wg.Wait()
}

func BenchmarkDraft(b *testing.B) {
	book := NewBook(time.Now)
	req := request()
	b.ReportAllocs()
	for b.Loop() {
		book.Draft(Model{Provider: "openai", Model: "gpt-4o", Protocol: ir.OpenAIChat}, req, ir.Target{})
	}
}

// TestClockJumps: a clock that is set neither keeps a lesson for ever nor breaks the book.
func TestClockJumps(t *testing.T) {
	start := time.Unix(1e9, 0)
	now := start
	b := NewBook(func() time.Time { return now })
	m := Model{Model: "m"}
	known := func() bool { return !b.Draft(m, request(), ir.Target{}).Req.Sampling.Temperature.Present() }
	learn := func() {
		learned, _ := (&Draft{Req: request()}).Cure(noTemperature)
		b.Learn(m, learned)
	}
	learn()
	for _, jump := range []time.Duration{-time.Hour, -20 * 365 * 24 * time.Hour, lifetime - 1} {
		if now = start.Add(jump); !known() {
			t.Errorf("forgotten after a jump of %v", jump)
		}
	}
	if now = start.Add(100 * 365 * 24 * time.Hour); known() {
		t.Error("believed a hundred years later")
	}
	learn()
	now = start // back again
	if !known() {
		t.Error("forgotten, though it was learned just now")
	}
	if now = start.Add(100*365*24*time.Hour + lifetime); known() {
		t.Error("kept for ever")
	}
}
