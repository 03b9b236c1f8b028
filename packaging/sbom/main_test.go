package main

import (
	"encoding/json"
	"runtime/debug"
	"testing"
)

func TestBill(t *testing.T) {
	const sum = "h1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	b := billOf(&debug.BuildInfo{
		GoVersion: "go1.26.0", Main: debug.Module{Path: "apex-ai-proxy", Version: "(devel)"},
		Deps:     []*debug.Module{{Path: "a.example/b", Version: "v1.2.3", Sum: sum}, {Path: "x", Replace: &debug.Module{Path: "y", Version: "v2"}}},
		Settings: []debug.BuildSetting{{Key: "GOOS", Value: "linux"}, {Key: "-ldflags", Value: "secret"}},
	}, "1.2.3")
	got, err := json.Marshal(b)
	const want = `{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"metadata":{"component":{"type":"application","bom-ref":"apex-ai-proxy","name":"apex-ai-proxy","version":"1.2.3","properties":[{"name":"build:GOOS","value":"linux"}]}},` +
		`"components":[{"type":"library","bom-ref":"pkg:golang/std@1.26.0","name":"std","version":"1.26.0","purl":"pkg:golang/std@1.26.0"},` +
		`{"type":"library","bom-ref":"pkg:golang/a.example/b@v1.2.3","name":"a.example/b","version":"v1.2.3","purl":"pkg:golang/a.example/b@v1.2.3","hashes":[{"alg":"SHA-256","content":"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"}]},` +
		`{"type":"library","bom-ref":"pkg:golang/y@v2","name":"y","version":"v2","purl":"pkg:golang/y@v2"}]}`
	if err != nil || string(got) != want {
		t.Errorf("%v\n%s\nwant\n%s", err, got, want)
	}
}
