package presenter

import (
	"fmt"
	"testing"
	"time"

	"apex-ai-proxy/proxy/event"
)

func TestSentMoreThanOnce(t *testing.T) {
	try := event.Try{Status: 529, Why: "overloaded", Wait: 700 * time.Millisecond}
	fell := event.Warning{Code: event.Fallback, Path: "model", Why: "gpt could not answer: overloaded"}
	repaired := event.Warning{Code: event.Repaired, Why: "it was refused"}
	lost := event.Warning{Code: "field-refused", Path: "top_k", Why: "not supported"}
	for name, c := range map[string]struct {
		tries        []event.Try
		warnings     []event.Warning
		phase        event.Phase
		state, facts string
		via          string
	}{
		"once":      {nil, []event.Warning{lost}, event.Done, "200 Done", "[]", "converted −1"},
		"retried":   {[]event.Try{try, try}, nil, event.Done, "200 Done ×3", "[{Sent 3 times} {Retried after 700 ms: overloaded} {Retried after 700 ms: overloaded}]", "converted"},
		"fell back": {nil, []event.Warning{fell}, event.Streaming, "Streaming ×2", "[{Sent 2 times} {Fell back Gpt could not answer: overloaded}]", "converted"},
		"all": {
			[]event.Try{try},
			[]event.Warning{fell, repaired, lost},
			event.Failed, "200 Broken off ×4",
			"[{Sent 4 times} {Retried after 700 ms: overloaded} {Fell back Gpt could not answer: overloaded} {Changed It was refused}]", "converted −1",
		},
	} {
		x := event.Exchange{ClientProtocol: "openai-chat", UpstreamProtocol: "anthropic-messages", Status: 200, BytesOut: 3000, Phase: c.phase, Tries: c.tries, Warnings: c.warnings}
		r, d := rowOf(&x, noon), detailOf(&x, noon)
		if r.State != c.state || r.Via != c.via || fmt.Sprint(resent(&x)) != c.facts || len(d.Warnings) != len(losses(&x)) || len(x.Warnings) != len(c.warnings) {
			t.Errorf("%s: state %q, via %q, facts %v, warnings %q", name, r.State, r.Via, resent(&x), d.Warnings)
		}
	}
}
