package app

import (
	"context"
	"sync/atomic"
	"testing"

	"apex-ai-proxy/app/secret"
)

// closedKeychain gives nothing until it is opened. Whoever asks it before sees a dialog.
type closedKeychain struct {
	secret.Memory
	open    atomic.Bool
	dialogs atomic.Int32
}

func (k *closedKeychain) Ready(context.Context) bool { return k.open.Load() }

func (k *closedKeychain) Get(ctx context.Context, name string) (string, error) {
	if !k.open.Load() {
		k.dialogs.Add(1)
		return "", secret.ErrLocked
	}
	return k.Memory.Get(ctx, name)
}

func TestKeychainIsReadOnceItIsOpen(t *testing.T) {
	for name, stored := range map[string]string{"a key is stored": "apx-stored", "none is stored": ""} {
		t.Run(name, func(t *testing.T) {
			ctx, k := t.Context(), &closedKeychain{}
			if stored != "" {
				must(t, k.Memory.Set(ctx, secret.LocalKey, stored))
			}
			must(t, k.Memory.Set(ctx, secret.GatewayToken, "tok"))
			a := opened(t, nil, k)
			must(t, a.Start(ctx))
			a.loads.Wait()
			made, dialogs := a.LocalKey(), k.dialogs.Load()
			if made == "" || a.LocalKeyKept() {
				t.Fatalf("key %q, kept %t", made, a.LocalKeyKept())
			}
			if a.reread(ctx) || k.dialogs.Load() != dialogs {
				t.Error("a keychain that is closed is asked again")
			}
			k.open.Store(true)
			if !a.reread(ctx) {
				t.Fatal("a keychain that was opened is not read")
			}
			a.loads.Wait()
			want := stored
			if want == "" {
				want = made
			}
			if got := a.LocalKey(); got != want || !a.LocalKeyKept() {
				t.Errorf("key %q, want %q, kept %t", got, want, a.LocalKeyKept())
			}
			if got, err := k.Memory.Get(ctx, secret.LocalKey); got != want || err != nil {
				t.Errorf("%q is stored, want %q: %v", got, want, err)
			}
			a.mu.Lock()
			token := a.values[secret.GatewayToken]
			a.mu.Unlock()
			if token != "tok" {
				t.Errorf("token %q", token)
			}
			if a.reread(ctx) {
				t.Error("it is read once more")
			}
		})
	}
}
