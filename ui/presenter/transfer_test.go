package presenter

import (
	"strings"
	"testing"

	"apex-ai-proxy/app/settings"
)

func TestReadImport(t *testing.T) {
	before := settings.Default()
	in, err := ReadImport([]byte(`{"vars":{"GATEWAY_ID":"home","GatewayToken":"made-up-secret"}}`), before, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(in.Changes) != 1 || in.Changes[0] != (ImportLine{"gateway.id", "New: home"}) || in.Settings.Gateway.ID != "home" {
		t.Errorf("%+v", in)
	}
	if len(in.Ignored) != 1 || in.Ignored[0].Name != "GatewayToken" || !strings.HasPrefix(in.Ignored[0].Text, "A secret") {
		t.Errorf("%+v", in.Ignored)
	}
	for file, want := range map[string]string{
		"nonsense": "The file holds neither", "": "The file holds nothing",
		"[server]\nlisten = 'x'": "server.listen: An address and a port",
	} {
		if _, err := ReadImport([]byte(file), before, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", file, err)
		}
	}
	same, err := settings.Export(before)
	if err != nil {
		t.Fatal(err)
	}
	if in, err := ReadImport(same, before, nil); err != nil || len(in.Changes)+len(in.Ignored) > 0 {
		t.Errorf("%+v, %v", in, err)
	}
}
