package arrows

import (
	"maps"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/fstest"
)

const root = "../.."

var rules = map[string]func(*tree) []string{
	"bans":        checkBans,
	"allowances":  checkAllowances,
	"homes":       checkHomes,
	"tray file":   checkTrayFile,
	"third party": checkThirdParty,
	"docs":        checkDocs,
	"meta":        checkMeta,
	"thread":      checkThread,
	"exits":       checkExits,
	"secrets":     checkSecrets,
	"words":       checkWords,
	"scripts":     checkScripts,
	"workflows":   checkWorkflows,
}

// TestProject holds the project to the rules.
func TestProject(t *testing.T) {
	tr := loadTree(t, os.DirFS(root))
	if len(tr.files) < 50 {
		t.Fatalf("only %d files found: wrong folder?", len(tr.files))
	}
	for name, check := range rules {
		t.Run(name, func(t *testing.T) {
			for _, found := range check(tr) {
				t.Error(found)
			}
		})
	}
}

// good is a small project that keeps all rules.
func good() fstest.MapFS {
	return fstest.MapFS{
		"main.go":                  text("// Command apex-ai-proxy is good.\npackage main\n\nimport (\n\t\"os\"\n\n\t\"apex-ai-proxy/app/desktop\"\n)\n\nfunc main() { os.Exit(desktop.Run()) }\n"),
		"FyneApp.toml":             text("[Details]\nID = \"dev.x\"\nName = \"X\"\nVersion = \"1.2.3\"\nBuild = 4\n"),
		"app/desktop/meta.go":      text("// Package desktop is good.\npackage desktop\n\nimport _ \"fyne.io/fyne/v2/app\"\n\nconst (\n\tID = \"dev.x\"\n\tName = \"X\"\n\tVersion = app.Version\n\tBuild = 4\n)\n"),
		"app/version.go":           text("// Package app is good.\npackage app\n\nconst Version = \"1.2.3\"\n"),
		"proxy/guard.go":           text("package proxy\n\nfunc known(key string, c *Config) bool {\n\tif c.LocalKey == \"\" {\n\t\treturn false\n\t}\n\treturn subtle.ConstantTimeCompare([]byte(key), []byte(c.LocalKey)) == 1\n}\n"),
		"app/secrets.go":           text("package app\n\nfunc f(name, key string) { _ = name == secret.LocalKey; _ = a.LocalKey() != \"\"; c.LocalKey = key; _, _, _ = strings.Cut(a.LocalKey(), \" \") }\n"),
		"proxy/routes.go":          text("// Package proxy is good.\npackage proxy\n\nimport (\n\t_ \"net/http\"\n\n\t_ \"github.com/gorilla/mux\"\n\n\t_ \"apex-ai-proxy/proxy/convert\"\n)\n"),
		"ui/ui.go":                 text("// Package ui is good.\npackage ui\n\nimport \"fyne.io/fyne/v2\"\n\nvar _ = fyne.Do\n"),
		"ui/tray.go":               text("package ui\n\nimport _ \"fyne.io/systray\"\n"),
		".github/workflows/ci.yml": text("on: push\npermissions:\n  contents: read\njobs:\n  a:\n    steps:\n      - uses: actions/checkout@" + strings.Repeat("0a", 20) + " # v1.2.3\n"),
		"packaging/run.sh":         {Data: []byte("#!/usr/bin/env bash\n"), Mode: 0o755},
	}
}

func text(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s), Mode: 0o644} }

// TestRulesFind breaks each rule and wants it found where it was broken.
func TestRulesFind(t *testing.T) {
	for name, found := range rules {
		t.Run("nothing in a good project/"+name, func(t *testing.T) {
			if f := found(loadTree(t, good())); len(f) > 0 {
				t.Error(f)
			}
		})
	}
	use := func(pkg, imported string) *fstest.MapFile {
		return text("// Package " + pkg + " is bad.\npackage " + pkg + "\n\nimport _ \"" + imported + "\"\n")
	}
	body := func(pkg, statements string) *fstest.MapFile {
		return text("// Package " + pkg + " is bad.\npackage " + pkg + "\n\nfunc f() { " + statements + " }\n")
	}
	work := "/wo" + "rk/x"
	for _, c := range []struct {
		rule, path string
		file       *fstest.MapFile
	}{
		{"bans", "proxy/a.go", use("proxy", "apex-ai-proxy/app/settings")},
		{"bans", "proxy/a_test.go", use("proxy", "apex-ai-proxy/ui")},
		{"bans", "proxy/demo/a.go", use("demo", "fyne.io/fyne/v2")},
		{"bans", "proxy/convert/a.go", use("convert", "net/http")},
		{"bans", "proxy/convert/ir/a.go", use("ir", "os")},
		{"bans", "proxy/convert/ir/a.go", use("ir", "log/slog")},
		{"bans", "proxy/convert/anthropic/a.go", use("anthropic", "time")},
		{"bans", "proxy/convert/anthropic/a_windows.go", use("anthropic", "crypto/rand")},
		{"bans", "app/a.go", use("app", "apex-ai-proxy/ui/presenter")},
		{"bans", "app/client/a.go", use("client", "os")},
		{"bans", "app/e2e/a_test.go", use("e2e", "fyne.io/fyne/v2/test")},
		{"bans", "ui/presenter/a.go", use("presenter", "fyne.io/fyne/v2")},
		{"bans", "ui/a.go", use("ui", "apex-ai-proxy/proxy/provider")},
		{"allowances", "proxy/convert/a.go", use("convert", "apex-ai-proxy/proxy/event")},
		{"allowances", "proxy/convert/anthropic/a.go", use("anthropic", "apex-ai-proxy/proxy/convert/openaichat")},
		{"allowances", "proxy/convert/openaichat/a.go", use("openaichat", "apex-ai-proxy/proxy/convert/anthropic")},
		{"allowances", "proxy/convert/openairesponses/a.go", use("openairesponses", "apex-ai-proxy/proxy/convert/anthropic")},
		{"allowances", "proxy/convert/ir/a.go", use("ir", "apex-ai-proxy/proxy/convert/anthropic")},
		{"allowances", "proxy/rawjson/a.go", use("rawjson", "apex-ai-proxy/proxy/event")},
		{"allowances", "proxy/sse/a.go", use("sse", "apex-ai-proxy/proxy/event")},
		{"allowances", "proxy/event/a.go", use("event", "apex-ai-proxy/proxy")},
		{"allowances", "app/settings/a.go", use("settings", "apex-ai-proxy/app/secret")},
		{"allowances", "app/secret/a.go", use("secret", "apex-ai-proxy/app/settings")},
		{"allowances", "app/client/a.go", use("client", "apex-ai-proxy/app/settings")},
		{"allowances", "ui/presenter/a.go", use("presenter", "apex-ai-proxy/app")},
		{"allowances", "assets/a.go", use("assets", "apex-ai-proxy/ui")},
		{"homes", "proxy/server.go", use("proxy", "github.com/gorilla/mux")},
		{"homes", "app/a_test.go", use("app", "github.com/zalando/go-keyring")},
		{"homes", "app/desktop/a.go", use("desktop", "fyne.io/systray")},
		{"homes", "main_test.go", use("main", "fyne.io/fyne/v2")},
		{"homes", "assets/a.go", use("assets", "fyne.io/fyne/v2/widget")},
		{"homes", "ui/a_test.go", use("ui", "fyne.io/fyne/v2/app")},
		{"homes", "ui/a.go", use("ui", "fyne.io/fyne/v2/driver/glfw")},
		{"homes", "proxy/a.go", use("proxy", "github.com/openai/openai-go/v3")},
		{"homes", "proxy/a.go", use("proxy", "github.com/anthropics/anthropic-sdk-go/option")},
		{"homes", "proxy/a.go", use("proxy", "golang.org/x/tools/txtar")},
		{"homes", "proxy/a.go", use("proxy", "go.yaml.in/yaml/v3")},
		{"homes", "proxy/a.go", use("proxy", "testing")},
		{"homes", "proxy/a.go", use("proxy", "apex-ai-proxy/proxy/demo/fakegateway")},
		{"homes", "proxy/demo/a.go", use("demo", "apex-ai-proxy/proxy/demo/grammar")},
		{"homes", "proxy/a.go", use("proxy", "apex-ai-proxy/proxy/spent/spoil")},
		{"tray file", "ui/second.go", use("ui", "fyne.io/systray")},
		{"third party", "proxy/convert/ir/a.go", use("ir", "github.com/tidwall/gjson")},
		{"third party", "proxy/event/a.go", use("event", "github.com/tidwall/gjson")},
		{"docs", "proxy/sse/a.go", text("package sse\n")},
		{"docs", "proxy/sse/a.go", text("// Sse is good.\npackage sse\n")},
		{"docs", "app/e2e/a_test.go", text("package e2e\n")},
		{"meta", "FyneApp.toml", text("[Details]\nID = \"dev.y\"\nName = \"X\"\nVersion = \"1.2.3\"\nBuild = 4\n")},
		{"meta", "FyneApp.toml", text("[Details]\nID = \"dev.x\"\nName = \"Y\"\nVersion = \"1.2.3\"\nBuild = 4\n")},
		{"meta", "FyneApp.toml", text("[Details]\nID = \"dev.x\"\nName = \"X\"\nVersion = \"1.2.4\"\nBuild = 4\n")},
		{"meta", "FyneApp.toml", text("[Details]\nID = \"dev.x\"\nName = \"X\"\nVersion = \"1.2.3\"\nBuild = 5\n")},
		{"meta", "app/version.go", text("// Package app is good.\npackage app\n\nconst Version = \"1.2.2\"\n")},
		{"meta", "app/desktop/meta.go", text("// Package desktop is good.\npackage desktop\n")},
		{"thread", "ui/a.go", text("package ui\n\nimport \"fyne.io/fyne/v2\"\n\nvar _ = fyne.DoAndWait\n")},
		{"thread", "app/desktop/a.go", text("package desktop\n\nimport \"fyne.io/fyne/v2\"\n\nfunc f() { fyne.Do(f) }\n")},
		{"exits", "app/a.go", text("// Package app is bad.\npackage app\n\nimport \"os\"\n\nfunc f() { os.Exit(1) }\n")},
		{"exits", "app/a.go", text("// Package app is bad.\npackage app\n\nimport \"log\"\n\nfunc f() { log.Fatalf(\"x\") }\n")},
		{"exits", "app/a.go", text("// Package app is bad.\npackage app\n\nimport \"log/slog\"\n\nfunc f() { slog.InfoContext(nil, \"x\") }\n")},
		{"secrets", "proxy/a.go", body("proxy", `if cfg.LocalKey == key { f() }`)},
		{"secrets", "proxy/a.go", body("proxy", `ok = key != cfg.GatewayToken`)},
		{"secrets", "proxy/a.go", body("proxy", `for _, want := range []string{cfg.LocalKey} { ok = ok || key == want }`)},
		{"secrets", "proxy/a.go", body("proxy", `want := sha256.Sum256([]byte(cfg.LocalKey)); ok = want == sum`)},
		{"secrets", "proxy/a.go", body("proxy", `want := []byte(cfg.LocalKey); ok = bytes.Equal(want, key)`)},
		{"secrets", "proxy/a.go", body("proxy", `var want = cfg.LocalKey; ok = strings.HasPrefix(key, want)`)},
		{"secrets", "proxy/a.go", body("proxy", `ok = len(key) == len(cfg.LocalKey)`)},
		{"secrets", "proxy/a.go", body("proxy", `switch key { case cfg.LocalKey: f() }`)},
		{"secrets", "proxy/a.go", body("proxy", `switch cfg.LocalKey { case "", key: f() }`)},
		{"secrets", "proxy/a.go", body("proxy", `ok = known[cfg.LocalKey]`)},
		{"secrets", "app/a.go", body("app", `ok = key == a.LocalKey()`)},
		{"secrets", "proxy/guard.go", body("proxy", `ok = same(key, cfg.LocalKey)`)},
		{"words", "README.md", text("Look into " + work + " for it.\n")},
		{"words", "proxy/a_test.go", text("package proxy\n\nconst dir = \"" + "/tm" + "p/x\"\n")},
		{"words", "packaging/run.sh", &fstest.MapFile{Data: []byte("#!/bin/sh\nls /ro" + "ot/\n"), Mode: 0o755}},
		{"words", "packaging/run.sh", &fstest.MapFile{Data: []byte("#!/bin/sh\nexport GOPROXY=https://proxy.golang" + ".org\n"), Mode: 0o755}},
		{"words", "proxy/a.go", text("package proxy\n\n// TO" + "DO: later\n")},
		{"workflows", ".github/workflows/ci.yml", text("on: push\npermissions:\n  contents: read\n\njobs:\n  a:\n    steps:\n      - uses: actions/checkout@v7\n")},
		{"workflows", ".github/workflows/ci.yml", text("on: push\npermissions:\n  contents: read\n\njobs:\n  a:\n    steps:\n      - name: x\n        uses: actions/checkout@" + strings.Repeat("0a", 20) + "\n")},
		{"workflows", ".github/workflows/ci.yml", text("on: push\njobs:\n  a:\n    steps:\n      - run: ls\n")},
		{"scripts", "packaging/run.sh", text("#!/usr/bin/env bash\n")},
		{"scripts", ".ci/run", text("#!/usr/bin/env bash\n")},
		{"scripts", "packaging/b.sh", text("echo hello\n")},
	} {
		t.Run(c.rule+"/"+c.path, func(t *testing.T) {
			project := good()
			maps.Copy(project, fstest.MapFS{c.path: c.file})
			got := strings.Join(rules[c.rule](loadTree(t, project)), "\n")
			place, _, _ := strings.Cut(c.path, "/a")
			if c.rule == "meta" {
				place = "app/desktop/meta.go"
			}
			if !strings.Contains(got, place) {
				t.Errorf("%s breaks the rule and was not found; found: %q\n%s", c.path, got, c.file.Data)
			}
		})
	}
}

// TestHeadless asks the go command what is built in the end, with all that others import.
func TestHeadless(t *testing.T) {
	for name, args := range map[string][]string{
		"the program without a window": {"-tags", "headless", "."},
		"the proxy":                    {"./proxy/..."},
	} {
		t.Run(name, func(t *testing.T) {
			deps := list(t, args...)
			if len(deps) < 20 {
				t.Fatalf("only %d packages: wrong folder?", len(deps))
			}
			for _, pkg := range deps {
				if within(pkg, "fyne.io") || pkg == module+"/ui" {
					t.Errorf("%s contains %s: it is for machines without a display", name, pkg)
				}
			}
		})
	}
	if deps := strings.Join(list(t, "."), "\n"); !strings.Contains(deps, "fyne.io/fyne/v2/app") {
		t.Error("the program with a window contains none: the check above proves nothing")
	}
}

// list is the packages that are built for go list's arguments.
func list(t *testing.T, args ...string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-deps"}, args...)...)
	cmd.Dir = root
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	return strings.Fields(string(out))
}
