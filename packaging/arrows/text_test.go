package arrows

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// checkDocs finds packages that do not say what they are for.
func checkDocs(tr *tree) (found []string) {
	docs := map[string]bool{}
	names := map[string]string{}
	for _, f := range tr.files {
		if f.ast == nil || strings.Contains(f.path, "testdata/") {
			continue
		}
		dir, name := path.Dir(f.path), strings.TrimSuffix(f.ast.Name.Name, "_test")
		if names[dir] == "" || !f.isTest() {
			names[dir] = name
		}
		if f.ast.Doc != nil {
			text := f.ast.Doc.Text()
			docs[dir] = docs[dir] || strings.HasPrefix(text, "Package "+name+" ") || name == "main" && strings.HasPrefix(text, "Command ")
		}
	}
	for dir, name := range names {
		if !docs[dir] {
			found = append(found, fmt.Sprintf("%s: no doc comment that begins with \"Package %s\" or \"Command\": a reader asks the package first what it promises", dir, name))
		}
	}
	slices.Sort(found)
	return found
}

// checkMeta compares what packagers read with what the program says of itself.
func checkMeta(tr *tree) (found []string) {
	const why = "the window, the command line and the installers must agree on what the program is"
	want := map[string]string{}
	got := map[string]string{}
	for _, f := range tr.files {
		switch f.path {
		case "FyneApp.toml":
			var app struct{ Details map[string]any }
			if err := toml.Unmarshal(f.text, &app); err != nil {
				return []string{f.path + ": " + err.Error()}
			}
			for k, v := range app.Details {
				want[k] = fmt.Sprint(v)
			}
		case "app/version.go":
			constants(f.ast, "app.", got)
		case "app/desktop/meta.go":
			constants(f.ast, "", got)
		}
	}
	for constant, key := range map[string]string{"ID": "ID", "Name": "Name", "Version": "Version", "Build": "Build", "app.Version": "Version"} {
		value := got[constant]
		if other, ok := got[value]; ok && strings.Contains(value, ".") {
			value = other // "app.Version"
		}
		if value == "" || value != want[key] {
			found = append(found, fmt.Sprintf("app/desktop/meta.go and app/version.go: the constant %s is %q, in FyneApp.toml %s is %q: %s", constant, value, key, want[key], why))
		}
	}
	slices.Sort(found)
	return found
}

// constants collects the constants of a file that are written out or are those of another package.
func constants(f *ast.File, prefix string, into map[string]string) {
	ast.Inspect(f, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for i, name := range v.Names {
			if i >= len(v.Values) {
				break
			}
			switch x := v.Values[i].(type) {
			case *ast.BasicLit:
				into[prefix+name.Name] = x.Value
				if x.Kind == token.STRING {
					into[prefix+name.Name], _ = strconv.Unquote(x.Value)
				}
			case *ast.SelectorExpr:
				if pkg, ok := x.X.(*ast.Ident); ok {
					into[prefix+name.Name] = pkg.Name + "." + x.Sel.Name
				}
			}
		}
		return true
	})
}

// checkThread finds places that put work on the window's thread by themselves.
func checkThread(tr *tree) (found []string) {
	tr.uses(func(f file, at, pkg, name string) {
		if pkg == "fyne" && (name == "Do" || name == "DoAndWait") && f.path != "ui/ui.go" && !f.isTest() {
			found = append(found, at+": fyne."+name+" belongs to ui/ui.go: one place knows when the window's loop is there to run things")
		}
	})
	return found
}

// checkExits finds ends of the process outside of package main, and loggers that nobody passed.
func checkExits(tr *tree) (found []string) {
	fatal := regexp.MustCompile(`^log\.(Fatal|Panic|Print)|^os\.Exit$`)
	global := regexp.MustCompile(`^slog\.(Debug|Info|Warn|Error|Log|Default|SetDefault)(Context|Attrs)?$`)
	tr.uses(func(f file, at, pkg, name string) {
		use := pkg + "." + name
		switch {
		case f.isTest():
		case fatal.MatchString(use) && f.ast.Name.Name != "main":
			found = append(found, at+": "+use+" only in package main: elsewhere it skips what others have to close")
		case global.MatchString(use):
			found = append(found, at+": "+use+": a logger is passed down, so that tests and callers decide where lines go")
		}
	})
	return found
}

// words are what no file may say. The brackets keep the expressions from finding themselves.
var words = []struct {
	re   *regexp.Regexp
	why  string
	only string // extension
}{
	{regexp.MustCompile(`(^|[^\w./$}-])/(w[o]rk|r[o]ot|t[m]p)/`), "a path of one machine means nothing on another; use a temporary folder", ""},
	{regexp.MustCompile(`(proxy|sum)\.golang\.[o]rg|registry\.npmjs\.[o]rg|pypi\.[o]rg|pythonhosted\.[o]rg|crates\.[i]o|repo1?\.maven\.|deb\.debian\.[o]rg`), "where packages come from is the reader's choice", ""},
	{regexp.MustCompile(`\b(T[O]DO|FIX[M]E)\b`), "finish it, or leave it out and say so where users read", ".go"},
}

// checkWords finds lines that say what no file may say.
func checkWords(tr *tree) (found []string) {
	for _, f := range tr.files {
		if f.path == "go.sum" {
			continue
		}
		for i, line := range bytes.Split(f.text, []byte("\n")) {
			for _, w := range words {
				if w.only != "" && path.Ext(f.path) != w.only {
					continue
				}
				if m := w.re.Find(line); m != nil {
					found = append(found, fmt.Sprintf("%s:%d: %q: %s", f.path, i+1, m, w.why))
				}
			}
		}
	}
	return found
}

// checkScripts finds scripts that cannot be started. Windows does not tell which can.
func checkScripts(tr *tree) (found []string) {
	for _, f := range tr.files {
		script := bytes.HasPrefix(f.text, []byte("#!"))
		switch {
		case script && f.mode&0o111 != 0o111 && runtime.GOOS != "windows":
			found = append(found, f.path+": not executable, so the commands of the README do not work")
		case path.Ext(f.path) == ".sh" && !script:
			found = append(found, f.path+": no #! line, so the shell is left to chance")
		}
	}
	return found
}

// pinned is a step of another's that cannot become something else overnight.
var pinned = regexp.MustCompile(`^[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)*$`)

// checkWorkflows finds what continuous integration runs of others under a name that can be moved,
// and workflows that may do more than read unless they ask for it.
func checkWorkflows(tr *tree) (found []string) {
	for _, f := range tr.files {
		if !f.in(".github/workflows") {
			continue
		}
		if !bytes.Contains(f.text, []byte("\npermissions:\n  contents: read\n")) {
			found = append(found, f.path+": it does not say that it may only read")
		}
		for i, line := range strings.Split(string(f.text), "\n") {
			line = strings.TrimPrefix(strings.TrimSpace(line), "- ")
			if step, ok := strings.CutPrefix(line, "uses:"); ok && !pinned.MatchString(strings.TrimSpace(step)) {
				found = append(found, fmt.Sprintf("%s:%d: %s: name a commit, with the version behind it: a tag can be moved", f.path, i+1, strings.TrimSpace(step)))
			}
		}
	}
	return found
}
