package words_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The sentences of the core are the formats that prose.New and its like are given. They are
// read from the core's sources, where they are written out: in a call of one of these, or of a
// function that hands its own parameter, called format, on to one.

const (
	core   = "../.."
	prose  = "prose"
	ofCore = "core_" // before the package of a sentence, in its place and in the name of its file
)

// sayers are the functions that make a sentence of a format, with its place among their
// parameters.
var sayers = map[string]int{"New": 0, "Errorf": 0, "Format": 0}

// coreFile is a file of the core.
type coreFile struct {
	path, pkg string
	ast       *ast.File
}

// coreFiles are the sources of proxy and app.
func coreFiles(t *testing.T, set *token.FileSet) (out []coreFile) {
	t.Helper()
	for _, dir := range []string{"proxy", "app"} {
		err := filepath.WalkDir(filepath.Join(core, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(set, path, nil, 0)
			if err == nil && file.Name.Name != prose {
				out = append(out, coreFile{path, file.Name.Name, file})
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// handers finds the functions of the core that hand their format on, by package and name.
func handers(files []coreFile) map[string]int {
	found := map[string]int{}
	for {
		before := len(found)
		for _, f := range files {
			for _, d := range f.ast.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if !ok || fn.Body == nil {
					continue
				}
				if i := parameter(fn, "format"); i >= 0 && handsOn(f, fn, found) {
					found[f.pkg+"."+fn.Name.Name] = i
				}
			}
		}
		if len(found) == before {
			return found
		}
	}
}

// parameter is the place of a function's parameter, -1 when it has none of that name.
func parameter(fn *ast.FuncDecl, name string) int {
	i := 0
	for _, list := range fn.Type.Params.List {
		for _, p := range list.Names {
			if p.Name == name {
				return i
			}
			i++
		}
	}
	return -1
}

// handsOn tells whether a function makes a sentence of its parameter called format.
func handsOn(f coreFile, fn *ast.FuncDecl, known map[string]int) (yes bool) {
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			x, ok := formatOf(f, call, known).(*ast.Ident)
			yes = yes || ok && x.Name == "format"
		}
		return true
	})
	return yes
}

// formatOf is what a call makes a sentence of, nil when it makes none. A method is known by its
// name alone, in its own package and, where it is exported, in those that see it.
func formatOf(f coreFile, call *ast.CallExpr, known map[string]int) ast.Expr {
	at, found := 0, false
	switch fun := call.Fun.(type) {
	case *ast.Ident:
		at, found = known[f.pkg+"."+fun.Name]
	case *ast.SelectorExpr:
		x, isName := fun.X.(*ast.Ident)
		switch {
		case isName && x.Name == prose:
			at, found = sayers[fun.Sel.Name]
		case isName && hasKey(known, x.Name+"."+fun.Sel.Name):
			at, found = known[x.Name+"."+fun.Sel.Name], true
		case hasKey(known, f.pkg+"."+fun.Sel.Name):
			at, found = known[f.pkg+"."+fun.Sel.Name], true
		case fun.Sel.Name == "Add" && len(call.Args) >= 3: // of ir.Losses, as against a wait group's
			at, found = known["ir.Add"]
		}
	}
	if !found || at >= len(call.Args) {
		return nil
	}
	return call.Args[at]
}

func hasKey(m map[string]int, key string) bool {
	_, ok := m[key]
	return ok
}

// addCore adds the sentences of the core to texts.
func addCore(t *testing.T, texts map[string]string) {
	t.Helper()
	set := token.NewFileSet()
	files := coreFiles(t, set)
	known := handers(files)
	for _, want := range []string{"ir.Invalid", "ir.Refused", "ir.Add", "proxy.notConfigured", "anthropic.lose", "remedy.lose", "rawjson.syntax"} {
		if !hasKey(known, want) {
			t.Fatalf("%s is not found to hand its format on: %v", want, known)
		}
	}
	for _, f := range files {
		ast.Inspect(f.ast, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			format := formatOf(f, call, known)
			if x, ok := format.(*ast.Ident); format == nil || ok && x.Name == "format" {
				return true
			}
			lit, ok := format.(*ast.BasicLit)
			if !ok {
				t.Errorf("%s: a sentence that is put together cannot be translated; write it out", set.Position(call.Pos()))
				return true
			}
			text, err := strconv.Unquote(lit.Value)
			if err == nil && spoken.MatchString(verb.ReplaceAllString(text, "")) && texts[text] == "" {
				texts[text] = ofCore + f.pkg + ".json: " + set.Position(lit.Pos()).String()
			}
			return true
		})
	}
}

var (
	spoken = regexp.MustCompile(`\S`) // what joins two sentences differs as well
	verb   = regexp.MustCompile(`%(?:\[(\d+)\])?([a-zA-Z%])`)
)

// verbsIn are the values in a format in the order in which they are given, as the formats of
// two languages must have them.
func verbsIn(format string) []string {
	var out []string
	for i, m := range verb.FindAllStringSubmatch(format, -1) {
		n := i + 1
		if m[1] != "" {
			n, _ = strconv.Atoi(m[1])
		}
		out = append(out, strconv.Itoa(n)+m[2])
	}
	slices.Sort(out)
	return out
}

// TestCoreSentences looks for sentences of several packages, so that the list is known to be
// read from all of the core.
func TestCoreSentences(t *testing.T) {
	texts := map[string]string{}
	addCore(t, texts)
	for _, want := range []string{
		"%s could not be reached: %s", // an error
		"the model name is longer than %d characters",
		"The gateway got no answer from %s. The model's name may be wrong, or the provider is failing.", // in a table
		"this provider takes %d stop sequences; the others were dropped",                                // a loss
		"the port must be a number from 1 to 65535, or 0 for any free one",                              // a field
		"%s is not a setting and is ignored",                                                            // a notice
		"the answer broke off",                                                                          // a failure of a trial
		"the keychain is locked",
		"invalid JSON at byte %d: %s",
	} {
		if texts[want] == "" {
			t.Errorf("%q is not in the list", want)
		}
	}
	if len(texts) < 250 {
		t.Errorf("only %d sentences were found", len(texts))
	}
}
