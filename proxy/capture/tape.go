package capture

import (
	"encoding/binary"
	"math/bits"
)

// tape is what is kept of the two answers of an exchange: of both, one behind the other as they
// came. The events of a stream are alike but for a few words in the middle, and what the client
// gets is mostly what the upstream sent, with another name in it: only what is different is
// kept. So the next words of a stream touch little memory, which is cold by then, and a hundred
// streams do not take much.
type tape struct {
	room  []byte          // what is left of the last block
	model [answers][]byte // what the next piece of each answer is compared with, in a block
	kept  [answers]int    // bytes of each answer
	all   [answers]int64  // how long each is

	lost        [answers]int // bytes at the start of each answer that others have taken the place of
	size        int64        // of the blocks
	first, last *block
}

// The answers on a tape.
const (
	upstreams = iota
	clients
	answers
)

// mark says what is next on a tape: so many bytes of an answer, of a kind. They are in its bits
// in this order, from the highest to the lowest.
type mark uint64

// The kinds of marks.
const (
	whole  mark = iota // bytes that follow, and are the model from now on
	plain              // bytes that follow
	starts             // the first bytes of the model
	ends               // the last bytes of the model

	kindBits, answerBits = 2, 1
	longestMark          = 5 // bytes
)

// Pieces that are longer hold many events, and are no models; in bytes.
const longestModel = 2 << 10

// add keeps up to most bytes of an answer, of which p is next. It returns how many bytes more the
// blocks take.
func (t *tape) add(answer int, p []byte, most int) (grown int64) {
	size := t.size
	t.all[answer] += int64(len(p))
	p = p[:max(0, min(most-t.kept[answer], len(p)))]
	t.kept[answer] += len(p)
	if len(p) > longestModel {
		for len(p) > 0 {
			n := t.copy(answer, plain, p, 1)
			p = p[n:]
		}
	} else if len(p) > 0 {
		t.compare(answer, p)
	}
	return t.size - size
}

// compare keeps a piece as far as it differs from the model.
func (t *tape) compare(answer int, p []byte) {
	model, least := modelOf(&t.model, answer), max(len(p)/2, 4*longestMark)
	if t.model[answer] == nil {
		least = len(p) - len(p)/8 // one of its own is better
	}
	start := sameStart(p, model)
	end := sameEnd(p[start:], model[start:])
	if start+end < least {
		n := t.copy(answer, whole, p, len(p))
		t.model[answer] = t.last.b[len(t.last.b)-len(t.room)-n:][:n]
		return
	}
	t.mark(answer, starts, start)
	if p = p[start : len(p)-end]; len(p) > 0 {
		t.copy(answer, plain, p, len(p))
	}
	t.mark(answer, ends, end)
}

// modelOf is the model of an answer. The client's has that of the upstream's, until it has one of
// its own.
func modelOf(models *[answers][]byte, answer int) []byte {
	if m := models[answer]; m != nil {
		return m
	}
	return models[upstreams]
}

// copy keeps the first bytes of p, as many as the block has room for, and at least so many.
func (t *tape) copy(answer int, kind mark, p []byte, least int) int {
	if len(t.room) < longestMark+least {
		t.extend(longestMark + len(p))
	}
	n := min(len(p), len(t.room)-longestMark)
	t.mark(answer, kind, n)
	t.room = t.room[copy(t.room[:n], p):]
	return n
}

// mark notes n bytes, if any.
func (t *tape) mark(answer int, kind mark, n int) {
	if n == 0 {
		return
	}
	if len(t.room) < longestMark {
		t.extend(longestMark)
	}
	m := (mark(n)<<answerBits|mark(answer))<<kindBits | kind
	t.room = t.room[binary.PutUvarint(t.room, uint64(m)):]
}

// extend takes another block, for so many bytes or as many as a block has.
func (t *tape) extend(n int) {
	if t.last == nil {
		t.first = newBlock(n)
		t.last = t.first
	} else {
		t.last.left = len(t.room)
		t.last.next = newBlock(max(n, 2*len(t.last.b)))
		t.last = t.last.next
	}
	t.room = t.last.b
	t.size += int64(len(t.room))
}

// bytes are copies of what was kept.
func (t *tape) bytes() (out [answers][]byte) {
	for i := range out {
		out[i] = make([]byte, 0, t.lost[i]+t.kept[i])
	}
	var models [answers][]byte
	for b := t.first; b != nil; b = b.next {
		left := b.left
		if b == t.last {
			left = len(t.room)
		}
		for rest := b.b[:len(b.b)-left]; len(rest) > 0; {
			word, size := binary.Uvarint(rest)
			rest = rest[size:]
			answer, n := int(word>>kindBits&(1<<answerBits-1)), int(word>>(kindBits+answerBits))
			piece := modelOf(&models, answer)
			switch kind := mark(word & (1<<kindBits - 1)); kind {
			case whole, plain:
				piece, rest = rest[:n], rest[n:]
				if kind == whole {
					models[answer] = piece
				}
			case starts:
				piece = piece[:n]
			case ends:
				piece = piece[len(piece)-n:]
			}
			out[answer] = append(out[answer], piece...)
		}
	}
	for i := range out {
		out[i] = out[i][t.lost[i]:]
	}
	return out
}

// restart forgets an answer, whose place another one takes.
func (t *tape) restart(answer int) {
	t.all[answer] = 0
	t.lost[answer] += t.kept[answer]
	t.kept[answer] = 0
	if t.kept == [answers]int{} {
		all := t.all
		t.free()
		t.all = all
	}
}

// free gives the blocks back, and forgets everything.
func (t *tape) free() {
	freeBlocks(t.first)
	*t = tape{}
}

// sameStart is how many bytes a and b begin with in common.
func sameStart(a, b []byte) int {
	n := min(len(a), len(b))
	a, b = a[:n], b[:n]
	i := 0
	for ; i+8 <= n; i += 8 {
		if d := binary.LittleEndian.Uint64(a[i:]) ^ binary.LittleEndian.Uint64(b[i:]); d != 0 {
			return i + bits.TrailingZeros64(d)/8
		}
	}
	for i < n && a[i] == b[i] {
		i++
	}
	return i
}

// sameEnd is how many bytes a and b end in in common.
func sameEnd(a, b []byte) int {
	n := min(len(a), len(b))
	a, b = a[len(a)-n:], b[len(b)-n:]
	i := n
	for ; i >= 8; i -= 8 {
		if d := binary.LittleEndian.Uint64(a[i-8:]) ^ binary.LittleEndian.Uint64(b[i-8:]); d != 0 {
			return n - i + bits.LeadingZeros64(d)/8
		}
	}
	for i > 0 && a[i-1] == b[i-1] {
		i--
	}
	return n - i
}
