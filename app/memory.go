package app

// The garbage collector works whenever the heap has doubled. That of a proxy is a few
// megabytes, so that it would work many times a second under load, at more cost than the
// requests themselves. A block of memory that is never touched is none to the system, but
// counts as heap: the collector leaves so much garbage, and no more, before it works.

// slack is the size of that block, in bytes.
const slack = 8 << 20

var untouched []byte

// leaveSlack takes the block, once.
func leaveSlack() {
	if untouched == nil {
		untouched = make([]byte, slack)
	}
}
