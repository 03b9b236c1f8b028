//go:build race

package e2e

// raced has the program built as the tests are: with the race detector.
const raced = true
