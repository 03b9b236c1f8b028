package presenter

import (
	"errors"
	"strings"
	"testing"
	"time"

	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/ui/words"
)

func TestAlertOf(t *testing.T) {
	for _, c := range []struct {
		before, now State
		want        Alert
	}{
		{Running, Failed, ProxyStopped},
		{Starting, Failed, StartFailed},
		{Stopped, Failed, StartFailed},
		{Failed, Failed, NoAlert},
		{Running, Stopped, NoAlert},
		{Stopped, Running, NoAlert},
		{Running, Stopping, NoAlert},
	} {
		if got := AlertOf(c.before, c.now); got != c.want {
			t.Errorf("from %d to %d: %d, want %d", c.before, c.now, got, c.want)
		}
	}
}

// One system shows notifications by a script that runs what is in quotes.
func TestAlertsSayNothingFromOutside(t *testing.T) {
	for _, tag := range settings.Languages {
		if err := words.Use(tag); err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{
			nil, errors.New("$(x)"), &SettingsError{Err: errors.New("$(x)")},
			&PortError{Addr: "127.0.0.1:8787", Err: errors.New("$(x)")}, &PortError{Addr: "127.0.0.1:8787", Holder: "$(x)"},
			&PortError{Addr: "127.0.0.1:$(x)", Holder: "x"}, &PortError{Addr: "$(x)"},
		} {
			for _, a := range []Alert{StartFailed, ProxyStopped, TokenRefused} {
				if text := a.Text(Status{State: Failed, Err: err}); text == "" || strings.ContainsAny(text, "$`\"'\\{}\n") {
					t.Errorf("%s, %v: %q", tag, err, text)
				}
			}
		}
	}
	_ = words.Use("en")
}

func TestAlertsAreRare(t *testing.T) {
	var a Alerts
	all := settings.Default().Notifications
	now := time.Date(2026, 3, 4, 14, 0, 0, 0, time.UTC)
	if !a.Due(StartFailed, all, now) || a.Due(StartFailed, all, now.Add(Quiet-time.Second)) {
		t.Error("an alert is not given, or given twice")
	}
	if !a.Due(ProxyStopped, all, now) {
		t.Error("one kind keeps another from being given")
	}
	if !a.Due(StartFailed, all, now.Add(Quiet)) {
		t.Error("an alert is not given again later")
	}
	if a.Due(NoAlert, all, now) {
		t.Error("no alert is given")
	}
	for alert, off := range map[Alert]settings.Notifications{
		StartFailed:  {Stopped: true, Token: true},
		ProxyStopped: {FailedStart: true, Token: true},
		TokenRefused: {FailedStart: true, Stopped: true},
	} {
		var a Alerts
		if a.Due(alert, off, now) || !a.Due(alert, all, now) {
			t.Errorf("%d does not follow its switch", alert)
		}
	}
}

func TestTokenVerdict(t *testing.T) {
	through := event.Exchange{Phase: event.Done, Status: 200, UpstreamProtocol: "openai-chat", Provider: "openai"}
	demo, failed, running, local := through, through, through, through
	demo.Provider = demoProvider
	failed.Phase, failed.Status, failed.ErrorKind = event.Failed, 401, "cf_2009"
	running.Phase = event.Streaming
	local.UpstreamProtocol = ""
	other := failed
	other.ErrorKind = "upstream_credential"
	for name, c := range map[string]struct {
		batch          []event.Exchange
		refused, known bool
	}{
		"answered":       {[]event.Exchange{through}, false, true},
		"refused":        {[]event.Exchange{through, failed, demo}, true, true},
		"taken again":    {[]event.Exchange{failed, through}, false, true},
		"says nothing":   {[]event.Exchange{demo, running, local, other}, false, false},
		"nothing at all": {},
	} {
		if refused, known := TokenVerdict(c.batch); refused != c.refused || known != c.known {
			t.Errorf("%s: refused %t, known %t", name, refused, known)
		}
	}
}

func TestQuitting(t *testing.T) {
	for n, want := range map[int]string{0: "Quitting…", 1: "Quitting: waiting for 1 request…", 2: "Quitting: waiting for 2 requests…"} {
		h := Quitting(n)
		items := (&Tray{Headline: h, Quitting: true, Status: Status{State: Stopping}}).Menu()
		if h.Icon != IconBusy || items[0].Label != want {
			t.Errorf("%d: %+v, the menu says %q", n, h, items[0].Label)
		}
		for _, it := range items {
			if enabled := it.Action == Quit; it.Enabled != enabled {
				t.Errorf("%s is enabled: %t", it.Label, it.Enabled)
			}
		}
		if it, ok := labelled(items, "Quit now"); !ok || it.Action != Quit {
			t.Errorf("%+v", items)
		}
	}
}

func TestTakenPort(t *testing.T) {
	port := &PortError{Addr: "127.0.0.1:8787", Holder: "nginx (pid 12)", Err: errors.New("in use")}
	if TakenPort(Status{State: Running}) != nil || TakenPort(Status{State: Failed, Err: errors.New("else")}) != nil {
		t.Error("a port is taken that is not")
	}
	if got := TakenPort(Status{State: Failed, Err: port}); got != port {
		t.Errorf("%v", got)
	}
	want := PortOffer{
		Title:  "Port 8787 is in use by nginx (pid 12)",
		Text:   "Port 8788 is free. Give your clients the new address then.",
		Button: "Use 8788",
	}
	if got := port.Offer("127.0.0.1:8788"); got != want {
		t.Errorf("%+v", got)
	}
}
