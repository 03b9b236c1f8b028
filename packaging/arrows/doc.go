// Package arrows holds the rules that no compiler checks: which package may import which, that
// every package says what it is for, that the values a packager reads are those the program
// uses, and that no file gives away where it was made. It has tests only.
//
// A rule is a function from the project's files to findings, each with the reason for the rule,
// and each rule is tested on files that break it: a rule that cannot fail protects nothing. The
// files are read, not built, so that those for other systems and with build tags count too.
package arrows
