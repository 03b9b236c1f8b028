package main

import (
	"strings"
	"testing"
)

func TestSummary(t *testing.T) {
	const (
		run   = `{"Action":"run","Package":"p","Test":"TestA"}` + "\n"
		pass  = `{"Action":"pass","Package":"p","Test":"TestA"}` + "\n"
		said  = `{"Action":"output","Package":"p","Test":"TestA","Output":"why it went wrong\n"}` + "\n"
		fail  = `{"Action":"fail","Package":"p","Test":"TestA"}` + "\n"
		skip  = `{"Action":"skip","Package":"p","Test":"TestA"}` + "\n"
		runB  = `{"Action":"run","Package":"p","Test":"TestA/b"}` + "\n"
		passB = `{"Action":"pass","Package":"p","Test":"TestA/b"}` + "\n"
		failB = `{"Action":"fail","Package":"p","Test":"TestA/b"}` + "\n"
		good  = `{"Action":"output","Package":"p","Output":"ok  \tp\t0.1s\n"}` + "\n" + `{"Action":"pass","Package":"p"}` + "\n"
		bad   = `{"Action":"output","Package":"p","Output":"FAIL\tp\t0.1s\n"}` + "\n" + `{"Action":"fail","Package":"p"}` + "\n"
		none  = `{"Action":"skip","Package":"p"}` + "\n"
		build = `{"Action":"build-output","ImportPath":"p","Output":"p.go:1:1: no\n"}` + "\n" + `{"Action":"build-fail","ImportPath":"p"}` + "\n"
	)
	for name, c := range map[string]struct {
		in   string
		ok   bool
		want []string
	}{
		"pass":                     {run + said + pass + good, true, []string{"ok  \tp", "\n1 passed, 0 failed\n"}},
		"fail":                     {run + said + fail + bad, false, []string{"\nfailed: p TestA\n    why it went wrong\n  alone: packaging/test.sh -count=1 -run '^TestA$' p\n", "\n0 passed, 1 failed\n"}},
		"skip":                     {run + said + skip + good, false, []string{"why it went wrong", "skipped", "\n0 passed, 1 failed\n"}},
		"subtests count":           {run + runB + passB + pass + good, true, []string{"\n1 passed, 0 failed\n"}},
		"a subtest fails once":     {run + runB + failB + fail + bad, false, []string{"failed: p TestA/b\n  alone: packaging/test.sh -count=1 -run '^TestA$/^b$' p\n", "\n0 passed, 1 failed\n"}},
		"a test fails beside one":  {run + runB + passB + fail + bad, false, []string{"\n1 passed, 1 failed\n"}},
		"nothing":                  {"", false, []string{"no test was run", "\n0 passed, 0 failed\n"}},
		"a package without tests":  {none, false, []string{"no test was run"}},
		"a build":                  {build, false, []string{"p.go:1:1: no", "\nbroken: p did not build\n    p.go:1:1: no\n", "\n0 passed, 1 failed\n"}},
		"a race":                   {run + strings.Replace(said, "why it went", "WARNING: DATA RACE", 1) + fail + bad, false, []string{"test.sh -race -count=1 "}},
		"much to say":              {run + strings.Repeat(said, 100) + fail + bad, false, []string{"(60 lines before this are further up)"}},
		"a panic":                  {run + said + bad, false, []string{"why it went wrong", "\n0 passed, 1 failed\n"}},
		"a package beside a test":  {run + pass + bad, false, []string{"p failed outside of its tests", "\n1 passed, 1 failed\n"}},
		"not an event":             {"go: no such module\n" + run + pass, true, []string{"go: no such module"}},
		"the reason comes last":    {run + strings.Replace(said, "why it went wrong", "    p_test.go:7: why it went wrong", 1) + strings.Repeat(strings.Replace(said, "why it went wrong", "    p_test.go:9: much is logged", 1), 100) + fail + bad, false, []string{"\nin short:\n  p TestA: p_test.go:7: why it went wrong\n\n0 passed, 1 failed\n"}},
		"a panic is the reason":    {run + strings.Replace(said, "why it went wrong", "    p_test.go:7: that is logged", 1) + strings.Replace(said, "why it went wrong", "panic: test timed out", 1) + bad, false, []string{"\n  p TestA: panic: test timed out\n"}},
		"a long reason":            {run + strings.Replace(said, "wrong", strings.Repeat("x", 1000), 1) + fail + bad, false, []string{"\n  p TestA: why it went " + strings.Repeat("x", 288) + "…\n"}},
		"no reason":                {run + fail + bad, false, []string{"\n  p TestA: nothing was said\n"}},
		"the end is not a newline": {run + strings.TrimSuffix(fail, "\n"), false, []string{"\n0 passed, 1 failed\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			s := newSummary(&b)
			if err := s.read(strings.NewReader(c.in)); err != nil {
				t.Fatal(err)
			}
			if ok := s.close(); ok != c.ok {
				t.Errorf("all well is %v, want %v", ok, c.ok)
			}
			for _, want := range c.want {
				if !strings.Contains(b.String(), want) {
					t.Errorf("the report lacks %q:\n%s", want, b.String())
				}
			}
			if c.ok && strings.Contains(b.String(), "why it went wrong") {
				t.Errorf("the report shows a passing test's output:\n%s", b.String())
			}
		})
	}
}
