package presenter

import (
	"encoding/json"
	"strings"
)

// Value is the JSON value that a line holds, begins or ends, as a whole: of a string what it says,
// of an object or an array everything in it. ok is false where a line holds none.
func Value(lines []Line, at int) (value string, ok bool) {
	value = valueOf(lines[at].Exact())
	if value == "}" || value == "]" {
		if at = beside(lines, at, -1); at < 0 {
			return "", false
		}
		value = valueOf(lines[at].Exact())
		if value != "{" && value != "[" {
			return "", false
		}
	}
	switch {
	case strings.HasPrefix(value, `"`):
		err := json.Unmarshal([]byte(value), &value)
		return value, err == nil
	case value == "{", value == "[":
		value = block(lines, at, value)
	}
	return value, json.Valid([]byte(value))
}

// valueOf is what a line says without the name and the comma around it, or without what makes it
// a line of an event.
func valueOf(line string) string {
	line = strings.TrimSpace(strings.TrimPrefix(line, "data:"))
	if name := quoted(line); name > 0 {
		if rest, named := strings.CutPrefix(strings.TrimLeft(line[name:], " "), ":"); named {
			line = strings.TrimSpace(rest)
		}
	}
	return strings.TrimSuffix(line, ",")
}

// quoted is the length of the JSON string that s begins with, 0 when it begins with none.
func quoted(s string) int {
	if !strings.HasPrefix(s, `"`) {
		return 0
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}

// block is the object or the array that begins with the bracket at the end of a line, indented
// as if it stood alone.
func block(lines []Line, from int, bracket string) string {
	var b strings.Builder
	b.WriteString(bracket)
	indent := lines[from].Exact()[:indentOf(lines[from].Text)]
	for i, to := from+1, beside(lines, from, 1); i <= to; i++ {
		b.WriteString("\n" + strings.TrimPrefix(lines[i].Exact(), indent))
	}
	return strings.TrimSuffix(b.String(), ",")
}

// beside is the next line, forwards or backwards, that is indented no further than a line: the
// other end of what is in brackets there. It is -1 when there is none.
func beside(lines []Line, at, by int) int {
	indent := indentOf(lines[at].Text)
	for i := at + by; i >= 0 && i < len(lines); i += by {
		if indentOf(lines[i].Text) <= indent {
			return i
		}
	}
	return -1
}

func indentOf(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }
