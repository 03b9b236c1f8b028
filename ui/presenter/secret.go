package presenter

import (
	"errors"
	"strings"

	"apex-ai-proxy/ui/words"
)

// SecretName names a secret: the gateway token, or a provider's key.
type SecretName string

// GatewayToken is the Cloudflare token that opens the gateway.
const GatewayToken SecretName = "gateway-token"

// ProviderKey is the user's own key for a provider.
func ProviderKey(provider string) SecretName { return SecretName("provider-key:" + provider) }

// Removal is the question before a secret is removed.
type Removal struct{ Title, Text string }

// AskRemoval is the question before a secret is removed, which cannot be undone.
func AskRemoval(name SecretName) Removal {
	provider, ok := strings.CutPrefix(string(name), string(ProviderKey("")))
	if !ok {
		return Removal{
			words.T("Remove the gateway token?"),
			words.T("The program cannot bring it back. Until you store a token again, only demo models answer."),
		}
	}
	return Removal{
		words.F("Remove the key of {{.Provider}}?", words.V{"Provider": provider}),
		words.F("The program cannot bring it back. Until you store a key again, or choose another source for it, {{.Provider}} does not answer.", words.V{"Provider": provider}),
	}
}

// SecretState says where a secret is, or why it cannot be had.
type SecretState uint8

// The states of a secret.
const (
	SecretChecking SecretState = iota // not known yet
	SecretPresent
	SecretInMemory        // present until the program ends, for want of a keychain
	SecretFromEnvironment // present, and not to be changed here
	SecretMissing
	SecretLocked
	SecretWaiting // the system may be asking the user for a password
	SecretNoService
	SecretDenied
	SecretTooLarge
	SecretUnreadable // any other failure of the keychain
	SecretRefused    // there is one, but the gateway does not take it
)

// String is the state in words.
func (s SecretState) String() string {
	switch s {
	case SecretChecking:
		return words.T("Asking the keychain…")
	case SecretPresent:
		return words.T("Stored in the keychain")
	case SecretInMemory:
		return words.T("Kept until the program ends, as there is no keychain")
	case SecretFromEnvironment:
		return words.T("Set by the environment, cannot be changed here")
	case SecretMissing:
		return words.T("Not set")
	case SecretLocked:
		return words.T("The keychain is locked")
	case SecretWaiting:
		return words.T("Waiting for the system keychain…")
	case SecretNoService:
		return words.T("No keychain service is running")
	case SecretDenied:
		return words.T("The keychain refused access")
	case SecretTooLarge:
		return words.T("Too long for the keychain (2 KB at most)")
	case SecretRefused:
		return words.T("The gateway refused the token")
	default:
		return words.T("The keychain cannot be read")
	}
}

// Usable tells whether the proxy has the secret.
func (s SecretState) Usable() bool {
	return s == SecretPresent || s == SecretInMemory || s == SecretFromEnvironment
}

// Shut tells whether the keychain does not say if there is a secret.
func (s SecretState) Shut() bool {
	return s == SecretLocked || s == SecretWaiting || s == SecretDenied || s == SecretUnreadable
}

// Kept tells whether there is a secret that can be removed.
func (s SecretState) Kept() bool { return s == SecretPresent || s == SecretInMemory }

// Tone says how good or bad the state is.
func (s SecretState) Tone() Tone {
	switch s {
	case SecretPresent, SecretFromEnvironment:
		return ToneGood
	case SecretInMemory:
		return ToneWarn
	case SecretChecking, SecretMissing, SecretWaiting:
		return ToneQuiet
	default:
		return ToneBad
	}
}

// Cure is what the user can do about the state, "" when nothing is needed.
func (s SecretState) Cure() string {
	switch s {
	case SecretLocked:
		return words.T("Unlock the keychain, then check again.")
	case SecretWaiting:
		return words.T("The system may be showing a password dialog. Answer it, then check again.")
	case SecretNoService:
		return words.T("Start GNOME Keyring or KWallet to keep it. Without one it can be kept until the program ends.")
	case SecretInMemory:
		return words.T("Start GNOME Keyring or KWallet, then store it again to keep it.")
	case SecretDenied:
		return words.T("Allow this program in the keychain, then check again.")
	case SecretTooLarge:
		return words.T("A token is usually shorter than 100 characters. Paste only the token itself.")
	case SecretUnreadable:
		return words.T("Check that the system's keychain works, then check again.")
	default:
		return ""
	}
}

// SecretError is a failure of the keychain with its state.
type SecretError struct {
	State SecretState
	Err   error
}

// Error is the failure in words, without the secret.
func (e *SecretError) Error() string { return e.State.String() }

// Unwrap is the keychain's error.
func (e *SecretError) Unwrap() error { return e.Err }

// SecretFailure is what to tell the user when a secret could not be stored or removed.
func SecretFailure(err error) string {
	var s *SecretError
	if !errors.As(err, &s) {
		return Tell(err)
	}
	if cure := s.State.Cure(); cure != "" {
		return words.F("{{.State}}. {{.Cure}}", words.V{"State": s.State, "Cure": cure})
	}
	return words.F("{{.State}}.", words.V{"State": s.State})
}
