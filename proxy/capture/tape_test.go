package capture_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"apex-ai-proxy/proxy/capture"
)

// pieces are those of an answer, in the order in which they come.
type pieces func(r *rand.Rand, n int) []byte

// words is a piece of random letters.
func words(r *rand.Rand, n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = byte('a' + r.IntN(26))
	}
	return out
}

// frame is an event with some words in its middle.
func frame(name, text string) []byte {
	return fmt.Appendf(nil, `data: {"id":"chatcmpl-0123456789","object":"chat.completion.chunk","model":%q,"choices":[{"index":0,"delta":{"content":%q},"logprobs":null,"finish_reason":null}]}`+"\n\n", name, text)
}

// TestAnswersAreShownAsTheyCame: whatever two answers have in common, with each other or with
// themselves.
func TestAnswersAreShownAsTheyCame(t *testing.T) {
	for name, next := range map[string]pieces{
		"alike": func(r *rand.Rand, n int) []byte { return frame("model", string(words(r, n%30))) },
		"two kinds": func(r *rand.Rand, n int) []byte {
			return frame([]string{"model", "another-model-with-a-long-name"}[n%2], string(words(r, r.IntN(200))))
		},
		"one letter is another": func(r *rand.Rand, _ int) []byte {
			b := frame("model", "a text that is always the same")
			b[r.IntN(len(b))] ^= 1
			return b
		},
		"nothing alike": func(r *rand.Rand, _ int) []byte { return words(r, 1+r.IntN(400)) },
		"the same":      func(_ *rand.Rand, n int) []byte { return bytes.Repeat([]byte("ab"), 1+n%100) },
		"one letter":    func(r *rand.Rand, _ int) []byte { return bytes.Repeat([]byte("a"), 1+r.IntN(100)) },
		"empty ones":    func(r *rand.Rand, n int) []byte { return words(r, n%2*50) },
		"long":          func(r *rand.Rand, _ int) []byte { return words(r, 1+r.IntN(50_000)) },
		"around the longest model": func(r *rand.Rand, n int) []byte {
			return bytes.Repeat([]byte("0123456789abcdef"), 130)[:2040+n%20]
		},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(20) {
				checkAnswers(t, rand.New(rand.NewPCG(seed, 0)), next)
			}
		})
	}
}

// checkAnswers records two answers, of which the client's has half its pieces from the upstream's,
// with an edit, and compares what is shown.
func checkAnswers(t *testing.T, r *rand.Rand, next pieces) {
	t.Helper()
	perBody := r.IntN(100_000)
	if r.IntN(10) == 0 {
		perBody = 0
	}
	s := capture.NewStore(capture.Limits{Exchanges: 1, PerBody: perBody, Total: 8 << 20}, nil)
	rec := s.Open("a")
	rec.Answer(capture.ClientAnswer, 200, nil)
	var want [2][]byte
	for i := range 200 {
		up := next(r, i)
		down := bytes.Replace(up, []byte("model"), []byte("name"), 1)
		if r.IntN(2) == 0 {
			down = next(r, i+1)
		}
		for side, p := range [][]byte{up, down} {
			rec.Write(capture.UpstreamAnswer+capture.Side(side), p)
			want[side] = append(want[side], p...)
			clear(p) // its memory is used for the next one
		}
		switch {
		case i == 20: // another attempt
			rec.Answer(capture.UpstreamAnswer, 200, nil)
			want[0] = nil
		case i%70 == 0:
			compareAnswers(t, s, perBody, want)
		}
	}
	rec.Answer(capture.ClientAnswer, 200, nil)
	want[1] = nil
	rec.Write(capture.ClientAnswer, []byte("the end"))
	want[1] = append(want[1], "the end"...)
	compareAnswers(t, s, perBody, want)
	if s.Clear(); s.Bytes() != 0 {
		t.Errorf("%d bytes are counted where nothing is kept", s.Bytes())
	}
}

func compareAnswers(t *testing.T, s *capture.Store, perBody int, want [2][]byte) {
	t.Helper()
	got, _ := s.Get("a")
	for i, all := range want {
		m := got.Messages[int(capture.UpstreamAnswer)+i]
		if kept := all[:min(len(all), perBody)]; !bytes.Equal(m.Body, kept) {
			t.Fatalf("answer %d: %d bytes are shown, want %d, or others", i, len(m.Body), len(kept))
		}
		if m.Seen && m.Size != int64(len(all)) {
			t.Fatalf("answer %d: it had %d bytes, want %d", i, m.Size, len(all))
		}
	}
}

// TestStreamsTakeLittleMemory: of events that are alike only what is not is kept.
func TestStreamsTakeLittleMemory(t *testing.T) {
	const events, each = 200, 64 // bytes of an event on both sides
	text := func(i int) string { return fmt.Sprintf("%019d words", i) }
	for name, told := range map[string]func(i int) []byte{
		"passed":  func(i int) []byte { return frame("model", text(i)) },
		"renamed": func(i int) []byte { return frame("model#provider", text(i)) },
		"converted": func(i int) []byte {
			return fmt.Appendf(nil, "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":%q}}\n\n", text(i))
		},
	} {
		s := capture.NewStore(capture.DefaultLimits(), nil)
		r := s.Open("a")
		length := 0
		for i := range events {
			up, down := frame("model", text(i)), told(i)
			r.Write(capture.UpstreamAnswer, up)
			r.Write(capture.ClientAnswer, down)
			length += len(up) + len(down)
		}
		if n := s.Bytes(); n > 2*events*each { // blocks are up to twice as large as what is in them
			t.Errorf("%s: %d bytes are held for %d", name, n, length)
		}
	}
}

// TestAnAnswerThatPassesIsKeptOnce, also one that is no stream.
func TestAnAnswerThatPassesIsKeptOnce(t *testing.T) {
	s := capture.NewStore(capture.DefaultLimits(), nil)
	r := s.Open("a")
	text := strings.Repeat("a short answer ", 15)
	r.Write(capture.UpstreamAnswer, frame("model", text))
	before := s.Bytes()
	r.Write(capture.ClientAnswer, frame("model#provider", text))
	if n := s.Bytes(); before != block || n != before {
		t.Errorf("%d bytes are held, %d before the client had it", n, before)
	}
}
