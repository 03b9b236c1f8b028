package secret

import (
	"context"
	"errors"
)

// Place is where a secret is kept.
type Place string

// The places.
const (
	InEnvironment Place = "environment"
	InKeychain    Place = "keychain"
	InMemory      Place = "memory" // lost when the program ends
)

// Chain is the store the program uses: the environment before the keychain, and memory
// where there is no keychain.
type Chain struct {
	env      Environment
	memory   Memory
	keychain Store
}

// NewChain returns a chain over the environment that getenv reads and a keychain.
func NewChain(getenv func(string) string, keychain Store) *Chain {
	return &Chain{env: NewEnvironment(getenv), keychain: keychain}
}

// Place tells where the secret is kept, or would be looked for. A secret that Set could
// only put into memory is InMemory.
func (c *Chain) Place(name string) Place {
	ctx := context.Background() // neither of the two waits for anything
	if _, err := c.env.Get(ctx, name); !errors.Is(err, ErrMissing) {
		return InEnvironment
	}
	if _, err := c.memory.Get(ctx, name); err == nil {
		return InMemory
	}
	return InKeychain
}

// Ready tells whether the keychain answers now without asking the user for anything.
func (c *Chain) Ready(ctx context.Context) bool {
	k, ok := c.keychain.(interface {
		Ready(ctx context.Context) bool
	})
	return ok && k.Ready(ctx)
}

// Get reads the secret from the first place that has it.
func (c *Chain) Get(ctx context.Context, name string) (string, error) {
	switch c.Place(name) {
	case InEnvironment:
		return c.env.Get(ctx, name)
	case InMemory:
		return c.memory.Get(ctx, name)
	default:
		return c.keychain.Get(ctx, name)
	}
}

// Set keeps the secret in the keychain, or in memory when there is none; Place tells
// which. It returns ErrReadOnly when the environment would win anyway.
func (c *Chain) Set(ctx context.Context, name, value string) error {
	if c.Place(name) == InEnvironment {
		return ErrReadOnly
	}
	value, err := Clean(value)
	if err != nil {
		return err
	}
	err = c.keychain.Set(ctx, name, value)
	if errors.Is(err, ErrNoService) {
		return c.memory.Set(ctx, name, value)
	}
	if err != nil {
		return err
	}
	return ignoreMissing(c.memory.Delete(ctx, name))
}

// Delete removes the secret from memory and keychain.
func (c *Chain) Delete(ctx context.Context, name string) error {
	if c.Place(name) == InEnvironment {
		return ErrReadOnly
	}
	inMemory := c.memory.Delete(ctx, name) == nil
	err := c.keychain.Delete(ctx, name)
	if inMemory && (errors.Is(err, ErrNoService) || errors.Is(err, ErrMissing)) {
		return nil
	}
	return err
}

func ignoreMissing(err error) error {
	if errors.Is(err, ErrMissing) {
		return nil
	}
	return err
}
