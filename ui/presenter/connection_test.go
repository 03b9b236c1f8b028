package presenter

import (
	"strings"
	"testing"

	"apex-ai-proxy/proxy/probe"
)

func TestJudge(t *testing.T) {
	asked := []probe.Provider{{Name: "openai", Title: "OpenAI", State: probe.Ready}, {Name: "grok", Title: "xAI Grok", State: probe.KeyMissing}}
	for _, c := range []struct {
		finding probe.Finding
		tone    Tone
		text    string
		detail  string
		field   Field
	}{
		{probe.Finding{Cause: probe.OK, Providers: asked}, ToneGood, "The gateway answers and takes the token.", "Ready: OpenAI. No key yet: xAI Grok.", ""},
		{probe.Finding{Cause: probe.NoKey, Said: "2044", Providers: asked[1:]}, ToneWarn, "no provider's key is stored", "It said: 2044.", ""},
		{probe.Finding{Cause: probe.Unreachable, Said: "lookup gateway.example: no such host"}, ToneBad, "cannot be reached", "It said: lookup gateway.example: no such host.", ""},
		{probe.Finding{Cause: probe.TokenRefused, Said: "Cloudflare 2009: Unauthorized", LogID: "01J"}, ToneBad, "refused the token", "It said: Cloudflare 2009: Unauthorized. Log 01J.", FieldToken},
		{probe.Finding{Cause: probe.Invalid, Setting: FieldAccount, Said: "an account id has 32 digits"}, ToneBad, "An account id has 32 digits.", "", FieldAccount},
		{probe.Finding{Cause: probe.WrongGateway, Gateways: []string{"home", "work"}}, ToneBad, "no gateway with this name", "Its gateways: home, work.", FieldGateway},
		{probe.Finding{Cause: probe.OwnKey, Provider: "grok", Providers: asked}, ToneBad, "xAI Grok does not take your own key.", "Ready: OpenAI. No key yet: xAI Grok.", "providers.grok.key"},
		{probe.Finding{Cause: probe.Unreachable, Said: strings.Repeat("x", 500)}, ToneBad, "cannot be reached", "…", ""},
	} {
		v := Judge(c.finding)
		if v.Tone != c.tone || !strings.Contains(v.Text, c.text) || !strings.Contains(v.Detail, c.detail) || v.Field != c.field {
			t.Errorf("%s: %+v", c.finding.Cause, v)
		}
		if (v.Cure == "") != (v.Tone == ToneGood) || len(v.Detail) > 300 {
			t.Errorf("%s: cure %q, detail %q", c.finding.Cause, v.Cure, v.Detail)
		}
	}
}
