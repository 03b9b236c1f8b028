package app

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestSlackTakesNoMemory: the block counts as heap, but not as memory of the process.
func TestSlackTakesNoMemory(t *testing.T) {
	before := residentBytes(t)
	leaveSlack()
	if len(untouched) != slack {
		t.Errorf("the block has %d bytes", len(untouched))
	}
	if grown := residentBytes(t) - before; grown > slack/4 {
		t.Errorf("the process has grown by %d bytes", grown)
	}
}

func residentBytes(t *testing.T) int {
	t.Helper()
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(b))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}
