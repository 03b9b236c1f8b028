package presenter

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestShorten(t *testing.T) {
	for _, c := range []struct {
		in   string
		n    int
		want string
	}{
		{"abc", 3, "abc"},
		{"abcd", 3, "ab…"},
		{"äöüß", 4, "äöüß"},
		{"äöüß", 3, "äö…"},
		{"ab cd", 4, "ab…"},
		{"abc", 1, "…"},
		{"abc", 0, ""},
	} {
		if got := Shorten(c.in, c.n); got != c.want {
			t.Errorf("Shorten(%q, %d) = %q, want %q", c.in, c.n, got, c.want)
		}
	}
}

func TestElapsed(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "–", -time.Second: "–", 500 * time.Microsecond: "<1 ms", 412 * time.Millisecond: "412 ms",
		999 * time.Millisecond: "999 ms", 1234 * time.Millisecond: "1.2 s", 59990 * time.Millisecond: "59.9 s",
		time.Minute: "1 m 00 s", 125 * time.Second: "2 m 05 s", time.Hour: "60 m 00 s",
	} {
		if got := elapsed(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestCountAndSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -12: "-12"} {
		if got := count(n); got != want {
			t.Errorf("count %d: %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 KB", 1_500_000: "1.5 MB"} {
		if got := size(n); got != want {
			t.Errorf("size %d: %q, want %q", n, got, want)
		}
	}
}

func TestSentence(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "  listen on x ": "Listen on x.", "Done!": "Done!", "ärger": "Ärger.", "wait…": "Wait…",
	} {
		if got := Sentence(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestSecretStates(t *testing.T) {
	for s := SecretChecking; s <= SecretUnreadable; s++ {
		if s.String() == "" {
			t.Errorf("state %d has no words", s)
		}
		if s.Usable() != (s == SecretPresent || s == SecretInMemory || s == SecretFromEnvironment) {
			t.Errorf("%v: usable is %v", s, s.Usable())
		}
		if s.Tone() == ToneBad && s.Cure() == "" {
			t.Errorf("%v is bad and has no cure", s)
		}
		if s.Usable() && s.Tone() == ToneBad {
			t.Errorf("%v is usable and bad", s)
		}
	}
}

func TestSecretFailure(t *testing.T) {
	for want, err := range map[string]error{
		"The keychain is locked. Unlock the keychain, then check again.": &SecretError{State: SecretLocked, Err: errors.New("dbus")},
		"Not set.":                  &SecretError{State: SecretMissing},
		"The secret holds a space.": errors.New("the secret holds a space"),
	} {
		if got := SecretFailure(err); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestErrorsDoNotTellSecrets(t *testing.T) {
	err := &SecretError{State: SecretDenied, Err: errors.New("refused for value hunter2")}
	if strings.Contains(err.Error(), "hunter2") || strings.Contains(SecretFailure(err), "hunter2") {
		t.Error("the keychain's own text reaches the user")
	}
}
