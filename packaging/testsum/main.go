// Command testsum reads the output of "go test -json" and shows what a person wants to see of
// it: one line per package, the whole output of tests that did not pass, and at the end how
// many tests passed and failed. It exits with 1 when a test failed or was skipped, when
// something did not build, and when there was no test at all, so that a run which proves
// nothing cannot look like one that does.
package main

import (
	"fmt"
	"os"
)

func main() {
	s := newSummary(os.Stdout)
	if err := s.read(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "testsum:", err)
		os.Exit(1)
	}
	if !s.close() {
		os.Exit(1)
	}
}
