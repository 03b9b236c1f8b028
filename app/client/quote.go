package client

import (
	"fmt"
	"strings"
	"text/template"
	"unicode/utf8"
)

// quote is s as a literal in double quotes that means the same in JSON, TOML, YAML,
// Python, JavaScript and Go. What some of them do not allow as it is, is written \uXXXX.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s { // broken UTF-8 becomes U+FFFD
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < 0x20, r >= 0x7f && r < 0xa0, r == 0x2028, r == 0x2029, r == 0xfeff, r == 0xfffe, r == 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// ascii is a JSON text with nothing but ASCII in it, for ways that change other letters.
func ascii(json string) string {
	var b strings.Builder
	for _, r := range json {
		switch {
		case r < utf8.RuneSelf:
			b.WriteRune(r)
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// bare is s without the characters that no command line can hold.
func bare(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}

// quoteBash is s as one word of bash, zsh and sh.
func quoteBash(s string) string { return "'" + strings.ReplaceAll(bare(s), "'", `'\''`) + "'" }

// quoteFish is s as one word of fish, in which a backslash counts inside quotes too.
func quoteFish(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(bare(s)) + "'"
}

// quotePowerShell is s as one word of PowerShell, which takes typographic quotes for
// quotes.
func quotePowerShell(s string) string {
	return "'" + strings.NewReplacer("'", "''", "‘", "‘‘", "’", "’’", "‚", "‚‚", "‛", "‛‛").Replace(bare(s)) + "'"
}

// quoting are the functions that a template of a snippet quotes with: {{q .Model}}.
var quoting = template.FuncMap{
	"q": quote, "ascii": ascii, "bash": quoteBash, "fish": quoteFish, "ps": quotePowerShell,
}

// snippet makes a template that is given an Input.
func snippet(text string) func(Input) string {
	t := template.Must(template.New("").Funcs(quoting).Parse(strings.Trim(text, "\n")))
	return func(in Input) string {
		var b strings.Builder
		if err := t.Execute(&b, in); err != nil {
			panic(err) // only a template that names what Input does not have; tests try all
		}
		return b.String()
	}
}

// pair is a variable of the environment.
type pair struct {
	name  string
	value func(Input) string
}

// shells are variants that set variables and then start a command, which may be "". The
// command is a template in which {{w .Model}} is a word of the shell.
func shells(steps []string, command string, pairs ...pair) []Variant {
	return []Variant{
		{Name: "bash, zsh", Format: Bash, Steps: steps, text: shell("export %s=%s", quoteBash, command, pairs)},
		{Name: "PowerShell", Format: PowerShell, Steps: steps, text: shell("$env:%s = %s", quotePowerShell, command, pairs)},
		{Name: "fish", Format: Fish, Steps: steps, text: shell("set -gx %s %s", quoteFish, command, pairs)},
	}
}

func shell(set string, quote func(string) string, command string, pairs []pair) func(Input) string {
	t := template.Must(template.New("").Funcs(template.FuncMap{"w": quote}).Parse(command))
	return func(in Input) string {
		var b strings.Builder
		for _, p := range pairs {
			fmt.Fprintf(&b, set+"\n", p.name, quote(p.value(in)))
		}
		if err := t.Execute(&b, in); err != nil {
			panic(err) // as in snippet
		}
		return strings.TrimSuffix(b.String(), "\n")
	}
}

// The values that fields and variables take.
func openAI(in Input) string    { return in.OpenAI }
func anthropic(in Input) string { return in.Anthropic }
func key(in Input) string       { return in.Key }
func model(in Input) string     { return in.Model }

// tier is the model for a tier.
func tier(name string) func(Input) string { return func(in Input) string { return in.Tier(name) } }

// always is a value that does not depend on the input.
func always(s string) func(Input) string { return func(Input) string { return s } }

// home is the path of a file below the home folder, which all systems have.
func home(path string) Paths {
	return Paths{
		MacOS: "~/" + path, Linux: "~/" + path,
		Windows: `%USERPROFILE%\` + strings.ReplaceAll(path, "/", `\`),
	}
}
