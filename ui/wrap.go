package ui

import (
	"strings"
	"unicode"
)

// wrapText appends the rows that a text takes in a width. A row ends at a space or where
// East Asian text may be broken; a word that is too long for a row is cut. There is at
// least one row, and without a width only the text's own line breaks count.
func wrapText(rows []string, text string, width float32, measure func(string) float32) []string {
	for line := range strings.SplitSeq(text, "\n") {
		rows = wrapLine(rows, []rune(line), width, measure)
	}
	return rows
}

func wrapLine(rows []string, rest []rune, width float32, measure func(string) float32) []string {
	for width > 0 {
		n := fitting(rest, width, measure)
		if n == len(rest) {
			break
		}
		end := breakBefore(rest, n)
		rows = append(rows, strings.TrimRightFunc(string(rest[:end]), unicode.IsSpace))
		for rest = rest[end:]; len(rest) > 0 && unicode.IsSpace(rest[0]); {
			rest = rest[1:]
		}
	}
	return append(rows, string(rest))
}

// fitting is how many characters fit into a width, at least one. It halves the interval,
// so that a long text costs few measurements.
func fitting(text []rune, width float32, measure func(string) float32) int {
	low, high := min(1, len(text)), len(text)
	for low < high {
		mid := (low + high + 1) / 2
		if measure(string(text[:mid])) <= width {
			low = mid
		} else {
			high = mid - 1
		}
	}
	return low
}

// breakBefore is where a row ends of which n characters fit, fewer than there are. Where
// nothing can be broken, it ends there.
func breakBefore(text []rune, n int) int {
	for i := n; i > 0; i-- {
		if breakable(text, i) {
			return i
		}
	}
	return n
}

// Characters that do not begin a row, and such that do not end one.
const (
	neverFirst = "、。，．：；？！…—～·％%‰℃,.:;?!/)]}）〕］｝〉》」』】〗’”'\"ー々〜・゛゜ゝゞ"
	neverLast  = "([{（〔［｛〈《「『【〖‘“$￥¥#"
)

// breakable tells whether a row may begin at a character.
func breakable(text []rune, i int) bool {
	before, after := text[i-1], text[i]
	switch {
	case unicode.IsSpace(after), unicode.IsSpace(before):
		return true
	case !eastAsian(before) && !eastAsian(after):
		return false
	default:
		return !strings.ContainsRune(neverFirst, after) && !strings.ContainsRune(neverLast, before)
	}
}

// eastAsian tells whether a character belongs to a script that is written without spaces,
// or is punctuation of its own.
func eastAsian(r rune) bool {
	return r >= 0x2E80 && (r <= 0x30FF || r >= 0xFF00 && r <= 0xFFEF || unicode.Is(unicode.Han, r))
}
