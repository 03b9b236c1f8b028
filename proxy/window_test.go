package proxy

import "testing"

// TestWindow: a stream waits with little memory, and reads much at once when much comes.
func TestWindow(t *testing.T) {
	w := newWindow()
	defer func() { w.free() }()
	copy(w.bytes(), "held")
	for i, step := range []struct{ held, filled, want int }{
		{4, bufferSize, bufferSize},
		{4, smallSize, bufferSize},
		{4, smallSize / 2, bufferSize},
		{4, 200, smallSize},
		{4, 200, smallSize},
		{4, smallSize - 1, smallSize},
		{4, smallSize, bufferSize},
		{4, 5, smallSize},
		{4, smallSize, bufferSize},
	} {
		b := w.next(step.held, step.filled)
		if len(b) != step.want || string(b[:step.held]) != "held" {
			t.Fatalf("step %d: a window of %d bytes with %q", i, len(b), b[:step.held])
		}
	}
}
