package settings

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"

	"apex-ai-proxy/proxy/prose"
)

// SyntaxError is a settings file that is not TOML.
type SyntaxError struct {
	Path         string
	Line, Column int        // from 1, the column in characters
	Text         string     // the line, with dots for what may be a secret
	Why          prose.Text // what is probably wrong, and how it is mended
}

// Error is where the fault is and why, on one line.
func (e *SyntaxError) Error() string { return e.Told().String() }

// Told is the error as a sentence.
func (e *SyntaxError) Told() prose.Text {
	return prose.New("the settings file cannot be read: %s, line %d, column %d: %s", e.Path, e.Line, e.Column, e.Why)
}

// newSyntaxError says where and why a document cannot be read.
func newSyntaxError(data []byte, cause error) error {
	var at *toml.DecodeError
	if !errors.As(cause, &at) {
		return cause
	}
	row, column := at.Position()
	lines := strings.Split(string(data), "\n")
	line := strings.TrimRight(lines[min(max(row, 1), len(lines))-1], "\r")
	column = min(max(column, 1), len(line)+1)
	f := fault{line: line, section: sectionOf(lines[:min(max(row, 1), len(lines))]), said: strings.TrimPrefix(at.Error(), "toml: ")}
	f.key, f.value, f.assigns = strings.Cut(line, "=")
	f.key, f.value = strings.TrimSpace(f.key), withoutComment(f.value)
	why := f.why()
	if f.bare() { // the whole value is wrong, not the letter at which the parser gave up
		column = strings.Index(line, "=") + 2
		column += len(line[column-1:]) - len(strings.TrimLeft(line[column-1:], " \t"))
	}
	shown := f.shown()
	if shown != line {
		why, column = f.plainly(), min(column, len(shown)+1)
	}
	return &SyntaxError{Line: row, Column: utf8.RuneCountInString(shown[:min(column-1, len(shown))]) + 1, Text: shown, Why: why}
}

// fault is the line on which a document stops being TOML.
type fault struct {
	line, section string
	key, value    string // of "key = value"
	assigns       bool   // it has the form
	said          string // by the parser
}

var (
	bareName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
	quoted   = regexp.MustCompile(`^("(\\.|[^"\\])*"|'[^']*')`)
	number   = regexp.MustCompile(`^[+-]?[0-9][0-9_]*(\.[0-9]+)?$`)
	switches = []string{"true", "false", "yes", "no", "on", "off"}
)

const (
	typeset   = "“”„‘’«»" // quotes that word processors write
	listStart = "[{"
)

// why is what is probably wrong with the line.
func (f fault) why() prose.Text {
	trimmed := strings.TrimSpace(f.line)
	switch {
	case !utf8.ValidString(f.line) || strings.Contains(f.line, "\x00"):
		return prose.New("this is not UTF-8 text; save the file as UTF-8")
	case strings.Contains(f.said, "already"):
		return prose.New("%s above; remove one of the two", f.said)
	case strings.Contains(f.said, "should be a table"):
		return prose.New("the name is a value above and a section here; keep one of the two")
	case strings.Contains(f.said, "array"):
		return prose.New(`a comma between two values, or the closing ] of a list, is missing before this place`)
	case strings.Contains(f.said, "not terminated"):
		return prose.New("the closing quotes are missing")
	case strings.ContainsAny(f.line, typeset) && !strings.HasPrefix(trimmed, "#"):
		return prose.New(`use straight quotes, " or '`)
	case strings.HasPrefix(trimmed, "["):
		return prose.New("a section is written as [gateway], on a line of its own")
	case !f.assigns:
		return prose.New(`write it as name = "value"`)
	case f.key == "":
		return prose.New("a name is missing before =")
	case !f.keyIsFine():
		return prose.New("a name with other characters than letters, digits, - and _ must be in quotes, as in %q = …", f.key)
	default:
		return f.whyValue()
	}
}

// keyIsFine tells whether what is before the = can be a name.
func (f fault) keyIsFine() bool {
	rest := f.key
	for {
		part := quoted.FindString(rest)
		if part == "" {
			part, _, _ = strings.Cut(rest, ".")
			part = strings.TrimSpace(part)
			if !bareName.MatchString(part) {
				return false
			}
		}
		rest = strings.TrimSpace(strings.TrimPrefix(rest, part))
		if rest == "" {
			return true
		}
		if !strings.HasPrefix(rest, ".") {
			return false
		}
		rest = strings.TrimSpace(rest[1:])
	}
}

func (f fault) whyValue() prose.Text {
	switch {
	case f.value == "":
		return prose.New("the value after = is missing")
	case slices.Contains(switches, strings.ToLower(f.value)):
		return prose.New("write true or false, in small letters")
	case strings.ContainsAny(f.value[:1], `"'`):
		return f.whyQuoted()
	case strings.ContainsAny(f.value[:1], listStart) && strings.Contains(f.said, "incomplete"):
		return prose.New("the closing } is missing")
	case strings.ContainsAny(f.value[:1], listStart):
		return prose.New(`texts in a list must be in quotes, as in ["first", "second"]`)
	case number.MatchString(strings.TrimRight(f.value, ",; ")):
		return prose.New("only a comment may follow a value on its line, no comma")
	case f.bare():
		return prose.New("text must be in quotes: %s = %q", f.key, strings.TrimRight(f.value, `"'`))
	default:
		return prose.Verbatim(f.said)
	}
}

func (f fault) whyQuoted() prose.Text {
	closed := quoted.FindString(f.value)
	switch {
	case strings.Contains(f.said, "escape"):
		return prose.New(`in double quotes, \ is written as \\; in single quotes it stays as it is, as in 'C:\folder'`)
	case closed == "":
		return prose.New("the closing quote is missing")
	case strings.ContainsAny(f.value[len(closed):], `"'=`):
		return prose.New(`a value ends at its closing quote; write \" for a quote inside of it, and each setting on a line of its own`)
	default:
		return prose.New("only a comment may follow a value on its line")
	}
}

// bare tells whether the value is a text without quotes.
func (f fault) bare() bool {
	return f.assigns && f.value != "" && f.keyIsFine() && !strings.ContainsAny(f.value[:1], `"'`+listStart+typeset) &&
		!strings.ContainsAny(f.value, typeset) && !strings.Contains(f.said, "already") && !strings.Contains(f.said, "array") &&
		!slices.Contains(switches, strings.ToLower(f.value)) && !number.MatchString(strings.TrimRight(f.value, ",; "))
}

// plainly is why without what may be a secret.
func (f fault) plainly() prose.Text {
	switch {
	case f.bare():
		return prose.New(`text must be in quotes, as in name = "text"`)
	case f.assigns && f.key != "" && !f.keyIsFine():
		return prose.New("a name with other characters than letters, digits, - and _ must be in quotes")
	}
	return f.why().Map(Masked)
}

// shown is the line as it may go to a terminal or a log. Values are shown where settings
// are known to hold no secrets; people put secrets where they do not belong.
func (f fault) shown() string {
	clean := strings.Map(func(r rune) rune {
		if r == '\t' {
			return ' '
		}
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(f.line, "?"))
	switch {
	case strings.HasPrefix(strings.TrimSpace(clean), "["):
		return Masked(clean)
	case f.known() && !f.holdsSecret():
		return clean
	case f.assigns:
		name, _, _ := strings.Cut(clean, "=")
		if strings.Trim(longWords.ReplaceAllString(name, ""), " ") == "" {
			name = hidden + " "
		}
		return name + "= " + hidden
	default:
		return longWords.ReplaceAllString(clean, hidden)
	}
}

// holdsSecret tells whether the line may hold a secret. An account's ID, which is like one,
// may stand where it belongs. A provider's settings are short words, and this is where people
// look for a place for their key.
func (f fault) holdsSecret() bool {
	inside, _, _ := strings.Cut(f.section, ".")
	if inside == "providers" && longWords.MatchString(f.value) {
		return true
	}
	rest := f.line
	if f.section == "gateway" && strings.EqualFold(f.key, "account") && accountID.MatchString(strings.ToLower(strings.Trim(f.value, `"'`))) {
		rest = strings.Replace(rest, strings.Trim(f.value, `"'`), "", 1)
	}
	return Masked(rest) != rest
}

// longWords may be secrets.
var longWords = regexp.MustCompile(`[^\s=:"']{16,}`)

// known tells whether the line sets something that exists, or a name for models.
func (f fault) known() bool {
	switch f.section {
	case "aliases", "claude", "providers":
		return f.assigns
	}
	key := f.key
	if !f.assigns {
		key, _, _ = strings.Cut(strings.TrimSpace(f.line), " ")
		key = strings.TrimRight(key, ":")
	}
	section, name := cutLast(strings.TrimPrefix(f.section+"."+key, "."))
	return slices.Contains(namesIn(section), strings.ToLower(name))
}

// sectionOf is the section that the last of the lines is in.
func sectionOf(lines []string) string {
	for _, line := range slices.Backward(lines) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "["); ok {
			name, _, _ = strings.Cut(name, "]")
			return strings.ToLower(strings.TrimSpace(name))
		}
	}
	return ""
}

// withoutComment is a value without the spaces and the comment around it. A # inside of a
// word, as in a model's name, begins none.
func withoutComment(value string) string {
	value = strings.TrimSpace(value)
	if strings.HasPrefix(value, "#") {
		return ""
	}
	if !strings.ContainsAny(value[:min(1, len(value))], `"'`) {
		value, _, _ = strings.Cut(value, " #")
	}
	return strings.TrimSpace(value)
}
