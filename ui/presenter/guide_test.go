package presenter

import (
	"net/url"
	"strings"
	"testing"

	"apex-ai-proxy/app/settings"
)

func TestNeedsGuide(t *testing.T) {
	s := settings.Default()
	if !NeedsGuide(s) {
		t.Error("a new user is not guided")
	}
	for name, edit := range map[string]func(*settings.Settings){
		"skipped":     func(s *settings.Settings) { s.App.Guided = true },
		"has account": func(s *settings.Settings) { s.Gateway.Account = "x" },
		"has gateway": func(s *settings.Settings) { s.Gateway.ID = "x" },
	} {
		s := settings.Default()
		edit(&s)
		if NeedsGuide(s) {
			t.Errorf("%s: guided", name)
		}
	}
}

func TestGuide(t *testing.T) {
	s := settings.Default()
	for _, account := range []string{"", "0123456789abcdef0123456789abcdef", "../evil?x"} {
		s.Gateway.Account = account
		for step := range GuideStep(GuideSteps) {
			p := Guide(step, s)
			if p.Title == "" || p.Text == "" || (p.URL == "") != (p.Link == "") {
				t.Errorf("step %d: %+v", step, p)
			}
			if u, err := url.Parse(p.URL); p.URL != "" && (err != nil || u.Scheme != "https" || u.Host != "dash.cloudflare.com" || strings.Contains(u.EscapedPath(), "/../") || u.RawQuery != "") {
				t.Errorf("step %d leads to %s", step, p.URL)
			}
			if at, ok := GuideStepOf(p.Field); p.Field != "" && (!ok || at != step) {
				t.Errorf("field %s leads to step %d, want %d", p.Field, at, step)
			}
		}
	}
	if _, ok := GuideStepOf(FieldGatewayURL); ok {
		t.Error("there is a step for the address")
	}
}

func TestFirstClients(t *testing.T) {
	for _, os := range []string{"linux", "darwin", "windows"} {
		c := NewClients(os)
		rows := c.First()
		if len(rows) < 6 {
			t.Errorf("%s: %v", os, rows)
		}
		for _, r := range rows {
			if r.ID == "cursor" {
				t.Error("a client that cannot reach this computer comes first")
			}
			if c.Choose(r.ID); r.Text == "" || c.Chosen() != r.ID {
				t.Errorf("%s: %v cannot be chosen", os, r)
			}
		}
	}
}
