// Package licenses holds the licenses of the works of others that are part of the program.
package licenses

import _ "embed"

// Text is the list and the texts, made by packaging/licenses.
//
//go:embed licenses.txt
var Text string
