package settings

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var providers = []string{"anthropic", "openai"}

func TestValidate(t *testing.T) {
	set := func(f func(*Settings, string)) func(string) Settings {
		return func(v string) Settings {
			s := Default()
			f(&s, v)
			return s
		}
	}
	tests := []struct {
		field     string
		with      func(string) Settings
		good, bad []string
	}{
		{
			FieldAccount, set(func(s *Settings, v string) { s.Gateway.Account = v }),
			[]string{"", strings.Repeat("0f", 16)},
			[]string{"x", strings.Repeat("0g", 16), strings.Repeat("0", 31), strings.Repeat("0", 33), strings.Repeat("0F", 16), " " + strings.Repeat("0", 32)},
		},
		{
			FieldGateway, set(func(s *Settings, v string) { s.Gateway.ID = v }),
			[]string{"", "default", "my_gate-way1", strings.Repeat("a", 64)},
			[]string{"My", "a b", "a/b", "..", strings.Repeat("a", 65), "ä"},
		},
		{
			FieldLanguage, set(func(s *Settings, v string) { s.App.Language = v }),
			[]string{"", "en", "zh-Hans"},
			[]string{"zh", "EN", "tlh", " "},
		},
		{
			FieldTheme, set(func(s *Settings, v string) { s.App.Theme = Theme(v) }),
			[]string{"system", "light", "dark"},
			[]string{"", "Dark", "blue"},
		},
		{
			FieldGatewayURL, set(func(s *Settings, v string) { s.Gateway.URL = v }),
			[]string{"https://gateway.ai.cloudflare.com/v1", "http://127.0.0.1:1234", "https://ai.example.com", "http://[::1]:80/a/b"},
			[]string{
				"", "gateway.ai.cloudflare.com/v1", "/v1", "ftp://example.com", "https://", "https:///v1", "https:example.com",
				"https://user:pw@example.com", "https://example.com/v1?x=1", "https://example.com/v1?", "https://example.com/v1#a", "https://example.com/v1#",
				"https://example.com/v1/", "https://example.com/a/../b", "https://example.com//v1", "https://example.com/a%2fb",
				" https://example.com", "https://exa mple.com", "https://example.com:0", "https://example.com:99999", "https://example.com:", "https://:80",
			},
		},
		{
			FieldAzureResource, set(func(s *Settings, v string) { s.Azure.Resource = v }),
			[]string{"", "my-azure", "Ab"},
			[]string{"a", "-ab", "ab-", "a.b", "https://x.openai.azure.com", strings.Repeat("a", 65), "a/b"},
		},
		{
			FieldAzureAPIVersion, set(func(s *Settings, v string) { s.Azure.APIVersion = v }),
			[]string{"", "2024-02-01", "2025-04-01-preview", "preview", "v1"},
			[]string{"2024", "2024-2-1", "2024-02-01&x=1", "latest ", "v2"},
		},
		{
			FieldListen, set(func(s *Settings, v string) { s.Server.Listen = v }),
			[]string{"127.0.0.1:8787", "127.0.0.1:0", "[::1]:65535", "localhost:80", "0.0.0.0:1", ":8787", "[fe80::1%eth0]:1"},
			[]string{"", "8787", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:http", "127.0.0.1:08", "::1:80", "example.com:80", "1.2.3:80", "http://127.0.0.1:80"},
		},
		{
			FieldOrigins, set(func(s *Settings, v string) { s.Server.Origins = []string{"https://ok.example", v} }),
			[]string{"*", "https://example.com", "http://localhost:3000", "vscode-webview://1abc", "app://obsidian.md"},
			[]string{"", "null", "example.com", "https://", "https://example.com/", "https://example.com/a", "https://*.example.com", "https://a b", "https://a@b"},
		},
		{
			FieldRetries, set(func(s *Settings, v string) { s.Server.Retries, _ = strconv.Atoi(v) }),
			[]string{"0", "2", "5"},
			[]string{"-1", "6"},
		},
		{
			FieldProvider("openai"), set(func(s *Settings, v string) { s.Providers = map[string]Provider{"openai": {Key: KeyMode(v)}} }),
			[]string{"", "stored", "own", "unified"},
			[]string{"byok", "Stored"},
		},
		{
			"providers.nope", set(func(s *Settings, v string) { s.Providers = map[string]Provider{v: {Key: KeyOwn}} }),
			[]string{"anthropic"},
			[]string{"nope"},
		},
	}
	for _, tc := range tests {
		for _, v := range tc.good {
			if err := tc.with(v).Validate(providers); err != nil {
				t.Errorf("%s = %q is refused: %v", tc.field, v, err)
			}
		}
		for _, v := range tc.bad {
			err := tc.with(v).Validate(providers)
			var invalid *ValidationError
			if !errors.As(err, &invalid) || len(invalid.Problems) != 1 || invalid.Field(tc.field) == "" {
				t.Errorf("%s = %q: got %v, want one problem with this field", tc.field, v, err)
			}
		}
	}
}

func TestValidateDurations(t *testing.T) {
	for _, d := range []Duration{0, -1, 5, Duration(time.Second) - 1} {
		s := Default()
		s.Server.UpstreamTimeout, s.Server.StreamIdleTimeout = d, d
		var invalid *ValidationError
		if err := s.Validate(nil); !errors.As(err, &invalid) || len(invalid.Problems) != 2 ||
			invalid.Field(FieldUpstreamTimeout) == "" || invalid.Field(FieldStreamIdleTimeout) == "" {
			t.Errorf("%v: got %v", d, invalid)
		}
	}
	s := Default()
	s.Server.UpstreamTimeout, s.Server.StreamIdleTimeout = Duration(time.Second), Duration(time.Second)
	if err := s.Validate(nil); err != nil {
		t.Errorf("one second is refused: %v", err)
	}
}

func TestDefaultIsValid(t *testing.T) {
	if err := Default().Validate(nil); err != nil {
		t.Error(err)
	}
	if w := Default().Warnings(); len(w) != 0 {
		t.Errorf("warnings %v", w)
	}
	if m := Default().Missing(); !slices.Equal(m, []string{FieldAccount, FieldGateway}) {
		t.Errorf("missing %v", m)
	}
	if m := full().Missing(); m != nil {
		t.Errorf("missing %v in full settings", m)
	}
}

func TestNormalized(t *testing.T) {
	s := Default()
	s.Gateway = Gateway{Account: " " + strings.Repeat("0A", 16) + "\n", ID: " g ", URL: " https://example.com/v1// "}
	s.Azure = Azure{Resource: " az ", APIVersion: " 2024-02-01 "}
	s.Server.Listen = " 127.0.0.1:1 "
	s.Server.Origins = []string{" https://example.com/ "}
	given := s.Server.Origins
	n := s.Normalized()
	if err := n.Validate(nil); err != nil {
		t.Error(err)
	}
	if n.Gateway.URL != "https://example.com/v1" || n.Gateway.Account != strings.Repeat("0a", 16) {
		t.Errorf("got %+v", n.Gateway)
	}
	if given[0] != " https://example.com/ " {
		t.Error("the caller's slice was changed")
	}
}

func TestWarnings(t *testing.T) {
	tests := map[string]struct {
		change func(*Settings)
		field  string
	}{
		"all addresses":  {func(s *Settings) { s.Server.Listen = ":8787" }, FieldListen},
		"network":        {func(s *Settings) { s.Server.Listen = "192.168.1.2:8787" }, FieldListen},
		"other loopback": {func(s *Settings) { s.Server.Listen = "127.9.9.9:1" }, ""},
		"ipv6 loopback":  {func(s *Settings) { s.Server.Listen = "[::1]:1" }, ""},
		"mapped":         {func(s *Settings) { s.Server.Listen = "[::ffff:127.0.0.1]:1" }, ""},
		"named":          {func(s *Settings) { s.Server.Listen = "localhost:1" }, ""},
		"plain gateway":  {func(s *Settings) { s.Gateway.URL = "http://example.com" }, FieldGatewayURL},
		"local gateway":  {func(s *Settings) { s.Gateway.URL = "http://127.0.0.1:1" }, ""},
		"any page":       {func(s *Settings) { s.Server.Origins = []string{"*"} }, FieldOrigins},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s := Default()
			tc.change(&s)
			w := s.Warnings()
			if tc.field == "" && len(w) == 0 {
				return
			}
			if len(w) != 1 || w[0].Field != tc.field || w[0].Text.Empty() {
				t.Errorf("got %v, want a warning about %q", w, tc.field)
			}
		})
	}
}
