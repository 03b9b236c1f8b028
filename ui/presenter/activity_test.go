package presenter

import (
	"slices"
	"strings"
	"testing"
	"time"

	"apex-ai-proxy/proxy/event"
)

func TestActivity(t *testing.T) {
	now := noon.Add(30 * time.Second)
	at := func(ago time.Duration, p event.Phase, first time.Duration, in, out int64) event.Exchange {
		x := event.Exchange{ID: ago.String(), Revision: 1, Start: now.Add(-ago), Phase: p, FirstByte: first, ClientProtocol: "openai-chat"}
		x.Tokens = event.Tokens{Input: in, Output: out, Known: true}
		return x
	}
	list := at(2*time.Minute, event.Done, time.Millisecond, 0, 0)
	list.ID, list.ClientProtocol = "models", ""
	refused := at(3*time.Minute, event.Failed, 0, 0, 0)
	refused.ClientProtocol, refused.ErrorKind = "", "invalid_api_key"
	l := NewLog(100)
	l.Apply([]event.Exchange{
		at(2*time.Hour, event.Failed, 0, 1000, 1000),
		at(59*time.Minute, event.Done, time.Second, 100, 11),
		refused,
		list,
		at(time.Minute, event.Failed, 0, 0, 0),
		at(61*time.Second, event.Done, 3*time.Second, 20_000, 0),
		at(time.Second, event.Streaming, 2*time.Second, 0, 7),
	})
	a := l.Activity(now)
	if a.Requests.Value != "5" || a.Errors.Value != "2" || a.Tokens.Value != "20.1k" || a.Latency.Value != "2.0 s" {
		t.Errorf("%q %q %q %q", a.Requests.Value, a.Errors.Value, a.Tokens.Value, a.Latency.Value)
	}
	if v := a.Requests.Values; v[0] != 1 || v[56] != 1 || v[58] != 2 || v[59] != 1 {
		t.Errorf("requests %v", v)
	}
	if a.Errors.Values[58] != 1 || a.Latency.Values[58] != 3 || a.Tokens.Values[0] != 111 {
		t.Errorf("%v %v %v", a.Errors.Values, a.Latency.Values, a.Tokens.Values)
	}
	guessed := at(time.Second, event.Done, 0, 0, 900)
	guessed.ID, guessed.Tokens.Known = "guessed", false
	l.Apply([]event.Exchange{guessed})
	if a = l.Activity(now); a.Tokens.Value != "~21.0k" {
		t.Errorf("with an estimate: %q", a.Tokens.Value)
	}
	l.Clear(now)
	if a = l.Activity(now); a.Tokens.Value != "~21.0k" {
		t.Errorf("with an estimate that was cleared: %q", a.Tokens.Value)
	}
	if e := NewLog(10).Activity(now); !e.Requests.Empty || !e.Latency.Empty || e.Latency.Value != none {
		t.Errorf("an empty log: %+v", e)
	}
}

// To clear the list takes nothing from the figures, and counts nothing twice.
func TestActivityOutlivesTheList(t *testing.T) {
	const keep = 20
	l, now := NewLog(keep), noon.Add(10*time.Minute)
	batch := func(from, to int, p event.Phase) {
		for n := from; n < to; n++ {
			x := exchange(n, 1, p)
			x.ClientProtocol, x.FirstByte, x.Tokens.Output = "openai-chat", time.Second, 5
			if p.Final() {
				x.Revision = 2
			}
			l.Apply([]event.Exchange{x})
		}
	}
	batch(0, 3, event.Done)
	batch(3, 5, event.Failed)
	batch(5, 6, event.Streaming)
	before := l.Activity(now)
	if before.Requests.Value != "6" || before.Errors.Value != "2" {
		t.Fatalf("%q requests, %q errors", before.Requests.Value, before.Errors.Value)
	}
	for _, p := range []event.Phase{event.Streaming, event.Done} { // the one that runs goes with the second
		batch(5, 6, p)
		l.Clear(now)
		if after := l.Activity(now); after != before {
			t.Errorf("after clear: %+v, want %+v", after, before)
		}
	}
	if l.Total() != 0 || len(l.Troubles(now, 3)) != 0 {
		t.Errorf("%d rows, troubles %+v", l.Total(), l.Troubles(now, 3))
	}
	if late := l.Activity(now.Add(2 * time.Hour)); !late.Requests.Empty {
		t.Errorf("%q requests hours later", late.Requests.Value)
	}
	for n := range 5 {
		batch(10*(n+1), 10*(n+2), event.Done)
		l.Clear(now)
	}
	if got := len(l.cleared); got != keep {
		t.Errorf("%d are remembered, want the last %d", got, keep)
	}
	if l.Clear(now.Add(2 * time.Hour)); len(l.cleared) != 0 {
		t.Errorf("%d are remembered for longer than an hour", len(l.cleared))
	}
}

func TestTroubles(t *testing.T) {
	l := NewLog(100)
	for n, c := range []struct {
		phase event.Phase
		text  string
		code  string
	}{
		{event.Failed, "the key was refused", "upstream_credential"},
		{event.Done, "", ""},
		{event.Failed, "slow down", "rate_limited"},
		{event.Failed, "the key was refused", "upstream_credential"},
		{event.Cancelled, "", ""},
		{event.Failed, "strange", "something"},
	} {
		x := exchange(n, 1, c.phase)
		x.Error, x.ErrorKind, x.ModelAsked = c.text, c.code, "m"
		l.Apply([]event.Exchange{x})
	}
	got := l.Troubles(noon.Add(time.Minute), 3)
	if len(got) != 3 || got[0].ID != "req_5" || got[1].ID != "req_3" || got[2].ID != "req_2" || got[0].Cure != "" || got[1].Cure == "" || got[1].Text != "m: the key was refused (2 times)" || got[0].Text != "m: strange" {
		t.Errorf("%+v", got)
	}
	if late := l.Troubles(noon.Add(3*time.Hour), 3); len(late) != 0 {
		t.Errorf("old troubles %+v", late)
	}
}

// TestTroublesNameTheirModels: a failure that several models share is said once, with their
// names, and failures that only sound alike stay apart.
func TestTroublesNameTheirModels(t *testing.T) {
	type failed struct{ model, provider, text, code string }
	for name, c := range map[string]struct {
		failed []failed
		want   []string
	}{
		"two models": {
			[]failed{{"a", "p", "no", ""}, {"b", "p", "no", ""}, {"a", "p", "no", ""}},
			[]string{"a, b: no (3 times)"},
		},
		"many models": {
			[]failed{{"a", "p", "no", ""}, {"b", "p", "no", ""}, {"c", "p", "no", ""}, {"d", "p", "no", ""}},
			[]string{"d, c and 2 more: no (4 times)"},
		},
		"two providers": {
			[]failed{{"a", "p", "slow down", ""}, {"b", "q", "slow down", ""}},
			[]string{"b: slow down", "a: slow down"},
		},
		"the gateway": {
			[]failed{{"a", "p", "the gateway refused the token", "cf_2009"}, {"b", "q", "the gateway refused the token", "cf_2009"}},
			[]string{"b, a: the gateway refused the token (2 times)"},
		},
		"no model": {
			[]failed{{"", "", "there is no API here", ""}},
			[]string{"/v1/messages: there is no API here"},
		},
		"long": {
			[]failed{{strings.Repeat("m", 100), "p", strings.Repeat("w", 300), ""}, {strings.Repeat("m", 100), "p", strings.Repeat("w", 300), ""}},
			[]string{strings.Repeat("m", 47) + "…: " + strings.Repeat("w", 199) + "… (2 times)"},
		},
		"more than are shown": {
			[]failed{{"a", "p", "1", ""}, {"a", "p", "2", ""}, {"a", "p", "3", ""}, {"a", "p", "4", ""}, {"a", "p", "1", ""}},
			[]string{"a: 1 (2 times)", "a: 4", "a: 3"},
		},
	} {
		l := NewLog(100)
		for n, f := range c.failed {
			x := exchange(n, 1, event.Failed)
			x.ModelAsked, x.Provider, x.Error, x.ErrorKind, x.Path = f.model, f.provider, f.text, f.code, "/v1/messages"
			l.Apply([]event.Exchange{x})
		}
		var got []string
		for _, tr := range l.Troubles(noon.Add(time.Minute), 3) {
			got = append(got, tr.Text)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// Requests without the right key are told as what they are, however they were refused.
func TestRefusedAreTold(t *testing.T) {
	l := NewLog(100)
	for n, text := range []string{"the request has no key", "the key is wrong"} {
		x := exchange(n, 1, event.Failed)
		x.Error, x.ErrorKind, x.Status, x.ClientProtocol, x.UpstreamProtocol = text, "invalid_api_key", 401, "", ""
		l.Apply([]event.Exchange{x})
		got := l.Troubles(noon.Add(time.Minute), 3)
		want := []string{"1 request refused: no local key, or a wrong one.", "2 requests refused: no local key, or a wrong one."}[n]
		if len(got) != 1 || got[0].Text != want || got[0].Cure != "Copy the local key into the client again." || got[0].ID != x.ID {
			t.Errorf("%+v", got)
		}
	}
	x := exchange(7, 1, event.Failed)
	x.Error, x.ErrorKind, x.UpstreamProtocol, x.ModelAsked = "the provider refused its key", "invalid_api_key", "openai-chat", "m"
	l.Apply([]event.Exchange{x})
	if got := l.Troubles(noon.Add(time.Minute), 3); got[0].Text != "m: the provider refused its key" {
		t.Errorf("%+v", got)
	}
}
