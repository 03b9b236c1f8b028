// Package readme tests that the README tells the truth: every request in it is made as written,
// its tables say what the program says, and its links lead somewhere. It has tests only.
package readme
