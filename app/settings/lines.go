package settings

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"unicode"

	"github.com/pelletier/go-toml/v2/unstable"
)

// Lines tells on which line of a document each of its keys and sections first stands, by
// field. Keys that differ only in case are one.
type Lines map[string]int

// Of is the line of a field, or of the section that it would be in; 0 when the document
// has neither.
func (l Lines) Of(field string) int {
	for field = strings.ToLower(field); field != ""; field = field[:max(0, strings.LastIndexByte(field, '.'))] {
		if line := l[field]; line > 0 {
			return line
		}
	}
	return 0
}

// FileLines are the lines of the file at path, nil when it cannot be read.
func FileLines(path string) Lines {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return linesOf(withoutMark(data))
}

func linesOf(data []byte) Lines {
	l := make(Lines)
	var p unstable.Parser
	p.Reset(data)
	section := ""
	for p.NextExpression() {
		switch e := p.Expression(); e.Kind {
		case unstable.Table, unstable.ArrayTable:
			section = l.note(&p, "", e.Key())
		case unstable.KeyValue:
			l.noteValue(&p, section, e)
		default:
		}
	}
	return l
}

func (l Lines) noteValue(p *unstable.Parser, section string, e *unstable.Node) {
	field := l.note(p, section, e.Key())
	if value := e.Value(); value.Kind == unstable.InlineTable {
		for inner := value.Children(); inner.Next(); {
			l.noteValue(p, field, inner.Node())
		}
	}
}

// note notes a key and every section that it names, and returns its field.
func (l Lines) note(p *unstable.Parser, section string, key unstable.Iterator) string {
	field := section
	for key.Next() {
		field = join(field, string(key.Node().Data))
		name := strings.ToLower(field)
		if _, known := l[name]; !known {
			l[name] = 1 + bytes.Count(p.Data()[:key.Node().Raw.Offset], []byte("\n"))
		}
	}
	return field
}

// join is the field of a key in a section.
func join(section, key string) string {
	if section == "" {
		return printable(key)
	}
	return section + "." + printable(key)
}

// printable is a name that can go to a terminal.
func printable(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(name)
	}
	return name
}

// withoutMark is a document without the mark that editors on Windows put before it.
func withoutMark(data []byte) []byte { return bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) }
