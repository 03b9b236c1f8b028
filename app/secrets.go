package app

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"maps"
	"slices"
	"time"

	"apex-ai-proxy/app/secret"
	"apex-ai-proxy/app/settings"
)

// patience is how long the keychain may take before the log says that it is waited for.
// It is waited for longer: the user may be typing the password.
const patience = 3 * time.Second

// load reads those of the named secrets that are not known yet: what can be had without
// waiting at once, so that it is in force when the proxy starts to listen, and what is in
// the keychain in the background.
func (a *App) load(names ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, name := range names {
		if _, known := a.values[name]; known || a.loading[name] || a.ctx.Err() != nil {
			continue
		}
		if a.secrets.Place(name) != secret.InKeychain {
			if value, err := a.secrets.Get(a.ctx, name); err == nil {
				a.values[name] = value
				if name == secret.LocalKey {
					a.keyKept = true
					a.signalKey()
				}
				continue
			}
		}
		if a.missing[name] { // no request waits for what was not there a moment ago
			a.loads.Go(func() { a.readAgain(name) })
			continue
		}
		a.loading[name] = true
		a.loads.Go(func() { a.read(name) })
	}
}

// wanted is the secrets that requests need, the one that clients wait for first.
func wanted(s settings.Settings) []string {
	names := []string{secret.LocalKey, secret.GatewayToken}
	for name, p := range s.Providers {
		if p.Key == settings.KeyOwn {
			names = append(names, secret.ProviderKey(name))
		}
	}
	slices.Sort(names[2:])
	return names
}

// read gets one secret and puts it in force. It ends with the keychain's answer or with
// the App.
func (a *App) read(name string) {
	slow := time.AfterFunc(patience, func() {
		a.log.Warn("waiting for the system keychain; you may have to unlock it", "secret", name)
	})
	value, err := a.secrets.Get(a.ctx, name)
	slow.Stop()
	a.mu.Lock()
	delete(a.loading, name)
	switch {
	case errors.Is(err, secret.ErrMissing):
		a.missing[name] = name != secret.LocalKey // that one is made
	case err != nil:
		a.refused[name] = true
	}
	a.mu.Unlock()
	switch {
	case a.ctx.Err() != nil:
	case err == nil:
		a.learn(name, value, true)
	case name == secret.LocalKey:
		a.makeLocalKey(err)
	case errors.Is(err, secret.ErrMissing):
		a.log.Info("no such secret is stored", "secret", name)
	case errors.Is(err, secret.ErrNoService):
		a.missKeychain(name)
	default:
		a.log.Warn("secret cannot be read", "secret", name, "error", err)
	}
	a.configure() // it is waited for no longer
}

// reread reads again what the keychain would not give, once it would: it was locked, or
// not there yet, when the program started. It tells whether there was anything to read.
func (a *App) reread(ctx context.Context) bool {
	a.mu.Lock()
	waiting := len(a.refused) > 0
	a.mu.Unlock()
	if !waiting || !a.secrets.Ready(ctx) {
		return false
	}
	a.log.Info("the keychain can be read now")
	a.mu.Lock()
	defer a.mu.Unlock()
	for name := range a.refused {
		if !a.loading[name] && a.ctx.Err() == nil {
			a.loading[name] = true
			a.loads.Go(func() { a.read(name) })
		}
	}
	clear(a.refused)
	return true
}

// askAgain is how often at most the keychain is asked for a secret that it did not have.
const askAgain = 5 * time.Second

// lacking has the keychain asked again for what it did not have, beside a request that lacks
// it: it may have been stored since, in a terminal.
func (a *App) lacking() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if time.Since(a.asked) < askAgain || a.ctx.Err() != nil {
		return
	}
	a.asked = time.Now()
	for _, name := range wanted(a.file) {
		if _, known := a.values[name]; known || a.loading[name] || a.refused[name] {
			continue
		}
		a.loads.Go(func() { a.readAgain(name) })
	}
}

// readAgain puts a secret in force if it is there by now. It is not waited for, so nothing
// tells that it is being read.
func (a *App) readAgain(name string) {
	value, err := a.secrets.Get(a.ctx, name)
	switch {
	case err == nil:
		a.learn(name, value, true)
	case !errors.Is(err, secret.ErrMissing) && a.ctx.Err() == nil:
		a.mu.Lock()
		a.refused[name] = true // until the keychain is ready
		a.mu.Unlock()
	}
}

// makeLocalKey makes a key where none could be read, cause says why. It replaces nothing
// in the keychain: a key is stored only where there was none.
func (a *App) makeLocalKey(cause error) {
	key, kept := a.keyForThisRun(), false
	if key == "" {
		key = newLocalKey()
	}
	if errors.Is(cause, secret.ErrMissing) {
		err := a.secrets.Set(a.ctx, secret.LocalKey, key)
		if a.ctx.Err() != nil {
			return
		}
		kept = err == nil && a.secrets.Place(secret.LocalKey) == secret.InKeychain
		cause = err
	}
	switch {
	case kept:
		a.log.Info("created a local key and stored it in the keychain")
	case errors.Is(cause, secret.ErrNoService):
		a.missKeychain(secret.LocalKey)
	default:
		a.log.Warn("the local key is valid for this run only", "why", cause)
	}
	a.learn(secret.LocalKey, key, kept)
}

// missKeychain tells, once, that there is no keychain to read a secret from that would be
// of use now: without a gateway, its token is not.
func (a *App) missKeychain(name string) {
	if name == secret.GatewayToken && len(a.Settings().Missing()) > 0 {
		return
	}
	a.noRing.Do(func() {
		a.log.Warn("this system has no keychain: secrets can only come from the environment, and a generated local key is valid for this run only", "wanted", secret.Variable(name))
	})
}

// newLocalKey is a key with 256 random bits.
func newLocalKey() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	return "apx-" + base64.RawURLEncoding.EncodeToString(b[:])
}

// learn puts a secret in force. A local key that is known already stays unless the one
// learned comes from a store.
func (a *App) learn(name, value string, stored bool) {
	a.mu.Lock()
	before, known := a.values[name]
	changed := !known || before != value && stored
	if changed {
		a.retire(name)
		a.values[name] = value
	}
	if name == secret.LocalKey && (changed || stored) {
		a.keyKept = stored
		if !known {
			a.signalKey()
		}
	}
	a.mu.Unlock()
	if changed {
		a.configure()
		a.sup.Announce()
	}
}

// maxFormer bounds the secrets that are remembered although they are in force no longer.
const maxFormer = 64

// retire takes a secret out of force. It is remembered for this run, in memory only: what was
// captured before may hold it. a.mu is held.
func (a *App) retire(name string) {
	value, known := a.values[name]
	delete(a.values, name)
	if !known || slices.Contains(a.former, value) {
		return
	}
	if len(a.former) == maxFormer {
		a.former = slices.Delete(a.former, 0, 1)
	}
	a.former = append(a.former, value)
}

// known are the secrets of this run, which must not be seen in what is captured: also those
// that have been replaced or removed since.
func (a *App) known() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.AppendSeq(slices.Clone(a.former), maps.Values(a.values))
}

// signalKey lets those go who wait for the local key. a.mu is held.
func (a *App) signalKey() {
	select {
	case <-a.keyReady:
	default:
		close(a.keyReady)
	}
}

// LocalKey is the key that clients send, "" while the keychain has not answered; Watch
// tells when it is known.
func (a *App) LocalKey() string {
	a.load(secret.LocalKey)
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.values[secret.LocalKey]
}

// LocalKeyKept tells whether the local key will be the same at the next start. It is
// false until the key is known.
func (a *App) LocalKeyKept() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.keyKept
}

// SecretState is nil when the secret is there, otherwise one of the errors of package
// secret: ErrBusy when ctx ended before the keychain answered.
func (a *App) SecretState(ctx context.Context, name string) error {
	if name == secret.LocalKey && a.LocalKey() != "" {
		return nil
	}
	value, err := a.secrets.Get(ctx, name)
	if err == nil {
		a.learn(name, value, true)
	}
	return err
}

// SecretPlace is where the secret is kept, or would be looked for. A secret that is
// InMemory is lost when the program ends, as there is no keychain for it.
func (a *App) SecretPlace(name string) secret.Place {
	if name == secret.LocalKey && a.madeForThisRun() {
		return secret.InMemory
	}
	return a.secrets.Place(name)
}

func (a *App) madeForThisRun() bool { return a.keyForThisRun() != "" }

// keyForThisRun is a local key that was made and could not be stored, "" when there is
// none.
func (a *App) keyForThisRun() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.keyKept {
		return ""
	}
	return a.values[secret.LocalKey]
}

// SetSecret stores a secret and puts it in force. Where there is no keychain it is kept
// for this run, see SecretPlace. ErrBusy means that the keychain is still at it; when it
// stores the secret after all, it is put in force then.
func (a *App) SetSecret(ctx context.Context, name, value string) error {
	value, err := secret.CleanPasted(value)
	if err != nil {
		return err
	}
	err = a.secrets.Set(ctx, name, value)
	if errors.Is(err, secret.ErrBusy) {
		a.loads.Go(func() {
			if v, err := a.secrets.Get(a.ctx, name); err == nil {
				a.learn(name, v, true)
			}
		})
	}
	if err != nil {
		return err
	}
	a.learn(name, value, true)
	if name == secret.LocalKey {
		a.mu.Lock()
		a.keyKept = a.secrets.Place(name) != secret.InMemory
		a.mu.Unlock()
	}
	return nil
}

// DeleteSecret removes a secret and takes it out of force. A new local key is made in
// the place of one that is deleted.
func (a *App) DeleteSecret(ctx context.Context, name string) error {
	if err := a.secrets.Delete(ctx, name); err != nil {
		return err
	}
	a.mu.Lock()
	a.retire(name)
	a.mu.Unlock()
	a.configure()
	if name == secret.LocalKey {
		a.load(name)
	}
	a.sup.Announce()
	return nil
}
