// Package secret keeps tokens and keys out of files: in the system's keychain, read from
// the environment, or in memory for this run.
package secret

import (
	"context"
	"errors"
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
	ErrMissing   = errors.New("no such secret is stored")
	ErrLocked    = errors.New("the keychain is locked")
	ErrBusy      = errors.New("the keychain has not answered yet; it may be waiting for you to unlock it")
	ErrNoService = errors.New("this system has no keychain service running")
	ErrDenied    = errors.New("the keychain refused access")
	ErrTooLarge  = errors.New("the secret is too long for the keychain (2 KB at most)")
	ErrReadOnly  = errors.New("the secret comes from the environment and cannot be changed here")
)

// Store keeps secrets. Every method may block until ctx ends: the system may be asking
// the user for a password. Never call one from the user interface's goroutine.
type Store interface {
	Get(ctx context.Context, name string) (string, error)
	Set(ctx context.Context, name, value string) error
	Delete(ctx context.Context, name string) error
}
