package presenter

import (
	"errors"
	"strings"
	"testing"

	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/proxy/prose"
)

func setUpSettings() settings.Settings {
	s := settings.Default()
	s.Gateway.Account, s.Gateway.ID = "0123456789abcdef0123456789abcdef", "home"
	return s
}

func TestDescribe(t *testing.T) {
	const addr = "127.0.0.1:8787"
	busy := errors.New("address already in use")
	for name, c := range map[string]struct {
		status Status
		s      settings.Settings
		token  SecretState
		text   string
		detail string // a part of it
		tone   Tone
		icon   Icon
	}{
		"stopped":          {Status{Stopped, addr, nil}, setUpSettings(), SecretPresent, "Stopped", "Nothing listens on " + addr, ToneQuiet, IconStopped},
		"starting":         {Status{Starting, addr, nil}, setUpSettings(), SecretPresent, "Starting…", "", ToneBusy, IconBusy},
		"stopping":         {Status{Stopping, addr, nil}, setUpSettings(), SecretPresent, "Stopping…", "time to finish", ToneBusy, IconBusy},
		"running":          {Status{Running, addr, nil}, setUpSettings(), SecretPresent, "Running on " + addr, "", ToneGood, IconRunning},
		"all addresses":    {Status{Running, "0.0.0.0:8787", nil}, setUpSettings(), SecretPresent, "Running on 0.0.0.0:8787", "Other computers can reach it too: at this computer's IP address in the network and port 8787.", ToneGood, IconRunning},
		"all, IPv6":        {Status{Running, "[::]:8787", nil}, setUpSettings(), SecretPresent, "Running on [::]:8787", "Other computers can reach it too: at this", ToneGood, IconRunning},
		"one address":      {Status{Running, "192.0.2.7:8787", nil}, setUpSettings(), SecretPresent, "Running on 192.0.2.7:8787", "at the same address", ToneGood, IconRunning},
		"another loopback": {Status{Running, "127.0.0.2:8787", nil}, setUpSettings(), SecretPresent, "Running on 127.0.0.2:8787", "", ToneGood, IconRunning},
		"IPv6 loopback":    {Status{Running, "[::1]:8787", nil}, setUpSettings(), SecretPresent, "Running on [::1]:8787", "", ToneGood, IconRunning},
		"locked and open":  {Status{Running, "0.0.0.0:8787", nil}, setUpSettings(), SecretLocked, "Running on 0.0.0.0:8787", "only demo models answer. Other computers", ToneWarn, IconAttention},
		"new user":         {Status{Running, addr, nil}, settings.Default(), SecretMissing, "Running on " + addr, "Demo models answer now", ToneGood, IconRunning},
		"no token":         {Status{Running, addr, nil}, setUpSettings(), SecretMissing, "Running on " + addr, "Gateway token missing", ToneWarn, IconAttention},
		"locked":           {Status{Running, addr, nil}, setUpSettings(), SecretLocked, "Running on " + addr, "Keychain locked", ToneWarn, IconAttention},
		"not asked yet":    {Status{Running, addr, nil}, setUpSettings(), SecretChecking, "Running on " + addr, "", ToneGood, IconRunning},
		"port held": {
			Status{Failed, addr, &PortError{Addr: addr, Holder: "nginx (pid 12)", Err: busy}},
			setUpSettings(), SecretPresent,
			"Port 8787 is in use by nginx (pid 12)", "Choose another port", ToneBad, IconAttention,
		},
		"port reserved": {
			Status{Failed, addr, &PortError{Addr: addr, Reserved: true, Err: busy}},
			setUpSettings(), SecretPresent,
			"Cannot listen on port 8787", "(error 10013)", ToneBad, IconAttention,
		},
		"port reserved, flag": {
			Status{Failed, addr, &PortError{Addr: addr, Reserved: true, Source: "flag --listen", Err: busy}},
			setUpSettings(), SecretPresent,
			"Cannot listen on port 8787", "The address is set by flag --listen. Change the port there and start the program again.", ToneBad, IconAttention,
		},
		"port held, environment": {
			Status{Failed, addr, &PortError{Addr: addr, Holder: "nginx (pid 12)", Source: "environment APEX_LISTEN", Err: busy}},
			setUpSettings(), SecretPresent,
			"Port 8787 is in use by nginx (pid 12)", "The address is set by environment APEX_LISTEN. Change the port there", ToneBad, IconAttention,
		},
		"refused": {Status{Running, addr, nil}, setUpSettings(), SecretRefused, "Running on " + addr, "The gateway refused the token. Replace", ToneWarn, IconAttention},
		"port": {
			Status{Failed, addr, &PortError{Addr: addr, Err: busy}},
			setUpSettings(), SecretPresent,
			"Cannot listen on port 8787", "address already in use", ToneBad, IconAttention,
		},
		"wrong flag": {
			Status{Failed, addr, &SettingsError{
				Problems: []settings.Problem{{Field: settings.FieldListen, Text: prose.New("an address and a port are needed; write it as 127.0.0.1:8787")}},
				Sources:  map[string]string{settings.FieldListen: "flag --listen"}, Err: errors.New("x"),
			}},
			setUpSettings(), SecretPresent,
			"A setting is not valid", "Flag --listen: An address and a port are needed; write it as 127.0.0.1:8787.", ToneBad, IconAttention,
		},
		"failed": {Status{Failed, addr, errors.New("read the settings: no such file")}, setUpSettings(), SecretPresent, "Not running", "Read the settings: no such file.", ToneBad, IconAttention},
	} {
		t.Run(name, func(t *testing.T) {
			h := Describe(c.status, c.s, c.token)
			if h.Text != c.text || h.Tone != c.tone || h.Icon != c.icon {
				t.Errorf("got %+v, want text %q, tone %d, icon %d", h, c.text, c.tone, c.icon)
			}
			if !strings.Contains(h.Detail, c.detail) || c.detail == "" && h.Detail != "" {
				t.Errorf("detail %q, want %q in it", h.Detail, c.detail)
			}
			if h.Word == "" {
				t.Error("no word for where there is little room")
			}
		})
	}
}

func TestBaseURLs(t *testing.T) {
	for addr, want := range map[string]URLs{
		"127.0.0.1:8787": {"http://127.0.0.1:8787/v1", "http://127.0.0.1:8787"},
		"[::1]:99":       {"http://[::1]:99/v1", "http://[::1]:99"},
		"0.0.0.0:8787":   {"http://127.0.0.1:8787/v1", "http://127.0.0.1:8787"},
		"[::]:8787":      {"http://127.0.0.1:8787/v1", "http://127.0.0.1:8787"},
		":8787":          {"http://127.0.0.1:8787/v1", "http://127.0.0.1:8787"},
		"localhost:1":    {"http://localhost:1/v1", "http://localhost:1"},
		"127.0.0.1:0":    {},
		"":               {},
		"nonsense":       {},
	} {
		if got := BaseURLs(addr); got != want {
			t.Errorf("%q: %+v, want %+v", addr, got, want)
		}
	}
}

func TestMissing(t *testing.T) {
	fields := func(gaps []Gap) (out []Field) {
		for _, g := range gaps {
			out = append(out, g.Field)
		}
		return out
	}
	for name, c := range map[string]struct {
		s     settings.Settings
		token SecretState
		want  string
	}{
		"all":         {settings.Default(), SecretMissing, "gateway.account gateway.id token"},
		"token":       {setUpSettings(), SecretDenied, "token"},
		"nothing":     {setUpSettings(), SecretPresent, ""},
		"in memory":   {setUpSettings(), SecretInMemory, ""},
		"environment": {setUpSettings(), SecretFromEnvironment, ""},
	} {
		if got := strings.Join(fields(Missing(c.s, c.token)), " "); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// What the keychain does not give is asked for again; what is not there is set up.
func TestMissingTokenHasACure(t *testing.T) {
	for state, want := range map[SecretState]Gap{
		SecretMissing:   {Cure: "Set up"},
		SecretNoService: {Cure: "Set up"},
		SecretRefused:   {Cure: "Set up"},
		SecretLocked:    {Cure: "Unlock", Ask: true},
		SecretWaiting:   {Cure: "Check again", Ask: true},
		SecretDenied:    {Cure: "Check again", Ask: true},
	} {
		got := Missing(setUpSettings(), state)[0]
		if got.Cure != want.Cure || got.Ask != want.Ask || StillShut(state) != "" != want.Ask {
			t.Errorf("%v: %+v, still shut: %q", state, got, StillShut(state))
		}
	}
}

func TestTrayKeepsItsPlaces(t *testing.T) {
	var first []TrayItem
	for st := Stopped; st <= Failed; st++ {
		status := Status{State: st, Addr: "127.0.0.1:8787"}
		items := (&Tray{Headline: Describe(status, setUpSettings(), SecretPresent), Status: status, Key: "key"}).Menu()
		if first == nil {
			first = items
		}
		if len(items) != len(first) {
			t.Fatalf("state %d has %d items, want %d", st, len(items), len(first))
		}
		for i := range items {
			if a, b := items[i], first[i]; a.Separator != b.Separator || a.Toggle != b.Toggle || a.Most != b.Most {
				t.Errorf("state %d: item %d changed its kind", st, i)
			}
		}
		if items[0].Enabled || items[0].Label == "" {
			t.Errorf("state %d: the status line is %+v", st, items[0])
		}
		if last := items[len(items)-1]; last.Action != Quit || !last.Enabled {
			t.Errorf("state %d: the last item is %+v", st, last)
		}
	}
}

func TestTrayActions(t *testing.T) {
	find := func(items []TrayItem, a Action) TrayItem {
		for _, it := range items {
			if it.Action == a {
				return it
			}
		}
		return TrayItem{}
	}
	for name, c := range map[string]struct {
		status Status
		key    string
		action Action
		label  string
		on     bool
	}{
		"start":          {Status{State: Stopped, Addr: "127.0.0.1:1"}, "k", StartProxy, "Start", true},
		"start again":    {Status{State: Failed, Addr: "127.0.0.1:1"}, "k", StartProxy, "Start", true},
		"stop":           {Status{State: Running, Addr: "127.0.0.1:1"}, "k", StopProxy, "Stop", true},
		"copy":           {Status{State: Running, Addr: "127.0.0.1:1"}, "k", CopyOpenAI, "Copy OpenAI base URL", true},
		"nothing to say": {Status{State: Stopped, Addr: "127.0.0.1:0"}, "k", CopyAnthropic, "Copy Anthropic base URL", false},
		"no key yet":     {Status{State: Running, Addr: "127.0.0.1:1"}, "", CopyKey, "Copy local key", false},
	} {
		h := Describe(c.status, setUpSettings(), SecretPresent)
		it := find((&Tray{Headline: h, Status: c.status, Key: c.key}).Menu(), c.action)
		if it.Label != c.label || it.Enabled != c.on {
			t.Errorf("%s: %+v, want %q, enabled %v", name, it, c.label, c.on)
		}
	}
	for _, st := range []State{Starting, Stopping} {
		if label, a, on := Switch(st); on || a != NoAction || label == "" {
			t.Errorf("state %d can be switched: %q %d", st, label, a)
		}
	}
}

func TestTrayLineIsShort(t *testing.T) {
	status := Status{State: Failed, Addr: "127.0.0.1:8787", Err: &PortError{Addr: "127.0.0.1:8787", Holder: strings.Repeat("long ", 40)}}
	h := Describe(status, setUpSettings(), SecretPresent)
	if got := (&Tray{Headline: h, Status: status}).Menu()[0].Label; len([]rune(got)) > trayWidth {
		t.Errorf("%d runes: %q", len([]rune(got)), got)
	}
	if got := Tooltip("Apex", h); len([]rune(got)) > 120 {
		t.Errorf("tooltip: %d runes", len([]rune(got)))
	}
}

func TestTryCommand(t *testing.T) {
	if got := TryCommand("linux", "127.0.0.1:0", "k"); got != nil {
		t.Errorf("without a port: %q", got)
	}
	const head, tail = `{"model": "echo#demo", "messages":`, `[{"role": "user", "content": "Hello"}]}`
	for goos, want := range map[string]string{
		"linux": "curl http://127.0.0.1:8787/v1/chat/completions \\\n  -H 'Authorization: Bearer the-key' \\\n" +
			"  -H 'Content-Type: application/json' \\\n  -d '" + head + "\n       " + tail + "'",
		"windows": "'" + head + "\n  " + tail + "' |\ncurl.exe http://127.0.0.1:8787/v1/chat/completions `\n" +
			"  -H 'Authorization: Bearer the-key' `\n  -H 'Content-Type: application/json' `\n  --data-binary '@-'",
	} {
		lines := TryCommand(goos, "127.0.0.1:8787", "the-key")
		if got := strings.Join(lines, "\n"); got != want || len(lines) > TryLines {
			t.Errorf("%s:\n%s\nwant\n%s", goos, got, want)
		}
		for _, l := range lines {
			if len(l) > 52 {
				t.Errorf("%q is cut in a small window", l)
			}
		}
		if !strings.Contains(strings.Join(TryCommand(goos, "127.0.0.1:8787", ""), ""), "Bearer "+keyStandIn+"'") {
			t.Error("nothing stands for the key")
		}
	}
}
