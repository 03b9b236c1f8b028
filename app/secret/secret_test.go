package secret

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
)

func TestMain(m *testing.M) {
	if code, inside := runInsideSession(); inside {
		os.Exit(code)
	}
	os.Exit(m.Run())
}

func TestClean(t *testing.T) {
	long := strings.Repeat("x", MaxSize)
	tests := []struct {
		in, want string
		err      error
	}{
		{"abc", "abc", nil},
		{" \t abc\r\n", "abc", nil},
		{"v1.0-!~_=/+", "v1.0-!~_=/+", nil},
		{long + "\n", long, nil},
		{"", "", ErrEmpty},
		{" \n", "", ErrEmpty},
		{long + "x", "", ErrTooLarge},
		{"a b", "", ErrInvalid},
		{"Bearer abc", "", ErrInvalid},
		{"a\nb", "", ErrInvalid},
		{"a\x00b", "", ErrInvalid},
		{"a\x7fb", "", ErrInvalid},
		{"aäb", "", ErrInvalid},
		{"a\u200bb", "", ErrInvalid}, // zero width, as pasted from a web page
	}
	for _, tc := range tests {
		got, err := Clean(tc.in)
		if got != tc.want || !errors.Is(err, tc.err) {
			t.Errorf("Clean(%.20q) = %.20q, %v, want %.20q, %v", tc.in, got, err, tc.want, tc.err)
		}
		if err != nil && tc.in != "" && strings.Contains(err.Error(), tc.in) {
			t.Errorf("error %q shows the secret", err)
		}
	}
}

func TestVariable(t *testing.T) {
	for name, want := range map[string]string{
		GatewayToken:                    "GATEWAY_TOKEN",
		LocalKey:                        "APEX_LOCAL_KEY",
		ProviderKey("openai"):           "APEX_PROVIDER_KEY_OPENAI",
		ProviderKey("google-ai-studio"): "APEX_PROVIDER_KEY_GOOGLE_AI_STUDIO",
	} {
		if got := Variable(name); got != want {
			t.Errorf("Variable(%q) = %q, want %q", name, got, want)
		}
	}
}

func env(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestEnvironment(t *testing.T) {
	ctx := context.Background()
	e := NewEnvironment(env("GATEWAY_TOKEN", " tok\n", "APEX_LOCAL_KEY", "two words"))
	if v, err := e.Get(ctx, GatewayToken); v != "tok" || err != nil {
		t.Errorf("got %q, %v", v, err)
	}
	if v, err := e.Get(ctx, LocalKey); v != "" || !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "APEX_LOCAL_KEY") {
		t.Errorf("got %q, %v", v, err)
	}
	if _, err := e.Get(ctx, ProviderKey("openai")); !errors.Is(err, ErrMissing) {
		t.Errorf("got %v", err)
	}
	if err := errors.Join(e.Set(ctx, GatewayToken, "x")); !errors.Is(err, ErrReadOnly) {
		t.Errorf("set: %v", err)
	}
	if err := e.Delete(ctx, GatewayToken); !errors.Is(err, ErrReadOnly) {
		t.Errorf("delete: %v", err)
	}
}

func TestMemory(t *testing.T) {
	ctx := context.Background()
	var m Memory
	if _, err := m.Get(ctx, "a"); !errors.Is(err, ErrMissing) {
		t.Errorf("got %v", err)
	}
	if err := m.Set(ctx, "a", " "); !errors.Is(err, ErrEmpty) {
		t.Errorf("got %v", err)
	}
	if err := m.Set(ctx, "a", " v "); err != nil {
		t.Error(err)
	}
	if v, err := m.Get(ctx, "a"); v != "v" || err != nil {
		t.Errorf("got %q, %v", v, err)
	}
	if err := m.Delete(ctx, "a"); err != nil {
		t.Error(err)
	}
	if err := m.Delete(ctx, "a"); !errors.Is(err, ErrMissing) {
		t.Errorf("got %v", err)
	}
}

// failing is a keychain in one of the named states.
type failing struct{ err error }

func (f failing) Get(context.Context, string) (string, error) { return "", f.err }
func (f failing) Set(context.Context, string, string) error   { return f.err }
func (f failing) Delete(context.Context, string) error        { return f.err }

func TestChainReadsInOrder(t *testing.T) {
	ctx := context.Background()
	var kept Memory // in the keychain's place
	c := NewChain(env("GATEWAY_TOKEN", "from-env"), &kept)
	if err := kept.Set(ctx, GatewayToken, "from-keychain"); err != nil {
		t.Fatal(err)
	}
	if v, _ := c.Get(ctx, GatewayToken); v != "from-env" || c.Place(GatewayToken) != InEnvironment {
		t.Errorf("got %q from %s", v, c.Place(GatewayToken))
	}
	if err := c.Set(ctx, GatewayToken, "new"); !errors.Is(err, ErrReadOnly) {
		t.Errorf("set: %v", err)
	}
	if err := c.Delete(ctx, GatewayToken); !errors.Is(err, ErrReadOnly) {
		t.Errorf("delete: %v", err)
	}
	if v, _ := kept.Get(ctx, GatewayToken); v != "from-keychain" {
		t.Errorf("the keychain now has %q", v)
	}

	if err := c.Set(ctx, LocalKey, " key "); err != nil {
		t.Fatal(err)
	}
	if v, _ := kept.Get(ctx, LocalKey); v != "key" || c.Place(LocalKey) != InKeychain {
		t.Errorf("the keychain has %q, place %s", v, c.Place(LocalKey))
	}
	if err := c.Delete(ctx, LocalKey); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Get(ctx, LocalKey); !errors.Is(err, ErrMissing) {
		t.Errorf("got %v", err)
	}
}

func TestChainFallsBackOnlyWithoutAService(t *testing.T) {
	ctx := context.Background()
	for _, state := range []error{ErrLocked, ErrBusy, ErrDenied, ErrTooLarge, errors.New("other")} {
		c := NewChain(env(), failing{state})
		if err := c.Set(ctx, GatewayToken, "tok"); !errors.Is(err, state) {
			t.Errorf("%v: set returned %v", state, err)
		}
		if v, err := c.Get(ctx, GatewayToken); v != "" || !errors.Is(err, state) {
			t.Errorf("%v: got %q, %v", state, v, err)
		}
	}

	c := NewChain(env(), failing{ErrNoService})
	if err := c.Set(ctx, GatewayToken, "tok"); err != nil {
		t.Errorf("set: %v", err)
	}
	if v, err := c.Get(ctx, GatewayToken); v != "tok" || err != nil || c.Place(GatewayToken) != InMemory {
		t.Errorf("got %q, %v from %s", v, err, c.Place(GatewayToken))
	}
	if err := c.Delete(ctx, GatewayToken); err != nil {
		t.Errorf("delete: %v", err)
	}
	if _, err := c.Get(ctx, GatewayToken); !errors.Is(err, ErrNoService) {
		t.Errorf("got %v", err)
	}
	if err := c.Delete(ctx, GatewayToken); !errors.Is(err, ErrNoService) {
		t.Errorf("delete of nothing: %v", err)
	}
}

// late is a keychain whose service starts after the program.
type late struct {
	Memory
	absent bool
}

func (l *late) Set(ctx context.Context, name, value string) error {
	if l.absent {
		return ErrNoService
	}
	return l.Memory.Set(ctx, name, value)
}

func TestChainMovesFromMemoryToTheKeychain(t *testing.T) {
	ctx := context.Background()
	k := &late{absent: true}
	c := NewChain(env(), k)
	if err := c.Set(ctx, GatewayToken, "one"); err != nil || c.Place(GatewayToken) != InMemory {
		t.Fatalf("%v, place %s", err, c.Place(GatewayToken))
	}
	k.absent = false
	if err := c.Set(ctx, GatewayToken, "two"); err != nil || c.Place(GatewayToken) != InKeychain {
		t.Fatalf("%v, place %s", err, c.Place(GatewayToken))
	}
	if v, err := c.Get(ctx, GatewayToken); v != "two" || err != nil {
		t.Errorf("got %q, %v", v, err)
	}
}

func TestChainRefusesBadValues(t *testing.T) {
	c := NewChain(env(), failing{ErrNoService})
	for value, want := range map[string]error{"": ErrEmpty, "a b": ErrInvalid, strings.Repeat("x", MaxSize+1): ErrTooLarge} {
		if err := c.Set(context.Background(), GatewayToken, value); !errors.Is(err, want) {
			t.Errorf("%.10q: got %v, want %v", value, err, want)
		}
	}
}

// A variable with an unusable value is an error to show, not a reason to use another
// secret than the one that was asked for.
func TestChainDoesNotPassOverABadVariable(t *testing.T) {
	var kept Memory
	_ = kept.Set(context.Background(), GatewayToken, "from-keychain")
	c := NewChain(env("GATEWAY_TOKEN", "a b"), &kept)
	if v, err := c.Get(context.Background(), GatewayToken); v != "" || !errors.Is(err, ErrInvalid) {
		t.Errorf("got %q, %v", v, err)
	}
}
