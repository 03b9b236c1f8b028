package app

import (
	"fmt"
	"strings"
	"testing"
)

func TestTail(t *testing.T) {
	var short tail
	fmt.Fprint(&short, "one\n", "two\n")
	if got := short.String(); got != "one\ntwo" {
		t.Errorf("%q", got)
	}
	var long tail
	for i := range 1000 {
		fmt.Fprintf(&long, "line %d\n", i)
	}
	got := long.String()
	if len(got) > tailSize || !strings.HasPrefix(got, "line 7") || !strings.HasSuffix(got, "\nline 999") {
		t.Errorf("%d bytes: %.40q", len(got), got)
	}
}

func TestShowsErrors(t *testing.T) {
	for code, want := range map[int]bool{exitOK: false, exitCut: false, exitFailure: true, exitUsage: true, exitTaken: true} {
		if showsErrors(code) != want {
			t.Errorf("exit code %d", code)
		}
	}
}
