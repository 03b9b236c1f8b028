package arrows

import (
	"go/ast"
	"go/token"
	"slices"
)

// secretFields are the fields with the credentials that a client may show.
var secretFields = []string{"LocalKey", "GatewayToken"}

// guardFile is where a client's credential is compared with them.
const guardFile = "proxy/guard.go"

// comparers are packages whose functions stop at the first difference.
var comparers = []string{"bytes", "strings", "slices", "maps", "cmp", "reflect", "regexp"}

// checkSecrets finds comparisons of credentials that take longer the more of them is right: a
// client could find them out by the time. They are to be compared with crypto/subtle.
func checkSecrets(tr *tree) (found []string) {
	for _, f := range tr.files {
		if f.ast == nil || f.isTest() || !f.in("proxy") && !f.in("app") {
			continue
		}
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
				s := secretUse{guard: f.path == guardFile, names: map[string]bool{}}
				for before := -1; before < len(s.names); { // until no more values are found to come from them
					before = len(s.names)
					ast.Inspect(fn.Body, s.follow)
				}
				ast.Inspect(fn.Body, func(n ast.Node) bool {
					if what := s.leak(n); what != "" {
						found = append(found, tr.line(n)+": a credential in "+what+": compare it in "+guardFile+" with crypto/subtle, or its time tells how much of it was right")
					}
					return true
				})
			}
		}
	}
	return found
}

// secretUse follows the credentials through one function.
type secretUse struct {
	guard bool
	names map[string]bool // of variables that hold something made of them
}

// follow notes the variables that a statement puts credentials into.
func (s *secretUse) follow(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.AssignStmt:
		if slices.ContainsFunc(n.Rhs, s.secret) {
			s.note(n.Lhs...)
		}
	case *ast.ValueSpec:
		if slices.ContainsFunc(n.Values, s.secret) {
			for _, name := range n.Names {
				s.note(name)
			}
		}
	case *ast.RangeStmt:
		if s.secret(n.X) {
			s.note(n.Value)
		}
	}
	return true
}

func (s *secretUse) note(list ...ast.Expr) {
	for _, e := range list {
		if name, ok := e.(*ast.Ident); ok && name.Name != "_" {
			s.names[name.Name] = true
		}
	}
}

// secret tells whether an expression has a credential in it.
func (s *secretUse) secret(e ast.Expr) (found bool) {
	if e == nil {
		return false
	}
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.SelectorExpr:
			x, ok := n.X.(*ast.Ident)
			if slices.Contains(secretFields, n.Sel.Name) && (!ok || x.Name != "secret") { // the names of secrets are none
				found = true
			}
			ast.Inspect(n.X, func(n ast.Node) bool {
				id, ok := n.(*ast.Ident)
				found = found || ok && s.names[id.Name]
				return true
			})
			return false
		case *ast.Ident:
			found = found || s.names[n.Name]
		}
		return !found
	})
	return found
}

// leak is what a node does with a credential that its time gives away, or "".
func (s *secretUse) leak(n ast.Node) string {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		compares := slices.Contains([]token.Token{token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ}, n.Op)
		if compares && !constant(n.X) && !constant(n.Y) && (s.secret(n.X) || s.secret(n.Y)) {
			return "a comparison with " + n.Op.String()
		}
	case *ast.SwitchStmt:
		if n.Tag != nil && s.switches(n) {
			return "a switch"
		}
	case *ast.IndexExpr:
		if s.secret(n.Index) {
			return "the key of a map"
		}
	case *ast.CallExpr:
		if pkg := calledPackage(n); slices.ContainsFunc(n.Args, s.secret) &&
			(slices.Contains(comparers, pkg) && !slices.ContainsFunc(n.Args, constant) || s.guard && pkg != "subtle" && pkg != "sha256" && pkg != "builtin") {
			return "a call"
		}
	}
	return ""
}

// switches tells whether a switch compares a credential with more than what is written out.
func (s *secretUse) switches(n *ast.SwitchStmt) bool {
	tag := s.secret(n.Tag)
	for _, c := range n.Body.List {
		for _, e := range c.(*ast.CaseClause).List {
			if s.secret(e) || tag && !constant(e) {
				return true
			}
		}
	}
	return false
}

// constant tells whether an expression is written out, as "" is.
func constant(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return true
	case *ast.Ident:
		return e.Name == "nil" || e.Name == "true" || e.Name == "false"
	}
	return false
}

// calledPackage is the package of the function that is called, "builtin" for a conversion and
// for what every package has.
func calledPackage(n *ast.CallExpr) string {
	switch f := n.Fun.(type) {
	case *ast.ArrayType:
		return "builtin"
	case *ast.Ident:
		if f.Name == "len" || f.Name == "string" || f.Name == "append" {
			return "builtin"
		}
	case *ast.SelectorExpr:
		if x, ok := f.X.(*ast.Ident); ok {
			return x.Name
		}
	}
	return ""
}
