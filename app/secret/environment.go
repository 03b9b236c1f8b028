package secret

import (
	"context"
	"fmt"
	"strings"
)

// Environment reads secrets from environment variables. It cannot change them.
type Environment struct {
	getenv func(string) string
}

// NewEnvironment returns a store that reads variables with getenv.
func NewEnvironment(getenv func(string) string) Environment {
	return Environment{getenv: getenv}
}

// Variable is the environment variable that holds a secret.
func Variable(name string) string {
	switch name {
	case GatewayToken:
		return "GATEWAY_TOKEN"
	case LocalKey:
		return "APEX_LOCAL_KEY"
	}
	provider := strings.TrimPrefix(name, ProviderKey(""))
	return "APEX_PROVIDER_KEY_" + strings.ToUpper(strings.ReplaceAll(provider, "-", "_"))
}

// Get is the value of the secret's variable. An empty variable counts as missing.
func (e Environment) Get(_ context.Context, name string) (string, error) {
	v := e.getenv(Variable(name))
	if v == "" {
		return "", ErrMissing
	}
	v, err := Clean(v)
	if err != nil {
		return "", fmt.Errorf("environment variable %s: %w", Variable(name), err)
	}
	return v, nil
}

// Set returns ErrReadOnly.
func (e Environment) Set(context.Context, string, string) error { return ErrReadOnly }

// Delete returns ErrReadOnly.
func (e Environment) Delete(context.Context, string) error { return ErrReadOnly }
