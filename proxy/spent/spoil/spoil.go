// Package spoil has spent memory overwritten, from the start of a test that imports it for nothing
// but this. Benchmarks are spared: they would measure it.
package spoil

import (
	"os"
	"slices"
	"strings"

	"apex-ai-proxy/proxy/spent"
)

func init() {
	if !slices.ContainsFunc(os.Args, func(arg string) bool { return strings.HasPrefix(arg, "-test.bench=") }) {
		spent.Spoil()
	}
}
