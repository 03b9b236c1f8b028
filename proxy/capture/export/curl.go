package export

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"apex-ai-proxy/proxy/capture"
	"apex-ai-proxy/proxy/prose"
)

// Shell is the shell that a command is written for.
type Shell uint8

// The shells.
const (
	Bash Shell = iota
	PowerShell
)

// ErrCut says that a request cannot be repeated, because only its beginning was kept.
var ErrCut = prose.Errorf("the request is longer than what was kept of it")

// ErrQuote says that no command of the shell can hold a request without running a part of
// it, changing it, or acting on the terminal that it is pasted into.
var ErrQuote = prose.Errorf("the request cannot be written into a command safely")

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
	if bytes.IndexByte(m.Body, 0) >= 0 { // no argument has one, and no terminal takes it
		return "", ErrQuote
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
		if endsHere(string(m.Body)) || acts(string(m.Body)) { // its rest would be run, or typed as keys
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

// acts tells whether a text holds what a terminal takes for a key or an order when it is
// pasted: any control character but line ends and tabs, and bytes that are no text.
func acts(s string) bool {
	return !utf8.ValidString(s) || strings.ContainsFunc(strings.ReplaceAll(s, "\r\n", "\n"), func(r rune) bool {
		return unicode.IsControl(r) && r != '\n' && r != '\t'
	})
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

// quoteBash quotes a text for a POSIX shell, with the value of a variable at its end. A text
// that would act on a terminal is written with escapes, which bash, zsh and ksh read. Tabs
// are, too: a shell that is typed into completes names at them.
func quoteBash(s, variable string) string {
	out := "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	if acts(s) || strings.ContainsRune(s, '\t') {
		out = escapedBash(s)
	}
	if variable != "" {
		out += `"$` + variable + `"`
	}
	return out
}

// escapedBash is a text in $'…', where all but line ends and what can be seen is written in
// octal, as are the characters that mean something there or to the shell's history.
func escapedBash(s string) string {
	var b strings.Builder
	b.WriteString("$'")
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 || unicode.IsControl(r) && r != '\n' || strings.ContainsRune(`'\!`, r) {
			for _, c := range []byte(s[:n]) {
				fmt.Fprintf(&b, `\%03o`, c)
			}
		} else {
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	b.WriteByte('\'')
	return b.String()
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
