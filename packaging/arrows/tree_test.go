package arrows

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"testing"
)

const module = "apex-ai-proxy"

// tree is the project as the rules see it.
type tree struct {
	files []file
	fset  *token.FileSet
}

// file is a text file of the project.
type file struct {
	path string // from the root, with slashes
	mode fs.FileMode
	text []byte
	ast  *ast.File // nil when it is not Go
}

// loadTree reads all text files that belong to the project.
func loadTree(t *testing.T, fsys fs.FS) *tree {
	t.Helper()
	tr := &tree{fset: token.NewFileSet()}
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (p == ".git" || p == ".cache" || p == "dist" || strings.HasSuffix(p, "testdata/failed")):
			return fs.SkipDir
		case !d.Type().IsRegular() || p == ".git" || strings.HasPrefix(p, module):
			return nil // the program itself lies in the root after a build; .git is a file in a linked work tree
		}
		return tr.add(fsys, p)
	})
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// add reads one file.
func (tr *tree) add(fsys fs.FS, p string) error {
	text, err := fs.ReadFile(fsys, p)
	if err != nil {
		return err
	}
	if bytes.IndexByte(text, 0) >= 0 {
		return nil
	}
	info, err := fs.Stat(fsys, p)
	if err != nil {
		return err
	}
	f := file{path: p, mode: info.Mode(), text: text}
	if path.Ext(p) == ".go" {
		if f.ast, err = parser.ParseFile(tr.fset, p, text, parser.ParseComments); err != nil {
			return err
		}
	}
	tr.files = append(tr.files, f)
	return nil
}

// isTest tells whether f is compiled into tests only.
func (f file) isTest() bool { return strings.HasSuffix(f.path, "_test.go") }

// in tells whether f lies in a folder or below it.
func (f file) in(dir string) bool { return strings.HasPrefix(f.path, dir+"/") }

// line is "path:line" of a node.
func (tr *tree) line(n ast.Node) string {
	p := tr.fset.Position(n.Pos())
	return fmt.Sprintf("%s:%d", p.Filename, p.Line)
}

// imports calls f for each import of a Go file.
func (tr *tree) imports(f func(f file, at, pkg string)) {
	for _, g := range tr.files {
		if g.ast == nil {
			continue
		}
		for _, spec := range g.ast.Imports {
			if pkg, err := strconv.Unquote(spec.Path.Value); err == nil {
				f(g, tr.line(spec), pkg)
			}
		}
	}
}

// uses calls f for each use of pkg.name in Go files, such as fyne.Do.
func (tr *tree) uses(f func(f file, at, pkg, name string)) {
	for _, g := range tr.files {
		if g.ast == nil {
			continue
		}
		ast.Inspect(g.ast, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := sel.X.(*ast.Ident); ok {
					f(g, tr.line(sel), x.Name, sel.Sel.Name)
				}
			}
			return true
		})
	}
}

// within tells whether an import path is that of a package or of one below it.
func within(pkg, prefix string) bool {
	return pkg == prefix || strings.HasPrefix(pkg, prefix+"/")
}

// ours tells whether a package is of this module.
func ours(pkg string) bool { return within(pkg, module) }

// standard tells whether a package is of the standard library.
func standard(pkg string) bool {
	first, _, _ := strings.Cut(pkg, "/")
	return !ours(pkg) && !strings.Contains(first, ".")
}
