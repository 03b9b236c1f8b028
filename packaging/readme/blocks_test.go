package readme

import (
	"os"
	"strings"
	"testing"
)

const root = "../.."

// load is the text of the README.
func load(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(root + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// blocks are the fenced code blocks of a language.
func blocks(text, language string) (found []string) {
	var lines []string
	inside := false
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		indented := strings.TrimPrefix(line, "   ") // in a list
		switch {
		case !inside && indented == "```"+language:
			inside = true
		case inside && indented == "```":
			found, lines, inside = append(found, strings.Join(lines, "\n")), nil, false
		case inside:
			lines = append(lines, line)
		}
	}
	return found
}

// commands splits a shell block into commands, which go on in the next line after a backslash
// and inside of quotes.
func commands(block string) (found []string) {
	var lines []string
	for line := range strings.SplitSeq(block, "\n") {
		trimmed := strings.TrimSpace(line)
		if len(lines) == 0 && (trimmed == "" || strings.HasPrefix(trimmed, "#")) {
			continue
		}
		lines = append(lines, line)
		command := strings.Join(lines, "\n")
		if !strings.HasSuffix(trimmed, "\\") && strings.Count(command, "'")%2 == 0 {
			found, lines = append(found, command), nil
		}
	}
	return append(found, lines...)
}

// rows are the cells of a table's body, found by the first cells of its heading, without the
// backquotes.
func rows(t *testing.T, text, heading string) (found [][]string) {
	t.Helper()
	_, rest, ok := strings.Cut(text, "\n| "+heading+" |")
	if !ok {
		t.Fatalf("no table that begins with %q", heading)
	}
	for i, line := range strings.Split(rest, "\n") {
		if i < 2 {
			continue
		}
		if !strings.HasPrefix(line, "|") {
			break
		}
		cells := strings.Split(strings.ReplaceAll(strings.Trim(line, "|"), "`", ""), "|")
		for j := range cells {
			cells[j] = strings.TrimSpace(cells[j])
		}
		found = append(found, cells)
	}
	return found
}
