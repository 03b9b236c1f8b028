package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// event is one line of "go test -json".
type event struct {
	Action     string
	Package    string
	ImportPath string // of what did not build
	Test       string
	Output     string
}

// id names a test.
type id struct{ pkg, test string }

// summary is what was seen so far. Tests that have subtests are not counted themselves unless
// they failed by themselves: their subtests are the tests.
type summary struct {
	w       io.Writer
	output  map[id][]string // of tests that have not ended
	parents map[id]bool     // tests that have subtests
	broken  map[id]bool     // tests of which a subtest failed
	passed  int
	failed  []string
	skipped []string
	errors  []string // packages that failed outside of a test, and builds
}

func newSummary(w io.Writer) *summary {
	return &summary{w: w, output: map[id][]string{}, parents: map[id]bool{}, broken: map[id]bool{}}
}

// read takes in events until r ends. A line that is no event is shown as it is.
func (s *summary) read(r io.Reader) error {
	in := bufio.NewReader(r)
	for {
		line, err := in.ReadString('\n')
		var e event
		switch {
		case line == "":
		case !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &e) != nil:
			fmt.Fprint(s.w, line)
		default:
			s.take(e)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the tests' output: %w", err)
		}
	}
}

// take books one event.
func (s *summary) take(e event) {
	switch {
	case e.Action == "build-output":
		fmt.Fprint(s.w, e.Output)
	case e.Action == "build-fail":
		s.errors = append(s.errors, e.ImportPath+" did not build")
	case e.Test != "":
		s.takeTest(e, id{e.Package, e.Test})
	case e.Action == "output":
		s.packageLine(e)
	case e.Action == "fail":
		s.endPackage(e.Package)
	}
}

// takeTest books an event of a test.
func (s *summary) takeTest(e event, t id) {
	switch e.Action {
	case "run":
		if i := strings.LastIndexByte(t.test, '/'); i > 0 {
			s.parents[id{t.pkg, t.test[:i]}] = true
		}
		s.output[t] = nil
	case "output":
		s.output[t] = append(s.output[t], e.Output)
	case "pass":
		if !s.parents[t] {
			s.passed++
		}
		delete(s.output, t)
	case "fail":
		s.fail(t)
	case "skip":
		s.skipped = append(s.skipped, t.pkg+" "+t.test)
		s.show(t)
	}
}

// fail books a failed test, and marks its parents, which fail with it.
func (s *summary) fail(t id) {
	if !s.broken[t] {
		s.failed = append(s.failed, t.pkg+" "+t.test)
	}
	for i := strings.LastIndexByte(t.test, '/'); i > 0; i = strings.LastIndexByte(t.test[:i], '/') {
		s.broken[id{t.pkg, t.test[:i]}] = true
	}
	s.show(t)
}

// show prints what a test had to say and forgets it.
func (s *summary) show(t id) {
	fmt.Fprint(s.w, strings.Join(s.output[t], ""))
	delete(s.output, t)
}

// packageLine prints what a package says of itself, without the lines that repeat the obvious.
func (s *summary) packageLine(e event) {
	switch {
	case e.Output == "PASS\n", e.Output == "FAIL\n", strings.HasSuffix(e.Output, "[no test files]\n"):
	default:
		fmt.Fprint(s.w, e.Output)
	}
}

// endPackage books a package that failed: the tests that never ended, as after a panic or a
// time-out, or else the package itself.
func (s *summary) endPackage(pkg string) {
	known := false
	for t := range s.output {
		if t.pkg == pkg {
			s.fail(t)
		}
	}
	for _, f := range s.failed {
		known = known || strings.HasPrefix(f, pkg+" ")
	}
	if !known {
		s.errors = append(s.errors, pkg+" failed outside of its tests")
	}
}

// close prints the end of the report and tells whether all is well.
func (s *summary) close() bool {
	for _, part := range []struct {
		title string
		names []string
	}{
		{"failed", s.failed},
		{"skipped, which counts as failed", s.skipped},
		{"broken", s.errors},
	} {
		if len(part.names) > 0 {
			fmt.Fprintf(s.w, "\n%s:\n  %s\n", part.title, strings.Join(part.names, "\n  "))
		}
	}
	bad := len(s.failed) + len(s.skipped) + len(s.errors)
	if s.passed+bad == 0 {
		fmt.Fprintln(s.w, "no test was run")
	}
	fmt.Fprintf(s.w, "\n%d passed, %d failed\n", s.passed, bad)
	return bad == 0 && s.passed > 0
}
