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

// distance counts the letters to insert, remove or replace to get from a to b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
