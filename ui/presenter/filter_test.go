package presenter

import (
	"slices"
	"strings"
	"testing"

	"apex-ai-proxy/proxy/event"
)

// mixed is a log of different exchanges.
func mixed() *Log {
	l := NewLog(100)
	a := exchange(1, 1, event.Done)
	a.Client, a.Provider, a.ModelAsked, a.ClientProtocol, a.UpstreamProtocol = "Codex", "openai", "gpt-5#openai", "openai-responses", "openai-chat"
	b := exchange(2, 1, event.Failed)
	b.Client, b.Provider, b.ModelAsked, b.Error, b.Status = "Claude Code", "anthropic", "claude-opus-4-8#anthropic", "The key was refused", 401
	c := exchange(3, 1, event.Cancelled)
	c.Client, c.Provider, c.ModelAsked = "Claude Code", "openai", "gpt-5#openai"
	d := exchange(4, 1, event.Streaming)
	d.Client, d.ClientProtocol, d.UpstreamProtocol = "curl", "openai-chat", "openai-chat"
	l.Apply([]event.Exchange{a, b, c, d})
	return l
}

func TestFilter(t *testing.T) {
	for name, c := range map[string]struct {
		filter Filter
		want   string
	}{
		"all":                   {Filter{}, "1 2 3 4"},
		"errors":                {Filter{Errors: true}, "2 3"},
		"converted":             {Filter{Converted: true}, "1"},
		"client":                {Filter{Client: "Claude Code"}, "2 3"},
		"provider":              {Filter{Provider: "openai"}, "1 3"},
		"both":                  {Filter{Provider: "openai", Errors: true}, "3"},
		"text of an error":      {Filter{Text: "REFUSED key"}, "2"},
		"status":                {Filter{Text: "401"}, "2"},
		"two words, two fields": {Filter{Text: "claude gpt-5"}, "3"},
		"nothing":               {Filter{Text: "no such thing"}, ""},
		"request id":            {Filter{Text: "req_4"}, "4"},
	} {
		l := mixed()
		l.SetFilter(c.filter)
		if got := strings.Join(ids(l), " "); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if l.Total() != 4 {
			t.Errorf("%s: %d in all", name, l.Total())
		}
	}
}

func TestFilterFollowsStates(t *testing.T) {
	l := mixed()
	l.SetFilter(Filter{Errors: true})
	l.Select(0)
	x := exchange(4, 2, event.Failed)
	l.Apply([]event.Exchange{x, exchange(5, 1, event.Waiting)})
	if got := ids(l); !slices.Equal(got, []string{"2", "3", "4"}) || l.Selected() != 0 || l.Summary() != "3 of 5 requests, 1 running" {
		t.Errorf("%v, selected %d, %q", got, l.Selected(), l.Summary())
	}
	l.SetFilter(Filter{Text: "codex"})
	if l.Selected() != -1 {
		t.Error("a row that is not shown is selected")
	}
	if d, ok := l.Detail(noon); !ok || d.ID != "req_2" {
		t.Error("the selected exchange is forgotten because its row is not shown")
	}
	if !l.SelectID("req_3") || l.Filter().Active() || l.Selected() != 2 || l.SelectID("req_99") {
		t.Errorf("selecting by id: filter %+v, selected %d", l.Filter(), l.Selected())
	}
}

func TestPause(t *testing.T) {
	l := mixed()
	l.Pause(true)
	l.Select(3)
	gone := l.Apply([]event.Exchange{exchange(4, 2, event.Done), exchange(5, 1, event.Waiting)})
	if got := ids(l); !slices.Equal(got, []string{"1", "2", "3", "4"}) || len(gone) != 0 || l.Row(3, noon).Phase != event.Streaming {
		t.Errorf("the list moves during the pause: %v, rows %v gone", got, gone)
	}
	if s := l.Summary(); s != "5 requests, 1 running, 1 new since the pause" {
		t.Errorf("%q", s)
	}
	l.SetFilter(Filter{Client: "curl"})
	if l.Len() != 0 { // its second state has no client
		t.Errorf("filtered during the pause: %v", ids(l))
	}
	l.SetFilter(Filter{})
	l.Pause(false)
	if got := ids(l); !slices.Equal(got, []string{"1", "2", "3", "4", "5"}) || l.Selected() != 3 {
		t.Errorf("after the pause: %v, selected %d", got, l.Selected())
	}
}

func TestDroppedRowsThatWereShown(t *testing.T) {
	l := NewLog(10)
	l.SetFilter(Filter{Errors: true})
	for n := range 10 {
		l.Apply([]event.Exchange{exchange(n, 1, []event.Phase{event.Done, event.Failed}[n%2])})
	}
	if gone := l.Apply([]event.Exchange{exchange(10, 1, event.Failed), exchange(11, 1, event.Failed)}); len(gone) != 1 {
		t.Errorf("rows %v are said to be gone of %v", gone, ids(l))
	}
	if got := ids(l); !slices.Equal(got, []string{"3", "5", "7", "9", "10", "11"}) {
		t.Errorf("%v", got)
	}
}

func TestSelectReplay(t *testing.T) {
	l := mixed()
	if l.SelectReplay("req_1") {
		t.Error("a replay that is not there is selected")
	}
	x := exchange(9, 1, event.Waiting)
	x.ReplayOf = "req_1"
	l.Apply([]event.Exchange{x})
	if !l.SelectReplay("req_1") || l.Row(l.Selected(), noon).ID != "req_9" {
		t.Error("the replay is not selected")
	}
}

func BenchmarkFilteredBatch(b *testing.B) {
	l := NewLog(DefaultKeep)
	for n := range 9000 {
		x := exchange(n, 1, event.Done)
		x.Client, x.ModelAsked, x.Error = "Claude Code", "claude-opus-4-8#anthropic", "some error that goes on for a while"
		l.Apply([]event.Exchange{x})
	}
	l.SetFilter(Filter{Text: "opus error"})
	batch := make([]event.Exchange, 20)
	for i := range batch {
		batch[i] = exchange(9000+i, 1, event.Waiting)
	}
	b.ReportAllocs()
	for b.Loop() {
		for i := range batch {
			batch[i].Revision++
		}
		l.Apply(batch)
	}
}

func TestNames(t *testing.T) {
	l := mixed()
	if !slices.Equal(l.Clients(), []string{"Claude Code", "Codex", "curl"}) || !slices.Equal(l.Providers(), []string{"anthropic", "openai"}) {
		t.Errorf("%v %v", l.Clients(), l.Providers())
	}
	l.Clear(noon) // only the stream stays
	if !slices.Equal(l.Clients(), []string{"curl"}) || len(l.Providers()) != 0 {
		t.Errorf("after clear: %v %v", l.Clients(), l.Providers())
	}
}
