// Package spent is told when memory has served its purpose and is used for something else.
//
// The proxy reads one exchange after another into the same buffers. Whoever still reads a buffer
// that was given back gets the bytes of a stranger, but only when two exchanges meet by chance: no
// test would notice. So in tests, which import package spoil, memory is overwritten the moment it
// is spent, and looked at before it is used again. Elsewhere all this is the test of a flag.
package spent

import "bytes"

// Filling is what spoiled memory is filled with: no text has it, and no JSON.
const Filling = 0xDB

// spoiling is only written to before anything else runs.
var spoiling bool

// Spoil has memory overwritten from now on. It is for package spoil alone.
func Spoil() { spoiling = true }

// Bytes are spent: nobody reads or writes them any more.
func Bytes(b []byte) {
	if spoiling {
		fill(b)
	}
}

// Empty is b, whose bytes are spent, without them: its memory is for others.
func Empty(b []byte) []byte {
	Bytes(b)
	return b[:0]
}

// Check panics when somebody has written to spent bytes, which are about to be used again.
func Check(b []byte) {
	if spoiling {
		check(b)
	}
}

func fill(b []byte) {
	for i := range b {
		b[i] = Filling
	}
}

func check(b []byte) {
	if n := bytes.Count(b, []byte{Filling}); n < len(b) {
		panic("memory was written to after it had been given back")
	}
}
