package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"apex-ai-proxy/app/secret"
)

// token keeps the gateway token, or the user's own key of a provider, in the keychain.
func (c *cli) token(ctx context.Context, line commandLine) int {
	name, what := secret.GatewayToken, "gateway token"
	if len(line.args) > 1 {
		name, what = secret.ProviderKey(line.args[1]), "key for "+line.args[1]
	}
	chain := c.chain()
	var err error
	switch line.args[0] {
	case "set":
		err = c.setToken(ctx, chain, name, what)
	case "remove":
		err = c.keychainCall(ctx, func(ctx context.Context) error { return chain.Delete(ctx, name) })
		if err == nil {
			fmt.Fprintf(c.stdout, "The %s was removed from the keychain.\n", what)
		}
	case "status":
		err = c.keychainCall(ctx, func(ctx context.Context) error {
			_, err := chain.Get(ctx, name)
			return err
		})
		if err == nil {
			fmt.Fprintf(c.stdout, "The %s is set (%s).\n", what, chain.Place(name))
		}
	}
	if errors.Is(err, secret.ErrMissing) { // an answer, not a fault
		fmt.Fprintf(c.stdout, "No %s is stored. Store one with \"%s\".\n", what, strings.Join(append([]string{program, cmdToken, "set"}, line.args[1:]...), " "))
		return exitFailure
	}
	if errors.Is(err, secret.ErrNoService) && line.args[0] == "status" {
		err = fmt.Errorf("%w; set the environment variable %s instead", err, secret.Variable(name))
	}
	if err != nil {
		fmt.Fprintf(c.stderr, "%s: %s: %v\n", program, what, err)
		return exitFailure
	}
	return exitOK
}

func (c *cli) chain() *secret.Chain {
	keychain := c.keychain
	if keychain == nil {
		keychain = secret.NewKeychain()
	}
	return secret.NewChain(c.getenv, keychain)
}

func (c *cli) setToken(ctx context.Context, chain *secret.Chain, name, what string) error {
	if chain.Place(name) == secret.InEnvironment {
		return fmt.Errorf("%w: unset %s first", secret.ErrReadOnly, secret.Variable(name))
	}
	value, err := c.readSecret(ctx, what)
	if err != nil {
		return err
	}
	err = c.keychainCall(ctx, func(ctx context.Context) error { return chain.Set(ctx, name, value) })
	if err != nil {
		return err
	}
	if chain.Place(name) == secret.InMemory { // and the memory ends here
		return fmt.Errorf("%w; use the environment variable %s instead", secret.ErrNoService, secret.Variable(name))
	}
	fmt.Fprintf(c.stdout, "The %s is stored in the keychain. If the proxy is already running, restart it to use the new one.\n", what)
	return nil
}

// readSecret reads from standard input: a line from a terminal, everything from a pipe.
func (c *cli) readSecret(ctx context.Context, what string) (string, error) {
	if f, ok := c.stdin.(*os.File); ok && isTerminal(f) {
		show := hideTyping(f)
		note := ""
		if show == nil {
			note = " (it will be visible)"
		} else {
			defer func() {
				show()
				fmt.Fprintln(c.stderr)
			}()
		}
		fmt.Fprintf(c.stderr, "Paste the %s and press Enter%s: ", what, note)
	}
	type result struct {
		text string
		err  error
	}
	read := make(chan result, 1)
	go func() { // ends with the input, or with the program
		text, err := readLine(c.stdin)
		read <- result{text, err}
	}()
	select {
	case r := <-read:
		if r.err != nil {
			return "", fmt.Errorf("read standard input: %w", r.err)
		}
		if strings.TrimSpace(r.text) == "" {
			return "", fmt.Errorf("nothing was read; type it, or pipe it in as in \"%s %s set < token.txt\"", program, cmdToken)
		}
		return secret.CleanPasted(r.text)
	case <-c.signals:
		return "", errInterrupted
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// readLine reads up to the end of the input, or of the first line when it holds text
// and nothing follows at once. It stops where no secret can go on.
func readLine(r io.Reader) (string, error) {
	var text strings.Builder
	buf := make([]byte, 1024)
	for text.Len() <= 2*secret.MaxSize {
		n, err := r.Read(buf)
		text.Write(buf[:n])
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", err
		}
		if s := text.String(); strings.HasSuffix(s, "\n") && strings.TrimSpace(s) != "" {
			break
		}
	}
	return text.String(), nil
}

// key prints the local key, which is made and stored when there is none.
func (c *cli) key(ctx context.Context) int {
	chain := c.chain()
	var key string
	err := c.keychainCall(ctx, func(ctx context.Context) (err error) {
		key, err = chain.Get(ctx, secret.LocalKey)
		if !errors.Is(err, secret.ErrMissing) {
			return err
		}
		key = newLocalKey()
		if err = chain.Set(ctx, secret.LocalKey, key); err == nil && chain.Place(secret.LocalKey) == secret.InMemory {
			err = secret.ErrNoService
		}
		return err
	})
	if err != nil {
		fmt.Fprintf(c.stderr, "%s: local key: %v\nSet the environment variable %s to choose a key, or read the one that \"%s serve\" prints.\n",
			program, err, secret.Variable(secret.LocalKey), program)
		return exitFailure
	}
	fmt.Fprintln(c.stdout, key)
	return exitOK
}
