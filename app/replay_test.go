package app

import (
	"context"
	"errors"
	"strings"
	"testing"

	"apex-ai-proxy/app/secret"
	"apex-ai-proxy/proxy/capture"
	"apex-ai-proxy/proxy/event"
)

func TestReplay(t *testing.T) {
	a := opened(t, map[string]string{"APEX_LOCAL_KEY": "a-local-key-of-some-length"}, &secret.Memory{})
	store := a.Captures()
	must(t, a.Start(context.Background()))
	first := exchanged(t, a)
	for name, c := range map[string]struct {
		replay Replay
		model  string
		answer string
	}{
		"as it was":     {Replay{ID: first.ID}, "echo#demo", "my key is"},
		"another model": {Replay{ID: first.ID, Model: "error-429#demo"}, "error-429#demo", "rate_limit"},
		"another body":  {Replay{ID: first.ID, Body: []byte(`{"model":"echo#demo","messages":[{"role":"user","content":"edited"}]}`)}, "echo#demo", "edited"},
	} {
		t.Run(name, func(t *testing.T) {
			must(t, a.Replay(t.Context(), c.replay))
			list := a.Bus().Recent()
			x := list[len(list)-1]
			snap, ok := store.Get(x.ID)
			if !ok || x.ReplayOf != first.ID || x.ModelAsked != c.model || !strings.Contains(string(snap.Messages[capture.ClientAnswer].Body), c.answer) {
				t.Errorf("%+v\n%s", x, snap.Messages[capture.ClientAnswer].Body)
			}
			if x.ID == first.ID || x.Phase == event.Waiting {
				t.Errorf("the same record, or an open one: %+v", x)
			}
		})
	}
	if err := a.Replay(t.Context(), Replay{ID: "req_unknown"}); !errors.Is(err, ErrNotKept) {
		t.Errorf("unknown: %v", err)
	}
	if err := a.Replay(t.Context(), Replay{ID: first.ID, Model: "m", Body: []byte("{")}); err == nil {
		t.Error("a body that is not JSON is given another model")
	}
	must(t, a.Stop(context.Background()))
	if err := a.Replay(t.Context(), Replay{ID: first.ID}); !errors.Is(err, ErrNotRunning) {
		t.Errorf("stopped: %v", err)
	}
}
