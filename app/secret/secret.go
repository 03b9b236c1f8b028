// Package secret keeps tokens and keys out of files: in the system's keychain, read from
// the environment, or in memory for this run.
//
// A Chain asks them in the order environment, memory, keychain. The environment wins so
// that a program without a desktop can be given its secrets; memory is written to only
// when the system has no keychain. It is never written to because a keychain is locked or
// slow: the user may be typing the password, and would find the secret gone after the
// next start.
package secret

import (
	"context"
	"strings"

	"apex-ai-proxy/app/secret/pasted"
	"apex-ai-proxy/proxy/prose"
)

// Names of the secrets.
const (
	GatewayToken = "gateway-token"
	LocalKey     = "local-key"
)

// ProviderKey is the name of the user's own key for a provider.
func ProviderKey(provider string) string { return "provider-key:" + provider }

// The states of a secret that are not "present". They are matched with errors.Is.
var (
	ErrMissing   = prose.Errorf("no such secret is stored")
	ErrLocked    = prose.Errorf("the keychain is locked")
	ErrBusy      = prose.Errorf("the keychain has not answered yet; it may be waiting for you to unlock it")
	ErrNoService = prose.Errorf("this system has no keychain service running")
	ErrDenied    = prose.Errorf("the keychain refused access")
	ErrTooLarge  = prose.Errorf("the secret is too long for the keychain (2 KB at most)")
	ErrReadOnly  = prose.Errorf("the secret comes from the environment and cannot be changed here")
)

// The reasons to refuse a value.
var (
	ErrEmpty   = prose.Errorf("the secret is empty")
	ErrInvalid = prose.Errorf("the secret holds a space, a line break or a character that is not plain ASCII; copy the token alone")
)

// MaxSize is the longest secret in bytes that every system's keychain can hold.
const MaxSize = 2048

// Clean is value without the white space around it that copying and piping leave. It
// refuses what could not be sent in an HTTP header.
func Clean(value string) (string, error) {
	value = strings.TrimSpace(value)
	switch {
	case value == "":
		return "", ErrEmpty
	case len(value) > MaxSize:
		return "", ErrTooLarge
	}
	for i := range len(value) {
		if value[i] <= ' ' || value[i] > '~' {
			return "", ErrInvalid
		}
	}
	return value, nil
}

// CleanPasted is Clean of what somebody pasted, without what came along.
func CleanPasted(text string) (string, error) { return Clean(pasted.Secret(text)) }

// Store keeps secrets. Every method may block until ctx ends: the system may be asking
// the user for a password. Never call one from the user interface's goroutine.
type Store interface {
	Get(ctx context.Context, name string) (string, error)
	Set(ctx context.Context, name, value string) error
	Delete(ctx context.Context, name string) error
}
