package spelling_test

import (
	"testing"

	"apex-ai-proxy/proxy/spelling"
)

func TestNearest(t *testing.T) {
	words := []string{"serve", "token", "key", "version", "help"}
	for typed, want := range map[string]string{"serv": "serve", "SERVE": "serve", "tokens": "token", "ky": "key", "": "", "xyz": "", "kex": "key", "ab": "", "version2": "version", "eky": "key", "srvee": "serve", "yek": ""} {
		if got := spelling.Nearest(typed, words); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", typed, got, want)
		}
	}
}
