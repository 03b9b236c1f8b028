package e2e

import (
	"context"
	"testing"
)

// TestOneProcessor: the program runs on one, unless the user wants otherwise. The runtime itself
// says on how many.
func TestOneProcessor(t *testing.T) {
	for name, c := range map[string]struct {
		env  []string
		want string
	}{
		"usually":          {nil, "gomaxprocs=1 "},
		"as the user says": {[]string{"GOMAXPROCS=3"}, "gomaxprocs=3 "},
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t, config{env: append(c.env, "GODEBUG=schedtrace=20")})
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			if _, err := p.stderr.find(ctx, c.want, p.ended); err != nil {
				t.Error(err)
			}
		})
	}
}
