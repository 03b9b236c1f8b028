package presenter

import (
	"errors"
	"strings"
	"testing"
	"time"

	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/proxy/prose"
)

func newForm() *Form {
	return NewForm(setUpSettings(), map[string]string{settings.FieldListen: "flag --listen"}, []string{"openai", "groq"})
}

func TestFormShowsTheSettings(t *testing.T) {
	f := newForm()
	if f.Dirty() || !f.Valid() {
		t.Errorf("a new form is dirty %v, valid %v", f.Dirty(), f.Valid())
	}
	for name, want := range map[Field]string{
		FieldGateway: "home", FieldListen: "127.0.0.1:8787", FieldUpstreamTimeout: "10m", FieldStreamIdleTimeout: "5m", FieldRetries: "2",
	} {
		if got := f.Text(name); got != want {
			t.Errorf("%s shows %q, want %q", name, got, want)
		}
	}
	if f.Mode("groq") != settings.KeyStored {
		t.Errorf("groq is %q", f.Mode("groq"))
	}
}

func TestFormValidates(t *testing.T) {
	for name, bad := range map[Field]string{
		FieldAccount: "xyz", FieldGateway: "Home Gateway", FieldGatewayURL: "gateway.example.com",
		FieldAzureResource: "https://x", FieldAzureAPIVersion: "soon", FieldUpstreamTimeout: "10", FieldStreamIdleTimeout: "-1s", FieldRetries: "6",
	} {
		f := newForm()
		good := f.Text(name)
		f.SetText(name, bad)
		if f.Problem(name) == "" || f.Valid() {
			t.Errorf("%s = %q is accepted", name, bad)
		}
		for _, other := range texts {
			if other != name && f.Problem(other) != "" {
				t.Errorf("%s = %q makes %s wrong: %s", name, bad, other, f.Problem(other))
			}
		}
		f.SetText(name, good)
		if f.Problem(name) != "" || !f.Valid() || f.Dirty() {
			t.Errorf("%s is not right again: %s", name, f.Problem(name))
		}
	}
}

func TestFormMakesSettings(t *testing.T) {
	f := newForm()
	f.SetText(FieldAccount, " 0123456789ABCDEF0123456789ABCDEF ")
	f.SetText(FieldUpstreamTimeout, "90s")
	f.SetFlag(FieldKeepRunning, false)
	f.SetMode("groq", settings.KeyOwn)
	s := f.Settings()
	if s.Gateway.Account != "0123456789abcdef0123456789abcdef" {
		t.Errorf("account %q", s.Gateway.Account)
	}
	if time.Duration(s.Server.UpstreamTimeout) != 90*time.Second || s.App.KeepRunning || !s.App.StartProxy {
		t.Errorf("settings %+v", s)
	}
	if len(s.Providers) != 1 || s.Providers["groq"].Key != settings.KeyOwn {
		t.Errorf("providers %+v", s.Providers)
	}
	if !f.Dirty() {
		t.Error("not dirty")
	}
	f.Revert()
	if f.Dirty() || f.Mode("groq") != settings.KeyStored {
		t.Error("revert left something")
	}
}

func TestFormKeepsWhatItDoesNotShow(t *testing.T) {
	s := setUpSettings()
	s.Server.Origins = []string{"https://example.com"}
	s.Providers = map[string]settings.Provider{"mistral": {Key: settings.KeyUnified}}
	f := NewForm(s, nil, []string{"openai"})
	f.SetMode("openai", settings.KeyOwn)
	got := f.Settings()
	if len(got.Server.Origins) != 1 || got.Providers["mistral"].Key != settings.KeyUnified {
		t.Errorf("lost: %+v", got)
	}
	if _, shared := s.Providers["openai"]; shared {
		t.Error("the form wrote into the settings in force")
	}
}

func TestFormLeavesFixedFieldsAlone(t *testing.T) {
	f := newForm()
	reason, fixed := f.Fixed(FieldListen)
	if !fixed || !strings.Contains(reason, "flag --listen") {
		t.Errorf("fixed %v: %q", fixed, reason)
	}
	f.SetText(FieldListen, "127.0.0.1:1")
	if f.Text(FieldListen) != "127.0.0.1:8787" || f.Dirty() {
		t.Error("a fixed field was changed")
	}
	if _, fixed := f.Fixed(FieldAccount); fixed {
		t.Error("a free field is fixed")
	}
}

func TestFormWarns(t *testing.T) {
	f := NewForm(setUpSettings(), nil, nil)
	f.SetText(FieldListen, "0.0.0.0:8787")
	if f.Warning(FieldListen) == "" || !f.Valid() {
		t.Error("listening for everybody is not warned about")
	}
	f.SetText(FieldListen, "nowhere")
	if f.Warning(FieldListen) != "" {
		t.Error("a wrong field is warned about")
	}
}

func TestFormReject(t *testing.T) {
	f := NewForm(setUpSettings(), nil, nil)
	invalid := &settings.ValidationError{Problems: []settings.Problem{
		{Field: settings.FieldGateway, Text: prose.New("no such gateway")}, {Field: "aliases.x", Text: prose.New("not an origin")},
	}}
	if got := f.Reject(invalid); !strings.Contains(got, "aliases.x") {
		t.Errorf("what has no field is not told: %q", got)
	}
	if f.Problem(FieldGateway) != "No such gateway." {
		t.Errorf("problem %q", f.Problem(FieldGateway))
	}
	f.SetText(FieldGateway, "other")
	if f.Problem(FieldGateway) != "" {
		t.Error("the problem stays although the field was changed")
	}
	f.Reject(&PortError{Addr: "127.0.0.1:8787", Err: errors.New("address already in use")})
	if p := f.Problem(FieldListen); p != "Cannot listen on port 8787. The system says: address already in use. Choose another port." {
		t.Errorf("a port that somebody has: %q", p)
	}
	f.Reject(&PortError{Addr: "127.0.0.1:8787", Holder: "nginx (pid 12)"})
	if !strings.Contains(f.Problem(FieldListen), "in use by nginx") {
		t.Errorf("listen: %q", f.Problem(FieldListen))
	}
	if got := f.Reject(errors.New("write the file: disk full")); got != "Write the file: disk full." {
		t.Errorf("%q", got)
	}
}

func TestFormReloadKeepsEdits(t *testing.T) {
	f := NewForm(setUpSettings(), nil, []string{"groq"})
	f.SetText(FieldGateway, " office ")
	f.SetText(FieldAzureResource, "half-typed")
	f.SetText(FieldUpstreamTimeout, "not a time")
	f.SetMode("groq", settings.KeyOwn)
	saved := f.base
	saved.Gateway.ID = "office"
	saved.Server.Debug = true
	f.Reload(saved, nil)
	for name, want := range map[Field]string{
		FieldGateway: "office", FieldAzureResource: "half-typed", FieldUpstreamTimeout: "not a time",
	} {
		if got := f.Text(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if !f.Flag(FieldDebug) || f.Mode("groq") != settings.KeyOwn {
		t.Error("a change from elsewhere or an edit was lost")
	}
	if f.Valid() {
		t.Error("what cannot be read counts as valid")
	}
}

func TestFormCaptures(t *testing.T) {
	f := NewForm(settings.Default(), nil, nil)
	f.SetText(FieldExchanges, "many")
	f.SetText(FieldMemory, "0")
	if f.Problem(FieldExchanges) != "Write a whole number." || f.Problem(FieldMemory) == "" || f.Valid() {
		t.Errorf("%q, %q", f.Problem(FieldExchanges), f.Problem(FieldMemory))
	}
	f.SetText(FieldExchanges, " 20 ")
	f.SetText(FieldMemory, "64")
	f.SetText(FieldBodies, "errors")
	f.SetText(FieldOrigins, "https://a.example, https://b.example:8443/")
	s := f.Settings()
	if !f.Valid() || s.Captures != (settings.Captures{Bodies: settings.BodiesErrors, Exchanges: 20, Memory: 64}) || strings.Join(s.Server.Origins, " ") != "https://a.example https://b.example:8443" {
		t.Errorf("%t %+v %v", f.Valid(), s.Captures, s.Server.Origins)
	}
	f.SetText(FieldOrigins, "a.example")
	if f.Problem(FieldOrigins) == "" {
		t.Error("an origin without a scheme is not refused")
	}
}

// An address that was copied from the dashboard, or the gateway's own, holds both.
func TestPastedAddressesFillBothFields(t *testing.T) {
	const id, other = "fedcba9876543210fedcba9876543210", "0123456789abcdef0123456789abcdef"
	page := "https://dash.cloudflare.com/" + id + "/ai/ai-gateway/gateways/office/logs"
	endpoint := "https://gateway.ai.cloudflare.com/v1/" + id + "/office/openai"
	const base = "https://gateway.ai.cloudflare.com/v1"
	for name, c := range map[string]struct {
		field         Field
		text          string
		account, gate string
		url           string
	}{
		"page in account":     {FieldAccount, page, id, "office", base},
		"page in gateway":     {FieldGateway, page, id, "office", base},
		"endpoint in account": {FieldAccount, endpoint, id, "office", base},
		"endpoint in gateway": {FieldGateway, " " + endpoint + "\n", id, "office", base},
		"endpoint in URL":     {FieldGatewayURL, endpoint, id, "office", base},
		"account's page":      {FieldGateway, "https://dash.cloudflare.com/" + id + "/ai/ai-gateway", id, "home", base},
		"nobody's page":       {FieldGateway, "https://dash.cloudflare.com/", other, "https://dash.cloudflare.com/", base},
		"another field":       {FieldAzureResource, page, other, "home", base},
	} {
		f := newForm()
		f.SetText(c.field, c.text)
		if a, g, u := f.Text(FieldAccount), f.Text(FieldGateway), f.Text(FieldGatewayURL); a != c.account || g != c.gate || u != c.url {
			t.Errorf("%s: account %q, gateway %q, URL %q", name, a, g, u)
		}
	}
	fixed := NewForm(setUpSettings(), map[string]string{settings.FieldAccount: "flag --account"}, nil)
	fixed.SetText(FieldGateway, page)
	if fixed.Text(FieldAccount) != other || fixed.Text(FieldGateway) != "office" {
		t.Errorf("a fixed account became %q, the gateway %q", fixed.Text(FieldAccount), fixed.Text(FieldGateway))
	}
}

// An address that is typed letter by letter stays while it may go on, and counts already as
// what it names.
func TestTypedAddressesFillBothFields(t *testing.T) {
	const id, other = "fedcba9876543210fedcba9876543210", "0123456789abcdef0123456789abcdef"
	page := "https://dash.cloudflare.com/" + id + "/ai/ai-gateway/gateways/office"
	for name, c := range map[string]struct {
		field                   Field
		text                    string
		account, gate, problems string
	}{
		"page in account":     {FieldAccount, page, id, "office", ""},
		"page in gateway":     {FieldGateway, page, id, "office", ""},
		"endpoint in URL":     {FieldGatewayURL, "https://gateway.ai.cloudflare.com/v1/" + id + "/office", id, "office", ""},
		"account's page":      {FieldAccount, "dash.cloudflare.com/" + id, id, "home", ""},
		"no gateway's page":   {FieldGateway, "https://dash.cloudflare.com/" + id, other, "https://dash.cloudflare.com/" + id, FieldGateway},
		"nobody's page":       {FieldAccount, "https://dash.cloudflare.com/", "https://dash.cloudflare.com/", "home", FieldAccount},
		"another field":       {FieldAzureResource, page, other, "home", FieldAzureResource},
		"what is no address":  {FieldGateway, "office", other, "office", ""},
		"a gateway with dots": {FieldGateway, "a.b", other, "a.b", FieldGateway},
	} {
		f := newForm()
		f.SetText(c.field, "")
		for i := range c.text {
			f.SetText(c.field, c.text[:i+1])
		}
		if f.Text(c.field) != c.text {
			t.Errorf("%s: what is typed becomes %q", name, f.Text(c.field))
		}
		before, valid := f.Settings().Gateway, f.Valid()
		f.Settle()
		if a, g := f.Text(FieldAccount), f.Text(FieldGateway); a != c.account || g != c.gate {
			t.Errorf("%s: account %q, gateway %q", name, a, g)
		}
		if s := f.Settings().Gateway; s != before || f.Valid() != valid || valid != (c.problems == "") || c.problems != "" && f.Problem(c.problems) == "" {
			t.Errorf("%s: from %+v to %+v, valid %t, then %t", name, before, s, valid, f.Valid())
		}
	}
	fixed := NewForm(setUpSettings(), map[string]string{settings.FieldAccount: "flag --account"}, nil)
	for i := range page {
		fixed.SetText(FieldGateway, page[:i+1])
	}
	fixed.Settle()
	if fixed.Text(FieldAccount) != other || fixed.Text(FieldGateway) != "office" {
		t.Errorf("a fixed account became %q, the gateway %q", fixed.Text(FieldAccount), fixed.Text(FieldGateway))
	}
}
