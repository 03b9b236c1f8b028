package settings

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

var knownProviders = []string{"openai", "groq"}

const hexAccount = "0123456789abcdef0123456789abcdef"

// seedConfig is the configuration of a Worker with all that the format allows.
const seedConfig = `
// the worker
{
  "$schema": "node_modules/wrangler/config-schema.json",
  "name": "apex-ai-proxy", /* its "name", */
  "vars": {
    "ACCOUNT_ID": "0123456789ABCDEF0123456789abcdef", // mine
    "GATEWAY_ID": " home ",
    "AZURE_RESOURCE": "your-azure-resource-name", // Optional: for Azure OpenAI
    "AZURE_API_VERSION": "2024-10-21",
    "GatewayToken": "made-up-secret",
    "OPENAI_API_KEY": "made-up-secret",
    "LOG_URL": "https://x.example//y /* no comment */",
    "GATEWAY": 3,
  },
}
`

func TestImportWorker(t *testing.T) {
	before := Default()
	before.Server.Listen = "127.0.0.1:9999"
	in, err := Import([]byte(seedConfig), before, knownProviders)
	if err != nil {
		t.Fatal(err)
	}
	want := before
	want.Gateway.Account, want.Gateway.ID, want.Azure.APIVersion = hexAccount, "home", "2024-10-21"
	if !reflect.DeepEqual(in.Settings.Normalized(), want.Normalized()) {
		t.Errorf("%+v, want %+v", in.Settings, want)
	}
	ignored := map[string]string{}
	for _, x := range in.Ignored {
		ignored[x.Name] = x.Why.String()
	}
	if !reflect.DeepEqual(ignored, map[string]string{
		"AZURE_RESOURCE": ignoredExample.String(), "GatewayToken": ignoredSecret.String(), "OPENAI_API_KEY": ignoredSecret.String(),
		"LOG_URL": ignoredUnknown.String(), "GATEWAY": ignoredUnknown.String(),
	}) {
		t.Errorf("ignored: %v", ignored)
	}
	if strings.Contains(fmt.Sprintf("%+v", in), "made-up-secret") {
		t.Error("a secret was taken along")
	}
}

func TestImportRefuses(t *testing.T) {
	deep := strings.Repeat("[", 200000)
	for name, c := range map[string]struct {
		file string
		want error
	}{
		"empty":             {" \n", ErrNothing},
		"too large":         {"#" + strings.Repeat(" ", MaxImport) + "x", ErrTooLarge},
		"prose":             {"Dear reader, this is no file of settings.", ErrNoSettings},
		"binary":            {"\x00\x01\x02\xff", ErrNoSettings},
		"json without vars": {`{"name":"x"}`, ErrNoSettings},
		"json list":         {`[1,2]`, ErrNoSettings},
		"vars no object":    {`{"vars":["ACCOUNT_ID"]}`, ErrNoSettings},
		"half a file":       {`{"vars":{"ACCOUNT_ID":"` + hexAccount, ErrNoSettings},
		"open comment":      {`/* {"vars":{}}`, ErrNoSettings},
		"slash":             {`/`, ErrNoSettings},
		"deep json":         {`{"vars":` + deep, ErrNoSettings},
		"only secrets":      {`{"vars":{"GatewayToken":"x"}}`, ErrNothing},
		"only the example":  {`{"vars":{"ACCOUNT_ID":"your-cloudflare-account-id","GATEWAY_ID":"your-gateway-id"}}`, ErrNothing},
		"dev vars":          {"GatewayToken=abc", ErrNoSettings},
		"secrets in TOML":   {`GATEWAY_TOKEN = "x"`, ErrNoSettings},
	} {
		t.Run(name, func(t *testing.T) {
			if in, err := Import([]byte(c.file), Default(), knownProviders); !errors.Is(err, c.want) || !reflect.DeepEqual(in, Imported{}) {
				t.Errorf("%v with %+v, want %v", err, in, c.want)
			}
		})
	}
	for field, file := range map[string]string{
		FieldAccount:     `{"vars":{"ACCOUNT_ID":"me@example.com"}}`,
		FieldGateway:     "[vars]\nGATEWAY_ID = 'My Gateway'",
		FieldListen:      "[server]\nlisten = 'nowhere'",
		FieldDebug:       "[server]\ndebug = 'maybe'",
		"providers.acme": "[providers.acme]\nkey = 'own'",
		FieldGatewayURL:  "[gateway]\nurl = 'https://user:password@x.example'",
	} {
		_, err := Import([]byte(file), Default(), knownProviders)
		var v *ValidationError
		if !errors.As(err, &v) || v.Field(field) == "" {
			t.Errorf("%s: %v", field, err)
		}
	}
	var newer *NewerError
	if _, err := Import([]byte("version = 99"), Default(), knownProviders); !errors.As(err, &newer) {
		t.Errorf("a newer file: %v", err)
	}
}

func TestImportWorkerInTOML(t *testing.T) {
	in, err := Import([]byte("name = 'x'\n[vars]\nACCOUNT_ID = '"+hexAccount+"'\n[env.production.vars]\nGATEWAY_ID = 'x'"), Default(), knownProviders)
	if err != nil || in.Settings.Gateway.Account != hexAccount || len(in.Ignored) != 1 || in.Ignored[0].Name != "env" {
		t.Errorf("%+v, %v", in, err)
	}
}

// TestExportAndImport brings settings to another computer.
func TestExportAndImport(t *testing.T) {
	s := Default()
	s.Gateway.Account, s.Gateway.ID = hexAccount, "home"
	s.Server.Origins = []string{"https://a.example"}
	s.Providers = map[string]Provider{"openai": {Key: KeyOwn}}
	s.Aliases = map[string]any{"fast": []any{"gpt-5-mini#openai", "echo#demo"}}
	s.Claude = map[Tier]any{"haiku": "gpt-5-mini#openai"}
	s.App.Guided = true
	data, err := Export(s)
	if err != nil {
		t.Fatal(err)
	}
	other := Default()
	other.Server.Origins = []string{"https://b.example", "https://c.example"}
	other.Providers = map[string]Provider{"groq": {Key: KeyUnified}}
	other.Aliases, other.Claude = map[string]any{"slow": "echo#demo"}, map[Tier]any{"opus": "echo#demo"}
	other.Captures.Exchanges = 7
	unchanged := fmt.Sprintf("%+v", other)
	in, err := Import(append([]byte("\xef\xbb\xbf"), data...), other, knownProviders)
	if err != nil || len(in.Ignored) != 0 {
		t.Fatalf("%v, %+v", err, in.Ignored)
	}
	want := s
	want.App.Guided = false // which is about this computer
	want.Providers = map[string]Provider{"openai": {Key: KeyOwn}, "groq": {Key: KeyUnified}}
	want.Aliases = map[string]any{"fast": s.Aliases["fast"], "slow": "echo#demo"}
	want.Claude = map[Tier]any{"haiku": s.Claude["haiku"], "opus": "echo#demo"}
	if len(Changes(in.Settings, want)) != 0 {
		t.Errorf("differs in %+v", Changes(in.Settings, want))
	}
	if fmt.Sprintf("%+v", other) != unchanged {
		t.Errorf("the settings before were changed: %+v", other)
	}
}

func TestImportKeepsWhatTheFileDoesNotHave(t *testing.T) {
	before := Default()
	before.Gateway.Account, before.App.Theme = hexAccount, ThemeDark
	in, err := Import([]byte("[gateway]\nid = 'work'\ntoken = 'made-up'\n[future]\nx = 1"), before, knownProviders)
	if err != nil {
		t.Fatal(err)
	}
	got := Changes(before, in.Settings)
	if want := []Change{{FieldGateway, "", "work"}}; !reflect.DeepEqual(got, want) {
		t.Errorf("changes %+v, want %+v", got, want)
	}
	if len(in.Ignored) != 2 || in.Ignored[0].Name != "gateway.token" || in.Ignored[0].Why.String() != ignoredSecret.String() || in.Ignored[1].Name != "future.x" && in.Ignored[1].Name != "future" {
		t.Errorf("ignored %+v", in.Ignored)
	}
}

func TestChanges(t *testing.T) {
	a, b := Default(), Default()
	if c := Changes(a, b); len(c) != 0 {
		t.Errorf("%+v", c)
	}
	b.Server.Origins = []string{"https://x.example", "https://y.example"}
	b.Server.Debug = true
	b.Claude = map[Tier]any{"haiku": "echo#demo"}
	want := []Change{
		{"claude.haiku", "", "echo#demo"}, {"server.debug", "false", "true"}, {"server.origins", "", "https://x.example, https://y.example"},
	}
	if got := Changes(a, b); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// FuzzImport holds Import to never failing otherwise than with an error, and to settings
// that are valid.
func FuzzImport(f *testing.F) {
	f.Add([]byte(seedConfig))
	f.Add([]byte("[gateway]\nid = 'x'"))
	f.Add([]byte(`{"vars":{"ACCOUNT_ID":"a\"//"},} // x`))
	f.Fuzz(func(t *testing.T, data []byte) {
		in, err := Import(data, Default(), knownProviders)
		if err == nil && in.Settings.Validate(knownProviders) != nil {
			t.Errorf("not valid: %+v", in.Settings)
		}
		if plain := plainJSON(data); len(plain) > len(data) || bytes.Count(plain, []byte{'{'}) > bytes.Count(data, []byte{'{'}) {
			t.Errorf("%q became %q", data, plain)
		}
	})
}
