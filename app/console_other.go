//go:build !windows

package app

// openConsole does nothing: a program is born with what it writes to.
func openConsole([]string) (done func(code int)) { return func(int) {} }
