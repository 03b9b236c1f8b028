// Package spelling guesses what a mistyped word was meant to be.
package spelling

import "strings"

// Nearest is the word that a mistyped one was probably meant to be, "" when none is
// close. Words are in lower case.
func Nearest(typed string, words []string) string {
	best, near := "", 3
	for _, w := range words {
		if d := distance(strings.ToLower(typed), w); d < near && 2*d < len(w) {
			best, near = w, d
		}
	}
	return best
}

// distance counts the letters to insert, remove, replace or swap with the next to get
// from a to b.
func distance(a, b string) int {
	before, row, next := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next[0] = i + 1
		for j := range len(b) {
			replaced := row[j]
			if a[i] != b[j] {
				replaced++
			}
			next[j+1] = min(replaced, next[j]+1, row[j+1]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row, next = row, next, before
	}
	return row[len(b)]
}
