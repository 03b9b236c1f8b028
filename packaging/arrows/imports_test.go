package arrows

import (
	"path"
	"slices"
	"strings"
)

// ban forbids imports to the files of a folder.
type ban struct {
	from   string   // folder
	except string   // folder inside it that may
	tests  bool     // holds for test files too
	pkgs   []string // with everything below; "own:x" is x of this module
	but    []string // packages below them that are fine
	why    string
}

var bans = []ban{
	{from: "proxy", tests: true, pkgs: []string{"fyne.io", "own:app", "own:ui", "own:assets"}, why: "the proxy runs without a window and is wired by app, not the reverse; publish an event instead"},
	{from: "proxy/convert", pkgs: []string{"net", "os", "log", "time", "io/fs", "io/ioutil", "math/rand", "crypto/rand", "crypto/tls", "syscall", "runtime", "path/filepath", "context"}, but: []string{"net/url"}, why: "a conversion takes and returns bytes: pass time, ids and files in, return losses and errors"},
	{from: "app", except: "app/desktop", tests: true, pkgs: []string{"fyne.io", "own:ui", "own:app/desktop"}, why: "only app/desktop opens a window, so that the command line needs no display"},
	{from: "app/client", pkgs: []string{"os", "net", "log", "time", "io/fs", "syscall", "path/filepath"}, why: "what a client is told depends on nothing but its input"},
	{from: "ui/presenter", tests: true, pkgs: []string{"fyne.io"}, why: "what to show is decided without a display and tested without one"},
	{from: "ui", pkgs: []string{"own:proxy/convert", "own:proxy/provider", "own:app/desktop"}, why: "the window sees records and settings; how requests are served is none of its business"},
}

// checkBans finds imports that a folder must not have.
func checkBans(tr *tree) (found []string) {
	tr.imports(func(f file, at, pkg string) {
		for _, b := range bans {
			if !f.in(b.from) || b.except != "" && f.in(b.except) || f.isTest() && !b.tests {
				continue
			}
			for _, banned := range b.pkgs {
				banned = strings.Replace(banned, "own:", module+"/", 1)
				if within(pkg, banned) && !slices.Contains(b.but, pkg) {
					found = append(found, at+": "+b.from+" must not import "+pkg+": "+b.why)
				}
			}
		}
	})
	return found
}

// allowance lists all that a folder may import of this module.
type allowance struct {
	from string
	pkgs []string // the packages themselves, and what is inside from
	why  string
}

var allowances = []allowance{
	{"proxy/convert", []string{"proxy/prose", "proxy/rawjson", "proxy/sse"}, "a conversion stands alone, so that it can be tested and moved alone"},
	{"proxy/convert/ir", []string{"proxy/prose", "proxy/rawjson"}, "the neutral form knows no protocol"},
	{"proxy/convert/openaichat", []string{"proxy/convert/internal/openaierror", "proxy/convert/ir", "proxy/prose", "proxy/rawjson", "proxy/sse"}, "a codec knows its own protocol and the neutral form, never another codec"},
	{"proxy/convert/openairesponses", []string{"proxy/convert/internal/openaierror", "proxy/convert/ir", "proxy/prose", "proxy/rawjson", "proxy/sse"}, "a codec knows its own protocol and the neutral form, never another codec"},
	{"proxy/convert/anthropic", []string{"proxy/convert/internal/openaierror", "proxy/convert/ir", "proxy/prose", "proxy/rawjson", "proxy/sse"}, "a codec knows its own protocol and the neutral form, never another codec"},
	{"proxy/prose", nil, "it is a leaf"},
	{"proxy/spent", nil, "it is a leaf"},
	{"proxy/rawjson", []string{"proxy/prose"}, "it is a leaf but for its words"},
	{"proxy/sse", []string{"proxy/prose", "proxy/spent"}, "it is a leaf but for its words"},
	{"proxy/event", []string{"proxy/prose"}, "records are the language between proxy and window, so they depend on neither"},
	{"app/settings", []string{"proxy/prose", "proxy/spelling"}, "settings are read by all and know nobody"},
	{"app/secret", []string{"proxy/prose"}, "a store keeps strings and knows nobody"},
	{"app/secret/pasted", nil, "it is a leaf"},
	{"app/client", nil, "what clients are told is a table, and it knows nobody"},
	{"ui/presenter", []string{"proxy/event", "proxy/capture", "proxy/capture/export", "proxy/probe", "proxy/prose", "app/settings", "app/client", "app/secret/pasted", "ui/words"}, "it works on values and on interfaces it declares itself"},
	{"assets", nil, "it is a leaf"},
}

// checkAllowances finds imports of this module that are not on a folder's list.
func checkAllowances(tr *tree) (found []string) {
	tr.imports(func(f file, at, pkg string) {
		for _, a := range allowances {
			if !f.in(a.from) || f.isTest() || !ours(pkg) || within(pkg, module+"/"+a.from) {
				continue
			}
			if !slices.Contains(a.pkgs, strings.TrimPrefix(pkg, module+"/")) {
				found = append(found, at+": "+a.from+" must not import "+pkg+": "+a.why)
			}
		}
	})
	return found
}

// home is the only place from which something may be imported.
type home struct {
	pkg   string
	at    []string // folders, or files
	tests bool     // test files elsewhere may not either
	why   string
}

var homes = []home{
	{"github.com/gorilla/mux", []string{"proxy/routes.go"}, true, "the router is one file's business"},
	{"github.com/zalando/go-keyring", []string{"app/secret"}, true, "secrets go through a secret.Store, with its time limit and its named errors"},
	{"fyne.io/systray", []string{"ui"}, true, "Fyne owns the tray's loop; one file knows what can be set beside it"},
	{"fyne.io", []string{"ui", "assets", "app/desktop"}, true, "all the rest runs without a window"},
	{"fyne.io/fyne/v2/widget", []string{"ui"}, true, "ui is where the window is"},
	{"fyne.io/fyne/v2/app", []string{"app/desktop"}, true, "it brings the display driver and C code, which tests of ui do without"},
	{"fyne.io/fyne/v2/driver/glfw", []string{"app/desktop"}, true, "it brings C code, which tests of ui do without"},
	{"github.com/openai/openai-go", nil, false, "the SDKs are clients that tests use; the program does not carry them"},
	{"github.com/anthropics/anthropic-sdk-go", nil, false, "the SDKs are clients that tests use; the program does not carry them"},
	{"golang.org/x/tools", nil, false, "tests use it; the program does not carry it"},
	{"go.yaml.in/yaml", nil, false, "tests use it; the program does not carry it"},
	{"testing", []string{"proxy/demo/fakegateway"}, false, "the program does not carry test code"},
	{module + "/proxy/demo/fakegateway", nil, false, "it is there for tests; the program does not carry it"},
	{module + "/proxy/spent/spoil", nil, false, "it is there for tests; the program spoils nothing"},
	{module + "/proxy/demo/grammar", []string{"proxy/demo/fakegateway", "packaging/soak"}, false, "it is there for tests; the program does not carry it"},
}

// checkHomes finds imports outside of the one place they belong to.
func checkHomes(tr *tree) (found []string) {
	tr.imports(func(f file, at, pkg string) {
		for _, h := range homes {
			if !within(pkg, h.pkg) || f.isTest() && !h.tests || h.pkg == "testing" && pkg != "testing" {
				continue
			}
			if !slices.ContainsFunc(h.at, func(p string) bool { return f.path == p || f.in(p) }) {
				where := "test files"
				if len(h.at) > 0 {
					where = strings.Join(h.at, ", ")
				}
				found = append(found, at+": "+pkg+" belongs to "+where+" only: "+h.why)
			}
		}
	})
	return found
}

// checkTrayFile finds a second file of ui that talks to the tray library.
func checkTrayFile(tr *tree) (found []string) {
	var users []string
	tr.imports(func(f file, _, pkg string) {
		if pkg == "fyne.io/systray" && !f.isTest() {
			users = append(users, f.path)
		}
	})
	if len(users) > 1 {
		found = append(found, strings.Join(users, ", ")+": fyne.io/systray belongs to one file: its state is global, and Fyne uses it too")
	}
	return found
}

// checkThirdParty finds modules from outside in packages that are to stay plain.
func checkThirdParty(tr *tree) (found []string) {
	for _, dir := range []string{"proxy/convert", "proxy/prose", "proxy/rawjson", "proxy/sse", "proxy/event"} {
		tr.imports(func(f file, at, pkg string) {
			if f.in(dir) && !f.isTest() && !ours(pkg) && !standard(pkg) {
				found = append(found, at+": "+path.Dir(f.path)+" must not import "+pkg+": it needs the standard library only")
			}
		})
	}
	return found
}
