package secret

import (
	"context"
	"sync"
)

// Memory keeps secrets until the program ends. The zero Memory is empty and ready.
type Memory struct {
	mu     sync.Mutex
	values map[string]string
}

// Get is the value that was set for name.
func (m *Memory) Get(_ context.Context, name string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.values[name]
	if !ok {
		return "", ErrMissing
	}
	return v, nil
}

// Set keeps a value.
func (m *Memory) Set(_ context.Context, name, value string) error {
	value, err := Clean(value)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.values == nil {
		m.values = make(map[string]string)
	}
	m.values[name] = value
	return nil
}

// Delete forgets a value.
func (m *Memory) Delete(_ context.Context, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.values[name]; !ok {
		return ErrMissing
	}
	delete(m.values, name)
	return nil
}
