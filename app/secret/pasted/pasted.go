// Package pasted takes secrets out of what people paste where one is asked for, in the window and
// on the command line.
package pasted

import (
	"regexp"
	"strings"
)

// around is what comes along when a secret is copied from a file, a command or a header: the
// name of a variable or a header, "Bearer", quotes, and the comma behind a value.
var around = regexp.MustCompile("^(?:export |set |\\$env:)?(?:[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|TOKEN|KEY) ?[=:]|" +
	"^(?i:authorization|cf-aig-authorization|x-api-key|x-goog-api-key|api-key) ?:|^(?i:bearer) |^[\"'`“”‘’]|[\"'`“”‘’,;]$")

// Secret is a secret without the white space around it and what else comes along when it
// is copied. Nothing is taken away that could be of the secret itself.
func Secret(s string) string {
	for {
		s = strings.TrimSpace(s)
		at := around.FindStringIndex(s)
		if at == nil {
			return s
		}
		if at[0] > 0 {
			s = s[:at[0]]
		} else {
			s = s[at[1]:]
		}
	}
}
