// Package e2e tests the built program from outside: the vendors' own SDKs and plain
// HTTP on one side, a strict imitation of the gateway and its providers on the other.
package e2e
