//go:build !linux

package secret

func runInsideSession() (code int, inside bool) { return 0, false }
