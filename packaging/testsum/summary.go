package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
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
	output  map[id][]string     // of tests that have not ended
	parents map[id]bool         // tests that have subtests
	broken  map[id]bool         // tests of which a subtest failed
	said    map[string][]string // by packages and builds themselves
	passed  int
	failed  []failure
	skipped []failure
	errors  []failure // packages that failed outside of a test, and builds
}

// failure is something that did not pass, for the end of the report.
type failure struct {
	pkg, name string
	output    []string
}

func newSummary(w io.Writer) *summary {
	return &summary{w: w, output: map[id][]string{}, parents: map[id]bool{}, broken: map[id]bool{}, said: map[string][]string{}}
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
		s.said[e.ImportPath] = append(s.said[e.ImportPath], e.Output)
		fmt.Fprint(s.w, e.Output)
	case e.Action == "build-fail":
		s.errors = append(s.errors, failure{e.ImportPath, "did not build", s.said[e.ImportPath]})
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
		s.skipped = append(s.skipped, failure{t.pkg, t.test, s.output[t]})
		s.show(t)
	}
}

// fail books a failed test, and marks its parents, which fail with it.
func (s *summary) fail(t id) {
	if !s.broken[t] {
		s.failed = append(s.failed, failure{t.pkg, t.test, s.output[t]})
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
		s.said[e.Package] = append(s.said[e.Package], e.Output)
		fmt.Fprint(s.w, e.Output)
	}
}

// endPackage books a package that failed: the tests that never ended, as after a panic or a
// time-out, or else the package itself.
func (s *summary) endPackage(pkg string) {
	var unended []id
	for t := range s.output {
		if t.pkg == pkg {
			unended = append(unended, t)
		}
	}
	slices.SortFunc(unended, func(a, b id) int { return strings.Compare(b.test, a.test) }) // a subtest before its parent
	for _, t := range unended {
		s.fail(t)
	}
	if !slices.ContainsFunc(s.failed, func(f failure) bool { return f.pkg == pkg }) {
		s.errors = append(s.errors, failure{pkg, "failed outside of its tests", s.said[pkg]})
	}
}

// close prints the end of the report, where all that went wrong is said once more, and tells
// whether all is well.
func (s *summary) close() bool {
	for _, f := range s.errors {
		s.recall("broken", f)
	}
	for _, f := range s.skipped {
		s.recall("skipped, which counts as failed", f)
		s.again(f)
	}
	for _, f := range s.failed {
		s.recall("failed", f)
		s.again(f)
	}
	all := slices.Concat(s.errors, s.skipped, s.failed)
	bad := len(all)
	if s.passed+bad == 0 {
		fmt.Fprintln(s.w, "no test was run")
	}
	if bad > 0 {
		fmt.Fprintln(s.w, "\nin short:") // last, as often the end is all that is kept of a long report
	}
	for _, f := range all {
		fmt.Fprintf(s.w, "  %s %s: %s\n", f.pkg, f.name, f.reason())
	}
	fmt.Fprintf(s.w, "\n%d passed, %d failed\n", s.passed, bad)
	return bad == 0 && s.passed > 0
}

// What says best why something failed, the best first. What a test logs while it ends comes after
// the error that made it end, so of each kind the first counts.
var reasons = []*regexp.Regexp{
	regexp.MustCompile(`^(panic: |fatal error: |found unexpected goroutines)`),
	regexp.MustCompile(`^WARNING: DATA RACE`),
	regexp.MustCompile(`^\s*\S+\.go:\d+(:\d+)?: `),
	regexp.MustCompile(`\S`),
}

// longestReason is how much of a line is repeated, in bytes.
const longestReason = 300

// reason is the line that says best why something failed.
func (f failure) reason() string {
	for _, r := range reasons {
		for line := range strings.Lines(strings.Join(f.output, "")) {
			if !r.MatchString(line) || strings.HasPrefix(strings.TrimSpace(line), "--- ") || strings.HasPrefix(line, "=== ") {
				continue
			}
			if line = strings.TrimSpace(line); len(line) > longestReason {
				line = strings.ToValidUTF8(line[:longestReason], "") + "…"
			}
			return line
		}
	}
	return "nothing was said"
}

// recalled is how many lines of what something said are repeated at the end.
const recalled = 40

// recall says what went wrong, and the last lines of what it had to say.
func (s *summary) recall(title string, f failure) {
	fmt.Fprintf(s.w, "\n%s: %s %s\n", title, f.pkg, f.name)
	lines := slices.Collect(strings.Lines(strings.Join(f.output, "")))
	if n := len(lines) - recalled; n > 0 {
		fmt.Fprintf(s.w, "    (%d lines before this are further up)\n", n)
		lines = lines[n:]
	}
	for _, line := range lines {
		fmt.Fprintf(s.w, "    %s\n", strings.TrimSuffix(line, "\n"))
	}
}

// again says how to run a test alone.
func (s *summary) again(f failure) {
	parts := strings.Split(f.name, "/")
	for i, part := range parts {
		parts[i] = "^" + regexp.QuoteMeta(part) + "$"
	}
	race := ""
	if strings.Contains(strings.Join(f.output, ""), "WARNING: DATA RACE") {
		race = "-race "
	}
	pattern := strings.ReplaceAll(strings.Join(parts, "/"), "'", `'\''`)
	fmt.Fprintf(s.w, "  alone: packaging/test.sh %s-count=1 -run '%s' %s\n", race, pattern, f.pkg)
}
