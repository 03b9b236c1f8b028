package app

import (
	"encoding/binary"
	"os"
	"os/exec"
	"testing"
	"unsafe"
)

const freshProcess = "APEX_TEST_FRESH_PROCESS"

// TestSlackTakesNoMemory: the block counts as heap, but the system has not been asked for
// its memory. That holds for a program that has just begun, whose heap has not been used.
func TestSlackTakesNoMemory(t *testing.T) {
	if os.Getenv(freshProcess) == "" {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
		child.Env = append(os.Environ(), freshProcess+"=1")
		if out, err := child.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	leaveSlack()
	if len(untouched) != slack {
		t.Fatalf("the block has %d bytes", len(untouched))
	}
	if there := presentPages(t, untouched) * os.Getpagesize(); there > slack/4 {
		t.Errorf("%d bytes of the block are in memory", there)
	}
	for i := range untouched {
		untouched[i] = 1
	}
	if there := presentPages(t, untouched) * os.Getpagesize(); there < slack/2 {
		t.Errorf("%d bytes of a block that was written to are in memory: this test sees nothing", there)
	}
}

// presentPages is how many of a block's pages are in memory, as the kernel tells in
// /proc/self/pagemap: eight bytes for each, of which the highest bit says so.
func presentPages(t *testing.T, block []byte) (n int) {
	t.Helper()
	f, err := os.Open("/proc/self/pagemap")
	must(t, err)
	defer f.Close()
	size := os.Getpagesize()
	first := uintptr(unsafe.Pointer(unsafe.SliceData(block))) / uintptr(size)
	entries := make([]byte, len(block)/size*8)
	_, err = f.ReadAt(entries, int64(first)*8)
	must(t, err)
	for ; len(entries) > 0; entries = entries[8:] {
		n += int(binary.LittleEndian.Uint64(entries) >> 63)
	}
	return n
}
