package export

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"apex-ai-proxy/proxy/capture"
)

// Shell is the shell that a command is written for.
type Shell uint8

// The shells.
const (
	Bash Shell = iota
	PowerShell
)

// ErrCut says that a request cannot be repeated, because only its beginning was kept.
var ErrCut = errors.New("the request is longer than what was kept of it")

// ErrQuote says that no command can hold a body without running a part of it.
var ErrQuote = errors.New("the body cannot be written into a PowerShell command")

// notRepeated are headers that curl sets itself, or that concern one connection only.
var notRepeated = map[string]bool{
	"Accept-Encoding": true, "Connection": true, "Content-Length": true, "Host": true, "Transfer-Encoding": true,
	"User-Agent": true, "Content-Encoding": true, "X-Apex-Hop": true, "X-Apex-Replay-Of": true,
}

// Curl is a command that repeats a captured request. Credentials are taken from the
// environment: APEX_LOCAL_KEY for the proxy, GATEWAY_TOKEN and PROVIDER_KEY for the gateway.
// base is the proxy's address, as in http://127.0.0.1:8787.
func Curl(s *capture.Snapshot, side capture.Side, base string, shell Shell) (string, error) {
	m := &s.Messages[side]
	if m.Cut() {
		return "", ErrCut
	}
	q, program := quoteBash, "curl"
	if shell == PowerShell {
		q, program = quotePowerShell, "curl.exe"
	}
	words := []string{program + " -N " + q(absolute(m.URL, base), "")}
	if m.Method != "POST" || m.Size == 0 {
		words = append(words, "-X "+m.Method)
	}
	local := side == capture.ClientRequest
	var needed []string
	for _, h := range pairs(m.Header) {
		if notRepeated[h.Name] {
			continue
		}
		head, variable := h.Name+": "+h.Value, ""
		if i := strings.Index(head, capture.Dots); i >= 0 {
			head, variable = head[:i], placeholder(h.Name, local)
			needed = append(needed, variable)
		}
		words = append(words, "-H "+q(head, variable))
	}
	first := ""
	if len(needed) > 0 {
		first = "# Set in the environment first: " + strings.Join(needed, ", ") + "\n"
	}
	if m.Size == 0 {
		return first + strings.Join(words, continued(shell)), nil
	}
	if shell == PowerShell {
		if endsHere(string(m.Body)) { // its rest would be run
			return "", ErrQuote
		}
		// PowerShell garbles quotes in arguments of programs; a pipe keeps every byte.
		return first + fmt.Sprintf("$OutputEncoding = [Text.UTF8Encoding]::new($false)\n@'\n%s\n'@ | %s", m.Body, strings.Join(append(words, "--data-binary '@-'"), continued(shell))), nil
	}
	return first + strings.Join(append(words, "--data-binary "+quoteBash(string(m.Body), "")), continued(shell)), nil
}

// endsHere tells whether a line of a body would end the text of a PowerShell command.
func endsHere(body string) bool {
	for _, q := range powerShellQuotes {
		if end := string(q) + "@"; strings.HasPrefix(body, end) || strings.Contains(body, "\n"+end) {
			return true
		}
	}
	return false
}

func placeholder(header string, local bool) string {
	switch {
	case local:
		return "APEX_LOCAL_KEY"
	case header == "Cf-Aig-Authorization":
		return "GATEWAY_TOKEN"
	default:
		return "PROVIDER_KEY"
	}
}

func continued(shell Shell) string {
	if shell == PowerShell {
		return " `\n  "
	}
	return " \\\n  "
}

// quoteBash quotes a text for a POSIX shell, with the value of a variable at its end.
func quoteBash(s, variable string) string {
	out := "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	if variable != "" {
		out += `"$` + variable + `"`
	}
	return out
}

// powerShellQuotes are the characters that PowerShell takes for a single quote.
var powerShellQuotes = []rune{'\'', '\u2018', '\u2019', '\u201A', '\u201B'}

// quotePowerShell quotes a text for PowerShell, with the value of a variable at its end.
func quotePowerShell(s, variable string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for _, r := range s {
		if slices.Contains(powerShellQuotes, r) {
			b.WriteRune(r)
		}
		b.WriteRune(r)
	}
	b.WriteByte('\'')
	if variable == "" {
		return b.String()
	}
	return "(" + b.String() + " + $env:" + variable + ")"
}
